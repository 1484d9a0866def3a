//! Repositories that fail: each is named with its reason, and none fails the run.

use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use chrono_tz::Tz;
use serde_json::Value;

use crate::judge;
use crate::repository::Repository;
use crate::room::{BINARY, Ended, Room, times};

/// A repository that does not fail.
fn sound(room: &Room) -> Repository {
    let repository = room.repository("sound");
    repository.commit("a", 3, "2026-01-05T12:00:00Z");
    repository
}

/// Asserts that the report says why `name` has no numbers, and has those of the other.
#[track_caller]
fn assert_failed(report: &Value, name: &str, class: &str) {
    let coverage = &report["coverage"];
    assert_eq!(coverage["repositories_failed"], 1, "{coverage}");
    assert_eq!(coverage["failures"][0]["repository"], name);
    assert_eq!(coverage["failures"][0]["class"], class, "{coverage}");
    let rows = report["repositories"].as_array().unwrap();
    let row = rows.iter().find(|row| row["name"] == name).unwrap();
    assert_eq!(row["status"], "failed");
    assert!(!row["reason"].as_str().unwrap().is_empty());
    for number in ["commits", "merges", "developers", "additions", "deletions", "files_changed"] {
        assert_eq!(row[number], Value::Null, "{number} of {name}: unknown is not zero");
    }
    let sound = rows.iter().find(|row| row["name"] == "sound").unwrap();
    assert_eq!((&sound["status"], &sound["additions"]), (&"analysed".into(), &3.into()));
    assert_eq!(report["totals"]["additions"], 3);
}

/// Analyses `bad` beside a sound repository and asserts that it fails as `class` wherever that is told.
fn check(room: &Room, bad: &str, class: &str) {
    let name = Path::new(bad).file_name().unwrap().to_str().unwrap();
    let good = sound(room);
    let ended = room.analyze(&[good.text(), bad]).expect(8).says(&["warning: ", name]);
    assert!(ended.text().contains("1 failed") && ended.text().contains(name), "{}", ended.text());
    assert_failed(&room.json("out/report.json"), name, class);
    for form in ["report.html", "report.md", "coverage.csv"] {
        assert!(room.read(&format!("out/{form}")).contains(name), "{form}");
    }
    let manifest = room.json("out/manifest.json");
    let runs = manifest["repositories"].as_array().unwrap();
    assert_eq!(runs.iter().find(|run| run["name"] == name).unwrap()["failure_class"], class);
    // The same again: nothing was remembered that hides it.
    let first = room.lasting_files();
    room.analyze(&[good.text(), bad]).expect(8);
    assert_eq!(room.lasting_files(), first);
    room.analyze(&[good.text(), bad, "--dry-run"]).expect(8);
}

#[test]
fn gone() {
    let room = Room::new();
    check(&room, &room.text("gone"), "not_found");
    // Come back, it is there with its numbers.
    let back = room.repository("gone");
    back.commit("b", 4, "2026-01-06T12:00:00Z");
    let report = room.report(&[&room.text("sound"), back.text()]);
    assert_eq!(report["totals"]["additions"], 7);
}

#[test]
fn no_repository() {
    let room = Room::new();
    std::fs::create_dir(room.path("folder")).unwrap();
    check(&room, &room.text("folder"), "not_a_repository");
    let room = Room::new();
    room.write("file", "text");
    check(&room, &room.text("file"), "not_a_repository");
}

#[test]
fn the_pack_is_cut_short() {
    let room = Room::new();
    let broken = packed(&room);
    let pack = pack_of(&broken);
    cut(&pack, 40);
    check(&room, broken.text(), "corrupt");
}

/// A repository with one pack of everything.
fn packed(room: &Room) -> Repository {
    let repository = room.repository("broken");
    for number in 1..=20 {
        repository.commit(&format!("f{number}"), 10 * number, &format!("2026-01-{number:02}T12:00:00Z"));
    }
    repository.git(&["repack", "-adq"]);
    repository
}

fn pack_of(repository: &Repository) -> PathBuf {
    let packs = std::fs::read_dir(repository.path().join(".git/objects/pack")).unwrap();
    let mut packs = packs.map(|entry| entry.unwrap().path());
    packs.find(|path| path.extension().is_some_and(|extension| extension == "pack")).unwrap()
}

