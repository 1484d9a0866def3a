//! Files through their renames: which of today's files a change of long ago was made to.
//!
//! Facts name paths as they were at the commit. Counted by those, a renamed directory has two half histories. So the
//! graph is walked from children to parents, and each rename hands the earlier name on to the later one, for the
//! commit's own ancestors and nobody else: a branch, or a history that was merged in, may have had another file of that
//! name. Where branches disagree, the mainline is right. A change on a branch to a name that was given up elsewhere
//! meanwhile is one to the file that has it now.
//!
//! A file that was deleted and added again under its name is one file, as its directory listing has it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::FileId;
use crate::facts::{ChangeKind, CommitFacts};
use crate::graph::{Graph, Node};

/// What names mean that are not the latest name of what they mean.
type Meanings = HashMap<Vec<u8>, FileId>;

#[derive(Debug, Default)]
pub struct Lineage {
    /// Latest names, by id.
    pub names: Vec<Vec<u8>>,
    /// By commit, the files of its changes, in their order.
    pub files: Vec<Vec<FileId>>,
}

struct Walk<'a> {
    names: Vec<Vec<u8>>,
    /// The file that has a name at the latest.
    latest: HashMap<Vec<u8>, FileId>,
    /// The paths of the head.
    tip: &'a HashSet<&'a [u8]>,
    /// What a name was given up for, anywhere, the last time.
    given_up: HashMap<&'a [u8], &'a [u8]>,
}

/// A name that was given up so often is followed no further.
const MOST_NAMES: usize = 64;

impl Lineage {
    /// Follows the files of `commits`, which are the graph's. `mainline` is its first-parent chain, and `tip` holds the
    /// paths of its head; where they are not known, it is empty.
    pub fn of(graph: &Graph, commits: &[CommitFacts], mainline: &[Node], tip: &HashSet<&[u8]>) -> Self {
        let mut on_mainline = vec![false; commits.len()];
        mainline.iter().for_each(|node| on_mainline[*node as usize] = true);
        let mut walk = Walk { names: Vec::new(), latest: HashMap::new(), tip, given_up: HashMap::new() };
        for node in graph.parents_first().iter().rev() {
            for change in &commits[*node as usize].files {
                if let ChangeKind::Renamed { from, .. } = &change.kind {
                    walk.given_up.entry(from).or_insert(&change.path);
                }
            }
        }
        let mut files = vec![Vec::new(); commits.len()];
        let mut meanings: Vec<Option<Arc<Meanings>>> = vec![None; commits.len()];
        for node in graph.parents_first().iter().rev() {
            let mut here = meanings[*node as usize].take().unwrap_or_default();
            files[*node as usize] = walk.step_back(&commits[*node as usize], &mut here);
            for (place, parent) in graph.parents(*node).iter().enumerate() {
                let is_right = place == 0 && on_mainline[*node as usize];
                join(&mut meanings[*parent as usize], &here, is_right);
            }
        }
        Self { names: walk.names, files }
    }
}

/// Hands meanings on to a parent that may have some from another child.
fn join(known: &mut Option<Arc<Meanings>>, more: &Arc<Meanings>, more_is_right: bool) {
    let Some(known) = known else {
        *known = Some(Arc::clone(more));
        return;
    };
    if Arc::ptr_eq(known, more) {
        return;
    }
    let (right, other) = if more_is_right { (more, &*known) } else { (&*known, more) };
    if other.iter().all(|(name, _)| right.contains_key(name)) {
        *known = Arc::clone(right);
        return;
    }
    let mut joined = Meanings::clone(right);
    for (name, file) in other.iter() {
        joined.entry(name.clone()).or_insert(*file);
    }
    *known = Arc::new(joined);
}

