//! `gitfleet batch`.

use clap::Subcommand;
use gitfleet_coordinator::store::ledger::BatchFilter;

use super::Ask;
use super::label::label;

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
        /// The batch's id, or as much of its beginning as no other has
        id: String,
        /// Give up after so many seconds; the work goes on
        #[arg(long, value_name = "SECONDS")]
        timeout: Option<u64>,
        #[command(flatten)]
        ask: Ask,
    },
    /// End a batch; what was published before stays
    Cancel {
        /// The batch's id, or as much of its beginning as no other has
        id: String,
        #[command(flatten)]
        ask: Ask,
    },
    /// Begin no more of its jobs; those in hand end
    Pause {
        /// The batch's id, or as much of its beginning as no other has
        id: String,
        #[command(flatten)]
        ask: Ask,
    },
    /// Let a paused batch go on
    Resume {
        /// The batch's id, or as much of its beginning as no other has
        id: String,
        #[command(flatten)]
        ask: Ask,
    },
    /// Let its failed repositories begin again
    Retry {
        /// The batch's id, or as much of its beginning as no other has
        id: String,
        #[command(flatten)]
        ask: Ask,
    },
    /// Compare the reports of two batches; exit code 7 where they differ
    Diff {
        /// One batch, by its id or its beginning
        first: String,
        /// The other batch
        second: String,
        #[command(flatten)]
        ask: Ask,
    },
}
