//! `gitfleet schedule`.

use clap::Subcommand;

use super::Ask;
use super::label::label;
use super::sources::{History, Sources};

/// Submit repositories again and again, at the times a cron pattern names
#[derive(Debug, clap::Args)]
pub(crate) struct Schedule {
    #[command(subcommand)]
    pub(crate) command: ScheduleCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ScheduleCommand {
    Add(Box<ScheduleAdd>),
    /// List schedules
    Ls {
        #[command(flatten)]
        ask: Ask,
    },
    /// Show a schedule and its last firings
    Show {
        /// Its name, or its number
        name: String,
        #[command(flatten)]
        ask: Ask,
    },
    /// Let it rest; a batch that runs goes on
    Pause {
        /// Its name, or its number
        name: String,
        #[command(flatten)]
        ask: Ask,
    },
    /// Let it go on; what came meanwhile is not made up for
    Resume {
        /// Its name, or its number
        name: String,
        #[command(flatten)]
        ask: Ask,
    },
    /// Let it fire now, and print the batch
    Trigger {
        /// Its name, or its number
        name: String,
        /// How long the batch may take to be submitted, in seconds
        #[arg(long, value_name = "SECONDS", default_value_t = 60)]
        timeout: u64,
        #[command(flatten)]
        ask: Ask,
    },
    /// List the times at which it fires next
    Next {
        /// Its name, or its number
        name: String,
        /// How many
        #[arg(short, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1000))]
        n: u32,
        #[command(flatten)]
        ask: Ask,
    },
    /// Remove it; its batches and reports stay
    Rm {
        /// Its name, or its number
        name: String,
        #[command(flatten)]
        ask: Ask,
    },
}

/// Add a schedule
///
/// It submits what `gitfleet submit` would with the same sources and flags, each time anew: as of the time it fires, and
/// with --weeks over the weeks before it. One batch of it runs at a time: a firing that finds the last one running is
/// skipped. A time that the clock skips fires right after, a time that comes twice fires once. Where the configuration names
/// an organization or user, the coordinator lists their repositories anew at each firing, with its own token.
#[derive(Debug, clap::Args)]
#[command(
    mut_arg("sources", |arg| arg.help("Repositories: URLs, or paths that workers have on their disks")),
    mut_arg("scan", |arg| arg.help("Every repository found below this folder now, too; may be given several times")),
    mut_arg("repositories", |arg| arg.help("Only these repositories of the sources, by name")),
    mut_arg("all_branches", |arg| arg.help("Walk every branch"))
)]
pub(crate) struct ScheduleAdd {
    /// What it is called
    pub(crate) name: String,

    /// Minute, hour, day of the month, month, weekday, as '0 2 * * 1-5', or a name such as @weekly
    #[arg(long, value_name = "PATTERN")]
    pub(crate) cron: String,

    /// The zone whose clock the pattern is read by, by IANA name [default: analysis.time_zone]
    #[arg(long, value_name = "ZONE")]
    pub(crate) zone: Option<String>,

    /// What becomes of firings that nobody was there for: the last one is made up for, or none is
    #[arg(long, value_parser = ["one", "none"], default_value = "one")]
    pub(crate) catch_up: String,

    /// Hours in which it fires, as 20:00-06:00; what is due outside waits for their begin
    #[arg(long, value_name = "HOURS")]
    pub(crate) window: Option<String>,

    #[command(flatten)]
    pub(crate) ask: Ask,

    #[command(flatten)]
    pub(crate) sources: Sources,

    /// What the reports are published as [default: the name of the schedule]
    #[arg(long, value_name = "NAME")]
    pub(crate) report: Option<String>,

    /// From -100 to 100; the higher one goes first, ten steps are worth twice the share
    #[arg(long, default_value_t = 0, allow_negative_numbers = true, value_parser = clap::value_parser!(i64).range(-100..=100))]
    pub(crate) priority: i64,

    /// A label of the batches; may be given several times
    #[arg(long, value_name = "KEY=VALUE", value_parser = label)]
    pub(crate) label: Vec<(String, String)>,

    #[command(flatten)]
    pub(crate) history: History,

    /// Commits of one slice, the unit that workers take; no number depends on it [default: 1000]
    #[arg(long, value_name = "N", hide_short_help = true)]
    pub(crate) batch_size: Option<u32>,

    /// Files larger than this have their lines unknown [default: 104857600]
    #[arg(long, value_name = "BYTES", hide_short_help = true)]
    pub(crate) max_blob_bytes: Option<u64>,

    /// Leave the history of lines alone: their age, survival, ownership and rework stay unknown
    #[arg(long, hide_short_help = true)]
    pub(crate) no_line_history: bool,
}
