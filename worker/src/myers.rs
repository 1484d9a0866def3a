//! Which lines git's default diff takes for changed, before it [slides](crate::compact) them.
//!
//! The search is that of E. Myers, "An O(ND) Difference Algorithm and Its Variations" (1986), in its linear-space form:
//! from both ends of a box at once, until the two searches meet; then the same in the two boxes left. Alone it would
//! find the longest common subsequence, and any exact algorithm would count the same. git gives up earlier, in three
//! documented places, and its counts can only be met by giving up where it does:
//!
//! * Lines that occur nowhere in the other file, and very frequent ones in the midst of such, are changed from the
//!   outset.
//! * Past a cost of 256, a search that has come far along a run of more than 20 equal lines is good enough.
//! * Past the square root of all lines (256 at least), the furthest point reached is good enough.

use std::ops::Range;

/// Lines of one side, as numbers: equal lines have equal numbers, below `kinds`.
pub type Lines<'a> = &'a [u32];

/// The lines that both files begin and end with.
pub struct Ends {
    pub lines: usize,
    /// How often each kind of line occurs among them.
    pub occurrences: Vec<u32>,
}

/// Returns how many lines of `old` are deleted and how many of `new` are added, where these are what is left of two
/// files without their common ends.
///
/// git's limits depend on how often a line occurs in a whole file. Only where one of them may be reached is `ends`
/// asked, because counting there costs more than all the rest.
pub fn count_changed(
    old: Lines,
    new: Lines,
    kinds: usize,
    ends: impl FnOnce() -> Ends,
    reached: &mut Reached,
) -> (usize, usize) {
    let mut counts = Counts::of(old, new, kinds);
    let [old_kept, new_kept] = if counts.are_out_of_reach(old, new) {
        // Nothing is dropped that has a match, and the search is at its end before its patience is: what is found is
        // the longest common subsequence, for which lines without a match do not count.
        counts.with_match(old, new)
    } else {
        counts.worth_searching(old, new, &ends())
    };
    let (mut deleted, mut added) = (old.len() - old_kept.len(), new.len() - new_kept.len());
    Search::new(&at(old, &old_kept), &at(new, &new_kept), reached).run(|old, new| {
        deleted += old.len();
        added += new.len();
    });
    (deleted, added)
}

/// Which lines are changed, by their positions on either side.
#[derive(Default)]
pub struct Changed {
    pub old: Vec<bool>,
    pub new: Vec<bool>,
}

/// Says of each line whether it is changed, and returns whether one of git's limits may have been reached.
///
/// Of several longest common subsequences, git's search finds one, and which one depends on all lines that it sees: those
/// too that have a match in the common ends alone. So `ends` are asked unless there is only one.
pub fn find_changed(
    old: Lines,
    new: Lines,
    kinds: usize,
    ends: impl FnOnce() -> Ends,
    reached: &mut Reached,
    changed: &mut Changed,
) -> bool {
    let mut counts = Counts::of(old, new, kinds);
    let mut kept = counts.with_match(old, new);
    // The lines with a match are the same on both sides, and so each is matched by the one in its place.
    let is_limited = !counts.are_out_of_reach(old, new);
    let is_settled = !is_limited
        && kept[0].len() == kept[1].len()
        && kept[0].iter().zip(&kept[1]).all(|(a, b)| old[*a] == new[*b]);
    if !is_settled {
        kept = counts.worth_searching(old, new, &ends());
    }
    let [old_kept, new_kept] = kept;
    for (changed, all, kept) in [(&mut changed.old, old, &old_kept), (&mut changed.new, new, &new_kept)] {
        changed.clear();
        changed.resize(all.len(), true);
        kept.iter().for_each(|at| changed[*at] = false);
    }
    if is_settled {
        return is_limited;
    }
    Search::new(&at(old, &old_kept), &at(new, &new_kept), reached).run(|old, new| {
        old_kept[old].iter().for_each(|at| changed.old[*at] = true);
        new_kept[new].iter().for_each(|at| changed.new[*at] = true);
    });
    is_limited
}

