//! The story of a worker: take a job, do it, say what came of it, and only then let the job go.
//!
//! What a slot is given for it is in [`tools`], how a job is done in [`work`] and [`block`], and how a delivery is let go
//! in [`settle`].

mod block;
mod settle;
mod tools;
mod undone;
mod work;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use gitfleet_shared::contract::{Failure, FailureClass, Job, Outcome, Why, WorkResult};
use gitfleet_shared::queue::{Delivery, QueueError, Topic};
use gitfleet_shared::trace::{self, TraceContext};
use tracing::{Instrument as _, Span};

use self::settle::{Settling, goes_on};
pub(crate) use self::tools::Tools;
use self::undone::Undone;
use self::work::Open;
use crate::disposition::{self, Disposition};
use crate::lane::Lane;

/// Work that was told to stop looks up at the next block of commits; what does not in so long is left behind.
const DEAF_AFTER: Duration = Duration::from_secs(30);

/// Returns the span of a job that is part of a trace.
fn span(job: &Job, trace: Option<TraceContext>) -> Span {
    if trace.is_none() {
        return Span::none();
    }
    let span = tracing::info_span!(
        "job",
        otel.name = %format_args!("process {}", job.work.name()),
        otel.kind = "consumer",
        messaging.operation.name = "process",
        "messaging.operation.type" = "process",
        messaging.destination.name = Topic::Jobs.name(),
        job.id = %job.id,
        batch.id = %job.batch,
        vcs.repository.url.full = trace::public_url(&job.source.to_string()),
        "error.type" = tracing::field::Empty,
    );
    trace::follow(&span, trace);
    span
}

/// One job at a time, with the engine of the last repository kept for the next slice of it.
pub(crate) struct Slot {
    tools: Tools,
    open: Option<Open>,
}

impl Slot {
    pub(crate) fn new(tools: Tools) -> Self {
        Self { tools, open: None }
    }

    /// Takes jobs until the worker leaves or the queue ends.
    pub(crate) async fn run(mut self) {
        let mut wishes = self.tools.wishes.clone();
        loop {
            if wishes.wait_for_work().await.is_err() {
                return;
            }
            let Ok(mut jobs) = self.tools.queue.consume(Topic::Jobs).await else { return };
            let last = loop {
                let delivery = tokio::select! {
                    biased;
                    () = wishes.no_more_work() => break None,
                    delivery = jobs.next() => delivery,
                };
                let Ok(delivery) = delivery else { return };
                match self.take(delivery).await {
                    // Let go, it would bring the next one, which would be on its way while nobody listens any more.
                    Ok(settling) if wishes.is_no_more_work() => break Some(settling),
                    Ok(settling) => {
                        if !goes_on(settling.settle().await) {
                            return;
                        }
                        gitfleet_shared::point!("W10");
                    }
                    Err(error) => {
                        if !goes_on(Err(error)) {
                            return;
                        }
                    }
                }
            };
            let left = jobs.stop().await;
            if let Some(settling) = last
                && !goes_on(settling.settle().await)
            {
                return;
            }
            // What was delivered and not begun goes back in order: dropped, it would count as lost.
            for delivery in left {
                let given_back = match Job::decode(delivery.body()) {
                    Ok(job) => self.tools.hand_back(delivery, &job, Why::Interrupted).await,
                    Err(error) => Ok(Settling::PutAside(delivery, error.to_string())),
                };
                let settled = match given_back {
                    Ok(settling) => settling.settle().await,
                    Err(error) => Err(error),
                };
                if let Err(error) = settled {
                    tracing::debug!(
                        error = &error as &dyn std::error::Error,
                        "a job is given back by the queue"
                    );
                }
            }
        }
    }

