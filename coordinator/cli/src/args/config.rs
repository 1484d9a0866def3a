//! `gitfleet config`.

use std::path::PathBuf;

use clap::Subcommand;

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
