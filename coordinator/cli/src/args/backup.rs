//! `gitfleet backup` and `restore`.

use std::path::PathBuf;

/// Save the store into a folder, with the configuration, while everything goes on
///
/// The store is the fleet's where fleet.database_url is set and no --data-dir is given, else the one of this machine. The
/// folder is for its owner alone, and holds names and e-mails.
#[derive(Debug, clap::Args)]
pub(crate) struct Backup {
    /// The folder, which is not there yet
    #[arg(long, short, value_name = "DIR")]
    pub(crate) output: PathBuf,

    #[command(flatten)]
    pub(crate) place: StorePlace,
}

/// Bring back a store that `gitfleet backup` saved
///
/// The backup is checked first, all of it. Its configuration stays in its folder: put it back yourself.
#[derive(Debug, clap::Args)]
pub(crate) struct Restore {
    /// The folder of the backup
    #[arg(value_name = "DIR")]
    pub(crate) backup: PathBuf,

    /// Even where the store holds something, which then is gone
    #[arg(long)]
    pub(crate) replace: bool,

    #[command(flatten)]
    pub(crate) place: StorePlace,
}

/// Which store: the fleet's, or this machine's.
#[derive(Debug, clap::Args)]
pub(crate) struct StorePlace {
    /// Configuration file [default: gitfleet.yaml, if there is one]
    #[arg(long, short, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// Where the store of this machine is, and not the fleet's [default: gitfleet in the user's data directory]
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
}
