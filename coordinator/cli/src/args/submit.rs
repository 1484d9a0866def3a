//! `gitfleet submit`.

use super::Ask;
use super::label::label;
use super::sources::{History, Sources};

/// Hand repositories to the fleet
///
/// As `analyze`, but the work is done by the workers of a fleet. Sources are URLs, or paths that every worker has. The
/// batch goes on whether or not anybody watches; `gitfleet batch watch` shows it.
#[derive(Debug, clap::Args)]
// The flags are those of `analyze`; what they mean for workers elsewhere is said in other words.
#[command(
    mut_arg("sources", |arg| arg.help("Repositories: URLs, or paths that workers have on their disks")),
    mut_arg("scan", |arg| arg.help("Submit every repository found below this folder, too; may be given several times")),
    mut_arg("repositories", |arg| arg.help("Submit only these repositories of the sources, by name")),
    mut_arg("all_branches", |arg| arg.help("Walk every branch"))
)]
pub(crate) struct Submit {
    #[command(flatten)]
    pub(crate) ask: Ask,

    #[command(flatten)]
    pub(crate) sources: Sources,

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
