//! Small edits, found without looking at lines one by one.
//!
//! The search is the greedy one of E. Myers, "An O(ND) Difference Algorithm and Its Variations" (1986), on bytes: a
//! run of equal lines is passed at the speed of comparing memory, and only where the contents differ is a line end
//! looked for. It pays as long as few lines are changed, however long the contents are.

use std::ops::Range;

use crate::common;

/// Lines deleted and added.
pub type Counts = (usize, usize);

/// On a diagonal: as many bytes of either side lie behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Point {
    old: usize,
    new: usize,
}

/// An edit, and the run of equal lines behind it.
#[derive(Clone, Copy)]
struct Step {
    deleted: bool,
    /// Where the run begins.
    from: Point,
    to: Point,
}

/// Returns how many lines are changed from `old` to `new`, or `None` where they are more than `most`, or where git
/// may count others. Lines are as many as in a longest common subsequence, which is not what git counts where it
/// drops a line that has a match (see [`crate::myers`]).
pub fn count_changed(old: &[u8], new: &[u8], most: usize) -> Option<Counts> {
    let steps = Search { old, new }.run(most)?;
    let deleted = steps.iter().filter(|step| step.deleted).count();
    let counts = (deleted, steps.len() - deleted);
    let kept = |side| Changed::of(old, &steps, side).leave_matches_alone();
    let few = |lines| lines < FEWEST_CHANGED;
    ((few(counts.0) || kept(Side::Old)) && (few(counts.1) || kept(Side::New))).then_some(counts)
}

/// A changed line: its number, and where it stands.
pub type Line = (usize, Range<usize>);

/// Returns the lines deleted from `old` and those added in `new`, where [`count_changed`] would count them. Others may be
/// as few; they are those that git finds if none of them stands anywhere on the other side.
pub fn find_changed(old: &[u8], new: &[u8], most: usize) -> Option<[Vec<Line>; 2]> {
    let steps = Search { old, new }.run(most)?;
    let numbers = [Side::Old, Side::New].map(|side| Changed::of(old, &steps, side));
    if numbers.iter().any(|changed| changed.0.len() >= FEWEST_CHANGED && !changed.leave_matches_alone()) {
        return None;
    }
    let [mut olds, mut news] = numbers.map(|changed| changed.0.into_iter());
    let (mut deleted, mut added) = (Vec::new(), Vec::new());
    for step in &steps {
        if step.deleted {
            deleted.extend(olds.next().map(|line| (line, line_before(old, step.from.old))));
        } else {
            added.extend(news.next().map(|line| (line, line_before(new, step.from.new))));
        }
    }
    Some([deleted, added])
}

/// Returns where the line stands that ends at `end`.
fn line_before(content: &[u8], end: usize) -> Range<usize> {
    let newline = memchr::memrchr(b'\n', &content[..end.saturating_sub(1)]);
    newline.map_or(0, |newline| newline + 1)..end
}

struct Search<'a> {
    old: &'a [u8],
    new: &'a [u8],
}

impl Search<'_> {
    /// Returns the steps of a shortest edit, in their order, or `None` where it has more than `most`.
    fn run(&self, most: usize) -> Option<Vec<Step>> {
        let start = Point { old: 0, new: 0 };
        let end = Point { old: self.old.len(), new: self.new.len() };
        // Behind each edit, by the diagonals it can be on: the step that comes furthest.
        let mut rounds: Vec<Vec<Option<Step>>> = Vec::new();
        let first = self.pass_equal(start);
        if first == end {
            return Some(Vec::new());
        }
        for edits in 1..=most {
            let before = rounds.last();
            // Of a round of n edits, diagonals -n, -n + 2, ... n (lines deleted less lines added).
            let reached = |position: Option<usize>| match (before, position) {
                (None, Some(0)) => Some(first),
                (Some(round), Some(position)) => round.get(position).copied().flatten().map(|step| step.to),
                _ => None,
            };
            let mut round = Vec::with_capacity(edits + 1);
            for position in 0..=edits {
                let by_deletion = reached(position.checked_sub(1)).and_then(|at| self.delete(at));
                let by_addition = reached(Some(position)).and_then(|at| self.add(at));
                let step = match (by_deletion, by_addition) {
                    (Some(deletion), Some(addition)) if addition.old > deletion.old => {
                        Some((false, addition))
                    }
                    (Some(deletion), _) => Some((true, deletion)),
                    (None, Some(addition)) => Some((false, addition)),
                    (None, None) => None,
                };
                let step = step.map(|(deleted, from)| Step { deleted, from, to: self.pass_equal(from) });
                round.push(step);
                if step.is_some_and(|step| step.to == end) {
                    rounds.push(round);
                    return Some(trace(&rounds, position));
                }
            }
            rounds.push(round);
        }
        None
    }

    fn pass_equal(&self, at: Point) -> Point {
        let (old, new) = (&self.old[at.old..], &self.new[at.new..]);
        let equal = common::prefix(old, new);
        let equal = if equal == old.len() && equal == new.len() {
            equal
        } else {
            // A line is equal only with its end.
            memchr::memrchr(b'\n', &old[..equal]).map_or(0, |newline| newline + 1)
        };
        Point { old: at.old + equal, new: at.new + equal }
    }

    fn delete(&self, at: Point) -> Option<Point> {
        Some(Point { old: after_line(self.old, at.old)?, ..at })
    }

    fn add(&self, at: Point) -> Option<Point> {
        Some(Point { new: after_line(self.new, at.new)?, ..at })
    }
}

