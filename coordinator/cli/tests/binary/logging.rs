//! The log of the real binary: as it is configured, and one line whatever is in it.

use std::os::unix::net::UnixDatagram;

use serde_json::Value;

use crate::room::{Ended, Room};

/// A folder whose name would forge a line, clear the screen and turn the direction of text.
const HOSTILE: &str = "x\n2026-01-01T00:00:00Z ERROR gitfleet: forged \u{1b}[2J\u{202e}";

/// Analyses a repository of a hostile name and returns what was said.
fn analysed(room: &Room, config: &str, flags: &[&str], variables: &[(&str, &str)]) -> Ended {
    let repository = room.repository(HOSTILE);
    repository.commit("a", 1, "2026-01-05T12:00:00Z");
    let config = format!("version: \"1.0\"\n{config}");
    std::fs::write(room.path("desk").join("gitfleet.yaml"), config).unwrap();
    let mut command = room.command();
    command
        .args(["analyze", repository.text(), "--output", &room.text("out"), "--data-dir", &room.text("data")])
        .args(flags)
        .envs(variables.iter().copied());
    Ended::of(command.output().unwrap()).expect(0)
}

/// Returns the lines of the log among what was said.
fn json_lines(text: &str) -> Vec<Value> {
    text.lines()
        .filter(|line| line.starts_with('{'))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[track_caller]
fn assert_harmless(text: &str) {
    assert!(!text.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'), "{text:?}");
    assert!(!text.lines().any(|line| line.starts_with("2026-01-01T00:00:00Z")), "{text:?}");
}

#[test]
fn json_lines_hold_hostile_text_as_text() {
    let room = Room::new();
    let ended = analysed(&room, "logging: {level: DEBUG, format: json}", &[], &[]);
    assert_harmless(&ended.stderr);
    let lines = json_lines(&ended.stderr);
    let begun = lines.iter().find(|line| line["message"] == "job begins").expect("a job begins");
    assert_eq!((&begun["level"], &begun["target"]), (&"DEBUG".into(), &"gitfleet_worker::job::work".into()));
    assert!(begun["fields"]["repository"].as_str().unwrap().ends_with(HOSTILE), "{begun}");
    let time = begun["time"].as_str().unwrap();
    assert!(chrono::DateTime::parse_from_rfc3339(time).is_ok() && time.ends_with('Z'), "{time}");
    assert!(begun.get("trace_id").is_none(), "{begun}");
}

#[test]
fn text_lines_are_lines() {
    let room = Room::new();
    let ended = analysed(&room, "", &[], &[("GITFLEET_LOG", "info,gitfleet_worker=debug")]);
    assert_harmless(&ended.stderr);
    let begun = ended.stderr.lines().find(|line| line.contains("job begins")).expect("a job begins");
    assert!(begun.starts_with("DEBUG gitfleet_worker::job::work: job begins "), "{begun}");
    assert!(
        begun.contains(r#"x\n2026-01-01T00:00:00Z ERROR gitfleet: forged \u{1b}[2J\u{202e}""#),
        "{begun}"
    );
}

#[test]
fn what_was_typed_wins_and_parts_have_levels_of_their_own() {
    let room = Room::new();
    let begins = |config: &str, flags: &[&str], variables: &[(&str, &str)]| {
        let room = Room::new();
        analysed(&room, config, flags, variables).stderr.contains("job begins")
    };
    assert!(!begins("", &[], &[]));
    assert!(begins("", &["-vv"], &[]));
    assert!(begins("logging: {targets: {gitfleet_worker: debug}}", &[], &[]));
    assert!(!begins("logging: {level: debug, targets: {gitfleet_worker: warning}}", &[], &[]));
    assert!(!begins("logging: {level: debug}", &["--quiet"], &[]));
    assert!(!begins("logging: {level: debug}", &["-v"], &[]));
    assert!(!begins("logging: {level: debug}", &[], &[("GITFLEET_LOG", "warn")]));
    let refused = |config: &str| {
        std::fs::write(room.path("desk").join("gitfleet.yaml"), config).unwrap();
        room.gitfleet(&["config", "show"]).expect(78)
    };
    refused("logging: {level: loud}").says(&["logging.level", "loud", "debug"]);
    refused("logging: {format: xml}").says(&["logging.format", "text, json"]);
    refused("logging: {targets: {gitfleet: 7}}").says(&["logging.targets"]);
    refused("logging: {handlers: {carrier_pigeon: {}}}").says(&["carrier_pigeon", "syslog"]);
    refused("logging: {file: {path: no/such/folder/log}}").says(&["no/such/folder/log", "hint"]);
}

#[test]
fn a_file_and_the_systems_log_are_told_the_same() {
    let room = Room::new();
    let socket = room.path("log-socket");
    let system = UnixDatagram::bind(&socket).unwrap();
    system.set_nonblocking(true).unwrap();
    let config = format!(
        "logging:\n  level: debug\n  format: json\n  syslog: {}\n  handlers: {{file: {{filename: own.log, backup_count: 1}}}}\n",
        socket.display()
    );
    let ended = analysed(&room, &config, &[], &[]);
    let file = std::fs::read_to_string(room.path("desk").join("own.log")).unwrap();
    assert_harmless(&file);
    let told = json_lines(&ended.stderr);
    assert!(!told.is_empty());
    assert_eq!(json_lines(&file), told);
    let mut heard = Vec::new();
    let mut bytes = vec![0; 16 << 10];
    while let Ok(length) = system.recv(&mut bytes) {
        heard.push(String::from_utf8(bytes[..length].to_vec()).unwrap());
    }
    // A socket whose buffer is full loses lines, and nobody waits for it.
    assert!(!heard.is_empty());
    for line in heard {
        assert_harmless(&line);
        let (head, json) = line.split_once(" - - ").unwrap();
        assert!(head.starts_with("<31>1 20") && head.contains(" gitfleet "), "{head}");
        assert!(told.contains(&serde_json::from_str(json).unwrap()), "{json}");
    }
}
