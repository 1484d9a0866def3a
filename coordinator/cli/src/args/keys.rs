//! `gitfleet keys`.

use std::path::PathBuf;

use clap::Subcommand;

/// Make and change the keys that values of the cache are encrypted with
///
/// They are in a file that cache.encryption_keys_file names to coordinators and workers; whoever uses it reads it again
/// when it changes.
#[derive(Debug, clap::Args)]
pub(crate) struct Keys {
    #[command(subcommand)]
    pub(crate) command: KeysCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Make a file with one key, for its owner alone
    Generate {
        /// The file to make
        file: PathBuf,
    },
    /// List the ids of the keys in a file; no key is shown
    Ls {
        /// The file with the keys
        file: PathBuf,
    },
    /// Put a new key before the others: it writes, and they go on reading
    Rotate {
        /// The file with the keys
        file: PathBuf,
    },
    /// Let a key read no more: what it wrote is computed anew
    Retire {
        /// Its id, as `keys ls` shows it
        id: String,
        /// The file with the keys
        file: PathBuf,
    },
}
