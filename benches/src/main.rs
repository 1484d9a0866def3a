//! gitfleet side by side with git: the same questions, asked of both in turn, compared and timed.
//!
//!     cargo build --release && cargo run --release -p gitfleet-benches -- REPOSITORY...
//!
//! Runs alternate (git, gitfleet, git, gitfleet, ...) after one round that is not counted, so that a machine whose
//! speed drifts drifts under both. The same runs prove agreement: the sorted lines of both must be equal, and the
//! reports too. Nothing is claimed of gitfleet's speed that this program does not print.

mod agreement;
mod analysis;
mod args;
mod bench;
mod cost;
mod cpu;
mod curve;
mod facts;
mod fleet;
mod floor;
mod git;
mod history;
mod micro;
mod others;
mod run;
mod samples;
mod scaling;
mod side_by_side;
mod slices;
mod table;

use std::process::ExitCode;

use clap::Parser as _;

use args::{CommandLine, Part};

/// The allocator that gitfleet has, so that its parts cost here what they cost there.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let CommandLine { part, main } = CommandLine::parse();
    let agreed = match part {
        Some(Part::Relay { stdout, program, arguments }) => {
            run::relay(&stdout, &program, &arguments).map(|line| {
                table::say(&line);
                true
            })
        }
        Some(Part::Micro { repository, commits, setting }) => {
            micro::all(&repository, commits, &setting).map(|()| true)
        }
        Some(Part::Slices { repository, slices, setting }) => slices::all(&repository, &slices, &setting),
        Some(Part::Curve { repository, commits, setting }) => curve::all(&repository, &commits, &setting),
        Some(Part::Floor { repository, setting }) => floor::all(&repository, &setting),
        Some(Part::FloorOnce { repository, head }) => floor::once(&repository, &head).map(|()| true),
        Some(Part::Others { repository, gfa, tga, setting }) => {
            others::all(&repository, gfa, tga, &setting).map(|()| true)
        }
        Some(Part::Fleet { repositories, real_jobs, empty_jobs, queued, workers, setting }) => {
            fleet::all(&fleet::Scale { repositories, jobs: real_jobs, empty_jobs, queued, workers }, &setting)
        }
        Some(Part::Scaling) => {
            scaling::all();
            Ok(true)
        }
        None => side_by_side::all(&main),
    };
    match agreed {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            table::talk(&format!("error: {error:#}"));
            ExitCode::from(2)
        }
    }
}
