//! Lines that come onto the mainline and go from it.

use std::collections::BTreeMap;

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

/// What one commit does to the lines of the mainline: by origin and by path, lines that came less those that went.
#[derive(Default)]
pub(super) struct Balance {
    lines: BTreeMap<(u32, Vec<u8>), i64>,
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
        for run in runs {
            *self.lines.entry((run.origin, path.to_vec())).or_default() += sign * i64::from(run.lines);
        }
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
        let mut lines = self.lines.into_iter().peekable();
        while let Some(((origin, path), first)) = lines.next() {
            let mut changes = vec![(path, first)];
            while let Some(((_, path), change)) = lines.next_if(|((other, _), _)| *other == origin) {
                changes.push((path, change));
            }
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
