//! `gitfleet report`.

use std::path::PathBuf;

use clap::Subcommand;

use super::{Ask, Common, WindowArgs};

/// Look at reports
#[derive(Debug, clap::Args)]
pub(crate) struct Report {
    #[command(subcommand)]
    pub(crate) command: ReportCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ReportCommand {
    /// Print the JSON Schema of report.json
    Schema,
    /// Print all tables and columns of a report, as Markdown
    Columns,
    /// Print the last published report of this machine, or that of a fleet's batch, as JSON
    Show {
        /// The batch; without it, the report that `analyze` published here
        batch: Option<String>,

        #[command(flatten)]
        common: Common,

        /// Where a coordinator is [default: http://127.0.0.1:7171]
        #[arg(long, value_name = "URL")]
        server: Option<String>,
    },
    /// Make the last report of this machine anew from stored facts, as the configuration is now; git is not asked
    Make {
        /// Where the report goes [default: gitfleet-report]
        #[arg(long, short, value_name = "DIR")]
        output: Option<PathBuf>,

        /// Forms of the report [default: all]
        #[arg(long, value_name = "FORMS", value_delimiter = ',')]
        format: Vec<String>,

        /// Give people pseudonyms in every form of the report, the same at every run
        #[arg(long)]
        anonymize: bool,

        /// Make a report for everybody: no names, no pseudonyms, no tables of people
        #[arg(long, conflicts_with = "anonymize")]
        public: bool,

        #[command(flatten)]
        window: WindowArgs,

        #[command(flatten)]
        common: Common,

        /// Print the report as JSON instead of a summary
        #[arg(long)]
        json: bool,
    },
    /// Write the facts behind the last report of this machine as Parquet: commits, and changed files
    Facts {
        /// Where the two files go [default: gitfleet-report]
        #[arg(long, short, value_name = "DIR")]
        output: Option<PathBuf>,

        #[command(flatten)]
        common: Common,
    },
    /// Compare two reports: which numbers moved, and why, by their manifests
    Diff {
        /// The earlier report: a folder that `analyze` or `report export` wrote
        a: PathBuf,

        /// The later one
        b: PathBuf,

        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// List the fleet's reports
    Ls {
        #[command(flatten)]
        ask: Ask,
    },
    /// Write the report of a fleet's batch in all its forms
    Export {
        /// The batch's id, or as much of its beginning as no other has
        batch: String,

        /// Where the report goes [default: gitfleet-report]
        #[arg(long, short, value_name = "DIR")]
        output: Option<PathBuf>,

        /// Forms of the report: csv, json, markdown, html, parquet [default: all but parquet]
        #[arg(long, value_name = "FORMS", value_delimiter = ',')]
        format: Vec<String>,

        #[command(flatten)]
        ask: Ask,
    },
}
