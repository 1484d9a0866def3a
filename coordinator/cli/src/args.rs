//! The command line. The doc comments are the help.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use gitfleet_coordinator::store::ledger::{BatchFilter, JobFilter};
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
    Submit(Box<Submit>),
    Batch(Batch),
    Job(Job),
    Worker(Worker),
    Queue(Queue),
    Dead(Dead),
    Repo(Repo),
    Cache(Cache),
    Status(Status),
    Doctor(Doctor),
    Coordinator(Coordinator),
    Migrate(Migrate),
    Completion(Completion),
    Man(Man),
    Help(Help),
}

impl Command {
    /// Whether this is a part of a fleet, which says what it does as it goes.
    pub(crate) fn is_a_role(&self) -> bool {
        matches!(self, Self::Coordinator(_) | Self::Worker(Worker { command: None, .. }))
    }
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
    /// Print the last published report of this machine, or that of a fleet's batch, as JSON
    Show {
        /// The batch; without it, the report that `analyze` published here
        batch: Option<String>,

        #[command(flatten)]
        common: Common,

        /// Where a coordinator is [default: http://127.0.0.1:7171]
        #[arg(long, value_name = "URL")]
        server: Option<String>,
    },
    /// List the fleet's reports
    Ls {
        #[command(flatten)]
        ask: Ask,
    },
    /// Write the report of a fleet's batch in all its forms
    Export {
        batch: String,

        /// Where the report goes [default: gitfleet-report]
        #[arg(long, short, value_name = "DIR")]
        output: Option<PathBuf>,

        /// Forms of the report: csv, json, markdown, html [default: all]
        #[arg(long, value_name = "FORMS", value_delimiter = ',')]
        format: Vec<String>,

        #[command(flatten)]
        ask: Ask,
    },
}

/// How a coordinator is asked, and what is done with its answer.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct Ask {
    /// Where a coordinator is [default: http://127.0.0.1:7171]
    #[arg(long, value_name = "URL")]
    pub(crate) server: Option<String>,

    /// Configuration file [default: gitfleet.yaml, if there is one]
    #[arg(long, short, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// Print the answer as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Hand repositories to the fleet
///
/// As `analyze`, but the work is done by the workers of a fleet. Sources are URLs, or paths that every worker has. The
/// batch goes on whether or not anybody watches; `gitfleet batch watch` shows it.
#[derive(Debug, clap::Args)]
pub(crate) struct Submit {
    /// Repositories: URLs, or paths that workers have on their disks
    pub(crate) sources: Vec<OsString>,

    #[command(flatten)]
    pub(crate) ask: Ask,

    /// Submit every repository found below this folder, too; may be given several times
    #[arg(long, value_name = "DIR")]
    pub(crate) scan: Vec<PathBuf>,

    /// Submit only these repositories of the sources, by name
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(crate) repositories: Vec<String>,

    /// What the report is published as
    #[arg(long, default_value = "default")]
    pub(crate) name: String,

    /// From -100 to 100; the higher one goes first, ten steps are worth twice the share
    #[arg(long, default_value_t = 0, allow_negative_numbers = true, value_parser = clap::value_parser!(i64).range(-100..=100))]
    pub(crate) priority: i64,

    /// A label to find the batch by; may be given several times
    #[arg(long, value_name = "KEY=VALUE", value_parser = label)]
    pub(crate) label: Vec<(String, String)>,

    /// Names the request: sent again with the same key, it is one batch [default: a new one]
    #[arg(long, value_name = "KEY")]
    pub(crate) idempotency_key: Option<String>,

    /// Walk this branch instead of the default one
    #[arg(long, conflicts_with = "all_branches")]
    pub(crate) branch: Option<String>,

    /// Walk every branch
    #[arg(long)]
    pub(crate) all_branches: bool,

    #[command(flatten)]
    pub(crate) window: WindowArgs,

    /// Commits of one slice, the unit that workers take; no number depends on it [default: 1000]
    #[arg(long, value_name = "N", hide_short_help = true)]
    pub(crate) batch_size: Option<u32>,

    /// Files larger than this have their lines unknown [default: 104857600]
    #[arg(long, value_name = "BYTES", hide_short_help = true)]
    pub(crate) max_blob_bytes: Option<u64>,

