//! The command line. The doc comments are the help.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use gitfleet_worker::door::Part;

/// Exact git analytics: who works on what, and how it trends, in numbers that equal git's own
#[derive(Debug, Parser)]
#[command(name = "gitfleet", version, disable_help_subcommand = true, max_term_width = 100)]
pub(crate) struct Args {
    /// Say nothing but the result and errors
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,

    /// Say more; twice for all there is
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Analyze(Box<Analyze>),
    Facts(Facts),
    Config(Config),
    Report(Report),
    Help(Help),
}

/// Analyse repositories on this machine and write the report
///
/// Sources are local repositories (bare or not, linked worktrees too) and https://, ssh://, file:// or user@host:path
/// URLs. Without any, the repositories of the configuration file are analysed. A local repository is read in place
/// and never written to. A repository that fails is named in the report's coverage; the others go on.
#[derive(Debug, clap::Args)]
pub(crate) struct Analyze {
    /// Repositories: paths or URLs
    pub(crate) sources: Vec<OsString>,

    #[command(flatten)]
    pub(crate) common: Common,

    /// Analyse every repository found below this folder, too; may be given several times
    #[arg(long, value_name = "DIR")]
    pub(crate) scan: Vec<PathBuf>,

    /// Analyse only these repositories of the sources, by name
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(crate) repositories: Vec<String>,

    /// Walk this branch instead of the default one
    #[arg(long, conflicts_with = "all_branches")]
    pub(crate) branch: Option<String>,

    /// Walk every local and remote-tracking branch
    #[arg(long)]
    pub(crate) all_branches: bool,

    #[command(flatten)]
    pub(crate) window: WindowArgs,

    /// Where the report goes [default: gitfleet-report]
    #[arg(long, short, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,

    /// Forms of the report: csv, json, markdown, html [default: all]
    #[arg(long, value_name = "FORMS", value_delimiter = ',')]
    pub(crate) format: Vec<String>,

    /// Commits of one slice, the unit that workers take; no number depends on it [default: 1000]
    #[arg(long, value_name = "N", hide_short_help = true)]
    pub(crate) batch_size: Option<u32>,

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

/// Which commits count, by the day they were written. All history by default.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Window")]
pub(crate) struct WindowArgs {
    /// The last N complete ISO weeks, Monday to Sunday
    #[arg(long, short, value_name = "N", conflicts_with_all = ["week", "from", "to", "since", "until"])]
    pub(crate) weeks: Option<u32>,

    /// Let the week that is not over yet be the last of --weeks
    #[arg(long)]
    pub(crate) include_current: bool,

    /// One ISO week, such as 2026-W41
    #[arg(long, conflicts_with_all = ["from", "to", "since", "until"])]
    pub(crate) week: Option<String>,

    /// First ISO week
    #[arg(long, value_name = "WEEK", requires = "to", conflicts_with_all = ["since", "until"])]
    pub(crate) from: Option<String>,

    /// Last ISO week
    #[arg(long, value_name = "WEEK", requires = "from")]
    pub(crate) to: Option<String>,

    /// First day (2026-10-05) or instant (2026-10-05T12:00:00Z)
    #[arg(long, value_name = "DATE")]
    pub(crate) since: Option<String>,

    /// Last day, or the instant after the last one
    #[arg(long, value_name = "DATE")]
    pub(crate) until: Option<String>,

    /// Zone in which days and weeks begin, by IANA name [default: UTC]
    #[arg(long, value_name = "ZONE")]
    pub(crate) time_zone: Option<String>,
}

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
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FactsFormat {
    /// As git log --numstat, with the commit in front
    Numstat,
    /// One JSON object per commit, merges too
    Json,
}

/// Look at the configuration
#[derive(Debug, clap::Args)]
pub(crate) struct Config {
    #[command(subcommand)]
    pub(crate) command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Print the merged configuration, each value with its origin, secrets masked
    Show {
        /// Configuration file [default: gitfleet.yaml, if there is one]
        #[arg(long, short, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Print the JSON Schema of the configuration file
    Schema,
    /// Print every key, what it does and its default
    Reference,
}

/// Look at reports
#[derive(Debug, clap::Args)]
pub(crate) struct Report {
    #[command(subcommand)]
    pub(crate) command: ReportCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ReportCommand {
    /// Print the JSON Schema of report.json
    Schema,
    /// Print the last published report as JSON
    Show {
        #[command(flatten)]
        common: Common,
    },
}

/// Print help for a command, or on a topic: exit-codes, environment
#[derive(Debug, clap::Args)]
pub(crate) struct Help {
    pub(crate) topic: Option<String>,
}

/// Returns the help of a command, or `None` where there is no such command.
pub(crate) fn help_of(topic: Option<&str>) -> Option<String> {
    use clap::CommandFactory as _;
    let mut command = Args::command();
    match topic {
        None => Some(command.render_long_help().to_string()),
        Some(name) => {
            command.build();
            Some(command.find_subcommand_mut(name)?.render_long_help().to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }
}
