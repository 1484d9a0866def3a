//! The headline numbers.

use crate::report::model::Report;
use crate::report::number::{counted, grouped};

/// Returns the numbers a reader takes away from ten seconds with the page.
pub(super) fn render(report: &Report) -> String {
    let totals = &report.totals;
    let coverage = &report.coverage;
    let quality = &report.data_quality;
    let of_bulk = |n: u64| match quality.bulk_commits {
        0 => String::new(),
        commits => format!("{} of them in {}", grouped(n), counted(commits, "bulk commit", "bulk commits")),
    };
    let analysed = match coverage.repositories_failed {
        0 => format!("{} analysed", grouped(coverage.repositories_analysed)),
        failed => format!("{} analysed, {} failed", grouped(coverage.repositories_analysed), grouped(failed)),
    };
    let tiles = [
        ("Commits", totals.commits, format!("and {}", counted(totals.merges, "merge", "merges"))),
        ("Developers", totals.developers, "distinct authors".to_owned()),
        ("Repositories", totals.repositories, analysed),
        ("Lines added", totals.additions, of_bulk(quality.bulk_additions)),
        ("Lines deleted", totals.deletions, of_bulk(quality.bulk_deletions)),
        ("Files changed", totals.files_changed, "summed over commits".to_owned()),
    ];
    let tiles: String = tiles.iter().map(|(name, n, remark)| tile(name, *n, remark)).collect();
    format!("<dl class=\"tiles\">\n{tiles}</dl>\n")
}

fn tile(name: &str, n: u64, remark: &str) -> String {
    format!("<div><dt>{name}</dt><dd><b>{}</b><span>{remark}</span></dd></div>\n", grouped(n))
}
