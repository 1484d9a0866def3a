//! One file per command.

mod analyze;
mod config;
mod facts;
mod help;
mod report;
mod scan;
mod stop;
mod write;

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Context as _;

use crate::args::{Args, Command};
use crate::config::{Loaded, Overrides, Request, load};
use crate::exit::{Exit, Refusal};
use crate::render::talk;

pub(crate) fn run(args: Args) -> anyhow::Result<Exit> {
    let quiet = args.quiet;
    match args.command {
        Command::Analyze(args) => analyze::run(*args, quiet),
        Command::Facts(args) => facts::run(args),
        Command::Config(args) => config::run(args),
        Command::Report(args) => report::run(args),
        Command::Help(args) => help::run(&args),
    }
}

/// The surroundings of the process, read once.
struct Surroundings {
    environment: BTreeMap<String, String>,
    directory: PathBuf,
}

impl Surroundings {
    fn read() -> anyhow::Result<Self> {
        // What is not UTF-8 cannot be one of our settings.
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Ok(Self {
            environment: std::env::vars_os().filter_map(text).collect(),
            directory: std::env::current_dir().context("cannot tell the working directory")?,
        })
    }

    /// Merges flags, environment, file and defaults, and speaks the warnings.
    fn configuration(
        &self,
        file: Option<&std::path::Path>,
        overrides: Overrides,
        quiet: bool,
    ) -> anyhow::Result<Loaded> {
        let request = Request { file, directory: &self.directory, overrides, environment: &self.environment };
        let loaded = load(&request).map_err(|error| {
            let exit = if error.is_usage() { Exit::Usage } else { Exit::Configuration };
            Refusal::new(exit, error.to_string())
        })?;
        if !quiet {
            for warning in &loaded.warnings {
                talk::warning(warning);
            }
        }
        Ok(loaded)
    }

    /// Returns where store, cache and mirrors are kept.
    fn data_dir(&self, loaded: &Loaded) -> anyhow::Result<PathBuf> {
        if let Some(directory) = &loaded.settings.data_dir {
            return Ok(directory.clone());
        }
        let set = |name: &str| self.environment.get(name).filter(|value| !value.is_empty());
        set("XDG_DATA_HOME")
            .map(|data| PathBuf::from(data).join("gitfleet"))
            .or_else(|| set("HOME").map(|home| PathBuf::from(home).join(".local/share/gitfleet")))
            .ok_or_else(|| {
                Refusal::new(Exit::Usage, "no place for store and cache: HOME is not set")
                    .hint("name one with --data-dir")
                    .into()
            })
    }
}
