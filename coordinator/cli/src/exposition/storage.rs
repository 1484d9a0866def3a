//! The disk on which this process keeps things.

use std::path::PathBuf;

use gitfleet_shared::meter::{Definition, Gauge, Meter};

const FREE: Definition = Definition::gauge(
    "gitfleet_storage_free_bytes",
    &[],
    "What is free on the disk of the data directory, for this user",
);
const SIZE: Definition =
    Definition::gauge("gitfleet_storage_bytes", &[], "The size of the disk of the data directory");

/// All of them.
pub(super) const ALL: &[Definition] = &[FREE, SIZE];

#[derive(Clone)]
pub(super) struct Storage {
    path: PathBuf,
    free: Gauge,
    size: Gauge,
}

impl Storage {
    pub(super) fn new(meter: &Meter, path: PathBuf) -> Self {
        Self { path, free: meter.gauge(&FREE), size: meter.gauge(&SIZE) }
    }

    pub(super) fn refresh(&self) {
        if let Ok(disk) = rustix::fs::statvfs(&self.path) {
            self.free.set(disk.f_bavail as f64 * disk.f_frsize as f64);
            self.size.set(disk.f_blocks as f64 * disk.f_frsize as f64);
        }
    }
}
