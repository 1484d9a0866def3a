//! An erasure that dies anywhere is done by asking again: nothing names anybody then, and no number is another.

use std::path::Path;

use crate::process::command;
use crate::sample::repository;

/// What nothing may say, in lower case.
const HERS: [&str; 2] = ["zelda quark", "zelda@quark.example"];

fn run(home: &Path, arguments: &[&str], crash_at: &str) -> (Option<i32>, String) {
    let output = command(home).args(arguments).env("GITFLEET_CRASH_AT", crash_at).output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
}

fn totals(report: &str) -> [serde_json::Value; 2] {
    let report: serde_json::Value = serde_json::from_str(report).unwrap();
    ["totals", "weeks"].map(|section| report[section].clone())
}

fn is_named(folder: &Path) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes).to_lowercase();
        HERS.iter().any(|one| text.contains(one))
    })
}

#[test]
fn an_erasure_that_dies_anywhere_is_done_again() {
    for place in ["E1", "E2", "E3", "E4"] {
        let home = tempfile::tempdir().unwrap();
        let source = repository(home.path(), "source", 33);
        for email in ["zelda@quark.example", "z@home.example"] {
            let name = "Zelda Quark";
            std::fs::write(source.join("file"), email).unwrap();
            for arguments in
                [&["add", "file"][..], &["commit", "--quiet", "--message", "as Zelda Quark says"]]
            {
                let done = std::process::Command::new("git")
                    .current_dir(&source)
                    .args(arguments)
                    .envs([("GIT_AUTHOR_NAME", name), ("GIT_AUTHOR_EMAIL", email)])
                    .envs([("GIT_COMMITTER_NAME", name), ("GIT_COMMITTER_EMAIL", email)])
                    .status();
                assert!(done.unwrap().success());
            }
        }
        let (home, source) = (home.path(), source.to_str().unwrap());
        let at = |arguments: &[&str], crash_at: &str| {
            run(home, &[arguments, &["--data-dir", "data"]].concat(), crash_at)
        };
        let data = home.join("data");
        assert_eq!(at(&["analyze", source, "--quiet"], "").0, Some(0));
        let before = at(&["report", "show"], "").1;
        let erase = |identity: &str, crash_at: &str| at(&["person", "erase", identity, "--yes"], crash_at);
        assert_eq!(erase("zelda@quark.example", place).0, None, "it dies at {place}");
        assert!(place == "E4" || is_named(&data), "{place} is in the midst of it");
        assert_eq!(erase("zelda@quark.example", "").0, Some(0), "{place}");
        assert!(!is_named(&data), "{place}");
        assert_eq!(at(&["report", "make", "--output", "made", "--quiet"], "").0, Some(0));
        let after = at(&["report", "show"], "").1;
        assert_eq!(totals(&after), totals(&before), "{place}");
        let (ended, said) = erase("z@home.example", "");
        assert!(ended == Some(0) && said.contains("nothing was left"), "{place}: {said}");
    }
}
