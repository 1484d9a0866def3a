//! What must be true after every fault, asked of store, queues and report. What is not true comes back by name, so
//! that a broken build can be seen to be caught.

use std::fmt;
use std::time::{Duration, Instant};

use gitfleet_shared::queue::Topic;

use crate::fleet::{Fleet, PATIENCE, is, within};
use crate::process::Process;
use crate::sample::{Sample, sha256};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Oracle {
    /// The batch ends in time.
    Recovery,
    /// Every job is in exactly one final state.
    Ended,
    /// What came of a job is recorded once.
    Once,
    /// Every attempt at a job has an ending, and the right one.
    History,
    /// The report is that of an undisturbed run.
    Bytes,
    /// Nothing waits on a queue, and nobody runs.
    Clean,
    /// Nobody records who does not lead.
    Fence,
    /// A job that kills workers kills no more than three.
    Poison,
}

/// What was found not to be true.
#[derive(Default)]
#[must_use]
pub(crate) struct Findings(Vec<(Oracle, String)>);

impl Findings {
    pub(crate) fn add(&mut self, oracle: Oracle, what: impl Into<String>) {
        self.0.push((oracle, what.into()));
    }

    /// Notes `what` unless `holds`.
    pub(crate) fn demand(&mut self, oracle: Oracle, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.add(oracle, what());
        }
    }

    #[track_caller]
    pub(crate) fn none(&self) {
        assert!(self.0.is_empty(), "{self}");
    }

    pub(crate) fn has(&self, oracle: Oracle) -> bool {
        self.0.iter().any(|(found, _)| *found == oracle)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn append(&mut self, other: Self) {
        self.0.extend(other.0);
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("all oracles hold");
        }
        self.0.iter().try_for_each(|(oracle, what)| writeln!(f, "{oracle:?}: {what}"))
    }
}

/// Waits for the end of `batch`, for `bound` at most, and judges it. `fault` is printed with the time it took.
pub(crate) fn judge(fleet: &Fleet, batch: &str, sample: &Sample, bound: Duration, fault: &str) -> Findings {
    let mut findings = Findings::default();
    match fleet.ended(batch, bound) {
        Some(took) => eprintln!("{fault}: recovered in {:.1} s", took.as_secs_f64()),
        None => {
            findings.add(Oracle::Recovery, format!("{fault}: not ended within {} s", bound.as_secs()));
            return findings;
        }
    }
    findings.append(jobs(fleet, batch));
    // The coordinator that is asked may just be starting again.
    let mut report = fleet.ask(&["report", "show", batch]);
    within(PATIENCE, || {
        report.status.success() || {
            report = fleet.ask(&["report", "show", batch]);
            false
        }
    });
    let found = sha256(&report.stdout);
    findings.demand(Oracle::Bytes, found == sample.sha256, || {
        format!(
            "the report is {found}, and not {}: {}",
            sample.sha256,
            String::from_utf8_lossy(&report.stderr)
        )
    });
    findings
}

