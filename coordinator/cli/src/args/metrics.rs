//! `gitfleet metrics`.

use clap::Subcommand;

/// Say what each number means
#[derive(Debug, clap::Args)]
pub(crate) struct Metrics {
    #[command(subcommand)]
    pub(crate) command: MetricsCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum MetricsCommand {
    /// List all metrics by chapter
    Ls {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print the definition of a metric: formula, unit, edge cases, source, and how it adds up
    Show {
        /// The metric's name, as `gitfleet metrics ls` prints it
        name: String,

        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}