fn cut(file: &Path, bytes: u64) {
    std::fs::set_permissions(file, Permissions::from_mode(0o644)).unwrap();
    std::fs::OpenOptions::new().write(true).open(file).unwrap().set_len(bytes).unwrap();
}

#[test]
fn damage_anywhere_is_never_passed_over_in_silence() {
    for tenths in [2, 4, 6, 8, 9] {
        let room = Room::new();
        let broken = packed(&room);
        let expect = judge::sums(broken.path(), &["HEAD"], "-M");
        let pack = pack_of(&broken);
        cut(&pack, std::fs::metadata(&pack).unwrap().len() * tenths / 10);
        let ended = room.analyze(&[broken.text()]);
        let report = room.json("out/report.json");
        let row = &report["repositories"][0];
        if row["status"] == "failed" {
            ended.expect(8);
            assert_eq!(report["coverage"]["failures"][0]["class"], "corrupt", "{tenths}");
        } else {
            ended.expect(0);
            let unknown = report["data_quality"]["unknown_changes"].as_array().unwrap();
            let additions = report["totals"]["additions"].as_u64().unwrap();
            assert!(!unknown.is_empty() && additions < expect.additions, "{tenths}: {report}");
        }
    }
}

#[test]
fn no_permission() {
    let mut wrong = Vec::new();
    let pack = ".git/objects/pack/*.pack";
    for locked in ["", ".git", ".git/HEAD", ".git/refs", ".git/packed-refs", ".git/objects", pack] {
        let room = Room::new();
        let (good, closed) = (sound(&room), room.repository("closed"));
        closed.commit("b", 4, "2026-01-06T12:00:00Z");
        closed.git(&["gc", "--quiet"]);
        let mut command = room.analyze_command(&[good.text(), closed.text()]);
        if room.path("home").metadata().unwrap().uid() == 0 && !ask_as_nobody(&room, &mut command) {
            eprintln!("skipped: nobody but root can run {BINARY}");
            return;
        }
        let path = if locked == pack { pack_of(&closed) } else { closed.path().join(locked) };
        std::fs::set_permissions(&path, Permissions::from_mode(0o0)).unwrap();
        let ended = Ended::of(command.output().unwrap());
        std::fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
        ended.expect(8).says(&["closed"]);
        let report = room.json("out/report.json");
        let failure = &report["coverage"]["failures"][0];
        assert_failed(&report, "closed", failure["class"].as_str().unwrap());
        if failure["class"] != "permission_denied" {
            wrong.push(format!("{locked:?} is {}: {}", failure["class"], failure["message"]));
        }
    }
    assert_eq!(wrong, [""; 0]);
}

/// Has somebody run the command who may not read everything, as the superuser may; says whether that is possible.
fn ask_as_nobody(room: &Room, command: &mut Command) -> bool {
    const NOBODY: u32 = 65_534;
    for path in times(&room.path("")).into_keys() {
        chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    }
    command.uid(NOBODY).gid(NOBODY);
    let reaches = Command::new(BINARY).arg("--version").uid(NOBODY).gid(NOBODY).output();
    reaches.is_ok_and(|output| output.status.success())
}

#[test]
fn an_empty_repository_is_no_failure() {
    let room = Room::new();
    let (good, empty) = (sound(&room), room.repository("empty"));
    for arguments in [&[][..], &["--all-branches"]] {
        let report = room.report(&[&[good.text(), empty.text()], arguments].concat());
        let row = &report["repositories"][0];
        assert_eq!((&row["name"], &row["status"]), (&"empty".into(), &"empty".into()));
        assert_eq!(row["head"], Value::Null);
        assert_eq!(report["coverage"]["repositories_empty"], 1);
        assert_eq!(report["totals"]["additions"], 3);
    }
    // With its first commit it is one as others.
    empty.commit("b", 4, "2026-01-06T12:00:00Z");
    let report = room.report(&[good.text(), empty.text()]);
    assert_eq!(report["totals"]["additions"], 7);
    assert_eq!(report["coverage"]["repositories_empty"], 0);
}

#[test]
fn a_detached_head_is_walked() {
    let room = Room::new();
    let repository = room.repository("r");
    repository.commit("a", 3, "2026-01-05T12:00:00Z");
    repository.commit("b", 4, "2026-01-06T12:00:00Z");
    repository.git(&["checkout", "--quiet", "--detach", "HEAD~1"]);
    let report = room.report(&[repository.text()]);
    judge::assert_report(&report, repository.path(), &["HEAD"], Tz::UTC);
    assert_eq!(report["repositories"][0]["branch"], Value::Null);
    assert_eq!(report["repositories"][0]["head"], repository.head());
}

