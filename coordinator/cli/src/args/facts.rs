//! `gitfleet facts`.

use std::ffi::OsString;

use clap::ValueEnum;
use gitfleet_worker::door::Part;

use super::Common;

/// Print the facts of every commit, for git to judge
///
/// `numstat` prints one line per changed file of every non-merge commit: commit, added, deleted and path between
/// tabs. Sorted, it equals `git --attr-source=REV log --no-merges --no-renames --numstat REV` (or `-M` with --renames).
/// The diff algorithm is git's default (myers) on both sides; in a checkout of REV, --attr-source is not needed.
#[derive(Debug, clap::Args)]
pub(crate) struct Facts {
    /// Repository: a path or a URL
    pub(crate) source: OsString,

    #[command(flatten)]
    pub(crate) common: Common,

    /// Revision to walk from
    #[arg(long, default_value = "HEAD")]
    pub(crate) rev: String,

    #[arg(long, value_enum, default_value_t = FactsFormat::Numstat)]
    pub(crate) format: FactsFormat,

    /// Follow renames, as -M does
    #[arg(long)]
    pub(crate) renames: bool,

    /// Only slice K of N consecutive ones that are estimated to cost the same
    #[arg(long, value_name = "K/N", hide_short_help = true)]
    pub(crate) slice: Option<Part>,

    /// Show the credential of this name to the host of the URL
    #[arg(long, value_name = "NAME", hide_short_help = true)]
    pub(crate) credential: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FactsFormat {
    /// As git log --numstat, with the commit in front
    Numstat,
    /// One JSON object per commit, merges too
    Json,
}
