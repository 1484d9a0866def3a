//! What a commit costs: CPU, bytes kept and bytes sent, and what that comes to for a thousand repositories.
//!
//! CPU, store and cache file are those of the measured cold runs. Frames are made again here, by the code that makes
//! them in a run: jobs and outcomes as they go over a broker, facts as they lie in a cache.

use std::path::Path;

use gitfleet_shared::codec::{self, Kind};
use gitfleet_shared::contract::{
    Changed, Job, Mainline, Outcome, SliceResult, Snapshot, Source, SurveyResult, Work, WorkResult,
};
use gitfleet_shared::facts::{CommitFacts, FACTS_VERSION};
use gitfleet_shared::ids::{BatchId, JobId};
use gitfleet_shared::object_id::ObjectId;
use gitfleet_worker::door::{self, Part};
use gitfleet_worker::facts::Depth;
use gitfleet_worker::objects::Limits;

use crate::analysis::Analyses;
use crate::table::{Table, count, number};

/// Commits of one message, the default of `--batch-size`.
const SLICE: usize = 1_000;
/// The default of `--max-blob-bytes`.
pub(crate) const MAX_BLOB_BYTES: u64 = 100 << 20;
/// The default of `--memory-mib`.
const MEMORY_BYTES: u64 = 768 << 20;

/// Returns the limits of each of `threads`, as they are by default.
pub(crate) fn limits(threads: usize) -> Limits {
    Limits::share(MAX_BLOB_BYTES, MEMORY_BYTES, threads)
}

/// What was spent on some commits.
#[derive(Debug, Default, Clone)]
pub(crate) struct Cost {
    repositories: usize,
    /// Merges too.
    commits: usize,
    changes: usize,
    cpu_seconds: f64,
    store_bytes: usize,
    cache_file_bytes: usize,
    cache_frame_bytes: usize,
    job_bytes: usize,
    outcome_bytes: usize,
}

impl Cost {
    /// Returns what the measured cold runs of `repository` at `head` cost.
    pub(crate) fn of(
        repository: &Path,
        head: &str,
        jobs: usize,
        measured: &Analyses,
    ) -> anyhow::Result<Self> {
        let mut cost = Self {
            repositories: 1,
            cpu_seconds: measured.cold.samples.cpu(),
            store_bytes: measured.kept.store_bytes as usize,
            cache_file_bytes: measured.kept.cache_file_bytes as usize,
            ..Self::default()
        };
        let mut commits = Vec::new();
        let mut slice = Vec::new();
        door::facts(repository, head, jobs, limits(jobs), Depth::Hunks, Part::WHOLE, |facts| {
            cost.commits += 1;
            cost.changes += facts.files.len();
            cost.cache_frame_bytes += codec::encode(Kind::CommitFacts, FACTS_VERSION as u16, &facts).len();
            commits.push(facts.id);
            slice.push(facts);
            if slice.len() == SLICE {
                cost.slice(std::mem::take(&mut slice));
            }
            Ok(())
        })?;
        cost.slice(slice);
        cost.survey(commits);
        Ok(cost)
    }

    /// Adds the messages of a slice. Its merges' net lines are left out: a few bytes each.
    fn slice(&mut self, facts: Vec<CommitFacts>) {
        let Some(head) = facts.first().map(|facts| facts.id) else { return };
        let commits = facts.iter().map(|facts| facts.id).collect();
        self.messages(
            Work::Slice { head, commits, mainline_merges: Vec::new() },
            WorkResult::Slice(SliceResult {
                facts,
                mainline_merges: Vec::new(),
                undone: Vec::new(),
                undone_merges: Vec::new(),
                cache_hits: 0,
            }),
        );
    }

    /// Adds the messages of a survey that finds all `commits` new. The chain is taken to be all of them, which is
    /// the most it can be.
    fn survey(&mut self, commits: Vec<ObjectId>) {
        let snapshot = Snapshot {
            refs: [0; 32],
            head: commits.first().copied(),
            branch: None,
            tips: commits.first().copied().into_iter().collect(),
            attributes: [0; 32],
            shallow: false,
            mailmap: None,
            tags: Vec::new(),
            attributes_files: Vec::new(),
        };
        let mainline = Mainline { continues_base: false, commits: commits.clone(), merges: Vec::new() };
        // Estimates take two bytes, as those of most commits do.
        let costs = vec![1_000; commits.len()];
        let changed = Changed { snapshot, since_base: false, added: commits, costs, mainline };
        self.messages(
            Work::Survey { revisions: gitfleet_shared::contract::Revisions::Head, base: None },
            WorkResult::Survey(SurveyResult::Changed(Box::new(changed))),
        );
    }

