//! The oracle's door: the facts of every commit of one revision, straight from the engine, with no queue, cache or
//! store between, so that git can judge them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use gitfleet_shared::facts::CommitFacts;

use crate::facts::Engine;
use crate::objects::ReadError;
use crate::repository;
use crate::survey;
use crate::walk::Walker;

/// Neighbouring commits share most of what must be decoded, so a thread takes a run of them at a time.
const BLOCK: usize = 128;

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

/// Calls `each` with the facts of every commit reachable from `revision`, in walk order, computed by `jobs` threads.
///
/// # Errors
///
/// Where the repository cannot be opened, the revision not be resolved or history not be walked, and what `each`
/// returns.
pub fn facts(
    path: &Path,
    revision: &str,
    jobs: usize,
    max_blob_bytes: u64,
    mut each: impl FnMut(CommitFacts) -> anyhow::Result<()>,
) -> Result<(), DoorError> {
    let shared =
        repository::open(path, max_blob_bytes).map_err(|failure| DoorError::Repository(failure.message))?;
    let local = shared.to_thread_local();
    let resolve = || local.rev_parse_single(revision).ok()?.object().ok()?.peel_to_commit().ok();
    let head = resolve()
        .ok_or_else(|| DoorError::NoSuchRevision {
            revision: revision.to_owned(),
            path: path.display().to_string(),
        })?
        .id;
    let engine = Engine::new(local.clone(), head, max_blob_bytes)?;
    let shallow = survey::shallow_commits(&local).into_iter().collect();
    let commits = Walker::new(engine.objects(), shallow).all(&[head])?;
    drop(engine);

    let next_block = AtomicUsize::new(0);
    let blocks: Vec<_> = commits.chunks(BLOCK).collect();
    std::thread::scope(|scope| {
        // Bounded, so that a slow reader of the output holds the engine back and not the memory full.
        let (sender, receiver) = mpsc::sync_channel(2 * jobs);
        for _ in 0..jobs.max(1) {
            let (sender, shared, blocks, next_block) = (sender.clone(), shared.clone(), &blocks, &next_block);
            scope.spawn(move || {
                let engine = Engine::new(shared.to_thread_local(), head, max_blob_bytes);
                let mut engine = match engine {
                    Ok(engine) => engine,
                    Err(error) => return drop(sender.send((0, Err(error)))),
                };
                loop {
                    let index = next_block.fetch_add(1, Ordering::Relaxed);
                    let Some(block) = blocks.get(index) else { return };
                    let facts: Result<Vec<CommitFacts>, _> =
                        block.iter().map(|commit| engine.facts(commit.id)).collect();
                    let failed = facts.is_err();
                    if sender.send((index, facts)).is_err() || failed {
                        return;
                    }
                }
            });
        }
        drop(sender);
        // Blocks end in any order; they leave in theirs.
        let mut early = BTreeMap::new();
        let mut due = 0;
        for (index, facts) in receiver {
            early.insert(index, facts?);
            while let Some(block) = early.remove(&due) {
                due += 1;
                for facts in block {
                    each(facts).map_err(DoorError::Given)?;
                }
            }
        }
        Ok(())
    })
}
