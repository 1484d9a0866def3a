//! What comes of submissions.

use serde_json::Value;

use crate::fleet::{Ended, idle, working};

#[test]
fn a_batch_is_watched_to_its_end() {
    let fleet = working();
    let (one, two) = (fleet.repository("watched-1", 1), fleet.repository("watched-2", 2));
    let url = format!("file://{two}");
    let arguments =
        ["submit", &one, &url, "--watch", "--label", "team=a", "--label", "tier=1", "--priority", "7"];
    let ended = fleet.run(&arguments).expect(0).says(&[
        "2 repositories submitted as batch",
        "0/2 repositories",
        "2/2 repositories",
        "gitfleet report export",
    ]);
    let ended = ended.shows(&["finished", "priority   7", "labels     team=a, tier=1", "2 analysed"]);
    assert!(ended.stdout.contains("watched-1   analysed") && ended.stdout.contains("watched-2   analysed"));
    let labelled = fleet.listing(&["batch", "ls", "--label", "tier=1"]);
    assert_eq!(labelled.lines().count(), 2, "{labelled}");
    assert!(labelled.contains("100 %"), "{labelled}");
    // What a listing shows of an id is enough to name it by.
    let short = labelled.lines().last().unwrap().split(' ').next().unwrap();
    assert!(short.len() < 20, "{short}");
    fleet.run(&["batch", "show", short]).expect(0).shows(&[short, "finished"]);
    fleet.run(&["batch", "watch", short, "--quiet"]).expect(0).shows(&["finished"]);
    fleet.run(&["report", "show", short]).expect(0);
}

#[test]
fn a_configuration_says_what_to_submit() {
    let fleet = working();
    fleet.repository("configured", 3);
    let file = fleet.text("fleet.yaml");
    let text =
        "version: '1.0'\nrepositories:\n  - path: configured\n    name: by-name\nanalysis:\n  weeks: 4\n";
    std::fs::write(&file, text).unwrap();
    let batch = fleet.json(&["submit", "-c", &file, "--wait", "--name", "weekly"], "get", "/batches/{id}");
    assert_eq!((&batch["state"], &batch["name"]), (&"finished".into(), &"weekly".into()), "{batch}");
    assert!(batch["window"].as_str().unwrap().contains("W"), "{batch}");
    let shown = fleet.run(&["batch", "show", batch["id"].as_str().unwrap()]).expect(0);
    shown.shows(&["by-name", "analysed"]);
    // Who waits without watching hears nothing before the end; and a command for later names the file.
    assert_eq!(fleet.run(&["submit", "-c", &file, "--wait"]).expect(0).stderr, "");
    let told = fleet.run(&["submit", "-c", &file]).expect(0);
    assert!(told.stderr.contains(&format!(" -c {file}\n")), "{}", told.stderr);
}

#[test]
fn a_request_sent_again_is_one_batch() {
    let fleet = idle();
    let repository = fleet.repository("again", 4);
    let submit = |key: &str, more: &[&str]| {
        fleet.run(&[&["submit", &repository, "--idempotency-key", key], more].concat())
    };
    let first = submit("monday", &[]).expect(0);
    // By then the clock has gone on, and the request still means the same.
    crate::fleet::wait("another second", || {
        let again = submit("monday", &["--json"]).expect(0);
        let again: Value = serde_json::from_str(&again.stdout).unwrap();
        assert_eq!((&again["batch"], &again["new"]), (&first.stdout.trim().into(), &false.into()));
        let view = fleet.json(&["batch", "show", first.stdout.trim()], "get", "/batches/{id}");
        let created = chrono::DateTime::parse_from_rfc3339(view["created_at"].as_str().unwrap()).unwrap();
        (chrono::Utc::now().timestamp() > created.timestamp()).then_some(())
    });
    submit("monday", &[]).expect(0).says(&["it was there already"]);
    submit("monday", &["--priority", "1"]).expect(6).says(&["monday", first.stdout.trim(), "hint"]);
    assert_ne!(submit("tuesday", &[]).expect(0).stdout, first.stdout);
}

#[test]
fn a_dry_run_counts_and_analyses_nothing() {
    let fleet = working();
    let repository = fleet.repository("planned", 5);
    let plan = fleet.json(&["submit", &repository, "--dry-run"], "get", "/batches/{id}/repositories");
    assert_eq!(plan[0]["state"], "planned");
    assert!(plan[0]["commits_new"].as_u64().unwrap() > 100, "{plan}");
    let ended = fleet.run(&["submit", &repository, "--dry-run", "--name", "plan"]).expect(0);
    let ended = ended.shows(&["planned"]);
    assert!(ended.stdout.lines().all(|line| line.chars().count() <= 80));
    let batches = fleet.json(&["batch", "ls", "--limit", "500"], "get", "/batches");
    let id = batches.as_array().unwrap().iter().find(|batch| batch["name"] == "plan").unwrap()["id"].clone();
    fleet.run(&["report", "show", id.as_str().unwrap()]).expect(3).says(&["finished", "hint"]);
}

#[test]
fn a_failed_repository_is_named_and_can_be_tried_again() {
    let fleet = working();
    let (here, absent) = (fleet.repository("here", 6), fleet.text("absent"));
    let ended = fleet.run(&["submit", &here, &absent, "--watch"]).expect(8);
    let ended = ended.says(&["absent failed (not_found)", "1 not_found"]).shows(&["1 analysed, 1 failed"]);
    let id = ended.stdout.lines().next().unwrap().split_whitespace().nth(1).unwrap().to_owned();
    let jobs = fleet.json(&["job", "ls", "--batch", &id, "--state", "failed"], "get", "/jobs");
    let job = jobs[0]["id"].as_str().unwrap();
    fleet.run(&["job", "show", &job[..13]]).expect(0).shows(&["not_found", "failed"]);
    let explained = fleet.json(&["job", "explain", job], "get", "/jobs/{id}/explanation");
    assert!(explained["explanation"].as_str().unwrap().contains("it failed"), "{explained}");
    fleet.repository("absent", 7);
    let retried = fleet.json(&["job", "retry", job], "post", "/jobs/{id}/retry");
    assert_eq!(retried["repositories"], 1);
    fleet.run(&["batch", "watch", &id, "--quiet"]).expect(0).shows(&["2 analysed"]);
    fleet.run(&["job", "retry", job]).expect(6).says(&["has not failed", "hint"]);
    let retried = fleet.json(&["batch", "retry", &id], "post", "/batches/{id}/retry");
    assert_eq!(retried["repositories"], 0);
    fleet.run(&["batch", "retry", &id]).expect(0).shows(&["no failed repository"]);
}

#[test]
fn what_cannot_be_submitted_is_said_before_anything_is() {
    let fleet = idle();
    let refused = |arguments: &[&str]| -> Ended {
        let ended = fleet.run(&[&["submit"], arguments].concat());
        assert_eq!(ended.stdout, "");
        ended.says(&["error: "])
    };
    refused(&[]).expect(2).says(&["hint"]);
    refused(&["https://me:hush@host/x"]).expect(2);
    refused(&["ext::sh -c x", "--priority", "1"]).expect(2);
    refused(&["/tmp", "--label", "novalue"]).expect(2);
    refused(&["/tmp", "--label", "team=a\tb"]).expect(2).says(&["labels.team", "control character"]);
    refused(&["/tmp", "--priority", "101"]).expect(2);
    refused(&["/tmp", "--repositories", "b"]).expect(3).says(&["hint"]);
}