    fn messages(&mut self, work: Work, result: WorkResult) {
        let batch = BatchId::from_bytes([1; 16]);
        let id = JobId::derive(batch, &work.key());
        let source = Source::Local { path: "/srv/git/a-repository.git".to_owned() };
        let worker = "worker-00".to_owned();
        let max_blob_bytes = MAX_BLOB_BYTES;
        self.job_bytes += Job {
            id,
            batch,
            source,
            work,
            max_blob_bytes,
            line_history: true,
            credential: None,
            erased: None,
        }
        .encode()
        .len();
        let outcome = Outcome { job: id, batch, worker, elapsed_millis: 1_000, result: Ok(result) };
        self.outcome_bytes += outcome.encode().len();
    }

    fn add(&mut self, other: &Self) {
        self.repositories += other.repositories;
        self.commits += other.commits;
        self.changes += other.changes;
        self.cpu_seconds += other.cpu_seconds;
        self.store_bytes += other.store_bytes;
        self.cache_file_bytes += other.cache_file_bytes;
        self.cache_frame_bytes += other.cache_frame_bytes;
        self.job_bytes += other.job_bytes;
        self.outcome_bytes += other.outcome_bytes;
    }

    /// Returns what `commits` commits of this kind come to, by multiplication and nothing else.
    fn projected(&self, commits: f64) -> Projection {
        let factor = commits / self.commits as f64;
        let gigabytes = |bytes: usize| bytes as f64 * factor / 1e9;
        Projection {
            changes: self.changes as f64 * factor,
            worker_hours: self.cpu_seconds * factor / 3_600.0,
            store_gigabytes: gigabytes(self.store_bytes),
            cache_gigabytes: gigabytes(self.cache_frame_bytes),
            broker_gigabytes: gigabytes(self.job_bytes + self.outcome_bytes),
        }
    }
}

struct Projection {
    changes: f64,
    worker_hours: f64,
    store_gigabytes: f64,
    cache_gigabytes: f64,
    broker_gigabytes: f64,
}

/// Prints what a commit costs in each repository and in all of them together, and what that projects to.
pub(crate) fn print(costs: &[(String, Cost)]) {
    let mut rows = costs.to_vec();
    if rows.len() > 1 {
        let mut all = Cost::default();
        rows.iter().for_each(|(_, cost)| all.add(cost));
        rows.push(("all of these".to_owned(), all));
    }
    let mut measured = Table::new(
        1,
        &[
            "repository",
            "commits",
            "changes",
            "CPU s / 1,000 commits",
            "CPU s / 1,000 changes",
            "store B / commit",
            "store B / change",
            "cache file B / commit",
            "cache frame B / commit",
            "job B / commit",
            "outcome B / commit",
        ],
    );
    for (name, cost) in &rows {
        let (commits, changes) = (cost.commits as f64, cost.changes as f64);
        measured.row([
            name.clone(),
            count(cost.commits),
            count(cost.changes),
            format!("{:.3}", cost.cpu_seconds / commits * 1e3),
            format!("{:.3}", cost.cpu_seconds / changes * 1e3),
            number(cost.store_bytes as f64 / commits),
            number(cost.store_bytes as f64 / changes),
            number(cost.cache_file_bytes as f64 / commits),
            number(cost.cache_frame_bytes as f64 / commits),
            number(cost.job_bytes as f64 / commits),
            number(cost.outcome_bytes as f64 / commits),
        ]);
    }
    measured.print("What a commit costs (a cold analysis, merges counted as commits)");

    const COMMITS: f64 = 10_000_000.0;
    let mut projected = Table::new(
        1,
        &[
            "if all commits were like those of",
            "file changes",
            "worker-hours (CPU)",
            "store GB",
            "cache GB",
            "broker GB",
        ],
    );
    for (name, cost) in &rows {
        let projection = cost.projected(COMMITS);
        projected.row([
            name.clone(),
            number(projection.changes),
            format!("{:.2}", projection.worker_hours),
            format!("{:.1}", projection.store_gigabytes),
            format!("{:.1}", projection.cache_gigabytes),
            format!("{:.1}", projection.broker_gigabytes),
        ]);
    }
    projected.print(
        "Projected to 1,000 repositories with 10,000,000 commits (each figure above times commits; hours = CPU s / \
         3,600; cache = frames; broker = jobs + outcomes, each sent once)",
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn projections_are_multiplications() {
        let cost = Cost {
            repositories: 1,
            commits: 1_000,
            changes: 3_000,
            cpu_seconds: 0.36,
            store_bytes: 500_000,
            cache_file_bytes: 1,
            cache_frame_bytes: 300_000,
            job_bytes: 20_000,
            outcome_bytes: 180_000,
        };
        let mut twice = cost.clone();
        twice.add(&cost);
        for cost in [cost, twice] {
            let projection = cost.projected(1e7);
            let close = |found: f64, expect: f64| assert!((found - expect).abs() < 1e-9, "{found} {expect}");
            close(projection.changes, 3e7);
            close(projection.worker_hours, 1.0);
            close(projection.store_gigabytes, 5.0);
            close(projection.cache_gigabytes, 3.0);
            close(projection.broker_gigabytes, 2.0);
        }
    }
}
