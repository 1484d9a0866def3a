//! The keys of the cache: made, changed, and what they hide.

use std::os::unix::fs::MetadataExt as _;

use crate::history;
use crate::room::{Ended, Room};

#[test]
fn keys_are_made_rotated_and_retired() {
    let room = Room::new();
    let file = room.text("keys");
    room.gitfleet(&["keys", "generate", &file]).expect(0);
    assert_eq!(std::fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
    room.gitfleet(&["keys", "generate", &file]).expect(1).says(&["cannot create"]);
    let first = room.read("keys")[..8].to_owned();
    room.gitfleet(&["keys", "retire", &first, &file]).expect(6).says(&["only key", "rotate"]);
    room.gitfleet(&["keys", "rotate", &file]).expect(0);
    room.gitfleet(&["keys", "retire", &first.to_uppercase(), &file]).expect(0);
    room.gitfleet(&["keys", "retire", "01234567", &file]).expect(3).says(&["keys ls"]);
    let listed = room.gitfleet(&["keys", "ls", &file]).expect(0);
    let lines: Vec<&str> = listed.text().lines().collect();
    assert!(lines[1].ends_with("writes and reads") && lines[2] == format!("{first}  retired"), "{lines:?}");
    assert!(!listed.text().contains(&room.read("keys")[9..40]), "no key is shown");
    assert_eq!(std::fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
    room.write("keys", "nonsense\n");
    room.gitfleet(&["keys", "ls", &file]).expect(78).says(&["line 1"]);
}

#[test]
fn nobody_reads_a_cache_without_its_keys() {
    let (room, clear, history) = (Room::new(), Room::new(), history::generate(91));
    history.git(&["commit", "--quiet", "--allow-empty", "--message", "canary-in-a-message"]);
    let source = history.path().to_str().unwrap().to_owned();
    let file = room.text("keys");
    room.gitfleet(&["keys", "generate", &file]).expect(0);
    let analyze = |room: &Room, keys: &str| {
        let mut command = room.analyze_command(&[&source]);
        Ended::of(command.env("GITFLEET_CACHE_KEYS_FILE", keys).output().unwrap())
    };
    let holds = |room: &Room| {
        let cache = std::fs::read(room.path("data").join("cache.redb")).unwrap();
        let canary = b"canary-in-a-message";
        cache.windows(canary.len()).any(|bytes| bytes == canary)
    };
    analyze(&clear, "").expect(0);
    analyze(&room, &file).expect(0);
    assert!(holds(&clear) && !holds(&room), "values are small, so they are not compressed");
    // The store is lost, and the cache knows it all; under another key it knows nothing, and that is all.
    let hits = || room.json("out/manifest.json")["repositories"][0]["cache_hits"].as_u64().unwrap();
    let store = room.path("data").join("store.sqlite3");
    std::fs::remove_file(&store).unwrap();
    analyze(&room, &file).expect(0);
    assert!(hits() > 0);
    std::fs::remove_file(&store).unwrap();
    let other = room.text("other");
    room.gitfleet(&["keys", "generate", &other]).expect(0);
    analyze(&room, &other).expect(0);
    assert_eq!(hits(), 0);
    analyze(&room, &room.text("absent")).expect(78).says(&["absent", "keys generate"]);
}
