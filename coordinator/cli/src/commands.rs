//! One file per command.

mod analyze;
mod ask;
mod audit;
mod backup;
mod batch;
mod completion;
mod config;
mod coordinator;
mod discover;
mod doctor;
mod facts;
mod front;
mod help;
mod job;
mod keys;
mod local;
mod logins;
mod metrics;
mod migrate;
mod operate;
mod people;
mod person;
mod report;
mod scan;
mod schedule;
mod secrets;
mod serve;
mod smoke;
mod stop;
mod submit;
mod token;
mod watch;
mod worker;
mod write;

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Context as _;

use crate::args::{Args, Command};
use crate::config::{Loaded, Overrides, Request, Settings, load};
use crate::exit::{Exit, Refusal};
use crate::render::log;
use crate::render::talk;

pub(crate) fn run(args: Args) -> anyhow::Result<Exit> {
    let quiet = args.quiet;
    match args.command {
        Command::Analyze(args) => analyze::run(*args, quiet),
        Command::Facts(args) => facts::run(args),
        Command::Discover(args) => discover::run(args, quiet),
        Command::Config(args) => config::run(args),
        Command::Report(args) => report::run(args, quiet),
        Command::Metrics(args) => metrics::run(args),
        Command::People(args) => people::run(args),
        Command::Person(args) => person::run(args),
        Command::Submit(args) => submit::run(*args, quiet),
        Command::Batch(args) => batch::run(args, quiet),
        Command::Schedule(args) => schedule::run(args, quiet),
        Command::Job(args) => job::run(args),
        Command::Worker(args) => worker::run(args, quiet),
        Command::Queue(args) => operate::queue(args),
        Command::Dead(args) => operate::dead(args),
        Command::Repo(args) => operate::repo(args),
        Command::Cache(args) => operate::cache(args),
        Command::Status(args) => operate::status(args),
        Command::Token(args) => token::run(args),
        Command::Audit(args) => audit::run(args),
        Command::Keys(args) => keys::run(args),
        Command::Doctor(args) => doctor::run(args),
        Command::Smoke(args) => smoke::run(&args),
        Command::Coordinator(args) => coordinator::run(args, quiet),
        Command::Serve(args) => serve::run(*args, quiet),
        Command::Migrate(args) => migrate::run(args),
        Command::Backup(args) => backup::save(&args),
        Command::Restore(args) => backup::restore(&args),
        Command::Completion(args) => completion::run(&args),
        Command::Man(args) => completion::man(&args),
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
        self.begin_log(&loaded.settings)?;
        if !quiet {
            for warning in &loaded.warnings {
                talk::warning(warning);
            }
        }
        Ok(loaded)
    }

    fn begin_log(&self, settings: &Settings) -> anyhow::Result<()> {
        // systemd says so where stderr is its journal, which notes the time of each line.
        let in_journal = self.environment.contains_key("JOURNAL_STREAM");
        let logging = &settings.logging;
        log::init(logging, &settings.telemetry, in_journal).map_err(|error| {
            let file = logging.file.as_ref().map(|file| file.path.display().to_string()).unwrap_or_default();
            match error.downcast::<std::io::Error>() {
                Ok(error) => Refusal::new(Exit::Configuration, format!("cannot log to {file}: {error}"))
                    .hint("name another file with logging.file.path, or create its folder")
                    .into(),
                Err(error) => error,
            }
        })
    }

    /// Returns the name of this machine.
    fn host(&self) -> String {
        let kernel = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
        let name = kernel.or_else(|| self.environment.get("HOSTNAME").cloned()).unwrap_or_default();
        let name: String = name
            .trim()
            .chars()
            .filter(|char| char.is_ascii_alphanumeric() || matches!(char, '-' | '.' | '_'))
            .collect();
        if name.is_empty() { "host".to_owned() } else { name }
    }

    /// Returns a name for this process that no other has, nor this program at another start.
    fn process_name(&self) -> String {
        self.named(&self.host())
    }

    fn named(&self, name: &str) -> String {
        let random = uuid::Uuid::new_v4().simple().to_string();
        format!("{name}-{}-{}", std::process::id(), &random[..6])
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
