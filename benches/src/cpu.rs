//! The CPU time of this process, for what is measured inside it.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Returns user and system time of all threads so far.
pub(crate) fn so_far() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let (seconds, nanos) = (u64::try_from(time.tv_sec), u32::try_from(time.tv_nsec));
    Duration::new(seconds.unwrap_or(0), nanos.unwrap_or(0))
}

/// Returns what `work` returns, and the CPU time it took.
pub(crate) fn of<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let before = so_far();
    let value = work();
    (value, so_far().saturating_sub(before))
}