/// Judges what is recorded of the jobs of a batch that has ended.
pub(crate) fn jobs(fleet: &Fleet, batch: &str) -> Findings {
    let mut findings = Findings::default();
    let of = is(batch, "j.batch_id");
    let job = |condition: &str| format!("SELECT count(*) FROM job j WHERE {of} AND {condition}");
    let attempts = |ending: &str| {
        // Those before it was sent belong to a try that an operator has taken back.
        format!(
            "(SELECT count(*) FROM attempt a WHERE a.job_id = j.id AND a.ending = {ending} \
             AND a.ended_at >= coalesce(j.sent_at, 0))"
        )
    };
    let mut zero = |oracle, what: &str, statement: &str| {
        // The batch ends a moment before the last attempt is closed.
        if !within(Duration::from_secs(10), || fleet.count(statement) == 0) {
            let which = statement.replacen(
                "SELECT count(*)",
                "SELECT row_to_json(j)::jsonb - 'message' || jsonb_build_object('attempts', (SELECT \
                 jsonb_agg(to_jsonb(b) - 'job_id' ORDER BY b.number) FROM attempt b WHERE b.job_id = j.id))",
                1,
            );
            let which = if which.contains("batch_repository") { String::new() } else { which };
            let which = fleet.texts(&which.replacen("SELECT", "SELECT (", 1).replacen(
                " FROM job j WHERE",
                ")::text FROM job j WHERE",
                1,
            ));
            findings.add(oracle, format!("{what}: {}\n{}", fleet.count(statement), which.join("\n")));
        }
    };
    zero(Oracle::Ended, "jobs without an end", &job("j.state = 'queued'"));
    zero(
        Oracle::Ended,
        "jobs that have ended and are still to be sent",
        &job("EXISTS (SELECT 1 FROM outbox o WHERE o.job_id = j.id)"),
    );
    let attempts_of = attempts("'ok'");
    zero(
        Oracle::Once,
        "jobs that are done, and not by one attempt",
        &job(&format!("j.state = 'done' AND {attempts_of} <> 1")),
    );
    zero(
        Oracle::Once,
        "jobs that failed, and not by one attempt",
        &job(&format!("j.state = 'failed' AND {} <> 1", attempts("'failed'"))),
    );
    zero(
        Oracle::Once,
        "repositories with more answers from the cache than questions",
        &format!(
            "SELECT count(*) FROM batch_repository j WHERE {of} AND j.commits_new IS NOT NULL AND j.cache_hits > j.commits_new"
        ),
    );
    zero(
        Oracle::History,
        "open attempts",
        &format!(
            "SELECT count(*) FROM attempt a JOIN job j ON j.id = a.job_id WHERE {of} \
             AND (a.ended_at IS NULL OR a.ending IS NULL)"
        ),
    );
    findings
}

/// Ends everybody in order and looks at what is left.
pub(crate) fn close(fleet: &Fleet, workers: Vec<Process>, coordinators: Vec<Process>) -> Findings {
    let mut findings = Findings::default();
    // Messages that came twice are still there when the batch has ended, and are work for nobody.
    findings
        .demand(Oracle::Clean, within(PATIENCE, || fleet.depth(Topic::Jobs) == 0), || "jobs wait".to_owned());
    let names: Vec<String> = workers.iter().map(|worker| worker.name.clone()).collect();
    let mut end = |mut process: Process| {
        let begun = Instant::now();
        let code = process.terminate();
        findings.demand(Oracle::Clean, code == Some(0), || {
            format!("{} ended with {code:?} after {:?}:\n{}", process.name, begun.elapsed(), process.said())
        });
    };
    workers.into_iter().for_each(&mut end);
    let collected = within(PATIENCE, || fleet.depth(Topic::Outcomes) == 0);
    coordinators.into_iter().for_each(&mut end);
    findings.demand(Oracle::Clean, collected, || "outcomes wait".to_owned());
    for topic in [Topic::Jobs, Topic::Outcomes, Topic::Dead] {
        // With everybody gone, what was out is back.
        let empty = within(Duration::from_secs(5), || fleet.depth(topic) == 0);
        findings.demand(Oracle::Clean, empty, || format!("{} {} are left", fleet.depth(topic), topic.name()));
    }
    let open = fleet.count("SELECT count(*) FROM attempt WHERE ended_at IS NULL");
    findings.demand(Oracle::History, open == 0, || format!("{open} attempts are open for ever"));
    let dead = fleet.count("SELECT count(*) FROM dead_letter");
    findings.demand(Oracle::Clean, dead == 0, || format!("{dead} dead letters"));
    let leads = fleet.count("SELECT count(*) FROM leadership WHERE expires_at > 0");
    findings.demand(Oracle::Clean, leads == 0, || "somebody who is gone still leads".to_owned());
    findings.append(folders(fleet, &names));
    findings
}

/// Looks for what killed processes have left on disk, and those who came after them have not removed.
fn folders(fleet: &Fleet, workers: &[String]) -> Findings {
    let mut findings = Findings::default();
    let mut waiting: Vec<_> = workers.iter().map(|worker| fleet.data_of(worker)).collect();
    while let Some(folder) = waiting.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let left = ["unfinished-", "going-", "passing-", "tmp_", ".tmp"]
                .iter()
                .any(|stem| name.starts_with(stem));
            // The lock of a data directory is a file that stays, and is held by nobody.
            let locked = name.ends_with(".lock") && path.to_string_lossy().contains("mirrors");
            findings.demand(Oracle::Clean, !(left || locked), || format!("{} is left", path.display()));
            if path.is_dir() {
                waiting.push(path);
            }
        }
    }
    findings
}
