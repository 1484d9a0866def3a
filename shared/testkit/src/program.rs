//! Finds the programs that servers are made of.

use std::path::PathBuf;

/// Returns the path of the first of `names` that is found in `PATH` or in `folders`.
///
/// # Panics
///
/// Where none is there; the message says what to install.
pub fn find(names: &[&str], folders: &[PathBuf], install: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = folders.iter().cloned().chain(std::env::split_paths(&path)).collect();
    let candidates = names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    let found = candidates.into_iter().find(|candidate| candidate.is_file());
    found.unwrap_or_else(|| panic!("{} is missing: install {install}", names[0]))
}
