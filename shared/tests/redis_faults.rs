//! A Redis that is away, frozen, flushed, full, locked or encrypted: the cache over it answers in time, and never with
//! an error.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::time::{Duration, Instant};

use gitfleet_shared::cache::redis::{Config, Redis};
use gitfleet_shared::cache::{Cache, Key};
use gitfleet_shared::object_id::ObjectId;
use gitfleet_shared::secret::Secret;
use gitfleet_testkit::redis::{Options, Redis as Server};

fn key(number: u8) -> Key {
    Key::facts(&[0; 32], 1, &ObjectId::try_from(&[number; 20][..]).unwrap())
}

/// A cache whose deadlines a busy machine keeps where Redis answers, and whose breaker opens soon and not for long.
fn config(url: &str) -> Config {
    Config {
        read_deadline: Duration::from_secs(5),
        write_deadline: Duration::from_secs(5),
        failures: 3,
        pause: Duration::from_millis(300),
        ..Config::new(url)
    }
}

fn cache(server: &Server) -> Redis {
    Redis::connect(config(server.url())).unwrap()
}

async fn holds(cache: &Redis) -> bool {
    cache.get(&[key(1)]).await == [Some(b"one".to_vec())]
}

async fn put(cache: &Redis) {
    cache.put(vec![(key(1), b"one".to_vec())]).await;
}