/// Returns where the line that begins at `from` ends, or `None` where there is none.
fn after_line(content: &[u8], from: usize) -> Option<usize> {
    let rest = content.get(from..).filter(|rest| !rest.is_empty())?;
    Some(memchr::memchr(b'\n', rest).map_or(content.len(), |newline| from + newline + 1))
}

/// Returns the steps that lead to `position` of the last of `rounds`.
fn trace(rounds: &[Vec<Option<Step>>], mut position: usize) -> Vec<Step> {
    let mut steps = Vec::with_capacity(rounds.len());
    for round in rounds.iter().rev() {
        let step = round[position].expect("a step was taken from here");
        position -= usize::from(step.deleted);
        steps.push(step);
    }
    steps.reverse();
    steps
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Old,
    New,
}

/// The numbers of the changed lines of one side, ascending; the first line of the first step is line 0.
struct Changed(Vec<usize>);

/// So few changed lines around a line with a match never make git drop it.
const FEWEST_CHANGED: usize = 7;
/// As far git looks around a line.
const WINDOW: usize = 100;

impl Changed {
    fn of(old: &[u8], steps: &[Step], side: Side) -> Self {
        let (mut line, mut changed) = (0, Vec::with_capacity(steps.len()));
        for step in steps {
            if step.deleted == (side == Side::Old) {
                changed.push(line);
                line += 1;
            }
            line += memchr::memchr_iter(b'\n', &old[step.from.old..step.to.old]).count();
        }
        Self(changed)
    }

    /// Whether git surely drops no line between changed ones. It does where such a line is frequent and the changed
    /// ones around it outnumber the frequent ones by more than three to one, all lines between being either. So a gap
    /// between changed lines counts with all its lines, on both sides.
    fn leave_matches_alone(&self) -> bool {
        self.0.windows(2).enumerate().all(|(before, pair)| {
            let [last, next] = *pair else { unreachable!("windows of two") };
            let gap = next - last - 1;
            if gap == 0 {
                return true;
            }
            let near = |line: &&usize| **line + WINDOW > last && **line < next + WINDOW;
            let (ahead, behind) = self.0.split_at(before + 1);
            let around = ahead.iter().rev().take_while(near).count() + behind.iter().take_while(near).count();
            around <= 3 * (gap + 1)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(old: &str, new: &str, expect: Option<Counts>) {
        assert_eq!(count_changed(old.as_bytes(), new.as_bytes(), 20), expect, "{old:?} {new:?}");
    }

    #[test]
    fn small_edits_are_counted() {
        check("", "", Some((0, 0)));
        check("a\n", "", Some((1, 0)));
        check("", "a", Some((0, 1)));
        check("a\nb\nc\n", "a\nx\nc\n", Some((1, 1)));
        check("a\nb", "a\nb\n", Some((1, 1)));
        check("a\nb\nc\nd\n", "d\na\nb\nc\n", Some((1, 1)));
        check("xa\nb\nya\n", "a\nb\na\n", Some((2, 2)));
    }

    #[test]
    fn what_is_too_much_or_may_be_dropped_is_left_to_others() {
        check(&"a\n".repeat(21), "", None);
        check(&"a\n".repeat(20), "", Some((20, 0)));
        // Four changed lines on either side of one that stays.
        check("a\nb\nc\nd\n}\ne\nf\ng\nh\n", "}\n", None);
        check("a\nb\nc\n}\ne\nf\ng\n", "}\n", Some((6, 0)));
        // Between two lines that stay and are as frequent, it takes ten.
        check("a\nb\nc\nd\n}\n}\ne\nf\ng\nh\n", "}\n}\n", Some((8, 0)));
    }

    proptest::proptest! {
        #[test]
        fn what_is_found_is_what_the_other_search_finds(
            mut old in proptest::collection::vec(0u32..12, 0..60),
            mut new in proptest::collection::vec(0u32..12, 0..60),
            most in 0usize..60,
        ) {
            // Three kinds of lines are frequent; all others have no match.
            old.iter_mut().filter(|line| **line > 2).for_each(|line| *line += 10);
            new.iter_mut().filter(|line| **line > 2).for_each(|line| *line += 30);
            let text = |lines: &[u32]| lines.iter().map(|line| format!("{line}\n")).collect::<String>().into_bytes();
            if let Some(found) = count_changed(&text(&old), &text(&new), most) {
                let no_ends = || crate::myers::Ends { lines: 0, occurrences: vec![0; 50] };
                proptest::prop_assert_eq!(found, crate::myers::count_changed(&old, &new, 50, no_ends, &mut Default::default()));
                proptest::prop_assert!(found.0 + found.1 <= most);
            }
        }
    }
}
