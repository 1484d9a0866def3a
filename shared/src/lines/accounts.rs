//! Lines that come onto the mainline and go from it.

use super::file::{File, Run};
use super::tree::{Name, Names, Node, each_file};
use super::{Birth, Death};

/// What is written down.
#[derive(Default)]
pub(super) struct Accounts {
    pub(super) births: Vec<Birth>,
    pub(super) deaths: Vec<Death>,
    pub(super) unknown_changes: u32,
}

/// What one commit does to the lines of the mainline.
#[derive(Default)]
pub(super) struct Balance {
    /// Paths that changes were made at; one may be there more than once.
    paths: Vec<Vec<u8>>,
    /// Origin, place of the path, and lines that came less those that went: in any order, and not summed up.
    changes: Vec<(u32, usize, i64)>,
    /// Files whose lines are unknown before or after.
    unknown_changes: u32,
}

impl Balance {
    pub(super) fn add(&mut self, path: &[u8], runs: &[Run]) {
        self.change(path, runs, 1);
    }

    pub(super) fn remove(&mut self, path: &[u8], runs: &[Run]) {
        self.change(path, runs, -1);
    }

    fn change(&mut self, path: &[u8], runs: &[Run], sign: i64) {
        if runs.is_empty() {
            return;
        }
        if self.paths.last().is_none_or(|last| last != path) {
            self.paths.push(path.to_vec());
        }
        let place = self.paths.len() - 1;
        self.changes.extend(runs.iter().map(|run| (run.origin, place, sign * i64::from(run.lines))));
    }

    pub(super) fn note_unknown(&mut self) {
        self.unknown_changes = self.unknown_changes.saturating_add(1);
    }

    /// Compares two trees, and looks only at what is not shared.
    pub(super) fn compare(&mut self, old: &Node, new: &Node, names: &Names) {
        let mut waiting: Vec<(Vec<Name>, Option<&Node>, Option<&Node>)> =
            vec![(Vec::new(), Some(old), Some(new))];
        while let Some((path, old, new)) = waiting.pop() {
            match (old, new) {
                (Some(old), Some(new)) if old.is(new) => {}
                (Some(Node::Directory(old)), Some(Node::Directory(new))) => {
                    let (mut olds, mut news) = (old.entries.iter().peekable(), new.entries.iter().peekable());
                    while let Some(name) =
                        [olds.peek(), news.peek()].into_iter().flatten().map(|(name, _)| *name).min()
                    {
                        let old = olds.next_if(|(other, _)| *other == name).map(|(_, node)| node);
                        let new = news.next_if(|(other, _)| *other == name).map(|(_, node)| node);
                        if old.zip(new).is_some_and(|(old, new)| old.is(new)) {
                            continue;
                        }
                        let below = [path.as_slice(), &[name]].concat();
                        waiting.push((below, old, new));
                    }
                }
                (Some(Node::File(old)), Some(Node::File(new))) => {
                    let path = names.path(&path);
                    self.file(&path, Some(old), Some(new));
                }
                (old, new) => {
                    let mut path = path;
                    for (node, is_new) in [(old, false), (new, true)] {
                        let Some(node) = node else { continue };
                        each_file(node, &mut path, &mut |path, file| {
                            let sides = if is_new { (None, Some(file)) } else { (Some(file), None) };
                            self.file(&names.path(path), sides.0, sides.1);
                        });
                    }
                }
            }
        }
    }

    fn file(&mut self, path: &[u8], old: Option<&File>, new: Option<&File>) {
        if [old, new].into_iter().flatten().any(|file| file.runs.is_none()) {
            self.note_unknown();
        }
        let (mut old, mut new) =
            (old.map(File::runs).unwrap_or_default(), new.map(File::runs).unwrap_or_default());
        while let ([a, old_rest @ ..], [b, new_rest @ ..]) = (old, new)
            && a == b
        {
            (old, new) = (old_rest, new_rest);
        }
        while let ([old_rest @ .., a], [new_rest @ .., b]) = (old, new)
            && a == b
        {
            (old, new) = (old_rest, new_rest);
        }
        self.remove(path, old);
        self.add(path, new);
    }

    /// Writes down what is left when lines that only went from one path to another are taken for what they are.
    pub(super) fn settle(
        self,
        commit: u32,
        path_number: &mut impl FnMut(&[u8]) -> u32,
        accounts: &mut Accounts,
    ) {
        accounts.unknown_changes = accounts.unknown_changes.saturating_add(self.unknown_changes);
        let mut paths: Vec<&[u8]> = self.paths.iter().map(Vec::as_slice).collect();
        paths.sort_unstable();
        paths.dedup();
        let rank = |path: &Vec<u8>| paths.binary_search(&path.as_slice()).expect("it is one of them");
        let ranks: Vec<usize> = self.paths.iter().map(rank).collect();
        let ranked = |(origin, place, change): &(u32, usize, i64)| (*origin, ranks[*place], *change);
        let mut lines: Vec<(u32, usize, i64)> = self.changes.iter().map(ranked).collect();
        lines.sort_unstable();
        for lines in lines.chunk_by(|one, other| one.0 == other.0) {
            let origin = lines[0].0;
            let at_each_path = lines.chunk_by(|one, other| one.1 == other.1);
            let changes: Vec<(&[u8], i64)> = at_each_path
                .map(|lines| (paths[lines[0].1], lines.iter().map(|(.., change)| change).sum()))
                .collect();
            let sum = |sign: i64| changes.iter().map(|(_, change)| (change * sign).max(0)).sum::<i64>();
            let (came, went) = (sum(1), sum(-1));
            if came > went {
                accounts.births.push(Birth { integrated: commit, origin, lines: narrow(came - went) });
            }
            // The lines that came stand for the first that went.
            let mut moved = came;
            for (path, change) in changes.iter().filter(|(_, change)| *change < 0) {
                let stayed = moved.min(-change);
                moved -= stayed;
                if -change > stayed {
                    let lines = narrow(-change - stayed);
                    accounts.deaths.push(Death { killer: commit, origin, path: path_number(path), lines });
                }
            }
        }
    }
}

fn narrow(lines: i64) -> u32 {
    u32::try_from(lines).unwrap_or(u32::MAX)
}
