//! A file as runs of lines that came with the same commit.

use crate::facts::{ContentMark, Hunk};

/// Lines that stand together and came with the same commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// The commit, by its place in [`LineHistory::commits`](super::LineHistory::commits).
    pub origin: u32,
    pub lines: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct File {
    pub(super) content: ContentMark,
    /// `None` where whose lines they are is unknown. A binary file has none.
    pub(super) runs: Option<Vec<Run>>,
}

impl File {
    pub(super) fn unknown() -> Self {
        Self { content: ContentMark::default(), runs: None }
    }

    /// Returns a file of which all lines came with `origin`.
    pub(super) fn new(content: ContentMark, origin: u32, lines: u32) -> Self {
        let mut runs = Runs::default();
        runs.push(Run { origin, lines });
        Self { content, runs: Some(runs.0) }
    }

    pub(super) fn runs(&self) -> &[Run] {
        self.runs.as_deref().unwrap_or_default()
    }
}

/// Runs in the making: neighbours of the same commit are one.
#[derive(Default)]
pub(super) struct Runs(pub(super) Vec<Run>);

impl Runs {
    pub(super) fn push(&mut self, run: Run) {
        match self.0.last_mut() {
            _ if run.lines == 0 => {}
            Some(last) if last.origin == run.origin => last.lines = last.lines.saturating_add(run.lines),
            _ => self.0.push(run),
        }
    }
}

/// A place in a file, which only goes on.
pub(super) struct Cursor<'a> {
    rest: std::slice::Iter<'a, Run>,
    /// What is left of the run that the place is in.
    run: Run,
}

/// There are fewer lines than somebody said.
pub(super) struct TooShort;

impl<'a> Cursor<'a> {
    pub(super) fn new(runs: &'a [Run]) -> Self {
        Self { rest: runs.iter(), run: Run { origin: 0, lines: 0 } }
    }

    /// Goes on by so many lines and hands out what it passes.
    pub(super) fn pass(&mut self, mut lines: u32, mut each: impl FnMut(Run)) -> Result<(), TooShort> {
        while lines > 0 {
            if self.run.lines == 0 {
                self.run = *self.rest.next().ok_or(TooShort)?;
            }
            let passed = Run { lines: lines.min(self.run.lines), ..self.run };
            self.run.lines -= passed.lines;
            lines -= passed.lines;
            each(passed);
        }
        Ok(())
    }

    /// Hands out all that is left.
    pub(super) fn finish(self, mut each: impl FnMut(Run)) {
        each(self.run);
        self.rest.copied().for_each(each);
    }
}

/// Returns what `hunks` by the commit `origin` make of `runs`, and hands out what they remove.
pub(super) fn edited(
    runs: &[Run],
    hunks: &[Hunk],
    origin: u32,
    mut removed: impl FnMut(Run),
) -> Result<Vec<Run>, TooShort> {
    let (mut old, mut new, mut at) = (Cursor::new(runs), Runs::default(), 0);
    for hunk in hunks {
        old.pass(hunk.old_start.checked_sub(at).ok_or(TooShort)?, |run| new.push(run))?;
        old.pass(hunk.old_lines, &mut removed)?;
        new.push(Run { origin, lines: hunk.new_lines });
        at = hunk.old_start.saturating_add(hunk.old_lines);
    }
    old.finish(|run| new.push(run));
    Ok(new.0)
}

/// Lines `new..new + lines` that are lines `old..` of a parent's file, or its rest where `lines` is `None`.
struct Match {
    old: u32,
    new: u32,
    lines: Option<u32>,
}

/// Returns the lines that are not in `hunks`.
fn matches(hunks: &[Hunk]) -> impl Iterator<Item = Match> {
    let ends = |hunk: &Hunk| {
        (hunk.old_start.saturating_add(hunk.old_lines), hunk.new_start.saturating_add(hunk.new_lines))
    };
    let starts = std::iter::once((0, 0)).chain(hunks.iter().map(ends));
    let stops = hunks.iter().map(|hunk| Some(hunk.new_start)).chain(std::iter::once(None));
    starts.zip(stops).map(|((old, new), stop)| Match {
        old,
        new,
        lines: stop.map(|stop| stop.saturating_sub(new)),
    })
}

/// A file put together of those of several parents: of each line the first parent that has it.
pub(super) struct Composition {
    /// Where runs begin.
    found: Vec<(u32, Run)>,
    /// Lines that no parent was found to have so far: begin and end, ascending.
    open: Vec<(u32, u32)>,
}

