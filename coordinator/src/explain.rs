//! Why a job is where it is, in a sentence.

use crate::store::ledger::open_attempt;
use crate::view::{BatchView, JobHistory, WorkerView};

/// What else matters to it.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    pub batch: Option<BatchView>,
    pub workers: Vec<WorkerView>,
    pub leader: Option<String>,
    /// Jobs that wait on the queue; `None` where it does not answer.
    pub waiting: Option<u64>,
}

/// Returns the sentence, and what to do where there is anything to do.
pub fn explain(history: &JobHistory, around: &Surroundings) -> (String, Option<String>) {
    let job = &history.job;
    let hint = |text: &str| Some(text.to_owned());
    let alive = || around.workers.iter().filter(|worker| worker.state != "gone");
    let reason = || job.failure_message.clone().unwrap_or_else(|| "no reason is known".to_owned());
    match job.state.as_str() {
        "done" => ("it is done".to_owned(), None),
        "failed" => (format!("it failed: {}", reason()), hint("mend that, then `gitfleet job retry`")),
        "dead" => (
            format!("it was given up: {}", reason()),
            hint("look at the logs of those workers; `gitfleet job retry` tries once more"),
        ),
        "cancelled" => {
            let batch = around.batch.as_ref().is_some_and(|batch| batch.state == "cancelled");
            let why =
                if batch { "its batch was cancelled" } else { "its repository failed, so it is not needed" };
            (why.to_owned(), None)
        }
        "running" => match open_attempt(history) {
            Some(attempt) => {
                let worker = attempt.worker.as_deref().unwrap_or("a worker");
                let gone = alive().all(|one| one.name != worker);
                let text = format!(
                    "it runs on {worker} since {}, {} of {} units done, last heard of at {}",
                    attempt.started_at, attempt.done, job.units, attempt.heard_at
                );
                match gone {
                    true => (
                        format!("{text}; that worker is gone, and it is sent again when its lease ends"),
                        None,
                    ),
                    false => (text, None),
                }
            }
            None => ("it runs".to_owned(), None),
        },
        "held" => (
            format!(
                "it rests until {}: {}",
                job.held_until.as_deref().unwrap_or("soon"),
                match job.losses {
                    0 => "the last worker could not do it".to_owned(),
                    losses => format!("{losses} workers were lost with it"),
                }
            ),
            None,
        ),
        _ if around.batch.as_ref().is_some_and(|batch| batch.paused) => {
            ("its batch is paused".to_owned(), hint("`gitfleet batch resume` lets it go on"))
        }
        _ if around.leader.is_none() => (
            "no coordinator leads, so nothing is sent".to_owned(),
            hint("start one with `gitfleet coordinator`, or look at its log"),
        ),
        _ if around.waiting.is_none() => {
            ("the queue does not answer".to_owned(), hint("`gitfleet doctor` says what is wrong with it"))
        }
        _ if alive().next().is_none() => {
            ("there is no worker".to_owned(), hint("start one with `gitfleet worker`"))
        }
        _ if alive().all(|worker| matches!(worker.state.as_str(), "draining" | "drained")) => {
            ("all workers are drained".to_owned(), hint("`gitfleet worker drain --undo` lets one work again"))
        }
        "sent" => {
            let (slots, running) = alive()
                .fold((0, 0), |(slots, running), worker| (slots + worker.slots, running + worker.running));
            let waiting = around.waiting.unwrap_or(0);
            (
                format!(
                    "it is on the queue, where {waiting} jobs wait for {slots} slots, {running} of them busy"
                ),
                None,
            )
        }
        _ => {
            let more_urgent = "others of its batch, or more urgent batches, go first";
            (format!("it waits to be sent: {more_urgent}, and few jobs are on the queue at a time"), None)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::{AttemptView, JobView};

    fn history(state: &str) -> JobHistory {
        let job = JobView {
            id: "j".into(),
            batch: "b".into(),
            repository: "r".into(),
            work: "slice".into(),
            units: 10,
            state: state.into(),
            losses: 0,
            sent_at: None,
            held_until: None,
            failure_class: None,
            failure_message: None,
        };
        JobHistory { job, attempts: Vec::new() }
    }

    fn worker(name: &str, state: &str) -> WorkerView {
        WorkerView {
            name: name.into(),
            host: "h".into(),
            version: "1".into(),
            state: state.into(),
            slots: 2,
            running: 1,
            started_at: String::new(),
            heard_at: String::new(),
            gone_at: None,
            jobs: Vec::new(),
        }
    }

    #[test]
    fn the_first_thing_in_the_way_is_named() {
        let mut around = Surroundings::default();
        let check = |state: &str, around: &Surroundings, expect: &str| {
            let (text, _) = explain(&history(state), around);
            assert!(text.contains(expect), "{text}");
        };
        check("waiting", &around, "no coordinator leads");
        around.leader = Some("c".into());
        check("waiting", &around, "the queue does not answer");
        around.waiting = Some(7);
        check("sent", &around, "there is no worker");
        around.workers = vec![worker("a", "gone")];
        check("sent", &around, "there is no worker");
        around.workers.push(worker("b", "drained"));
        check("sent", &around, "all workers are drained");
        around.workers.push(worker("c", "busy"));
        check("sent", &around, "7 jobs wait for 4 slots, 2 of them busy");
        check("waiting", &around, "waits to be sent");
        check("done", &around, "it is done");
        check("cancelled", &around, "its repository failed");
        check("dead", &around, "it was given up");
    }

    #[test]
    fn a_running_job_names_its_worker() {
        let mut running = history("running");
        running.attempts.push(AttemptView {
            number: 1,
            worker: Some("w".into()),
            started_at: "then".into(),
            heard_at: "now".into(),
            done: 4,
            ended_at: None,
            ending: None,
            message: None,
        });
        let mut around = Surroundings { workers: vec![worker("w", "busy")], ..Surroundings::default() };
        let expect = "it runs on w since then, 4 of 10 units done, last heard of at now";
        assert_eq!(explain(&running, &around).0, expect);
        around.workers[0].state = "gone".into();
        assert!(explain(&running, &around).0.ends_with("it is sent again when its lease ends"));
    }
}
