//! What is in files that others change while we run: certificates, keys, tokens. It is read again at its next use once a
//! file has changed, also where a link to it was turned, as Kubernetes does it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

/// A value that is made of files.
pub struct Reread<T> {
    /// What it is called in the log, as `the certificate`.
    what: &'static str,
    files: Vec<PathBuf>,
    read: Read<T>,
    current: Mutex<Current<T>>,
}

/// Reads the files; says what is wrong with them, and nothing of what is in them.
type Read<T> = Box<dyn Fn() -> Result<T, String> + Send + Sync>;

struct Current<T> {
    value: Arc<T>,
    /// What it was made of.
    made_of: Vec<Mark>,
    /// What made no sense, and was told of.
    told_of: Option<Vec<Mark>>,
}

impl<T> Reread<T> {
    /// # Errors
    ///
    /// Where the files cannot be read now.
    pub fn open<E: fmt::Display>(
        what: &'static str,
        files: Vec<PathBuf>,
        read: impl Fn() -> Result<T, E> + Send + Sync + 'static,
    ) -> Result<Self, E> {
        // Looked at before they are read: what changes in between is read again.
        let made_of = marks(&files);
        let current = Mutex::new(Current { value: Arc::new(read()?), made_of, told_of: None });
        let read = Box::new(move || read().map_err(|error| error.to_string()));
        Ok(Self { what, files, read, current })
    }

    /// Returns the value as the files have it now. Files that are away or make no sense, as between two writes, change
    /// nothing, and are tried again at the next use.
    pub fn get(&self) -> Arc<T> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let now = marks(&self.files);
        if now != current.made_of {
            match (self.read)() {
                Ok(value) => {
                    *current = Current { value: Arc::new(value), made_of: now, told_of: None };
                    tracing::info!("{} was read again", self.what);
                }
                Err(why) if current.told_of.as_ref() != Some(&now) => {
                    tracing::warn!(why, "{} could not be read again; the old one stays in use", self.what);
                    current.told_of = Some(now);
                }
                Err(_) => {}
            }
        }
        current.value.clone()
    }
}

impl<T> fmt::Debug for Reread<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reread({:?})", self.files)
    }
}

/// What tells a file from what it was; `None` where there is none.
type Mark = Option<(Option<SystemTime>, u64, [i64; 4])>;

fn marks(files: &[PathBuf]) -> Vec<Mark> {
    files.iter().map(|file| mark(file)).collect()
}

fn mark(file: &Path) -> Mark {
    let found = std::fs::metadata(file).ok()?;
    #[cfg(unix)]
    let place = {
        use std::os::unix::fs::MetadataExt as _;
        [found.dev().cast_signed(), found.ino().cast_signed(), found.ctime(), found.ctime_nsec()]
    };
    #[cfg(not(unix))]
    let place = [0; 4];
    Some((found.modified().ok(), found.len(), place))
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    fn number(file: &Path) -> Result<Reread<u32>, io::Error> {
        let path = file.to_owned();
        Reread::open("the number", vec![path.clone()], move || {
            std::fs::read_to_string(&path)?.trim().parse().map_err(io::Error::other)
        })
    }

    #[test]
    fn a_changed_file_is_read_again_and_one_without_sense_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("number");
        assert!(number(&file).is_err());
        std::fs::write(&file, "1").unwrap();
        let number = number(&file).unwrap();
        assert_eq!(*number.get(), 1);
        // As long as before, and perhaps within the same moment: another file, all the same.
        std::fs::write(folder.path().join("new"), "2").unwrap();
        std::fs::rename(folder.path().join("new"), &file).unwrap();
        assert_eq!(*number.get(), 2);
        std::fs::remove_file(&file).unwrap();
        assert_eq!(*number.get(), 2);
        std::fs::write(&file, "nonsense").unwrap();
        assert_eq!(*number.get(), 2);
        std::fs::write(&file, "3").unwrap();
        assert_eq!(*number.get(), 3);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_that_is_turned_leads_to_another_file() {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name);
        for version in ["1", "2"] {
            std::fs::create_dir(place(version)).unwrap();
            std::fs::write(place(version).join("number"), version).unwrap();
        }
        std::os::unix::fs::symlink("1", place("..data")).unwrap();
        std::os::unix::fs::symlink("..data/number", place("number")).unwrap();
        let number = number(&place("number")).unwrap();
        assert_eq!(*number.get(), 1);
        std::os::unix::fs::symlink("2", place("..data_tmp")).unwrap();
        std::fs::rename(place("..data_tmp"), place("..data")).unwrap();
        assert_eq!(*number.get(), 2);
    }
}
