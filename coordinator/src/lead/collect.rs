//! Records what workers say of their jobs, as much at once as has come.

use std::collections::HashMap;
use std::sync::PoisonError;
use std::time::Duration;

use futures_util::future::join_all;
use gitfleet_shared::contract::{Answer, Failure, FailureClass, HandedBack, Outcome, Why};
use gitfleet_shared::ids::BatchId;
use gitfleet_shared::queue::{Delivery, Topic};
use gitfleet_shared::trace;
use tokio::sync::watch;
use tracing::{Instrument as _, Span};

use super::{Fall, REST, Realm, Reign, chain, warn};
use crate::collect::{Collection, Purpose, collect, with_more};
use crate::store::{Effect, Recording, StoreError};
use crate::terms::Terms;

/// What comes within this time is recorded together.
const GATHER: Duration = Duration::from_millis(5);

/// An outcome, and the delivery that is settled when it is recorded.
type Heard = (Box<Outcome>, Box<dyn Delivery>);

impl Realm {
    /// Ends when whoever holds the other side of `closing` lets go of it: then what has come is recorded, and no more.
    pub(super) async fn collect(self, mut closing: watch::Receiver<()>) -> Reign {
        let mut answers = self.consume(Topic::Outcomes).await?;
        loop {
            let next = tokio::select! {
                biased;
                _ = closing.changed() => break,
                next = self.next(&mut answers) => next?,
            };
            if let Some(first) = next {
                self.settle(with_more(first, &mut answers, GATHER).await).await?;
            }
        }
        self.settle(answers.stop().await).await
    }

    /// Does what some answers ask for, and only then forgets their messages.
    async fn settle(&self, deliveries: Vec<Box<dyn Delivery>>) -> Reign {
        let mut outcomes = Vec::new();
        for delivery in deliveries {
            match Answer::decode(delivery.body()) {
                Ok(Answer::Outcome(outcome)) => outcomes.push((outcome, delivery)),
                Ok(Answer::HandedBack(back)) => self.hand_back(&back, delivery).await?,
                Err(error) => self.settled(delivery.dead_letter(error.to_string()).await)?,
            }
        }
        if !outcomes.is_empty() {
            self.record(outcomes).await?;
        }
        self.bell.work();
        Ok(())
    }

    async fn hand_back(&self, back: &HandedBack, delivery: Box<dyn Delivery>) -> Reign {
        let taken = self
            .lasting(|| async {
                let _sending = self.sending.lock().await;
                self.store.hand_back(back, self.config.patience, self.now()).await
            })
            .await?;
        match taken {
            Ok(()) => {
                if back.why == Why::Dropped {
                    self.config.meters.jobs_lost.inc();
                }
                self.settled(delivery.ack().await)
            }
            Err(error) => self.settled(delivery.dead_letter(chain(&error)).await),
        }
    }

    async fn record(&self, heard: Vec<Heard>) -> Reign {
        let outcomes: Vec<&Outcome> = heard.iter().map(|(outcome, _)| &**outcome).collect();
        let span = span(&heard);
        if self.lasting(|| self.take(&outcomes)).instrument(span).await?.is_ok() {
            gitfleet_shared::point!("recorded");
            return self.acknowledge(heard.into_iter().map(|(_, delivery)| delivery)).await;
        }
        // One of them cannot be recorded, which is no reason to lose the others.
        for (outcome, delivery) in heard {
            let alone = [&*outcome];
            match self.lasting(|| self.take(&alone)).await? {
                Ok(()) => self.settled(delivery.ack().await)?,
                Err(error) => {
                    self.give_up(&outcome, &error).await?;
                    self.settled(delivery.dead_letter(chain(&error)).await)?;
                }
            }
        }
        Ok(())
    }

    async fn acknowledge(&self, deliveries: impl Iterator<Item = Box<dyn Delivery>>) -> Reign {
        for settled in join_all(deliveries.map(|delivery| delivery.ack())).await {
            self.settled(settled)?;
        }
        Ok(())
    }

    async fn take(&self, outcomes: &[&Outcome]) -> Result<(), StoreError> {
        let mut terms = self.terms.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if outcomes.iter().any(|outcome| !terms.contains_key(&outcome.batch)) {
            terms = self.store.running().await?.into_iter().map(|batch| (batch.id, batch.terms)).collect();
        }
        let collected =
            collect(&*self.store, |batch| purpose(&terms, batch), outcomes, Some(self.now())).await?;
        self.count(outcomes, &collected);
        gitfleet_shared::point!("collected");
        Ok(())
    }

    fn count(&self, outcomes: &[&Outcome], collected: &Collection) {
        let meters = &self.config.meters;
        for (outcome, brought) in outcomes.iter().zip(&collected.brought) {
            match brought {
                Some(brought) => {
                    let word = if outcome.result.is_ok() { "done" } else { "failed" };
                    meters.jobs.with_label_values(&[brought.work, word]).inc();
                }
                None => meters.duplicates.inc(),
            }
        }
        self.count_ended(&collected.ended);
    }

    /// Does `attempt` until it succeeds or fails for a reason that lasts.
    async fn lasting<F: Future<Output = Result<(), StoreError>>>(
        &self,
        attempt: impl Fn() -> F,
    ) -> Result<Result<(), StoreError>, Fall> {
        loop {
            match attempt().await {
                Ok(()) => return Ok(Ok(())),
                Err(StoreError::Deposed) => return Err(Fall::Deposed),
                Err(error) if error.is_passing() => {
                    warn(&error, "an outcome waits for the store");
                    tokio::time::sleep(REST).await;
                }
                Err(error) => {
                    warn(&error, "an outcome cannot be recorded");
                    return Ok(Err(error));
                }
            }
        }
    }

    /// Lets the repository fail of which an outcome cannot be recorded: sent again, it would fail again.
    async fn give_up(&self, outcome: &Outcome, error: &StoreError) -> Reign {
        let message = format!("its outcome cannot be recorded: {}", chain(error));
        let failure = Failure { class: FailureClass::Internal, message };
        let failed = Outcome { result: Err(failure.clone()), ..outcome.clone() };
        let recording = Recording { outcome: &failed, effect: Effect::Failure(&failure) };
        match self.store.record(&[recording], Some(self.now())).await {
            Err(error) => self.bear(&error.into(), "a failure is not recorded").await,
            Ok(ended) => {
                self.count_ended(&ended);
                Ok(())
            }
        }
    }
}

/// Returns the span of what was heard together: it follows from the first that is part of a trace, and is linked to the
/// others.
fn span(heard: &[Heard]) -> Span {
    let mut traces = heard.iter().filter_map(|(_, delivery)| delivery.trace());
    let Some(first) = traces.next() else { return Span::none() };
    let span = tracing::info_span!(
        "collect",
        otel.name = "process outcomes",
        otel.kind = "consumer",
        messaging.operation.name = "process",
        "messaging.operation.type" = "process",
        messaging.destination.name = Topic::Outcomes.name(),
        messaging.batch.message_count = heard.len(),
    );
    trace::follow(&span, Some(first));
    traces.for_each(|other| trace::link(&span, other));
    span
}

/// What a batch is for. Of one that has ended nothing is recorded, whatever it was for.
fn purpose(terms: &HashMap<BatchId, Terms>, batch: BatchId) -> Purpose {
    terms.get(&batch).map_or(Purpose::Plan, Terms::purpose)
}
