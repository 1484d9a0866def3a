//! Pack files, mapped into memory once for all who read them: pages count for a process as often as they are mapped.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};
use std::time::SystemTime;

use gix::hash::Kind;
use gix::odb::pack::{data, index};

/// A pack with its index.
pub struct Mapped {
    pub index: index::File,
    pub data: data::File,
}

/// What tells one file from another that stood in its place: path, length and time of change.
type Identity = (PathBuf, u64, Option<SystemTime>);

/// Packs that somebody has open.
static OPEN: LazyLock<Mutex<HashMap<[Identity; 2], Weak<Mapped>>>> = LazyLock::new(Mutex::default);

impl Mapped {
    /// Returns the pack of the index file at `path`, or `None` where one of the two cannot be opened.
    pub fn open(path: &Path, hash: Kind) -> Option<Arc<Self>> {
        let data_path = path.with_extension("pack");
        let key = [identity(path)?, identity(&data_path)?];
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(mapped) =
            open.get(&key).and_then(Weak::upgrade).filter(|it| it.data.object_hash() == hash)
        {
            return Some(mapped);
        }
        open.retain(|_, mapped| mapped.strong_count() > 0);
        let mapped = Arc::new(Self {
            index: index::File::at(path, hash).ok()?,
            data: data::File::at(&data_path, hash).ok()?,
        });
        open.insert(key, Arc::downgrade(&mapped));
        Some(mapped)
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
    fn a_pack_is_mapped_once_while_it_stays_what_it_is() {
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

        let first = Mapped::open(&index, Kind::Sha1).expect("the pack is sound");
        let again = Mapped::open(&index, Kind::Sha1).expect("the pack is sound");
        assert!(Arc::ptr_eq(&first, &again));
        let past = std::fs::FileTimes::new().set_modified(SystemTime::UNIX_EPOCH);
        let file = std::fs::File::open(&index).expect("the index is there");
        file.set_times(past).expect("the file is ours");
        let other = Mapped::open(&index, Kind::Sha1).expect("the pack is sound");
        assert!(!Arc::ptr_eq(&first, &other));
        assert!(Mapped::open(&index.with_extension("none"), Kind::Sha1).is_none());
    }
}
