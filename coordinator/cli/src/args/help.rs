//! `gitfleet completion`, `man` and `help`.

use std::path::PathBuf;

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

/// Print help for a command, or on a topic: exit-codes, errors, environment, observability, openapi
#[derive(Debug, clap::Args)]
pub(crate) struct Help {
    pub(crate) topic: Option<String>,
}
