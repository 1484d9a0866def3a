//! What documents and deployment files tell people to type: every variable, command and flag in them exists.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::room::{Room, contents};

fn project(name: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).join(name)
}

/// Returns the files in question, each with its text.
fn files() -> Vec<(String, String)> {
    let mut files = vec!["README.md".to_owned(), "docker-compose.yml".into(), "gitfleet.example.yaml".into()];
    for folder in ["deploy", "docs/runbooks"] {
        let below = contents(&project(folder)).into_keys();
        files.extend(below.map(|file| format!("{folder}/{}", file.display())));
    }
    assert!(files.len() > 10, "{files:?}");
    let read = |file: String| {
        let text = std::fs::read_to_string(project(&file)).unwrap();
        (file, text)
    };
    files.into_iter().map(read).collect()
}

#[test]
fn every_variable_is_one_of_ours() {
    let known = Room::new().gitfleet(&["help", "environment"]).expect(0);
    let mut known: BTreeSet<&str> = known.text().split_whitespace().collect();
    // Of deploy/check, and of no process of gitfleet.
    known.insert("GITFLEET_TOOLS");
    let mut met = 0;
    for (file, text) in files() {
        let words = text.split(|char: char| !(char.is_ascii_alphanumeric() || char == '_'));
        for word in words.filter(|word| word.starts_with("GITFLEET_") && *word != "GITFLEET_") {
            let setting = word.strip_suffix("_FILE").filter(|_| !known.contains(word)).unwrap_or(word);
            assert!(known.contains(setting), "{file} names {word}");
            met += 1;
        }
    }
    assert!(met > 20, "the search finds them: {met}");
}

/// Returns the commands of gitfleet that are in `text`, each as its words.
fn commands(text: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for line in text.lines() {
        let line = line.split(" #").next().unwrap_or_default();
        for (at, _) in line.match_indices("gitfleet ") {
            let before = line[..at].chars().last();
            if before.is_some_and(|char| !matches!(char, ' ' | '`' | '/' | '(')) {
                continue;
            }
            let rest = &line[at..];
            let end = rest.find(['`', '|', '>', '<', ';', '&', ')']).unwrap_or(rest.len());
            found.push(rest[..end].split_whitespace().skip(1).map(str::to_owned).collect());
        }
    }
    found
}

#[test]
fn every_command_and_flag_is_one_of_ours() {
    let room = Room::new();
    let help = room.gitfleet(&["help"]).expect(0);
    let listed = help.text().lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let known: BTreeSet<&str> = listed.filter_map(|line| line.split_whitespace().next()).collect();
    assert!(known.contains("submit"), "{known:?}");
    let mut met = 0;
    for (file, text) in files() {
        for words in commands(&text) {
            let Some(first) = words.first().filter(|first| known.contains(first.as_str())) else { continue };
            let flags =
                words.iter().filter_map(|word| word.strip_prefix("--").map(|name| name.split('=').next()));
            let (mut path, flags): (Vec<&str>, Vec<&str>) = (vec![first], flags.flatten().collect());
            if let Some(second) =
                words.get(1).filter(|second| second.chars().all(|char| char.is_ascii_lowercase()))
            {
                path.push(second);
            }
            // The second word may be something to work on.
            let told = [&path[..], &path[..1]]
                .iter()
                .map(|path| room.gitfleet(&[path, &["--help"][..]].concat()))
                .find(|help| help.code == Some(0))
                .unwrap();
            for flag in flags.into_iter().filter(|flag| !flag.is_empty()) {
                let is_there = told.text().contains(&format!("--{flag}"));
                assert!(is_there, "{file}: {words:?} has no --{flag}");
                met += 1;
            }
            met += 1;
        }
    }
    assert!(met > 40, "the search finds them: {met}");
}

#[test]
fn compose_is_read() {
    let text = std::fs::read_to_string(project("docker-compose.yml")).unwrap();
    let mut parser = granit_parser::Parser::new_from_str(&text);
    while let Some(event) = parser.next_event() {
        event.unwrap();
    }
}

#[test]
fn containers_are_started_with_commands_of_ours() {
    let room = Room::new();
    let mut started = Vec::new();
    for (file, text) in files() {
        // As compose says it, and as Kubernetes does.
        for list in ["command: [", "args: ["] {
            for line in text.lines().filter_map(|text| text.trim().strip_prefix(list)) {
                let words = line.split([',', ']', ' ']).filter(|word| !word.is_empty());
                let words: Vec<&str> = words.take_while(|word| !word.starts_with("{{")).collect();
                let (flags, path): (Vec<&str>, Vec<&str>) =
                    words.iter().partition(|word| word.starts_with("--"));
                let path: Vec<&str> = path
                    .into_iter()
                    .filter(|word| word.chars().all(|char| char.is_ascii_lowercase()))
                    .collect();
                let help = room.gitfleet(&[&path[..], &["--help"]].concat()).expect(0);
                for flag in flags {
                    assert!(help.text().contains(flag), "{file}: {path:?} has no {flag}");
                }
                started.push(path.join(" "));
            }
        }
    }
    for (role, times) in [("coordinator", 2), ("worker", 2), ("migrate up", 2)] {
        let found = started.iter().filter(|path| *path == role).count();
        assert!(found > times, "{role} is started by compose, the chart and the manifests: {started:?}");
    }
}

#[test]
fn every_secret_of_compose_is_made_and_random() {
    let room = Room::new();
    let make = || {
        let script = project("deploy/secrets").canonicalize().unwrap();
        Command::new(script).current_dir(room.path("desk")).output().unwrap()
    };
    assert!(make().status.success());
    let made = contents(&room.path("desk/secrets"));
    let text = std::fs::read_to_string(project("docker-compose.yml")).unwrap();
    let named: BTreeSet<PathBuf> = text
        .lines()
        .filter_map(|line| Some(PathBuf::from(line.split_once("file: ./secrets/")?.1.split_once(' ')?.0)))
        .collect();
    assert_eq!(named, made.keys().cloned().collect());
    let before = made.clone();
    assert!(!make().status.success(), "what is there stays");
    assert_eq!(contents(&room.path("desk/secrets")), before);
    std::fs::remove_dir_all(room.path("desk/secrets")).unwrap();
    assert!(make().status.success());
    for (name, content) in contents(&room.path("desk/secrets")) {
        assert_ne!(content, before[&name], "{} is random", name.display());
    }
}
