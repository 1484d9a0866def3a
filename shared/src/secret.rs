//! A secret: as it was given, or as its file has it now.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use secrecy::{ExposeSecret as _, SecretString};

use crate::reread::Reread;

/// Cheap to clone; all clones are the same secret.
#[derive(Clone)]
pub struct Secret(Place);

#[derive(Clone)]
enum Place {
    Given(Arc<SecretString>),
    File(Arc<Reread<SecretString>>),
}

/// Why a file holds no secret. Says nothing of what is in it.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    #[error("cannot read {}: {source}", .path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("{} is empty", .0.display())]
    Empty(PathBuf),
}

impl Secret {
    pub fn given(secret: SecretString) -> Self {
        Self(Place::Given(Arc::new(secret)))
    }

    /// # Errors
    ///
    /// Where the file cannot be read now, or is empty.
    pub fn in_file(path: &Path) -> Result<Self, SecretError> {
        Self::part_of(path, |text| text)
    }

    /// As [`in_file`](Self::in_file), of several secrets, one a line or between commas, the first.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn first_in_file(path: &Path) -> Result<Self, SecretError> {
        Self::part_of(path, |text| words(text).next().unwrap_or_default())
    }

    fn part_of(path: &Path, part: fn(&str) -> &str) -> Result<Self, SecretError> {
        let file = path.to_owned();
        let reread = Reread::open("a secret", vec![file.clone()], move || read(&file, part))?;
        Ok(Self(Place::File(Arc::new(reread))))
    }

    /// Returns the secret as it is now.
    pub fn now(&self) -> String {
        match &self.0 {
            Place::Given(secret) => secret.expose_secret().to_owned(),
            Place::File(file) => file.get().expose_secret().to_owned(),
        }
    }
}

impl From<SecretString> for Secret {
    fn from(secret: SecretString) -> Self {
        Self::given(secret)
    }
}

impl From<String> for Secret {
    fn from(secret: String) -> Self {
        Self::given(secret.into())
    }
}

impl From<&str> for Secret {
    fn from(secret: &str) -> Self {
        Self::given(secret.into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// Returns the secrets in `text`, one a line or between commas.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(['\n', ',']).map(str::trim).filter(|word| !word.is_empty())
}

/// The line end is no part of a secret.
fn read(path: &Path, part: fn(&str) -> &str) -> Result<SecretString, SecretError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| SecretError::Unreadable { path: path.to_owned(), source })?;
    match part(text.trim_end_matches(['\r', '\n'])) {
        "" => Err(SecretError::Empty(path.to_owned())),
        secret => Ok(secret.into()),
    }
}

/// Returns who could read or change the secret in a file beside `user`, where somebody could; `None` also where the file
/// cannot be looked at. What is root's is everybody's to trust.
#[cfg(unix)]
pub fn exposure(path: &Path, user: Option<u32>) -> Option<&'static str> {
    use std::os::unix::fs::MetadataExt as _;
    let found = std::fs::metadata(path).ok()?;
    match (found.mode(), found.uid()) {
        (mode, _) if mode & 0o002 != 0 => Some("everybody on this machine may change it"),
        (mode, _) if mode & 0o004 != 0 => Some("everybody on this machine may read it"),
        (mode, _) if mode & 0o020 != 0 => Some("its group may change it"),
        (_, owner) if user.is_some_and(|user| owner != user) && owner != 0 => {
            Some("it belongs to another user")
        }
        _ => None,
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

    use super::*;

    #[test]
    fn a_secret_is_as_its_file_has_it_and_is_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        assert!(Secret::in_file(&file).is_err());
        std::fs::write(&file, "\n").unwrap();
        assert!(Secret::in_file(&file).is_err());
        std::fs::write(&file, "canary\n").unwrap();
        let secret = Secret::in_file(&file).unwrap();
        assert_eq!(secret.now(), "canary");
        assert!(!format!("{secret:?}").contains("canary"));
        std::fs::write(&file, "").unwrap();
        assert_eq!(secret.now(), "canary");
        std::fs::write(&file, "other").unwrap();
        assert_eq!(secret.now(), "other");
        std::fs::write(&file, "\n one , two\nthree\n").unwrap();
        assert_eq!(Secret::first_in_file(&file).unwrap().now(), "one");
        assert_eq!(words(&secret.now()).collect::<Vec<_>>(), ["one", "two", "three"]);
    }

    #[test]
    fn whoever_else_could_read_a_secret_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        std::fs::write(&file, "canary").unwrap();
        let owner = std::fs::metadata(&file).unwrap().uid();
        for (mode, expect) in [
            (0o600, None),
            (0o400, None),
            (0o440, None),
            (0o640, None),
            (0o644, Some("everybody on this machine may read it")),
            (0o604, Some("everybody on this machine may read it")),
            (0o646, Some("everybody on this machine may change it")),
            (0o660, Some("its group may change it")),
        ] {
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(exposure(&file, Some(owner)), expect, "{mode:o}");
        }
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        let others = exposure(&file, Some(owner + 1));
        assert_eq!(others, (owner != 0).then_some("it belongs to another user"));
        assert_eq!(exposure(&file, None), None);
        assert_eq!(exposure(&folder.path().join("none"), Some(owner)), None);
    }
}
