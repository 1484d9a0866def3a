//! What a worker depends on: asked at each scrape, and by the probe.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use gitfleet_shared::cache::Cache;
use gitfleet_shared::meter::{BROKER_BLOCKED, Counter, DEPENDENCY_UP, GaugeVec, Meter, catch_up};
use gitfleet_shared::queue::{Queue, Topic};

/// How long anything may take to answer.
const PATIENCE: Duration = Duration::from_secs(4);

pub(crate) struct Dependencies {
    queue: Arc<dyn Queue>,
    cache: Arc<dyn Cache>,
    up: GaugeVec,
    blocked: Counter,
}

impl Dependencies {
    pub(crate) fn new(meter: &Meter, queue: Arc<dyn Queue>, cache: Arc<dyn Cache>) -> Self {
        let (up, blocked) = (meter.gauges(&DEPENDENCY_UP), meter.seconds(&BROKER_BLOCKED));
        Self { queue, cache, up, blocked }
    }

    pub(crate) async fn refresh(&self) {
        let cache = async {
            let answer = tokio::time::timeout(PATIENCE, self.cache.describe()).await;
            answer.is_ok_and(|answer| answer.is_ok())
        };
        let (broker, cache) = tokio::join!(has_queue(&*self.queue), cache);
        for (dependency, is_up) in [("broker", broker), ("cache", cache)] {
            self.up.with_label_values(&[dependency]).set(f64::from(u8::from(is_up)));
        }
        catch_up(&self.blocked, self.queue.blocked().total.as_secs_f64());
    }

    /// Returns the routes of probes. Without the queue a worker gets no jobs; without the cache it is only slower.
    pub(crate) fn probes(queue: Arc<dyn Queue>) -> Router {
        let ready = move || {
            let queue = queue.clone();
            async move {
                match has_queue(&*queue).await {
                    true => (StatusCode::OK, "ready\n"),
                    false => (StatusCode::SERVICE_UNAVAILABLE, "the queue does not answer\n"),
                }
            }
        };
        Router::new().route("/livez", get(|| async { "ok\n" })).route("/readyz", get(ready))
    }
}

async fn has_queue(queue: &dyn Queue) -> bool {
    tokio::time::timeout(PATIENCE, queue.depth(Topic::Jobs)).await.is_ok_and(|depth| depth.is_ok())
}
