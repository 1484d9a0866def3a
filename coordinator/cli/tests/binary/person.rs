//! A person asks what is held of them, and to be held no more: from a real history to files without their name.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::repository::Repository;
use crate::room::{Room, contents};

/// What nothing may say once she is erased, in lower case.
const CANARIES: [&str; 5] = ["zelda", "zquark", "quark.example", "wandering.example", "quark"];

const CONFIG: &str = "\
people:
  mappings:
    - name: Zelda Q
      primary_email: zelda@quark.example
      aliases: [zq@wandering.example]
      login: zquark
teams:
  - {name: Tools, members: [zelda@quark.example, bob@corp.example]}
  - {name: Web, members: [ann@corp.example]}
";

fn room() -> (Room, Repository) {
    let room = Room::new();
    let repository = room.repository("shop");
    let mailmap = "Ann Archer <ann@corp.example>\nZelda Quark <zelda@quark.example> <zquark@quark.example>\n";
    repository.commit_content("Ann Archer <ann@corp.example>", ".mailmap", mailmap, "2026-01-04T12:00:00Z");
    repository.commit_by("Ann Archer <ann@corp.example>", "a.rs", 3, "2026-01-05T12:00:00Z");
    repository.commit_by("Zelda Quark <zelda@quark.example>", "b.rs", 20, "2026-01-06T12:00:00Z");
    repository.commit_by("zquark <zquark@quark.example>", "c.rs", 14, "2026-01-07T12:00:00Z");
    repository.commit_by("Zelda Quark <zq@wandering.example>", "d.rs", 8, "2026-01-13T12:00:00Z");
    repository.git(&[
        "commit",
        "--author=Bob Baker <bob@corp.example>",
        "--date=2026-01-14T12:00:00Z",
        "--quiet",
        "--allow-empty",
        "--message=fix: what ZELDA QUARK's change broke\n\nCo-authored-by: Zel <zelda@quark.example>",
    ]);
    room.write("desk/gitfleet.yaml", CONFIG);
    (room, repository)
}

/// Returns where anything below `folder` says one of the canaries.
fn hits(room: &Room, folder: &str) -> Vec<String> {
    let mut hits = Vec::new();
    for (path, bytes) in contents(&room.path(folder)) {
        let text = String::from_utf8_lossy(&bytes).to_lowercase();
        hits.extend(
            CANARIES
                .iter()
                .filter(|one| text.contains(*one))
                .map(|one| format!("{one} in {}", path.display())),
        );
    }
    hits
}

/// Returns what a report says of nobody in particular.
fn numbers(report: &Value) -> Value {
    let sorted = |table: &str, columns: &[&str]| {
        let rows = report["tables"][table].as_array().unwrap().iter();
        let mut rows: Vec<String> = rows
            .map(|row| columns.iter().map(|column| row[column].to_string()).collect::<Vec<_>>().join(" "))
            .collect();
        rows.sort();
        rows
    };
    serde_json::json!([
        report["totals"],
        report["weeks"],
        report["repositories"],
        report["languages"],
        sorted(
            "people",
            &["commits", "co_authored", "reviews", "teams", "lines_held", "files_lost", "class"]
        ),
    ])
}

