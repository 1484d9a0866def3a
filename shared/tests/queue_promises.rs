//! What every queue promises, asked of each adapter; and what the queue in one process promises beside.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::sync::Arc;
use std::time::Duration;

use gitfleet_shared::queue::in_process::InProcess;
use gitfleet_shared::queue::rabbitmq::{Config, RabbitMq};
use gitfleet_shared::queue::{DeadLetter, Delivery, Queue, QueueError, Topic};
use tokio::sync::watch;

/// Waits so long for what must come; a broken promise then fails instead of hanging.
const PATIENCE: Duration = Duration::from_secs(20);

async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("it comes in time")
}

async fn next(queue: &dyn Queue, topic: Topic) -> Box<dyn Delivery> {
    let mut consumer = queue.consume(topic).await.unwrap();
    soon(consumer.next()).await.unwrap()
}

/// A queue that can be closed, and taken away with all that is in it.
#[derive(Clone)]
enum Tested {
    InProcess(InProcess),
    RabbitMq(RabbitMq),
}

impl Tested {
    fn queue(&self) -> Arc<dyn Queue> {
        match self {
            Self::InProcess(queue) => Arc::new(queue.clone()),
            Self::RabbitMq(queue) => Arc::new(queue.clone()),
        }
    }

    fn close(&self) {
        match self {
            Self::InProcess(queue) => queue.close(),
            Self::RabbitMq(queue) => queue.close(),
        }
    }

    async fn in_process() -> Self {
        Self::InProcess(InProcess::new(1000))
    }

    async fn rabbitmq() -> Self {
        let server = tokio::task::spawn_blocking(gitfleet_testkit::rabbitmq::RabbitMq::shared).await.unwrap();
        let config = Config { prefix: server.prefix(), ..Config::new(server.url()) };
        Self::RabbitMq(RabbitMq::connect(config).await.unwrap())
    }

