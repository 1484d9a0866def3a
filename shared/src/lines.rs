//! The history of lines: which commit each line at the tip came with, and when lines came onto the mainline and went
//! from it. A pure fold of facts that were computed with their hunks.
//!
//! A line belongs to the commit that `git blame` names, without `-w`, `-M` and `-C`: unchanged lines pass from parent to
//! child through renames, and of a merge each line is that of the first parent that has it. What no parent has is the
//! merge's own.
//!
//! The **mainline** is the first-parent chain of the head. A line is *born* there when a commit of the chain brings it
//! (a merge brings the lines of its branch, which are older), and *dies* when one takes it away. So over the chain, births
//! less deaths are the text lines at the tip: the law that every report can check. Lines that only move from one path to
//! another (a rename) neither die nor are born.
//!
//! Binary files have no lines: a file that turns binary loses all it had. Where something could not be read, lines are
//! unknown: they are in no account, [`LineHistory::unknown_changes`] says so, and the law need not hold.

mod accounts;
mod file;
mod merge;
mod order;
mod tree;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use self::accounts::{Accounts, Balance};
pub use self::file::Run;
use self::file::{File, edited};
use self::order::Order;
use self::tree::{Names, Node, Tree};
use crate::facts::{ChangeKind, CommitFacts, FileChange, Lines};
use crate::object_id::ObjectId;

#[derive(Debug, Default, PartialEq, Eq)]
pub struct LineHistory {
    /// All commits below the head, parents before children. What other fields name is a place in here.
    pub commits: Vec<ObjectId>,
    /// The first-parent chain of the head, oldest first.
    pub mainline: Vec<u32>,
    /// The text files at the tip, ascending by path.
    pub tip: Vec<TipRuns>,
    /// By commit of the mainline, oldest first; then by origin.
    pub births: Vec<Birth>,
    pub deaths: Vec<Death>,
    /// What each commit with at most one parent took from its parent's tree, on the mainline or not; by commit, then by
    /// origin.
    pub removals: Vec<Removal>,
    /// Paths that lines died at.
    pub paths: Vec<Vec<u8>>,
    /// Files at the tip whose lines are unknown.
    pub unknown_files: u32,
    /// Changes on the mainline of which lines are unknown.
    pub unknown_changes: u32,
}

/// A file at the tip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TipRuns {
    pub path: Vec<u8>,
    /// In the order of the file.
    pub runs: Vec<Run>,
}

/// Lines that a commit of the mainline brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Birth {
    pub integrated: u32,
    /// The commit that wrote them: the same, or one of a branch that was merged.
    pub origin: u32,
    pub lines: u32,
}

/// Lines that a commit of the mainline took away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Death {
    pub killer: u32,
    /// The commit that had written them.
    pub origin: u32,
    /// Where they stood before, by its place in [`LineHistory::paths`].
    pub path: u32,
    pub lines: u32,
}

/// Lines that a commit took away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Removal {
    pub commit: u32,
    /// The commit that had written them.
    pub origin: u32,
    pub lines: u32,
}

impl LineHistory {
    /// Folds the facts of the commits below `head`; those of others are passed over. A parent that is not among them
    /// counts as one without files.
    pub fn of<'a>(facts: impl IntoIterator<Item = &'a CommitFacts>, head: &ObjectId) -> Self {
        let order = Order::of(facts, head);
        let mut fold = Fold { trees: vec![None; order.commits.len()], ..Fold::default() };
        let mut left = order.children.clone();
        let mut history = Self::default();
        for (number, commit) in (0u32..).zip(&order.commits) {
            let parents: Vec<Tree> = order.parents[number as usize]
                .iter()
                .map(|parent| match parent {
                    Some(parent) => fold.tree(*parent, &mut left),
                    None => Tree::default(),
                })
                .collect();
            let on_mainline = order.on_mainline[number as usize];
            if on_mainline {
                history.mainline.push(number);
            }
            let tree = fold.commit(number, commit, parents, on_mainline);
            fold.trees[number as usize] = Some(tree);
            history.commits.push(commit.id);
        }
        let tip = fold.trees.pop().flatten().unwrap_or_default();
        tip.each_file(|path, file| match &file.runs {
            Some(runs) if runs.is_empty() => {}
            Some(runs) => history.tip.push(TipRuns { path: fold.names.path(path), runs: runs.clone() }),
            None => history.unknown_files += 1,
        });
        history.tip.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        let Accounts { births, deaths, unknown_changes } = fold.accounts;
        let removals = fold
            .removed
            .into_iter()
            .map(|((commit, origin), lines)| Removal { commit, origin, lines })
            .collect();
        Self { births, deaths, removals, unknown_changes, paths: fold.paths, ..history }
    }
}

