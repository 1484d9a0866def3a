//! `gitfleet people`.

use std::path::PathBuf;

use clap::Subcommand;

/// Say who is who: names and addresses that are one person, and what follows
#[derive(Debug, clap::Args)]
pub(crate) struct People {
    #[command(subcommand)]
    pub(crate) command: PeopleCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PeopleCommand {
    /// List the people of the last report, most commits first
    Ls {
        #[command(flatten)]
        place: PeoplePlace,
    },
    /// Show a person: all names and addresses, and the reason of each link
    Show {
        /// A name, an e-mail, or the beginning of a person's key
        name: String,

        #[command(flatten)]
        place: PeoplePlace,
    },
    /// List names and addresses that are alike, for you to decide; nothing is joined by itself
    Suggest {
        #[command(flatten)]
        place: PeoplePlace,
    },
    /// Show what goes when a person leaves: lines, files nobody else knows, components
    Impact {
        /// A name, an e-mail, or the beginning of a person's key
        name: String,

        #[command(flatten)]
        place: PeoplePlace,
    },
    /// Decide that two are one person; the next report follows
    Link {
        #[command(flatten)]
        pair: Pair,

        #[command(flatten)]
        place: PeoplePlace,
    },
    /// Decide that two are not one person, whatever else speaks for it
    Unlink {
        #[command(flatten)]
        pair: Pair,

        #[command(flatten)]
        place: PeoplePlace,
    },
    /// Forget a decision about two
    Forget {
        /// An e-mail, or "Name <e-mail>"
        a: String,

        /// Another one
        b: String,

        #[command(flatten)]
        place: PeoplePlace,
    },
    /// List all decisions
    Decisions {
        #[command(flatten)]
        place: PeoplePlace,
    },
}

/// Two that are one person, or are not.
#[derive(Debug, clap::Args)]
pub(crate) struct Pair {
    /// An e-mail, or "Name <e-mail>"
    pub(crate) a: String,

    /// Another one
    pub(crate) b: String,

    /// Why; it is shown with the link
    #[arg(long, default_value = "")]
    pub(crate) reason: String,

    /// Who decides [default: the user]
    #[arg(long, value_name = "NAME")]
    pub(crate) by: Option<String>,
}

/// Whose people: of this machine's last report, or of a fleet's batch.
#[derive(Debug, clap::Args)]
pub(crate) struct PeoplePlace {
    /// Ask a coordinator, and not the store of this machine
    #[arg(long, value_name = "URL")]
    pub(crate) server: Option<String>,

    /// The fleet's batch whose report is looked at
    #[arg(long, value_name = "ID", requires = "server")]
    pub(crate) batch: Option<String>,

    /// Configuration file [default: gitfleet.yaml, if there is one]
    #[arg(long, short, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// Where store, cache and mirrors are [default: ~/.local/share/gitfleet]
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}
