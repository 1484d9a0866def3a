//! What every cache promises, asked of each adapter; and what single ones promise beside.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::Path;
use std::sync::Arc;

use gitfleet_shared::cache::embedded::Embedded;
use gitfleet_shared::cache::redis::{Config, Redis};
use gitfleet_shared::cache::sealed::{Keys, Sealed};
use gitfleet_shared::cache::{Cache, Key, NoCache};
use gitfleet_shared::object_id::ObjectId;

fn key(number: u8) -> Key {
    Key::facts(&[0; 32], 1, &ObjectId::try_from(&[number; 20][..]).unwrap())
}

/// Runs each promise on each adapter, on a cache of its own that is empty.
macro_rules! promises {
    ($($promise:ident)*) => {
        mod embedded {
            $(
                #[tokio::test]
                async fn $promise() {
                    let folder = tempfile::tempdir().unwrap();
                    super::$promise(&super::Embedded::open(&folder.path().join("cache")).unwrap()).await;
                }
            )*
        }
        mod redis {
            $(
                #[tokio::test]
                async fn $promise() {
                    let cache = super::redis_cache();
                    super::$promise(&cache).await;
                    super::Cache::purge(&cache).await.unwrap();
                }
            )*
        }
        mod sealed_embedded {
            $(
                #[tokio::test]
                async fn $promise() {
                    let folder = tempfile::tempdir().unwrap();
                    let inner = super::Embedded::open(&folder.path().join("cache")).unwrap();
                    super::$promise(&super::sealed(inner, folder.path())).await;
                }
            )*
        }
        mod sealed_redis {
            $(
                #[tokio::test]
                async fn $promise() {
                    let folder = tempfile::tempdir().unwrap();
                    let cache = super::sealed(super::redis_cache(), folder.path());
                    super::$promise(&cache).await;
                    super::Cache::purge(&cache).await.unwrap();
                }
            )*
        }
    };
}

/// Returns `inner` under a key of its own.
fn sealed(inner: impl Cache + 'static, folder: &Path) -> Sealed {
    let file = folder.join("keys");
    std::fs::write(&file, Keys::generate().unwrap()).unwrap();
    Sealed::new(Arc::new(inner), &file, "test").unwrap()
}

/// Puts a file in the place of another, and sees to it that its time is another one.
fn replace(file: &Path, text: &str) {
    let before = std::fs::metadata(file).unwrap().modified().unwrap();
    while std::fs::metadata(file).unwrap().modified().unwrap() == before {
        std::fs::write(file, text).unwrap();
    }
}

#[tokio::test]
async fn keys_are_rotated_while_the_cache_is_used() {
    let folder = tempfile::tempdir().unwrap();
    let inner = Arc::new(Embedded::open(&folder.path().join("cache")).unwrap());
    let file = folder.path().join("keys");
    let [old, new] = [Keys::generate().unwrap(), Keys::generate().unwrap()];
    std::fs::write(&file, &old).unwrap();
    let cache = Sealed::new(inner.clone(), &file, "test").unwrap();
    let canary = b"canary of a commit".repeat(20);
    cache.put(vec![(key(1), canary.clone())]).await;
    let kept = inner.get(&[key(1)]).await.remove(0).unwrap();
    assert!(!kept.windows(6).any(|bytes| bytes == b"canary"), "nobody reads it there");
    // A value that somebody moved to another key, and one that was there before, are misses.
    inner.put(vec![(key(2), kept), (key(3), canary.clone())]).await;
    assert_eq!(cache.get(&[key(1), key(2), key(3)]).await, [Some(canary.clone()), None, None]);
    replace(&file, &format!("{new}\n{old}\n"));
    assert_eq!(cache.get(&[key(1)]).await, [Some(canary.clone())], "of the key before");
    cache.put(vec![(key(4), canary.clone())]).await;
    replace(&file, "half a file");
    assert_eq!(
        cache.get(&[key(1), key(4)]).await,
        [Some(canary.clone()), Some(canary.clone())],
        "the last that made sense"
    );
    replace(&file, &format!("{new}\n{old} retired\n"));
    assert_eq!(cache.get(&[key(1), key(4)]).await, [None, Some(canary)], "retired is a miss");
    Sealed::new(inner, &folder.path().join("absent"), "test").map(|_| ()).unwrap_err();
}

fn redis_cache() -> Redis {
    let server = gitfleet_testkit::redis::Redis::shared();
    Redis::connect(Config { prefix: server.prefix(), ..patient(server.url()) }).unwrap()
}

/// These ask what is answered, and not how fast: a machine that is busy with tests may be slow.
fn patient(url: &str) -> Config {
    let deadline = std::time::Duration::from_secs(20);
    Config { read_deadline: deadline, write_deadline: deadline, ..Config::new(url) }
}

promises! {
    what_was_put_is_got_in_order_and_the_rest_is_a_miss
    a_later_value_takes_the_place_of_an_earlier_one
    values_are_any_bytes_of_any_size
    many_keys_are_answered_in_order
    a_purged_cache_is_empty_and_can_be_filled
}

