//! The loops of the coordinator that leads a fleet: dispatch, collect, hear, rescue, conclude, for all batches at once.
//!
//! Any number of coordinators may run. One of them leads, for as long as it renews its term in the store; what it
//! records is fenced by that term, so one that was stopped and goes on later changes nothing. Each loop goes on when
//! store or queue come back, and nothing is kept in memory that the store does not have.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use gitfleet_shared::contract::{Answer, Failure, FailureClass, HandedBack, Heartbeat, Outcome};
use gitfleet_shared::ids::BatchId;
use gitfleet_shared::queue::{Consumer, DeadLetter, Delivery, Queue, QueueError, Topic};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use crate::collect::{Purpose, collect};
use crate::conclude::conclude;
use crate::dispatch::{dispatch, rooms};
use crate::manifest::{Run, manifest};
use crate::store::ledger::{Ledger, Patience, RunningBatch, Unheard};
use crate::store::{Finished, Retention, StoreError, Term};
use crate::terms::Terms;

#[derive(Debug, Clone)]
pub struct Config {
    /// How this coordinator is called; another one at every start.
    pub holder: String,
    /// How long a term lasts that is not renewed.
    pub term: Duration,
    /// Jobs that may be on the queue at a time, per slot of the workers there are. Few, because the queue knows no
    /// priorities: what is on it goes in its order.
    pub jobs_per_slot: usize,
    /// A job in hand that gives no sign of life for so long is sent again.
    pub lease: Duration,
    /// A worker that gives none for so long is gone.
    pub worker_silence: Duration,
    /// Outcomes that are recorded at the same time.
    pub collectors: usize,
    pub patience: Patience,
    pub kept: Kept,
    /// Returns the time in UTC milliseconds.
    pub now: fn() -> i64,
}

/// How long an operator can look back.
#[derive(Debug, Clone, Copy)]
pub struct Kept {
    pub attempts: Duration,
    pub dead_letters: Duration,
    /// Workers that are gone.
    pub workers: Duration,
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Default for Config {
    fn default() -> Self {
        Self {
            holder: String::new(),
            term: Duration::from_secs(10),
            jobs_per_slot: 4,
            lease: Duration::from_secs(60),
            worker_silence: Duration::from_secs(20),
            collectors: 8,
            patience: Patience { losses: Some(3), doubt_millis: 15_000, unable_millis: 30_000 },
            kept: Kept { attempts: 30 * DAY, dead_letters: 14 * DAY, workers: 7 * DAY },
            now: || Utc::now().timestamp_millis(),
        }
    }
}

/// Jobs on the queue at least and at most.
const WINDOW: std::ops::RangeInclusive<usize> = 16..=1_024;
/// How often everything is looked at that nobody rang for.
const TICK: Duration = Duration::from_millis(500);
/// How often workers are told what is wanted, though nothing new is.
const TELL_EVERY: Duration = Duration::from_secs(2);
/// For how long workers are told that a batch was cancelled, in milliseconds.
const CANCELLED_FOR: i64 = 60 * 60 * 1_000;
/// What comes within this time is answered together.
const GATHER: Duration = Duration::from_millis(10);
/// How often it is looked whether a batch has come to its end.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// How often slots are counted.
const COUNT_EVERY: Duration = Duration::from_secs(1);
/// How long a batch rests whose report could not be made.
const AGAIN_AFTER: Duration = Duration::from_secs(60);
/// How often what is old enough is removed.
const RETIRE_EVERY: Duration = Duration::from_secs(60 * 60);
/// How long a loop rests after store or queue failed it.
const REST: Duration = Duration::from_millis(500);
/// Signs of life that are noted in one transaction.
const HEARD_AT_ONCE: usize = 256;

/// Rings when something changed that the loops are to look at now. Cheap to clone; all clones ring the same.
#[derive(Clone, Default)]
pub struct Bell {
    work: Arc<Notify>,
    ends: Arc<Notify>,
    wishes: Arc<Notify>,
}

impl Bell {
    /// There is something to send, or a batch came to its end.
    pub fn work(&self) {
        self.work.notify_one();
        self.ends.notify_one();
    }

