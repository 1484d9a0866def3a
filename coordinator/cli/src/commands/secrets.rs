//! Files with secrets in them that others could read: told of once, when a process begins that goes on.

use std::collections::BTreeSet;
use std::path::Path;

use gitfleet_shared::secret::exposure;

use crate::config::Loaded;

pub(super) fn look_at(loaded: &Loaded) {
    let fleet = &loaded.settings.fleet;
    let keys = [&fleet.cache_keys_file, &fleet.tls_key_file].into_iter().flatten();
    let files: BTreeSet<&Path> = keys.chain(&loaded.secret_files).map(AsRef::as_ref).collect();
    let user = user();
    for file in files {
        if let Some(why) = exposure(file, user) {
            tracing::warn!(file = %file.display(), "a file with a secret is open to others: {why}");
        }
    }
}

/// Returns who we are, where the system has that in its files.
fn user() -> Option<u32> {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").ok().map(|process| process.uid())
}
