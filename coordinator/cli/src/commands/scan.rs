//! Finds repositories below a folder.

use std::path::{Path, PathBuf};

use crate::exit::{Exit, Refusal};

/// Returns every repository below `folder` in the order of their paths. It does not look inside one for others, nor
/// follow links; a folder that may not be read is passed over with a warning.
///
/// # Errors
///
/// Where `folder` itself cannot be read.
pub(super) fn scan(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if let Err(error) = std::fs::read_dir(folder) {
        return Err(Refusal::new(Exit::NotFound, format!("cannot scan {}: {error}", folder.display())).into());
    }
    let mut found = Vec::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(directory) = waiting.pop() {
        if is_repository(&directory) {
            found.push(directory);
            continue;
        }
        let entries = match std::fs::read_dir(&directory) {
            Ok(entries) => entries,
            Err(error) => {
                tracing::warn!(directory = %directory.display(), %error, "a folder cannot be scanned");
                continue;
            }
        };
        for entry in entries.flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                waiting.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}

/// A working tree has `.git`; a bare repository has what git itself looks for.
fn is_repository(directory: &Path) -> bool {
    directory.join(".git").exists()
        || (directory.join("HEAD").is_file()
            && directory.join("objects").is_dir()
            && directory.join("refs").is_dir())
}

#[cfg(test)]
mod tests {
    use std::fs::create_dir_all;

    use super::*;

    #[test]
    fn finds_all_kinds_and_does_not_look_inside() {
        let root = tempfile::tempdir().unwrap();
        let at = |path: &str| root.path().join(path);
        for path in
            ["b/.git", "b/vendor/inner/.git", "a/deep/bare.git/objects", "a/deep/bare.git/refs", "none"]
        {
            create_dir_all(at(path)).unwrap();
        }
        std::fs::write(at("a/deep/bare.git/HEAD"), "ref: refs/heads/main\n").unwrap();
        create_dir_all(at("worktree")).unwrap();
        std::fs::write(at("worktree/.git"), "gitdir: ../b/.git\n").unwrap();
        let found = scan(root.path()).unwrap();
        assert_eq!(found, [at("a/deep/bare.git"), at("b"), at("worktree")]);
        assert!(scan(&at("gone")).is_err());
    }
}
