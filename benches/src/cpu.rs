//! What a finished child process cost: wall time by a monotonic clock, CPU time by the kernel's own account of
//! children that were waited for.

use std::time::{Duration, Instant};

use anyhow::Context as _;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Spent {
    pub(crate) wall: Duration,
    /// User and system time together; `None` where the system does not tell.
    pub(crate) cpu: Option<Duration>,
}

/// Runs `work`, which starts and waits for child processes, and returns its value with what the children cost.
pub(crate) fn spent<T>(work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<(T, Spent)> {
    let before = children_cpu();
    let started = Instant::now();
    let value = work()?;
    let wall = started.elapsed();
    let cpu = children_cpu().and_then(|after| Ok(after.saturating_sub(before?)));
    Ok((value, Spent { wall, cpu: cpu.ok() }))
}

/// Returns user and system time of all children so far, from `/proc/self/stat`.
fn children_cpu() -> anyhow::Result<Duration> {
    /// Linux counts these in hundredths of a second, whatever the kernel's own clock is.
    const TICKS_PER_SECOND: u64 = 100;
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // The second field is the program's name in brackets, which may hold anything; the rest is numbers.
    let (_, numbers) = stat.rsplit_once(')').context("no name in brackets")?;
    let field = |number: usize| -> anyhow::Result<u64> {
        // Fields are counted from 1, and the first behind the name is the third.
        Ok(numbers.split_whitespace().nth(number - 3).context("too few fields")?.parse()?)
    };
    let ticks = field(16)? + field(17)?;
    Ok(Duration::from_millis(ticks * 1_000 / TICKS_PER_SECOND))
}
