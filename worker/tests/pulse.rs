//! Signs of life, over a real queue.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use gitfleet_shared::contract::{Heartbeat, Job, Source, Work};
use gitfleet_shared::ids::{BatchId, JobId};
use gitfleet_shared::object_id::ObjectId;
use gitfleet_shared::queue::in_process::InProcess;
use gitfleet_shared::queue::{Queue, Topic};
use gitfleet_worker::pulse::Pulse;

/// The clock of this test stands still until everybody waits, so these seconds take no time.
#[tokio::test(start_paused = true)]
async fn a_job_that_only_waits_is_heard_of() {
    let queue: Arc<dyn Queue> = Arc::new(InProcess::new(100));
    let batch = BatchId::from_bytes([1; 16]);
    let job = Job {
        id: JobId::derive(batch, b"work"),
        batch,
        source: Source::Local { path: "/".into() },
        work: Work::Tip { head: ObjectId::try_from(&[1; 20][..]).unwrap() },
        max_blob_bytes: 1,
    };
    let done = Arc::new(AtomicU64::new(0));
    let pulse = Pulse::new(queue.clone(), &job, "w".into(), done.clone());
    pulse
        .during(async {
            tokio::time::sleep(Duration::from_secs(40)).await;
            done.store(7, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_secs(1)).await;
        })
        .await;
    let mut heard = Vec::new();
    let mut heartbeats = queue.consume(Topic::Heartbeats).await.unwrap();
    while let Ok(Ok(delivery)) = tokio::time::timeout(Duration::from_millis(100), heartbeats.next()).await {
        heard.push(Heartbeat::decode(delivery.body()).unwrap().done);
        delivery.ack().await.unwrap();
    }
    assert_eq!(heard, [0, 0, 7]);
}
