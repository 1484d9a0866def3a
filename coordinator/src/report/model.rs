//! The report as data: what every form (JSON, CSV, Markdown, HTML) is rendered from.
//!
//! A report is a pure function of facts, configuration and the as-of time. Nothing in here differs between two runs
//! over the same inputs: ids, durations and worker names live in the run manifest alone.

use serde::{Deserialize, Serialize};

use super::tables::Tables;

/// Version of the JSON shape. It grows by one when a field changes its meaning or goes away; new fields do not count.
pub const SCHEMA_VERSION: u32 = 1;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    pub schema_version: u32,
    pub window: WindowSection,
    pub totals: Totals,
    /// Ascending by week. A bounded window lists all its weeks; all history lists the weeks that have commits.
    pub weeks: Vec<WeekRow>,
    /// In the order of their names.
    pub repositories: Vec<RepositoryRow>,
    /// Most commits first, then by name and e-mail.
    pub developers: Vec<DeveloperRow>,
    /// Ascending by week, then most commits first, then by name and e-mail. Only pairs with a commit.
    pub developer_weeks: Vec<DeveloperWeekRow>,
    /// Most touched lines first, then by name.
    pub languages: Vec<LanguageRow>,
    pub tables: Tables,
    pub data_quality: DataQuality,
    pub coverage: Coverage,
    pub method: Method,
}

/// Which commits the report speaks of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowSection {
    /// One line for people, such as "all history" or "2026-W40 to 2026-W43".
    pub label: String,
    /// IANA name of the zone in which days and weeks begin.
    pub time_zone: String,
    /// First instant inside, RFC 3339 in the report's zone; null where the window has no beginning.
    pub from: Option<String>,
    /// First instant after the window, RFC 3339; null where it has no end.
    pub until: Option<String>,
    /// Which revisions were walked: "default branch", "branch NAME" or "all branches".
    pub revisions: String,
    /// The day as of which ages are counted and people have left, in the report's zone.
    #[serde(default)]
    pub as_of: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Commits with at most one parent, each counted once however many repositories hold it.
    pub commits: u64,
    /// Commits with two or more parents, each counted once.
    pub merges: u64,
    /// Distinct authors (name and e-mail after mailmap) of the commits above.
    pub developers: u64,
    /// Lines added by non-merge commits, renames followed.
    pub additions: u64,
    pub deletions: u64,
    /// Changed files summed over non-merge commits: the number of lines `git log --numstat` prints.
    pub files_changed: u64,
    /// The same three sums as `--no-renames` gives them.
    pub without_renames: LineSums,
    pub repositories: u64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineSums {
    pub additions: u64,
    pub deletions: u64,
    pub files_changed: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeekRow {
    /// ISO 8601 week, such as "2026-W41".
    pub week: String,
    /// Its Monday, such as "2026-10-05".
    pub starts_on: String,
    pub commits: u64,
    pub merges: u64,
    pub developers: u64,
    pub additions: u64,
    pub deletions: u64,
    pub files_changed: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RepositoryStatus {
    /// Every commit of the snapshot is in the numbers.
    Analysed,
    /// The repository has no commit yet.
    Empty,
    /// It could not be analysed; its numbers are absent, not zero.
    Failed,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepositoryRow {
    pub name: String,
    /// Path or URL as given, credentials never included.
    pub source: String,
    pub project_key: String,
    pub status: RepositoryStatus,
    /// Why it failed; null otherwise.
    pub reason: Option<String>,
    /// Object id the numbers were pinned to.
    pub head: Option<String>,
    /// Short name of the branch that was walked; null for a detached HEAD or all branches.
    pub branch: Option<String>,
    /// These counts are null where the repository failed: unknown is not zero.
    pub commits: Option<u64>,
    pub merges: Option<u64>,
    pub developers: Option<u64>,
    pub additions: Option<u64>,
    pub deletions: Option<u64>,
    pub files_changed: Option<u64>,
    /// Day of the first and last commit in the window, in the report's zone.
    pub first_commit_on: Option<String>,
    pub last_commit_on: Option<String>,
    /// The conservation law of this repository; null where it was not checked.
    pub conservation: Option<Conservation>,
}

/// Over the first-parent chain, lines added minus lines deleted equals the text lines at the tip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conservation {
    /// Sum of added minus deleted over the first-parent chain, merges compared with their first parent.
    pub mainline_net_lines: i64,
    /// Lines that left or joined the count because a file turned from text to binary or back.
    pub binary_flip_lines: i64,
    /// Lines in text files at the tip.
    pub tip_lines: i64,
    /// Files on the chain or at the tip whose lines could not be counted. The law can only be checked where this is 0.
    pub unknown_files: u64,
    pub holds: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeveloperRow {
    pub name: String,
    pub email: String,
    pub commits: u64,
    pub additions: u64,
    pub deletions: u64,
    pub files_changed: u64,
    /// Distinct days with a commit, over all repositories, in the report's zone.
    pub active_days: u64,
    pub repositories: u64,
    pub first_commit_on: Option<String>,
    pub last_commit_on: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeveloperWeekRow {
    pub week: String,
    pub name: String,
    pub email: String,
    pub commits: u64,
    pub additions: u64,
    pub deletions: u64,
    pub files_changed: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LanguageRow {
    /// Language by file extension; "Other" where the extension is not known.
    pub language: String,
    /// Non-merge commits that touch it.
    pub commits: u64,
    pub files_changed: u64,
    pub additions: u64,
    pub deletions: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataQuality {
    /// File changes with null lines because a side is binary, as git prints `-`.
    pub binary_changes: u64,
    /// File changes whose lines are unknown, by reason. Their lines are in no sum.
    pub unknown_changes: Vec<UnknownChanges>,
    /// Commits that change no file.
    pub empty_commits: u64,
    /// Commits that touch more than 10,000 lines or 500 files: imports and bulk moves.
    pub bulk_commits: u64,
    /// Lines added and deleted by them, so that the totals can be read with and without.
    pub bulk_additions: u64,
    pub bulk_deletions: u64,
    /// Author time that no calendar can place; such commits are in the totals of all history, and in no week.
    pub invalid_times: u64,
    /// Author time more than 24 hours after the commit was fetched.
    pub future_times: u64,
    /// Author time later than committer time.
    pub authored_after_commit: u64,
    /// Commits that more than one repository of the batch holds, counted once in totals, weeks and developers.
    pub shared_commits: u64,
    /// Names of repositories whose history is cut short (shallow clones).
    pub shallow_repositories: Vec<String>,
    pub conservation_checked: u64,
    pub conservation_broken: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnknownChanges {
    /// "missing_object", "too_large" or "corrupt_object".
    pub reason: String,
    pub changes: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    pub repositories_requested: u64,
    pub repositories_analysed: u64,
    pub repositories_empty: u64,
    pub repositories_failed: u64,
    pub failures: Vec<Failure>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    pub repository: String,
    pub source: String,
    /// Stable class for scripts, such as "not_found", "not_a_repository", "corrupt", "permission_denied".
    pub class: String,
    pub message: String,
}

/// The conventions behind the numbers, printed under every report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Method {
    /// Version of the definitions; a change of any convention below raises it.
    pub method_version: u32,
    pub facts_version: u32,
    pub conventions: Vec<Convention>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Convention {
    /// What the convention settles, such as "merges".
    pub topic: String,
    pub rule: String,
}