    /// There is something to tell the workers.
    pub fn wishes(&self) {
        self.wishes.notify_one();
    }
}

/// Why a reign ended, where nobody asked for it.
#[derive(Debug)]
enum Fall {
    Deposed,
    QueueClosed,
}

type Reign = Result<(), Fall>;

/// Leads whenever nobody else does, until `shutdown` ends.
///
/// # Errors
///
/// Where the queue closes for good.
pub async fn lead(
    queue: Arc<dyn Queue>,
    store: Arc<dyn Ledger>,
    config: Config,
    bell: Bell,
    shutdown: impl Future<Output = ()>,
) -> Result<(), QueueError> {
    tokio::pin!(shutdown);
    let mut tries = tokio::time::interval(config.term / 4);
    tries.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = &mut shutdown => return Ok(()),
            _ = tries.tick() => {}
        }
        let term = match store.lead(&config.holder, None, config.term).await {
            Ok(Some(term)) => term,
            Ok(None) => continue,
            Err(error) => {
                warn(&error, "nobody can be made leader");
                continue;
            }
        };
        tracing::info!(holder = config.holder, term = term.0, "leads");
        let realm = Realm::new(queue.clone(), store.fenced(term), config.clone(), bell.clone());
        let mut loops = realm.begin();
        let fall = tokio::select! {
            () = &mut shutdown => None,
            () = stays(&*store, &config, term) => Some(Fall::Deposed),
            ended = loops.join_next() => match ended {
                Some(Ok(Err(fall))) => Some(fall),
                // A loop ends by a fall only; a panic is a defect, after which all begin anew.
                _ => Some(Fall::Deposed),
            },
        };
        // Deliveries that are dropped here come again, to whoever leads then.
        loops.shutdown().await;
        match fall {
            None => {
                let _ = store.resign(term).await;
                return Ok(());
            }
            Some(Fall::QueueClosed) => return Err(QueueError::Closed),
            Some(Fall::Deposed) => tracing::warn!(holder = config.holder, "leads no more"),
        }
    }
}

/// Ends when the term could not be renewed in time.
async fn stays(store: &dyn Ledger, config: &Config, term: Term) {
    let mut renewed = tokio::time::Instant::now();
    let mut ticks = tokio::time::interval(config.term / 4);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let begun = tokio::time::Instant::now();
        match store.lead(&config.holder, Some(term), config.term).await {
            Ok(Some(now)) if now == term => renewed = begun,
            Ok(_) => {
                #[cfg(feature = "faults")]
                gitfleet_shared::faults::overlook().await;
                return;
            }
            Err(error) => {
                warn(&error, "the term cannot be renewed");
                if renewed.elapsed() >= config.term {
                    return;
                }
            }
        }
    }
}

/// What the loops of a term share.
#[derive(Clone)]
struct Realm {
    queue: Arc<dyn Queue>,
    store: Arc<dyn Ledger>,
    config: Config,
    bell: Bell,
    // Held for a look or an exchange.
    terms: Arc<Mutex<HashMap<BatchId, Terms>>>,
    /// Held while jobs are sent and marked, so that none comes back before it is known to be out.
    sending: Arc<tokio::sync::Mutex<()>>,
}

impl Realm {
    fn new(queue: Arc<dyn Queue>, store: Arc<dyn Ledger>, config: Config, bell: Bell) -> Self {
        Self { queue, store, config, bell, terms: Arc::default(), sending: Arc::default() }
    }

