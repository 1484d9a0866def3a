//! The main job: the numbers of a report are git's, whatever the work is cut into.

use chrono_tz::Tz;
use serde_json::Value;

use crate::history::{self, History};
use crate::judge;
use crate::repository::git;
use crate::room::Room;

fn path(history: &History) -> &str {
    history.path().to_str().unwrap()
}

#[test]
fn every_number_is_gits() {
    let (room, history) = (Room::new(), history::generate(21));
    let report = room.report(&[path(&history)]);
    judge::assert_report(&report, history.path(), &["HEAD"], Tz::UTC);
    // The history has what can be counted wrongly.
    for name in ["merges", "deletions"] {
        assert!(report["totals"][name].as_u64() > Some(0), "{name}");
    }
    assert_ne!(report["totals"]["additions"], report["totals"]["without_renames"]["additions"], "renames");
    assert!(report["developers"].as_array().unwrap().iter().any(|row| row["email"] == "a@x"), "mailmap");

    let row = &report["repositories"][0];
    assert_eq!(row["name"], "repository");
    assert_eq!(row["head"], history.git(&["rev-parse", "HEAD"]).trim());
    assert_eq!((&row["branch"], &row["status"]), (&"main".into(), &"analysed".into()));
    for name in ["commits", "merges", "developers", "additions", "deletions", "files_changed"] {
        assert_eq!(row[name], report["totals"][name], "{name}");
    }
    assert_eq!(row["conservation"]["holds"], true);
    let lines = git(history.path(), &["diff", "--numstat", &empty_tree(&history), "HEAD"]);
    let lines = lines.lines().filter_map(|line| line.split('\t').next()?.parse::<u64>().ok()).sum::<u64>();
    assert_eq!(row["conservation"]["tip_lines"], lines);
}

fn empty_tree(history: &History) -> String {
    history.git(&["hash-object", "-t", "tree", "/dev/null"]).trim().to_owned()
}

#[test]
fn days_and_weeks_begin_in_the_zone_of_the_report() {
    let (room, history) = (Room::new(), history::generate(22));
    let report = room.report(&[path(&history), "--time-zone", "Asia/Kolkata"]);
    judge::assert_report(&report, history.path(), &["HEAD"], Tz::Asia__Kolkata);
    assert_eq!(report["window"]["time_zone"], "Asia/Kolkata");
}

#[test]
fn the_bytes_do_not_depend_on_how_the_work_is_done() {
    let history = history::generate(23);
    let first = Room::new();
    first.report(&[path(&history)]);
    let expect = first.lasting_files();
    // Once more, where all is known, and anew in ways of every kind.
    first.report(&[path(&history)]);
    assert_eq!(first.lasting_files(), expect, "second run");
    first.report(&[path(&history), "--no-cache"]);
    assert_eq!(first.lasting_files(), expect, "nothing read of what is kept");
    for arguments in [
        ["--jobs", "1", "--batch-size", "1"],
        ["--jobs", "3", "--batch-size", "7"],
        ["--jobs", "3", "--no-cache", "--quiet"],
    ] {
        let room = Room::new();
        room.report(&[&[path(&history)], arguments.as_slice()].concat());
        assert_eq!(room.lasting_files(), expect, "{arguments:?}");
    }
}

#[test]
fn what_differs_between_runs_stands_in_the_manifest() {
    let (room, history) = (Room::new(), history::generate(24));
    room.report(&[path(&history)]);
    let first = room.json("out/manifest.json");
    room.report(&[path(&history)]);
    let second = room.json("out/manifest.json");
    assert_ne!(first["batch"], second["batch"]);
    let commits = judge::count(history.path(), "--all", &[]);
    let seen = |manifest: &Value, name: &str| manifest["repositories"][0][name].as_u64().unwrap();
    assert!(seen(&first, "commits_seen") <= commits);
    assert_eq!(seen(&first, "commits_new"), judge::count(history.path(), "--parents", &["HEAD"]));
    assert_eq!(seen(&second, "commits_new"), 0, "an unchanged repository costs nothing");
    assert_eq!(first["config_hash"], second["config_hash"]);
}

