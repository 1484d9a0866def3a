//! Runs that are stopped, killed or not alone: what was done is kept, and the same command goes on from there.

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command};

use crate::history;
use crate::room::Room;

/// A repository of some hundred commits so deep below folders of long names that what is told of its slices does not
/// fit into a pipe. A run that is not read from is therefore held in the middle.
struct Deep {
    room: Room,
    source: String,
}

impl Deep {
    fn new(seed: u64) -> Self {
        let (room, history) = (Room::new(), history::generate(seed));
        let folder: Vec<String> = ["a", "b", "c", "d"].map(|name| name.repeat(200)).to_vec();
        let source = room.text(&format!("{}/r", folder.join("/")));
        history.git(&["clone", "--quiet", ".", &source]);
        Self { room, source }
    }

    /// Starts a run of one commit at a time and waits until it is at the thirtieth.
    fn begin(&self, more: &[&str]) -> (Child, BufReader<std::process::ChildStderr>) {
        let arguments = [&[&self.source, "-vv", "--jobs", "1", "--batch-size", "1"], more].concat();
        let mut child = self.room.analyze_command(&arguments).spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let (mut line, mut slices) = (String::new(), 0);
        while slices < 30 {
            line.clear();
            assert_ne!(stderr.read_line(&mut line).unwrap(), 0, "it ended early");
            slices += usize::from(line.contains("work=slice"));
        }
        (child, stderr)
    }

    /// Finishes what was begun, and asserts that it is what a run undisturbed says and that it cost less.
    fn finish(&self) {
        self.room.report(&[&self.source]);
        let undisturbed = Room::new();
        undisturbed.report(&[&self.source]);
        assert_eq!(self.room.lasting_files(), undisturbed.lasting_files());
        let run = self.room.json("out/manifest.json")["repositories"][0].clone();
        let number = |name: &str| run[name].as_u64().unwrap();
        assert!(number("commits_new") - number("cache_hits") < number("commits_seen"), "{run}");
    }
}

fn signal(child: &Child, name: &str) {
    // A shell has it built in; the program need not be there.
    let sent = Command::new("sh").args(["-c", &format!("kill -{name} {}", child.id())]).status().unwrap();
    assert!(sent.success());
}

#[test]
fn a_run_that_is_stopped_goes_on_next_time() {
    for (name, code) in [("INT", 130), ("TERM", 143)] {
        let deep = Deep::new(71);
        let (mut child, mut stderr) = deep.begin(&[]);
        signal(&child, name);
        let mut said = String::new();
        stderr.read_to_string(&mut said).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(code), "{name}: {said}");
        assert!(said.contains("the same command goes on"), "{said}");
        assert!(!deep.room.path("out").exists(), "no report of half a run");
        deep.room.gitfleet(&["report", "show", "--data-dir", &deep.room.text("data")]).expect(3);
        deep.finish();
    }
}

#[test]
fn a_run_that_is_killed_goes_on_next_time() {
    let deep = Deep::new(72);
    for _ in 0..2 {
        let (mut child, _stderr) = deep.begin(&[]);
        child.kill().unwrap();
        assert_eq!(child.wait().unwrap().signal(), Some(9));
        assert!(!deep.room.path("out").exists());
    }
    deep.finish();
}

#[test]
fn a_stopped_run_leaves_the_last_report_as_it_was() {
    let deep = Deep::new(73);
    deep.room.report(&[&deep.source]);
    let before = deep.room.lasting_files();
    let (mut child, mut stderr) = deep.begin(&["--no-cache"]);
    signal(&child, "INT");
    stderr.read_to_string(&mut String::new()).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(deep.room.lasting_files(), before);
    let shown = deep.room.gitfleet(&["report", "show", "--data-dir", &deep.room.text("data")]).expect(0);
    assert_eq!(shown.text(), deep.room.read("out/report.json"));
}

#[test]
fn one_at_a_time_uses_a_data_directory() {
    let room = Room::new();
    let repository = room.repository("r");
    repository.commit("a", 1, "2026-01-05T12:00:00Z");
    room.report(&[repository.text()]);
    let before = room.lasting_files();
    let lock = std::fs::File::create(room.path("data/lock")).unwrap();
    lock.lock().unwrap();
    let (data, url) = (room.text("data"), format!("file://{}", repository.text()));
    repository.commit("b", 1, "2026-01-06T12:00:00Z");
    for arguments in [
        &["analyze", repository.text()][..],
        &["analyze", repository.text(), "--no-cache"],
        &["analyze", repository.text(), "--dry-run"],
        &["facts", &url],
    ] {
        let ended =
            room.gitfleet(&[arguments, &["--data-dir", &data]].concat()).expect(6).says(&["hint", &data]);
        assert!(ended.text().is_empty());
    }
    assert_eq!(room.lasting_files(), before);
    let shown = room.gitfleet(&["report", "show", "--data-dir", &data]).expect(0);
    assert_eq!(shown.text(), room.read("out/report.json"), "the last one can be read meanwhile");
    // What needs no data directory does not wait for it.
    room.gitfleet(&["facts", repository.text(), "--data-dir", &data]).expect(0);
    room.analyze(&[repository.text(), "--validate-only"]).expect(0);
    drop(lock);
    assert_eq!(room.report(&[repository.text()])["totals"]["commits"], 2);
}

#[test]
fn two_runs_in_directories_of_their_own_do_not_meet() {
    let deep = Deep::new(74);
    let (mut child, mut stderr) = deep.begin(&[]);
    let beside = Room::new();
    beside.report(&[&deep.source]);
    deep.room.analyze(&[&deep.source]).expect(6);
    stderr.read_to_string(&mut String::new()).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(deep.room.lasting_files(), beside.lasting_files());
}