    fn begin(&self) -> JoinSet<Reign> {
        let mut loops = JoinSet::new();
        for _ in 0..self.config.collectors.max(1) {
            loops.spawn(self.clone().collect());
        }
        loops.spawn(self.clone().hear());
        loops.spawn(self.clone().keep_dead());
        loops.spawn(self.clone().tell());
        loops.spawn(self.clone().rescue());
        loops.spawn(self.clone().carry_on());
        loops.spawn(self.clone().conclude_all());
        loops.spawn(self.clone().retire());
        loops
    }

    fn now(&self) -> i64 {
        (self.config.now)()
    }

    /// Sends what waits.
    async fn carry_on(self) -> Reign {
        let mut window = None;
        loop {
            if let Err(error) = self.round(&mut window).await {
                self.bear(&error, "jobs are not sent").await?;
            }
            // Outcomes that come close together make room together.
            tokio::time::sleep(GATHER).await;
            let _ = tokio::time::timeout(TICK, self.bell.work.notified()).await;
        }
    }

    /// Returns how many jobs may be on the queue, by the slots there are; `known` holds what was found lately.
    async fn window(&self, known: &mut Option<(tokio::time::Instant, usize)>) -> anyhow::Result<usize> {
        if let Some((_, window)) = known.filter(|(at, _)| at.elapsed() < COUNT_EVERY) {
            return Ok(window);
        }
        let workers = self.store.workers().await?;
        let slots: i64 =
            workers.iter().filter(|worker| worker.gone_at.is_none()).map(|worker| worker.slots).sum();
        let window = (usize::try_from(slots).unwrap_or(0) * self.config.jobs_per_slot)
            .clamp(*WINDOW.start(), *WINDOW.end());
        *known = Some((tokio::time::Instant::now(), window));
        Ok(window)
    }

    async fn round(&self, known: &mut Option<(tokio::time::Instant, usize)>) -> anyhow::Result<()> {
        let running = self.store.running().await?;
        let terms = running.iter().map(|batch| (batch.id, batch.terms)).collect();
        *self.terms.lock().unwrap_or_else(PoisonError::into_inner) = terms;
        let going: Vec<&RunningBatch> =
            running.iter().filter(|batch| !batch.settled && !batch.paused).collect();
        if going.is_empty() {
            return Ok(());
        }
        let window = self.window(known).await?;
        let shares: Vec<(i64, u64)> = going.iter().map(|batch| (batch.priority, batch.sent)).collect();
        let mut out: usize =
            shares.iter().map(|(_, there)| usize::try_from(*there).unwrap_or(usize::MAX)).sum();
        for (batch, room) in going.iter().zip(rooms(window, &shares)) {
            out += self.send(batch.id, room).await?;
        }
        // What some cannot use is for the others, the most urgent first.
        for batch in &going {
            out += self.send(batch.id, window.saturating_sub(out)).await?;
        }
        Ok(())
    }

    async fn send(&self, batch: BatchId, room: usize) -> anyhow::Result<usize> {
        if room == 0 {
            return Ok(0);
        }
        let _sending = self.sending.lock().await;
        Ok(dispatch(&*self.queue, &*self.store, batch, room, self.now()).await?.len())
    }

    /// Concludes what has come to its end, one batch after another: a large report keeps no job from being sent.
    async fn conclude_all(self) -> Reign {
        let mut failed: HashMap<BatchId, tokio::time::Instant> = HashMap::new();
        loop {
            match self.store.running().await {
                Err(error) => self.bear(&error.into(), "batches are not concluded").await?,
                Ok(running) => {
                    for batch in running.iter().filter(|batch| batch.settled) {
                        if failed.get(&batch.id).is_some_and(|at| at.elapsed() < AGAIN_AFTER) {
                            continue;
                        }
                        match self.conclude(batch).await {
                            Ok(()) => failed.remove(&batch.id),
                            Err(error) => {
                                let what = "a report cannot be made, and is tried again later";
                                self.bear(&error, what).await?;
                                let passing = error.downcast_ref().is_some_and(StoreError::is_passing);
                                // One that fails for a reason of its own is in nobody's way.
                                (!passing)
                                    .then(|| failed.insert(batch.id, tokio::time::Instant::now()))
                                    .flatten()
                            }
                        };
                    }
                }
            }
            // A batch ends once, and an outcome that might have ended it comes all the time.
            tokio::time::sleep(LOOK_EVERY).await;
            let _ = tokio::time::timeout(TICK, self.bell.ends.notified()).await;
        }
    }

