//! Which commits a thread analyses next: those that follow on what it has just done, for as long as there are any.
//!
//! Neighbouring commits stand on the same objects, and a thread has only its own in memory. So each thread has a
//! stretch of the walk to itself; one that is done takes the later half of the longest stretch that is left.

use std::ops::Range;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::contents::Bytes;

/// While the walk goes on, its end is unknown, and stretches are short.
const SHORT_STRETCH: usize = 512;
/// Each thread's part of a stretch once the walk is over. What is done ahead of its turn waits in memory.
const LONG_STRETCH: usize = 8_192;
/// Commits that are handed out at a time.
const BLOCK: usize = 128;
/// A shorter rest is left to the thread that has it.
const SMALLEST_HALF: usize = 32;
/// The contents of commits wait for their turn up to this size; later ones are read again.
const MOST_WAITING_BYTES: usize = 32 << 20;

/// A commit on its way, with what is known of it.
pub(crate) struct Commit {
    pub(crate) id: gix::ObjectId,
    /// `None` where it could not be kept.
    pub(crate) content: Option<Bytes>,
    pub(crate) first_parent_tree: Option<gix::ObjectId>,
}

impl Commit {
    fn bytes(&self) -> usize {
        self.content.as_ref().map_or(0, |content| content.len())
    }

    fn take(&mut self) -> Self {
        Self { content: self.content.take(), ..*self }
    }
}

/// Consecutive commits, and the position of the first in the walk.
pub(crate) type Block = (usize, Vec<Commit>);

/// Commits on their way from the walk to the threads that analyse them, which begin while it goes on.
pub(crate) struct Blocks {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    commits: Vec<Commit>,
    /// Bytes of the contents among them.
    waiting_bytes: usize,
    /// What each thread has still to do of its stretch.
    stretches: Vec<Range<usize>>,
    /// How many commits are or were in a stretch.
    shared: usize,
    ended: bool,
}

impl Blocks {
    pub(crate) fn new(threads: usize) -> Self {
        let stretches = vec![0..0; threads];
        let state = State { commits: Vec::new(), waiting_bytes: 0, stretches, shared: 0, ended: false };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }

    pub(crate) fn add(&self, mut commit: Commit) {
        let mut state = self.lock();
        if state.waiting_bytes + commit.bytes() > MOST_WAITING_BYTES {
            commit.content = None;
        }
        state.waiting_bytes += commit.bytes();
        state.commits.push(commit);
        if state.commits.len().is_multiple_of(SHORT_STRETCH) {
            self.changed.notify_all();
        }
    }

    /// Says that the walk is over.
    pub(crate) fn end(&self) {
        self.lock().ended = true;
        self.changed.notify_all();
    }

    /// Waits for the next block of `thread`, and returns it; `None` where nothing is left to be shared.
    pub(crate) fn take(&self, thread: usize) -> Option<Block> {
        let wait = |state: &mut State| !state.has_work(thread);
        let mut state = self.changed.wait_while(self.lock(), wait).unwrap_or_else(PoisonError::into_inner);
        let block = state.next(thread)?;
        let commits: Vec<Commit> = state.commits[block.clone()].iter_mut().map(Commit::take).collect();
        state.waiting_bytes -= commits.iter().map(Commit::bytes).sum::<usize>();
        Some((block.start, commits))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether `thread` can go on, if only to its end.
    fn has_work(&self, thread: usize) -> bool {
        self.ended || !self.stretches[thread].is_empty() || self.commits.len() - self.shared >= SHORT_STRETCH
    }

    /// Returns the next commits of `thread`.
    fn next(&mut self, thread: usize) -> Option<Range<usize>> {
        if self.stretches[thread].is_empty() {
            self.stretches[thread] = self.fresh().or_else(|| self.half())?;
        }
        let stretch = &mut self.stretches[thread];
        let block = stretch.start..stretch.end.min(stretch.start + BLOCK);
        stretch.start = block.end;
        Some(block)
    }

    /// Takes a stretch that is nobody's yet.
    fn fresh(&mut self) -> Option<Range<usize>> {
        let most = if self.ended { LONG_STRETCH * self.stretches.len() } else { SHORT_STRETCH };
        let stretch = self.shared..self.commits.len().min(self.shared + most);
        self.shared = stretch.end;
        (!stretch.is_empty()).then_some(stretch)
    }

    /// Takes the later half of the longest stretch.
    fn half(&mut self) -> Option<Range<usize>> {
        let longest = self.stretches.iter_mut().max_by_key(|stretch| stretch.len())?;
        let middle = longest.start + longest.len() / 2;
        let half = middle..longest.end;
        if half.len() < SMALLEST_HALF {
            return None;
        }
        longest.end = middle;
        Some(half)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit(number: usize) -> Commit {
        let mut bytes = [0; 20];
        bytes[..8].copy_from_slice(&number.to_be_bytes());
        Commit { id: gix::ObjectId::Sha1(bytes), content: None, first_parent_tree: None }
    }

    fn walked(threads: usize, commits: usize) -> Blocks {
        let blocks = Blocks::new(threads);
        (0..commits).for_each(|number| blocks.add(commit(number)));
        blocks
    }

    #[test]
    fn a_thread_goes_on_where_it_was_and_another_takes_the_later_half() {
        let blocks = walked(2, 2_000);
        blocks.end();
        let from = |thread| blocks.take(thread).map(|(from, commits)| from..from + commits.len());
        assert_eq!(from(0), Some(0..128));
        assert_eq!(from(1), Some(1_064..1_192));
        assert_eq!(from(0), Some(128..256));
        assert_eq!(from(1), Some(1_192..1_320));
    }

    #[test]
    fn contents_wait_within_a_limit() {
        let blocks = Blocks::new(1);
        let content = Bytes::new(vec![0; MOST_WAITING_BYTES / 2]);
        (0..3).for_each(|number| blocks.add(Commit { content: Some(content.clone()), ..commit(number) }));
        blocks.end();
        let (_, commits) = blocks.take(0).expect("some are there");
        assert_eq!(
            commits.iter().map(|commit| commit.content.is_some()).collect::<Vec<_>>(),
            [true, true, false]
        );
        assert_eq!(blocks.lock().waiting_bytes, 0);
    }

    proptest::proptest! {
        #[test]
        fn every_commit_is_handed_out_once(
            commits in 0usize..3_000, threads in 1usize..5, order in proptest::collection::vec(0usize..5, 1..50),
        ) {
            let blocks = walked(threads, commits);
            blocks.end();
            let mut seen = vec![false; commits];
            let to_the_end = (0..=commits).flat_map(|_| 0..threads);
            for thread in order.into_iter().map(|thread| thread % threads).chain(to_the_end) {
                let Some((from, block)) = blocks.take(thread) else { continue };
                for (at, found) in block.into_iter().enumerate() {
                    proptest::prop_assert_eq!(found.id, commit(from + at).id);
                    proptest::prop_assert!(!std::mem::replace(&mut seen[from + at], true));
                }
            }
            proptest::prop_assert!(seen.iter().all(|seen| *seen));
        }
    }
}