    /// Does what a delivery asks for, and returns how it is to be let go.
    async fn take(&mut self, delivery: Box<dyn Delivery>) -> Result<Settling, QueueError> {
        let job = match Job::decode(delivery.body()) {
            Ok(job) => job,
            Err(error) => return Ok(Settling::PutAside(delivery, error.to_string())),
        };
        if let Some(why) = self.tools.wishes.against(job.batch) {
            return self.tools.hand_back(delivery, &job, why).await;
        }
        gitfleet_shared::point!("W1");
        if delivery.was_dropped() {
            return self.tools.hand_back(delivery, &job, Why::Dropped).await;
        }
        let started = Instant::now();
        #[cfg(feature = "faults")]
        let delivery = gitfleet_shared::faults::perhaps_early(delivery).await?;
        let span = span(&job, delivery.trace());
        let busy = self.tools.meters.busy();
        let attended = self.attend(&job).instrument(span.clone()).await;
        drop(busy);
        if let Err(Undone::Failed(failure)) = &attended {
            span.record("error.type", failure.class.name());
        }
        if let Ok(_) | Err(Undone::Failed(_)) = &attended {
            let seconds = self.tools.meters.job_seconds.with_label_values(&[job.work.name()]);
            seconds.observe(started.elapsed().as_secs_f64());
        }
        if let Err(Undone::Failed(failure)) = &attended {
            self.tools.meters.errors.with_label_values(&[failure.class.name()]).inc();
        }
        let result = match attended {
            Ok(result) => Ok(result),
            Err(Undone::Failed(failure)) if failure.class == FailureClass::DiskFull => {
                tracing::warn!(reason = failure.message, "the job goes back");
                return self.tools.hand_back(delivery, &job, Why::Unable).await;
            }
            Err(Undone::Failed(mut failure)) => {
                // What fails may say whose commit it failed at.
                if let Ok(erased) = self.tools.erased(&job) {
                    failure.message = erased.redact_text(&failure.message).into_owned();
                }
                Err(failure)
            }
            Err(Undone::Interrupted) => {
                let why = self.tools.wishes.against(job.batch).unwrap_or(Why::Interrupted);
                return self.tools.hand_back(delivery, &job, why).await;
            }
        };
        match disposition::of(&result, delivery.redeliveries()) {
            Disposition::RetryLater(delay) => Ok(Settling::Later(delivery, delay)),
            Disposition::Report => {
                let outcome = Outcome {
                    job: job.id,
                    batch: job.batch,
                    worker: self.tools.name.clone(),
                    elapsed_millis: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
                    result,
                };
                gitfleet_shared::point!("W7");
                // Only when the outcome is stored may the job go.
                self.tools.tell(outcome.encode()).instrument(span).await?;
                gitfleet_shared::point!("W9");
                Ok(Settling::LetGo(delivery))
            }
        }
    }

    /// Works on `job` for as long as it is wanted and may take.
    async fn attend(&mut self, job: &Job) -> Result<WorkResult, Undone> {
        let (done, stop) = (self.tools.done.clone(), self.tools.stop.clone());
        done.store(0, Ordering::Relaxed);
        stop.store(false, Ordering::Relaxed);
        let _in_hand = self.tools.pulse.begin(job, done);
        #[cfg(feature = "faults")]
        gitfleet_shared::faults::swallow(&job.source.to_string()).await;
        let (limit, mut wishes) = (self.tools.job_time, self.tools.wishes.clone());
        let mut too_long = false;
        {
            let work = self.work(job);
            tokio::pin!(work);
            tokio::select! {
                result = &mut work => return result,
                () = wishes.stop(job.batch) => {}
                () = tokio::time::sleep(limit) => too_long = true,
            }
            stop.store(true, Ordering::Relaxed);
            if let Ok(result) = tokio::time::timeout(DEAF_AFTER, work).await
                && !(too_long && matches!(result, Err(Undone::Interrupted)))
            {
                return result;
            }
        }
        // A thread cannot be ended from outside; it is left to itself, and the slot goes on with another one.
        self.tools.lane = Lane::start().map_err(|_| Undone::Interrupted)?;
        self.tools.stop = Arc::default();
        self.open = None;
        if !too_long {
            return Err(Undone::Interrupted);
        }
        let message =
            format!("the {} took longer than {} s, the limit of a job", job.work.name(), limit.as_secs());
        Err(Undone::Failed(Failure { class: FailureClass::TimedOut, message }))
    }
}
