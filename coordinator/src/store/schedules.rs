//! The store as schedules use it: every method one transaction, and doing anything twice changes nothing the second
//! time. Times are UTC milliseconds.

use async_trait::async_trait;
use gitfleet_shared::ids::BatchId;

use super::Result;
use super::ledger::Wish;
use crate::schedule::{Decision, Run, RunState, Schedule};

/// What became of a firing that was to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    Begun(Run),
    /// The one before goes on; in words.
    Busy(String),
    /// Somebody else decided before, or the schedule is paused or gone.
    Gone,
}

#[async_trait]
pub trait Schedules: Send + Sync {
    /// Adds a schedule and returns its id, or `None` where its owner has one of this name. Its own id is not looked at.
    async fn add_schedule(&self, schedule: &Schedule) -> Result<Option<i64>>;

    /// Returns all schedules that can be read, by name.
    async fn schedules(&self) -> Result<Vec<Schedule>>;

    /// Removes a schedule and what is known of its firings; its batches stay. Returns whether it was there.
    async fn remove_schedule(&self, id: i64) -> Result<bool>;

    /// Lets a schedule rest, or go on with `next_due`.
    async fn set_schedule_paused(&self, id: i64, paused: bool, next_due: Option<i64>) -> Result<Wish>;

    /// Returns the schedules that go on and are due at `now`.
    async fn due_schedules(&self, now: i64) -> Result<Vec<Schedule>>;

    /// Writes down what was decided about a schedule that was due at `due`, if that is when it still is due.
    async fn begin_due(&self, schedule: i64, due: i64, decision: Decision, now: i64) -> Result<Begun>;

    /// Begins a firing that somebody asked for, whatever the timetable says.
    async fn begin_asked(&self, schedule: i64, now: i64) -> Result<Begun>;

    /// Returns the firings that are to be submitted at `now`, each with its schedule, the oldest first.
    async fn begun_runs(&self, now: i64) -> Result<Vec<(Schedule, Run)>>;

    /// Notes that a firing became a batch, with its note.
    async fn run_submitted(&self, run: &Run, batch: BatchId) -> Result<()>;

    /// Notes that a firing cannot be submitted, and why.
    async fn run_failed(&self, run: &Run, note: &str) -> Result<()>;

    /// Lets a firing wait until `retry_at`, and notes why.
    async fn run_waits(&self, run: &Run, retry_at: i64, note: &str) -> Result<()>;

    /// Returns the firings of a schedule, the latest first.
    async fn runs(&self, schedule: i64, limit: u32) -> Result<Vec<Run>>;
}

/// Firings of a schedule that are kept.
pub(crate) const KEPT_RUNS: i64 = 500;

impl Begun {
    /// Returns the state of the firing that is kept, where one is.
    pub(crate) fn state(busy: Option<&String>) -> RunState {
        match busy {
            Some(_) => RunState::Skipped,
            None => RunState::Begun,
        }
    }
}