#[test]
fn several_repositories_have_a_row_each_and_count_what_they_share_once() {
    let (room, one, other) = (Room::new(), history::generate(25), Room::new());
    let fork = other.path("fork");
    git(one.path(), &["clone", "--quiet", ".", fork.to_str().unwrap()]);
    std::fs::write(fork.join("own.txt"), "1\n2\n3\n").unwrap();
    git(&fork, &["add", "own.txt"]);
    git(&fork, &["commit", "--quiet", "--message=own", "--date=2026-03-01T12:00:00Z"]);
    let third = other.repository("third");
    third.commit_by("Zoë <zoe@example>", "z.rs", 5, "2026-02-01T12:00:00Z");

    let report = room.report(&[path(&one), fork.to_str().unwrap(), third.text()]);
    let rows = report["repositories"].as_array().unwrap();
    let names: Vec<&str> = rows.iter().map(|row| row["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["fork", "repository", "third"]);
    for (row, path) in rows.iter().zip([fork.as_path(), one.path(), third.path()]) {
        assert_eq!(row["commits"], judge::count(path, "--no-merges", &["HEAD"]));
        assert_eq!(row["merges"], judge::count(path, "--merges", &["HEAD"]));
        judge::assert_sums(row, judge::sums(path, &["HEAD"], "-M"));
    }
    // The fork holds everything the first one holds.
    let shared = judge::count(one.path(), "--parents", &["HEAD"]);
    assert_eq!(report["data_quality"]["shared_commits"], shared);
    let expect = judge::count(&fork, "--no-merges", &["HEAD"]) + 1;
    assert_eq!(report["totals"]["commits"], expect);
    let mut sums = judge::sums(&fork, &["HEAD"], "-M");
    sums.additions += 5;
    sums.files_changed += 1;
    judge::assert_sums(&report["totals"], sums);
    let weeks = report["weeks"].as_array().unwrap().iter();
    assert_eq!(weeks.map(|week| week["commits"].as_u64().unwrap()).sum::<u64>(), expect);
    let developers = report["developers"].as_array().unwrap();
    let of = |name: &str| developers.iter().find(|row| row["name"] == name).unwrap();
    assert_eq!(of("Zoë")["repositories"], 1);
    assert_eq!(of("Bob")["repositories"], 2);

    // The order in which they are named is no matter.
    let files = room.lasting_files();
    room.report(&[third.text(), path(&one), fork.to_str().unwrap()]);
    assert_eq!(room.lasting_files(), files);
}

#[test]
fn one_branch_and_all_of_them() {
    let room = Room::new();
    let repository = room.repository("r");
    repository.commit("a", 1, "2026-01-05T12:00:00Z");
    repository.git(&["switch", "--quiet", "--create", "side"]);
    repository.commit("b", 10, "2026-01-06T12:00:00Z");
    repository.git(&["switch", "--quiet", "--orphan", "other"]);
    repository.commit("c", 100, "2026-01-07T12:00:00Z");
    repository.git(&["switch", "--quiet", "main"]);
    let path = repository.path();
    for (arguments, revisions, branch) in [
        (&[][..], "main", "main".into()),
        (&["--branch", "side"], "side", "side".into()),
        (&["--all-branches"], "--branches", Value::Null),
    ] {
        let report = room.report(&[&[repository.text()], arguments].concat());
        judge::assert_report(&report, path, &[revisions], Tz::UTC);
        assert_eq!(report["repositories"][0]["branch"], branch);
    }
}

#[test]
fn json_on_stdout_is_the_report_and_quiet_says_nothing() {
    let (room, history) = (Room::new(), history::generate(26));
    let ended = room.analyze(&[path(&history), "--json", "--quiet"]).expect(0);
    assert_eq!(ended.text(), room.read("out/report.json"));
    assert_eq!(ended.stderr, "");
    let ended = room.analyze(&[path(&history)]).expect(0);
    let commits = format!("{} and", judge::count(history.path(), "--no-merges", &["HEAD"]));
    assert!(ended.text().contains(&commits), "{}", ended.text());
    assert!(ended.text().contains(&room.text("out/report.html")), "{}", ended.text());
}

#[test]
fn a_dry_run_tells_the_plan_and_writes_no_report() {
    let (room, history) = (Room::new(), history::generate(27));
    let all = judge::count(history.path(), "--parents", &["HEAD"]);
    let plan = |arguments: &[&str]| {
        let arguments = [&[path(&history), "--dry-run", "--json"], arguments].concat();
        serde_json::from_slice::<Value>(&room.analyze(&arguments).expect(0).stdout).unwrap()
    };
    let first = plan(&[]);
    assert_eq!((&first["commits"], &first["commits_to_analyse"]), (&all.into(), &all.into()));
    assert!(!room.path("out").exists());
    room.report(&[path(&history)]);
    let files = room.lasting_files();
    let second = plan(&[]);
    assert_eq!((&second["commits"], &second["commits_to_analyse"]), (&all.into(), &0.into()));
    assert_eq!(room.lasting_files(), files);
    let text = room.analyze(&[path(&history), "--dry-run"]).expect(0);
    assert!(text.text().contains("repository ") && text.text().contains(&all.to_string()), "{}", text.text());
}

#[test]
fn progress_is_told_in_plain_lines_at_most_one_a_second() {
    let (room, history) = (Room::new(), history::generate(28));
    let started = std::time::Instant::now();
    let ended = room.analyze(&[path(&history), "--batch-size", "1"]).expect(0);
    let seconds = usize::try_from(started.elapsed().as_secs()).unwrap();
    let lines: Vec<&str> = ended.stderr.lines().collect();
    assert!(lines.iter().all(|line| line.starts_with("surveyed ")), "{lines:?}");
    // The first, the last, and one a second between them.
    assert!(lines.len() <= seconds + 2, "{lines:?}");
    let all = judge::count(history.path(), "--parents", &["HEAD"]);
    let last = format!("surveyed 1 of 1 repositories, analysed {all} of {all} commits");
    assert_eq!(lines.last(), Some(&last.as_str()));
}