    async fn conclude(&self, batch: &RunningBatch) -> anyhow::Result<()> {
        if batch.terms.dry_run {
            return Ok(self.store.finish(batch.id, self.now()).await?);
        }
        gitfleet_shared::point!("C8");
        let concluded = conclude(&*self.store, batch.id, &batch.terms).await?;
        let repositories = self.store.repositories(batch.id).await?;
        let slots: i64 = self.store.workers().await?.iter().map(|worker| worker.slots).sum();
        let now = self.now();
        let run = Run {
            batch: batch.id,
            started_at: rfc3339(batch.created_at),
            finished_at: rfc3339(now),
            elapsed_millis: u64::try_from(now - batch.created_at).unwrap_or(0),
            worker_slots: usize::try_from(slots).unwrap_or(0),
            config: batch.config.clone(),
        };
        let manifest = serde_json::to_string_pretty(&manifest(run, &repositories, &concluded.report))?;
        let finished = Finished {
            batch: batch.id,
            report: &concluded.json,
            manifest: &manifest,
            inputs: concluded.inputs,
            as_of_seconds: batch.terms.as_of_seconds,
            finished_at: now,
        };
        gitfleet_shared::point!("C9");
        self.store.publish(&batch.name, &finished).await?;
        gitfleet_shared::point!("C10");
        tracing::info!(batch.id = %batch.id, name = batch.name, "the batch is finished and its report published");
        Ok(())
    }

    /// Records what workers say of their jobs.
    async fn collect(self) -> Reign {
        let mut answers = self.consume(Topic::Outcomes).await?;
        loop {
            let Some(delivery) = self.next(&mut answers).await? else { continue };
            let answer = match Answer::decode(delivery.body()) {
                Ok(answer) => answer,
                Err(error) => {
                    self.settled(delivery.dead_letter(error.to_string()).await)?;
                    continue;
                }
            };
            let lasting = loop {
                let taken = match &answer {
                    Answer::Outcome(outcome) => self.take(outcome).await,
                    Answer::HandedBack(back) => self.take_back(back).await,
                };
                match taken {
                    Ok(()) => break None,
                    Err(StoreError::Deposed) => return Err(Fall::Deposed),
                    Err(error) if error.is_passing() => {
                        warn(&error, "an outcome waits for the store");
                        tokio::time::sleep(REST).await;
                    }
                    Err(error) => break Some(error),
                }
            };
            match lasting {
                // Only now that it is durable.
                None => {
                    gitfleet_shared::point!("recorded");
                    self.settled(delivery.ack().await)?;
                }
                Some(error) => {
                    warn(&error, "an outcome cannot be recorded");
                    if let Answer::Outcome(outcome) = &answer {
                        self.give_up(outcome, &error).await?;
                    }
                    self.settled(delivery.dead_letter(chain(&error)).await)?;
                }
            }
            self.bell.work();
        }
    }

    async fn take(&self, outcome: &Outcome) -> Result<(), StoreError> {
        let known = self.terms.lock().unwrap_or_else(PoisonError::into_inner).get(&outcome.batch).copied();
        let terms = match known {
            Some(terms) => Some(terms),
            None => {
                let running = self.store.running().await?;
                running.into_iter().find(|batch| batch.id == outcome.batch).map(|batch| batch.terms)
            }
        };
        // Of a batch that has ended nothing is recorded, whatever the purpose was.
        let purpose = terms.map_or(Purpose::Plan, |terms| terms.purpose());
        collect(&*self.store, purpose, outcome).await?;
        gitfleet_shared::point!("collected");
        self.store.close_attempts(outcome, self.now()).await
    }

