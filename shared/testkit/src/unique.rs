//! Names that no other test has, so that tests share a server and never meet.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::UNIX_EPOCH;

/// Returns `stem_…`, fit for a database, a schema, a key prefix and a queue: lower-case letters, digits and `_`.
pub fn name(stem: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let now = UNIX_EPOCH.elapsed().unwrap_or_default().as_micros();
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("{stem}_{now:x}_{}_{number}", std::process::id())
}
