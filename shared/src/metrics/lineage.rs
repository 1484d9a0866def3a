//! Files through their renames: which of today's files a change of long ago was made to.
//!
//! Facts name paths as they were at the commit. Counted by those, a renamed directory has two half histories. So the
//! history is walked from its newest commit to its oldest, and each rename hands the earlier name on to the later one.
//! A file that was deleted and added again under its name is one file, as its directory listing has it.

use std::collections::HashMap;

use super::FileId;
use crate::facts::{ChangeKind, CommitFacts};

#[derive(Debug, Default)]
pub struct Lineage {
    /// Latest names, by id.
    names: Vec<Vec<u8>>,
    /// Which file a path means, at the point the walk has come to.
    meant: HashMap<Vec<u8>, FileId>,
}

impl Lineage {
    /// Returns the files of a commit's changes, in their order. Commits come children first.
    pub fn step_back(&mut self, commit: &CommitFacts) -> Vec<FileId> {
        let files: Vec<FileId> = commit.files.iter().map(|change| self.file(&change.path)).collect();
        for (change, file) in commit.files.iter().zip(&files) {
            if let ChangeKind::Renamed { from, .. } = &change.kind {
                self.meant.insert(from.clone(), *file);
            }
        }
        // The new name meant nothing before, unless the same commit moved another file from there.
        for change in &commit.files {
            if let ChangeKind::Renamed { .. } = &change.kind {
                let is_taken = commit.files.iter().any(
                    |other| matches!(&other.kind, ChangeKind::Renamed { from, .. } if *from == change.path),
                );
                if !is_taken {
                    self.meant.remove(&change.path);
                }
            }
        }
        files
    }

    /// Returns the file that `path` means at the point the walk has come to.
    fn file(&mut self, path: &[u8]) -> FileId {
        if let Some(file) = self.meant.get(path) {
            return *file;
        }
        let file = FileId::try_from(self.names.len()).expect("fewer files than four thousand million");
        self.names.push(path.to_vec());
        self.meant.insert(path.to_vec(), file);
        file
    }

    /// Returns the latest names of all files, by id.
    pub fn into_names(self) -> Vec<Vec<u8>> {
        self.names
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{ClaimedTime, FileChange, Lines, Signature};
    use crate::object_id::ObjectId;

    fn commit(files: Vec<FileChange>) -> CommitFacts {
        let nobody = Signature { name: Vec::new(), email: Vec::new() };
        let never = ClaimedTime { seconds: None, offset_minutes: 0 };
        CommitFacts {
            id: ObjectId::try_from(&[1; 20][..]).unwrap(),
            parents: Vec::new(),
            author: nobody.clone(),
            authored: never,
            committer: nobody,
            committed: never,
            message: Vec::new(),
            files,
            merged: Vec::new(),
        }
    }

    fn change(path: &str, from: Option<&str>) -> FileChange {
        let lines = Lines::Counted { added: 1, deleted: 0 };
        let kind = match from {
            Some(from) => {
                ChangeKind::Renamed { from: from.as_bytes().to_vec(), whole_old: lines, whole_new: lines }
            }
            None => ChangeKind::Modified,
        };
        FileChange { path: path.as_bytes().to_vec(), kind, lines, hunks: Vec::new(), content: [0; 8] }
    }

    #[test]
    fn earlier_names_are_handed_on() {
        let mut lineage = Lineage::default();
        let mut step = |files: Vec<FileChange>| lineage.step_back(&commit(files));
        assert_eq!(step(vec![change("c", None)]), [0]);
        assert_eq!(step(vec![change("c", Some("b"))]), [0]);
        assert_eq!(step(vec![change("b", Some("a"))]), [0]);
        assert_eq!(
            step(vec![change("a", None), change("c", None)]),
            [0, 1],
            "another file had the name before"
        );
        assert_eq!(lineage.into_names(), [b"c".to_vec(), b"c".to_vec()]);
    }

    #[test]
    fn names_may_be_swapped() {
        let mut lineage = Lineage::default();
        let mut step = |files: Vec<FileChange>| lineage.step_back(&commit(files));
        assert_eq!(step(vec![change("a", Some("b")), change("b", Some("a"))]), [0, 1]);
        assert_eq!(step(vec![change("a", None), change("b", None)]), [1, 0]);
    }
}
