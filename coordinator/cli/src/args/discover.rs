//! `gitfleet discover`.

use std::path::PathBuf;

/// Show which repositories of an organization or user would be analysed, and why each other one would not
///
/// The configuration says whose (github.organization, github.user) and which of them (github.include, github.exclude,
/// github.archived, github.forks). `analyze` and `submit` find the same ones. A listing is whole or an error: nothing is
/// made of a part of one. What is not listed any more is named, and nothing of it is forgotten.
#[derive(Debug, clap::Args)]
pub(crate) struct Discover {
    /// Do not write down what was found: a renamed repository is not followed yet, and a new one is new again
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Where it is kept what was listed before [default: ~/.local/share/gitfleet]
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,

    /// Configuration file [default: gitfleet.yaml, if there is one]
    #[arg(long, short, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// Print it as JSON
    #[arg(long)]
    pub(crate) json: bool,
}
