//! How a delivery is let go, and what is said before.

use std::time::Duration;

use gitfleet_shared::contract::{HandedBack, Job, Why};
use gitfleet_shared::queue::{Delivery, QueueError, Topic};
use gitfleet_shared::trace::TraceContext;

use super::Tools;

/// How long an outcome waits before the queue is asked again.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// The last thing that is done about a delivery.
pub(super) enum Settling {
    LetGo(Box<dyn Delivery>),
    Later(Box<dyn Delivery>, Duration),
    PutAside(Box<dyn Delivery>, String),
}

impl Settling {
    pub(super) async fn settle(self) -> Result<(), QueueError> {
        match self {
            Self::LetGo(delivery) => delivery.ack().await,
            Self::Later(delivery, delay) => delivery.retry_later(delay).await,
            Self::PutAside(delivery, cause) => delivery.dead_letter(cause).await,
        }
    }
}

/// Whether a slot goes on after this.
pub(super) fn goes_on(settled: Result<(), QueueError>) -> bool {
    match settled {
        // Unavailable or lost: the job comes again, to somebody else perhaps.
        Ok(()) | Err(QueueError::Lost | QueueError::Unavailable { .. }) => true,
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "the slot ends");
            false
        }
    }
}

impl Tools {
    pub(super) async fn hand_back(
        &self,
        delivery: Box<dyn Delivery>,
        job: &Job,
        why: Why,
    ) -> Result<Settling, QueueError> {
        tracing::debug!(job.id = %job.id, ?why, "job handed back");
        let (job, batch, worker) = (job.id, job.batch, self.name.clone());
        self.tell(HandedBack { job, batch, worker, why }.encode()).await?;
        Ok(Settling::LetGo(delivery))
    }

    /// Publishes what is to be heard for certain; while the queue is away, the slot waits with it in hand.
    pub(super) async fn tell(&self, frame: Vec<u8>) -> Result<(), QueueError> {
        loop {
            let trace = TraceContext::current();
            match self.queue.publish_traced(Topic::Outcomes, frame.clone(), trace).await {
                // Who has left waits for nobody; the job is delivered again.
                Err(error @ QueueError::Unavailable { .. }) if !self.wishes.has_left() => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "an outcome waits for the queue"
                    );
                    tokio::time::sleep(AGAIN_AFTER).await;
                }
                told => return told,
            }
        }
    }
}