async fn what_was_put_is_got_in_order_and_the_rest_is_a_miss(cache: &dyn Cache) {
    assert_eq!(cache.get(&[key(1)]).await, [None]);
    assert_eq!(cache.get(&[]).await, [] as [Option<Vec<u8>>; 0]);
    cache.put(vec![(key(1), b"one".to_vec()), (key(3), b"three".to_vec())]).await;
    let got = cache.get(&[key(3), key(2), key(1), key(3)]).await;
    let three = Some(b"three".to_vec());
    assert_eq!(got, [three.clone(), None, Some(b"one".to_vec()), three]);
}

async fn a_later_value_takes_the_place_of_an_earlier_one(cache: &dyn Cache) {
    cache.put(vec![(key(1), b"one".to_vec())]).await;
    cache.put(vec![(key(1), b"two".to_vec())]).await;
    assert_eq!(cache.get(&[key(1)]).await, [Some(b"two".to_vec())]);
}

async fn values_are_any_bytes_of_any_size(cache: &dyn Cache) {
    let values = [Vec::new(), b"\0\r\n$-1\r\n".to_vec(), vec![0xff; 3_000_000], vec![7; 3_000_000]];
    cache.put((0u8..).map(key).zip(values.clone()).collect()).await;
    for (number, value) in (0u8..).zip(values) {
        assert_eq!(cache.get(&[key(number)]).await, [Some(value)]);
    }
}

async fn many_keys_are_answered_in_order(cache: &dyn Cache) {
    let key = |number: u32| {
        let id = [number.to_be_bytes(); 5].concat();
        Key::facts(&[0; 32], 1, &ObjectId::try_from(&id[..]).unwrap())
    };
    let value = |number: u32| number.to_be_bytes().to_vec();
    cache.put((0..3000).step_by(2).map(|number| (key(number), value(number))).collect()).await;
    let keys: Vec<Key> = (0..3000).map(key).collect();
    let expect: Vec<_> = (0..3000).map(|number| (number % 2 == 0).then(|| value(number))).collect();
    assert_eq!(cache.get(&keys).await, expect);
    assert_eq!(cache.stats().await.unwrap().entries, 1500);
}

async fn a_purged_cache_is_empty_and_can_be_filled(cache: &dyn Cache) {
    cache.put((0..200).map(|number| (key(number), vec![number])).collect()).await;
    assert_eq!(cache.purge().await.unwrap(), 200);
    assert_eq!(cache.get(&[key(1)]).await, [None]);
    assert_eq!(cache.stats().await.unwrap().entries, 0);
    cache.put(vec![(key(1), b"one".to_vec())]).await;
    assert_eq!(cache.get(&[key(1)]).await, [Some(b"one".to_vec())]);
}

#[tokio::test]
async fn what_was_flushed_outlives_the_process_and_one_file_has_one_owner() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cache");
    let cache = Embedded::open(&file).unwrap();
    cache.put(vec![(key(1), b"one".to_vec())]).await;
    assert!(Embedded::open(&file).is_err(), "two owners would ruin it");
    cache.flush();
    drop(cache);
    let cache = Embedded::open(&file).unwrap();
    assert_eq!(cache.get(&[key(1)]).await, [Some(b"one".to_vec())]);
}

#[tokio::test]
async fn a_file_that_is_no_cache_is_started_afresh() {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in [("noise", vec![7u8; 10_000]), ("empty", Vec::new()), ("text", b"hello".to_vec())]
    {
        let file = folder.path().join(name);
        std::fs::write(&file, content).unwrap();
        let cache = Embedded::open(&file).unwrap();
        cache.put(vec![(key(1), b"one".to_vec())]).await;
        assert_eq!(cache.get(&[key(1)]).await, [Some(b"one".to_vec())], "{name}");
    }
}

#[tokio::test]
async fn no_cache_keeps_nothing() {
    NoCache.put(vec![(key(1), b"one".to_vec())]).await;
    assert_eq!(NoCache.get(&[key(1), key(2)]).await, [None, None]);
}

#[test]
fn a_key_holds_everything_that_changes_its_value() {
    let id = |number: u8| ObjectId::try_from(&[number; 20][..]).unwrap();
    let sha256 = ObjectId::try_from(&[1; 32][..]).unwrap();
    let keys = [
        Key::facts(&[0; 32], 1, &id(1)),
        Key::facts(&[0; 32], 1, &id(2)),
        Key::facts(&[0; 32], 2, &id(1)),
        Key::facts(&[1; 32], 1, &id(1)),
        Key::facts(&[0; 32], 1, &sha256),
        Key::mainline_net(&[0; 32], 1, &id(1)),
    ];
    let distinct: std::collections::BTreeSet<&Key> = keys.iter().collect();
    assert_eq!(distinct.len(), keys.len());
}
