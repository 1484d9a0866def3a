//! The main table: facts beside git, whole runs cold and warm, what a commit costs.

use std::path::Path;

use anyhow::Context as _;

use crate::analysis::{self, Analyses};
use crate::args::Main;
use crate::bench::{self, Bench};
use crate::cost::{self, Cost};
use crate::facts::{self, Facts, Renames};
use crate::git;
use crate::table;

/// Returns whether git and gitfleet agreed everywhere.
pub(crate) fn all(main: &Main) -> anyhow::Result<bool> {
    let bench = Bench::new(&main.setting)?;
    bench.introduce()?;
    let (mut agreed, mut costs) = (true, Vec::new());
    for repository in &main.repositories {
        let repository = bench::absolute(repository)?;
        let (agrees, cost) =
            one(&bench, &repository).with_context(|| format!("cannot measure {}", repository.display()))?;
        agreed &= agrees;
        costs.push((bench::name(&repository), cost));
    }
    cost::print(&costs);
    Ok(agreed)
}

fn one(bench: &Bench, repository: &Path) -> anyhow::Result<(bool, Cost)> {
    let name = bench::name(repository);
    table::talk(&format!("{name}: preparing"));
    let head = git::commit(repository, "HEAD")?;
    let mut plain = Facts::new(bench, repository, &head, Renames::NotFollowed);
    let mut followed = Facts::new(bench, repository, &head, Renames::Followed);
    let mut analyses = Analyses::prepare(bench, repository, &head)?;
    for round in 0..=bench.runs {
        table::talk(&format!("{name}: round {round} of {}", bench.runs));
        plain.round(round > 0)?;
        followed.round(round > 0)?;
        analyses.round(round, followed.totals)?;
    }
    let mut beside_git = facts::table();
    plain.rows(&mut beside_git);
    followed.rows(&mut beside_git);
    let totals = followed.totals;
    beside_git.print(&format!(
        "{name} at {}: {} commits without merges, {} file changes with -M",
        &head[..12],
        table::count(totals.commits),
        table::count(totals.changes)
    ));
    let mut whole = analysis::table();
    analyses.rows(&followed, &mut whole);
    whole.print(&format!("{name}: whole runs of gitfleet"));
    let agrees = plain.differing == 0 && followed.differing == 0 && analyses.disagreements() == 0;
    Ok((agrees, Cost::of(repository, &head, bench.jobs, &analyses)?))
}