/// Asks until the cache holds again what is put into it, as it does once the breaker lets somebody try.
async fn until_it_works(cache: &Redis) {
    let begun = Instant::now();
    while !holds(cache).await {
        assert!(begun.elapsed() < Duration::from_secs(20), "it does not come back: {:?}", cache.counters());
        put(cache).await;
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_redis_that_is_away_is_a_cache_of_misses_until_it_comes() {
    let server = Server::start(&Options::default());
    server.server().kill();
    let cache = cache(&server);
    let begun = Instant::now();
    for _ in 0..100 {
        put(&cache).await;
        assert!(!holds(&cache).await);
    }
    // Refused at once, and soon not even asked.
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    let counters = cache.counters();
    assert!(counters.rejected > 0 && counters.errors >= 3 && counters.lost_puts == 100, "{counters:?}");
    assert!(cache.stats().await.is_err() && cache.purge().await.is_err());
    server.server().run();
    until_it_works(&cache).await;
}

#[tokio::test]
async fn a_new_connection_goes_to_where_its_file_says_redis_is() {
    let (before, after) = (Server::start(&Options::default()), Server::start(&Options::default()));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("url");
    std::fs::write(&file, before.url()).unwrap();
    let url = Secret::in_file(&file).unwrap();
    let cache = Redis::connect(Config { url, ..config(before.url()) }).unwrap();
    until_it_works(&cache).await;
    std::fs::write(&file, "nonsense").unwrap();
    assert!(cache.stats().await.is_ok(), "what is no address changes nothing");
    std::fs::write(&file, after.url()).unwrap();
    assert!(holds(&cache).await, "the connection that stands is kept");
    before.server().kill();
    until_it_works(&cache).await;
}

#[tokio::test]
async fn a_killed_redis_comes_back_empty() {
    let server = Server::start(&Options::default());
    let cache = cache(&server);
    put(&cache).await;
    assert!(holds(&cache).await);
    server.server().kill();
    assert!(!holds(&cache).await);
    server.server().run();
    until_it_works(&cache).await;
}

#[tokio::test]
async fn a_frozen_redis_costs_a_few_deadlines_and_then_nothing() {
    let server = Server::start(&Options::default());
    let deadline = Duration::from_millis(500);
    let warm = cache(&server);
    put(&warm).await;
    let cache = Redis::connect(Config {
        read_deadline: deadline,
        pause: Duration::from_secs(600),
        ..config(server.url())
    })
    .unwrap();
    let keys: Vec<Key> = (0..=255).cycle().take(5000).map(key).collect();
    assert_eq!(cache.get(&keys).await.len(), 5000);
    server.server().stop();
    for _ in 0..3 {
        assert!(!cache.is_resting());
        let begun = Instant::now();
        // Ten round trips' worth of keys, and one deadline.
        assert_eq!(cache.get(&keys).await, vec![None; 5000]);
        let elapsed = begun.elapsed();
        assert!(elapsed >= deadline && elapsed < deadline * 2, "{elapsed:?}");
    }
    assert!(cache.is_resting());
    let begun = Instant::now();
    for _ in 0..1000 {
        assert_eq!(cache.get(&[key(1)]).await, [None]);
    }
    assert!(begun.elapsed() < deadline, "{:?}", begun.elapsed());
    assert_eq!(cache.counters().rejected, 1000);
    server.server().resume();
    until_it_works(&warm).await;
}

#[tokio::test]
async fn a_flushed_redis_has_nothing_and_takes_everything() {
    let server = Server::start(&Options::default());
    let (cache, other) =
        (cache(&server), Redis::connect(Config { prefix: "other*".into(), ..config(server.url()) }));
    let other = other.unwrap();
    put(&cache).await;
    put(&other).await;
    // A purge is of one prefix, also where it looks like a pattern.
    assert_eq!(other.purge().await.unwrap(), 1);
    assert!(holds(&cache).await && !holds(&other).await);
    let client = redis::Client::open(server.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    redis::cmd("FLUSHALL").exec_async(&mut connection).await.unwrap();
    assert!(!holds(&cache).await);
    put(&cache).await;
    assert!(holds(&cache).await);
}

#[tokio::test]
async fn who_has_the_wrong_password_has_misses_and_the_user_of_an_acl_has_values() {
    let user = ("fleet".to_owned(), "canary".to_owned());
    let server = Server::start(&Options { user: Some(user), ..Options::default() });
    let right = cache(&server);
    put(&right).await;
    assert!(holds(&right).await);
    for url in [server.url().replace("canary", "guess"), server.url().replace("fleet:canary@", "")] {
        let wrong = Redis::connect(config(&url)).unwrap();
        put(&wrong).await;
        assert!(!holds(&wrong).await);
        let said = wrong.stats().await.unwrap_err();
        assert!(!said.contains("guess") && !said.contains("canary"), "{said}");
    }
    let server = Server::start(&Options { password: Some("canary".into()), ..Options::default() });
    let right = cache(&server);
    put(&right).await;
    assert!(holds(&right).await);
}

#[tokio::test]
async fn an_encrypted_redis_is_used_by_those_who_trust_it() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let server = Server::start(&Options { tls: true, ..Options::default() });
    let roots = std::fs::read_to_string(server.certificate()).unwrap();
    let trusting = Redis::connect(Config { roots: Some(roots), ..config(server.url()) }).unwrap();
    put(&trusting).await;
    assert!(holds(&trusting).await);
    let careful = cache(&server);
    put(&careful).await;
    assert!(!holds(&careful).await);
}

const FULL: u64 = 4 << 20;

/// Puts four times of what there is room for, and returns how many of it are there.
async fn overfill(cache: &Redis) -> usize {
    for number in 0..=255 {
        cache.put(vec![(key(number), vec![number; 1 << 16])]).await;
    }
    let keys: Vec<Key> = (0..=255).map(key).collect();
    let got = cache.get(&keys).await;
    for (number, value) in (0..=255).zip(&got) {
        assert!(value.as_ref().is_none_or(|value| *value == vec![number; 1 << 16]), "{number}");
    }
    got.iter().flatten().count()
}

#[tokio::test]
async fn a_full_redis_that_evicts_goes_on_and_tells_its_limit() {
    let server = Server::start(&Options { memory: Some((FULL, "allkeys-lru")), ..Options::default() });
    let cache = cache(&server);
    let there = overfill(&cache).await;
    assert!(there > 0 && there < 256, "{there}");
    let stats = cache.stats().await.unwrap();
    assert_eq!(stats.limit_bytes, Some(FULL));
    assert!(stats.backend.contains(' ') && stats.bytes.unwrap() > 0, "{stats:?}");
    assert_eq!(cache.counters().rejected, 0);
}

#[tokio::test]
async fn a_full_redis_that_refuses_loses_puts_and_is_read_on() {
    let server = Server::start(&Options { memory: Some((FULL, "noeviction")), ..Options::default() });
    let cache = cache(&server);
    let there = overfill(&cache).await;
    assert!(there > 0 && there < 256, "{there}");
    let counters = cache.counters();
    assert_eq!(counters.lost_puts, 256 - there as u64);
    // It answers, if with a refusal: nobody stops asking.
    assert_eq!(counters.rejected, 0);
    assert_eq!(cache.get(&[key(0)]).await, [Some(vec![0; 1 << 16])]);
}

#[tokio::test]
async fn a_value_outlives_its_time_by_nothing() {
    let server = Server::start(&Options::default());
    let cache = Redis::connect(Config { ttl: Some(Duration::from_secs(1)), ..config(server.url()) }).unwrap();
    put(&cache).await;
    let begun = Instant::now();
    while holds(&cache).await {
        assert!(begun.elapsed() < Duration::from_secs(10));
    }
    assert!(begun.elapsed() > Duration::from_millis(500));
}
