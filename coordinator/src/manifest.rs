//! The run manifest: what differs from run to run, and nothing that a report says.

use gitfleet_shared::facts::FACTS_VERSION;
use gitfleet_shared::ids::BatchId;
use serde::{Deserialize, Serialize};

use crate::report::model::Report;
use crate::store::BatchRepository;

pub const MANIFEST_VERSION: u32 = 1;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    pub manifest_version: u32,
    pub gitfleet_version: String,
    pub facts_version: u32,
    pub batch: String,
    /// RFC 3339.
    pub started_at: String,
    pub finished_at: String,
    pub elapsed_millis: u64,
    pub worker_slots: usize,
    /// BLAKE3 of the merged configuration, secrets left out.
    pub config_hash: String,
    pub repositories: Vec<RepositoryRun>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepositoryRun {
    pub name: String,
    pub head: Option<String>,
    pub state: String,
    pub failure_class: Option<String>,
    /// Commits of the snapshot, merges included.
    pub commits_seen: u64,
    /// Those that were not in the store yet, and how many of their facts the cache had.
    pub commits_new: u64,
    pub cache_hits: u64,
    /// Sum over its jobs, which may run side by side.
    pub worker_millis: u64,
}

/// What the caller knows of the run.
#[derive(Debug, Clone)]
pub struct Run {
    pub batch: BatchId,
    pub started_at: String,
    pub finished_at: String,
    pub elapsed_millis: u64,
    pub worker_slots: usize,
    pub config: String,
}

/// Returns the manifest of `run`, its repositories in the order of their names.
pub fn manifest(run: Run, repositories: &[BatchRepository], report: &Report) -> Manifest {
    let mut runs: Vec<RepositoryRun> = repositories
        .iter()
        .map(|repository| {
            let source = repository.source.to_string();
            let row =
                report.repositories.iter().find(|row| row.name == repository.name && row.source == source);
            RepositoryRun {
                name: repository.name.clone(),
                head: row.and_then(|row| row.head.clone()),
                state: repository.state.name().to_owned(),
                failure_class: repository.failure.as_ref().map(|failure| failure.class.clone()),
                commits_seen: repository.commits_seen,
                commits_new: repository.commits_new,
                cache_hits: repository.cache_hits,
                worker_millis: repository.elapsed_millis,
            }
        })
        .collect();
    runs.sort_by(|a, b| a.name.cmp(&b.name));
    Manifest {
        manifest_version: MANIFEST_VERSION,
        gitfleet_version: env!("CARGO_PKG_VERSION").to_owned(),
        facts_version: FACTS_VERSION,
        batch: run.batch.to_string(),
        started_at: run.started_at,
        finished_at: run.finished_at,
        elapsed_millis: run.elapsed_millis,
        worker_slots: run.worker_slots,
        config_hash: blake3::hash(run.config.as_bytes()).to_hex().to_string(),
        repositories: runs,
    }
}
