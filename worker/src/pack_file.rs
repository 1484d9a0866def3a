//! Pack files, opened once for all who read them.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};
use std::time::SystemTime;

use gix::hash::Kind;
use gix::odb::pack::{data, index};

/// A pack with its index.
pub(crate) struct PackFile {
    pub(crate) index: index::File,
    pub(crate) data: Data,
}

/// The entries of a pack.
pub(crate) struct Data {
    file: File,
    /// Where the last entry ends.
    pub(crate) end: u64,
}

/// What tells one file from another that stood in its place: path, length and time of change.
type Identity = (PathBuf, u64, Option<SystemTime>);

/// Packs that somebody has open.
static OPEN: LazyLock<Mutex<HashMap<[Identity; 2], Weak<PackFile>>>> = LazyLock::new(Mutex::default);

impl PackFile {
    /// Returns the pack of the index file at `path`, or `None` where one of the two cannot be opened.
    pub(crate) fn open(path: &Path, hash: Kind) -> Option<Arc<Self>> {
        let data_path = path.with_extension("pack");
        let key = [identity(path)?, identity(&data_path)?];
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) =
            open.get(&key).and_then(Weak::upgrade).filter(|it| it.index.object_hash() == hash)
        {
            return Some(known);
        }
        open.retain(|_, known| known.strong_count() > 0);
        let data = Data::open(&data_path, hash)?;
        let file = Arc::new(Self { index: index::File::at(path, hash).ok()?, data });
        open.insert(key, Arc::downgrade(&file));
        Some(file)
    }
}

impl Data {
    /// Opens the data of a pack; `None` where it does not begin as packs do.
    pub(crate) fn open(path: &Path, hash: Kind) -> Option<Self> {
        let file = File::open(path).ok()?;
        let mut header = [0; data::header::SIZE];
        file.read_exact_at(&mut header, 0).ok()?;
        data::header::decode(&header).ok()?;
        let end = file.metadata().ok()?.len().checked_sub(hash.len_in_bytes() as u64)?;
        Some(Self { file, end })
    }

    /// Fills `bytes` with what stands at `from`.
    ///
    /// # Errors
    ///
    /// Where the file cannot be read, or ends before that.
    pub(crate) fn read(&self, from: u64, bytes: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(bytes, from)
    }
}

fn identity(path: &Path) -> Option<Identity> {
    let found = std::fs::metadata(path).ok()?;
    Some((path.to_owned(), found.len(), found.modified().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pack_is_opened_once_while_it_stays_what_it_is() {
        let folder = tempfile::tempdir().expect("the machine has room for a folder");
        let git = |arguments: &[&str]| {
            let ended = std::process::Command::new("git")
                .current_dir(folder.path())
                .args(["-c", "user.name=a", "-c", "user.email=a@example"])
                .args(arguments)
                .output()
                .expect("git is there");
            assert!(ended.status.success(), "{arguments:?}");
        };
        git(&["init", "-q"]);
        git(&["commit", "-q", "--allow-empty", "-m", "one"]);
        git(&["repack", "-q", "-ad"]);
        let packs = folder.path().join(".git/objects/pack");
        let entries = std::fs::read_dir(packs).expect("git made it").flatten().map(|entry| entry.path());
        let index = entries.into_iter().find(|path| path.extension().is_some_and(|e| e == "idx"));
        let index = index.expect("a pack has an index");

        let first = PackFile::open(&index, Kind::Sha1).expect("the pack is sound");
        let again = PackFile::open(&index, Kind::Sha1).expect("the pack is sound");
        assert!(Arc::ptr_eq(&first, &again));
        let past = std::fs::FileTimes::new().set_modified(SystemTime::UNIX_EPOCH);
        let file = std::fs::File::open(&index).expect("the index is there");
        file.set_times(past).expect("the file is ours");
        let other = PackFile::open(&index, Kind::Sha1).expect("the pack is sound");
        assert!(!Arc::ptr_eq(&first, &other));
        assert!(PackFile::open(&index.with_extension("none"), Kind::Sha1).is_none());
    }
}
