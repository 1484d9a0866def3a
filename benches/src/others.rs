//! Other programs that read git history into reports, on the same repository: their usual run against ours.
//!
//! They are run if they are named, from a clone with a working tree and no remote, with the network and language
//! models left out, over the whole history. They do not do the same work; what differs is printed with the table.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use serde_json::Value;

use crate::args::Setting;
use crate::bench::{self, Bench};
use crate::git;
use crate::run::{self, Spent};
use crate::samples::Samples;
use crate::table::{self, Table, count, mebibytes, ratio, seconds};

const DIFFERENCES: &str = "
What differs:
- gitfleet walks the default branch, follows renames, counts lines as git does, and writes JSON, CSV, Markdown and
  HTML. It says nothing of kinds of work, tickets, pull requests, DORA or velocity.
- tga walks every branch of the clone (here one), keeps commits in SQLite, sorts them into kinds of work by rules (its
  language model is off), and writes CSV, JSON and Markdown. It is run with --no-fetch.
- gitflow-analytics asks git once for each day and branch and several times for each commit, keeps commits in SQLite,
  sorts them by rules, and writes CSV, JSON and Markdown. Its 147 default exclusions leave files out. --weeks covers
  the history; --skip-identity-analysis leaves out what could ask a language model about people.
";

/// Whatever would let a program ask somebody else.
const SECRETS: [&str; 9] = [
    "GITHUB_TOKEN",
    "GH_TOKEN",
    "OPENROUTER_API_KEY",
    "OPENAI_API_KEY",
    "ANTHROPIC_API_KEY",
    "TYPESAFE_API_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_PROFILE",
];

enum Program {
    Gitfleet,
    Tga(PathBuf),
    GitflowAnalytics { program: PathBuf, weeks: u64 },
}

/// One program, with its runs so far.
struct Side {
    program: Program,
    folder: tempfile::TempDir,
    cold: Samples,
    warm: Samples,
    commits: Option<usize>,
}

/// Runs the programs that are named, and gitfleet, on the repository at `path`.
pub(crate) fn all(
    path: &Path,
    gitflow_analytics: Option<PathBuf>,
    tga: Option<PathBuf>,
    setting: &Setting,
) -> anyhow::Result<()> {
    let bench = Bench::new(setting)?;
    let path = bench::absolute(path)?;
    let name = bench::name(&path);
    let folder = bench.folder()?;
    let clone = folder.path().join(&name);
    git::answer(git::git(Path::new(".")).args(["clone", "--quiet", "--"]).arg(&path).arg(&clone))?;
    git::answer(git::git(&clone).args(["remote", "remove", "origin"]))?;
    let named = |program: PathBuf| bench::absolute(&program);
    let mut programs = vec![Program::Gitfleet];
    programs.extend(tga.map(named).transpose()?.map(Program::Tga));
    if let Some(program) = gitflow_analytics {
        programs.push(Program::GitflowAnalytics { program: named(program)?, weeks: weeks(&clone)? });
    }
    let new = |program| -> anyhow::Result<Side> {
        let (cold, warm) = (Samples::default(), Samples::default());
        Ok(Side { program, folder: bench.folder()?, cold, warm, commits: None })
    };
    let mut sides = programs.into_iter().map(new).collect::<anyhow::Result<Vec<Side>>>()?;
    for round in 0..=bench.runs {
        table::talk(&format!("{name}: round {round} of {}", bench.runs));
        for side in &mut sides {
            side.forget()?;
            let (cold, warm) = (side.run(&bench, &clone)?, side.run(&bench, &clone)?);
            if round > 0 {
                side.cold.push(cold);
                side.warm.push(warm);
            }
        }
    }

    bench.introduce()?;
    let columns =
        ["program", "run", "wall", "CPU", "peak memory", "wall, ours = 1", "CPU, ours = 1", "commits"];
    let mut table = Table::new(2, &columns);
    for side in &sides {
        let ours = &sides[0];
        for (run, samples, ours) in [("cold", &side.cold, &ours.cold), ("again", &side.warm, &ours.warm)] {
            table.row([
                side.program.name().to_owned(),
                run.to_owned(),
                seconds(samples.wall()),
                seconds(samples.cpu()),
                mebibytes(samples.peak_bytes()),
                ratio(samples.wall(), ours.wall()),
                ratio(samples.cpu(), ours.cpu()),
                side.commits.map_or("?".to_owned(), count),
            ]);
        }
    }
    table.print(&format!("{name}: whole runs of other programs"));
    table::say(DIFFERENCES);
    Ok(())
}