    /// Takes away what is at a broker; a queue in this process goes by itself.
    async fn end(self) {
        if let Self::RabbitMq(queue) = self {
            match queue.remove().await {
                // Closed by the test.
                Ok(()) | Err(QueueError::Closed) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }
}

macro_rules! promises {
    ($adapter:ident: $($promise:ident)*) => {
        mod $adapter {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $promise() {
                    let tested = super::Tested::$adapter().await;
                    super::$promise(tested.clone()).await;
                    tested.end().await;
                }
            )*
        }
    };
    ($($promise:ident)*) => {
        promises!(in_process: $($promise)*);
        promises!(rabbitmq: $($promise)*);
    };
}

promises! {
    what_was_published_is_delivered_on_its_topic
    what_was_dropped_unsettled_comes_again_and_what_was_acked_does_not
    what_a_dropped_consumer_held_comes_again
    a_consumer_that_panics_loses_nothing
    retry_later_is_later_and_counts
    a_dead_letter_keeps_bytes_and_cause
    many_consumers_share_the_work_and_each_message_goes_to_one
    control_reaches_every_consumer_and_waits_for_none
    a_closed_queue_says_so
    depth_counts_what_waits
    a_wait_that_is_cancelled_loses_nothing
}

async fn what_was_published_is_delivered_on_its_topic(tested: Tested) {
    let queue = tested.queue();
    for topic in [Topic::Jobs, Topic::Outcomes, Topic::Heartbeats, Topic::Dead] {
        queue.publish(topic, topic.name().into()).await.unwrap();
    }
    for topic in [Topic::Dead, Topic::Heartbeats, Topic::Outcomes, Topic::Jobs] {
        let delivery = next(&*queue, topic).await;
        assert_eq!(delivery.body(), topic.name().as_bytes());
        assert_eq!((delivery.redeliveries(), delivery.was_dropped()), (0, false));
        delivery.ack().await.unwrap();
    }
}

async fn what_was_dropped_unsettled_comes_again_and_what_was_acked_does_not(tested: Tested) {
    let queue = tested.queue();
    queue.publish(Topic::Jobs, b"a".to_vec()).await.unwrap();
    drop(next(&*queue, Topic::Jobs).await);
    let again = next(&*queue, Topic::Jobs).await;
    assert_eq!((again.body(), again.redeliveries(), again.was_dropped()), (&b"a"[..], 1, true));
    drop(again);
    let again = next(&*queue, Topic::Jobs).await;
    assert_eq!((again.redeliveries(), again.was_dropped()), (2, true));
    again.ack().await.unwrap();
    queue.publish(Topic::Jobs, b"b".to_vec()).await.unwrap();
    assert_eq!(next(&*queue, Topic::Jobs).await.body(), b"b");
}

async fn what_a_dropped_consumer_held_comes_again(tested: Tested) {
    let queue = tested.queue();
    for number in 0..10 {
        queue.publish(Topic::Outcomes, vec![number]).await.unwrap();
    }
    // Outcomes are fetched ahead; this one stays out while its consumer goes.
    let held = next(&*queue, Topic::Outcomes).await;
    let mut taken = vec![held.body()[0]];
    let mut consumer = queue.consume(Topic::Outcomes).await.unwrap();
    for _ in 1..10 {
        let delivery = soon(consumer.next()).await.unwrap();
        taken.push(delivery.body()[0]);
        delivery.ack().await.unwrap();
    }
    held.ack().await.unwrap();
    taken.sort_unstable();
    assert_eq!(taken, (0..10).collect::<Vec<u8>>());
}

async fn a_consumer_that_panics_loses_nothing(tested: Tested) {
    let queue = tested.queue();
    queue.publish(Topic::Jobs, b"a".to_vec()).await.unwrap();
    let shared = queue.clone();
    let died = tokio::spawn(async move {
        let _held = next(&*shared, Topic::Jobs).await;
        panic!("on purpose");
    });
    assert!(died.await.is_err());
    assert_eq!(next(&*queue, Topic::Jobs).await.redeliveries(), 1);
}

async fn retry_later_is_later_and_counts(tested: Tested) {
    let queue = tested.queue();
    queue.publish(Topic::Jobs, b"a".to_vec()).await.unwrap();
    drop(next(&*queue, Topic::Jobs).await);
    for redeliveries in 1..4 {
        let delivery = next(&*queue, Topic::Jobs).await;
        assert_eq!((delivery.body(), delivery.redeliveries()), (&b"a"[..], redeliveries));
        // Only the first was dropped; who sent the others away lives.
        assert_eq!(delivery.was_dropped(), redeliveries == 1);
        let begun = tokio::time::Instant::now();
        delivery.retry_later(Duration::from_millis(150)).await.unwrap();
        let again = next(&*queue, Topic::Jobs).await;
        assert!(begun.elapsed() >= Duration::from_millis(150), "{:?}", begun.elapsed());
        assert_eq!((again.redeliveries(), again.was_dropped()), (redeliveries + 1, false));
        again.ack().await.unwrap();
        // Another message, sent away as often as the next round wants it.
        queue.publish(Topic::Jobs, b"a".to_vec()).await.unwrap();
        for _ in 0..=redeliveries {
            next(&*queue, Topic::Jobs).await.retry_later(Duration::ZERO).await.unwrap();
        }
    }
    next(&*queue, Topic::Jobs).await.ack().await.unwrap();
}

async fn a_dead_letter_keeps_bytes_and_cause(tested: Tested) {
    let queue = tested.queue();
    queue.publish(Topic::Jobs, b"garbage".to_vec()).await.unwrap();
    next(&*queue, Topic::Jobs).await.dead_letter("not a frame".to_owned()).await.unwrap();
    let expect = DeadLetter { topic: "jobs".into(), cause: "not a frame".into(), body: b"garbage".to_vec() };
    let dead = next(&*queue, Topic::Dead).await;
    assert_eq!(DeadLetter::read(dead.body()), expect);
    dead.ack().await.unwrap();
    assert_eq!(queue.depth(Topic::Jobs).await.unwrap(), 0);
}

async fn many_consumers_share_the_work_and_each_message_goes_to_one(tested: Tested) {
    let queue = tested.queue();
    let (acked, mut all) = watch::channel(0);
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (queue, acked) = (queue.clone(), acked.clone());
        workers.spawn(async move {
            let mut consumer = queue.consume(Topic::Jobs).await.unwrap();
            let mut taken = Vec::new();
            while let Ok(delivery) = consumer.next().await {
                taken.push(delivery.body()[0]);
                delivery.ack().await.unwrap();
                acked.send_modify(|acked| *acked += 1);
            }
            taken
        });
    }
    for number in 0..200u8 {
        queue.publish(Topic::Jobs, vec![number]).await.unwrap();
    }
    // A message may be taken before whoever published it is told that it is stored.
    soon(all.wait_for(|acked| *acked == 200)).await.unwrap();
    tested.close();
    let mut taken: Vec<u8> = soon(workers.join_all()).await.concat();
    taken.sort_unstable();
    assert_eq!(taken, (0..200).collect::<Vec<u8>>());
}

