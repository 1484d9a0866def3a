//! The same facts from both sides: one line per changed file of every non-merge commit.

use std::collections::HashMap;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::cpu::{Spent, spent};

pub(crate) struct Answer {
    pub(crate) lines: Vec<Vec<u8>>,
    pub(crate) spent: Spent,
}

/// Returns how to ask git. The attributes come from the revision, as gitfleet takes them.
pub(crate) fn git(repository: &Path, renames: bool) -> impl FnMut() -> anyhow::Result<Answer> {
    move || {
        let mut command = Command::new("git");
        command.arg("-C").arg(repository).args(["--attr-source=HEAD", "log", "--no-merges", "--numstat"]);
        command.args([if renames { "-M" } else { "--no-renames" }, "--format=commit %H", "HEAD"]);
        let (output, spent) = run(command)?;
        Ok(Answer { lines: with_commits(&output), spent })
    }
}

/// Returns how to ask gitfleet.
pub(crate) fn gitfleet(
    program: &Path,
    repository: &Path,
    renames: bool,
) -> impl FnMut() -> anyhow::Result<Answer> {
    move || {
        let mut command = Command::new(program);
        command.arg("facts").arg(repository);
        if renames {
            command.arg("--renames");
        }
        let (output, spent) = run(command)?;
        let lines = output.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        Ok(Answer { lines: lines.map(<[u8]>::to_vec).collect(), spent })
    }
}

fn run(mut command: Command) -> anyhow::Result<(Vec<u8>, Spent)> {
    command.stderr(Stdio::inherit());
    let (output, spent) = spent(|| Ok(command.output()?))?;
    anyhow::ensure!(output.status.success(), "{command:?} ended with {}", output.status);
    Ok((output.stdout, spent))
}

/// Puts the commit of each `commit ID` line in front of the lines that follow it.
fn with_commits(output: &[u8]) -> Vec<Vec<u8>> {
    let mut commit: &[u8] = b"";
    let mut lines = Vec::new();
    for line in output.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        match line.strip_prefix(b"commit ") {
            Some(id) => commit = id,
            None => lines.push([commit, b"\t", line].concat()),
        }
    }
    lines
}

/// Returns how many lines only one side has, whatever their order.
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
    fn lines_get_their_commit_and_differences_are_counted() {
        let lines = with_commits(b"commit a\n\n1\t2\tx\ncommit b\n\n3\t4\ty\n5\t6\tz\n");
        assert_eq!(lines, [b"a\t1\t2\tx".to_vec(), b"b\t3\t4\ty".to_vec(), b"b\t5\t6\tz".to_vec()]);
        let mut other = lines.clone();
        other.reverse();
        assert_eq!(differing(&lines, &other), 0);
        other[0] = b"b\t5\t7\tz".to_vec();
        assert_eq!(differing(&lines, &other), 2);
        other.push(other[1].clone());
        assert_eq!(differing(&lines, &other), 3);
    }
}