impl Composition {
    pub(super) fn of(lines: u32) -> Self {
        Self { found: Vec::new(), open: vec![(0, lines)] }
    }

    /// Takes the lines of a parent's file that are still open.
    pub(super) fn take(&mut self, runs: &[Run], hunks: &[Hunk]) -> Result<(), TooShort> {
        let (mut cursor, mut at) = (Cursor::new(runs), 0);
        let mut matches = matches(hunks).peekable();
        let mut left = Vec::new();
        for (mut begin, end) in std::mem::take(&mut self.open) {
            while begin < end {
                let Some(next) = matches.peek() else {
                    left.push((begin, end));
                    break;
                };
                let stop = next.lines.map_or(u32::MAX, |lines| next.new.saturating_add(lines));
                if stop <= begin {
                    matches.next();
                    continue;
                }
                let from = begin.max(next.new);
                if from >= end {
                    left.push((begin, end));
                    break;
                }
                if from > begin {
                    left.push((begin, from));
                }
                let to = end.min(stop);
                let old = next.old.saturating_add(from - next.new);
                cursor.pass(old.checked_sub(at).ok_or(TooShort)?, |_| {})?;
                let mut place = from;
                cursor.pass(to - from, |run| {
                    self.found.push((place, run));
                    place += run.lines;
                })?;
                at = old.saturating_add(to - from);
                begin = to;
            }
        }
        self.open = left;
        Ok(())
    }

    /// Returns the runs of the file; what is still open came with `origin`.
    pub(super) fn finish(mut self, origin: u32) -> Vec<Run> {
        let own = self.open.iter().map(|(begin, end)| (*begin, Run { origin, lines: end - begin }));
        self.found.extend(own);
        self.found.sort_unstable_by_key(|(place, _)| *place);
        let mut runs = Runs::default();
        self.found.into_iter().for_each(|(_, run)| runs.push(run));
        runs.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(pairs: &[(u32, u32)]) -> Vec<Run> {
        pairs.iter().map(|(origin, lines)| Run { origin: *origin, lines: *lines }).collect()
    }

    fn hunk(old_start: u32, old_lines: u32, new_start: u32, new_lines: u32) -> Hunk {
        Hunk { old_start, old_lines, new_start, new_lines }
    }

    #[test]
    fn hunks_replace_lines_by_those_of_the_commit() {
        let old = runs(&[(1, 3), (2, 2)]);
        let mut removed = Vec::new();
        // Of 1 1 1 2 2, the third and fourth become three new ones; one more comes at the end.
        let hunks = [hunk(2, 2, 2, 3), hunk(5, 0, 6, 1)];
        let new = edited(&old, &hunks, 7, |run| removed.push(run)).ok().unwrap();
        assert_eq!(new, runs(&[(1, 2), (7, 3), (2, 1), (7, 1)]));
        assert_eq!(removed, runs(&[(1, 1), (2, 1)]));
        assert_eq!(edited(&new, &[], 8, |_| {}).ok().unwrap(), new);
        assert!(edited(&old, &[hunk(4, 2, 4, 0)], 7, |_| {}).is_err());
        assert!(edited(&old, &[hunk(9, 0, 9, 1)], 7, |_| {}).is_err());
    }

    #[test]
    fn of_each_line_the_first_parent_that_has_it() {
        // Six lines: the first parent has all but lines 2 and 3, the second all but lines 0 and 3.
        let mut composition = Composition::of(6);
        composition.take(&runs(&[(1, 4)]), &[hunk(2, 0, 2, 2)]).ok().unwrap();
        composition.take(&runs(&[(2, 5)]), &[hunk(0, 1, 0, 1), hunk(3, 0, 3, 1)]).ok().unwrap();
        assert_eq!(composition.finish(9), runs(&[(1, 2), (2, 1), (9, 1), (1, 2)]));
    }

    #[test]
    fn a_parent_without_a_line_gives_none() {
        let mut composition = Composition::of(2);
        composition.take(&[], &[hunk(0, 0, 0, 2)]).ok().unwrap();
        assert_eq!(composition.finish(3), runs(&[(3, 2)]));
        assert!(Composition::of(2).take(&runs(&[(1, 1)]), &[]).is_err());
        assert_eq!(Composition::of(0).finish(3), []);
    }
}
