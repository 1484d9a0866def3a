//! Lines added and deleted between two contents, exactly as `git diff --numstat` counts them with its default
//! algorithm (myers), its cost limits included; and where they stand, exactly as `git diff -U0` and `git blame` say.

use std::hash::{BuildHasher as _, Hasher as _};
use std::ops::Range;

use gitfleet_shared::facts::Hunk;

use crate::common;
use crate::compact::{self, Group, Text};
use crate::greedy;
use crate::myers::{self, Ends};

/// Git looks for a NUL in this many first bytes to tell binary from text.
const BINARY_PROBE_BYTES: usize = 8_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineDiff {
    pub added: u32,
    pub deleted: u32,
}

/// Whether git takes content without attributes for binary.
pub fn looks_binary(content: &[u8]) -> bool {
    memchr::memchr(0, &content[..content.len().min(BINARY_PROBE_BYTES)]).is_some()
}

/// Returns the number of lines; a last line without a newline counts.
pub fn count(content: &[u8]) -> u32 {
    let newlines = memchr::memchr_iter(b'\n', content).count();
    let unfinished = content.last().is_some_and(|last| *last != b'\n');
    u32::try_from(newlines + usize::from(unfinished)).unwrap_or(u32::MAX)
}

/// Counts changed lines. One per thread: what it allocates for one pair of contents it uses for the next.
pub struct Differ {
    numbers: Numbers,
    old: Vec<u32>,
    new: Vec<u32>,
    reached: myers::Reached,
    changed: myers::Changed,
}

impl Default for Differ {
    fn default() -> Self {
        Self {
            numbers: Numbers::new(),
            old: Vec::new(),
            new: Vec::new(),
            reached: myers::Reached::default(),
            changed: myers::Changed::default(),
        }
    }
}

impl Differ {
    /// Returns the lines added and deleted from `old` to `new`.
    pub fn diff(&mut self, old: &[u8], new: &[u8]) -> LineDiff {
        let (head, tail) = common_ends(old, new);
        let (old_middle, new_middle) = (&old[head..old.len() - tail], &new[head..new.len() - tail]);
        // Most changes only add or only delete in one place; no search is needed for them.
        if old_middle.is_empty() || new_middle.is_empty() {
            return LineDiff { added: count(new_middle), deleted: count(old_middle) };
        }
        let middles = [old_middle, new_middle];
        let few = greedy::count_changed(old_middle, new_middle, affordable(old_middle, new_middle));
        let (deleted, added) = few.unwrap_or_else(|| {
            self.numbers.give(middles, [&mut self.old, &mut self.new]);
            let kinds = self.numbers.lines.len();
            let ends = || self.numbers.count([&old[..head], &old[old.len() - tail..]], middles);
            myers::count_changed(&self.old, &self.new, kinds, ends, &mut self.reached)
        });
        LineDiff { added: narrow(added), deleted: narrow(deleted) }
    }

