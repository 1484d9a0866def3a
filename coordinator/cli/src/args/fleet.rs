//! `gitfleet doctor`, `coordinator` and `migrate`.

use std::path::PathBuf;

use clap::Subcommand;

use super::{Ask, Common};

/// Check everything a fleet needs, from here, and say how to mend it
#[derive(Debug, clap::Args)]
pub(crate) struct Doctor {
    #[command(flatten)]
    pub(crate) ask: Ask,

    /// Where store, cache and mirrors are kept [default: gitfleet in the user's data directory]
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
}

/// Have a fleet do all it is for, with one small repository: after a deployment, before others rely on it
#[derive(Debug, clap::Args)]
pub(crate) struct Smoke {
    #[command(flatten)]
    pub(crate) ask: Ask,

    /// What is analysed: a URL, or a path that workers have on their disks
    #[arg(long, value_name = "SOURCE", default_value = "https://github.com/octocat/Hello-World")]
    pub(crate) repository: String,

    /// Give up after so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    pub(crate) timeout: u64,
}

/// Coordinate a fleet: answer the API, plan, collect, publish
///
/// Any number of coordinators may run beside each other; one of them leads, and another one takes over when it ends.
#[derive(Debug, clap::Args)]
pub(crate) struct Coordinator {
    /// Configuration file [default: gitfleet.yaml, if there is one]
    #[arg(long, short, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// Address and port to answer on [default: 127.0.0.1:7171]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<String>,

    /// Address and port to tell metrics and answer probes on [default: none]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) metrics_listen: Option<String>,

    /// Bring the store's schema up to date first
    #[arg(long)]
    pub(crate) migrate: bool,

    /// Take logins that everybody knows, for a machine where nobody else is
    #[arg(long)]
    pub(crate) dev: bool,
}

/// Serve a team from one machine: coordinator, workers and web face in one process, with nothing to install
///
/// Queue, cache and store are those of `gitfleet analyze`: in this process and in its data directory. What was submitted
/// goes on after a restart.
#[derive(Debug, clap::Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    pub(crate) common: Common,

    /// Address and port to answer on [default: 127.0.0.1:7171]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<String>,

    /// Address and port to tell metrics and answer probes on [default: none]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) metrics_listen: Option<String>,
}

/// Look at the schema of the fleet's store, and change it
#[derive(Debug, clap::Args)]
pub(crate) struct Migrate {
    #[command(subcommand)]
    pub(crate) command: MigrateCommand,

    /// Configuration file [default: gitfleet.yaml, if there is one]
    #[arg(long, short, value_name = "FILE", global = true)]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, Subcommand)]
pub(crate) enum MigrateCommand {
    /// List the steps, and which of them were taken
    Status {
        /// Print them as JSON
        #[arg(long)]
        json: bool,
    },
    /// Take all steps that are pending
    Up,
    /// Take the last step back
    Down,
    /// Exit with 0 where the schema fits this program, with 7 where it does not
    Check,
}
