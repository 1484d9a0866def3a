//! What all commands take that ask a coordinator.

use std::path::PathBuf;

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
