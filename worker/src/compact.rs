//! Where changed lines stand, of all places where they could as well.
//!
//! A group of changed lines whose first line equals the one behind it (or whose last one equals the one before it) can
//! be taken for another group, a line further on (or before), and the diff is as true as it was. git settles this after
//! its search, one side after the other, in documented steps:
//!
//! * A group goes up as far as it can and then down as far as it can; groups that it meets on its way become part of it.
//! * If it was beside a group of the other side on its way down, it goes back to the last such place: then the diff shows
//!   a replacement.
//! * Otherwise it goes where blank lines and indentation split the text best: the indent heuristic, a score over the two
//!   places where the group begins and ends, whose weights were found by fitting human choices (git's `diff-slider-tools`).
//!
//! Groups are told by the number of unchanged lines before them, which is the same on both sides: so what is beside what
//! needs no search.

use std::cmp::Ordering;
use std::collections::VecDeque;
use std::iter::Peekable;
use std::slice::Iter;

use gitfleet_shared::facts::Hunk;

/// Changed lines of one side that stand together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group {
    /// Unchanged lines before it.
    pub gap: usize,
    pub lines: usize,
}

/// Returns the groups of changed lines, where `before` unchanged lines stand before the first of them.
pub fn groups(changed: &[bool], before: usize) -> Vec<Group> {
    let (mut groups, mut gap): (Vec<Group>, usize) = (Vec::new(), before);
    for changed in changed {
        match (changed, groups.last_mut()) {
            (false, _) => gap += 1,
            (true, Some(last)) if last.gap == gap => last.lines += 1,
            (true, _) => groups.push(Group { gap, lines: 1 }),
        }
    }
    groups
}

/// Returns the groups of the changed lines of those numbers, where `before` unchanged lines stand before line 0.
pub fn numbered(lines: impl Iterator<Item = usize>, before: usize) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (earlier, line) in lines.enumerate() {
        let gap = before + line - earlier;
        match groups.last_mut() {
            Some(last) if last.gap == gap => last.lines += 1,
            _ => groups.push(Group { gap, lines: 1 }),
        }
    }
    groups
}

/// Returns the groups of both sides as hunks.
pub fn hunks(old: &[Group], new: &[Group]) -> Vec<Hunk> {
    let number = |lines: usize| u32::try_from(lines).unwrap_or(u32::MAX);
    let (mut olds, mut news) = (old.iter().peekable(), new.iter().peekable());
    let (mut deleted, mut added) = (0, 0);
    let mut hunks = Vec::with_capacity(old.len().max(new.len()));
    while let Some(gap) = [olds.peek(), news.peek()].into_iter().flatten().map(|group| group.gap).min() {
        let lines_of =
            |side: &mut Peekable<Iter<Group>>| side.next_if(|group| group.gap == gap).map_or(0, |g| g.lines);
        let (old_lines, new_lines) = (lines_of(&mut olds), lines_of(&mut news));
        hunks.push(Hunk {
            old_start: number(gap + deleted),
            old_lines: number(old_lines),
            new_start: number(gap + added),
            new_lines: number(new_lines),
        });
        deleted += old_lines;
        added += new_lines;
    }
    hunks
}

/// A content of which only those lines are looked for that are asked for.
pub struct Text<'a> {
    content: &'a [u8],
    /// The number of the first known line.
    first: usize,
    /// Where the known lines begin, and where the last of them ends.
    bounds: VecDeque<usize>,
}

impl<'a> Text<'a> {
    /// `line` begins at the byte `offset`.
    pub fn from(content: &'a [u8], line: usize, offset: usize) -> Self {
        Self { content, first: line, bounds: VecDeque::from([offset]) }
    }

    /// Returns the line of that number with its end; `None` behind the last.
    fn line(&mut self, number: usize) -> Option<&'a [u8]> {
        while number < self.first {
            let end = *self.bounds.front()?;
            let newline = memchr::memrchr(b'\n', &self.content[..end.checked_sub(1)?]);
            self.bounds.push_front(newline.map_or(0, |newline| newline + 1));
            self.first -= 1;
        }
        while number + 1 >= self.first + self.bounds.len() {
            let start = *self.bounds.back()?;
            let rest = self.content.get(start..).filter(|rest| !rest.is_empty())?;
            let newline = memchr::memchr(b'\n', rest);
            self.bounds.push_back(newline.map_or(self.content.len(), |newline| start + newline + 1));
        }
        let known = number - self.first;
        Some(&self.content[self.bounds[known]..self.bounds[known + 1]])
    }

    fn are_equal(&mut self, one: usize, other: usize) -> bool {
        match (self.line(one), self.line(other)) {
            (Some(one), Some(other)) => one == other,
            _ => false,
        }
    }
}

