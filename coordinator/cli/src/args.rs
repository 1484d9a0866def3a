//! The command line, a file for each group of commands. The doc comments are the help.

mod access;
mod analyze;
mod ask;
mod backup;
mod batch;
mod config;
mod discover;
mod facts;
mod fleet;
mod help;
mod job;
mod keys;
mod label;
mod metrics;
mod operate;
mod people;
mod person;
mod report;
mod schedule;
mod sources;
mod submit;
mod worker;

use clap::{Parser, Subcommand};

pub(crate) use access::{Audit, AuditCommand, Token, TokenCommand};
pub(crate) use analyze::{Analyze, Common};
pub(crate) use ask::Ask;
pub(crate) use backup::{Backup, Restore, StorePlace};
pub(crate) use batch::{Batch, BatchCommand};
pub(crate) use config::{Config, ConfigCommand};
pub(crate) use discover::Discover;
pub(crate) use facts::{Facts, FactsFormat};
pub(crate) use fleet::{Coordinator, Doctor, Migrate, MigrateCommand, Serve, Smoke};
pub(crate) use help::{Completion, Help, Man};
pub(crate) use job::{Job, JobCommand};
pub(crate) use keys::{Keys, KeysCommand};
pub(crate) use metrics::{Metrics, MetricsCommand};
pub(crate) use operate::{
    Cache, CacheCommand, Dead, DeadCommand, Queue, QueueCommand, Repo, RepoCommand, Status,
};
pub(crate) use people::{Pair, People, PeopleCommand, PeoplePlace};
pub(crate) use person::{Person, PersonCommand, PersonPlace, Who};
pub(crate) use report::{Report, ReportCommand};
pub(crate) use schedule::{Schedule, ScheduleAdd, ScheduleCommand};
pub(crate) use sources::{History, Sources, WindowArgs};
pub(crate) use submit::Submit;
pub(crate) use worker::{Worker, WorkerCommand};

/// Exact git analytics: who works on what, and how it trends, in numbers that equal git's own
#[derive(Debug, Parser)]
#[command(name = "gitfleet", version, disable_help_subcommand = true, max_term_width = 100)]
pub(crate) struct Args {
    /// Say nothing but the result and errors
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,

    /// Say more; twice for all there is
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Analyze(Box<Analyze>),
    Facts(Facts),
    Discover(Discover),
    Config(Config),
    Report(Report),
    Metrics(Metrics),
    People(People),
    Person(Person),
    Submit(Box<Submit>),
    Batch(Batch),
    Schedule(Schedule),
    Job(Job),
    Worker(Worker),
    Queue(Queue),
    Dead(Dead),
    Repo(Repo),
    Cache(Cache),
    Status(Status),
    Token(Token),
    Audit(Audit),
    Keys(Keys),
    Doctor(Doctor),
    Smoke(Smoke),
    Coordinator(Coordinator),
    Serve(Box<Serve>),
    Migrate(Migrate),
    Backup(Backup),
    Restore(Restore),
    Completion(Completion),
    Man(Man),
    Help(Help),
}

impl Command {
    /// Returns which part of a fleet this is, if it is one.
    pub(crate) fn role(&self) -> Option<&'static str> {
        match self {
            Self::Coordinator(_) => Some("coordinator"),
            Self::Serve(_) => Some("serve"),
            Self::Worker(Worker { command: None, .. }) => Some("worker"),
            _ => None,
        }
    }
}

/// Returns the help of a command, or `None` where there is no such command.
pub(crate) fn help_of(topic: Option<&str>) -> Option<String> {
    use clap::CommandFactory as _;
    let mut command = Args::command();
    match topic {
        None => Some(command.render_long_help().to_string()),
        Some(name) => {
            command.build();
            Some(command.find_subcommand_mut(name)?.render_long_help().to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }
}
