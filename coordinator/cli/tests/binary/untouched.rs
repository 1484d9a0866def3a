//! A repository that is analysed is read and nothing else.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::history;
use crate::repository::git;
use crate::room::{Ended, Room, contents, times};

type Seen = (BTreeMap<PathBuf, Vec<u8>>, BTreeMap<PathBuf, SystemTime>);

/// Everything about a folder that could change: what is in each file, HEAD, index, refs and config among them, and
/// the times of all.
fn seen(folder: &Path) -> Seen {
    (contents(folder), times(folder))
}

#[test]
fn nothing_of_the_repository_changes() {
    let (room, history) = (Room::new(), history::generate(41));
    let path = history.path();
    // Work in progress: staged, unstaged and unknown to git.
    std::fs::write(path.join("staged"), "staged\n").unwrap();
    history.git(&["add", "staged"]);
    std::fs::write(path.join("staged"), "and changed\n").unwrap();
    std::fs::write(path.join("unknown"), "unknown\n").unwrap();
    history.git(&["stash", "create"]);
    history.git(&["tag", "v1", "HEAD~3"]);
    let (refs, before) = (history.git(&["for-each-ref"]), seen(path));
    let source = path.to_str().unwrap();
    room.analyze(&[source]).expect(0);
    assert_eq!(seen(path), before, "analyze");
    room.analyze(&[source, "--all-branches", "--no-cache", "--jobs", "3"]).expect(0);
    assert_eq!(seen(path), before, "analyze --all-branches");
    room.analyze(&[source, "--dry-run"]).expect(0);
    assert_eq!(seen(path), before, "--dry-run");
    room.gitfleet(&["facts", source]).expect(0);
    assert_eq!(seen(path), before, "facts");
    let (url, data) = (format!("file://{source}"), room.text("data"));
    room.analyze(&[&url]).expect(0);
    room.gitfleet(&["facts", &url, "--data-dir", &data]).expect(0);
    assert_eq!(seen(path), before, "as a remote");
    assert_eq!(history.git(&["for-each-ref"]), refs);
}

#[test]
fn a_report_in_the_working_tree_is_no_change_of_it() {
    let (room, history) = (Room::new(), history::generate(42));
    let inside = |arguments: &[&str]| {
        let data = room.text("data");
        let mut command = room.command();
        command.current_dir(history.path()).args(["analyze", ".", "--data-dir", &data]).args(arguments);
        Ended::of(command.output().unwrap()).expect(0);
    };
    let head = history.git(&["rev-parse", "HEAD"]);
    let before = seen(&history.path().join(".git"));
    inside(&[]);
    inside(&["--output", "reports/week"]);
    assert_eq!(seen(&history.path().join(".git")), before);
    assert!(history.path().join("gitfleet-report/report.html").exists());
    assert_eq!(git(history.path(), &["status", "--porcelain"]), "");
    assert_eq!(history.git(&["rev-parse", "HEAD"]), head);
}

#[test]
fn a_repository_that_may_not_be_written_is_analysed() {
    use std::os::unix::fs::PermissionsExt as _;
    let (room, history) = (Room::new(), history::generate(43));
    let folders: Vec<PathBuf> = times(history.path()).into_keys().filter(|path| path.is_dir()).collect();
    let allow = |mode: u32| {
        for folder in &folders {
            std::fs::set_permissions(folder, std::fs::Permissions::from_mode(mode)).unwrap();
        }
    };
    allow(0o555);
    let ended = room.analyze(&[history.path().to_str().unwrap()]);
    allow(0o755);
    ended.expect(0);
    // Its history grows, and git goes on as before.
    history.commit("more", "1\n", "2026-01-05T12:00:00Z");
    room.report(&[history.path().to_str().unwrap()]);
}