async fn control_reaches_every_consumer_and_waits_for_none(tested: Tested) {
    let queue = tested.queue();
    queue.publish(Topic::Control, b"to nobody".to_vec()).await.unwrap();
    let mut consumers = Vec::new();
    for _ in 0..3 {
        consumers.push(queue.consume(Topic::Control).await.unwrap());
    }
    queue.publish(Topic::Control, b"pause".to_vec()).await.unwrap();
    queue.publish(Topic::Control, b"resume".to_vec()).await.unwrap();
    for consumer in &mut consumers {
        // Dropped or acknowledged, it is not said again.
        let heard = soon(consumer.next()).await.unwrap();
        assert_eq!(heard.body(), b"pause");
        drop(heard);
        let heard = soon(consumer.next()).await.unwrap();
        assert_eq!(heard.body(), b"resume");
        heard.ack().await.unwrap();
    }
    assert_eq!(queue.depth(Topic::Control).await.unwrap(), 0);
}

async fn a_closed_queue_says_so(tested: Tested) {
    let queue = tested.queue();
    let mut waiting = queue.consume(Topic::Jobs).await.unwrap();
    let waiting = tokio::spawn(async move { waiting.next().await.map(drop) });
    queue.publish(Topic::Outcomes, b"out".to_vec()).await.unwrap();
    let out = next(&*queue, Topic::Outcomes).await;
    tested.close();
    assert!(matches!(soon(waiting).await.unwrap(), Err(QueueError::Closed)));
    assert!(matches!(soon(queue.publish(Topic::Jobs, Vec::new())).await, Err(QueueError::Closed)));
    if let Ok(mut consumer) = queue.consume(Topic::Jobs).await {
        assert!(matches!(soon(consumer.next()).await, Err(QueueError::Closed)));
    }
    out.ack().await.expect("deliveries that are out may still be settled");
}

async fn depth_counts_what_waits(tested: Tested) {
    let queue = tested.queue();
    for number in 1..=3 {
        queue.publish(Topic::Jobs, vec![number]).await.unwrap();
    }
    // A quorum queue tells of a message a moment after it has confirmed it.
    soon(async { while queue.depth(Topic::Jobs).await.unwrap() != 3 {} }).await;
    let mut consumer = queue.consume(Topic::Jobs).await.unwrap();
    let out = soon(consumer.next()).await.unwrap();
    soon(async { while queue.depth(Topic::Jobs).await.unwrap() != 2 {} }).await;
    out.ack().await.unwrap();
}

async fn a_wait_that_is_cancelled_loses_nothing(tested: Tested) {
    let queue = tested.queue();
    let mut consumer = queue.consume(Topic::Jobs).await.unwrap();
    for number in 0..50 {
        queue.publish(Topic::Jobs, vec![number]).await.unwrap();
    }
    let mut taken = Vec::new();
    soon(async {
        while taken.len() < 50 {
            tokio::select! {
                biased;
                delivery = consumer.next() => {
                    let delivery = delivery.unwrap();
                    taken.push(delivery.body()[0]);
                    delivery.ack().await.unwrap();
                }
                () = tokio::task::yield_now() => {}
            }
        }
    })
    .await;
    assert_eq!(taken, (0..50).collect::<Vec<u8>>());
}

#[tokio::test]
async fn a_full_topic_holds_the_publisher_back_and_heartbeats_give_way() {
    let queue = InProcess::new(4);
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
    soon(waiting).await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn in_one_process_a_delay_is_kept_to_the_moment() {
    let queue = InProcess::new(4);
    queue.publish(Topic::Jobs, b"a".to_vec()).await.unwrap();
    let begun = tokio::time::Instant::now();
    next(&queue, Topic::Jobs).await.retry_later(Duration::from_secs(5)).await.unwrap();
    next(&queue, Topic::Jobs).await.ack().await.unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(5));
}