    /// Returns the lines added and deleted from `old` to `new`, and where they stand.
    ///
    /// Positions are those of a diff without context, for which git leaves out most of a common end before it looks at
    /// anything. So lines that are frequent in the whole may not be so there, and sums over hunks and counts need not
    /// agree; their difference does.
    pub fn hunks(&mut self, old: &[u8], new: &[u8]) -> (LineDiff, Vec<Hunk>) {
        let left_out = left_out(old, new);
        let (whole_old, whole_new) = (old, new);
        let (old, new) = (&old[..old.len() - left_out], &new[..new.len() - left_out]);
        let (head, tail) = common_ends(old, new);
        let (old_middle, new_middle) = (&old[head..old.len() - tail], &new[head..new.len() - tail]);
        let gap = memchr::memchr_iter(b'\n', &old[..head]).count();
        let mut diff;
        let (old_groups, new_groups) = if old_middle.is_empty() || new_middle.is_empty() {
            diff = LineDiff { added: count(new_middle), deleted: count(old_middle) };
            let group = |lines: u32| (lines > 0).then_some(Group { gap, lines: lines as usize });
            (group(diff.deleted).into_iter().collect(), group(diff.added).into_iter().collect())
        } else if let Some([deleted, added]) = settled(old_middle, new_middle) {
            diff = LineDiff { added: narrow(added.len()), deleted: narrow(deleted.len()) };
            let groups =
                |lines: Vec<greedy::Line>| compact::numbered(lines.into_iter().map(|(line, _)| line), gap);
            (groups(deleted), groups(added))
        } else {
            let middles = [old_middle, new_middle];
            self.numbers.give(middles, [&mut self.old, &mut self.new]);
            let kinds = self.numbers.lines.len();
            let ends = || self.numbers.count([&old[..head], &old[old.len() - tail..]], middles);
            let (reached, changed) = (&mut self.reached, &mut self.changed);
            let is_limited = myers::find_changed(&self.old, &self.new, kinds, ends, reached, changed);
            let lines = |changed: &[bool]| narrow(changed.iter().filter(|changed| **changed).count());
            diff = LineDiff { added: lines(&self.changed.new), deleted: lines(&self.changed.old) };
            // Out of their reach, every search counts the same.
            if is_limited && left_out > 0 {
                diff = self.diff(whole_old, whole_new);
            }
            (compact::groups(&self.changed.old, gap), compact::groups(&self.changed.new, gap))
        };
        let mut old_text = Text::from(old, gap, head);
        let mut new_text = Text::from(new, gap, head);
        let old_groups = compact::compact(&mut old_text, &old_groups, &new_groups);
        let new_groups = compact::compact(&mut new_text, &new_groups, &old_groups);
        (diff, compact::hunks(&old_groups, &new_groups))
    }
}

/// Returns the changed lines where they are few and none of them stands anywhere on the other side. Then the others can
/// only be matched one by one, so that every search finds the same.
fn settled(old: &[u8], new: &[u8]) -> Option<[Vec<greedy::Line>; 2]> {
    let [deleted, added] = greedy::find_changed(old, new, affordable(old, new))?;
    let are_elsewhere = |lines: &[greedy::Line], own: &[u8], other: &[u8]| {
        let mut looks = Looks::for_lines(lines.len());
        lines.iter().for_each(|(_, range)| looks.add(&own[range.clone()]));
        each(other).any(|range| {
            let line = &other[range];
            looks.hold(line) && lines.iter().any(|(_, range)| own[range.clone()] == *line)
        })
    };
    let is_open = are_elsewhere(&deleted, old, new) || are_elsewhere(&added, new, old);
    (!is_open).then_some([deleted, added])
}

fn narrow(lines: usize) -> u32 {
    u32::try_from(lines).unwrap_or(u32::MAX)
}

/// Returns how many bytes of a common end git leaves out of a diff without context: all but those of the last whole
/// blocks of 1,024 bytes that stand before the end of the first line in there.
fn left_out(old: &[u8], new: &[u8]) -> usize {
    const BLOCK: usize = 1_024;
    let blocks = common::suffix(old, new) / BLOCK * BLOCK;
    let end = &old[old.len() - blocks..];
    memchr::memchr(b'\n', end).map_or(0, |newline| blocks - newline - 1)
}

/// Returns up to how many edits the greedy search is cheaper than giving all lines numbers: its cost grows with their
/// square, the other's with the length.
fn affordable(old: &[u8], new: &[u8]) -> usize {
    /// Bytes of content for which one more step of the search is affordable. Found by trying.
    const BYTES_PER_STEP: usize = 160;
    ((old.len() + new.len()) / BYTES_PER_STEP).isqrt().clamp(4, 100)
}

