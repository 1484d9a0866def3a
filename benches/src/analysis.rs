//! `gitfleet analyze` as users run it: everything from the repository to a report in four forms, cold and warm.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;
use serde_json::Value;

use crate::agreement::Totals;
use crate::bench::Bench;
use crate::facts::Facts;
use crate::history::{self, Copy, Points, Step};
use crate::run::{self, Spent};
use crate::samples::Samples;
use crate::table::{Table, mebibytes, number, ratio, seconds};

/// Zones for the runs in which nothing but the report's configuration changes: none is that of the run before.
const ZONES: [&str; 6] = [
    "Asia/Tokyo",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "Pacific/Auckland",
    "America/Sao_Paulo",
];

/// The rows of one repository, with their runs so far.
pub(crate) struct Analyses<'a> {
    bench: &'a Bench,
    folder: tempfile::TempDir,
    copy: Copy,
    head: String,
    points: Points,
    /// Report files of a run that had nothing to build on, at the tip and after the last commit.
    fresh: BTreeMap<String, Vec<u8>>,
    fresh_after_commit: BTreeMap<String, Vec<u8>>,
    pub(crate) cold: Row,
    unchanged: Row,
    commit: Row,
    week: Row,
    zone: Row,
    /// What the store and the cache of a cold run came to.
    pub(crate) kept: Kept,
}

#[derive(Default)]
pub(crate) struct Row {
    pub(crate) samples: Samples,
    pub(crate) new_commits: u64,
    /// Of all runs, counted or not.
    disagreements: usize,
}

#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Kept {
    pub(crate) store_bytes: u64,
    pub(crate) cache_file_bytes: u64,
}

/// What one analysis left.
struct Done {
    spent: Spent,
    files: BTreeMap<String, Vec<u8>>,
    new_commits: u64,
    totals: Totals,
}

impl<'a> Analyses<'a> {
    /// Prepares `repository`: a copy, and data directories of analyses that ended earlier.
    pub(crate) fn prepare(bench: &'a Bench, repository: &Path, head: &str) -> anyhow::Result<Self> {
        let folder = bench.folder()?;
        let copy = Copy::make(repository, folder.path().join("repository"))?;
        let points = history::points(&history::chain(repository, head)?);
        let mut analyses = Self {
            bench,
            folder,
            copy,
            head: head.to_owned(),
            points,
            fresh: BTreeMap::new(),
            fresh_after_commit: BTreeMap::new(),
            cold: Row::default(),
            unchanged: Row::default(),
            commit: Row::default(),
            week: Row::default(),
            zone: Row::default(),
            kept: Kept::default(),
        };
        analyses.fresh = analyses.analyze("full", head, None)?.files;
        if let Some(Step { before, after }) = &analyses.points.last_commit {
            analyses.analyze("before-commit", before, None)?;
            let fresh = match *after == analyses.head {
                true => analyses.fresh.clone(),
                false => analyses.analyze("after-commit", after, None)?.files,
            };
            analyses.fresh_after_commit = fresh;
        }
        if let Some(before) = &analyses.points.a_week_before {
            analyses.analyze("before-week", before, None)?;
        }
        Ok(analyses)
    }

    /// Runs each row once. `expected` is what git says at the tip.
    pub(crate) fn round(&mut self, round: usize, expected: Totals) -> anyhow::Result<()> {
        let counted = round > 0;
        let head = self.head.clone();
        self.drop("cold")?;
        let done = self.analyze("cold", &head, None)?;
        self.kept = self.kept("cold")?;
        self.drop("cold")?;
        self.cold.add(counted, &done, done.totals == expected && done.files == self.fresh);

        let done = self.analyze("full", &head, None)?;
        self.unchanged.add(counted, &done, done.files == self.fresh);

        if let Some(Step { after, .. }) = &self.points.last_commit {
            let done = self.analyze_on_top_of("before-commit", after)?;
            self.commit.add(counted, &done, done.files == self.fresh_after_commit);
        }
        if self.points.a_week_before.is_some() {
            let done = self.analyze_on_top_of("before-week", &head)?;
            self.week.add(counted, &done, done.files == self.fresh);
        }

        let done = self.analyze("full", &head, Some(ZONES[round % ZONES.len()]))?;
        self.zone.add(counted, &done, done.totals == expected);
        Ok(())
    }

    /// Runs an analysis at `id` on a copy of the data directory `base`, so that each run finds the same.
    fn analyze_on_top_of(&self, base: &str, id: &str) -> anyhow::Result<Done> {
        let path = self.folder.path();
        std::fs::create_dir(path.join("grown"))?;
        for file in std::fs::read_dir(path.join(base))? {
            let file = file?;
            std::fs::copy(file.path(), path.join("grown").join(file.file_name()))?;
        }
        let done = self.analyze("grown", id, None);
        self.drop("grown")?;
        done
    }