    async fn take_back(&self, back: &HandedBack) -> Result<(), StoreError> {
        let _sending = self.sending.lock().await;
        self.store.hand_back(back, self.config.patience, self.now()).await
    }

    /// Lets the repository fail of which an outcome cannot be recorded: sent again, it would fail again.
    async fn give_up(&self, outcome: &Outcome, error: &StoreError) -> Reign {
        let message = format!("its outcome cannot be recorded: {}", chain(error));
        let failure = Failure { class: FailureClass::Internal, message };
        let failed = Outcome { result: Err(failure.clone()), ..outcome.clone() };
        match self.store.record_failure(&failed, &failure).await {
            Err(error) => self.bear(&error.into(), "a failure is not recorded").await,
            Ok(()) => Ok(()),
        }
    }

    /// Notes signs of life.
    async fn hear(self) -> Reign {
        let mut heartbeats = self.consume(Topic::Heartbeats).await?;
        loop {
            let Some(first) = self.next(&mut heartbeats).await? else { continue };
            let mut deliveries = vec![first];
            while deliveries.len() < HEARD_AT_ONCE
                && let Ok(Ok(more)) = tokio::time::timeout(Duration::from_millis(20), heartbeats.next()).await
            {
                deliveries.push(more);
            }
            let mut heard: HashMap<String, Heartbeat> = HashMap::new();
            for delivery in &deliveries {
                if let Ok(heartbeat) = Heartbeat::decode(delivery.body()) {
                    // The later one says all that the earlier one said.
                    heard.insert(heartbeat.worker.name.clone(), heartbeat);
                }
            }
            let heard: Vec<Heartbeat> = heard.into_values().collect();
            if let Err(error) = self.store.hear(&heard, self.now()).await {
                self.bear(&error.into(), "signs of life are not noted").await?;
            }
            for delivery in deliveries {
                self.settled(delivery.ack().await)?;
            }
        }
    }

    /// Keeps what nobody could use where an operator can look at it.
    async fn keep_dead(self) -> Reign {
        let mut letters = self.consume(Topic::Dead).await?;
        loop {
            let Some(delivery) = self.next(&mut letters).await? else { continue };
            let letter = DeadLetter::read(delivery.body());
            match self.store.keep_dead(&letter, self.now()).await {
                Ok(()) => self.settled(delivery.ack().await)?,
                Err(error) => {
                    drop(delivery);
                    self.bear(&error.into(), "a dead letter is not kept").await?;
                }
            }
        }
    }

    /// Tells the workers what is wanted of them.
    async fn tell(self) -> Reign {
        loop {
            match self.store.control(self.now() - CANCELLED_FOR).await {
                Ok(control) => {
                    // Told again soon; a queue that is away has nobody listening.
                    let _ = self.queue.publish(Topic::Control, control.encode()).await;
                }
                Err(error) => self.bear(&error.into(), "workers are not told what is wanted").await?,
            }
            let _ = tokio::time::timeout(TELL_EVERY, self.bell.wishes.notified()).await;
        }
    }

    /// Removes the operator's history when it is old enough; facts and reports stay.
    async fn retire(self) -> Reign {
        let mut ticks = tokio::time::interval(RETIRE_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let before = |kept: Duration| {
                Some(self.now().saturating_sub(i64::try_from(kept.as_millis()).unwrap_or(i64::MAX)))
            };
            let Kept { attempts, dead_letters, workers } = self.config.kept;
            let before = Retention {
                attempts: before(attempts),
                dead_letters: before(dead_letters),
                workers: before(workers),
            };
            if let Err(error) = self.store.retire(&before).await {
                self.bear(&error.into(), "old history is not removed").await?;
            }
        }
    }

