//! A RabbitMQ that is killed, away, frozen, blocked, locked, cut off or set up otherwise: what was confirmed is not
//! lost, and what is not confirmed is not taken for stored.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gitfleet_shared::queue::rabbitmq::{Config, ConnectError, RabbitMq};
use gitfleet_shared::queue::{DeadLetter, Delivery, Queue, QueueError, Topic};
use gitfleet_shared::secret::Secret;
use gitfleet_testkit::proxy::Proxy;
use gitfleet_testkit::rabbitmq::{Options, RabbitMq as Server};
use lapin::options::{BasicPublishOptions, QueueDeclareOptions, QueueDeleteOptions};
use lapin::types::FieldTable;
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;

/// Waits so long for what must come, a restart of the broker included.
const PATIENCE: Duration = Duration::from_secs(60);

async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("it comes in time")
}

async fn next(queue: &RabbitMq, topic: Topic) -> Box<dyn Delivery> {
    let mut consumer = queue.consume(topic).await.unwrap();
    soon(consumer.next()).await.unwrap()
}

async fn shared() -> &'static Server {
    spawn_blocking(Server::shared).await.unwrap()
}

/// A broker for one test that disturbs it.
async fn own(options: Options) -> Arc<Server> {
    Arc::new(spawn_blocking(move || Server::start(&options)).await.unwrap())
}

fn config(server: &Server) -> Config {
    Config { prefix: server.prefix(), ..Config::new(server.url()) }
}

/// The broker by the bare client, for what the queue would not do.
async fn raw(server: &Server) -> (lapin::Connection, lapin::Channel) {
    let connection = lapin::Connection::connect(server.url(), lapin::ConnectionProperties::default());
    let connection = connection.await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    (connection, channel)
}

fn jobs_of(config: &Config) -> String {
    format!("{}.v{}.jobs", config.prefix, gitfleet_shared::contract::CONTRACT_VERSION)
}

