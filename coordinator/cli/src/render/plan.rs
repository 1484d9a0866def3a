//! What `--dry-run` shows.

use std::fmt::Write as _;

use gitfleet_coordinator::store::{BatchRepository, RepositoryState};
use serde::Serialize;

use super::talk;

/// Commits that one slot analyses in a second, on a small machine; the estimate is a matter of magnitude.
const COMMITS_PER_SECOND: u64 = 1_500;

#[derive(Debug, Serialize)]
pub(crate) struct Plan {
    repositories: Vec<PlannedRepository>,
    commits: u64,
    commits_to_analyse: u64,
    estimated_seconds: u64,
}

#[derive(Debug, Serialize)]
struct PlannedRepository {
    name: String,
    source: String,
    commits: Option<u64>,
    commits_to_analyse: Option<u64>,
    failure: Option<String>,
}

impl Plan {
    pub(crate) fn of(repositories: &[BatchRepository], slots: usize) -> Self {
        let planned = |repository: &BatchRepository| {
            let known = repository.state != RepositoryState::Failed;
            PlannedRepository {
                name: repository.name.clone(),
                source: repository.source.to_string(),
                commits: known.then_some(repository.commits_seen),
                commits_to_analyse: known.then_some(repository.commits_new),
                failure: repository.failure.as_ref().map(|failure| failure.message.clone()),
            }
        };
        let commits_to_analyse: u64 = repositories.iter().map(|repository| repository.commits_new).sum();
        Self {
            repositories: repositories.iter().map(planned).collect(),
            commits: repositories.iter().map(|repository| repository.commits_seen).sum(),
            commits_to_analyse,
            estimated_seconds: commits_to_analyse.div_ceil(COMMITS_PER_SECOND * slots.max(1) as u64),
        }
    }

    pub(crate) fn has_failures(&self) -> bool {
        self.repositories.iter().any(|repository| repository.failure.is_some())
    }

    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        let width = self.repositories.iter().map(|r| r.name.chars().count()).max().unwrap_or(0).max(10);
        let _ = writeln!(text, "{:<width$}  {:>10}  {:>10}", "repository", "commits", "to analyse");
        for repository in &self.repositories {
            let _ = match (&repository.failure, repository.commits, repository.commits_to_analyse) {
                (Some(failure), ..) => writeln!(text, "{:<width$}  failed: {failure}", repository.name),
                (None, commits, new) => writeln!(
                    text,
                    "{:<width$}  {:>10}  {:>10}",
                    repository.name,
                    commits.unwrap_or(0),
                    new.unwrap_or(0)
                ),
            };
        }
        let _ = writeln!(text, "{:<width$}  {:>10}  {:>10}", "all", self.commits, self.commits_to_analyse);
        let _ = writeln!(text, "estimated time: about {} s", self.estimated_seconds.max(1));
        talk::harmless(&text)
    }
}
