//! Which commits count, and in which week.

use chrono::{Days, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};

use crate::judge::{self, monday, week};
use crate::repository::Repository;
use crate::room::Room;

/// Commits one file at each of the dates, with as many lines as its number in powers of ten.
fn dated(room: &Room, dates: &[&str]) -> Repository {
    let repository = room.repository("r");
    for (number, date) in dates.iter().enumerate() {
        repository.commit(&format!("f{number}"), 10_usize.pow(number as u32), date);
    }
    repository
}

fn weeks(report: &Value) -> Vec<(&str, u64)> {
    let weeks = report["weeks"].as_array().unwrap().iter();
    weeks.map(|row| (row["week"].as_str().unwrap(), row["commits"].as_u64().unwrap())).collect()
}

#[test]
fn the_last_weeks_are_counted_from_today() {
    let room = Room::new();
    let now = Utc::now();
    let at = |days: u64| format!("@{} +0000", (now - Days::new(days)).timestamp());
    // Of today, of a week ago, and of five weeks ago.
    let repository = dated(&room, &[&at(35), &at(7), &at(0)]);
    let report = room.report(&[repository.text(), "--weeks", "3"]);
    // If midnight on Sunday passes meanwhile, the commit of today is complete as well.
    let crossed = monday(Utc::now().date_naive()) != monday(now.date_naive());
    if !crossed {
        assert_eq!(report["totals"]["additions"], 10);
        let monday = monday(now.date_naive());
        let expect = [21, 14, 7].map(|days| week(monday - Days::new(days)));
        let listed: Vec<&str> = weeks(&report).into_iter().map(|(week, _)| week).collect();
        assert_eq!(listed, expect);
        assert_eq!(report["window"]["label"], format!("{} to {}", expect[0], expect[2]));
        assert_eq!(report["window"]["until"], format!("{monday}T00:00:00+00:00"), "this week is not over");
    }
    let report = room.report(&[repository.text(), "--weeks", "2", "--include-current"]);
    assert_eq!(report["totals"]["additions"], 110);
    assert_eq!(weeks(&report).len(), 2);
    let report = room.report(&[repository.text(), "--weeks", "8", "--include-current"]);
    assert_eq!(report["totals"]["additions"], 111);
    let report = room.report(&[repository.text()]);
    assert_eq!(report["totals"]["additions"], 111, "all history");
}

const DATES: [&str; 5] = [
    "2026-01-04T23:59:59Z", // Sunday of W01
    "2026-01-05T00:00:00Z", // Monday of W02
    "2026-01-11T23:59:59Z", // Sunday of W02
    "2026-01-12T00:00:00Z", // Monday of W03
    "2026-02-02T12:00:00Z", // Monday of W06
];

#[test]
fn bounds_are_where_they_are_said_to_be() {
    let room = Room::new();
    let repository = dated(&room, &DATES);
    let check = |arguments: &[&str], additions: u64, label: &str| {
        let report = room.report(&[&[repository.text()], arguments].concat());
        assert_eq!(report["totals"]["additions"], additions, "{arguments:?}");
        assert_eq!(report["window"]["label"], label);
        // No two numbers of a run disagree.
        for (rows, name) in
            [("weeks", "additions"), ("developers", "additions"), ("developer_weeks", "additions")]
        {
            let rows = report[rows].as_array().unwrap().iter();
            assert_eq!(rows.map(|row| row[name].as_u64().unwrap()).sum::<u64>(), additions);
        }
        assert_eq!(report["repositories"][0]["additions"], additions);
        report
    };
    check(&["--week", "2026-W02"], 110, "2026-W02");
    check(&["--week", "2026-W01"], 1, "2026-W01");
    let report = check(&["--from", "2026-W02", "--to", "2026-W06"], 11_110, "2026-W02 to 2026-W06");
    let zero_too = [("2026-W02", 2), ("2026-W03", 1), ("2026-W04", 0), ("2026-W05", 0), ("2026-W06", 1)];
    assert_eq!(weeks(&report), zero_too);
    let empty = json!({
        "week": "2026-W04", "starts_on": "2026-01-19", "commits": 0, "merges": 0, "developers": 0,
        "additions": 0, "deletions": 0, "files_changed": 0,
    });
    assert_eq!(report["weeks"][2], empty);
    let report = check(
        &["--since", "2026-01-05", "--until", "2026-01-11"],
        110,
        "2026-01-05T00:00:00+00:00 until 2026-01-12T00:00:00+00:00",
    );
    assert_eq!(weeks(&report), [("2026-W02", 2)]);
    check(
        &["--since", "2026-01-05T00:00:01Z", "--until", "2026-01-12T00:00:00Z"],
        100,
        "2026-01-05T00:00:01+00:00 until 2026-01-12T00:00:00+00:00",
    );
    let report = check(&["--since", "2026-01-12"], 11_000, "since 2026-01-12T00:00:00+00:00");
    assert_eq!(weeks(&report), [("2026-W03", 1), ("2026-W06", 1)], "no end, so no list");
    check(&["--until", "2026-01-04"], 1, "until 2026-01-05T00:00:00+00:00");
    let report = check(&["--week", "2030-W01"], 0, "2030-W01");
    assert_eq!(weeks(&report), [("2030-W01", 0)]);
    assert_eq!(report["repositories"][0]["status"], "analysed");
}