    /// Only survey: count what would be analysed
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Wait for the end, saying nothing before it
    #[arg(long, conflicts_with = "watch")]
    pub(crate) wait: bool,

    /// Watch until the end
    #[arg(long)]
    pub(crate) watch: bool,

    /// Give up waiting after so many seconds; the work goes on
    #[arg(long, value_name = "SECONDS")]
    pub(crate) timeout: Option<u64>,
}

fn label(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err(format!("{text:?} is not KEY=VALUE")),
    }
}

/// Look at batches, and say what is to become of them
#[derive(Debug, clap::Args)]
pub(crate) struct Batch {
    #[command(subcommand)]
    pub(crate) command: BatchCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum BatchCommand {
    /// List batches, the newest first
    Ls {
        /// Only those in this state
        #[arg(long, value_parser = BatchFilter::STATES)]
        state: Option<String>,
        /// Only those with this label; may be given several times
        #[arg(long, value_name = "KEY=VALUE", value_parser = label)]
        label: Vec<(String, String)>,
        /// At most so many
        #[arg(long, default_value_t = 20)]
        limit: u32,
        #[command(flatten)]
        ask: Ask,
    },
    /// Show a batch and its repositories
    Show {
        /// The batch's id, or as much of its beginning as no other has
        id: String,
        #[command(flatten)]
        ask: Ask,
    },
    /// Watch a batch until it ends; Ctrl-C stops the watching and not the batch
    Watch {
        id: String,
        /// Give up after so many seconds; the work goes on
        #[arg(long, value_name = "SECONDS")]
        timeout: Option<u64>,
        #[command(flatten)]
        ask: Ask,
    },
    /// End a batch; what was published before stays
    Cancel {
        id: String,
        #[command(flatten)]
        ask: Ask,
    },
    /// Begin no more of its jobs; those in hand end
    Pause {
        id: String,
        #[command(flatten)]
        ask: Ask,
    },
    /// Let a paused batch go on
    Resume {
        id: String,
        #[command(flatten)]
        ask: Ask,
    },
    /// Let its failed repositories begin again
    Retry {
        id: String,
        #[command(flatten)]
        ask: Ask,
    },
    /// Compare the reports of two batches; exit code 7 where they differ
    Diff {
        first: String,
        second: String,
        #[command(flatten)]
        ask: Ask,
    },
}

/// Look at jobs, the units that workers take
#[derive(Debug, clap::Args)]
pub(crate) struct Job {
    #[command(subcommand)]
    pub(crate) command: JobCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum JobCommand {
    /// List jobs
    Ls {
        /// Only those of this batch
        #[arg(long, value_name = "ID")]
        batch: Option<String>,
        /// Only those in this state
        #[arg(long, value_parser = JobFilter::STATES)]
        state: Option<String>,
        /// At most so many
        #[arg(long, default_value_t = 50)]
        limit: u32,
        #[command(flatten)]
        ask: Ask,
    },
    /// Show a job and every attempt at it
    Show {
        /// The job's id, or as much of its beginning as no other has
        id: String,
        #[command(flatten)]
        ask: Ask,
    },
    /// Say in a sentence why a job is where it is
    Explain {
        id: String,
        #[command(flatten)]
        ask: Ask,
    },
    /// Let the repository of a failed job begin again
    Retry {
        id: String,
        #[command(flatten)]
        ask: Ask,
    },
}

/// Work for a fleet; or, with a command, look at workers
///
/// Without a command this process takes jobs from the queue until it is told to end. SIGTERM and Ctrl-C let jobs in
/// hand go on for the grace period, and then hand them back; a second signal ends at once.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Worker {
    #[command(subcommand)]
    pub(crate) command: Option<WorkerCommand>,

    #[command(flatten)]
    pub(crate) common: Common,

