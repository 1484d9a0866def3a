//! A thread of its own for the heavy work of one slot.
//!
//! Analysis would starve the runtime's threads of heartbeats. A pool would do for that; but an engine keeps large
//! caches, and memory that is taken on one thread and given back on another comes back late: on a history of 80,000
//! commits, two slots on a pool took some 90 MB more than on lanes.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;

use tokio::sync::oneshot;

type Task = Box<dyn FnOnce() + Send>;

pub struct Lane {
    tasks: mpsc::Sender<Task>,
}

/// Why a task gave no value.
#[derive(Debug, PartialEq, Eq)]
pub enum Lost {
    /// It panicked, with this message.
    Panicked(String),
    /// The thread is gone.
    Ended,
}

impl Lane {
    /// Starts the thread. It ends when the lane is dropped, after the task it is at.
    ///
    /// # Errors
    ///
    /// Where the system gives no more threads.
    pub fn start() -> std::io::Result<Self> {
        let (tasks, due) = mpsc::channel::<Task>();
        std::thread::Builder::new().name("analysis".to_owned()).spawn(move || {
            for task in due {
                task();
            }
        })?;
        Ok(Self { tasks })
    }

    /// Runs `work` and returns its value. Cancelling the wait does not stop the work.
    ///
    /// # Errors
    ///
    /// Where the work panics; the lane goes on.
    pub async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Lost> {
        let (answer, answered) = oneshot::channel();
        let task = move || {
            // Whatever the work held is dropped with it, so nobody sees it half changed.
            let value = catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
                let text = panic.downcast_ref::<String>().cloned();
                let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
                Lost::Panicked(text.unwrap_or_else(|| "no message".to_owned()))
            });
            // Nobody waits any more where the job was cancelled.
            let _ = answer.send(value);
        };
        self.tasks.send(Box::new(task)).map_err(|_| Lost::Ended)?;
        answered.await.unwrap_or(Err(Lost::Ended))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_told_and_the_lane_goes_on() {
        let lane = Lane::start().unwrap();
        assert_eq!(lane.run(|| 1).await, Ok(1));
        let panicked = lane.run(|| -> u8 { panic!("on purpose {}", 7) }).await;
        assert_eq!(panicked, Err(Lost::Panicked("on purpose 7".to_owned())));
        assert_eq!(lane.run(|| 2).await, Ok(2));
    }
}
