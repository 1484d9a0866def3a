//! `gitfleet token` and `gitfleet audit`.

use std::path::PathBuf;

use clap::Subcommand;

use super::Ask;

/// Let others ask the coordinator: make tokens, list them, revoke them
#[derive(Debug, clap::Args)]
pub(crate) struct Token {
    #[command(subcommand)]
    pub(crate) command: TokenCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Make a token, and print it: it is shown once and kept nowhere
    Create {
        /// Whose it is or what it is for
        name: String,
        /// What it may do: look, steer, or let others in
        #[arg(long, value_parser = ["viewer", "operator", "admin"], default_value = "viewer")]
        role: String,
        /// Only batches of this team, which have the label team=NAME; may be given again
        #[arg(long, value_name = "NAME")]
        team: Vec<String>,
        /// Only batches of this project key; may be given again
        #[arg(long, value_name = "KEY")]
        project: Vec<String>,
        /// After so many days it opens nothing any more
        #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=3650), default_value_t = 365)]
        expires_in_days: u32,
        /// Write it into this file, for its owner alone, and not to stdout
        #[arg(long, value_name = "FILE")]
        to_file: Option<PathBuf>,
        #[command(flatten)]
        ask: Ask,
    },
    /// List tokens, the latest first; none can be seen again
    Ls {
        /// Also those that have expired or were revoked
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        ask: Ask,
    },
    /// Take a token back, at once and everywhere
    Revoke {
        /// Its id, as `token ls` shows it
        id: String,
        #[command(flatten)]
        ask: Ask,
    },
}

/// See who did what, and that the log of it was not touched
#[derive(Debug, clap::Args)]
pub(crate) struct Audit {
    #[command(subcommand)]
    pub(crate) command: AuditCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// List the last entries, the latest at the end
    Ls {
        /// At most so many
        #[arg(long, default_value_t = 50)]
        limit: u32,
        #[command(flatten)]
        ask: Ask,
    },
    /// Go along the log and check that every entry is the one that was written; exit code 7 where one is not
    Verify {
        /// A log that was exported, in the place of the coordinator's
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
        /// A place and its hash (SEQ:HASH) that an earlier look at the log gave, to be found in it again
        #[arg(long, value_name = "SEQ:HASH")]
        head: Option<String>,
        #[command(flatten)]
        ask: Ask,
    },
    /// Print the whole log, one entry a line, with what it takes to verify it elsewhere
    Export {
        #[command(flatten)]
        ask: Ask,
    },
}