    /// How the worker is called, before what makes the name its own [default: the host's name]
    #[arg(long)]
    pub(crate) name: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum WorkerCommand {
    /// List workers
    Ls {
        /// Also those that are gone
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        ask: Ask,
    },
    /// Show a worker and what it has in hand
    Show {
        name: String,
        #[command(flatten)]
        ask: Ask,
    },
    /// Let a worker take no more jobs; those in hand end
    Drain {
        name: String,
        /// Let it take jobs again
        #[arg(long)]
        undo: bool,
        #[command(flatten)]
        ask: Ask,
    },
}

/// Look at the queue
#[derive(Debug, clap::Args)]
pub(crate) struct Queue {
    #[command(subcommand)]
    pub(crate) command: QueueCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum QueueCommand {
    /// List what waits, by topic
    Ls {
        #[command(flatten)]
        ask: Ask,
    },
}

/// Look at messages that nobody could use
#[derive(Debug, clap::Args)]
pub(crate) struct Dead {
    #[command(subcommand)]
    pub(crate) command: DeadCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DeadCommand {
    /// List dead letters, the newest first
    Ls {
        /// At most so many
        #[arg(long, default_value_t = 50)]
        limit: u32,
        #[command(flatten)]
        ask: Ask,
    },
    /// Show a dead letter with its bytes
    Show {
        id: i64,
        #[command(flatten)]
        ask: Ask,
    },
    /// Put a dead letter back where it came from
    Replay {
        id: i64,
        #[command(flatten)]
        ask: Ask,
    },
    /// Throw a dead letter away
    Drop {
        id: i64,
        #[command(flatten)]
        ask: Ask,
    },
}

/// Look at the repositories that were ever submitted
#[derive(Debug, clap::Args)]
pub(crate) struct Repo {
    #[command(subcommand)]
    pub(crate) command: RepoCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RepoCommand {
    /// List repositories
    Ls {
        #[command(flatten)]
        ask: Ask,
    },
    /// Show a repository and what was published of it
    Show {
        id: i64,
        #[command(flatten)]
        ask: Ask,
    },
    /// Forget a repository and its facts; reports that were made of it stay
    Rm {
        id: i64,
        #[command(flatten)]
        ask: Ask,
    },
}

/// Look at the cache that workers share
#[derive(Debug, clap::Args)]
pub(crate) struct Cache {
    #[command(subcommand)]
    pub(crate) command: CacheCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CacheCommand {
    /// Show how much is in it
    Stats {
        #[command(flatten)]
        ask: Ask,
    },
    /// Forget everything in it; only time is lost
    Purge {
        #[command(flatten)]
        ask: Ask,
    },
}

/// Show the fleet on one screen
#[derive(Debug, clap::Args)]
pub(crate) struct Status {
    #[command(flatten)]
    pub(crate) ask: Ask,
}

/// Check everything a fleet needs, from here, and say how to mend it
#[derive(Debug, clap::Args)]
pub(crate) struct Doctor {
    #[command(flatten)]
    pub(crate) ask: Ask,

    /// Where store, cache and mirrors are kept [default: gitfleet in the user's data directory]
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
}

/// Coordinate a fleet: answer the API, plan, collect, publish
///
/// Any number of coordinators may run beside each other; one of them leads, and another one takes over when it ends.
#[derive(Debug, clap::Args)]
pub(crate) struct Coordinator {
    /// Configuration file [default: gitfleet.yaml, if there is one]
    #[arg(long, short, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// Address and port to answer on [default: 127.0.0.1:7171]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<String>,

    /// Bring the store's schema up to date first
    #[arg(long)]
    pub(crate) migrate: bool,
}

/// Look at the schema of the fleet's store, and change it
#[derive(Debug, clap::Args)]
pub(crate) struct Migrate {
    #[command(subcommand)]
    pub(crate) command: MigrateCommand,

    /// Configuration file [default: gitfleet.yaml, if there is one]
    #[arg(long, short, value_name = "FILE", global = true)]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, Subcommand)]
pub(crate) enum MigrateCommand {
    /// List the steps, and which of them were taken
    Status {
        /// Print them as JSON
        #[arg(long)]
        json: bool,
    },
    /// Take all steps that are pending
    Up,
    /// Take the last step back
    Down,
    /// Exit with 0 where the schema fits this program, with 7 where it does not
    Check,
}

/// Print the completions of a shell
#[derive(Debug, clap::Args)]
pub(crate) struct Completion {
    pub(crate) shell: clap_complete::Shell,
}

/// Print the manual page, or write one for every command
#[derive(Debug, clap::Args)]
pub(crate) struct Man {
    /// Write pages for all commands into this folder
    #[arg(long, value_name = "DIR")]
    pub(crate) directory: Option<PathBuf>,
}

/// Print help for a command, or on a topic: exit-codes, environment, openapi
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