#[derive(Default)]
struct Fold {
    names: Names,
    /// Of the commits that still have children to come.
    trees: Vec<Option<Tree>>,
    accounts: Accounts,
    /// Lines by who took them away and who had written them.
    removed: BTreeMap<(u32, u32), u32>,
    paths: Vec<Vec<u8>>,
    path_numbers: HashMap<Vec<u8>, u32>,
}

impl Fold {
    /// Returns the tree of a commit; its last child gets it for itself, to change it in place.
    fn tree(&mut self, commit: u32, left: &mut [u32]) -> Tree {
        let (tree, left) = (&mut self.trees[commit as usize], &mut left[commit as usize]);
        *left -= 1;
        if *left == 0 { tree.take() } else { tree.clone() }.unwrap_or_default()
    }

    fn commit(
        &mut self,
        number: u32,
        commit: &CommitFacts,
        mut parents: Vec<Tree>,
        on_mainline: bool,
    ) -> Tree {
        let mut balance = Balance::default();
        let tree = if parents.len() > 1 || !commit.merged.is_empty() {
            let tree = if parents.len() > 1 {
                merge::merge(&parents, &commit.merged, number, &mut self.names)
            } else {
                let old = parents.first().cloned().unwrap_or_default();
                let edited = self.edit(number, commit, old, None);
                self.continue_files(number, commit, &parents, edited)
            };
            if on_mainline {
                let empty = Tree::default();
                let first = parents.first().unwrap_or(&empty);
                balance.compare(&first.0, &tree.0, &self.names);
            }
            tree
        } else {
            let old = parents.pop().unwrap_or_default();
            self.edit(number, commit, old, on_mainline.then_some(&mut balance))
        };
        if on_mainline {
            let (paths, numbers) = (&mut self.paths, &mut self.path_numbers);
            let mut path_number = |path: &[u8]| match numbers.get(path) {
                Some(number) => *number,
                None => {
                    let number = u32::try_from(paths.len()).expect("no history has four billion paths");
                    numbers.insert(path.to_vec(), number);
                    paths.push(path.to_vec());
                    number
                }
            };
            balance.settle(number, &mut path_number, &mut self.accounts);
        }
        tree
    }

