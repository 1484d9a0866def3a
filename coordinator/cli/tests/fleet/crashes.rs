//! Workers and coordinators that die at a named instruction: nothing is lost there, and nothing counted twice.

use std::time::Duration;

use crate::fleet::{Fleet, is};
use crate::oracle::{close, judge};
use crate::sample::Sample;
use crate::servers::Servers;

/// In which whoever is left has to bring the batch to its end: far below a lease.
const BOUND: Duration = Duration::from_secs(40);

/// Other limits on the size of files, which no file here reaches: other facts to be found, and the same report.
fn limit(number: usize) -> String {
    (50_000_000 + number).to_string()
}

#[test]
fn a_worker_that_dies_anywhere_loses_nothing() {
    let (servers, sample) = (Servers::shared(), Sample::shared());
    let mut fleet = Fleet::new(servers);
    let coordinator = fleet.coordinator("coordinator", &[]);
    let mut worker = None;
    for (number, place) in ["W1", "W5", "W6:2", "W7:3", "W8:2", "W9:3", "W10:2"].into_iter().enumerate() {
        drop(worker.take());
        let mut doomed = fleet.worker("worker", 1, &[("GITFLEET_CRASH_AT", place)]);
        // One block of commits is not enough to die between two of them.
        let slice = if place == "W5" { 1_000 } else { 20 };
        let batch = fleet.submit_with(&sample.sources, slice, &["--max-blob-bytes", &limit(number)]);
        doomed.crashed();
        worker = Some(fleet.worker("worker", 2, &[]));
        judge(&fleet, &batch, sample, BOUND, &format!("worker dead at {place}")).none();
        let lost = fleet.count(&format!(
            "SELECT count(*) FROM attempt a JOIN job j ON j.id = a.job_id WHERE {} AND a.ending = 'worker_lost'",
            is(&batch, "j.batch_id")
        ));
        assert!(lost <= 1, "{place}: {lost} attempts are lost with one worker");
        // With its effect stored, or before anything was begun, a job is not done again.
        let works = matches!(place, "W5" | "W6:2" | "W7:3");
        assert!(!works || lost == 1, "{place}: the lost worker is not blamed");
    }
    close(&fleet, worker.into_iter().collect(), vec![coordinator]).none();
}

#[test]
fn a_coordinator_that_dies_anywhere_loses_nothing() {
    let (servers, sample) = (Servers::shared(), Sample::shared());
    let mut fleet = Fleet::new(servers);
    let mut coordinator = fleet.coordinator("first", &[]);
    let workers = vec![fleet.worker("worker", 2, &[])];
    let places = ["C1", "C2", "C3", "C4:2", "C5", "C6", "C7", "collected:3", "recorded:4", "C8", "C9", "C10"];
    for (number, place) in places.into_iter().enumerate() {
        assert_eq!(coordinator.terminate(), Some(0));
        let mut doomed = fleet.coordinator("doomed", &[("GITFLEET_CRASH_AT", place)]);
        let (limit, key) = (limit(number), format!("{}-{place}", fleet.prefix));
        let more = ["--max-blob-bytes", &limit, "--idempotency-key", &key];
        let sources: Vec<&str> = sample.sources.iter().map(String::as_str).collect();
        let arguments = [&["submit", "--quiet", "--batch-size", "20"], &more[..], &sources].concat();
        let said = fleet.ask(&arguments);
        // From the fourth place on it dies at something later, and may have answered by then.
        let is_answered = number >= 3 && said.status.success();
        doomed.crashed();
        drop(doomed);
        // Its term would end by itself; how long that takes is asked where leaders are frozen.
        fleet.run("UPDATE leadership SET expires_at = 0");
        coordinator = fleet.coordinator("coordinator", &[]);
        if !is_answered {
            assert_eq!(said.status.code(), Some(69), "{place}: whoever asks is told that nobody answers");
        }
        // As whoever was not answered does: the same once more. It is one batch, whether it was there or not.
        let batch = fleet.submit_with(&sample.sources, 20, &more);
        judge(&fleet, &batch, sample, BOUND, &format!("coordinator dead at {place}")).none();
        let batches = fleet.count("SELECT count(*) FROM batch");
        assert_eq!(batches, number as i64 + 1, "{place}: one batch for one key");
    }
    close(&fleet, workers, vec![coordinator]).none();
}