/// Returns the lines at those positions.
fn at(lines: Lines, positions: &[usize]) -> Vec<u32> {
    positions.iter().map(|position| lines[*position]).collect()
}

/// How often each kind of line occurs on either side.
struct Counts {
    in_old: Vec<u32>,
    in_new: Vec<u32>,
}

impl Counts {
    fn of(old: Lines, new: Lines, kinds: usize) -> Self {
        Self { in_old: occurrences(old, kinds), in_new: occurrences(new, kinds) }
    }

    /// Whether none of git's limits can be reached.
    fn are_out_of_reach(&self, old: Lines, new: Lines) -> bool {
        old.len() + new.len() < 2 * PATIENT_COST.unsigned_abs()
            && !may_drop(old, &self.in_new)
            && !may_drop(new, &self.in_old)
    }

    /// Returns the positions of the lines that occur on the other side.
    fn with_match(&self, old: Lines, new: Lines) -> [Vec<usize>; 2] {
        let with_match = |lines: Lines, in_other: &[u32]| {
            (0..lines.len()).filter(|at| in_other[lines[*at] as usize] > 0).collect()
        };
        [with_match(old, &self.in_new), with_match(new, &self.in_old)]
    }

    /// Returns the positions of the lines that git's search sees.
    fn worth_searching(&mut self, old: Lines, new: Lines, ends: &Ends) -> [Vec<usize>; 2] {
        for counts in [&mut self.in_old, &mut self.in_new] {
            counts.iter_mut().zip(&ends.occurrences).for_each(|(count, more)| *count += more);
        }
        [
            worth_searching(old, &self.in_new, frequent(old.len() + ends.lines)),
            worth_searching(new, &self.in_old, frequent(new.len() + ends.lines)),
        ]
    }
}

/// Whether a line with a match may turn out to be frequent and in the midst of changes: fewer than seven changed ones
/// around it never outnumber the line itself by more than three to one.
fn may_drop(lines: Lines, in_other: &[u32]) -> bool {
    const FEWEST_CHANGED: usize = 7;
    let matched = |line: &u32| in_other[*line as usize] > 0;
    let changed = lines.iter().filter(|line| !matched(line)).count();
    if changed < FEWEST_CHANGED {
        return false;
    }
    // One stands between the first changed line and the last.
    let first = lines.iter().position(|line| !matched(line)).unwrap_or_default();
    let last = lines.iter().rposition(|line| !matched(line)).unwrap_or_default();
    last - first + 1 > changed
}

fn occurrences(lines: Lines, kinds: usize) -> Vec<u32> {
    let mut counts = vec![0; kinds];
    for line in lines {
        counts[*line as usize] += 1;
    }
    counts
}

/// Returns a power of two near the square root: for each two bits of `number`, one bit.
fn rough_square_root(number: usize) -> usize {
    let bits = usize::BITS - number.leading_zeros();
    1 << bits.div_ceil(2)
}

