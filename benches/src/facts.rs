//! The facts of a whole history, from both sides: one line per changed file of every non-merge commit.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::agreement::{self, Totals};
use crate::bench::Bench;
use crate::git;
use crate::run;
use crate::samples::Samples;
use crate::table::{Table, count, mebibytes, number, ratio, seconds};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Renames {
    /// `-M`.
    Followed,
    /// `--no-renames`.
    NotFollowed,
}

impl Renames {
    pub(crate) fn flag(self) -> &'static str {
        match self {
            Self::Followed => "-M",
            Self::NotFollowed => "--no-renames",
        }
    }
}

/// The two sides of one question, with their runs so far.
pub(crate) struct Facts<'a> {
    bench: &'a Bench,
    repository: PathBuf,
    revision: String,
    renames: Renames,
    pub(crate) git: Samples,
    pub(crate) gitfleet: Samples,
    pub(crate) totals: Totals,
    /// The most of any run, counted or not.
    pub(crate) differing: usize,
}

impl<'a> Facts<'a> {
    /// `revision` is the id of a commit.
    pub(crate) fn new(bench: &'a Bench, repository: &Path, revision: &str, renames: Renames) -> Self {
        Self {
            bench,
            repository: repository.to_owned(),
            revision: revision.to_owned(),
            renames,
            git: Samples::default(),
            gitfleet: Samples::default(),
            totals: Totals::default(),
            differing: 0,
        }
    }

    /// Asks both sides and compares what they say.
    pub(crate) fn round(&mut self, counted: bool) -> anyhow::Result<()> {
        let folder = self.bench.folder()?;
        let (theirs, ours) = (folder.path().join("git"), folder.path().join("gitfleet"));
        let git = run::run(&ask_git(&self.repository, &self.revision, self.renames), &theirs)?;
        let mut ask = self.bench.facts(&self.repository, &self.revision, self.bench.jobs);
        if self.renames == Renames::Followed {
            ask.arg("--renames");
        }
        let gitfleet = run::run(&ask, &ours)?;
        if counted {
            self.git.push(git);
            self.gitfleet.push(gitfleet);
        }
        let (expected, totals) = agreement::of_git(&std::fs::read(theirs)?);
        self.totals = totals;
        let differing = agreement::differing(&expected, &agreement::of_gitfleet(&std::fs::read(ours)?));
        self.differing = self.differing.max(differing);
        Ok(())
    }

    pub(crate) fn rows(&self, table: &mut Table) {
        let Self { git, totals, .. } = self;
        for (side, samples) in [("git log", git), ("gitfleet facts", &self.gitfleet)] {
            table.row([
                self.renames.flag().to_owned(),
                side.to_owned(),
                seconds(samples.wall()),
                seconds(samples.cpu()),
                mebibytes(samples.peak_bytes()),
                number(totals.commits as f64 / samples.wall()),
                number(totals.changes as f64 / samples.wall()),
                ratio(samples.wall(), git.wall()),
                ratio(samples.cpu(), git.cpu()),
                ratio(samples.peak_bytes(), git.peak_bytes()),
                count(self.differing),
            ]);
        }
    }
}

/// Returns the table for [`Facts::rows`].
pub(crate) fn table() -> Table {
    Table::new(
        2,
        &[
            "renames",
            "side",
            "wall",
            "CPU",
            "peak memory",
            "commits/s",
            "changes/s",
            "wall, git = 1",
            "CPU, git = 1",
            "memory, git = 1",
            "differing lines",
        ],
    )
}

/// Returns how git is asked. The attributes come from the revision, as gitfleet takes them.
pub(crate) fn ask_git(repository: &Path, revision: &str, renames: Renames) -> Command {
    let mut command = git::git(repository);
    command.arg(format!("--attr-source={revision}")).args(["log", "--no-merges", "--numstat"]);
    command.args([renames.flag(), "--format=commit %H", revision]);
    command
}
