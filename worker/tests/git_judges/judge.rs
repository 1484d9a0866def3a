//! The comparison: our door on one side, `git log` on the other.

use std::collections::BTreeSet;
use std::path::Path;

use gitfleet_shared::facts::{ChangeKind, CommitFacts, Lines};
use gitfleet_worker::door::{self, Part};
use gitfleet_worker::facts::{Depth, Engine};
use gitfleet_worker::numstat::{self, Renames};
use gitfleet_worker::objects::Limits;
use gitfleet_worker::repository;

use crate::fixture::{Fixture, run};
use crate::{blame, hunks};

/// More than any fixture has in one file.
pub(crate) const NO_LIMIT: u64 = 64 << 20;

/// So little is kept of what was decoded that fixtures of some size let things go.
pub(crate) const fn limits(max_blob_bytes: u64) -> Limits {
    Limits { max_blob_bytes, cache_bytes: 1 << 18 }
}

/// Compares all that HEAD of `fixture` reaches, and returns git's lines with renames, without commit ids, so that a
/// test can see that it tested something.
pub(crate) fn judge(fixture: &Fixture) -> Vec<String> {
    judge_at(fixture.path(), "HEAD")
}

pub(crate) fn judge_at(path: &Path, revision: &str) -> Vec<String> {
    let facts = facts(path, revision, NO_LIMIT);
    compare(path, revision, Renames::Ignored, &facts);
    let lines = compare(path, revision, Renames::Followed, &facts);
    hunks::compare(path, revision, &facts);
    // Of files that were binary once, blame says more than we do.
    if facts.iter().flat_map(|commit| &commit.files).all(|file| matches!(file.lines, Lines::Counted { .. })) {
        blame::compare(path, revision, &facts, 10);
    }
    lines.iter().map(|line| line.split_once('\t').unwrap().1.to_owned()).collect()
}

/// Judges, and asks that git says each of the `lines`.
pub(crate) fn check(fixture: &Fixture, lines: &[&str]) {
    let judged = judge(fixture);
    for line in lines {
        assert!(judged.iter().any(|other| other == line), "git does not say {line:?} but {judged:#?}");
    }
}

pub(crate) fn facts(path: &Path, revision: &str, max_blob_bytes: u64) -> Vec<CommitFacts> {
    let mut all = Vec::new();
    let limits = limits(max_blob_bytes);
    door::facts(path, revision, 2, limits, Depth::Hunks, Part::WHOLE, |facts| {
        all.push(facts);
        Ok(())
    })
    .unwrap();
    for facts in &all {
        assert!(facts.files.is_sorted_by(|a, b| a.path <= b.path), "{}: files are not in order", facts.id);
        assert!(!facts.is_merge() || facts.files.is_empty(), "{}: a merge has files", facts.id);
    }
    all
}

/// Returns an engine for HEAD.
pub(crate) fn engine(path: &Path, max_blob_bytes: u64) -> Engine {
    let repository = repository::open(path, max_blob_bytes).unwrap().to_thread_local();
    let head = repository.head_id().unwrap().detach();
    Engine::new(repository, head, limits(max_blob_bytes), Depth::Hunks).unwrap()
}

pub(crate) fn id(hex: &str) -> gix::ObjectId {
    gix::ObjectId::from_hex(hex.as_bytes()).unwrap()
}

/// Whether `facts` hold any rename.
pub(crate) fn has_renames(facts: &[CommitFacts]) -> bool {
    facts.iter().flat_map(|f| &f.files).any(|file| matches!(file.kind, ChangeKind::Renamed { .. }))
}

fn compare(path: &Path, revision: &str, renames: Renames, facts: &[CommitFacts]) -> Vec<String> {
    let mut out = Vec::new();
    for facts in facts {
        numstat::write(facts, renames, &mut out);
    }
    let mut ours: Vec<String> = String::from_utf8(out).unwrap().lines().map(str::to_owned).collect();
    ours.sort_unstable();
    let theirs = log(path, revision, renames);
    assert!(ours == theirs, "renames {renames:?}\n{}", difference(&theirs, &ours));
    theirs
}

/// Returns what `git log --numstat` says, a commit id before each line, sorted.
fn log(path: &Path, revision: &str, renames: Renames) -> Vec<String> {
    let source = format!("--attr-source={revision}");
    let renames = match renames {
        Renames::Followed => "-M",
        Renames::Ignored => "--no-renames",
    };
    let arguments = [&source, "log", revision, "--no-merges", renames, "--numstat", "--format=%x00%H", "--"];
    let printed = String::from_utf8(run(path, &arguments, b"")).unwrap();
    let mut lines = Vec::new();
    let mut commit = "";
    for line in printed.lines() {
        match line.strip_prefix('\0') {
            Some(id) => commit = id,
            None if line.is_empty() => {}
            None => lines.push(format!("{commit}\t{line}")),
        }
    }
    lines.sort_unstable();
    lines
}

/// Returns the first lines that only one side has.
fn difference(theirs: &[String], ours: &[String]) -> String {
    let (git, own): (BTreeSet<_>, BTreeSet<_>) = (theirs.iter().collect(), ours.iter().collect());
    let mut text = format!("git says {} lines, gitfleet {}\n", theirs.len(), ours.len());
    for (name, only) in [("git", git.difference(&own)), ("gitfleet", own.difference(&git))] {
        let only: Vec<_> = only.collect();
        text.push_str(&format!("{} only {name} says:\n", only.len()));
        for line in only.iter().take(20) {
            text.push_str(&format!("  {line}\n"));
        }
    }
    text
}