/// Returns how often a line must occur in the other file to be frequent, for a file of so many lines.
fn frequent(lines: usize) -> u32 {
    const MOST: usize = 1_024;
    u32::try_from(rough_square_root(lines).min(MOST)).expect("bounded by the constant")
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Occurs {
    Nowhere,
    Sometimes,
    Often,
}

/// Returns the positions of the lines that the search is to see; the others are changed from the outset.
fn worth_searching(lines: Lines, in_other: &[u32], frequent: u32) -> Vec<usize> {
    let occurs: Vec<Occurs> = lines
        .iter()
        .map(|line| match in_other[*line as usize] {
            0 => Occurs::Nowhere,
            count if count >= frequent => Occurs::Often,
            _ => Occurs::Sometimes,
        })
        .collect();
    let kept = |position: &usize| match occurs[*position] {
        Occurs::Nowhere => false,
        Occurs::Sometimes => true,
        Occurs::Often => !is_in_the_midst_of_changes(&occurs, *position),
    };
    (0..lines.len()).filter(kept).collect()
}

/// Whether the lines around a frequent one, up to the next that occurs sometimes and 100 at most on each side, are
/// changed by more than three to one.
fn is_in_the_midst_of_changes(occurs: &[Occurs], position: usize) -> bool {
    const WINDOW: usize = 100;
    let count = |side: &mut dyn Iterator<Item = &Occurs>| {
        // The line itself counts once on each side.
        let (mut nowhere, mut often) = (0usize, 1usize);
        for occurs in side.take(WINDOW).take_while(|occurs| **occurs != Occurs::Sometimes) {
            match occurs {
                Occurs::Nowhere => nowhere += 1,
                _ => often += 1,
            }
        }
        (nowhere, often)
    };
    let (nowhere_before, often_before) = count(&mut occurs[..position].iter().rev());
    let (nowhere_after, often_after) = count(&mut occurs[position + 1..].iter());
    nowhere_before > 0
        && nowhere_after > 0
        && nowhere_before + nowhere_after > 3 * (often_before + often_after)
}

/// A run of more equal lines than this is worth going for.
const GOOD_RUN: isize = 20;
/// Before this cost, nothing is good enough but the best.
const PATIENT_COST: isize = 256;
/// How far a search must have come for its cost to be good enough.
const GAIN_PER_COST: isize = 4;

/// A box: lines `old_from..old_to` against `new_from..new_to`.
#[derive(Clone, Copy)]
struct Piece {
    old_from: isize,
    old_to: isize,
    new_from: isize,
    new_to: isize,
    /// Whether only the best split will do.
    exact: bool,
}

/// Where a box is cut in two, and which of the two must be split at its best.
struct Split {
    old: isize,
    new: isize,
    exact_before: bool,
    exact_after: bool,
}

struct Search<'a> {
    old: Lines<'a>,
    new: Lines<'a>,
    /// The furthest old line reached on each diagonal (old minus new), from the start and from the end.
    forward: Diagonals<'a>,
    backward: Diagonals<'a>,
    cost_limit: isize,
}

/// Room for what two searches reach; for use again, because clearing it would cost more than many a search.
#[derive(Default)]
pub struct Reached {
    forward: Vec<isize>,
    backward: Vec<isize>,
}

struct Diagonals<'a> {
    /// Only what a search has set is read.
    reached: &'a mut [isize],
    /// Index of diagonal 0.
    zero: isize,
}

impl Diagonals<'_> {
    fn at(&self, diagonal: isize) -> isize {
        self.reached[(self.zero + diagonal).cast_unsigned()]
    }

    fn set(&mut self, diagonal: isize, old: isize) {
        self.reached[(self.zero + diagonal).cast_unsigned()] = old;
    }
}

/// Diagonals a search is on; at each cost, every second one.
#[derive(Clone, Copy)]
struct Front {
    lowest: isize,
    highest: isize,
}

impl Front {
    fn holds(self, diagonal: isize) -> bool {
        (self.lowest..=self.highest).contains(&diagonal)
    }

    fn descending(self) -> impl Iterator<Item = isize> {
        (0..=(self.highest - self.lowest) / 2).map(move |step| self.highest - 2 * step)
    }

    /// Goes one diagonal further on each side, or comes back by one where the box ends. `outside` is what a search
    /// has reached on a diagonal it was never on.
    fn widen(&mut self, piece: &Piece, reached: &mut Diagonals, outside: isize) {
        if self.lowest > piece.old_from - piece.new_to {
            self.lowest -= 1;
            reached.set(self.lowest - 1, outside);
        } else {
            self.lowest += 1;
        }
        if self.highest < piece.old_to - piece.new_from {
            self.highest += 1;
            reached.set(self.highest + 1, outside);
        } else {
            self.highest -= 1;
        }
    }
}

