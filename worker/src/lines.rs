//! Lines added and deleted between two contents, exactly as `git diff --numstat` counts them with its default
//! algorithm (myers), its cost limits included.

use gix_imara_diff::{InternedInput, Token, sources::byte_lines};

use crate::myers;

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

/// Returns the lines added and deleted from `old` to `new`.
pub fn diff(old: &[u8], new: &[u8]) -> LineDiff {
    let (old_middle, new_middle) = without_common_ends(old, new);
    // Most changes only add or only delete in one place; no search is needed for them.
    if old_middle.is_empty() || new_middle.is_empty() {
        return LineDiff { added: count(new_middle), deleted: count(old_middle) };
    }
    // The search itself sees the whole contents: git's cost limits depend on how often a line occurs in all of them.
    let input = InternedInput::new(byte_lines(old), byte_lines(new));
    let numbers = |tokens: &[Token]| -> Vec<u32> { tokens.iter().map(|token| token.0).collect() };
    let kinds = input.interner.num_tokens() as usize;
    let (deleted, added) = myers::count_changed(&numbers(&input.before), &numbers(&input.after), kinds);
    let narrow = |lines: usize| u32::try_from(lines).unwrap_or(u32::MAX);
    LineDiff { added: narrow(added), deleted: narrow(deleted) }
}

/// Returns what is left of both when the lines they begin and end with in common are cut off.
fn without_common_ends<'a>(old: &'a [u8], new: &'a [u8]) -> (&'a [u8], &'a [u8]) {
    let common = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    // A line counts as common only with its newline, or where it ends both.
    let head = if common == old.len() && common == new.len() {
        common
    } else {
        memchr::memrchr(b'\n', &old[..common]).map_or(0, |newline| newline + 1)
    };
    let (old, new) = (&old[head..], &new[head..]);
    let common = old.iter().rev().zip(new.iter().rev()).take_while(|(a, b)| a == b).count();
    // The tail must begin where a line begins in both.
    let begins_line = |content: &[u8], at: usize| at == 0 || content[at - 1] == b'\n';
    let mut tail = common;
    while tail > 0 && !(begins_line(old, old.len() - tail) && begins_line(new, new.len() - tail)) {
        let from = old.len() - tail;
        tail = memchr::memchr(b'\n', &old[from..]).map_or(0, |newline| tail - newline - 1);
    }
    (&old[..old.len() - tail], &new[..new.len() - tail])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(old: &str, new: &str, added: u32, deleted: u32) {
        assert_eq!(diff(old.as_bytes(), new.as_bytes()), LineDiff { added, deleted }, "{old:?} {new:?}");
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
    fn lines_are_counted_with_the_unfinished_one() {
        for (content, lines) in [("", 0), ("a", 1), ("a\n", 1), ("a\nb", 2), ("\n\n", 2)] {
            assert_eq!(count(content.as_bytes()), lines, "{content:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn net_is_the_difference_of_the_line_counts(
            old in "(a\n|b\n|c\n|d){0,40}", new in "(a\n|b\n|c\n|d){0,40}",
        ) {
            let (old, new) = (old.as_bytes(), new.as_bytes());
            let LineDiff { added, deleted } = diff(old, new);
            proptest::prop_assert_eq!(
                i64::from(added) - i64::from(deleted),
                i64::from(count(new)) - i64::from(count(old))
            );
            let back = diff(new, old);
            if old == new {
                proptest::prop_assert_eq!((added, deleted), (0, 0));
            }
            proptest::prop_assert_eq!(i64::from(back.added) - i64::from(back.deleted),
                i64::from(deleted) - i64::from(added));
        }
    }
}
