//! The second run costs what is new and says what a first one would say.

use chrono_tz::Tz;
use serde_json::Value;

use crate::judge;
use crate::room::Room;

/// Runs again and returns how many commits were new.
fn again(room: &Room, source: &str) -> (Value, u64) {
    let report = room.report(&[source]);
    let fresh = Room::new();
    fresh.report(&[source]);
    assert_eq!(room.lasting_files(), fresh.lasting_files(), "a first run says the same");
    (report, room.json("out/manifest.json")["repositories"][0]["commits_new"].as_u64().unwrap())
}

#[test]
fn growth_late_merges_and_a_rewritten_history() {
    let room = Room::new();
    let repository = room.repository("r");
    for number in 1..=5 {
        repository.commit(&format!("f{number}"), number, &format!("2026-01-{:02}T12:00:00Z", number + 4));
    }
    let check = |new: u64| {
        let (report, counted) = again(&room, repository.text());
        judge::assert_report(&report, repository.path(), &["HEAD"], Tz::UTC);
        assert_eq!(counted, new);
    };
    check(5);
    check(0);
    repository.commit("f6", 6, "2026-01-12T12:00:00Z");
    check(1);
    // Commits of long ago, which arrive by a merge today.
    repository.git(&["switch", "--quiet", "--create", "late", "HEAD~4"]);
    repository.commit("old", 7, "2020-01-01T12:00:00Z");
    repository.commit("older", 8, "2019-01-01T12:00:00Z");
    repository.git(&["switch", "--quiet", "main"]);
    repository.git(&["merge", "--quiet", "--no-edit", "late"]);
    check(3);
    // The old commits leave the report, and only the new one is analysed.
    repository.git(&["reset", "--quiet", "--hard", "HEAD~2"]);
    repository.commit("instead", 9, "2026-01-13T12:00:00Z");
    let (report, _) = again(&room, repository.text());
    judge::assert_report(&report, repository.path(), &["HEAD"], Tz::UTC);
    let hits = &room.json("out/manifest.json")["repositories"][0];
    let computed = hits["commits_new"].as_u64().unwrap() - hits["cache_hits"].as_u64().unwrap();
    assert_eq!(computed, 1, "{hits}");
}

#[test]
fn other_settings_do_not_reuse_what_they_should_not() {
    let room = Room::new();
    let repository = room.repository("r");
    repository.commit("small", 1, "2026-01-05T12:00:00Z");
    repository.commit("large", 500, "2026-01-06T12:00:00Z");
    let report = room.report(&[repository.text(), "--max-blob-bytes", "1000"]);
    assert_eq!(report["totals"]["additions"], 1);
    assert_eq!(report["data_quality"]["unknown_changes"][0]["reason"], "too_large");
    assert_eq!(report["data_quality"]["unknown_changes"][0]["changes"], 1);
    let (report, _) = again(&room, repository.text());
    judge::assert_report(&report, repository.path(), &["HEAD"], Tz::UTC);
}

#[test]
fn an_unchanged_history_under_other_settings_gives_what_a_first_run_gives() {
    let room = Room::new();
    let repository = room.repository("r");
    repository.commit("a", 1, "2026-01-05T23:30:00Z");
    repository.commit("b", 2, "2026-01-12T12:00:00Z");
    // Times to come are counted by the clock, so such a report is made anew each time.
    for future in [false, true] {
        if future {
            repository.commit("c", 3, "2099-01-05T12:00:00Z");
        }
        let settings: [&[&str]; 4] =
            [&[], &["--time-zone", "Asia/Tokyo"], &["--week", "2026-W02"], &["--since", "2026-01-10"]];
        for setting in settings.iter().chain(&settings) {
            let arguments = [&[repository.text()], *setting].concat();
            room.report(&arguments);
            let fresh = Room::new();
            fresh.report(&arguments);
            assert_eq!(room.lasting_files(), fresh.lasting_files(), "{setting:?}");
        }
    }
}

#[test]
fn a_repository_that_moves_to_another_place_of_the_same_name_is_read_anew() {
    let room = Room::new();
    let first = room.repository("r");
    first.commit("a", 1, "2026-01-05T12:00:00Z");
    room.report(&[first.text()]);
    std::fs::remove_dir_all(first.path()).unwrap();
    let second = room.repository("r");
    second.commit("b", 20, "2026-01-05T12:00:00Z");
    let (report, _) = again(&room, second.text());
    judge::assert_report(&report, second.path(), &["HEAD"], Tz::UTC);
}
