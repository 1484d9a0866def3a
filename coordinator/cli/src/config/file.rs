//! Reading a small text file, with bounds: a path that leads to a device or a log must not fill the memory.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// A thousand repositories with all their keys take a tenth of this.
pub(super) const LARGEST_BYTES: u64 = 4 << 20;

#[derive(Debug)]
pub(super) enum Unreadable {
    Absent,
    Failed(io::Error),
    TooLarge,
    /// The position of the first byte that is not UTF-8.
    NotText {
        line: usize,
        column: usize,
    },
}

pub(super) fn read(path: &Path) -> Result<String, Unreadable> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(LARGEST_BYTES + 1).read_to_end(&mut bytes));
    match read {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(Unreadable::Absent),
        Err(error) => return Err(Unreadable::Failed(error)),
        Ok(_) if bytes.len() as u64 > LARGEST_BYTES => return Err(Unreadable::TooLarge),
        Ok(_) => {}
    }
    String::from_utf8(bytes).map_err(|error| {
        let sound = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = sound.iter().filter(|byte| **byte == b'\n').count() + 1;
        let start = sound.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
        let column = String::from_utf8_lossy(&sound[start..]).chars().count() + 1;
        Unreadable::NotText { line, column }
    })
}