impl Walk<'_> {
    /// Returns the files of a commit's changes, and makes of the meanings at the commit those before it.
    fn step_back(&mut self, commit: &CommitFacts, meanings: &mut Arc<Meanings>) -> Vec<FileId> {
        let files: Vec<FileId> =
            commit.files.iter().map(|change| self.file(&change.path, meanings)).collect();
        let renames = || {
            commit.files.iter().zip(&files).filter_map(|(change, file)| match &change.kind {
                ChangeKind::Renamed { from, .. } => Some((from, &change.path, *file)),
                _ => None,
            })
        };
        if renames().next().is_none() {
            return files;
        }
        let before = Arc::make_mut(meanings);
        // What had the new name before is another file.
        for (_, to, _) in renames() {
            let earlier = self.add(to);
            before.insert(to.clone(), earlier);
        }
        for (from, _, file) in renames() {
            before.insert(from.clone(), file);
        }
        files
    }

    fn file(&mut self, path: &[u8], meanings: &Meanings) -> FileId {
        if let Some(file) = meanings.get(path) {
            return *file;
        }
        let name = self.name_now(path);
        if let Some(file) = self.latest.get(name) {
            return *file;
        }
        let name = name.to_vec();
        let file = self.add(&name);
        self.latest.insert(name, file);
        file
    }

    /// Returns the name at the head of what `path` was given up for, or `path` where that is not known.
    fn name_now<'p>(&'p self, path: &'p [u8]) -> &'p [u8] {
        let mut name = path;
        for _ in 0..MOST_NAMES {
            if self.tip.contains(name) {
                return name;
            }
            match self.given_up.get(name) {
                Some(next) => name = next,
                None => break,
            }
        }
        path
    }

    fn add(&mut self, path: &[u8]) -> FileId {
        let file = FileId::try_from(self.names.len()).expect("fewer files than four thousand million");
        self.names.push(path.to_vec());
        file
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{ClaimedTime, FileChange, Lines, Signature};
    use crate::graph::Link;
    use crate::object_id::ObjectId;

    fn id(number: u8) -> ObjectId {
        ObjectId::try_from(&[number; 20][..]).unwrap()
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

    fn commit(number: u8, parents: &[u8], files: Vec<FileChange>) -> CommitFacts {
        let nobody = Signature { name: Vec::new(), email: Vec::new() };
        let never = ClaimedTime { seconds: None, offset_minutes: 0 };
        CommitFacts {
            id: id(number),
            parents: parents.iter().map(|parent| id(*parent)).collect(),
            author: nobody.clone(),
            authored: never,
            committer: nobody,
            committed: never,
            message: Vec::new(),
            files,
            merged: Vec::new(),
        }
    }

    /// Returns the latest names of the files of each commit's changes; the last commit is the head.
    fn follow<const N: usize>(tip: [&str; N], commits: &[CommitFacts]) -> Vec<Vec<String>> {
        let links = commits.iter().map(|one| Link { id: one.id, parents: &one.parents, committed: None });
        let graph = Graph::of(links);
        let mainline = graph.mainline(commits.len() as Node - 1);
        let tip = HashSet::from(tip.map(str::as_bytes));
        let lineage = Lineage::of(&graph, commits, &mainline, &tip);
        let name = |file: &FileId| {
            let place =
                lineage.names[..*file as usize].iter().filter(|name| **name == lineage.names[*file as usize]);
            let name = String::from_utf8(lineage.names[*file as usize].clone()).unwrap();
            match place.count() {
                0 => name,
                earlier => format!("{name}#{earlier}"),
            }
        };
        lineage.files.iter().map(|files| files.iter().map(name).collect()).collect()
    }

    #[test]
    fn earlier_names_are_handed_on() {
        let found = follow(
            ["c"],
            &[
                commit(1, &[], vec![change("a", None), change("c", None)]),
                commit(2, &[1], vec![change("b", Some("a"))]),
                commit(3, &[2], vec![change("c", Some("b"))]),
                commit(4, &[3], vec![change("c", None)]),
            ],
        );
        assert_eq!(
            found,
            [vec!["c", "c#1"], vec!["c"], vec!["c"], vec!["c"]],
            "another file had the name before"
        );
    }

    #[test]
    fn names_may_be_swapped() {
        let found = follow(
            ["a", "b"],
            &[
                commit(1, &[], vec![change("a", None), change("b", None)]),
                commit(2, &[1], vec![change("a", Some("b")), change("b", Some("a"))]),
            ],
        );
        assert_eq!(found, [["b", "a"], ["a", "b"]]);
    }

    #[test]
    fn a_rename_speaks_for_its_own_ancestors() {
        // 2 is another history, whose lib becomes two/lib before 4 merges it; the lib of 1 becomes one/lib.
        let found = follow(
            ["one/lib", "two/lib"],
            &[
                commit(1, &[], vec![change("lib", None)]),
                commit(2, &[], vec![change("lib", None)]),
                commit(3, &[2], vec![change("two/lib", Some("lib"))]),
                commit(4, &[1, 3], vec![]),
                commit(5, &[4], vec![change("one/lib", Some("lib"))]),
            ],
        );
        assert_eq!(found, [vec!["one/lib"], vec!["two/lib"], vec!["two/lib"], vec![], vec!["one/lib"]]);
    }

    #[test]
    fn a_branch_that_does_not_know_of_a_rename_changes_the_same_file() {
        let found = follow(
            ["b"],
            &[
                commit(1, &[], vec![change("a", None)]),
                commit(2, &[1], vec![change("b", Some("a"))]),
                commit(3, &[1], vec![change("a", None)]),
                commit(4, &[2, 3], vec![]),
            ],
        );
        assert_eq!(found, [vec!["b"], vec!["b"], vec!["b"], vec![]]);
    }
}