impl<'a> Search<'a> {
    fn new(old: Lines<'a>, new: Lines<'a>, reached: &'a mut Reached) -> Self {
        let diagonals = old.len() + new.len() + 3;
        let zero = new.len().cast_signed() + 1;
        let room = |reached: &'a mut Vec<isize>| {
            if reached.len() < diagonals {
                reached.resize(diagonals, 0);
            }
            Diagonals { reached, zero }
        };
        let cost_limit = rough_square_root(diagonals).cast_signed().max(PATIENT_COST);
        Self {
            old,
            new,
            forward: room(&mut reached.forward),
            backward: room(&mut reached.backward),
            cost_limit,
        }
    }

    /// Calls `each` with every stretch of lines that are changed.
    fn run(mut self, mut each: impl FnMut(Range<usize>, Range<usize>)) {
        let (old_to, new_to) = (self.old.len().cast_signed(), self.new.len().cast_signed());
        let mut pieces = vec![Piece { old_from: 0, old_to, new_from: 0, new_to, exact: false }];
        while let Some(mut piece) = pieces.pop() {
            self.trim(&mut piece);
            if piece.old_from == piece.old_to || piece.new_from == piece.new_to {
                each(
                    piece.old_from.cast_unsigned()..piece.old_to.cast_unsigned(),
                    piece.new_from.cast_unsigned()..piece.new_to.cast_unsigned(),
                );
                continue;
            }
            let Split { old, new, exact_before, exact_after } = self.split(&piece);
            pieces.push(Piece { old_to: old, new_to: new, exact: exact_before, ..piece });
            pieces.push(Piece { old_from: old, new_from: new, exact: exact_after, ..piece });
        }
    }

    fn equal(&self, old: isize, new: isize) -> bool {
        self.old[old.cast_unsigned()] == self.new[new.cast_unsigned()]
    }

    fn trim(&self, piece: &mut Piece) {
        while piece.old_from < piece.old_to
            && piece.new_from < piece.new_to
            && self.equal(piece.old_from, piece.new_from)
        {
            piece.old_from += 1;
            piece.new_from += 1;
        }
        while piece.old_from < piece.old_to
            && piece.new_from < piece.new_to
            && self.equal(piece.old_to - 1, piece.new_to - 1)
        {
            piece.old_to -= 1;
            piece.new_to -= 1;
        }
    }

    fn split(&mut self, piece: &Piece) -> Split {
        let first = piece.old_from - piece.new_from;
        let last = piece.old_to - piece.new_to;
        // The searches can only meet on a diagonal that both are on, and those alternate with the cost.
        let odd = (first - last) % 2 != 0;
        let mut ahead = Front { lowest: first, highest: first };
        let mut behind = Front { lowest: last, highest: last };
        self.forward.set(first, piece.old_from);
        self.backward.set(last, piece.old_to);
        for cost in 1.. {
            let mut good_run = false;

            ahead.widen(piece, &mut self.forward, -1);
            let mut above = self.forward.at(ahead.highest + 1);
            for diagonal in ahead.descending() {
                let below = self.forward.at(diagonal - 1);
                let start = if below >= above { below + 1 } else { above };
                above = below;
                let old = self.pass_ahead(piece, start, start - diagonal);
                good_run |= old - start > GOOD_RUN;
                self.forward.set(diagonal, old);
                if odd && behind.holds(diagonal) && self.backward.at(diagonal) <= old {
                    return Split { old, new: old - diagonal, exact_before: true, exact_after: true };
                }
            }

            behind.widen(piece, &mut self.backward, isize::MAX);
            let mut above = self.backward.at(behind.highest + 1);
            for diagonal in behind.descending() {
                let below = self.backward.at(diagonal - 1);
                let start = if below < above { below } else { above - 1 };
                above = below;
                let old = self.pass_behind(piece, start, start - diagonal);
                good_run |= start - old > GOOD_RUN;
                self.backward.set(diagonal, old);
                if !odd && ahead.holds(diagonal) && old <= self.forward.at(diagonal) {
                    return Split { old, new: old - diagonal, exact_before: true, exact_after: true };
                }
            }

            if piece.exact {
                continue;
            }
            if good_run && cost > PATIENT_COST {
                if let Some((old, new)) = self.good_run_ahead(piece, ahead, cost) {
                    return Split { old, new, exact_before: true, exact_after: false };
                }
                if let Some((old, new)) = self.good_run_behind(piece, behind, cost) {
                    return Split { old, new, exact_before: false, exact_after: true };
                }
            }
            if cost >= self.cost_limit {
                return self.furthest(piece, ahead, behind);
            }
        }
        unreachable!("the searches meet at the cost of replacing everything, if not before")
    }

    /// Returns the old line behind the equal lines that follow `old` and `new`.
    fn pass_ahead(&self, piece: &Piece, old: isize, new: isize) -> isize {
        let reach = (piece.old_to - old).min(piece.new_to - new);
        if reach <= 0 {
            return old;
        }
        let from = |lines: Lines<'a>, at: isize| &lines[at.cast_unsigned()..(at + reach).cast_unsigned()];
        let equal = from(self.old, old).iter().zip(from(self.new, new)).take_while(|(a, b)| a == b).count();
        old + equal.cast_signed()
    }

    /// Returns the first of the equal old lines that stand before `old` and `new`.
    fn pass_behind(&self, piece: &Piece, old: isize, new: isize) -> isize {
        let reach = (old - piece.old_from).min(new - piece.new_from);
        if reach <= 0 {
            return old;
        }
        let to = |lines: Lines<'a>, at: isize| &lines[(at - reach).cast_unsigned()..at.cast_unsigned()];
        let equal = to(self.old, old).iter().rev().zip(to(self.new, new).iter().rev());
        old - equal.take_while(|(a, b)| a == b).count().cast_signed()
    }

    /// Returns the best point behind a good run that the forward search has come far enough to.
    fn good_run_ahead(&self, piece: &Piece, ahead: Front, cost: isize) -> Option<(isize, isize)> {
        let middle = piece.old_from - piece.new_from;
        let mut best = (0, None);
        for diagonal in ahead.descending() {
            let old = self.forward.at(diagonal);
            let new = old - diagonal;
            let gain = (old - piece.old_from) + (new - piece.new_from) - (diagonal - middle).abs();
            if gain > GAIN_PER_COST * cost
                && gain > best.0
                && (piece.old_from + GOOD_RUN..piece.old_to).contains(&old)
                && (piece.new_from + GOOD_RUN..piece.new_to).contains(&new)
                && (1..=GOOD_RUN).all(|back| self.equal(old - back, new - back))
            {
                best = (gain, Some((old, new)));
            }
        }
        best.1
    }

    /// Returns the best point before a good run that the backward search has come far enough to.
    fn good_run_behind(&self, piece: &Piece, behind: Front, cost: isize) -> Option<(isize, isize)> {
        let middle = piece.old_to - piece.new_to;
        let mut best = (0, None);
        for diagonal in behind.descending() {
            let old = self.backward.at(diagonal);
            let new = old - diagonal;
            let gain = (piece.old_to - old) + (piece.new_to - new) - (diagonal - middle).abs();
            if gain > GAIN_PER_COST * cost
                && gain > best.0
                && (piece.old_from + 1..=piece.old_to - GOOD_RUN).contains(&old)
                && (piece.new_from + 1..=piece.new_to - GOOD_RUN).contains(&new)
                && (0..GOOD_RUN).all(|on| self.equal(old + on, new + on))
            {
                best = (gain, Some((old, new)));
            }
        }
        best.1
    }

    /// Returns the point that either search has come furthest to.
    fn furthest(&self, piece: &Piece, ahead: Front, behind: Front) -> Split {
        let mut ahead_best = (-1, 0);
        for diagonal in ahead.descending() {
            let mut old = self.forward.at(diagonal).min(piece.old_to);
            if old - diagonal > piece.new_to {
                old = piece.new_to + diagonal;
            }
            let sum = 2 * old - diagonal;
            if sum > ahead_best.0 {
                ahead_best = (sum, old);
            }
        }
        let mut behind_best = (isize::MAX, 0);
        for diagonal in behind.descending() {
            let mut old = self.backward.at(diagonal).max(piece.old_from);
            if old - diagonal < piece.new_from {
                old = piece.new_from + diagonal;
            }
            let sum = 2 * old - diagonal;
            if sum < behind_best.0 {
                behind_best = (sum, old);
            }
        }
        let come_behind = piece.old_to + piece.new_to - behind_best.0;
        let come_ahead = ahead_best.0 - (piece.old_from + piece.new_from);
        if come_behind < come_ahead {
            let (sum, old) = ahead_best;
            Split { old, new: sum - old, exact_before: true, exact_after: false }
        } else {
            let (sum, old) = behind_best;
            Split { old, new: sum - old, exact_before: false, exact_after: true }
        }
    }
}

