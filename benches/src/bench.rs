//! What all measurements share: which gitfleet, how many runs, and a place for what they write.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

use crate::args::Setting;
use crate::git;
use crate::table;

pub(crate) struct Bench {
    gitfleet: PathBuf,
    /// Counted runs of each side; one more of each comes first and is not counted.
    pub(crate) runs: usize,
    pub(crate) jobs: usize,
    scratch: tempfile::TempDir,
}

impl Bench {
    pub(crate) fn new(setting: &Setting) -> anyhow::Result<Self> {
        let gitfleet = match &setting.gitfleet {
            Some(path) => std::path::absolute(path)?,
            None => std::env::current_exe()?.with_file_name("gitfleet"),
        };
        anyhow::ensure!(
            gitfleet.exists(),
            "{} is missing; run `cargo build --release` first",
            gitfleet.display()
        );
        let scratch = tempfile::Builder::new().prefix("bench-").tempdir()?;
        Ok(Self { gitfleet, runs: setting.runs.max(1), jobs: setting.jobs, scratch })
    }

    /// Says what is compared, on what.
    pub(crate) fn introduce(&self) -> anyhow::Result<()> {
        let git = git::answer(Command::new("git").arg("--version"))?;
        let ours = git::answer(Command::new(&self.gitfleet).arg("--version"))?;
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        table::say(&format!(
            "{git}, {ours} with {} jobs, {cores} cores; medians of {} alternating runs, page cache warm",
            self.jobs, self.runs
        ));
        Ok(())
    }

    /// Returns a new, empty folder for what belongs together.
    pub(crate) fn folder(&self) -> anyhow::Result<tempfile::TempDir> {
        Ok(tempfile::tempdir_in(self.scratch.path())?)
    }

    /// Returns gitfleet, started where no configuration file lies, and without the user's settings.
    pub(crate) fn gitfleet(&self) -> Command {
        let mut command = Command::new(&self.gitfleet);
        command.current_dir(self.scratch.path());
        for (name, _) in
            std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("GITFLEET_"))
        {
            command.env_remove(name);
        }
        command
    }

    /// Returns how gitfleet prints the facts of `revision`, with `jobs` jobs.
    pub(crate) fn facts(&self, repository: &Path, revision: &str, jobs: usize) -> Command {
        let mut command = self.gitfleet();
        command.arg("facts").arg(repository).args(["--rev", revision, "--jobs", &jobs.to_string()]);
        command
    }
}

/// Returns the name to show for the repository at `path`: its folder, or the one around where that says only what
/// it is.
pub(crate) fn name(path: &Path) -> String {
    let mut parts = path.components().rev().map(|part| part.as_os_str().to_string_lossy());
    let last = parts.next().unwrap_or_default();
    match (&*last, parts.next()) {
        ("repo" | ".git" | "." | "..", Some(around)) => around.into_owned(),
        _ => last.strip_suffix(".git").unwrap_or(&last).to_owned(),
    }
}

/// Returns `path` from the root, because programs are started elsewhere.
pub(crate) fn absolute(path: &Path) -> anyhow::Result<PathBuf> {
    path.canonicalize().with_context(|| format!("cannot find {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_have_telling_names() {
        for (path, expect) in [
            ("/a/tokio", "tokio"),
            ("/a/tokio.git", "tokio"),
            ("/a/tokio/.git", "tokio"),
            ("/a/tokio+rs/repo", "tokio+rs"),
        ] {
            assert_eq!(name(Path::new(path)), expect);
        }
    }
}
