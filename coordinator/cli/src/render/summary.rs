//! The end of a run, in a few lines.

use std::fmt::Write as _;
use std::path::Path;

use gitfleet_coordinator::report::model::Report;
use gitfleet_coordinator::report::number::grouped;

use super::talk;

/// Returns what came out and where the report lies.
pub(crate) fn summary(report: &Report, output: &Path, files: &[String]) -> String {
    let mut text = String::new();
    let totals = &report.totals;
    let coverage = &report.coverage;
    let _ = writeln!(text, "Window        {} ({})", report.window.label, report.window.time_zone);
    let _ = write!(text, "Repositories  {}", coverage.repositories_analysed + coverage.repositories_empty);
    if coverage.repositories_failed > 0 {
        let _ = write!(text, " analysed, {} failed", coverage.repositories_failed);
    }
    let _ = writeln!(text);
    for failure in &coverage.failures {
        let _ = writeln!(text, "  failed      {}: {}", failure.repository, failure.message);
    }
    let _ = writeln!(text, "Commits       {} and {} merges", grouped(totals.commits), grouped(totals.merges));
    let _ = writeln!(text, "Developers    {}", grouped(totals.developers));
    let _ = writeln!(
        text,
        "Lines         {} added, {} deleted, in {} file changes",
        grouped(totals.additions),
        grouped(totals.deletions),
        grouped(totals.files_changed)
    );
    let quality = &report.data_quality;
    let unknown: u64 = quality.unknown_changes.iter().map(|unknown| unknown.changes).sum();
    if unknown > 0 {
        let _ = writeln!(
            text,
            "Unknown       {} file changes have unknown lines (see data quality)",
            grouped(unknown)
        );
    }
    if quality.conservation_checked > 0 {
        let broken = match quality.conservation_broken {
            0 => "holds".to_owned(),
            broken => format!("BROKEN in {broken}"),
        };
        let _ = writeln!(
            text,
            "Line check    {broken} (lines added minus deleted against the tip, {} checked)",
            quality.conservation_checked
        );
    }
    let first = if files.iter().any(|file| file == "report.html") { "report.html" } else { "" };
    let _ = writeln!(text, "Report        {}", output.join(first).display());
    talk::harmless(&text)
}
