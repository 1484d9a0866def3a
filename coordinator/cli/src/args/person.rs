//! `gitfleet person`.

use std::path::PathBuf;

use clap::Subcommand;

/// Answer a person's request: hand out what is held of them, or erase it
#[derive(Debug, clap::Args)]
pub(crate) struct Person {
    #[command(subcommand)]
    pub(crate) command: PersonCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PersonCommand {
    /// Write everything that is held of a person, as JSON
    Export {
        #[command(flatten)]
        who: Who,

        /// Write it into this file, for your eyes alone, and not to the terminal
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,

        #[command(flatten)]
        place: PersonPlace,
    },
    /// Make everything that is held name a person no more; without --yes, show what that would be
    ///
    /// In their place stands a pseudonym, the same everywhere, so that no number changes. What is analysed from now on
    /// is made to say it, too.
    Erase {
        #[command(flatten)]
        who: Who,

        /// Do it: there is no way back
        #[arg(long)]
        yes: bool,

        /// Print JSON
        #[arg(long)]
        json: bool,

        #[command(flatten)]
        place: PersonPlace,
    },
}

/// Who is meant.
#[derive(Debug, clap::Args)]
pub(crate) struct Who {
    /// An e-mail, or "Name <e-mail>"; several are one person
    #[arg(required = true, value_name = "IDENTITY")]
    pub(crate) identities: Vec<String>,

    /// Only these, and not all names and addresses of the same person
    #[arg(long)]
    pub(crate) only: bool,
}

/// Whose store: this machine's, or a fleet's.
#[derive(Debug, clap::Args)]
pub(crate) struct PersonPlace {
    /// Ask a coordinator, and not the store of this machine
    #[arg(long, value_name = "URL")]
    pub(crate) server: Option<String>,

    /// Configuration file [default: gitfleet.yaml, if there is one]
    #[arg(long, short, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// Where store, cache and mirrors are [default: ~/.local/share/gitfleet]
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
}
