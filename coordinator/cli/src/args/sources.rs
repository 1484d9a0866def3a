//! What `analyze` and `submit` ask alike: which repositories, which of their history, in which window.

use std::ffi::OsString;
use std::path::PathBuf;

/// Which repositories. All of the configuration file by default.
#[derive(Debug, clap::Args)]
pub(crate) struct Sources {
    /// Repositories: paths or URLs
    pub(crate) sources: Vec<OsString>,

    /// Analyse every repository found below this folder, too; may be given several times
    #[arg(long, value_name = "DIR")]
    pub(crate) scan: Vec<PathBuf>,

    /// Analyse only these repositories of the sources, by name
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(crate) repositories: Vec<String>,

    /// Show the credential of this name to the hosts of the https URLs that are named here
    #[arg(long, value_name = "NAME", hide_short_help = true)]
    pub(crate) credential: Option<String>,
}

/// Which of their history.
#[derive(Debug, clap::Args)]
pub(crate) struct History {
    /// Walk this branch instead of the default one
    #[arg(long, conflicts_with = "all_branches")]
    pub(crate) branch: Option<String>,

    /// Walk every local and remote-tracking branch
    #[arg(long)]
    pub(crate) all_branches: bool,

    /// Give people pseudonyms in every form of the report, the same at every run
    #[arg(long)]
    pub(crate) anonymize: bool,

    /// Make a report for everybody: no names, no pseudonyms, no tables of people
    #[arg(long, conflicts_with = "anonymize")]
    pub(crate) public: bool,

    #[command(flatten)]
    pub(crate) window: WindowArgs,
}

/// Which commits count, by the day they were written. All history by default.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Window")]
pub(crate) struct WindowArgs {
    /// The last N complete ISO weeks, Monday to Sunday
    #[arg(long, short, value_name = "N", conflicts_with_all = ["week", "from", "to", "since", "until"])]
    pub(crate) weeks: Option<u32>,

    /// Let the week that is not over yet be the last of --weeks
    #[arg(long)]
    pub(crate) include_current: bool,

    /// One ISO week, such as 2026-W41
    #[arg(long, conflicts_with_all = ["from", "to", "since", "until"])]
    pub(crate) week: Option<String>,

    /// First ISO week
    #[arg(long, value_name = "WEEK", requires = "to", conflicts_with_all = ["since", "until"])]
    pub(crate) from: Option<String>,

    /// Last ISO week
    #[arg(long, value_name = "WEEK", requires = "from")]
    pub(crate) to: Option<String>,

    /// First day (2026-10-05) or instant (2026-10-05T12:00:00Z)
    #[arg(long, value_name = "DATE")]
    pub(crate) since: Option<String>,

    /// Last day, or the instant after the last one
    #[arg(long, value_name = "DATE")]
    pub(crate) until: Option<String>,

    /// Zone in which days and weeks begin, by IANA name [default: UTC]
    #[arg(long, value_name = "ZONE")]
    pub(crate) time_zone: Option<String>,
}
