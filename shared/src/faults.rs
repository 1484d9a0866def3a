//! Named places at which a process dies, and named promises it breaks, for tests that ask whether anybody notices.
//!
//! Without the feature `faults`, which no binary for users has, [`point!`](crate::point) is nothing and
//! [`sabotaged!`](crate::sabotaged) is `false`, and none of this is compiled. Whoever starts the process says what is
//! to go wrong in it; a library reads no environment.

use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use crate::queue::{Delivery, QueueError};

/// What goes wrong in this process.
#[derive(Debug, Default)]
struct Faults {
    crash_at: Option<String>,
    sabotage: Option<String>,
    // How often the place has yet to be passed unharmed; held to count one down.
    spared: Mutex<u32>,
}

static FAULTS: OnceLock<Faults> = OnceLock::new();

/// Lets the process die at the place `crash_at`, or at the third time there if that is `place:3`, and break the
/// promises that `sabotage` names, with commas between them. Only the first call counts.
pub fn arm(crash_at: Option<&str>, sabotage: Option<&str>) {
    let named = crash_at.filter(|place| !place.is_empty());
    let (place, time) = match named.and_then(|place| place.split_once(':')) {
        Some((place, time)) => (Some(place), time.parse().unwrap_or(1)),
        None => (named, 1),
    };
    let _ = FAULTS.set(Faults {
        crash_at: place.map(str::to_owned),
        sabotage: sabotage.map(str::to_owned),
        spared: Mutex::new(time - time.min(1)),
    });
}

/// Dies here, as by SIGKILL and with nothing cleaned up, if this is where the process is to die.
pub fn pass(place: &str) {
    let Some(faults) = FAULTS.get().filter(|faults| faults.crash_at.as_deref() == Some(place)) else {
        return;
    };
    let mut spared = faults.spared.lock().unwrap_or_else(PoisonError::into_inner);
    match spared.checked_sub(1) {
        Some(left) => *spared = left,
        None => std::process::abort(),
    }
}

/// Whether the process breaks this promise.
pub fn breaks(promise: &str) -> bool {
    let told = FAULTS.get().and_then(|faults| faults.sabotage.as_deref());
    told.is_some_and(|promises| promises.split(',').any(|broken| broken == promise))
}

/// Takes a second where the process was told to take its time, so that something can happen meanwhile.
pub async fn dawdle() {
    if breaks("haste") {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// Notices something two seconds late where the process was told to.
pub async fn overlook() {
    if breaks("notice") {
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
}

/// Dies of `source` if the process was told to die of such: late enough to be heard of, as one that dies of its work.
pub async fn swallow(source: &str) {
    if source.contains("poison")
        && FAULTS.get().is_some_and(|faults| faults.crash_at.as_deref() == Some("poison"))
    {
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        pass("poison");
    }
}

/// A delivery that was let go before anything came of it.
struct Early {
    body: Vec<u8>,
    trace: Option<crate::trace::TraceContext>,
    redeliveries: u32,
    was_dropped: bool,
}

/// Breaks the promise `ack_before_effect`, where that is to be broken: what is returned is settled already.
///
/// # Errors
///
/// Where the queue fails.
pub async fn perhaps_early(delivery: Box<dyn Delivery>) -> Result<Box<dyn Delivery>, QueueError> {
    if !breaks("ack_before_effect") {
        return Ok(delivery);
    }
    let (redeliveries, was_dropped) = (delivery.redeliveries(), delivery.was_dropped());
    let trace = delivery.trace();
    let early = Early { body: delivery.body().to_vec(), trace, redeliveries, was_dropped };
    delivery.ack().await?;
    Ok(Box::new(early))
}

#[async_trait]
impl Delivery for Early {
    fn body(&self) -> &[u8] {
        &self.body
    }

    fn trace(&self) -> Option<crate::trace::TraceContext> {
        self.trace
    }

    fn redeliveries(&self) -> u32 {
        self.redeliveries
    }

    fn was_dropped(&self) -> bool {
        self.was_dropped
    }

    async fn ack(self: Box<Self>) -> Result<(), QueueError> {
        Ok(())
    }

    async fn retry_later(self: Box<Self>, _delay: Duration) -> Result<(), QueueError> {
        Ok(())
    }

    async fn dead_letter(self: Box<Self>, _cause: String) -> Result<(), QueueError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_was_told_nothing_passes_and_keeps_its_promises() {
        pass("W1");
        assert!(!breaks("no_fence"));
        arm(Some("W1:3"), Some("no_fence"));
        pass("W1");
        pass("W1");
        pass("W2");
        assert!(breaks("no_fence"));
        assert!(!breaks("no_confirm"));
    }
}