/// Returns how many weeks back the first commit of `clone` is, by its own clock and this machine's.
fn weeks(clone: &Path) -> anyhow::Result<u64> {
    const WEEK_SECONDS: u64 = 7 * 24 * 60 * 60;
    let times = git::answer(git::git(clone).args(["log", "--format=%ct"]))?;
    let first = times.lines().filter_map(|time| time.parse::<u64>().ok()).min().context("no commits")?;
    let now = gix::date::Time::now_utc().seconds;
    Ok(u64::try_from(now)?.saturating_sub(first) / WEEK_SECONDS + 2)
}

impl Program {
    fn name(&self) -> &'static str {
        match self {
            Self::Gitfleet => "gitfleet analyze",
            Self::Tga(_) => "tga analyze",
            Self::GitflowAnalytics { .. } => "gitflow-analytics analyze",
        }
    }

    /// Returns how many commits the program says it has reported on.
    fn commits(&self, stdout: &str) -> Option<usize> {
        match self {
            Self::Gitfleet => {
                let report: Value = serde_json::from_str(stdout).ok()?;
                usize::try_from(report["totals"]["commits"].as_u64()?).ok()
            }
            // Generated 14 report file(s) (2070 commits, 50 authors)
            Self::Tga(_) => {
                let line = stdout.lines().find(|line| line.starts_with("Generated "))?;
                line.split_once("(s) (")?.1.split(' ').next()?.parse().ok()
            }
            //    - Total commits: 84, once for what was fetched and last for what is reported
            Self::GitflowAnalytics { .. } => {
                let last = stdout.lines().rev().find_map(|line| line.split_once("Total commits: "));
                last?.1.trim().parse().ok()
            }
        }
    }
}

impl Side {
    /// Drops all that earlier runs left.
    fn forget(&self) -> anyhow::Result<()> {
        for entry in std::fs::read_dir(self.folder.path())? {
            let path = entry?.path();
            if path.is_dir() { std::fs::remove_dir_all(path)? } else { std::fs::remove_file(path)? }
        }
        Ok(())
    }

    fn run(&mut self, bench: &Bench, clone: &Path) -> anyhow::Result<Spent> {
        let folder = self.folder.path();
        let mut command = match &self.program {
            Program::Gitfleet => {
                let mut command = bench.gitfleet();
                command.args(["--quiet", "analyze", "--json"]).arg(clone);
                command.arg("--data-dir").arg(folder.join("data")).arg("--output").arg(folder.join("report"));
                command.args(["--jobs", &bench.jobs.to_string()]);
                command
            }
            Program::Tga(program) => {
                let mut command = Command::new(program);
                let classification = "classification:\n  use_llm: false\n";
                command.args(["analyze", "--no-fetch", "--config"]);
                command.arg(write_config(folder, clone, classification)?);
                command
            }
            Program::GitflowAnalytics { program, weeks } => {
                let mut command = Command::new(program);
                command.args(["analyze", "--no-rich", "--generate-csv", "--skip-identity-analysis"]);
                command.args(["--weeks", &weeks.to_string(), "-c"]).arg(write_config(folder, clone, "")?);
                command
            }
        };
        command.current_dir(folder).env("HOME", folder);
        for name in SECRETS {
            command.env_remove(name);
        }
        let stdout = folder.join("stdout");
        let spent = run::run(&command, &stdout)?;
        // A run that finds nothing new may count only what is new.
        let said = String::from_utf8_lossy(&std::fs::read(stdout)?).into_owned();
        self.commits = self.commits.max(self.program.commits(&said));
        Ok(spent)
    }
}

/// Writes the file that both other programs read.
fn write_config(folder: &Path, clone: &Path, more: &str) -> anyhow::Result<PathBuf> {
    let quoted = |path: PathBuf| serde_json::to_string(&path.display().to_string());
    let text = format!(
        "version: \"1.0\"\nrepositories:\n  - name: repository\n    path: {}\noutput:\n  directory: {}\n  \
         formats: [csv, markdown, json]\ncache:\n  directory: {}\n{more}",
        quoted(clone.to_owned())?,
        quoted(folder.join("reports"))?,
        quoted(folder.join("cache"))?,
    );
    let path = folder.join("config.yaml");
    std::fs::write(&path, text)?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_program_tells_its_commits() {
        let found = |program: Program, stdout| program.commits(stdout);
        assert_eq!(found(Program::Gitfleet, r#"{"totals":{"commits":2070}}"#), Some(2_070));
        assert_eq!(found(Program::Gitfleet, "no report"), None);
        let tga = "Collected 2208 commits\nGenerated 14 report file(s) (2070 commits, 50 authors)\n";
        assert_eq!(found(Program::Tga(PathBuf::new()), tga), Some(2_070));
        let program = PathBuf::new();
        let said = "   - Total commits: 0\nSummary:\n   - Total commits: 84\n   - Total PRs: 0\n";
        assert_eq!(found(Program::GitflowAnalytics { program, weeks: 1 }, said), Some(84));
    }
}
