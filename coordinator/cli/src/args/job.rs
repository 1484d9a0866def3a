//! `gitfleet job`.

use clap::Subcommand;
use gitfleet_coordinator::store::ledger::JobFilter;

use super::Ask;

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
        /// The job's id, or as much of its beginning as no other has
        id: String,
        #[command(flatten)]
        ask: Ask,
    },
    /// Let the repository of a failed job begin again
    Retry {
        /// The job's id, or as much of its beginning as no other has
        id: String,
        #[command(flatten)]
        ask: Ask,
    },
}
