//! What it costs to cut one history into slices: each slice decodes again what its neighbours decoded too.
//!
//! One worker after another shows the work that is done twice; two at the same time show what is won by it. Each process
//! here walks the whole history to find its slice, which a worker is spared: its job names the commits. So what a
//! process takes for a single commit is measured too, and taken off.

use std::path::Path;
use std::process::Command;

use crate::agreement;
use crate::args::Setting;
use crate::bench::{self, Bench};
use crate::git;
use crate::run::{self, Spent};
use crate::samples::Samples;
use crate::table::{self, Table, mebibytes, ratio, seconds};

/// One way of cutting, with its runs so far.
struct Cut {
    slices: usize,
    /// All slices together, one after another.
    sum: Samples,
    /// The slice that took the most CPU.
    largest: Samples,
    /// Of all runs, counted or not.
    differing: usize,
}

/// More slices than any history has commits, so that each holds one.
const SINGLE_COMMITS: usize = 1_000_000_000;

/// Returns whether all cuts of the repository at `path` say the same.
pub(crate) fn all(path: &Path, cuts: &[usize], setting: &Setting) -> anyhow::Result<bool> {
    let bench = Bench::new(setting)?;
    let path = bench::absolute(path)?;
    let head = git::commit(&path, "HEAD")?;
    let name = bench::name(&path);
    let mut whole = Samples::default();
    let mut both = Samples::default();
    let mut alone = Samples::default();
    let cut = |&slices| Cut { slices, sum: Samples::default(), largest: Samples::default(), differing: 0 };
    let mut cuts: Vec<Cut> = cuts.iter().map(cut).collect();
    for round in 0..=bench.runs {
        table::talk(&format!("{name}: round {round} of {}", bench.runs));
        let folder = bench.folder()?;
        let ask = |slice: Option<(usize, usize)>| ask(&bench, &path, &head, slice);
        let expected = folder.path().join("whole");
        let spent = run::run(&ask(None), &expected)?;
        let expected = agreement::of_gitfleet(&std::fs::read(expected)?);
        if round > 0 {
            whole.push(spent);
        }
        let spent = run::run(&ask(Some((1, SINGLE_COMMITS))), &folder.path().join("alone"))?;
        if round > 0 {
            alone.push(spent);
        }
        for cut in &mut cuts {
            let (mut spents, mut lines) = (Vec::new(), Vec::new());
            for slice in 1..=cut.slices {
                let stdout = folder.path().join("slice");
                spents.push(run::run(&ask(Some((slice, cut.slices))), &stdout)?);
                lines.extend(agreement::of_gitfleet(&std::fs::read(stdout)?));
            }
            cut.differing = cut.differing.max(agreement::differing(&expected, &lines));
            if round > 0 {
                cut.sum.push(one_after_another(&spents));
                cut.largest.push(*spents.iter().max_by_key(|spent| spent.cpu).unwrap_or(&spent));
            }
        }
        let halves =
            [1, 2].map(|half| run::start(&ask(Some((half, 2))), &folder.path().join(half.to_string())));
        let halves = halves.into_iter().map(|half| half?.end()).collect::<anyhow::Result<Vec<Spent>>>()?;
        if round > 0 {
            both.push(at_the_same_time(&halves));
        }
    }

    bench.introduce()?;
    let columns = [
        "run, one job each",
        "wall",
        "CPU",
        "peak memory",
        "wall, whole = 1",
        "CPU, whole = 1",
        "CPU without walk and plan, whole = 1",
        "largest slice's CPU, whole = 1",
        "differing lines",
    ];
    let mut table = Table::new(1, &columns);
    let analysis = |cpu: f64, processes: usize| cpu - processes as f64 * alone.cpu();
    let mut row = |name: String, samples: &Samples, processes: usize, cut: Option<&Cut>| {
        table.row([
            name,
            seconds(samples.wall()),
            seconds(samples.cpu()),
            mebibytes(samples.peak_bytes()),
            ratio(samples.wall(), whole.wall()),
            ratio(samples.cpu(), whole.cpu()),
            match processes {
                0 => String::new(),
                _ => ratio(analysis(samples.cpu(), processes), analysis(whole.cpu(), 1)),
            },
            cut.map_or(String::new(), |cut| ratio(cut.largest.cpu(), whole.cpu())),
            cut.map_or(String::new(), |cut| cut.differing.to_string()),
        ]);
    };
    row("whole".to_owned(), &whole, 1, None);
    row("a single commit: walk and plan".to_owned(), &alone, 0, None);
    for cut in &cuts {
        let name = format!("{} slices, one after another", cut.slices);
        row(name, &cut.sum, cut.slices, Some(cut));
    }
    row("2 slices, two processes at the same time".to_owned(), &both, 2, None);
    table.print(&format!("{name}: facts with renames in slices"));
    Ok(cuts.iter().all(|cut| cut.differing == 0))
}

fn ask(bench: &Bench, path: &Path, head: &str, slice: Option<(usize, usize)>) -> Command {
    let mut command = bench.facts(path, head, 1);
    command.arg("--renames");
    if let Some((which, of)) = slice {
        command.args(["--slice", &format!("{which}/{of}")]);
    }
    command
}

fn one_after_another(parts: &[Spent]) -> Spent {
    Spent {
        wall: parts.iter().map(|part| part.wall).sum(),
        cpu: parts.iter().map(|part| part.cpu).sum(),
        peak_bytes: parts.iter().map(|part| part.peak_bytes).max().unwrap_or(0),
    }
}

fn at_the_same_time(parts: &[Spent]) -> Spent {
    Spent {
        wall: parts.iter().map(|part| part.wall).max().unwrap_or_default(),
        cpu: parts.iter().map(|part| part.cpu).sum(),
        peak_bytes: parts.iter().map(|part| part.peak_bytes).sum(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn costs_add_up_as_the_slices_ran() {
        let part = |wall, cpu, peak_bytes| Spent {
            wall: Duration::from_secs(wall),
            cpu: Duration::from_secs(cpu),
            peak_bytes,
        };
        let parts = [part(3, 2, 100), part(5, 4, 300), part(1, 1, 200)];
        assert_eq!(one_after_another(&parts), part(9, 7, 300));
        assert_eq!(at_the_same_time(&parts), part(5, 7, 600));
    }
}
