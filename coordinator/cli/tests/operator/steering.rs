//! What operators make of batches and workers, and how they come and go while a batch is watched.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStderr, Command};
use std::time::{Duration, Instant};

use crate::fleet::{CANARIES, Fleet, idle, wait, working};

/// `gitfleet batch watch` in the middle of it.
struct Watching {
    child: Child,
    stderr: BufReader<ChildStderr>,
    said: String,
}

impl Watching {
    /// Begins to watch a batch, and returns when something was shown of it.
    fn begin(fleet: &Fleet, batch: &str) -> Self {
        let mut child = fleet.command(&["batch", "watch", batch]).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let mut watching = Self { child, stderr, said: String::new() };
        watching.hear("0/1 repositories");
        watching
    }

    /// Waits until a line with `words` is said.
    fn hear(&mut self, words: &str) {
        let mut line = String::new();
        while !line.contains(words) {
            line.clear();
            assert_ne!(self.stderr.read_line(&mut line).unwrap(), 0, "it ended early: {}", self.said);
            self.said.push_str(&line);
        }
    }

    fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    /// Waits for the end and returns the exit code and all that was said.
    fn end(mut self) -> (Option<i32>, String) {
        self.stderr.read_to_string(&mut self.said).unwrap();
        let code = self.child.wait().unwrap().code();
        assert!(CANARIES.iter().all(|canary| !self.said.contains(canary)), "{}", self.said);
        (code, self.said)
    }
}

#[test]
fn a_paused_batch_rests_and_goes_on() {
    let fleet = idle();
    let batch = fleet.submit(&[&fleet.repository("paused", 31)]);
    let job = fleet.json(&["job", "ls", "--batch", &batch], "get", "/jobs")[0]["id"].clone();
    let job = job.as_str().unwrap();
    let explained = || fleet.run(&["job", "explain", job]).expect(0).stdout;
    wait("a leader", || explained().contains("there is no worker").then_some(()));
    fleet.run(&["batch", "pause", &batch[..20]]).expect(0).shows(&["paused"]);
    fleet.run(&["batch", "pause", &batch]).expect(0).shows(&["paused already"]);
    assert!(explained().contains("its batch is paused"));
    let listed = fleet.listing(&["batch", "ls"]);
    assert!(listed.contains("paused"), "{listed}");
    assert_eq!(fleet.json(&["batch", "resume", &batch], "post", "/batches/{id}/resume")["changed"], true);
    fleet.run(&["batch", "resume", &batch]).expect(0).shows(&["was not paused"]);
    assert!(explained().contains("there is no worker"));
}

#[test]
fn a_cancelled_batch_is_over() {
    let fleet = idle();
    let batch = fleet.submit(&[&fleet.repository("cancelled", 32)]);
    assert_eq!(fleet.json(&["batch", "cancel", &batch], "post", "/batches/{id}/cancel")["changed"], true);
    fleet.run(&["batch", "cancel", &batch]).expect(0).shows(&["cancelled already"]);
    fleet.run(&["batch", "watch", &batch]).expect(9).shows(&["1 cancelled"]);
    fleet.run(&["batch", "pause", &batch]).expect(6).says(&["cancelled"]);
    fleet.run(&["batch", "retry", &batch]).expect(6).says(&["cancelled", "hint"]);
    fleet.run(&["report", "show", &batch]).expect(3).says(&["cancelled"]);
    let jobs = fleet.json(&["job", "ls", "--batch", &batch], "get", "/jobs");
    assert_eq!(jobs[0]["state"], "cancelled");
    fleet.run(&["job", "retry", jobs[0]["id"].as_str().unwrap()]).expect(6);
}

#[test]
fn who_waits_too_long_is_told_how_to_come_back() {
    let fleet = idle();
    let repository = fleet.repository("waited-for", 33);
    let ended = fleet.run(&["submit", &repository, "--wait", "--timeout", "1"]).expect(75);
    let batch = ended.stdout.trim().to_owned();
    ended.says(&["the batch goes on", &format!("gitfleet batch watch {batch}\n")]);
    let server = ["--server", &fleet.server];
    let watch = [&["batch", "watch", &batch[..20], "--timeout", "0"], &server[..]].concat();
    fleet.run(&watch).expect(75).says(&[&format!("gitfleet batch watch {batch} --server {}", fleet.server)]);
    assert_eq!(fleet.state(&batch), "running");
}

