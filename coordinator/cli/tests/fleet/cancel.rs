//! Batches that are cancelled, paused and resumed in mid-run.

use std::time::Duration;

use crate::fleet::{Fleet, PATIENCE, is, within};
use crate::oracle::{close, jobs, judge};
use crate::sample::Sample;
use crate::servers::Servers;

const IN_HAND: &str = "SELECT count(*) FROM attempt WHERE ended_at IS NULL";

#[test]
fn a_cancelled_batch_stops_within_seconds_and_reports_nothing() {
    let (servers, sample) = (Servers::shared(), Sample::shared());
    let mut fleet = Fleet::new(servers);
    let coordinator = fleet.coordinator("coordinator", &[]);
    // A second for each block of commits: the batch is in the middle for sure.
    let worker = fleet.worker("worker", 2, &[("GITFLEET_SABOTAGE", "haste")]);
    let batch = fleet.submit(&sample.sources, 20);
    fleet.until_done(&batch, 4);
    fleet.until("jobs are in hand", || fleet.count(IN_HAND) > 0);
    fleet.told(&["batch", "cancel", &batch]);
    let queued = format!("SELECT count(*) FROM job WHERE {} AND state = 'queued'", is(&batch, "batch_id"));
    assert_eq!(fleet.count(&queued), 0, "what is queued is cancelled at once");
    // The worker is free for others as soon as it has heard.
    let idle = "SELECT count(*) FROM worker WHERE gone_at IS NULL AND running = 0";
    assert!(within(Duration::from_secs(10), || fleet.count(idle) == 1), "the worker goes on for nobody");
    jobs(&fleet, &batch).none();
    assert_eq!(
        fleet.ask(&["report", "show", &batch]).status.code(),
        Some(3),
        "there is no report of half a run"
    );
    fleet.told(&["batch", "cancel", &batch]);
    // What it found out stands, and the next one goes on from there.
    let batch = fleet.submit(&sample.sources, 1_000);
    judge(&fleet, &batch, sample, PATIENCE, "after a cancelled batch").none();
    close(&fleet, vec![worker], vec![coordinator]).none();
}

#[test]
fn a_paused_batch_rests_through_kills_and_goes_on() {
    let (servers, sample) = (Servers::shared(), Sample::shared());
    let mut fleet = Fleet::new(servers);
    let mut coordinator = fleet.coordinator("coordinator", &[]);
    let mut worker = fleet.worker("worker", 2, &[("GITFLEET_SABOTAGE", "haste")]);
    let batch = fleet.submit(&sample.sources, 20);
    fleet.until_done(&batch, 4);
    fleet.told(&["batch", "pause", &batch]);
    fleet.until("what is in hand ends", || {
        fleet.count(IN_HAND) == 0 && fleet.depth(gitfleet_shared::queue::Topic::Jobs) == 0
    });
    let begun = "SELECT count(*) FROM attempt";
    let before = fleet.count(begun);
    coordinator.kill();
    worker.kill();
    fleet.run("UPDATE leadership SET expires_at = 0");
    let coordinator = fleet.coordinator("coordinator", &[]);
    let worker = fleet.worker("worker", 2, &[]);
    fleet.until("the new worker is heard of", || {
        fleet.count("SELECT count(*) FROM worker WHERE gone_at IS NULL AND heard_at > 0") > 0
            && fleet.count("SELECT count(*) FROM leadership WHERE term = 2 AND expires_at > 0") == 1
    });
    // Nothing happens, which takes its time to be seen.
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(fleet.count(begun), before, "nothing was begun while it rests");
    fleet.told(&["batch", "resume", &batch]);
    judge(&fleet, &batch, sample, PATIENCE, "paused, all killed, resumed").none();
    close(&fleet, vec![worker], vec![coordinator]).none();
}
