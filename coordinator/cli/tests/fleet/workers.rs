//! Workers that are killed, frozen and told to end.

use std::time::Duration;

use crate::fleet::{Fleet, PATIENCE, is};
use crate::oracle::{Findings, Oracle, close, judge};
use crate::random::{Random, seed};
use crate::sample::Sample;
use crate::servers::Servers;

#[test]
fn workers_and_coordinators_killed_at_random_lose_nothing() {
    let (servers, sample) = (Servers::shared(), Sample::shared());
    let mut random = Random::new(seed());
    let mut fleet = Fleet::new(servers);
    let mut coordinators = vec![fleet.coordinator("one", &[]), fleet.coordinator("two", &[])];
    let mut workers: Vec<_> = ["a", "b", "c"].map(|name| fleet.worker(name, 1, &[])).into();
    let batch = fleet.submit(&sample.sources, 5);
    let mut killed = 0;
    for fault in 0..8 {
        // Somewhere in the next jobs, as far as there are any.
        let done = fleet.count("SELECT count(*) FROM job WHERE state = 'done'");
        let more = i64::try_from(random.below(12)).unwrap();
        let all = format!("SELECT count(*) FROM batch WHERE {} AND state <> 'running'", is(&batch, "id"));
        fleet.until("the work goes on", || {
            fleet.count("SELECT count(*) FROM job WHERE state = 'done'") >= done + more
                || fleet.count(&all) == 1
        });
        let number = usize::try_from(random.below(3)).unwrap();
        let name = workers[number].name.clone();
        match random.below(3) {
            0 | 1 => {
                workers[number].kill();
                workers[number] = fleet.worker(&name, 1, &[]);
                killed += 1;
                eprintln!("fault {fault}: worker {name} killed after {done} jobs");
            }
            _ => {
                workers[number].signal("STOP");
                let other = (number + 1) % 3;
                workers[other].kill();
                let other_name = workers[other].name.clone();
                workers[other] = fleet.worker(&other_name, 1, &[]);
                killed += 1;
                workers[number].signal("CONT");
                eprintln!(
                    "fault {fault}: worker {name} frozen while {other_name} is killed after {done} jobs"
                );
            }
        }
        if fault == 4 {
            // Who leads, and then who took over.
            let name = coordinators[0].name.clone();
            coordinators[0].kill();
            coordinators[0] = fleet.coordinator(&name, &[]);
            eprintln!("fault {fault}: coordinator {name} killed");
        }
    }
    let findings = judge(&fleet, &batch, sample, Duration::from_secs(60), "kills at random");
    findings.none();
    let lost = fleet.count("SELECT count(*) FROM attempt WHERE ending = 'worker_lost'");
    assert!(lost <= killed, "{lost} attempts lost by {killed} kills of one slot each");
    close(&fleet, workers, coordinators).none();
}

/// Kills a worker that has done a job and not said so yet.
pub(crate) fn killed_with_a_result(sabotage: Option<&str>) -> Findings {
    let (servers, sample) = (Servers::shared(), Sample::shared());
    let mut fleet = Fleet::new(servers).sabotage(sabotage);
    let coordinator = fleet.coordinator("coordinator", &[]);
    let mut doomed = fleet.worker("doomed", 1, &[("GITFLEET_CRASH_AT", "W7:5")]);
    let batch = fleet.submit(&sample.sources, 20);
    doomed.crashed();
    let worker = fleet.worker("doomed", 1, &[]);
    // Far below the lease, after which anything comes again.
    let mut findings = judge(&fleet, &batch, sample, Duration::from_secs(25), "killed with a result in hand");
    let lost = fleet.count("SELECT count(*) FROM attempt WHERE ending = 'worker_lost'");
    findings.demand(Oracle::History, lost == 1, || format!("{lost} attempts are lost with one worker"));
    if sabotage.is_none() {
        findings.append(close(&fleet, vec![worker], vec![coordinator]));
    }
    findings
}

#[test]
fn a_result_that_nobody_heard_of_is_made_again() {
    killed_with_a_result(None).none();
}

#[test]
fn a_worker_that_is_told_to_end_hands_back_what_it_cannot_finish() {
    let (servers, sample) = (Servers::shared(), Sample::shared());
    let mut fleet = Fleet::new(servers);
    let coordinator = fleet.coordinator("coordinator", &[]);
    // A second for each block of commits: there is something in hand for sure.
    let slow = [("GITFLEET_SABOTAGE", "haste"), ("GITFLEET_GRACE_SECONDS", "0")];
    let mut leaving = fleet.worker("leaving", 2, &slow);
    let batch = fleet.submit(&sample.sources, 1_000);
    let slices = "SELECT count(*) FROM attempt a JOIN job j ON j.id = a.job_id WHERE a.ended_at IS NULL AND j.work = 'slice'";
    fleet.until("a slice is in hand", || fleet.count(slices) > 0);
    assert_eq!(leaving.terminate(), Some(0));
    let worker = fleet.worker("staying", 2, &[]);
    judge(&fleet, &batch, sample, PATIENCE, "SIGTERM without grace").none();
    let endings =
        |ending: &str| fleet.count(&format!("SELECT count(*) FROM attempt WHERE ending = '{ending}'"));
    assert!(endings("interrupted") > 0, "what was in hand was handed back");
    assert_eq!(endings("worker_lost"), 0, "{:?}", fleet.texts("SELECT row_to_json(a)::text FROM attempt a"));
    assert_eq!(fleet.count("SELECT coalesce(sum(losses), 0)::bigint FROM job"), 0, "and cost no attempt");

    // With time enough, what is in hand is finished.
    let slow = [("GITFLEET_SABOTAGE", "haste")];
    let mut leaving = fleet.worker("leaving", 2, &slow);
    drop(worker);
    let before = endings("interrupted");
    let batch = fleet.submit_with(&sample.sources, 1_000, &["--max-blob-bytes", "50000000"]);
    fleet.until("a slice is in hand", || fleet.count(slices) > 0);
    assert_eq!(leaving.terminate(), Some(0));
    fleet.until("the slice was finished, and that is recorded", || fleet.count(slices) == 0);
    let worker = fleet.worker("staying", 2, &[]);
    judge(&fleet, &batch, sample, PATIENCE, "SIGTERM with grace").none();
    assert_eq!((endings("interrupted"), endings("worker_lost")), (before, 0));
    close(&fleet, vec![worker], vec![coordinator]).none();
}