/// Gives lines numbers: equal lines have equal numbers.
struct Numbers {
    /// Open addressing: the number of a line and one, or 0; and part of its hash, so that few lines are compared in
    /// vain.
    slots: Vec<(u32, u32)>,
    /// The first line of each number: which of the two contents it stands in, and where.
    lines: Vec<(usize, Range<usize>)>,
    /// Seeded anew in every process, so that no file can be made to collide.
    seed: u64,
}

impl Numbers {
    fn new() -> Self {
        let seed = std::hash::RandomState::new().build_hasher().finish();
        Self { slots: Vec::new(), lines: Vec::new(), seed }
    }

    /// Replaces `numbers` by those of the lines of `contents`.
    fn give(&mut self, contents: [&[u8]; 2], numbers: [&mut Vec<u32>; 2]) {
        let most: usize = contents.iter().map(|content| count(content) as usize).sum();
        self.lines.clear();
        self.slots.clear();
        self.slots.resize((2 * most).next_power_of_two(), (0, 0));
        for (side, numbers) in numbers.into_iter().enumerate() {
            numbers.clear();
            for range in each(contents[side]) {
                let (slot, hash) = self.find(&contents[side][range.clone()], contents);
                if self.slots[slot].0 == 0 {
                    self.lines.push((side, range));
                    let number = u32::try_from(self.lines.len()).expect("no file has four billion lines");
                    self.slots[slot] = (number, hash);
                }
                numbers.push(self.slots[slot].0 - 1);
            }
        }
    }

    /// Counts how often each line that has a number occurs in `parts`. `contents` are those that gave the numbers.
    fn count(&self, parts: [&[u8]; 2], contents: [&[u8]; 2]) -> Ends {
        let mut ends = Ends { lines: 0, occurrences: vec![0; self.lines.len()] };
        let mut looks = Looks::for_lines(self.lines.len());
        for (side, range) in &self.lines {
            looks.add(&contents[*side][range.clone()]);
        }
        for part in parts {
            for range in each(part) {
                ends.lines += 1;
                if !looks.hold(&part[range.clone()]) {
                    continue;
                }
                let (slot, _) = self.find(&part[range], contents);
                if let Some(number) = self.slots[slot].0.checked_sub(1) {
                    ends.occurrences[number as usize] += 1;
                }
            }
        }
        ends
    }

    /// Returns the slot that `line` has or would have, and its hash.
    fn find(&self, line: &[u8], contents: [&[u8]; 2]) -> (usize, u32) {
        let hash = self.hash(line);
        let mask = self.slots.len() - 1;
        let (mut slot, hash) = (hash as usize & mask, (hash >> 32) as u32);
        loop {
            let (number, known) = self.slots[slot];
            if number == 0 {
                return (slot, hash);
            }
            if known == hash {
                let (side, range) = &self.lines[number as usize - 1];
                if contents[*side][range.clone()] == *line {
                    return (slot, hash);
                }
            }
            slot = (slot + 1) & mask;
        }
    }

    /// Multiplies words of 64 bits to 128 and folds the halves, as wyhash and its kin do.
    fn hash(&self, line: &[u8]) -> u64 {
        let fold = |a: u64, b: u64| {
            let product = u128::from(a) * u128::from(b);
            product as u64 ^ (product >> 64) as u64
        };
        let word = |at: usize| u64::from_le_bytes(line[at..at + 8].try_into().expect("eight bytes"));
        const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut hash = self.seed ^ line.len() as u64;
        match line.len() {
            0..8 => {
                let mut bytes = [0; 8];
                bytes[..line.len()].copy_from_slice(line);
                fold(hash ^ u64::from_le_bytes(bytes), SPREAD)
            }
            8..=16 => fold(hash ^ word(0), SPREAD ^ self.seed ^ word(line.len() - 8)),
            len => {
                for at in (0..len - 16).step_by(16) {
                    hash = fold(hash ^ word(at), SPREAD ^ self.seed ^ word(at + 8));
                }
                fold(hash ^ word(len - 16), SPREAD ^ self.seed ^ word(len - 8))
            }
        }
    }
}

