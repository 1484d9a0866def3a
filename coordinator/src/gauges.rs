//! Brings the gauges up to date before a scrape: what the store says of the fleet, and what answers.

use std::sync::Arc;
use std::time::Duration;

use gitfleet_shared::cache::Cache;
use gitfleet_shared::meter::{BROKER_BLOCKED, Counter, DEPENDENCY_UP, GaugeVec, Meter, catch_up};
use gitfleet_shared::queue::{Queue, Topic};

use crate::meters::{Meters, TOPICS};
use crate::store::ledger::Ledger;
use crate::store::listings::Budget;
use crate::vital::{Scaling, Signs, Vital};

pub struct Gauges {
    store: Arc<dyn Ledger>,
    queue: Arc<dyn Queue>,
    cache: Arc<dyn Cache>,
    vital: Arc<Vital>,
    meters: Meters,
    up: GaugeVec,
    blocked: Counter,
}

/// How long anything may take to answer. Who scrapes gives up after ten seconds.
const PATIENCE: Duration = Duration::from_secs(4);

impl Gauges {
    pub fn new(
        meter: &Meter,
        meters: Meters,
        vital: Arc<Vital>,
        store: Arc<dyn Ledger>,
        queue: Arc<dyn Queue>,
        cache: Arc<dyn Cache>,
    ) -> Self {
        let (up, blocked) = (meter.gauges(&DEPENDENCY_UP), meter.seconds(&BROKER_BLOCKED));
        Self { store, queue, cache, vital, meters, up, blocked }
    }

    /// Asks everybody at once. What does not answer is down, and its gauges stay as they were.
    pub async fn refresh(&self) {
        let (store, (), cache, signs) = tokio::join!(
            answers(self.store.describe()),
            self.count_messages(),
            answers(self.cache.describe()),
            answers(self.vital.look()),
        );
        self.set_up("store", store.is_some());
        self.set_up("cache", cache.is_some());
        catch_up(&self.blocked, self.queue.blocked().total.as_secs_f64());
        if let Some(signs) = signs {
            self.tell(&signs);
        }
        if let Some(scaling) = answers(self.vital.scaling()).await {
            self.tell_scaling(&scaling);
        }
        if let Some(budgets) = answers(self.store.budgets()).await {
            self.tell_budgets(&budgets);
        }
    }

    async fn count_messages(&self) {
        let topics: Vec<Topic> = TOPICS.iter().filter_map(|name| Topic::from_name(name)).collect();
        let counted = futures_util::future::join_all(topics.iter().map(|topic| async {
            let depth = answers(self.queue.depth(*topic)).await?;
            self.meters.queue_messages.with_label_values(&[topic.name()]).set(depth as f64);
            Some(())
        }));
        self.set_up("broker", counted.await.iter().all(Option::is_some));
    }

    fn set_up(&self, dependency: &str, is_up: bool) {
        self.up.with_label_values(&[dependency]).set(f64::from(u8::from(is_up)));
    }

    fn tell(&self, signs: &Signs) {
        let meters = &self.meters;
        meters.batches_running.set(signs.batches_running as f64);
        meters.dead_letters.set(signs.dead_letters as f64);
        meters.store_bytes.set(signs.store_bytes as f64);
        let workers = &signs.workers;
        for (state, count) in
            [("active", workers.active), ("draining", workers.draining), ("gone", workers.gone)]
        {
            meters.workers.with_label_values(&[state]).set(count as f64);
        }
        // A name that others pushed out is told of no more.
        meters.report_timestamp.reset();
        for (name, at) in &signs.reports {
            meters.report_timestamp.with_label_values(&[name]).set(*at as f64 / 1_000.0);
        }
    }

    fn tell_budgets(&self, budgets: &[(String, Budget)]) {
        let meters = &self.meters;
        for (token, budget) in budgets {
            // What was used up is whole again at that time, though nobody has asked since.
            let is_past = budget.resets_at.is_some_and(|at| at <= self.vital.now());
            let remaining = if is_past { budget.allowed } else { budget.remaining };
            let told = [
                (&meters.github_remaining, remaining.map(|count| count as f64)),
                (&meters.github_limit, budget.allowed.map(|count| count as f64)),
                (&meters.github_reset, budget.resets_at.map(|at| at as f64 / 1_000.0)),
            ];
            for (gauge, value) in told {
                if let Some(value) = value {
                    gauge.with_label_values(&[token]).set(value);
                }
            }
        }
    }

    fn tell_scaling(&self, scaling: &Scaling) {
        let meters = &self.meters;
        meters.backlog.set(scaling.backlog_work_seconds);
        meters.running_jobs.set(scaling.running_jobs as f64);
        meters.queue_oldest.set(scaling.oldest_queued_seconds);
        meters.desired_workers.set(scaling.desired_workers as f64);
    }
}

async fn answers<T, E>(asked: impl Future<Output = Result<T, E>>) -> Option<T> {
    tokio::time::timeout(PATIENCE, asked).await.ok()?.ok()
}
