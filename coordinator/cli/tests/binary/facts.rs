//! The oracle's door: sorted, what it prints is what git prints.

use std::path::Path;

use serde_json::Value;

use crate::history::{self, History};
use crate::judge;
use crate::repository::{git, git_bytes};
use crate::room::{Ended, Room};

/// Returns the lines of `git log --numstat`, the commit in front of each, sorted.
fn of_git(path: &Path, revision: &str, form: &str) -> Vec<Vec<u8>> {
    let log =
        git_bytes(path, &["log", "--no-merges", form, "--numstat", "--format=commit %H", revision], b"");
    let mut commit = Vec::new();
    let mut lines = Vec::new();
    for line in log.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        match line.strip_prefix(b"commit ") {
            Some(id) => commit = id.to_vec(),
            None => lines.push([&commit, b"\t".as_slice(), line].concat()),
        }
    }
    lines.sort();
    lines
}

fn sorted(ended: &Ended) -> Vec<Vec<u8>> {
    let text = ended.stdout.strip_suffix(b"\n").unwrap();
    let mut lines: Vec<Vec<u8>> = text.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    lines.sort();
    lines
}

fn path(history: &History) -> &str {
    history.path().to_str().unwrap()
}

#[test]
fn both_forms_are_gits() {
    let room = Room::new();
    for seed in [61, 62] {
        let history = history::generate(seed);
        // Names that git quotes, one of them no text.
        for name in ["tab\there", "quote\"d", "spa ce", "ünï", "back\\slash"] {
            history.commit(name, "1\n2\n", "2026-01-05T12:00:00Z");
        }
        for (arguments, form) in [
            (&["facts", path(&history)][..], "--no-renames"),
            (&["facts", path(&history), "--renames"], "-M"),
        ] {
            let ended = room.gitfleet(arguments).expect(0);
            assert_eq!(sorted(&ended), of_git(history.path(), "HEAD", form), "{seed} {form}");
            assert_eq!(ended.stderr, "");
        }
    }
}

#[test]
fn the_order_does_not_depend_on_the_jobs() {
    let (room, history) = (Room::new(), history::generate(63));
    let one = room.gitfleet(&["facts", path(&history), "--jobs", "1"]).expect(0);
    let three = room.gitfleet(&["facts", path(&history), "--jobs", "3"]).expect(0);
    assert_eq!(one.stdout, three.stdout);
}

#[test]
fn any_revision_can_be_asked_for() {
    let (room, history) = (Room::new(), history::generate(64));
    history.git(&["tag", "--annotate", "--message=v", "v1", "HEAD~50"]);
    let id = history.git(&["rev-parse", "--short", "HEAD~120"]);
    for revision in ["HEAD~70", "main", "refs/heads/side", "v1", id.trim()] {
        let ended = room.gitfleet(&["facts", path(&history), "--rev", revision]).expect(0);
        assert_eq!(sorted(&ended), of_git(history.path(), revision, "--no-renames"), "{revision}");
    }
}

#[test]
fn one_line_of_json_for_every_commit() {
    let (room, history) = (Room::new(), history::generate(65));
    for (arguments, form) in [(&[][..], "--no-renames"), (&["--renames"], "-M")] {
        let arguments = [&["facts", path(&history), "--format", "json"], arguments].concat();
        let ended = room.gitfleet(&arguments).expect(0);
        let commits: Vec<Value> =
            ended.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let log = git(history.path(), &["log", "--format=%H|%P|%an|%ae|%at|%ct"]);
        let with_count = |line: &str| {
            let columns: Vec<&str> = line.splitn(3, '|').collect();
            format!("{}|{}|{}", columns[0], columns[1].split_whitespace().count(), columns[2])
        };
        let mut expect: Vec<String> = log.lines().map(with_count).collect();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let mut told: Vec<String> = commits
            .iter()
            .map(|commit| {
                let (author, committer) = (&commit["author"], &commit["committer"]);
                [
                    text(&commit["commit"]),
                    commit["parents"].to_string(),
                    text(&author["name"]),
                    text(&author["email"]),
                    author["seconds"].to_string(),
                    committer["seconds"].to_string(),
                ]
                .join("|")
            })
            .collect();
        told.sort();
        expect.sort();
        assert_eq!(told, expect);
        let plain = commits.iter().filter(|commit| commit["parents"].as_u64().unwrap() < 2);
        let files: Vec<&Value> = plain.flat_map(|commit| commit["files"].as_array().unwrap()).collect();
        let sum = |name: &str| files.iter().filter_map(|file| file[name].as_u64()).sum::<u64>();
        let told = judge::Sums {
            additions: sum("added"),
            deletions: sum("deleted"),
            files_changed: files.len() as u64,
        };
        assert_eq!(told, judge::sums(history.path(), &["HEAD"], form));
        assert_eq!(files.iter().any(|file| file["kind"] == "renamed"), form == "-M");
        assert!(files.iter().any(|file| file["reason"] == "binary" && file["added"].is_null()));
    }
}