    /// Analyses the copy with its branch at `id` and the data directory of this name.
    fn analyze(&self, data: &str, id: &str, zone: Option<&str>) -> anyhow::Result<Done> {
        self.copy.move_head(id)?;
        let report = self.bench.folder()?;
        let path = report.path().join("report");
        let mut command = self.bench.gitfleet();
        command.args(["--quiet", "analyze"]).arg(&self.copy.path);
        command.arg("--data-dir").arg(self.folder.path().join(data)).arg("--output").arg(&path);
        command.args(["--jobs", &self.bench.jobs.to_string()]);
        if let Some(zone) = zone {
            command.args(["--time-zone", zone]);
        }
        let spent = run::run(&command, &report.path().join("stdout"))?;
        read(&path, spent).context("the report is not as expected")
    }

    fn drop(&self, data: &str) -> anyhow::Result<()> {
        match std::fs::remove_dir_all(self.folder.path().join(data)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    fn kept(&self, data: &str) -> anyhow::Result<Kept> {
        let mut kept = Kept::default();
        for file in std::fs::read_dir(self.folder.path().join(data))? {
            let file = file?;
            let bytes = file.metadata()?.len();
            match &*file.file_name().to_string_lossy() {
                name if name.starts_with("store.") => kept.store_bytes += bytes,
                name if name.starts_with("cache.") => kept.cache_file_bytes += bytes,
                _ => {}
            }
        }
        Ok(kept)
    }

    pub(crate) fn disagreements(&self) -> usize {
        self.rows_by_name().iter().map(|(_, row)| row.disagreements).sum()
    }

    fn rows_by_name(&self) -> [(&'static str, &Row); 5] {
        [
            ("analyze, cold", &self.cold),
            ("analyze, nothing new", &self.unchanged),
            ("analyze, one new commit", &self.commit),
            ("analyze, one new week", &self.week),
            ("analyze, other time zone", &self.zone),
        ]
    }

    pub(crate) fn rows(&self, facts: &Facts, table: &mut Table) {
        let cold = &self.cold.samples;
        let base = ("facts --renames", &Row::default());
        for (name, row) in std::iter::once(base).chain(self.rows_by_name()) {
            let is_facts = name == base.0;
            let samples = if is_facts { &facts.gitfleet } else { &row.samples };
            table.row([
                name.to_owned(),
                if is_facts { String::new() } else { number(row.new_commits as f64) },
                seconds(samples.wall()),
                seconds(samples.cpu()),
                mebibytes(samples.peak_bytes()),
                ratio(samples.wall(), facts.gitfleet.wall()),
                ratio(samples.cpu(), facts.gitfleet.cpu()),
                ratio(samples.wall(), cold.wall()),
                ratio(samples.cpu(), cold.cpu()),
                if is_facts { String::new() } else { row.disagreements.to_string() },
            ]);
        }
    }
}

impl Row {
    fn add(&mut self, counted: bool, done: &Done, agrees: bool) {
        self.new_commits = done.new_commits;
        self.disagreements += usize::from(!agrees);
        if counted {
            self.samples.push(done.spent);
        }
    }
}

/// Returns the table for [`Analyses::rows`].
pub(crate) fn table() -> Table {
    Table::new(
        1,
        &[
            "run",
            "new commits",
            "wall",
            "CPU",
            "peak memory",
            "wall, facts = 1",
            "CPU, facts = 1",
            "wall, cold = 1",
            "CPU, cold = 1",
            "wrong reports",
        ],
    )
}

/// Reads a report folder. The manifest is what may differ between runs over the same commits, so it is no part of
/// what is compared.
fn read(folder: &Path, spent: Spent) -> anyhow::Result<Done> {
    let mut files = BTreeMap::new();
    for file in std::fs::read_dir(folder)? {
        let file = file?;
        files.insert(file.file_name().to_string_lossy().into_owned(), std::fs::read(file.path())?);
    }
    let manifest: Value = serde_json::from_slice(&files.remove("manifest.json").context("no manifest")?)?;
    let report: Value = serde_json::from_slice(files.get("report.json").context("no report.json")?)?;
    let total =
        |name: &str| report["totals"][name].as_u64().with_context(|| format!("no {name} in the totals"));
    let totals = Totals {
        commits: total("commits")? as usize,
        changes: total("files_changed")? as usize,
        added: total("additions")?,
        deleted: total("deletions")?,
    };
    let new_commits = manifest["repositories"][0]["commits_new"].as_u64().context("no new commits")?;
    Ok(Done { spent, files, new_commits, totals })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_report_is_read_without_its_manifest() {
        let folder = tempfile::tempdir().unwrap();
        let report = r#"{"totals":{"commits":3,"files_changed":4,"additions":9,"deletions":6}}"#;
        std::fs::write(folder.path().join("report.json"), report).unwrap();
        let spent = Spent { wall: Duration::ZERO, cpu: Duration::ZERO, peak_bytes: 0 };
        assert!(read(folder.path(), spent).is_err(), "there is no manifest");
        let manifest = r#"{"repositories":[{"commits_new":2}]}"#;
        std::fs::write(folder.path().join("manifest.json"), manifest).unwrap();
        let done = read(folder.path(), spent).unwrap();
        assert_eq!(done.totals, Totals { commits: 3, changes: 4, added: 9, deleted: 6 });
        assert_eq!(done.new_commits, 2);
        assert_eq!(done.files.into_keys().collect::<Vec<_>>(), ["report.json"]);
    }
}