/// Does what [`count_changed`] does for whole files, without a thought of what could be left out: the judge of all
/// short ways.
#[cfg(test)]
pub(crate) fn count_changed_slowly(old: Lines, new: Lines, kinds: usize) -> (usize, usize) {
    let (in_old, in_new) = (occurrences(old, kinds), occurrences(new, kinds));
    let head = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let tails = old[head..].iter().rev().zip(new[head..].iter().rev());
    let tail = tails.take_while(|(a, b)| a == b).count();
    let (old_middle, new_middle) = (&old[head..old.len() - tail], &new[head..new.len() - tail]);
    let old_kept = at(old_middle, &worth_searching(old_middle, &in_new, frequent(old.len())));
    let new_kept = at(new_middle, &worth_searching(new_middle, &in_old, frequent(new.len())));
    let (deleted, added) = count(&old_kept, &new_kept);
    (old_middle.len() - old_kept.len() + deleted, new_middle.len() - new_kept.len() + added)
}

#[cfg(test)]
fn count(old: Lines, new: Lines) -> (usize, usize) {
    let (mut deleted, mut added) = (0, 0);
    Search::new(old, new, &mut Reached::default()).run(|old, new| {
        deleted += old.len();
        added += new.len();
    });
    (deleted, added)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn no_ends() -> Ends {
        Ends { lines: 0, occurrences: Vec::new() }
    }

    fn check(old: &[u32], new: &[u32], expect: (usize, usize)) {
        assert_eq!(count_changed(old, new, 10, no_ends, &mut Reached::default()), expect, "{old:?} {new:?}");
    }

    #[test]
    fn small_changes_are_at_their_best() {
        check(&[], &[], (0, 0));
        check(&[1], &[], (1, 0));
        check(&[1, 2, 3], &[1, 3], (1, 0));
        check(&[1, 2, 3, 4], &[4, 1, 2, 3], (1, 1));
        // Myers' own example: ABCABBA to CBABAC.
        check(&[1, 2, 3, 1, 2, 2, 1], &[3, 2, 1, 2, 1, 3], (3, 2));
    }

    #[test]
    fn square_roots_are_rough() {
        for (number, expect) in [(0, 1), (1, 2), (3, 2), (4, 4), (15, 4), (16, 8), (1 << 20, 2 << 10)] {
            assert_eq!(rough_square_root(number), expect, "{number}");
        }
    }

    /// The longest common subsequence by the textbook's table.
    fn longest_common(old: &[u32], new: &[u32]) -> usize {
        let mut row = vec![0; new.len() + 1];
        for a in old {
            let mut diagonal = 0;
            for (at, b) in new.iter().enumerate() {
                let above = row[at + 1];
                row[at + 1] = if a == b { diagonal + 1 } else { above.max(row[at]) };
                diagonal = above;
            }
        }
        row[new.len()]
    }

    proptest::proptest! {
        #[test]
        fn without_frequent_lines_the_count_is_that_of_the_longest_common_subsequence(
            old in proptest::collection::vec(0..9u32, 0..40), new in proptest::collection::vec(0..9u32, 0..40),
        ) {
            // Few lines, so that nothing is frequent before it occurs everywhere: what is dropped then was no match.
            let search = count(&old, &new);
            let common = longest_common(&old, &new);
            proptest::prop_assert_eq!(search, (old.len() - common, new.len() - common));
            let (deleted, added) = count_changed(&old, &new, 9, no_ends, &mut Reached::default());
            proptest::prop_assert_eq!(deleted + new.len(), added + old.len());
            proptest::prop_assert!(deleted >= old.len() - common);
        }
    }
}
