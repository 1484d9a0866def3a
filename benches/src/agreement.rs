//! Whether two answers hold the same lines, whatever their order.

use std::collections::HashMap;

/// What an answer says, without the lines themselves.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) commits: usize,
    pub(crate) changes: usize,
    pub(crate) added: u64,
    pub(crate) deleted: u64,
}

impl Totals {
    /// Adds a line of `--numstat`: added, deleted and path between tabs, `-` for both of a binary file.
    fn add(&mut self, numstat: &[u8]) {
        let mut fields = numstat.split(|byte| *byte == b'\t').map(|field| {
            let text = std::str::from_utf8(field).unwrap_or_default();
            text.parse::<u64>().unwrap_or(0)
        });
        self.changes += 1;
        self.added += fields.next().unwrap_or(0);
        self.deleted += fields.next().unwrap_or(0);
    }
}

/// Returns the lines of `git log --numstat --format='commit %H'`, each with its commit in front, and their totals.
pub(crate) fn of_git(output: &[u8]) -> (Vec<Vec<u8>>, Totals) {
    let mut commit: &[u8] = b"";
    let mut totals = Totals::default();
    let mut lines = Vec::new();
    for line in lines_of(output) {
        match line.strip_prefix(b"commit ") {
            Some(id) => {
                commit = id;
                totals.commits += 1;
            }
            None => {
                totals.add(line);
                lines.push([commit, b"\t", line].concat());
            }
        }
    }
    (lines, totals)
}

/// Returns the lines of `gitfleet facts`.
pub(crate) fn of_gitfleet(output: &[u8]) -> Vec<Vec<u8>> {
    lines_of(output).map(<[u8]>::to_vec).collect()
}

fn lines_of(output: &[u8]) -> impl Iterator<Item = &[u8]> {
    output.split(|byte| *byte == b'\n').filter(|line| !line.is_empty())
}

/// Returns how many lines only one side has.
pub(crate) fn differing(a: &[Vec<u8>], b: &[Vec<u8>]) -> usize {
    let mut balance: HashMap<&[u8], isize> = HashMap::new();
    for line in a {
        *balance.entry(line).or_default() += 1;
    }
    for line in b {
        *balance.entry(line).or_default() -= 1;
    }
    balance.values().map(|count| count.unsigned_abs()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_get_their_commit_and_totals_are_summed() {
        let (lines, totals) =
            of_git(b"commit a\n\n1\t2\tx\ncommit b\n\n3\t4\ty\n-\t-\tz\ncommit c\n\n5\t0\tcommit d\n");
        let expect = ["a\t1\t2\tx", "b\t3\t4\ty", "b\t-\t-\tz", "c\t5\t0\tcommit d"];
        assert_eq!(lines, expect.map(|line| line.as_bytes().to_vec()));
        assert_eq!(totals, Totals { commits: 3, changes: 4, added: 9, deleted: 6 });
    }

    #[test]
    fn differences_are_counted_on_both_sides() {
        let lines =
            |texts: &[&str]| -> Vec<Vec<u8>> { texts.iter().map(|t| t.as_bytes().to_vec()).collect() };
        let ours = of_gitfleet(b"c\nb\na\n");
        assert_eq!(differing(&lines(&["a", "b", "c"]), &ours), 0);
        assert_eq!(differing(&lines(&["a", "b", "x"]), &ours), 2);
        assert_eq!(differing(&lines(&["a", "b", "x", "a"]), &ours), 3);
        assert_eq!(differing(&[], &ours), 3);
    }
}
