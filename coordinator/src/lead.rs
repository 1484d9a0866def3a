//! The loops of the coordinator that leads a fleet: dispatch, collect, hear, rescue, conclude, for all batches at once.
//!
//! Any number of coordinators may run. One of them leads, for as long as it renews its term in the store; what it
//! records is fenced by that term, so one that was stopped and goes on later changes nothing. Each loop goes on when
//! store or queue come back, and nothing is kept in memory that the store does not have.

mod close;
mod collect;
mod fire;
mod hear;
mod keep;
mod send;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::Utc;
use gitfleet_shared::cache::Cache;
use gitfleet_shared::ids::BatchId;
use gitfleet_shared::queue::{Consumer, Delivery, Queue, QueueError, Topic};
use gitfleet_shared::sources::Policy;
use tokio::sync::{Notify, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::MissedTickBehavior;

use crate::github::Lister;
use crate::meters::Meters;
use crate::store::ledger::{Ledger, Patience};
use crate::store::{Ended, StoreError, Term};
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
    /// Where workers may be sent.
    pub sources: Policy,
    /// Lists what schedules ask for by account; without it, they fail.
    pub lister: Option<Lister>,
    pub meters: Meters,
    /// Purged where a worker that had not heard of it named somebody who was erased.
    pub cache: Option<Purged>,
    /// Returns the time in UTC milliseconds.
    pub now: fn() -> i64,
}

/// A cache that is at times to be purged.
#[derive(Clone)]
pub struct Purged(pub Arc<dyn Cache>);

impl std::fmt::Debug for Purged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a cache")
    }
}

/// How long an operator can look back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// Batches that have ended, with their jobs and reports; what is published stays.
    pub batches: Duration,
    pub attempts: Duration,
    pub dead_letters: Duration,
    /// Workers that are gone.
    pub workers: Duration,
    /// Tokens that expired or were revoked.
    pub tokens: Duration,
    /// Entries of the audit log.
    pub audit: Duration,
}

impl Default for Kept {
    fn default() -> Self {
        Self {
            batches: 400 * DAY,
            attempts: 30 * DAY,
            dead_letters: 14 * DAY,
            workers: 7 * DAY,
            tokens: 90 * DAY,
            audit: 400 * DAY,
        }
    }
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
            collectors: 2,
            patience: Patience { losses: Some(3), doubt_millis: 15_000, unable_millis: 30_000 },
            kept: Kept::default(),
            sources: Policy::default(),
            lister: None,
            meters: Meters::default(),
            cache: None,
            now: || Utc::now().timestamp_millis(),
        }
    }
}

/// How often everything is looked at that nobody rang for.
const TICK: Duration = Duration::from_millis(500);
/// How long a loop rests after store or queue failed it.
const REST: Duration = Duration::from_millis(500);

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
        config.meters.leader.set(1.0);
        let realm = Realm::new(queue.clone(), store.fenced(term), config.clone(), bell.clone());
        let (mut loops, (close, closing)) = (realm.begin(), watch::channel(()));
        let mut collectors = realm.collectors(&closing);
        let fall = tokio::select! {
            () = &mut shutdown => None,
            () = stays(&*store, &config, term) => Some(Fall::Deposed),
            ended = loops.join_next() => Some(fall(ended)),
            ended = collectors.join_next() => Some(fall(ended)),
        };
        config.meters.leader.set(0.0);
        loops.shutdown().await;
        if fall.is_none() {
            drop(close);
            let recorded = async { while collectors.join_next().await.is_some() {} };
            let _ = tokio::time::timeout(config.term / 2, recorded).await;
        }
        // Deliveries that are dropped here come again, to whoever leads then.
        collectors.shutdown().await;
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

/// Returns why a loop ended: by a fall only. A panic is a defect, after which all begin anew.
fn fall(ended: Option<Result<Reign, JoinError>>) -> Fall {
    match ended {
        Some(Ok(Err(fall))) => fall,
        _ => Fall::Deposed,
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

    /// Begins to record what workers say, until `closing` is told to end: then what has come is recorded, and no more.
    fn collectors(&self, closing: &watch::Receiver<()>) -> JoinSet<Reign> {
        let collector = || self.clone().collect(closing.clone());
        (0..self.config.collectors.max(1)).map(|_| collector()).collect()
    }

    /// Begins everything else.
    fn begin(&self) -> JoinSet<Reign> {
        let mut loops = JoinSet::new();
        loops.spawn(self.clone().hear());
        loops.spawn(self.clone().keep_dead());
        loops.spawn(self.clone().tell());
        loops.spawn(self.clone().rescue());
        loops.spawn(self.clone().carry_on());
        loops.spawn(self.clone().conclude_all());
        loops.spawn(self.clone().retire());
        loops.spawn(self.clone().watch_clock());
        loops.spawn(self.clone().fire_all());
        loops
    }

    fn count_ended(&self, ended: &[Ended]) {
        let meters = &self.config.meters;
        for one in ended {
            meters.repositories.with_label_values(&[one.state.name()]).inc();
            if let Some(class) = one.class {
                meters.errors.with_label_values(&[class.name()]).inc();
            }
        }
    }

    fn now(&self) -> i64 {
        (self.config.now)()
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