/// Returns `groups` where git puts them. `others` are those of the other side.
pub fn compact(text: &mut Text, groups: &[Group], others: &[Group]) -> Vec<Group> {
    let mut settled = Vec::with_capacity(groups.len());
    let mut before = 0;
    let mut rest = groups.iter().peekable();
    while let Some(group) = rest.next() {
        let mut sliding =
            Sliding { text, group: *group, before, settled: &mut settled, rest: &mut rest, others };
        sliding.settle();
        let group = sliding.group;
        before = sliding.before + group.lines;
        settled.push(group);
    }
    settled
}

/// A group on its way.
struct Sliding<'s, 't, 'g> {
    text: &'s mut Text<'t>,
    group: Group,
    /// Changed lines of the groups before.
    before: usize,
    settled: &'s mut Vec<Group>,
    rest: &'s mut Peekable<Iter<'g, Group>>,
    others: &'g [Group],
}

impl Sliding<'_, '_, '_> {
    fn start(&self) -> usize {
        self.before + self.group.gap
    }

    fn end(&self) -> usize {
        self.start() + self.group.lines
    }

    fn settle(&mut self) {
        let (earliest_end, was_beside) = loop {
            let lines = self.group.lines;
            while self.go_up() {}
            let earliest_end = self.end();
            let mut was_beside = self.is_beside();
            while self.go_down() {
                was_beside |= self.is_beside();
            }
            // What it met may let it go further.
            if lines == self.group.lines {
                break (earliest_end, was_beside);
            }
        };
        if self.end() == earliest_end {
            return;
        }
        if was_beside {
            while !self.is_beside() && self.go_up() {}
        } else {
            let best = self.best_end(earliest_end);
            while self.end() > best && self.go_up() {}
        }
    }

    /// Whether the other side has changed lines in the same place.
    fn is_beside(&self) -> bool {
        self.others.binary_search_by_key(&self.group.gap, |other| other.gap).is_ok()
    }

    fn go_up(&mut self) -> bool {
        let (start, end) = (self.start(), self.end());
        if self.group.gap == 0 || !self.text.are_equal(start - 1, end - 1) {
            return false;
        }
        self.group.gap -= 1;
        if let Some(met) = self.settled.pop_if(|other| other.gap == self.group.gap) {
            self.group.lines += met.lines;
            self.before -= met.lines;
        }
        true
    }

    fn go_down(&mut self) -> bool {
        let (start, end) = (self.start(), self.end());
        if !self.text.are_equal(start, end) {
            return false;
        }
        self.group.gap += 1;
        if let Some(met) = self.rest.next_if(|other| other.gap == self.group.gap) {
            self.group.lines += met.lines;
        }
        true
    }

    /// Returns where the group should end, from `earliest` to where it ends now.
    fn best_end(&mut self, earliest: usize) -> usize {
        /// As many places are looked at.
        const FURTHEST: usize = 100;
        let (end, lines) = (self.end(), self.group.lines);
        let first = earliest.max(end.saturating_sub(lines + 1)).max(end.saturating_sub(FURTHEST));
        let mut best = (Score::default(), end);
        for place in first..=end {
            let mut score = Score::default();
            score.add(&Split::of(self.text, place));
            score.add(&Split::of(self.text, place - lines));
            // Of equals, the last one.
            if place == first || score.order(&best.0) != Ordering::Greater {
                best = (score, place);
            }
        }
        best.1
    }
}

/// Columns of white space before the text of a line, up to [`WIDEST`]; `None` for a blank line.
type Indent = Option<u32>;

/// Wider indentation counts as this.
const WIDEST: u32 = 200;
const TAB: u32 = 8;