#[test]
fn the_zone_decides_in_which_week_a_commit_is() {
    let room = Room::new();
    let repository = dated(&room, &["2026-10-25T23:30:00Z"]);
    let report = room.report(&[repository.text()]);
    assert_eq!(weeks(&report), [("2026-W43", 1)]);
    let berlin = ["--time-zone", "Europe/Berlin"];
    let report = room.report(&[&[repository.text()], &berlin[..]].concat());
    assert_eq!(weeks(&report), [("2026-W44", 1)]);
    judge::assert_report(&report, repository.path(), &["HEAD"], Tz::Europe__Berlin);
    let report = room.report(&[&[repository.text(), "--week", "2026-W44"], &berlin[..]].concat());
    assert_eq!(report["totals"]["commits"], 1);
    assert_eq!(report["window"]["from"], "2026-10-26T00:00:00+01:00");
    let report = room.report(&[&[repository.text(), "--since", "2026-10-26"], &berlin[..]].concat());
    assert_eq!(report["totals"]["commits"], 1);
    let report = room.report(&[repository.text(), "--week", "2026-W44"]);
    assert_eq!(report["totals"]["commits"], 0);
}

#[test]
fn the_offset_an_author_wrote_does_not_move_the_commit() {
    let room = Room::new();
    let repository = dated(&room, &["2026-01-05T01:00:00+03:00", "2026-01-04T20:00:00-05:00"]);
    let report = room.report(&[repository.text()]);
    assert_eq!(weeks(&report), [("2026-W01", 1), ("2026-W02", 1)]);
}

#[test]
fn what_makes_no_sense_is_refused_before_anything_is_done() {
    let room = Room::new();
    let repository = dated(&room, &["2026-01-05T00:00:00Z"]);
    for arguments in [
        &["--weeks", "0"][..],
        &["--weeks", "-1"],
        &["--weeks", "many"],
        &["--weeks", "4294967295"],
        &["--week", "2026-W54"],
        &["--week", "2026-41"],
        &["--week", ""],
        &["--from", "2026-W02"],
        &["--to", "2026-W02"],
        &["--from", "2026-W03", "--to", "2026-W02"],
        &["--since", "yesterday"],
        &["--since", "2026-13-01"],
        &["--until", "2026-02-30"],
        &["--since", "2026-02-02", "--until", "2026-01-01"],
        &["--weeks", "2", "--week", "2026-W02"],
        &["--week", "2026-W02", "--since", "2026-01-01"],
        &["--from", "2026-W02", "--to", "2026-W03", "--until", "2026-01-01"],
        &["--time-zone", "Mars/Phobos"],
        &["--jobs", "0"],
        &["--batch-size", "0"],
        &["--branch", "a", "--all-branches"],
    ] {
        let ended = room.analyze(&[&[repository.text()], arguments].concat());
        assert_eq!(ended.code, Some(2), "{arguments:?}: {}", ended.stderr);
        assert!(!ended.stderr.is_empty() && ended.text().is_empty(), "{arguments:?}");
    }
    assert!(!room.path("out").exists() && !room.path("data").exists());
}
