//! The oracle's door: the facts of every commit of one revision, straight from the engine, with no queue, cache or
//! store between, so that git can judge them.

use std::collections::BTreeMap;
use std::path::Path;
use std::str::FromStr;
use std::sync::mpsc;

use gitfleet_shared::facts::CommitFacts;
use gitfleet_shared::slices;

use crate::blocks::{Blocks, Commit};
use crate::cost;
use crate::facts::{Depth, Engine};
use crate::objects::{Limits, Objects, ReadError};
use crate::repository;
use crate::survey;
use crate::walk::Walker;

/// The walk reads each commit once and hands it on; only what commits are stored on is asked for again.
const WALK_CACHE_BYTES: usize = 16 << 20;

/// One of some consecutive slices of the walk that are estimated to cost the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// From 1.
    number: usize,
    of: usize,
}

impl Part {
    pub const WHOLE: Self = Self { number: 1, of: 1 };
}

impl FromStr for Part {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let numbers = text.split_once('/').and_then(|(k, n)| Some((k.parse().ok()?, n.parse().ok()?)));
        match numbers {
            Some((number, of)) if (1..=of).contains(&number) => Ok(Self { number, of }),
            _ => Err("not of the form K/N with K from 1 to N, as in 2/4"),
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum DoorError {
    #[error("{0}")]
    Repository(String),
    #[error("{revision} names no commit of {path}")]
    NoSuchRevision { revision: String, path: String },
    #[error("its history is not whole")]
    Unreadable(#[from] ReadError),
    /// What `each` returned.
    #[error(transparent)]
    Given(anyhow::Error),
}

/// Calls `each` with the facts of every commit reachable from `revision`, or of `part` of them, in walk order,
/// computed by `jobs` threads.
///
/// # Errors
///
/// Where the repository cannot be opened, the revision not be resolved or history not be walked, and what `each`
/// returns.
pub fn facts(
    path: &Path,
    revision: &str,
    jobs: usize,
    limits: Limits,
    depth: Depth,
    part: Part,
    mut each: impl FnMut(CommitFacts) -> anyhow::Result<()>,
) -> Result<(), DoorError> {
    let shared = repository::open(path, limits.max_blob_bytes)
        .map_err(|failure| DoorError::Repository(failure.message))?;
    let local = shared.to_thread_local();
    let resolve = || local.rev_parse_single(revision).ok()?.object().ok()?.peel_to_commit().ok();
    let head = resolve()
        .ok_or_else(|| DoorError::NoSuchRevision {
            revision: revision.to_owned(),
            path: path.display().to_string(),
        })?
        .id;
    let jobs = jobs.max(1);
    let blocks = Blocks::new(jobs);
    let engine = &|| Engine::new(shared.to_thread_local(), head, limits, depth);
    std::thread::scope(|scope| {
        // Bounded, so that a slow reader of the output holds the engine back and not the memory full.
        let (sender, receiver) = mpsc::sync_channel(2 * jobs);
        for thread in 0..jobs {
            let (sender, blocks) = (sender.clone(), &blocks);
            scope.spawn(move || {
                let mut engine = match engine() {
                    Ok(engine) => engine,
                    Err(error) => return drop(sender.send(Err(error))),
                };
                while let Some((from, block)) = blocks.take(thread) {
                    let facts: Result<Vec<CommitFacts>, _> =
                        block.into_iter().map(|commit| facts_of(&mut engine, commit)).collect();
                    let failed = facts.is_err();
                    if sender.send(facts.map(|facts| (from, facts))).is_err() || failed {
                        return;
                    }
                }
            });
        }
        let (local, blocks) = (shared.to_thread_local(), &blocks);
        scope.spawn(move || {
            let shallow = survey::shallow_commits(&local).into_iter().collect();
            let cache_bytes = limits.cache_bytes.min(WALK_CACHE_BYTES);
            let objects = Objects::new(local, Limits { cache_bytes, ..limits });
            let mut walker = Walker::new(&objects, shallow);
            let walked = match part {
                Part::WHOLE => walker.each(&[head], |commit, content, first_parent_tree| {
                    blocks.add(Commit { id: commit.id, content: Some(content), first_parent_tree });
                }),
                Part { number, of } => walker.all(&[head]).map(|commits| {
                    let mut slices =
                        slices::cut(&cost::estimate(&objects, &commits), of, usize::MAX).into_iter();
                    let slice = slices.nth(number - 1).unwrap_or_default();
                    for commit in &commits[slice] {
                        blocks.add(Commit { id: commit.id, content: None, first_parent_tree: None });
                    }
                }),
            };
            blocks.end();
            // Nobody listens any more where another thread failed first.
            walked.or_else(|error| sender.send(Err(error)))
        });
        // Blocks end in any order; they leave in theirs.
        let mut early = BTreeMap::new();
        let mut due = 0;
        for done in receiver {
            let (from, facts) = done?;
            early.insert(from, facts);
            while let Some(block) = early.remove(&due) {
                due += block.len();
                for facts in block {
                    each(facts).map_err(DoorError::Given)?;
                }
            }
        }
        Ok(())
    })
}

fn facts_of(engine: &mut Engine, commit: Commit) -> Result<CommitFacts, ReadError> {
    let Commit { id, content, first_parent_tree } = commit;
    let content = match content {
        Some(content) => content,
        None => engine.objects().commit(&id)?,
    };
    engine.facts_of(id, &content, first_parent_tree)
}
