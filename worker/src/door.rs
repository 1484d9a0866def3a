//! The oracle's door: the facts of every commit of one revision, straight from the engine, with no queue, cache or
//! store between, so that git can judge them.

use std::collections::BTreeMap;
use std::path::Path;
use std::str::FromStr;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, mpsc};

use gitfleet_shared::facts::CommitFacts;
use gitfleet_shared::slices;

use crate::cost;
use crate::facts::Engine;
use crate::objects::{Limits, Objects, ReadError};
use crate::repository;
use crate::survey;
use crate::walk::Walker;

/// Neighbouring commits share most of what must be decoded, so a thread takes a run of them at a time.
const BLOCK: usize = 512;
/// Where the whole length is known, blocks are so long that each thread gets four, within these bounds.
const SMALLEST_BLOCK: usize = 64;
const LARGEST_BLOCK: usize = 4_096;

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
    let walk = Walk::default();
    let engine = &|| Engine::new(shared.to_thread_local(), head, limits);
    std::thread::scope(|scope| {
        // Bounded, so that a slow reader of the output holds the engine back and not the memory full.
        let (sender, receiver) = mpsc::sync_channel(2 * jobs);
        for _ in 0..jobs.max(1) {
            let (sender, walk) = (sender.clone(), &walk);
            scope.spawn(move || {
                let mut engine = match engine() {
                    Ok(engine) => engine,
                    Err(error) => return drop(sender.send(Err(error))),
                };
                while let Some((from, block)) = walk.take(jobs) {
                    let facts: Result<Vec<CommitFacts>, _> =
                        block.iter().map(|id| engine.facts(*id)).collect();
                    let failed = facts.is_err();
                    if sender.send(facts.map(|facts| (from, facts))).is_err() || failed {
                        return;
                    }
                }
            });
        }
        let (local, walk) = (shared.to_thread_local(), &walk);
        scope.spawn(move || {
            let shallow = survey::shallow_commits(&local).into_iter().collect();
            let objects = Objects::new(local, limits);
            let mut walker = Walker::new(&objects, shallow);
            let walked = match part {
                Part::WHOLE => walker.each(&[head], |commit| walk.add(commit.id)),
                Part { number, of } => walker.all(&[head]).map(|commits| {
                    let mut slices =
                        slices::cut(&cost::estimate(&objects, &commits), of, usize::MAX).into_iter();
                    let slice = slices.nth(number - 1).unwrap_or_default();
                    commits[slice].iter().for_each(|commit| walk.add(commit.id));
                }),
            };
            walk.end();
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

/// Commits on their way from the walk to the threads that analyse them, which begin while it goes on.
#[derive(Default)]
struct Walk {
    state: Mutex<Walked>,
    changed: Condvar,
}

#[derive(Default)]
struct Walked {
    commits: Vec<gix::ObjectId>,
    /// How many of them have been taken.
    taken: usize,
    ended: bool,
}

impl Walk {
    fn add(&self, id: gix::ObjectId) {
        let mut walked = self.lock();
        walked.commits.push(id);
        if walked.commits.len().is_multiple_of(BLOCK) {
            self.changed.notify_all();
        }
    }

    fn end(&self) {
        self.lock().ended = true;
        self.changed.notify_all();
    }

    /// Waits for the next block, and returns it with the position of its first commit; `None` behind the last. Towards
    /// the end blocks become smaller, so that all threads end together.
    fn take(&self, threads: usize) -> Option<(usize, Vec<gix::ObjectId>)> {
        let few = |walked: &mut Walked| !walked.ended && walked.commits.len() - walked.taken < BLOCK;
        let mut walked = self.changed.wait_while(self.lock(), few).unwrap_or_else(PoisonError::into_inner);
        let left = walked.commits.len() - walked.taken;
        let share = if walked.ended { left / (4 * threads.max(1)) } else { BLOCK };
        let (from, count) = (walked.taken, share.clamp(SMALLEST_BLOCK, LARGEST_BLOCK).min(left));
        walked.taken += count;
        (count > 0).then(|| (from, walked.commits[from..from + count].to_vec()))
    }

    fn lock(&self) -> MutexGuard<'_, Walked> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