#[test]
fn who_stops_watching_stops_nothing() {
    let fleet = idle();
    let batch = fleet.submit(&[&fleet.repository("left", 34)]);
    for (name, code) in [("INT", 130), ("TERM", 143)] {
        let watching = Watching::begin(fleet, &batch);
        watching.signal(name);
        let (ended, said) = watching.end();
        assert_eq!(ended, Some(code), "{said}");
        assert!(said.contains(&format!("come back with: gitfleet batch watch {batch}\n")), "{said}");
        assert_eq!(fleet.state(&batch), "running");
    }
}

#[test]
fn watching_outlives_the_coordinator() {
    let fleet = Fleet::start(0);
    let batch = fleet.submit(&[&fleet.repository("outlived", 35)]);
    let mut watching = Watching::begin(&fleet, &batch);
    fleet.coordinator.kill();
    watching.hear("still trying, the batch goes on");
    fleet.coordinator.run();
    watching.hear("the coordinator answers again");
    fleet.run(&["batch", "cancel", &batch]).expect(0);
    assert_eq!(watching.end().0, Some(9));
    // One that hangs is not waited for by whoever wants to go.
    let batch = fleet.submit(&[&fleet.text("outlived")]);
    let watching = Watching::begin(&fleet, &batch);
    fleet.coordinator.stop();
    let begun = Instant::now();
    watching.signal("INT");
    assert_eq!(watching.end().0, Some(130));
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    fleet.coordinator.resume();
}

#[test]
fn a_worker_is_drained_and_taken_back() {
    let fleet = working();
    let name = wait("a worker", || {
        let workers = fleet.json(&["worker", "ls"], "get", "/workers");
        Some(workers.as_array()?.last()?["name"].as_str()?.to_owned())
    });
    fleet.run(&["worker", "drain", &name]).expect(0).shows(&["takes no more jobs"]);
    fleet.run(&["worker", "drain", &name]).expect(0).shows(&["draining already"]);
    fleet.run(&["worker", "show", &name]).expect(0).shows(&["drain"]);
    let undone = fleet.json(&["worker", "drain", "--undo", &name], "post", "/workers/{name}/undrain");
    assert_eq!(undone["changed"], true);
    fleet.run(&["worker", "drain", "--undo", &name]).expect(0).shows(&["was not draining"]);
    let batch = fleet.submit(&[&fleet.repository("after-draining", 36)]);
    fleet.run(&["batch", "watch", &batch, "--quiet"]).expect(0);
}

#[test]
fn a_repository_is_forgotten_and_the_cache_emptied() {
    let fleet = working();
    let repository = fleet.repository("forgotten", 37);
    let batch = fleet.submit(&[&repository]);
    fleet.run(&["batch", "watch", &batch, "--quiet"]).expect(0);
    let sources = fleet.json(&["repo", "ls"], "get", "/repositories");
    let of = |one: &&serde_json::Value| one["source"] == repository.as_str();
    let id = sources.as_array().unwrap().iter().find(of).unwrap()["id"].to_string();
    fleet.run(&["repo", "show", &id]).expect(0).shows(&[&repository, "HEAD"]);
    fleet.run(&["repo", "rm", &id]).expect(0).shows(&["forgotten"]);
    let shown = fleet.json(&["repo", "show", &id], "get", "/repositories/{id}");
    assert_eq!(shown["snapshots"], serde_json::json!([]));
    fleet.run(&["report", "show", &batch]).expect(0);
    let purged = fleet.json(&["cache", "purge"], "post", "/cache/purge");
    assert!(purged["entries"].as_u64().is_some_and(|entries| entries > 0), "{purged}");
    // Only time is lost.
    fleet.run(&["submit", &repository, "--wait"]).expect(0).shows(&["1 analysed"]);
}
