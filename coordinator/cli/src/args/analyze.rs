//! `gitfleet analyze`.

use std::path::PathBuf;

use super::sources::{History, Sources};

/// Analyse repositories on this machine and write the report
///
/// Sources are local repositories (bare or not, linked worktrees too) and https://, ssh://, file:// or user@host:path
/// URLs. Without any, the repositories of the configuration file are analysed. A local repository is read in place
/// and never written to. A repository that fails is named in the report's coverage; the others go on.
#[derive(Debug, clap::Args)]
pub(crate) struct Analyze {
    #[command(flatten)]
    pub(crate) common: Common,

    #[command(flatten)]
    pub(crate) sources: Sources,

    #[command(flatten)]
    pub(crate) history: History,

    /// Where the report goes [default: gitfleet-report]
    #[arg(long, short, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,

    /// Forms of the report: csv, json, markdown, html, parquet [default: all but parquet]
    #[arg(long, value_name = "FORMS", value_delimiter = ',')]
    pub(crate) format: Vec<String>,

    /// Commits of one slice, the unit that workers take; no number depends on it [default: 1000]
    #[arg(long, value_name = "N", hide_short_help = true)]
    pub(crate) batch_size: Option<u32>,

    /// Leave the history of lines alone: their age, survival, ownership and rework stay unknown
    #[arg(long, hide_short_help = true)]
    pub(crate) no_line_history: bool,

    /// Analyse afresh: neither read nor keep anything but the mirrors of URLs
    #[arg(long)]
    pub(crate) no_cache: bool,

    /// Check configuration and command line, touching no repository and no network, and stop
    #[arg(long, conflicts_with = "dry_run")]
    pub(crate) validate_only: bool,

    /// Show what would be analysed and what it would cost; URLs are fetched for it, nothing is analysed
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Print the report (or plan) as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// What `analyze` and `facts` have in common.
#[derive(Debug, clap::Args)]
pub(crate) struct Common {
    /// Configuration file [default: gitfleet.yaml, if there is one]
    #[arg(long, short, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// Jobs done at the same time [default: one per core]
    #[arg(long, short, value_name = "N")]
    pub(crate) jobs: Option<usize>,

    /// Where store, cache and mirrors are kept [default: gitfleet in the user's data directory]
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,

    /// Memory that all jobs together are to get by with [default: 512]
    #[arg(long, value_name = "MIB", hide_short_help = true)]
    pub(crate) memory_mib: Option<u64>,

    /// Files larger than this have their lines unknown [default: 104857600]
    #[arg(long, value_name = "BYTES", hide_short_help = true)]
    pub(crate) max_blob_bytes: Option<u64>,
}
