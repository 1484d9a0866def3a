//! The same bytes, whoever works and however often a message comes.

use std::time::Duration;

use gitfleet_shared::queue::Topic;

use crate::fleet::{Fleet, PATIENCE, is};
use crate::oracle::{Findings, close, judge};
use crate::sample::Sample;
use crate::servers::Servers;

#[test]
fn the_report_is_the_same_for_any_workers_and_slices() {
    let (servers, sample) = (Servers::shared(), Sample::shared());
    for (workers, slots, slice) in [(1, 1, 1_000), (2, 2, 37), (8, 1, 5)] {
        let mut fleet = Fleet::new(servers);
        let coordinator = fleet.coordinator("coordinator", &[]);
        let workers: Vec<_> =
            (0..workers).map(|number| fleet.worker(&format!("worker{number}"), slots, &[])).collect();
        let batch = fleet.submit(&sample.sources, slice);
        let what = format!("{} workers, slices of {slice}", workers.len());
        judge(&fleet, &batch, sample, PATIENCE, &what).none();
        close(&fleet, workers, vec![coordinator]).none();
    }
}

/// Lets every job message of a batch come three times more, last ones first, while it is worked on and after its end.
pub(crate) fn doubled(sabotage: Option<&str>) -> Findings {
    let (servers, sample) = (Servers::shared(), Sample::shared());
    let mut fleet = Fleet::new(servers).sabotage(sabotage);
    let coordinator = fleet.coordinator("coordinator", &[]);
    let workers = vec![fleet.worker("one", 1, &[]), fleet.worker("two", 1, &[])];
    let batch = fleet.submit(&sample.sources, 20);
    let again = |fleet: &Fleet| {
        let sequence =
            format!("SELECT message FROM job WHERE {} ORDER BY sequence DESC", is(&batch, "batch_id"));
        let frames = fleet.frames(&sequence);
        fleet.publish(Topic::Jobs, frames.iter().chain(&frames).chain(&frames).cloned());
    };
    fleet.until_done(&batch, 5);
    again(&fleet);
    let mut findings = judge(&fleet, &batch, sample, PATIENCE, "every message four times, in any order");
    if !findings.is_empty() {
        return findings;
    }
    again(&fleet);
    fleet.until("what came too late is looked at", || fleet.depth(Topic::Jobs) == 0);
    findings.append(judge(&fleet, &batch, sample, PATIENCE, "every message seven times"));
    findings.append(close(&fleet, workers, vec![coordinator]));
    findings
}

#[test]
fn messages_that_come_again_change_nothing() {
    doubled(None).none();
}

/// Lets the outcomes' queue be deleted while nobody listens to it, and workers go on.
pub(crate) fn deleted(sabotage: Option<&str>) -> Findings {
    let (servers, sample) = (Servers::shared(), Sample::shared());
    let mut fleet = Fleet::new(servers).sabotage(sabotage);
    let mut coordinator = fleet.coordinator("one", &[]);
    let workers = vec![fleet.worker("worker", 1, &[])];
    fleet.until("the worker is heard of", || fleet.count("SELECT count(*) FROM worker") == 1);
    workers[0].signal("STOP");
    let batch = fleet.submit(&sample.sources, 20);
    let sent = format!("SELECT count(*) FROM job WHERE {} AND sent_at IS NOT NULL", is(&batch, "batch_id"));
    fleet.until("the surveys are sent", || fleet.count(&sent) == sample.sources.len() as i64);
    coordinator.kill();
    fleet.run("UPDATE leadership SET expires_at = 0");
    fleet.delete(Topic::Outcomes);
    // The worker has what was sent before, and says what comes of it to nobody.
    workers[0].signal("CONT");
    fleet.until("all that was sent is done", || fleet.depth(Topic::Jobs) == 0);
    let coordinator = fleet.coordinator("two", &[]);
    // Far below the lease, after which it would be found out in any case.
    let mut findings = judge(&fleet, &batch, sample, Duration::from_secs(40), "outcomes' queue deleted");
    if findings.is_empty() {
        findings.append(close(&fleet, workers, vec![coordinator]));
    }
    findings
}

#[test]
fn outcomes_outlive_their_queue() {
    deleted(None).none();
}