/// Length and last bytes of lines, a bit for each: what most lines that are not among them are told by.
struct Looks {
    bits: Vec<u64>,
}

impl Looks {
    fn for_lines(lines: usize) -> Self {
        Self { bits: vec![0; (lines / 8).next_power_of_two().max(8)] }
    }

    fn add(&mut self, line: &[u8]) {
        let (word, bit) = self.place(line);
        self.bits[word] |= bit;
    }

    fn hold(&self, line: &[u8]) -> bool {
        let (word, bit) = self.place(line);
        self.bits[word] & bit != 0
    }

    fn place(&self, line: &[u8]) -> (usize, u64) {
        let end = match line.last_chunk::<8>() {
            Some(end) => u64::from_le_bytes(*end),
            None => line.iter().fold(0, |end, byte| end << 8 | u64::from(*byte)),
        };
        let spread = (end ^ line.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        ((spread >> 32) as usize & (self.bits.len() - 1), 1 << (spread >> 58))
    }
}

/// Returns where the lines of `content` stand, each with its newline, which the last may lack.
fn each(content: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let unfinished = content.last().is_some_and(|last| *last != b'\n');
    let ends = memchr::memchr_iter(b'\n', content).map(|newline| newline + 1);
    let mut from = 0;
    ends.chain(unfinished.then_some(content.len())).map(move |to| std::mem::replace(&mut from, to)..to)
}

/// Returns what is left of both without the lines that both begin or end with.
pub fn without_common_ends<'a>(old: &'a [u8], new: &'a [u8]) -> (&'a [u8], &'a [u8]) {
    let (head, tail) = common_ends(old, new);
    (&old[head..old.len() - tail], &new[head..new.len() - tail])
}