fn indent(line: &[u8]) -> Indent {
    let mut columns = 0;
    for byte in line {
        match byte {
            b' ' => columns += 1,
            b'\t' => columns += TAB - columns % TAB,
            // Other white space takes no room.
            b'\n' | b'\r' => {}
            _ => return Some(columns),
        }
        if columns >= WIDEST {
            return Some(WIDEST);
        }
    }
    None
}

/// What the text looks like around a place between two lines.
struct Split {
    is_end: bool,
    /// Of the line behind the place.
    indent: Indent,
    blanks_before: i64,
    /// Of the next line before that is not blank.
    indent_before: Indent,
    blanks_after: i64,
    /// Of the next line that is not blank, after the one behind the place.
    indent_after: Indent,
}

/// More blank lines than this are not looked over; the line behind them counts as one without indentation.
const MOST_BLANKS: i64 = 20;

impl Split {
    fn of(text: &mut Text, place: usize) -> Self {
        let behind = text.line(place);
        let (blanks_before, indent_before) = nearest((0..place).rev().map_while(|at| text.line(at)));
        let (blanks_after, indent_after) = nearest((place + 1..).map_while(|at| text.line(at)));
        Self {
            is_end: behind.is_none(),
            indent: behind.and_then(indent),
            blanks_before,
            indent_before,
            blanks_after,
            indent_after,
        }
    }
}

/// Returns how many blank lines come first, and the indentation of the line behind them.
fn nearest<'a>(lines: impl Iterator<Item = &'a [u8]>) -> (i64, Indent) {
    let mut blanks = 0;
    for line in lines {
        if let Some(columns) = indent(line) {
            return (blanks, Some(columns));
        }
        blanks += 1;
        if blanks == MOST_BLANKS {
            return (blanks, Some(0));
        }
    }
    (blanks, None)
}

/// How bad it is to begin and end a group in two places. The weights are git's.
#[derive(Default)]
struct Score {
    /// Columns; a place without text behind it counts as -1.
    indent: i64,
    penalty: i64,
}

impl Score {
    const AT_START: i64 = 1;
    const AT_END: i64 = 21;
    const PER_BLANK: i64 = -30;
    const PER_BLANK_AFTER: i64 = 6;
    /// By how the line behind the place is indented compared with the one before; the second where there are blank
    /// lines between.
    const DEEPER: (i64, i64) = (-4, 10);
    /// Less deep, and the next one is deeper again: as an `else` is.
    const BACK_AND_FORTH: (i64, i64) = (24, 17);
    const BACK: (i64, i64) = (23, 17);
    /// What a difference in indentation is worth, of whatever size.
    const INDENT: i64 = 60;

    fn add(&mut self, split: &Split) {
        if split.indent_before.is_none() && split.blanks_before == 0 {
            self.penalty += Self::AT_START;
        }
        if split.is_end {
            self.penalty += Self::AT_END;
        }
        let blanks_after = if split.indent.is_none() { 1 + split.blanks_after } else { 0 };
        let blanks = split.blanks_before + blanks_after;
        self.penalty += Self::PER_BLANK * blanks + Self::PER_BLANK_AFTER * blanks_after;
        let behind = split.indent.or(split.indent_after);
        self.indent += behind.map_or(-1, i64::from);
        let (Some(behind), Some(before)) = (behind, split.indent_before) else { return };
        let (tight, loose) = match behind.cmp(&before) {
            Ordering::Equal => return,
            Ordering::Greater => Self::DEEPER,
            Ordering::Less if split.indent_after.is_some_and(|after| after > behind) => Self::BACK_AND_FORTH,
            Ordering::Less => Self::BACK,
        };
        self.penalty += if blanks == 0 { tight } else { loose };
    }