fn unavailable(result: Result<(), QueueError>) -> String {
    let error = result.unwrap_err();
    assert!(matches!(error, QueueError::Unavailable { .. }), "{error:?}");
    std::error::Error::source(&error).unwrap().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_connection_goes_to_where_its_file_says_the_broker_is() {
    let server = shared().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("url");
    let (_, place) = server.url().rsplit_once('@').unwrap();
    std::fs::write(&file, format!("amqp://nobody:hush@{place}")).unwrap();
    let config = Config { url: Secret::in_file(&file).unwrap(), ..config(server) };
    let refused = RabbitMq::connect(config.clone()).await.err().unwrap();
    assert!(matches!(refused, ConnectError::Refused { .. }), "{refused:?}");
    let queue = RabbitMq::connect_lazily(config).unwrap();
    std::fs::write(&file, "nonsense").unwrap();
    let publishing = tokio::spawn({
        let queue = queue.clone();
        async move { queue.publish(Topic::Outcomes, b"at last".to_vec()).await }
    });
    std::fs::write(&file, server.url()).unwrap();
    soon(publishing).await.unwrap().unwrap();
    assert_eq!(next(&queue, Topic::Outcomes).await.body(), b"at last");
    queue.remove().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_broker_loses_nothing_that_was_confirmed() {
    let server = own(Options::default()).await;
    let queue = RabbitMq::connect(config(&server)).await.unwrap();
    // RabbitMQ 3.10 loses a quorum queue for good if it is killed in the second in which the queue was declared, and
    // says nothing to tell when that second is over.
    tokio::time::sleep(Duration::from_secs(5)).await;

    let (stop, mut stopped) = oneshot::channel::<()>();
    let publishing = tokio::spawn({
        let queue = queue.clone();
        async move {
            let mut confirmed = BTreeSet::new();
            let mut number = 0u32;
            while stopped.try_recv().is_err() {
                let window =
                    (number..number + 16).map(|number| {
                        let queue = queue.clone();
                        async move {
                            (number, queue.publish(Topic::Outcomes, number.to_be_bytes().to_vec()).await)
                        }
                    });
                for (number, result) in futures_util::future::join_all(window).await {
                    if result.is_ok() {
                        confirmed.insert(number);
                    }
                }
                number += 16;
            }
            confirmed
        }
    });
    let seen = Arc::new(std::sync::Mutex::new(BTreeSet::new()));
    let consuming = tokio::spawn({
        let (queue, seen) = (queue.clone(), seen.clone());
        async move {
            let mut consumer = queue.consume(Topic::Outcomes).await.unwrap();
            while let Ok(delivery) = consumer.next().await {
                let number = u32::from_be_bytes(delivery.body().try_into().unwrap());
                match delivery.ack().await {
                    // Only what was acknowledged counts: the rest must come again.
                    Ok(()) => drop(seen.lock().unwrap().insert(number)),
                    Err(QueueError::Lost) => {}
                    Err(error) => panic!("{error}"),
                }
            }
        }
    });
    let count = || seen.lock().unwrap().len();
    let before = count();
    soon(async {
        while count() < before + 200 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let broker = server.clone();
    spawn_blocking(move || broker.server().restart()).await.unwrap();
    let before = count();
    soon(async {
        while count() < before + 200 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    stop.send(()).unwrap();
    let confirmed = soon(publishing).await.unwrap();
    let missing = || confirmed.difference(&seen.lock().unwrap()).count();
    soon(async {
        while missing() > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    queue.close();
    soon(consuming).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_in_flight_are_each_confirmed_and_delivered() {
    let server = shared().await;
    let queue = RabbitMq::connect(config(server)).await.unwrap();
    let publishing = (0..5000u32).map(|number| queue.publish(Topic::Outcomes, number.to_be_bytes().to_vec()));
    for result in soon(futures_util::future::join_all(publishing)).await {
        result.unwrap();
    }
    let mut consumer = queue.consume(Topic::Outcomes).await.unwrap();
    let mut seen = BTreeSet::new();
    while seen.len() < 5000 {
        let delivery = soon(consumer.next()).await.unwrap();
        assert!(seen.insert(u32::from_be_bytes(delivery.body().try_into().unwrap())));
        delivery.ack().await.unwrap();
    }
    queue.remove().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_starts_before_the_broker_waits_for_it() {
    let server = own(Options::default()).await;
    let broker = server.clone();
    spawn_blocking(move || broker.server().kill()).await.unwrap();

    let begun = Instant::now();
    let refused = RabbitMq::connect(config(&server)).await.err().unwrap();
    assert!(matches!(refused, ConnectError::Unreachable { .. }), "{refused:?}");
    assert!(begun.elapsed() < Duration::from_secs(5));

    let deadline = Duration::from_millis(500);
    let queue = RabbitMq::connect_lazily(Config { confirm_deadline: deadline, ..config(&server) }).unwrap();
    let mut jobs = queue.consume(Topic::Jobs).await.unwrap();
    let mut control = queue.consume(Topic::Control).await.unwrap();
    let begun = Instant::now();
    let cause = unavailable(queue.publish(Topic::Jobs, b"early".to_vec()).await);
    assert!(cause.contains("cannot be reached"), "{cause}");
    assert!(begun.elapsed() < deadline * 4, "{:?}", begun.elapsed());
    assert!(matches!(queue.depth(Topic::Jobs).await, Err(QueueError::Unavailable { .. })));

    let waiting = tokio::spawn(async move { jobs.next().await.unwrap().body().to_vec() });
    let listening = tokio::spawn(async move { control.next().await.unwrap().body().to_vec() });
    let broker = server.clone();
    spawn_blocking(move || broker.server().run()).await.unwrap();
    soon(async { while queue.publish(Topic::Jobs, b"late".to_vec()).await.is_err() {} }).await;
    assert_eq!(soon(waiting).await.unwrap(), b"late");
    // A listener hears what is said after it came, and nobody tells when that is.
    let heard = async {
        while !listening.is_finished() {
            let _ = queue.publish(Topic::Control, b"pause".to_vec()).await;
        }
        listening.await.unwrap()
    };
    assert_eq!(soon(heard).await, b"pause");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_queue_takes_is_not_stored() {
    let server = own(Options::default()).await;
    let owner = config(&server);
    let removing = RabbitMq::connect(owner.clone()).await.unwrap();
    let broker = server.clone();
    spawn_blocking(move || {
        broker.control(&["add_user", "narrow", "canary"]);
        broker.control(&["set_permissions", "narrow", ".*", ".*", ".*"]);
    })
    .await
    .unwrap();
    let url = server.url().replace("guest:guest", "narrow:canary");
    let narrow =
        RabbitMq::connect(Config { prefix: owner.prefix.clone(), ..Config::new(url) }).await.unwrap();
    narrow.publish(Topic::Jobs, b"before".to_vec()).await.unwrap();

    // Deleted, it is declared again, and neither publisher nor consumer is troubled.
    let mut consumer = narrow.consume(Topic::Jobs).await.unwrap();
    soon(consumer.next()).await.unwrap().ack().await.unwrap();
    let (_connection, channel) = raw(&server).await;
    channel.queue_delete(jobs_of(&owner).into(), QueueDeleteOptions::default()).await.unwrap();
    narrow.publish(Topic::Jobs, b"again".to_vec()).await.unwrap();
    let again = soon(consumer.next()).await.unwrap();
    assert_eq!(again.body(), b"again");
    again.ack().await.unwrap();
    drop(consumer);

    // Who may not declare it is told, and not that it is stored.
    let broker = server.clone();
    spawn_blocking(move || broker.control(&["set_permissions", "narrow", "^$", ".*", ".*"])).await.unwrap();
    channel.queue_delete(jobs_of(&owner).into(), QueueDeleteOptions::default()).await.unwrap();
    let cause = unavailable(narrow.publish(Topic::Jobs, b"nowhere".to_vec()).await);
    assert!(cause.contains("no queue takes"), "{cause}");
    removing.publish(Topic::Jobs, b"somewhere".to_vec()).await.unwrap();
    assert_eq!(next(&removing, Topic::Jobs).await.body(), b"somewhere");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_is_set_up_otherwise_is_left_alone_and_told_of() {
    let server = shared().await;
    let config = config(server);
    let name = jobs_of(&config);
    let (connection, channel) = raw(server).await;
    let durable = QueueDeclareOptions::durable();
    channel.queue_declare(name.as_str().into(), durable, FieldTable::default()).await.unwrap();
    let publish = channel.basic_publish(
        "".into(),
        name.as_str().into(),
        BasicPublishOptions::default(),
        b"kept",
        lapin::BasicProperties::default(),
    );
    publish.await.unwrap();

    let error = RabbitMq::connect(config.clone()).await.err().unwrap();
    let said = error.to_string();
    assert!(matches!(error, ConnectError::Topology { .. }), "{error:?}");
    // The broker compares in the order of the alphabet, and tells of the first.
    assert!(
        said.contains(&name) && said.ends_with("x-dead-letter-exchange is none, and must be ''"),
        "{said}"
    );
    let lazy =
        RabbitMq::connect_lazily(Config { confirm_deadline: Duration::from_secs(1), ..config }).unwrap();
    let refused = lazy.publish(Topic::Jobs, b"other".to_vec()).await;
    assert!(matches!(refused, Err(QueueError::Refused { .. })), "{refused:?}");

    let counted = channel.queue_declare(name.as_str().into(), durable.passive(), FieldTable::default());
    assert_eq!(counted.await.unwrap().message_count(), 1);
    channel.queue_delete(name.into(), QueueDeleteOptions::default()).await.unwrap();
    // Now that it is gone, the one that waited makes it as it should be.
    soon(async { while lazy.publish(Topic::Jobs, b"other".to_vec()).await.is_err() {} }).await;
    lazy.remove().await.unwrap();
    drop(connection);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wire_that_swallows_is_noticed_and_one_that_heals_is_used() {
    let server = shared().await;
    // A server that is named in the environment has no port that we know of.
    if server.port() == 0 {
        return;
    }
    let proxy = Proxy::to(server.port()).await;
    let deadline = Duration::from_secs(1);
    let config = Config {
        url: server.url_at(proxy.port()).into(),
        confirm_deadline: deadline,
        connect_deadline: deadline,
        heartbeat: Duration::from_secs(1),
        ..config(server)
    };
    let queue = RabbitMq::connect(config).await.unwrap();
    let mut consumer = queue.consume(Topic::Jobs).await.unwrap();
    queue.publish(Topic::Jobs, b"a".to_vec()).await.unwrap();
    let held = soon(consumer.next()).await.unwrap();

    proxy.swallow();
    for _ in 0..3 {
        let begun = Instant::now();
        unavailable(queue.publish(Topic::Jobs, b"swallowed".to_vec()).await);
        assert!(begun.elapsed() < deadline * 2, "{:?}", begun.elapsed());
    }
    proxy.heal();
    // The broker gives it to somebody again, so it is not ours any more.
    soon(async { while queue.publish(Topic::Outcomes, Vec::new()).await.is_err() {} }).await;
    let again = soon(consumer.next()).await.unwrap();
    assert_eq!((again.body(), again.was_dropped(), again.redeliveries()), (&b"a"[..], true, 1));
    assert!(matches!(held.ack().await, Err(QueueError::Lost)));
    again.ack().await.unwrap();

    for break_it in [Proxy::cut, Proxy::refuse] {
        queue.publish(Topic::Jobs, b"b".to_vec()).await.unwrap();
        let held = soon(consumer.next()).await.unwrap();
        break_it(&proxy);
        proxy.heal();
        let again = soon(consumer.next()).await.unwrap();
        assert_eq!((again.body(), again.was_dropped()), (&b"b"[..], true));
        assert!(matches!(
            held.retry_later(Duration::ZERO).await,
            Err(QueueError::Lost | QueueError::Unavailable { .. })
        ));
        again.ack().await.unwrap();
    }
    queue.remove().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blocked_broker_takes_nothing_and_its_consumers_go_on() {
    let server = own(Options { lines: vec!["max_message_size = 100000".into()], ..Options::default() }).await;
    let deadline = Duration::from_secs(2);
    let queue = RabbitMq::connect(Config { confirm_deadline: deadline, ..config(&server) }).await.unwrap();
    for number in 0..3 {
        queue.publish(Topic::Jobs, vec![number]).await.unwrap();
    }

    // What is too large for it is told apart from what would pass later, and others are not troubled.
    let (large, small) =
        (queue.publish(Topic::Outcomes, vec![0; 200_000]), queue.publish(Topic::Outcomes, vec![1]));
    let (large, small) = tokio::join!(large, small);
    assert!(matches!(large, Err(QueueError::Refused { .. })), "{large:?}");
    small.unwrap();

    let limit = |limit: &'static str| {
        let broker = server.clone();
        spawn_blocking(move || broker.control(&["set_vm_memory_high_watermark", "absolute", limit]))
    };
    limit("1MB").await.unwrap();
    // The alarm is raised a moment later; a publish tells when.
    let begun = Instant::now();
    let cause = soon(async {
        loop {
            let begun = Instant::now();
            if let Err(error) = queue.publish(Topic::Outcomes, vec![2]).await {
                assert!(begun.elapsed() < deadline * 2, "{:?}", begun.elapsed());
                break unavailable(Err(error));
            }
        }
    })
    .await;
    assert!(cause.contains("takes no messages"), "{cause} after {:?}", begun.elapsed());
    let mut consumer = queue.consume(Topic::Jobs).await.unwrap();
    for number in 0..3 {
        let delivery = soon(consumer.next()).await.unwrap();
        assert_eq!(delivery.body(), [number]);
        delivery.ack().await.unwrap();
    }
    limit("1GB").await.unwrap();
    soon(async { while queue.publish(Topic::Jobs, vec![3]).await.is_err() {} }).await;
    assert_eq!(soon(consumer.next()).await.unwrap().body(), [3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_let_in_is_told_so_without_the_password() {
    let server = shared().await;
    let wrong = server.url().replace("guest:guest", "guest:canary");
    let nowhere = server.url().replace("/%2f", "/nowhere");
    for (url, expect) in [(wrong, "ACCESS_REFUSED"), (nowhere, "nowhere")] {
        let error = RabbitMq::connect(Config::new(url)).await.err().unwrap();
        let said = format!("{error} {error:?}");
        assert!(matches!(error, ConnectError::Refused { .. }), "{said}");
        assert!(said.contains(expect) && !said.contains("canary"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_encrypted_broker_is_used_by_those_who_trust_it() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let server = own(Options { tls: true, ..Options::default() }).await;
    let roots = std::fs::read_to_string(server.certificate()).unwrap();
    let trusting = Config { roots: Some(roots), ..config(&server) };
    assert_eq!(RabbitMq::greeting(&trusting).await.unwrap().product, "RabbitMQ");
    let queue = RabbitMq::connect(trusting).await.unwrap();
    queue.publish(Topic::Jobs, b"a".to_vec()).await.unwrap();
    assert_eq!(next(&queue, Topic::Jobs).await.body(), b"a");
    let careful = RabbitMq::connect(config(&server)).await.err().unwrap();
    assert!(matches!(careful, ConnectError::Unreachable { .. }), "{careful:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_is_put_aside_with_as_much_of_it_as_is_kept() {
    let server = shared().await;
    let config = config(server);
    let queue = RabbitMq::connect(config.clone()).await.unwrap();
    let (_connection, channel) = raw(server).await;
    let garbage = vec![0xfe; 3 << 20];
    for body in [&b""[..], b"{", &garbage] {
        let properties = lapin::BasicProperties::default().with_content_type("no/type".into());
        let (name, options) = (jobs_of(&config).into(), BasicPublishOptions::default());
        channel.basic_publish("".into(), name, options, body, properties).await.unwrap();
        let delivery = next(&queue, Topic::Jobs).await;
        assert_eq!(delivery.body(), body);
        delivery.dead_letter("not a frame".to_owned()).await.unwrap();
        let letter = next(&queue, Topic::Dead).await;
        let kept = DeadLetter::read(letter.body());
        assert_eq!((kept.topic.as_str(), kept.cause.as_str()), ("jobs", "not a frame"));
        assert_eq!(kept.body, body[..body.len().min(1 << 20)]);
        letter.ack().await.unwrap();
    }
    queue.remove().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_broker_gives_up_is_a_dead_letter() {
    let server = shared().await;
    let queue = RabbitMq::connect(config(server)).await.unwrap();
    queue.publish(Topic::Jobs, b"poison".to_vec()).await.unwrap();
    let mut jobs = queue.consume(Topic::Jobs).await.unwrap();
    let mut dead = queue.consume(Topic::Dead).await.unwrap();
    let mut most = 0;
    let letter = soon(async {
        loop {
            tokio::select! {
                delivery = jobs.next() => most = most.max(delivery.unwrap().redeliveries()),
                letter = dead.next() => break letter.unwrap(),
            }
        }
    })
    .await;
    let given_up = DeadLetter::read(letter.body());
    assert_eq!((given_up.body.as_slice(), given_up.topic.as_str()), (&b"poison"[..], ""));
    assert_eq!(most, 1000);
    letter.ack().await.unwrap();
    queue.remove().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_broker_says_what_it_is() {
    let server = shared().await;
    let greeting = RabbitMq::greeting(&config(server)).await.unwrap();
    assert_eq!(greeting.product, "RabbitMQ");
    assert!(greeting.version.starts_with(|first: char| first.is_ascii_digit()), "{greeting:?}");
    assert_eq!(greeting.properties["capabilities.publisher_confirms"], "true");

    let redis = spawn_blocking(gitfleet_testkit::redis::Redis::shared).await.unwrap();
    if redis.port() != 0 {
        let url = format!("amqp://guest:guest@127.0.0.1:{}", redis.port());
        let brief = Config { connect_deadline: Duration::from_secs(1), ..Config::new(url) };
        let error = RabbitMq::greeting(&brief).await.unwrap_err();
        assert!(!matches!(error, ConnectError::Address { .. }), "{error:?}");
    }
}