    /// Returns what the changes of a commit with one parent, or none, make of the parent's tree.
    fn edit(
        &mut self,
        number: u32,
        commit: &CommitFacts,
        mut tree: Tree,
        mut balance: Option<&mut Balance>,
    ) -> Tree {
        // What goes makes way first: a file may be gone where another's directory comes.
        let mut sources = Vec::new();
        for change in &commit.files {
            match &change.kind {
                ChangeKind::Deleted => {
                    let gone = tree.take(&self.names.of(&change.path));
                    if let Some(Node::File(file)) = &gone {
                        self.note_removed(number, file.runs());
                    }
                    if let (Some(balance), Some(Node::File(file))) = (balance.as_deref_mut(), &gone) {
                        match &file.runs {
                            Some(runs) => balance.remove(&change.path, runs),
                            None => balance.note_unknown(),
                        }
                    }
                }
                ChangeKind::Renamed { from, .. } => sources.push(tree.take(&self.names.of(from))),
                ChangeKind::Added | ChangeKind::Modified => {}
            }
        }
        let mut sources = sources.into_iter();
        for change in &commit.files {
            let at = self.names.of(&change.path);
            match &change.kind {
                ChangeKind::Deleted => {}
                ChangeKind::Added => {
                    let file = added(number, change);
                    if let Some(balance) = balance.as_deref_mut() {
                        note(balance, change, &file);
                    }
                    tree.put(&at, Node::File(Arc::new(file)));
                }
                ChangeKind::Modified => {
                    if tree.file(&at).is_none() {
                        tree.put(&at, Node::File(Arc::new(File::unknown())));
                    }
                    let file = tree.file_mut(&at).expect("it was put there");
                    let removed = modify(file, number, change, &change.path, balance.as_deref_mut());
                    self.note_removed(number, &removed);
                }
                ChangeKind::Renamed { from, .. } => {
                    let mut file = match sources.next().flatten() {
                        Some(Node::File(file)) => file,
                        _ => Arc::new(File::unknown()),
                    };
                    let file_mut = Arc::make_mut(&mut file);
                    let removed = modify(file_mut, number, change, from, balance.as_deref_mut());
                    self.note_removed(number, &removed);
                    tree.put(&at, Node::File(file));
                }
            }
        }
        tree
    }

    fn note_removed(&mut self, number: u32, runs: &[Run]) {
        for run in runs {
            let lines = self.removed.entry((number, run.origin)).or_default();
            *lines = lines.saturating_add(run.lines);
        }
    }

    /// Puts the files that a commit without a second parent has composed otherwise than its changes say.
    fn continue_files(&mut self, number: u32, commit: &CommitFacts, parents: &[Tree], edited: Tree) -> Tree {
        let composed = merge::merge(parents, &commit.merged, number, &mut self.names);
        let mut tree = edited;
        for merged in &commit.merged {
            let at = self.names.of(&merged.path);
            match composed.get(&at) {
                Some(node) => tree.put(&at, node.clone()),
                None => _ = tree.take(&at),
            }
        }
        tree
    }
}

fn added(number: u32, change: &FileChange) -> File {
    match change.lines {
        Lines::Counted { added, .. } => File::new(change.content, number, added),
        Lines::Binary { net_text_lines } => {
            File::new(change.content, number, u32::try_from(net_text_lines).unwrap_or(0))
        }
        Lines::Unknown(_) => File::unknown(),
    }
}

/// Writes down the lines of a file that is new.
fn note(balance: &mut Balance, change: &FileChange, file: &File) {
    match &file.runs {
        Some(runs) => balance.add(&change.path, runs),
        None => balance.note_unknown(),
    }
}