    /// Orders the better one first.
    fn order(&self, other: &Self) -> Ordering {
        let indent = match self.indent.cmp(&other.indent) {
            Ordering::Less => -Self::INDENT,
            Ordering::Equal => 0,
            Ordering::Greater => Self::INDENT,
        };
        (indent + self.penalty - other.penalty).cmp(&0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lines::Differ;

    /// Hunks as git writes them at the head of each.
    fn check(old: &str, new: &str, expect: &[&str]) {
        let (_, hunks) = Differ::default().hunks(old.as_bytes(), new.as_bytes());
        let side = |start: u32, lines: u32| match lines {
            0 => format!("{start},0"),
            1 => format!("{}", start + 1),
            lines => format!("{},{lines}", start + 1),
        };
        let shown: Vec<String> = hunks
            .iter()
            .map(|hunk| {
                format!("-{} +{}", side(hunk.old_start, hunk.old_lines), side(hunk.new_start, hunk.new_lines))
            })
            .collect();
        assert_eq!(shown, expect, "{old:?} {new:?}");
    }

    #[test]
    fn what_can_only_stand_in_one_place_stands_there() {
        check("", "", &[]);
        check("a\n", "a\n", &[]);
        check("", "a\nb\n", &["-0,0 +1,2"]);
        check("a\nb\n", "", &["-1,2 +0,0"]);
        check("a\nb\nc\n", "a\nx\nc\n", &["-2 +2"]);
        check("a\nb\nc\nd\n", "b\nc\nx\nd\n", &["-1 +0,0", "-3,0 +3"]);
        check("a\nb", "a\nb\n", &["-2 +2"]);
    }

    #[test]
    fn a_group_goes_down_where_nothing_tells_the_places_apart() {
        check("a\n", "a\na\n", &["-1,0 +2"]);
        check("a\na\na\n", "a\na\n", &["-3 +2,0"]);
        check("x\na\nb\na\nb\ny\n", "x\na\nb\ny\n", &["-4,2 +3,0"]);
    }

    #[test]
    fn a_group_goes_beside_one_of_the_other_side() {
        // The first or the second of two equal lines: the first one is replaced.
        check("b\nb\nz\n", "2\nb\nz\n", &["-1 +1"]);
        check("k\n1\n2\nk\nz\n", "k\n3\nk\nz\n", &["-2,2 +2"]);
    }

    #[test]
    fn blank_lines_and_indentation_say_where_a_group_stands() {
        let old = "fn a() {\n    one();\n}\n\nfn c() {\n    three();\n}\n";
        let new = "fn a() {\n    one();\n}\n\nfn b() {\n    two();\n}\n\nfn c() {\n    three();\n}\n";
        check(old, new, &["-4,0 +5,4"]);
        let old = "if x {\n    a();\n}\n";
        let new = "if x {\n    a();\n}\nif x {\n    b();\n}\n";
        check(old, new, &["-3,0 +4,3"]);
    }

    #[test]
    fn a_common_end_of_some_blocks_is_not_looked_at() {
        // All lines are alike, so that the one added could stand anywhere; the end of the last kilobyte counts as the
        // end of the file.
        let old = "a\n".repeat(1_000);
        let new = "a\n".repeat(1_001);
        check(&old, &new, &["-489,0 +490"]);
    }

    #[test]
    fn indentation_is_counted_in_columns() {
        for (line, columns) in [
            ("", None),
            (" \t\r\n", None),
            ("x", Some(0)),
            ("  x", Some(2)),
            (" \tx", Some(8)),
            ("\r x", Some(1)),
        ] {
            assert_eq!(indent(line.as_bytes()), columns, "{line:?}");
        }
        assert_eq!(indent(" ".repeat(500).as_bytes()), Some(WIDEST));
    }

    proptest::proptest! {
        #[test]
        fn hunks_lead_from_one_side_to_the_other(
            old in proptest::collection::vec(0u8..4, 0..60), new in proptest::collection::vec(0u8..4, 0..60),
        ) {
            let text = |lines: &[u8]| -> Vec<u8> {
                lines.iter().flat_map(|line| [&b"\n"[..], b"  }\n", b"a\n", b"\tb\n"][*line as usize].to_vec()).collect()
            };
            let mut differ = Differ::default();
            let (diff, hunks) = differ.hunks(&text(&old), &text(&new));
            proptest::prop_assert_eq!(diff, differ.diff(&text(&old), &text(&new)));
            let (mut at, mut made) = (0, Vec::new());
            for hunk in &hunks {
                made.extend_from_slice(&old[at..hunk.old_start as usize]);
                proptest::prop_assert_eq!(made.len(), hunk.new_start as usize);
                made.extend_from_slice(&new[made.len()..][..hunk.new_lines as usize]);
                at = (hunk.old_start + hunk.old_lines) as usize;
            }
            made.extend_from_slice(&old[at..]);
            proptest::prop_assert_eq!(made, new);
        }
    }
}
