//! Signs of life, over a real queue.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use gitfleet_shared::contract::{Heartbeat, Identity, Job, Source, Work};
use gitfleet_shared::ids::{BatchId, JobId};
use gitfleet_shared::object_id::ObjectId;
use gitfleet_shared::queue::in_process::InProcess;
use gitfleet_shared::queue::{Queue, Topic};
use gitfleet_worker::pulse::Pulse;

/// The clock of this test stands still until everybody waits, so these seconds take no time.
#[tokio::test(start_paused = true)]
async fn a_worker_is_heard_of_when_it_gets_further_and_when_it_only_waits() {
    let queue: Arc<dyn Queue> = Arc::new(InProcess::new(100));
    let batch = BatchId::from_bytes([1; 16]);
    let job = Job {
        id: JobId::derive(batch, b"work"),
        batch,
        source: Source::Local { path: "/".into() },
        work: Work::Tip { head: ObjectId::try_from(&[1; 20][..]).unwrap() },
        max_blob_bytes: 1,
        line_history: true,
        credential: None,
        erased: None,
    };
    let worker = Identity { name: "w".into(), ..Identity::default() };
    let pulse = Pulse::new(queue.clone(), worker, 2, Duration::from_millis(100));
    let done = Arc::new(AtomicU64::new(0));
    let work = async {
        tokio::time::sleep(Duration::from_secs(6)).await;
        let in_hand = pulse.begin(&job, done.clone());
        tokio::time::sleep(Duration::from_secs(6)).await;
        done.store(7, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_secs(1)).await;
        drop(in_hand);
        pulse.set_draining(true);
        tokio::time::sleep(Duration::from_secs(1)).await;
    };
    tokio::select! {
        () = pulse.beat() => unreachable!("it beats until it is cancelled"),
        () = work => {}
    }
    pulse.leave().await;
    let mut heard = Vec::new();
    let mut heartbeats = queue.consume(Topic::Heartbeats).await.unwrap();
    while let Ok(Ok(delivery)) = tokio::time::timeout(Duration::from_millis(100), heartbeats.next()).await {
        let heartbeat = Heartbeat::decode(delivery.body()).unwrap();
        assert_eq!((heartbeat.worker.name.as_str(), heartbeat.slots), ("w", 2));
        let running: Vec<u64> = heartbeat.running.iter().map(|running| running.done).collect();
        heard.push((running, heartbeat.draining, heartbeat.leaving));
        delivery.ack().await.unwrap();
    }
    let expect = [
        (vec![], false, false),
        (vec![], false, false),
        (vec![0], false, false),
        (vec![0], false, false),
        (vec![7], false, false),
        (vec![], true, false),
        (vec![], true, true),
    ];
    assert_eq!(heard, expect);
}
