//! A Redis that is full of lies, empty, frozen or gone: only time is lost.

use std::time::Duration;

use gitfleet_shared::cache::Cache as _;
use gitfleet_shared::cache::redis::{Config, Redis};

use crate::fleet::{Fleet, PATIENCE};
use crate::oracle::{Findings, close, judge};
use crate::sample::Sample;
use crate::servers::{Servers, runtime};

/// Its name, how it is made, and how it is mended.
type Fault<'a> = (&'a str, &'a dyn Fn(), &'a dyn Fn());

/// Changes a byte in every value there is at the server.
fn damage(url: &str) -> usize {
    runtime().block_on(async {
        let client = redis::Client::open(url).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        let keys: Vec<Vec<u8>> = redis::cmd("KEYS").arg("*").query_async(&mut connection).await.unwrap();
        for (number, key) in keys.iter().enumerate() {
            let mut value: Vec<u8> = redis::cmd("GET").arg(key).query_async(&mut connection).await.unwrap();
            // Behind the frame's head, where the numbers are: most changes there still make a value.
            let place = 20 + number * 7 % (value.len() - 20);
            value[place] ^= 1;
            redis::cmd("SET").arg(key).arg(value).exec_async(&mut connection).await.unwrap();
        }
        keys.len()
    })
}

/// Lets one fleet fill the cache, damages all of it, and lets another one use it that knows nothing else.
pub(crate) fn corrupt(sabotage: Option<&str>) -> Findings {
    let (servers, sample) = (Servers::victims(), Sample::shared());
    let mut fleet = Fleet::new(&servers);
    let coordinator = fleet.coordinator("coordinator", &[]);
    let worker = fleet.worker("worker", 2, &[]);
    let batch = fleet.submit(&sample.sources, 50);
    let mut findings = judge(&fleet, &batch, sample, PATIENCE, "a cache that is filled");
    findings.append(close(&fleet, vec![worker], vec![coordinator]));
    assert!(damage(servers.redis.url()) > 500, "the cache was filled");

    let mut beside = fleet.beside(&servers).sabotage(sabotage);
    let coordinator = beside.coordinator("coordinator", &[]);
    let worker = beside.worker("worker", 2, &[]);
    let batch = beside.submit(&sample.sources, 50);
    findings.append(judge(&beside, &batch, sample, Duration::from_secs(40), "every cached value damaged"));
    if sabotage.is_none() {
        let hits = beside.count("SELECT sum(cache_hits)::bigint FROM batch_repository");
        assert_eq!(hits, 0, "damaged values were taken");
        findings.append(close(&beside, vec![worker], vec![coordinator]));
    }
    findings
}

#[test]
fn damaged_values_are_not_taken() {
    corrupt(None).none();
}

#[test]
fn a_redis_that_is_flushed_frozen_or_gone_costs_time_alone() {
    let (servers, sample) = (Servers::victims(), Sample::shared());
    let mut fleet = Fleet::new(&servers);
    let coordinator = fleet.coordinator("coordinator", &[]);
    let worker = fleet.worker("worker", 2, &[]);
    let redis = servers.redis.server();
    let purge = || {
        let config = Config { prefix: fleet.prefix.clone(), ..Config::new(servers.redis.url()) };
        let cache = Redis::connect(config).unwrap();
        runtime().block_on(cache.purge()).unwrap();
    };
    let nothing = || {};
    let faults: [Fault<'_>; 3] = [
        ("redis flushed", &purge, &nothing),
        ("redis frozen", &|| redis.stop(), &|| redis.resume()),
        ("redis killed", &|| redis.kill(), &|| redis.run()),
    ];
    for (number, (fault, apply, mend)) in faults.into_iter().enumerate() {
        let limit = (50_000_000 + number).to_string();
        let batch = fleet.submit_with(&sample.sources, 20, &["--max-blob-bytes", &limit]);
        fleet.until_done(&batch, 4);
        apply();
        let findings = judge(&fleet, &batch, sample, Duration::from_secs(40), fault);
        mend();
        findings.none();
    }
    close(&fleet, vec![worker], vec![coordinator]).none();
}
