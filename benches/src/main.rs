//! gitfleet side by side with git: the same facts, asked of both in turn, compared line by line and timed.
//!
//!     cargo build --release && cargo run --release -p gitfleet-benches -- REPOSITORY...
//!
//! Runs alternate (git, gitfleet, git, gitfleet, ...) after one run of each that is not counted, so that a machine
//! whose speed drifts drifts under both. Medians are printed; quote the ratios. The same runs prove agreement: the
//! sorted lines of both must be equal.

mod cpu;
mod facts;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;

/// Counted runs of each side.
const RUNS: usize = 5;

fn main() -> ExitCode {
    match compare() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            table::complain(&format!("{error:#}"));
            ExitCode::from(2)
        }
    }
}

/// Returns whether git and gitfleet agreed everywhere.
fn compare() -> anyhow::Result<bool> {
    let repositories: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    anyhow::ensure!(!repositories.is_empty(), "name at least one repository");
    let gitfleet = beside_this("gitfleet")?;
    table::head();
    let mut agreed = true;
    for repository in &repositories {
        for renames in [false, true] {
            let git = facts::git(repository, renames);
            let ours = facts::gitfleet(&gitfleet, repository, renames);
            let row =
                measure(git, ours).with_context(|| format!("cannot compare {}", repository.display()))?;
            agreed &= row.differing == 0;
            table::row(repository, renames, &row);
        }
    }
    Ok(agreed)
}

/// What the runs of one repository came to.
struct Row {
    lines: usize,
    differing: usize,
    git: Vec<cpu::Spent>,
    gitfleet: Vec<cpu::Spent>,
}

fn measure(
    mut git: impl FnMut() -> anyhow::Result<facts::Answer>,
    mut gitfleet: impl FnMut() -> anyhow::Result<facts::Answer>,
) -> anyhow::Result<Row> {
    let (expected, found) = (git()?.lines, gitfleet()?.lines);
    let mut row = Row {
        lines: expected.len(),
        differing: facts::differing(&expected, &found),
        git: Vec::new(),
        gitfleet: Vec::new(),
    };
    drop((expected, found));
    for _ in 0..RUNS {
        row.git.push(git()?.spent);
        row.gitfleet.push(gitfleet()?.spent);
    }
    Ok(row)
}

/// Returns the program of this name in the directory this one runs from.
fn beside_this(name: &str) -> anyhow::Result<PathBuf> {
    let path = std::env::current_exe()?.with_file_name(name);
    anyhow::ensure!(path.exists(), "{} is missing; run `cargo build --release` first", path.display());
    Ok(path)
}