#[test]
fn whoever_is_erased_stays_so() {
    let (room, repository) = room();
    let source = room.text("shop");
    let before = room.report(&[&source]);
    assert_eq!(before["totals"]["developers"], 3, "{}", before["tables"]["people"]);
    assert!(!hits(&room, "data").is_empty() && !hits(&room, "out").is_empty());
    let data = room.text("data");
    let run = |arguments: &[&str]| room.gitfleet(&[arguments, &["--data-dir", &data]].concat());

    // An access request: what git says by hand.
    let file = room.text("held.json");
    run(&["person", "export", "zelda@quark.example", "--output", &file]).expect(0);
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let held = room.json("held.json");
    let authored = repository.git(&["log", "--format=%H", "--author=quark", "--regexp-ignore-case"]);
    let mut authored: Vec<&str> = authored.lines().collect();
    let mut told: Vec<&str> =
        held["commits"].as_array().unwrap().iter().map(|one| one["commit"].as_str().unwrap()).collect();
    authored.sort_unstable();
    told.sort_unstable();
    assert_eq!(told, authored);
    assert_eq!(held["mentions"].as_array().unwrap().len(), 1);
    assert_eq!(held["teams"], serde_json::json!(["Tools"]));
    assert_eq!(held["identities"].as_array().unwrap().len(), 4, "{}", held["identities"]);
    assert_eq!(held["reports"].as_array().unwrap().len(), 1);

    // Nothing is done that was not agreed to.
    let shown = run(&["person", "erase", "zelda@quark.example"]).expect(2).says(&["--yes"]);
    assert!(
        shown.text().contains("zq@wandering.example") && shown.text().contains("backups"),
        "{}",
        shown.text()
    );
    assert!(!hits(&room, "data").is_empty() && !room.path("data/erasure.key").exists());
    run(&["person", "erase", "zelda", "--yes"]).expect(2).says(&["identity 1", "hint"]);
    run(&["person", "erase", "nobody@nowhere.example", "--yes"]).expect(3).says(&["nobody", "hint"]);

    let erased = run(&["person", "erase", "zq@wandering.example", "--yes", "--json"]).expect(0);
    let erased: Value = serde_json::from_str(erased.text()).unwrap();
    let (name, email) =
        (erased["replaced"]["name"].as_str().unwrap(), erased["replaced"]["email"].as_str().unwrap());
    assert!(name.starts_with("Erased person ") && email.ends_with("@erased.invalid"));
    assert_eq!(hits(&room, "data"), [""; 0]);
    let key = room.path("data/erasure.key");
    assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);

    // The same numbers, of what is stored and of a whole new analysis.
    let made = room.text("made");
    run(&["report", "make", "--output", &made]).expect(0);
    assert_eq!(numbers(&room.json("made/report.json")), numbers(&before));
    assert_eq!(hits(&room, "made"), [""; 0]);
    let again = room.report(&[&source]);
    assert_eq!(numbers(&again), numbers(&before));
    assert!(run(&["people", "ls"]).expect(0).text().contains(name));

    // What she commits from now on, under whatever name of hers, and a history that is read anew.
    repository.commit_by("Zelda Quark <new@wandering.example>", "e.rs", 5, "2026-01-15T12:00:00Z");
    repository.commit_by("Z. Q. <ZELDA@quark.example>", "f.rs", 5, "2026-01-16T12:00:00Z");
    let more = room.report(&[&source]);
    assert_eq!(more["totals"]["commits"], before["totals"]["commits"].as_u64().unwrap() + 2);
    assert_eq!(more["totals"]["developers"], before["totals"]["developers"]);
    repository.git(&["clone", "--quiet", ".", &room.text("copy")]);
    room.report(&[&source, &room.text("copy")]);
    assert_eq!(hits(&room, "data"), [""; 0]);
    assert_eq!(hits(&room, "out"), [""; 0]);
    // A run of which nothing is kept knows it, too.
    room.report(&[&source, "--no-cache"]);
    assert_eq!(hits(&room, "out"), [""; 0]);
    assert_eq!(hits(&room, "data"), [""; 0]);
    // The configuration is whoever's who writes it, and is saved with the rest.
    room.write("desk/gitfleet.yaml", "version: \"1.0\"\n");
    let backup = room.text("backup");
    run(&["backup", "--output", &backup]).expect(0);
    assert_eq!(hits(&room, "backup"), [""; 0]);

    let again = run(&["person", "erase", "zelda@quark.example", "--yes"]).expect(0);
    assert!(again.text().contains("nothing was left") && again.text().contains(name), "{}", again.text());

    // Without the key, or with another one, nobody could be known.
    std::fs::rename(&key, room.path("kept")).unwrap();
    room.analyze(&[&source]).expect(78).says(&["no key", "hint"]);
    std::fs::write(&key, "another key that is long enough\n").unwrap();
    run(&["people", "ls"]).expect(78).says(&["not the one", "hint"]);
    std::fs::rename(room.path("kept"), &key).unwrap();
    room.report(&[&source]);
    let mut short = room.analyze_command(&[&source]);
    let short = short.env("GITFLEET_ERASURE_KEY", "short").output().unwrap();
    assert_eq!(short.status.code(), Some(78));
}

#[test]
fn pseudonyms_and_keys_of_before_go_as_well() {
    let (room, _) = room();
    let source = room.text("shop");
    let before = room.report(&[&source, "--anonymize"]);
    let rows = before["tables"]["people"].as_array().unwrap();
    let row = rows.iter().find(|row| row["commits"] == 3).unwrap();
    let labels: Vec<String> =
        ["name", "email", "person"].iter().map(|column| row[column].as_str().unwrap().to_owned()).collect();
    let data = room.text("data");
    room.gitfleet(&["person", "erase", "zelda@quark.example", "--yes", "--data-dir", &data]).expect(0);
    let shown = room.gitfleet(&["report", "show", "--data-dir", &data]).expect(0);
    for label in labels {
        assert!(!shown.text().contains(&label), "{label}");
    }
    assert_eq!(hits(&room, "data"), [""; 0]);
}