    /// Looks after jobs and workers that went silent.
    async fn rescue(self) -> Reign {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Err(error) = self.look_after().await {
                self.bear(&error, "silent jobs are not looked after").await?;
            }
        }
    }

    async fn look_after(&self) -> anyhow::Result<()> {
        let now = self.now();
        let millis = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        self.store.miss_workers(now - millis(self.config.worker_silence), now).await?;
        for (job, workers) in self.store.condemned(self.config.patience, now).await? {
            let names: Vec<&str> = workers
                .iter()
                .map(|worker| if worker.is_empty() { "one not heard of" } else { worker })
                .collect();
            let message = format!(
                "its {} was given up, because {} workers were lost with it: {}",
                job.work.name(),
                names.len(),
                names.join(", ")
            );
            tracing::warn!(job.id = %job.id, batch.id = %job.batch, message, "a job is given up");
            let failure = Failure { class: FailureClass::Poisoned, message };
            let outcome = Outcome {
                job: job.id,
                batch: job.batch,
                worker: String::new(),
                elapsed_millis: 0,
                result: Err(failure.clone()),
            };
            self.store.record_failure(&outcome, &failure).await?;
            self.bell.work();
        }
        // A queue that holds fewer jobs than nobody was heard to take has lost some.
        let unheard = self.store.unheard().await?;
        let lost = unheard > 0 && self.queue.depth(Topic::Jobs).await? < unheard;
        let about = if lost { Unheard::Ring } else { Unheard::Wait };
        let rung = self.store.ring_all(now - millis(self.config.lease), about).await?;
        if rung > 0 {
            tracing::warn!(jobs = rung, "jobs went silent and are sent again");
            self.bell.work();
        }
        Ok(())
    }

    async fn consume(&self, topic: Topic) -> Result<Box<dyn Consumer>, Fall> {
        loop {
            match self.queue.consume(topic).await {
                Ok(consumer) => return Ok(consumer),
                Err(QueueError::Closed) => return Err(Fall::QueueClosed),
                Err(error) => {
                    warn(&error, "the queue cannot be listened to");
                    tokio::time::sleep(REST).await;
                }
            }
        }
    }

    /// Returns the next delivery, or `None` after a while in which the queue was away.
    async fn next(&self, consumer: &mut Box<dyn Consumer>) -> Result<Option<Box<dyn Delivery>>, Fall> {
        match consumer.next().await {
            Ok(delivery) => Ok(Some(delivery)),
            Err(QueueError::Closed) => Err(Fall::QueueClosed),
            Err(error) => {
                warn(&error, "the queue cannot be listened to");
                tokio::time::sleep(REST).await;
                Ok(None)
            }
        }
    }

    /// What was not settled comes again, and changes nothing then.
    fn settled(&self, settled: Result<(), QueueError>) -> Reign {
        match settled {
            Ok(()) => Ok(()),
            Err(QueueError::Closed) => Err(Fall::QueueClosed),
            Err(error) => {
                tracing::debug!(error = &error as &dyn std::error::Error, "a delivery comes again");
                Ok(())
            }
        }
    }

    /// Goes on after a rest, unless somebody else leads now.
    async fn bear(&self, error: &anyhow::Error, what: &str) -> Reign {
        match (error.downcast_ref::<StoreError>(), error.downcast_ref::<QueueError>()) {
            (Some(StoreError::Deposed), _) => return Err(Fall::Deposed),
            (_, Some(QueueError::Closed)) => return Err(Fall::QueueClosed),
            _ => tracing::warn!(error = format!("{error:#}"), "{what}"),
        }
        tokio::time::sleep(REST).await;
        Ok(())
    }
}

fn rfc3339(millis: i64) -> String {
    DateTime::<Utc>::from_timestamp_millis(millis).unwrap_or_default().to_rfc3339()
}

fn warn(error: &dyn std::error::Error, what: &str) {
    tracing::warn!(error = chain(error), "{what}");
}

/// Returns an error with its causes in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text.push_str(": ");
        text.push_str(&next.to_string());
        cause = next.source();
    }
    text
}