#[test]
fn a_branch_that_only_some_have() {
    let room = Room::new();
    let (good, other) = (sound(&room), room.repository("other"));
    other.commit("b", 4, "2026-01-06T12:00:00Z");
    good.git(&["branch", "release"]);
    room.analyze(&[good.text(), other.text(), "--branch", "release"]).expect(8).says(&["release"]);
    assert_failed(&room.json("out/report.json"), "other", "branch_not_found");
}

#[test]
fn head_names_a_branch_that_is_not_there() {
    let room = Room::new();
    let repository = room.repository("r");
    repository.commit("a", 3, "2026-01-05T12:00:00Z");
    // As git sees it, nothing was committed to this branch yet.
    repository.git(&["symbolic-ref", "HEAD", "refs/heads/nothing"]);
    let report = room.report(&[repository.text()]);
    assert_eq!(report["repositories"][0]["status"], "empty");
    let report = room.report(&[repository.text(), "--branch", "main"]);
    assert_eq!(report["totals"]["additions"], 3);
}

#[test]
fn a_missing_blob_makes_lines_unknown_until_it_is_back() {
    let room = Room::new();
    let repository = room.repository("r");
    repository.commit("kept", 3, "2026-01-05T12:00:00Z");
    repository.commit("lost", 40, "2026-01-06T12:00:00Z");
    repository.commit("later", 500, "2026-01-07T12:00:00Z");
    let id = repository.git(&["rev-parse", "HEAD:lost"]);
    let (folder, file) = id.trim().split_at(2);
    let blob = repository.path().join(".git/objects").join(folder).join(file);
    let aside = room.path("aside");
    std::fs::rename(&blob, &aside).unwrap();

    let ended = room.analyze(&[repository.text()]).expect(0);
    assert!(ended.text().contains("Unknown"), "{}", ended.text());
    let report = room.json("out/report.json");
    assert_eq!(report["totals"]["additions"], 503);
    assert_eq!((&report["totals"]["commits"], &report["totals"]["files_changed"]), (&3.into(), &3.into()));
    let unknown = &report["data_quality"]["unknown_changes"];
    assert_eq!(*unknown, serde_json::json!([{ "reason": "missing_object", "changes": 1 }]));
    for form in ["report.html", "report.md", "data_quality.csv"] {
        assert!(room.read(&format!("out/{form}")).to_lowercase().contains("missing"), "{form}");
    }
    let facts = room.gitfleet(&["facts", repository.text()]).expect(0);
    assert!(facts.text().contains("\t-\t-\tlost"), "{}", facts.text());
    room.analyze(&[repository.text()]).expect(0);
    assert_eq!(room.json("out/report.json"), report, "the same again");

    std::fs::rename(&aside, &blob).unwrap();
    let report = room.report(&[repository.text()]);
    judge::assert_report(&report, repository.path(), &["HEAD"], Tz::UTC);
    assert_eq!(report["data_quality"]["unknown_changes"], serde_json::json!([]));
}

#[test]
fn all_of_them_fail() {
    let room = Room::new();
    let (a, b) = (room.text("a"), room.text("b"));
    let ended = room.analyze(&[&a, &b]).expect(8);
    assert!(ended.text().contains("2 failed"), "{}", ended.text());
    let report = room.json("out/report.json");
    assert_eq!(report["coverage"]["repositories_failed"], 2);
    assert_eq!(report["coverage"]["repositories_requested"], 2);
    assert_eq!(report["totals"]["commits"], 0);
}

#[test]
fn a_shallow_clone_says_so() {
    let room = Room::new();
    let repository = sound(&room);
    repository.commit("b", 4, "2026-01-06T12:00:00Z");
    let (url, clone) = (format!("file://{}", repository.text()), room.text("clone"));
    repository.git(&["clone", "--quiet", "--depth=1", &url, &clone]);
    let report = room.report(&[&clone]);
    assert_eq!(report["data_quality"]["shallow_repositories"], serde_json::json!(["clone"]));
    judge::assert_report(&report, Path::new(&clone), &["HEAD"], Tz::UTC);
}