#[test]
fn a_reader_that_leaves_is_no_failure() {
    let (room, history) = (Room::new(), history::generate(66));
    let data = room.text("data");
    room.analyze(&[path(&history)]).expect(0);
    for arguments in [
        &["facts", path(&history)][..],
        &["facts", path(&history), "--format", "json"],
        &["analyze", path(&history), "--json", "--data-dir", &data],
        &["report", "show", "--data-dir", &data],
        &["config", "reference"],
        &["help"],
        &["--help"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = room.command();
        Ended::of(command.args(arguments).stdout(writer).output().unwrap()).expect(0);
    }
    // And one that has read a line.
    let script = "set -o pipefail; \"$0\" facts \"$1\" --format json | head -n 1";
    let mut shell = std::process::Command::new("bash");
    let ended = shell.args(["-c", script, crate::room::BINARY, path(&history)]).output().unwrap();
    assert_eq!(Ended::of(ended).expect(0).text().lines().count(), 1);
}

#[test]
fn what_is_not_there_is_said_to_be_so() {
    let (room, history) = (Room::new(), history::generate(67));
    for revision in ["nope", "HEAD~100000", "HEAD:no-such-file", "0000000000000000000000000000000000000000"] {
        let ended = room.gitfleet(&["facts", path(&history), "--rev", revision]).expect(3).says(&[revision]);
        assert_eq!(ended.text(), "");
    }
    room.gitfleet(&["facts", &room.text("gone")]).expect(3).says(&["gone"]);
    room.gitfleet(&["facts", &room.text("home")]).expect(3).says(&["home"]);
    room.gitfleet(&["facts"]).expect(2);
    room.gitfleet(&["facts", path(&history), "--format", "xml"]).expect(2);
}

#[test]
fn an_empty_repository_has_no_facts() {
    let room = Room::new();
    let empty = room.repository("empty");
    let ended = room.gitfleet(&["facts", empty.text()]);
    // HEAD names no commit there, as git says too.
    assert!(ended.expect(3).text().is_empty());
}

#[test]
fn a_url_is_fetched_first() {
    let (room, history) = (Room::new(), history::generate(68));
    let (url, data) = (format!("file://{}", path(&history)), room.text("data"));
    let arguments = ["facts", &url, "--data-dir", &data];
    let ended = room.gitfleet(&arguments).expect(0);
    assert_eq!(sorted(&ended), of_git(history.path(), "HEAD", "--no-renames"));
    history.commit("more", "1\n", "2026-01-05T12:00:00Z");
    let ended = room.gitfleet(&arguments).expect(0);
    assert_eq!(sorted(&ended), of_git(history.path(), "HEAD", "--no-renames"));
    let gone = format!("file://{}", room.text("gone"));
    room.gitfleet(&["facts", &gone, "--data-dir", &data]).expect(3).says(&["gone"]);
}

#[test]
fn slices_are_the_whole() {
    let room = Room::new();
    let history = history::generate(63);
    let whole = sorted(&room.gitfleet(&["facts", path(&history), "--renames"]).expect(0));
    for of in [1, 2, 5, 300] {
        let mut lines = Vec::new();
        for number in 1..=of.min(20) {
            let slice = format!("{number}/{of}");
            let ended = room.gitfleet(&["facts", path(&history), "--renames", "--slice", &slice]).expect(0);
            lines.extend(
                ended.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(<[u8]>::to_vec),
            );
        }
        lines.sort();
        match of {
            // Of so many slices, twenty hold a part of the history.
            300 => assert!(lines.len() < whole.len() && lines.iter().all(|line| whole.contains(line))),
            _ => assert_eq!(lines, whole, "{of}"),
        }
    }
    for bad in ["0/2", "3/2", "2", "a/b", "1/0", "-1/2"] {
        room.gitfleet(&["facts", path(&history), &format!("--slice={bad}")]).expect(2);
    }
}
