//! `gitfleet worker`.

use clap::Subcommand;

use super::{Ask, Common};

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

    /// Address and port to tell metrics and answer probes on [default: none]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) metrics_listen: Option<String>,

    /// Take logins that everybody knows, for a machine where nobody else is
    #[arg(long)]
    pub(crate) dev: bool,
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
        /// The worker's name, as `worker ls` shows it
        name: String,
        #[command(flatten)]
        ask: Ask,
    },
    /// Let a worker take no more jobs; those in hand end
    Drain {
        /// The worker's name, as `worker ls` shows it
        name: String,
        /// Let it take jobs again
        #[arg(long)]
        undo: bool,
        #[command(flatten)]
        ask: Ask,
    },
}
