//! A copy of a repository whose branch can be moved back, and where to move it.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::git;

/// A bare copy that shares the bytes of its packs with the original (hard links where the file system has them), so
/// that both are in the page cache once.
pub(crate) struct Copy {
    pub(crate) path: PathBuf,
}

impl Copy {
    /// Makes the copy of `repository` at `path`.
    pub(crate) fn make(repository: &Path, path: PathBuf) -> anyhow::Result<Self> {
        let mut clone = git::git(Path::new("."));
        git::answer(clone.args(["clone", "--bare", "--local", "--quiet", "--"]).arg(repository).arg(&path))?;
        git::answer(git::git(&path).args(["symbolic-ref", "HEAD", "refs/heads/bench"]))?;
        Ok(Self { path })
    }

    /// Moves the branch that `HEAD` names to the commit `id`.
    pub(crate) fn move_head(&self, id: &str) -> anyhow::Result<()> {
        git::answer(git::git(&self.path).args(["update-ref", "refs/heads/bench", id]))?;
        Ok(())
    }
}

/// Points of a history that an earlier analysis could have ended at.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Points {
    /// The newest commit of the first-parent chain that is no merge, and its parent: one commit apart. `None` where
    /// the chain has none.
    pub(crate) last_commit: Option<Step>,
    /// The newest commit of the chain that is a week older than the tip; `None` where history is younger.
    pub(crate) a_week_before: Option<String>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) before: String,
    pub(crate) after: String,
}

/// A commit of the first-parent chain.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    pub(crate) id: String,
    committed_seconds: i64,
    parents: Vec<String>,
}

/// Returns the first-parent chain of `tip`, newest first.
pub(crate) fn chain(repository: &Path, tip: &str) -> anyhow::Result<Vec<Link>> {
    let mut log = git::git(repository);
    let text = git::answer(log.args(["log", "--first-parent", "--format=%H %ct %P", tip]))?;
    text.lines().map(|line| parse(line).with_context(|| format!("{line} is no commit"))).collect()
}

fn parse(line: &str) -> Option<Link> {
    let mut words = line.split(' ').filter(|word| !word.is_empty());
    let (id, committed_seconds) = (words.next()?.to_owned(), words.next()?.parse().ok()?);
    Some(Link { id, committed_seconds, parents: words.map(str::to_owned).collect() })
}

/// Returns the points of a first-parent chain, newest first.
pub(crate) fn points(chain: &[Link]) -> Points {
    const WEEK_SECONDS: i64 = 7 * 24 * 60 * 60;
    let last_commit = chain.iter().find_map(|link| match link.parents.as_slice() {
        [parent] => Some(Step { before: parent.clone(), after: link.id.clone() }),
        _ => None,
    });
    let tip = chain.first().map_or(0, |tip| tip.committed_seconds);
    let old = chain.iter().find(|link| link.committed_seconds <= tip - WEEK_SECONDS);
    Points { last_commit, a_week_before: old.map(|link| link.id.clone()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(lines: &[&str]) -> Points {
        points(&lines.iter().map(|line| parse(line).unwrap()).collect::<Vec<_>>())
    }

    #[test]
    fn points_are_found_below_merges_and_clocks_that_ran_backwards() {
        let found = of(&["m 2000000 d x", "d 1900000 c", "c 1995200 b", "b 1395200 a", "a 1000000 "]);
        assert_eq!(found.last_commit, Some(Step { before: "c".to_owned(), after: "d".to_owned() }));
        assert_eq!(found.a_week_before.as_deref(), Some("b"));
    }

    #[test]
    fn a_young_history_has_no_week() {
        assert_eq!(of(&["b 1000 a", "a 900 "]).a_week_before, None);
        assert_eq!(of(&["a 900 "]), Points { last_commit: None, a_week_before: None });
    }
}
