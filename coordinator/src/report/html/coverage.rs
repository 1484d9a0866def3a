//! How much of what was asked for is in the numbers, and why the rest is not.

use crate::report::escape::{html, html_name};
use crate::report::html::section::section;
use crate::report::html::table::{self, Column, MAX_ROWS};
use crate::report::model::{Coverage, Failure, Report};
use crate::report::number::{counted, grouped, share};

pub(super) fn render(report: &Report) -> String {
    let coverage = &report.coverage;
    let lead = format!(
        "Of {} asked for, {} analysed, {} empty, {} failed.",
        counted(coverage.repositories_requested, "repository", "repositories"),
        grouped(coverage.repositories_analysed),
        grouped(coverage.repositories_empty),
        grouped(coverage.repositories_failed),
    );
    let body = format!("{}{}", bar(coverage), failures(coverage));
    section("coverage", "Coverage", &lead, &body)
}

fn bar(coverage: &Coverage) -> String {
    if coverage.repositories_requested == 0 {
        return String::new();
    }
    let segments: String = [
        ("analysed", coverage.repositories_analysed),
        ("empty", coverage.repositories_empty),
        ("failed", coverage.repositories_failed),
    ]
    .into_iter()
    .filter(|(_, n)| *n > 0)
    .map(|(status, n)| {
        let width = share(n, coverage.repositories_requested) * 100.0;
        format!("<i class=\"{status}\" style=\"width:{width:.3}%\" title=\"{status}: {}\"></i>", grouped(n))
    })
    .collect();
    format!("<div class=\"stack coverage\" aria-hidden=\"true\">{segments}</div>\n")
}

fn failures(coverage: &Coverage) -> String {
    let all = &coverage.failures;
    if all.is_empty() {
        return String::new();
    }
    let columns =
        [Column::Text("Repository"), Column::Text("Class"), Column::Text("Message"), Column::Text("Source")];
    format!(
        "<div class=\"failures\">\n<h3>{title}</h3>\n{table}</div>\n{cut}",
        title = counted(all.len() as u64, "failure", "failures"),
        table = table::table("Failed repositories", &columns, all.iter().take(MAX_ROWS).map(row)),
        cut = table::cut(all.len(), "failures", "coverage.csv"),
    )
}

fn row(failure: &Failure) -> String {
    let repository = html_name(&failure.repository);
    let class = html_name(&failure.class);
    let message = html(&failure.message);
    let source = html(&failure.source);
    format!(
        "<tr><th scope=\"row\"><bdi>{repository}</bdi></th><td><span class=\"badge failed\">{class}</span></td>\
         <td class=\"text\"><bdi>{message}</bdi></td><td class=\"text\"><bdi>{source}</bdi></td></tr>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn every_failure_has_its_class_and_message() {
        let text = render(&sample::rich());
        assert!(text.contains("Of 5 repositories asked for, 2 analysed, 1 empty, 2 failed."));
        assert!(text.contains("<h3>2 failures</h3>"));
        assert!(text.contains("<span class=\"badge failed\">not_found</span>"));
    }

    #[test]
    fn no_failure_takes_no_room() {
        assert!(!render(&sample::empty()).contains("failures"));
    }
}
