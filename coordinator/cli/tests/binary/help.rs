//! Help, and what is said to those who mistype.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

use crate::room::{Ended, Room};

const COMMANDS: [&str; 25] = [
    "analyze",
    "facts",
    "config",
    "report",
    "person",
    "submit",
    "batch",
    "job",
    "worker",
    "queue",
    "dead",
    "repo",
    "cache",
    "status",
    "token",
    "audit",
    "keys",
    "doctor",
    "smoke",
    "coordinator",
    "serve",
    "migrate",
    "completion",
    "man",
    "help",
];

#[test]
fn every_exit_code_is_listed_as_in_the_readme() {
    let room = Room::new();
    let help = room.gitfleet(&["help", "exit-codes"]).expect(0);
    let rows = |text: &str, separator: fn(&str) -> Option<(&str, &str)>| {
        let row = |line: &str| {
            let (code, meaning) = separator(line.trim())?;
            Some((code.trim().parse::<u8>().ok()?, meaning.trim().replace('`', "")))
        };
        text.lines().filter_map(row).collect::<Vec<_>>()
    };
    let told = rows(help.text(), |line| line.split_once("  "));
    let codes: Vec<u8> = told.iter().map(|(code, _)| *code).collect();
    assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 69, 75, 78, 130, 143]);
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md")).unwrap();
    let (_, section) = readme.split_once("## Exit codes").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    assert_eq!(rows(section, |line| line.strip_prefix('|')?.strip_suffix('|')?.split_once('|')), told);
}

#[test]
fn every_variable_is_listed() {
    let room = Room::new();
    let help = room.gitfleet(&["help", "environment"]).expect(0);
    for name in ["GITFLEET_WEEKS", "GITFLEET_OUTPUT", "GITFLEET_DATA_DIR", "GITFLEET_GITHUB_TOKEN"] {
        assert!(help.text().contains(name), "{name}");
    }
}

#[test]
fn every_command_has_help() {
    let room = Room::new();
    let all = room.gitfleet(&["help"]).expect(0);
    for command in COMMANDS {
        assert!(all.text().contains(command));
        for arguments in [["help", command], [command, "--help"], [command, "-h"]] {
            let help = room.gitfleet(&arguments).expect(0);
            assert!(help.text().contains(&format!("Usage: gitfleet {command}")), "{}", help.text());
            assert_eq!(help.stderr, "");
        }
    }
    for option in
        ["--weeks", "--since", "--scan", "--repositories", "--all-branches", "--format", "--no-cache"]
    {
        assert!(room.gitfleet(&["help", "analyze"]).expect(0).text().contains(option), "{option}");
    }
    room.gitfleet(&["help", "analyse"]).expect(2).says(&["analyse", "hint"]);
    room.gitfleet(&["help", ""]).expect(2);
}

#[test]
fn the_version_is_the_packages() {
    let room = Room::new();
    for flag in ["--version", "-V"] {
        assert_eq!(
            room.gitfleet(&[flag]).expect(0).text(),
            format!("gitfleet {}\n", env!("CARGO_PKG_VERSION"))
        );
    }
}

#[test]
fn what_makes_no_sense_is_refused_without_a_panic() {
    let room = Room::new();
    let long = "x".repeat(100_000);
    for arguments in [
        &[][..],
        &["analyse"],
        &["analyze", "--nope"],
        &["analyze", "--jobs", "99999999999999999999"],
        &["analyze", "--jobs", "-1"],
        &["analyze", ".", "--max-blob-bytes", "0"],
        &["config"],
        &["config", "nope"],
        &["report"],
        &["--quiet"],
        &[&long],
    ] {
        let ended = room.gitfleet(arguments).expect(2);
        assert!(ended.text().is_empty() && !ended.stderr.is_empty());
    }
}

#[test]
fn strange_names_fail_as_names_that_are_not_there() {
    let room = Room::new();
    let long = "x".repeat(5_000);
    let slashes = "/".repeat(3_000);
    let names: [&[u8]; 8] =
        [b"\xff\xfe", b"", b"-", b"~", b"\x1b[31m", long.as_bytes(), slashes.as_bytes(), b"a\nb"];
    for name in names {
        let name = OsStr::from_bytes(name);
        let run = |command: &[&str]| {
            let mut process = room.command();
            Ended::of(process.args(command).arg("--").arg(name).output().unwrap())
        };
        let ended = run(&["analyze"]);
        assert!(matches!(ended.code, Some(2 | 3 | 8)), "{name:?}: {:?} {}", ended.code, ended.stderr);
        assert!(!ended.stderr.contains('\u{1b}'));
        let ended = run(&["facts"]);
        assert!(matches!(ended.code, Some(2 | 3)), "{name:?}: {:?} {}", ended.code, ended.stderr);
        assert!(!ended.stderr.contains('\u{1b}'));
        let ended = run(&["help"]);
        assert_eq!(ended.code, Some(2), "{name:?}: {}", ended.stderr);
        assert!(!ended.stderr.contains('\u{1b}'), "{}", ended.stderr);
    }
    let folder = OsStr::from_bytes(b"o\xffut");
    let repository = room.repository("r");
    repository.commit("a", 1, "2026-01-05T12:00:00Z");
    let mut command = room.command();
    command.args(["analyze", repository.text(), "--data-dir", &room.text("data"), "--output"]).arg(folder);
    Ended::of(command.output().unwrap()).expect(0);
    assert!(room.path("desk").join(folder).join("report.json").exists());
}
