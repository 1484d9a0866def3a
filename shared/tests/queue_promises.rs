//! What every queue promises, asked of each adapter.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::sync::Arc;
use std::time::Duration;

use gitfleet_shared::queue::in_process::InProcess;
use gitfleet_shared::queue::{Queue, QueueError, Topic};

fn queue() -> InProcess {
    InProcess::new(4)
}

/// Waits so long for what must come; a broken promise then fails instead of hanging.
const PATIENCE: Duration = Duration::from_secs(20);

async fn next(queue: &dyn Queue, topic: Topic) -> Box<dyn gitfleet_shared::queue::Delivery> {
    let mut consumer = queue.consume(topic).await.unwrap();
    tokio::time::timeout(PATIENCE, consumer.next()).await.unwrap().unwrap()
}

#[tokio::test]
async fn what_was_published_is_delivered_on_its_topic() {
    let queue = queue();
    queue.publish(Topic::Jobs, b"job".to_vec()).await.unwrap();
    queue.publish(Topic::Outcomes, b"outcome".to_vec()).await.unwrap();
    let delivery = next(&queue, Topic::Outcomes).await;
    assert_eq!((delivery.body(), delivery.redeliveries()), (&b"outcome"[..], 0));
    delivery.ack().await.unwrap();
    assert_eq!(next(&queue, Topic::Jobs).await.body(), b"job");
}

#[tokio::test]
async fn what_was_dropped_unsettled_comes_again_and_what_was_acked_does_not() {
    let queue = queue();
    queue.publish(Topic::Jobs, b"a".to_vec()).await.unwrap();
    drop(next(&queue, Topic::Jobs).await);
    let again = next(&queue, Topic::Jobs).await;
    assert_eq!((again.body(), again.redeliveries()), (&b"a"[..], 1));
    again.ack().await.unwrap();
    queue.publish(Topic::Jobs, b"b".to_vec()).await.unwrap();
    assert_eq!(next(&queue, Topic::Jobs).await.body(), b"b");
}

#[tokio::test]
async fn a_consumer_that_panics_loses_nothing() {
    let queue = queue();
    queue.publish(Topic::Jobs, b"a".to_vec()).await.unwrap();
    let shared = Arc::new(queue.clone());
    let died = tokio::spawn(async move {
        let _held = next(&*shared, Topic::Jobs).await;
        panic!("on purpose");
    });
    assert!(died.await.is_err());
    assert_eq!(next(&queue, Topic::Jobs).await.redeliveries(), 1);
}

#[tokio::test(start_paused = true)]
async fn retry_later_is_later() {
    let queue = queue();
    queue.publish(Topic::Jobs, b"a".to_vec()).await.unwrap();
    let begun = tokio::time::Instant::now();
    next(&queue, Topic::Jobs).await.retry_later(Duration::from_secs(5)).await.unwrap();
    let again = next(&queue, Topic::Jobs).await;
    assert_eq!(again.redeliveries(), 1);
    assert!(begun.elapsed() >= Duration::from_secs(5));
}

#[tokio::test]
async fn a_dead_letter_keeps_bytes_and_cause() {
    let queue = queue();
    queue.publish(Topic::Jobs, b"garbage".to_vec()).await.unwrap();
    next(&queue, Topic::Jobs).await.dead_letter("not a frame".to_owned()).await.unwrap();
    let dead = queue.dead_letters();
    assert_eq!((&*dead[0].body, dead[0].cause.as_str()), (&b"garbage"[..], "not a frame"));
}

#[tokio::test]
async fn a_full_topic_holds_the_publisher_back_and_heartbeats_give_way() {
    let queue = queue();
    for _ in 0..4 {
        queue.publish(Topic::Outcomes, Vec::new()).await.unwrap();
    }
    let waiting = tokio::spawn({
        let queue = queue.clone();
        async move { queue.publish(Topic::Outcomes, b"fifth".to_vec()).await }
    });
    // Heartbeats never wait, however many there are.
    for _ in 0..100 {
        queue.publish(Topic::Heartbeats, Vec::new()).await.unwrap();
    }
    assert!(!waiting.is_finished());
    next(&queue, Topic::Outcomes).await.ack().await.unwrap();
    tokio::time::timeout(PATIENCE, waiting).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn many_consumers_share_the_work_and_each_message_goes_to_one() {
    let queue = queue();
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let queue = queue.clone();
        workers.spawn(async move {
            let mut consumer = queue.consume(Topic::Jobs).await.unwrap();
            let mut taken = Vec::new();
            while let Ok(delivery) = consumer.next().await {
                taken.push(delivery.body()[0]);
                delivery.ack().await.unwrap();
            }
            taken
        });
    }
    for number in 0..200u8 {
        queue.publish(Topic::Jobs, vec![number]).await.unwrap();
    }
    queue.close();
    let mut taken: Vec<u8> = workers.join_all().await.concat();
    taken.sort_unstable();
    assert_eq!(taken, (0..200).collect::<Vec<u8>>());
}

#[tokio::test]
async fn a_closed_queue_says_so() {
    let queue = queue();
    queue.close();
    assert!(matches!(queue.publish(Topic::Jobs, Vec::new()).await, Err(QueueError::Closed)));
    let mut consumer = queue.consume(Topic::Jobs).await.unwrap();
    assert!(matches!(consumer.next().await, Err(QueueError::Closed)));
}
