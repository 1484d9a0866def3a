//! `gitfleet queue`, `dead`, `repo`, `cache` and `status`.

use clap::Subcommand;

use super::Ask;

/// Look at the queue
#[derive(Debug, clap::Args)]
pub(crate) struct Queue {
    #[command(subcommand)]
    pub(crate) command: QueueCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum QueueCommand {
    /// List what waits, by topic
    Ls {
        #[command(flatten)]
        ask: Ask,
    },
}

/// Look at messages that nobody could use
#[derive(Debug, clap::Args)]
pub(crate) struct Dead {
    #[command(subcommand)]
    pub(crate) command: DeadCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DeadCommand {
    /// List dead letters, the newest first
    Ls {
        /// At most so many
        #[arg(long, default_value_t = 50)]
        limit: u32,
        #[command(flatten)]
        ask: Ask,
    },
    /// Show a dead letter with its bytes
    Show {
        /// Its number, as `dead ls` shows it
        id: i64,
        #[command(flatten)]
        ask: Ask,
    },
    /// Put a dead letter back where it came from
    Replay {
        /// Its number, as `dead ls` shows it
        id: i64,
        #[command(flatten)]
        ask: Ask,
    },
    /// Throw a dead letter away
    Drop {
        /// Its number, as `dead ls` shows it
        id: i64,
        #[command(flatten)]
        ask: Ask,
    },
}

/// Look at the repositories that were ever submitted
#[derive(Debug, clap::Args)]
pub(crate) struct Repo {
    #[command(subcommand)]
    pub(crate) command: RepoCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RepoCommand {
    /// List repositories
    Ls {
        #[command(flatten)]
        ask: Ask,
    },
    /// Show a repository and what was published of it
    Show {
        /// Its number, as `repo ls` shows it
        id: i64,
        #[command(flatten)]
        ask: Ask,
    },
    /// Forget a repository and its facts; reports that were made of it stay
    Rm {
        /// Its number, as `repo ls` shows it
        id: i64,
        #[command(flatten)]
        ask: Ask,
    },
}

/// Look at the cache that workers share
#[derive(Debug, clap::Args)]
pub(crate) struct Cache {
    #[command(subcommand)]
    pub(crate) command: CacheCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CacheCommand {
    /// Show how much is in it
    Stats {
        #[command(flatten)]
        ask: Ask,
    },
    /// Forget everything in it; only time is lost
    Purge {
        #[command(flatten)]
        ask: Ask,
    },
}

/// Show the fleet on one screen
#[derive(Debug, clap::Args)]
pub(crate) struct Status {
    #[command(flatten)]
    pub(crate) ask: Ask,
}
