//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// gitfleet side by side with git: the same questions, asked of both in turn, compared line by line and timed
///
/// With repositories and nothing else: facts beside git, whole runs cold and warm, and what a commit costs. Sides
/// take turns, one round of each before counting, and medians are printed. Only ratios of one run are worth quoting.
/// The exit code is 1 where an answer differs from git's.
#[derive(Debug, Parser)]
#[command(name = "side-by-side", args_conflicts_with_subcommands = true)]
pub(crate) struct CommandLine {
    #[command(subcommand)]
    pub(crate) part: Option<Part>,

    #[command(flatten)]
    pub(crate) main: Main,
}

#[derive(Debug, Args)]
pub(crate) struct Main {
    /// Repositories on this machine; they are only read
    #[arg(required = true)]
    pub(crate) repositories: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) setting: Setting,
}

#[derive(Debug, Args)]
pub(crate) struct Setting {
    /// Counted runs of each side
    #[arg(long, default_value_t = 5)]
    pub(crate) runs: usize,

    /// Jobs that gitfleet does at the same time
    #[arg(long, default_value_t = 2)]
    pub(crate) jobs: usize,

    /// Another gitfleet than the one beside this program
    #[arg(long)]
    pub(crate) gitfleet: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Part {
    /// A day of a fleet that scales by itself, simulated: by seconds of work, and by numbers of messages
    Scaling,

    /// The parts of an analysis one by one: walk, tree diff, inflate, blob diff, encoding, cache, aggregation
    Micro {
        repository: PathBuf,

        /// Commits without merges to work on, newest first
        #[arg(long, default_value_t = 2_000)]
        commits: usize,

        #[command(flatten)]
        setting: Setting,
    },

    /// One history in slices: work done twice, and what two processes win; asks `gitfleet facts --slice K/N`
    Slices {
        repository: PathBuf,

        /// Into how many slices to cut
        #[arg(long, value_delimiter = ',', default_values_t = [2, 4, 8, 16])]
        slices: Vec<usize>,

        #[command(flatten)]
        setting: Setting,
    },

    /// Facts of growing histories beside git: the same repository at older and older commits
    Curve {
        repository: PathBuf,

        /// Histories of about this many commits; the whole one comes last
        #[arg(long, value_delimiter = ',',
            default_values_t = [1_000, 2_000, 5_000, 10_000, 20_000, 40_000, 80_000])]
        commits: Vec<usize>,

        #[command(flatten)]
        setting: Setting,
    },

    /// The least that facts can cost, measured, and how far gitfleet is from it
    ///
    /// The least: each commit, tree and blob that the non-merge commits need is inflated once and its delta applied
    /// once, its base at hand; each pair of trees that differ, and each pair of contents, is compared once.
    Floor {
        repository: PathBuf,

        #[command(flatten)]
        setting: Setting,
    },

    /// The floor's own work, once
    #[command(hide = true)]
    FloorOnce { repository: PathBuf, head: String },

    /// Other programs on the same repository, those that are named: their usual run against ours, cold and again
    Others {
        repository: PathBuf,

        /// The `gitflow-analytics` of PyPI
        #[arg(long)]
        gfa: Option<PathBuf>,

        /// The `tga` of crates.io
        #[arg(long)]
        tga: Option<PathBuf>,

        #[command(flatten)]
        setting: Setting,
    },

    /// A fleet with servers of its own on this machine: real jobs, empty jobs, and a full queue
    Fleet {
        /// Repositories for the real jobs; without any, there are none
        repositories: Vec<PathBuf>,

        /// About how many real jobs to cut them into
        #[arg(long, default_value_t = 10_000)]
        real_jobs: usize,

        #[arg(long, default_value_t = 10_000)]
        empty_jobs: usize,

        /// Jobs that wait while the operator asks
        #[arg(long, default_value_t = 100_000)]
        queued: usize,

        /// Worker processes; with one slot each for real jobs
        #[arg(long, default_value_t = 2)]
        workers: usize,

        #[command(flatten)]
        setting: Setting,
    },

    /// How one run is measured: starts a program and tells what it cost
    #[command(hide = true)]
    Relay {
        stdout: PathBuf,
        program: OsString,
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
}