/// Returns how many bytes the lines take up that both contents begin with, and those that they end with behind these.
fn common_ends(old: &[u8], new: &[u8]) -> (usize, usize) {
    let common = common::prefix(old, new);
    // A line counts as common only with its newline, or where it ends both.
    let head = if common == old.len() && common == new.len() {
        common
    } else {
        memchr::memrchr(b'\n', &old[..common]).map_or(0, |newline| newline + 1)
    };
    let (old, new) = (&old[head..], &new[head..]);
    let common = common::suffix(old, new);
    // The tail must begin where a line begins in both.
    let begins_line = |content: &[u8], at: usize| at == 0 || content[at - 1] == b'\n';
    let mut tail = common;
    while tail > 0 && !(begins_line(old, old.len() - tail) && begins_line(new, new.len() - tail)) {
        let from = old.len() - tail;
        tail = memchr::memchr(b'\n', &old[from..]).map_or(0, |newline| tail - newline - 1);
    }
    (head, tail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(old: &str, new: &str, added: u32, deleted: u32) {
        assert_eq!(
            Differ::default().diff(old.as_bytes(), new.as_bytes()),
            LineDiff { added, deleted },
            "{old:?} {new:?}"
        );
    }

    #[test]
    fn small_changes_count_as_git_counts_them() {
        check("", "", 0, 0);
        check("", "a\nb\n", 2, 0);
        check("a\nb\n", "", 0, 2);
        check("a\nb\nc\n", "a\nx\nc\n", 1, 1);
        check("a\nb\n", "a\nb", 1, 1);
        check("a\nb", "a\nb\nc", 2, 1);
        check("a\n", "a\na\n", 1, 0);
        check("xa\nb\n", "a\nb\n", 1, 1);
        check("a\r\nb\r\n", "a\nb\n", 2, 2);
        check("a\nb\nc\nd\n", "d\na\nb\nc\n", 1, 1);
    }

    #[test]
    fn whole_common_lines_are_cut() {
        let check = |old: &str, new: &str, expect: (&str, &str)| {
            let (a, b) = without_common_ends(old.as_bytes(), new.as_bytes());
            assert_eq!((a, b), (expect.0.as_bytes(), expect.1.as_bytes()), "{old:?} {new:?}");
        };
        check("", "", ("", ""));
        check("a\nb\n", "a\nb\n", ("", ""));
        check("a\nb", "a\nb\n", ("b", "b\n"));
        check("a\nb\nc\n", "a\nx\nc\n", ("b\n", "x\n"));
        check("a\nc\n", "a\nb\nc\n", ("", "b\n"));
        check("xa\nb\n", "a\nb\n", ("xa\n", "a\n"));
        check("a\nb\n", "xa\nb\n", ("a\n", "xa\n"));
        check("a\n", "a\na\n", ("", "a\n"));
        check("b", "ab", ("b", "ab"));
        let same = "a line like any other\n".repeat(100);
        check(&format!("{same}x\n{same}"), &format!("{same}yy\n{same}"), ("x\n", "yy\n"));
    }

    #[test]
    fn lines_are_counted_with_the_unfinished_one() {
        for (content, lines) in [("", 0), ("a", 1), ("a\n", 1), ("a\nb", 2), ("\n\n", 2)] {
            assert_eq!(count(content.as_bytes()), lines, "{content:?}");
        }
    }

    #[test]
    fn no_file_makes_hashes_collide() {
        let numbers = Numbers::new();
        // What would multiply by nothing, if it were not for the seed.
        let zero = 0x9e37_79b9_7f4a_7c15u64.to_le_bytes();
        let line = |n: u64| [&n.to_le_bytes(), zero.as_slice(), &zero, &zero, b"\n"].concat();
        let hashes: std::collections::HashSet<u64> = (0..1_000).map(|n| numbers.hash(&line(n))).collect();
        assert_eq!(hashes.len(), 1_000);
    }

    /// A line that makes many steps of the greedy search affordable.
    const LONG: u32 = 9;

    /// Renders numbers as lines; the least are those that any program is full of.
    fn text(lines: &[u32]) -> Vec<u8> {
        let mut text = Vec::new();
        for line in lines {
            match line {
                0 => text.push(b'\n'),
                1 => text.extend_from_slice(b"    }\n"),
                &LONG => text.extend_from_slice(&[&[b'x'; 160 << 10], b"\n".as_slice()].concat()),
                line => text.extend_from_slice(format!("        word {line};\n").as_bytes()),
            }
        }
        text
    }

    /// Replaces a stretch of lines by others: `at` is in thousandths.
    #[derive(Debug, Clone)]
    struct Hunk {
        at: usize,
        removed: usize,
        added: Vec<u32>,
    }

    /// Lines of which some kinds are frequent, and others so rare that most are found nowhere else.
    fn some_lines(count: std::ops::Range<usize>) -> impl proptest::strategy::Strategy<Value = Vec<u32>> {
        use proptest::strategy::Strategy as _;
        let line = |rare: u32| proptest::prop_oneof![2 => 0u32..3, 1 => 3u32..40, 3 => 40u32..rare];
        proptest::prop_oneof![
            proptest::collection::vec(line(60), count.clone()),
            proptest::collection::vec(line(1_000_000), count.clone()),
            proptest::collection::vec(proptest::prop_oneof![1 => 0u32..2, 6 => 40u32..1_000_000], count),
        ]
        .boxed()
    }

    fn hunks() -> impl proptest::strategy::Strategy<Value = Vec<Hunk>> {
        use proptest::strategy::Strategy as _;
        let hunk = |size: usize| {
            (0usize..1_000, 0..size, some_lines(0..size)).prop_map(|(at, removed, added)| Hunk {
                at,
                removed,
                added,
            })
        };
        proptest::prop_oneof![
            proptest::collection::vec(hunk(4), 1..30),
            proptest::collection::vec(hunk(25), 1..12),
            proptest::collection::vec(hunk(150), 1..4),
        ]
    }

    fn edited(old: &[u32], hunks: &[Hunk]) -> Vec<u32> {
        let mut new = old.to_vec();
        for Hunk { at, removed, added } in hunks {
            let from = new.len() * at / 1_000;
            let to = (from + removed).min(new.len());
            new.splice(from..to, added.iter().copied());
        }
        new
    }

    fn check_against_the_slow_way(old: &[u32], new: &[u32], differ: &mut Differ) {
        let mut numbers = std::collections::HashMap::new();
        let mut numbered = |lines: &[u32]| -> Vec<u32> {
            let number = |line: &u32| {
                let next = numbers.len() as u32;
                *numbers.entry(*line).or_insert(next)
            };
            lines.iter().map(number).collect()
        };
        let (slow_old, slow_new) = (numbered(old), numbered(new));
        let (deleted, added) = myers::count_changed_slowly(&slow_old, &slow_new, numbers.len());
        let expect = LineDiff { added: added as u32, deleted: deleted as u32 };
        assert_eq!(differ.diff(&text(old), &text(new)), expect);
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config { cases: 600, ..Default::default() })]

        #[test]
        fn short_ways_count_as_the_slow_one(
            old in some_lines(0..700), hunks in hunks(), more in hunks(),
        ) {
            let mut differ = Differ::default();
            let new = edited(&old, &hunks);
            check_against_the_slow_way(&old, &new, &mut differ);
            check_against_the_slow_way(&new, &old, &mut differ);
            // In the midst of longer files, whose ends make lines frequent.
            let newer = edited(&new, &more);
            let within = |middle: &[u32]| [old.as_slice(), middle, old.as_slice()].concat();
            check_against_the_slow_way(&within(&new), &within(&newer), &mut differ);
        }

        #[test]
        fn short_ways_count_as_the_slow_one_around_frequent_lines(
            // Stretches of lines found nowhere else, and frequent ones between: what git drops, and nearly drops.
            stretches in proptest::prop_oneof![
                proptest::collection::vec((0usize..6, 0usize..3, 0usize..6), 2..5),
                proptest::collection::vec((0usize..25, 0usize..4, 0usize..25), 1..10),
            ],
            ends in 0usize..80,
            is_long in proptest::bool::ANY,
        ) {
            let (mut old, mut new, mut fresh) = (Vec::new(), Vec::new(), 100);
            let mut unique = |lines: &mut Vec<u32>, count: usize| {
                lines.extend(fresh..fresh + count as u32);
                fresh += count as u32;
            };
            for (removed, frequent, added) in stretches {
                unique(&mut old, removed);
                unique(&mut new, added);
                old.extend(vec![1; frequent]);
                new.extend(vec![1; frequent]);
            }
            for lines in [&mut old, &mut new] {
                if is_long {
                    lines.push(LONG);
                }
                unique(lines, 1);
            }
            // Common lines that make the others frequent, or not quite.
            let within = |middle: &[u32]| [vec![1; ends].as_slice(), &[7], middle, &[8], vec![0; ends].as_slice()].concat();
            check_against_the_slow_way(&within(&old), &within(&new), &mut Differ::default());
        }
    }

    proptest::proptest! {
        #[test]
        fn net_is_the_difference_of_the_line_counts(
            old in "(a\n|b\n|c\n|d){0,40}", new in "(a\n|b\n|c\n|d){0,40}",
        ) {
            let (old, new) = (old.as_bytes(), new.as_bytes());
            let mut differ = Differ::default();
            let LineDiff { added, deleted } = differ.diff(old, new);
            proptest::prop_assert_eq!(
                i64::from(added) - i64::from(deleted),
                i64::from(count(new)) - i64::from(count(old))
            );
            let back = differ.diff(new, old);
            if old == new {
                proptest::prop_assert_eq!((added, deleted), (0, 0));
            }
            proptest::prop_assert_eq!(i64::from(back.added) - i64::from(back.deleted),
                i64::from(deleted) - i64::from(added));
        }
    }
}
