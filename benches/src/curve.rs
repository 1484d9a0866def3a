//! How the cost grows with history: the same repository at older and older commits of its first-parent chain.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use anyhow::Context as _;

use crate::args::Setting;
use crate::bench::{self, Bench};
use crate::facts::{Facts, Renames};
use crate::git;
use crate::table::{self, Table, count, ratio, seconds};

/// A commit of the first-parent chain, with the number of commits it reaches.
#[derive(Debug, PartialEq, Eq)]
struct Point {
    id: String,
    commits: usize,
}

/// Returns whether git and gitfleet agreed at every point.
pub(crate) fn all(path: &Path, sizes: &[usize], setting: &Setting) -> anyhow::Result<bool> {
    let bench = Bench::new(setting)?;
    let path = bench::absolute(path)?;
    let name = bench::name(&path);
    let head = git::commit(&path, "HEAD")?;
    let history = git::answer(git::git(&path).args(["rev-list", "--parents", &head]))?;
    let points = at_sizes(&reached(&history, &head).context("history has gaps")?, sizes);
    let columns = [
        "revision",
        "commits",
        "without merges",
        "changes",
        "git CPU",
        "gitfleet CPU",
        "CPU, git = 1",
        "wall, git = 1",
        "ms / commit",
        "ms / change",
        "differing lines",
    ];
    let mut table = Table::new(1, &columns);
    let mut agreed = true;
    for point in &points {
        let mut facts = Facts::new(&bench, &path, &point.id, Renames::Followed);
        for round in 0..=bench.runs {
            table::talk(&format!("{name}: {} commits, round {round} of {}", point.commits, bench.runs));
            facts.round(round > 0)?;
        }
        agreed &= facts.differing == 0;
        let Facts { git, gitfleet, totals, differing, .. } = &facts;
        table.row([
            point.id[..12].to_owned(),
            count(point.commits),
            count(totals.commits),
            count(totals.changes),
            seconds(git.cpu()),
            seconds(gitfleet.cpu()),
            ratio(gitfleet.cpu(), git.cpu()),
            ratio(gitfleet.wall(), git.wall()),
            format!("{:.3}", gitfleet.cpu() * 1e3 / point.commits as f64),
            format!("{:.3}", gitfleet.cpu() * 1e3 / totals.changes as f64),
            count(*differing),
        ]);
    }
    bench.introduce()?;
    table.print(&format!(
        "{name}: facts with renames of growing histories (ms of gitfleet's CPU = s for 1,000)"
    ));
    Ok(agreed)
}

/// Returns the first-parent chain of `head`, oldest first, from the lines of `rev-list --parents`; `None` where a
/// commit of it has no line.
fn reached(history: &str, head: &str) -> Option<Vec<Point>> {
    let mut parents: HashMap<&str, Vec<&str>> = HashMap::new();
    for line in history.lines() {
        let mut ids = line.split(' ');
        parents.insert(ids.next()?, ids.collect());
    }
    let mut chain = Vec::new();
    let mut next = Some(head);
    while let Some(id) = next {
        chain.push(id);
        next = parents.get(id)?.first().copied();
    }
    chain.reverse();
    // From the oldest on, each commit of the chain adds those that none before it reached.
    let mut met = HashSet::new();
    let mut points = Vec::new();
    for id in chain {
        let mut waiting = vec![id];
        while let Some(id) = waiting.pop() {
            if met.insert(id) {
                waiting.extend(parents.get(id)?);
            }
        }
        points.push(Point { id: id.to_owned(), commits: met.len() });
    }
    Some(points)
}

/// Returns for each size the first point that reaches as many commits, and the last point of all, each once.
fn at_sizes(points: &[Point], sizes: &[usize]) -> Vec<Point> {
    let mut found: Vec<Point> = Vec::new();
    let at = sizes.iter().filter_map(|size| points.iter().find(|point| point.commits >= *size));
    for point in at.chain(points.last()) {
        if found.last().is_none_or(|last| last.commits < point.commits) {
            found.push(Point { id: point.id.clone(), commits: point.commits });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_count_what_merges_bring() {
        // a - b - m - e, where m also brings c - d, and c's parent is a.
        let history = "e m\nm b d\nd c\nc a\nb a\na";
        let points = reached(history, "e").unwrap();
        let expect = [("a", 1), ("b", 2), ("m", 5), ("e", 6)];
        let found: Vec<_> = points.iter().map(|point| (&*point.id, point.commits)).collect();
        assert_eq!(found, expect);
        let sizes: Vec<usize> =
            at_sizes(&points, &[1, 3, 4, 100]).iter().map(|point| point.commits).collect();
        assert_eq!(sizes, [1, 5, 6]);
        assert_eq!(reached("e m", "e"), None);
    }
}
