//! What every cache promises, asked of each adapter.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use gitfleet_shared::cache::embedded::Embedded;
use gitfleet_shared::cache::{Cache, Key, NoCache};
use gitfleet_shared::object_id::ObjectId;

fn key(number: u8) -> Key {
    Key::facts(&[0; 32], 1, &ObjectId::try_from(&[number; 20][..]).unwrap())
}

#[tokio::test]
async fn what_was_put_is_got_in_order_and_the_rest_is_a_miss() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Embedded::open(&folder.path().join("cache")).unwrap();
    assert_eq!(cache.get(&[key(1)]).await, [None]);
    cache.put(vec![(key(1), b"one".to_vec()), (key(3), b"three".to_vec())]).await;
    let got = cache.get(&[key(3), key(2), key(1)]).await;
    assert_eq!(got, [Some(b"three".to_vec()), None, Some(b"one".to_vec())]);
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