/// Changes `file` as the commit `number` did, and returns the lines that go. They stood at `path`.
fn modify(
    file: &mut File,
    number: u32,
    change: &FileChange,
    path: &[u8],
    balance: Option<&mut Balance>,
) -> Vec<Run> {
    // Facts that were computed without hunks say nothing of whose lines go.
    let has_hunks = |counts| counts == (0, 0) || !change.hunks.is_empty();
    let mut removed = Vec::new();
    let old = file.runs.take();
    file.runs = match (&old, change.lines) {
        (Some(runs), Lines::Counted { added, deleted }) if has_hunks((added, deleted)) => {
            edited(runs, &change.hunks, number, |run| removed.push(run)).ok()
        }
        // One side is binary. Where lines joined, the other one is text.
        (Some(runs), Lines::Binary { net_text_lines }) => {
            removed.clone_from(runs);
            File::new(change.content, number, u32::try_from(net_text_lines).unwrap_or(0)).runs
        }
        _ => None,
    };
    file.content = change.content;
    let Some(balance) = balance else { return removed };
    if file.runs.is_none() {
        balance.note_unknown();
        return removed;
    }
    balance.remove(path, &removed);
    if let Lines::Counted { .. } = change.lines {
        for hunk in &change.hunks {
            balance.add(&change.path, &[Run { origin: number, lines: hunk.new_lines }]);
        }
    } else {
        balance.add(&change.path, file.runs());
    }
    removed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::How;
    use crate::facts::{ClaimedTime, Hunk, MergedPath, Origin, Signature, UnknownReason};

    fn id(number: u8) -> ObjectId {
        ObjectId::try_from(&[number; 20][..]).unwrap()
    }

    fn commit(number: u8, parents: &[u8], files: Vec<FileChange>, merged: Vec<MergedPath>) -> CommitFacts {
        let nobody = Signature { name: Vec::new(), email: Vec::new() };
        let never = ClaimedTime { seconds: None, offset_minutes: 0 };
        CommitFacts {
            id: id(number),
            parents: parents.iter().copied().map(id).collect(),
            author: nobody.clone(),
            authored: never,
            committer: nobody,
            committed: never,
            message: Vec::new(),
            files,
            merged,
        }
    }

    fn file(path: &str, kind: ChangeKind, lines: Lines, hunks: &[(u32, u32, u32, u32)]) -> FileChange {
        let hunks = hunks.iter().copied().map(hunk).collect();
        FileChange { path: path.into(), kind, lines, hunks, content: [path.len() as u8; 8] }
    }

    fn hunk((old_start, old_lines, new_start, new_lines): (u32, u32, u32, u32)) -> Hunk {
        Hunk { old_start, old_lines, new_start, new_lines }
    }

    fn counted(added: u32, deleted: u32) -> Lines {
        Lines::Counted { added, deleted }
    }

    fn renamed(from: &str) -> ChangeKind {
        let whole = counted(0, 0);
        ChangeKind::Renamed { from: from.into(), whole_old: whole, whole_new: whole }
    }

    /// Commit 1 writes lines a, b, c. On the mainline, 2 replaces b. On a branch from 1, 3 adds d at the end. 4 merges the
    /// branch and adds e of its own: a (1), B (2), c (1), d (3), e (4). 5 moves the file and deletes a.
    fn example() -> Vec<CommitFacts> {
        let from = [&[(3, 0, 3, 2)][..], &[(1, 1, 1, 1), (4, 0, 4, 1)]].map(|hunks| {
            Some(Origin { path: b"f".to_vec(), hunks: hunks.iter().copied().map(hunk).collect() })
        });
        let how = How::Composed { lines: Some(5), content: [4; 8], from: from.to_vec() };
        let whole = counted(1, 1);
        vec![
            commit(1, &[], vec![file("f", ChangeKind::Added, counted(3, 0), &[])], vec![]),
            commit(2, &[1], vec![file("f", ChangeKind::Modified, whole, &[(1, 1, 1, 1)])], vec![]),
            commit(3, &[1], vec![file("f", ChangeKind::Modified, counted(1, 0), &[(3, 0, 3, 1)])], vec![]),
            commit(4, &[2, 3], vec![], vec![MergedPath { path: b"f".to_vec(), how }]),
            commit(5, &[4], vec![file("d/g", renamed("f"), counted(0, 1), &[(0, 1, 0, 0)])], vec![]),
        ]
    }

    #[test]
    fn the_worked_example() {
        let facts = example();
        let history = LineHistory::of(&facts, &id(5));
        // Parents first, and what is merged just before its merge.
        assert_eq!(history.commits, [1, 2, 3, 4, 5].map(id));
        assert_eq!(history.mainline, [0, 1, 3, 4]);
        let run = |origin, lines| Run { origin, lines };
        let runs = vec![run(1, 1), run(0, 1), run(2, 1), run(3, 1)];
        assert_eq!(history.tip, [TipRuns { path: b"d/g".to_vec(), runs }]);
        let birth = |integrated, origin, lines| Birth { integrated, origin, lines };
        // The merge brings the line of 3, and its own.
        assert_eq!(history.births, [birth(0, 0, 3), birth(1, 1, 1), birth(3, 2, 1), birth(3, 3, 1)]);
        let death = |killer, origin| Death { killer, origin, path: 0, lines: 1 };
        // 2 kills b, and 5 kills a, which stood in f: to be moved is no death.
        assert_eq!(history.deaths, [death(1, 0), death(4, 0)]);
        assert_eq!(history.paths, [b"f"]);
        // 3 + 1 + 1 + 1 born, 2 died: 4 at the tip.
        let born: u32 = history.births.iter().map(|birth| birth.lines).sum();
        assert_eq!(born - 2, 4);
    }

    #[test]
    fn the_order_of_the_facts_does_not_matter() {
        let mut facts = example();
        let expect = LineHistory::of(&facts, &id(5));
        facts.reverse();
        assert_eq!(LineHistory::of(&facts, &id(5)), expect);
        facts.rotate_left(2);
        assert_eq!(LineHistory::of(&facts, &id(5)), expect);
        assert_eq!(LineHistory::of(&facts, &id(9)), LineHistory::default());
    }

    #[test]
    fn what_turns_binary_loses_its_lines_and_what_is_unknown_is_said_to_be() {
        let binary = |net_text_lines| Lines::Binary { net_text_lines };
        let unknown = Lines::Unknown(UnknownReason::TooLarge);
        let facts = [
            commit(1, &[], vec![file("a", ChangeKind::Added, counted(3, 0), &[])], vec![]),
            commit(2, &[1], vec![file("a", ChangeKind::Modified, binary(-3), &[])], vec![]),
            commit(3, &[2], vec![file("a", ChangeKind::Modified, binary(2), &[])], vec![]),
            commit(4, &[3], vec![file("a", ChangeKind::Modified, unknown, &[])], vec![]),
        ];
        let history = LineHistory::of(&facts[..3], &id(3));
        let runs = vec![Run { origin: 2, lines: 2 }];
        assert_eq!(history.tip, [TipRuns { path: b"a".to_vec(), runs }]);
        assert_eq!(history.deaths, [Death { killer: 1, origin: 0, path: 0, lines: 3 }]);
        assert_eq!((history.unknown_files, history.unknown_changes), (0, 0));
        let history = LineHistory::of(&facts, &id(4));
        assert_eq!((history.tip.len(), history.unknown_files, history.unknown_changes), (0, 1, 1));
    }

    #[test]
    fn facts_that_contradict_each_other_are_no_reason_to_fail() {
        let beyond = u32::MAX;
        let odd = [
            file("gone", ChangeKind::Modified, counted(1, 1), &[(7, 1, 7, 1)]),
            file("a", ChangeKind::Modified, counted(1, 1), &[(beyond, beyond, beyond, beyond)]),
            file("b", renamed("nowhere"), counted(1, 1), &[(0, 1, 0, 1)]),
            file("c", ChangeKind::Deleted, counted(0, 1), &[]),
        ];
        let composed = How::Composed {
            lines: Some(beyond),
            content: [1; 8],
            from: vec![Some(Origin { path: b"a".to_vec(), hunks: vec![hunk((beyond, 1, 5, beyond))] })],
        };
        let merged = ["a", "a/b", "a"].map(|path| MergedPath { path: path.into(), how: composed.clone() });
        let taken = MergedPath { path: Vec::new(), how: How::Taken { parent: 7 } };
        let facts = [
            commit(1, &[9], vec![file("a", ChangeKind::Added, counted(3, 0), &[])], vec![]),
            commit(2, &[1, 1], vec![], merged.to_vec()),
            commit(3, &[2], odd.to_vec(), merged.to_vec()),
            commit(4, &[3, 9], vec![], vec![taken]),
        ];
        for head in 1..=4 {
            assert_eq!(LineHistory::of(&facts, &id(head)).mainline.len(), usize::from(head));
        }
    }
}
