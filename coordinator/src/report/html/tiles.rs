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
    let n = grouped(n);
    // The style sheet shrinks a number with many digits to the width of its tile.
    let digits = n.len();
    format!(
        "<div><dt>{name}</dt><dd><b style=\"--digits:{digits}\">{n}</b><span>{remark}</span></dd></div>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn numbers_come_with_what_qualifies_them() {
        let text = render(&sample::rich());
        assert!(text.contains("<b style=\"--digits:5\">1,234</b><span>and 56 merges</span>"));
        assert!(text.contains("<span>2,000,000 of them in 2 bulk commits</span>"));
        assert!(text.contains("<span>2 analysed, 2 failed</span>"));
        assert!(!render(&sample::empty()).contains("failed"));
    }
}
