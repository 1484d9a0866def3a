//! What to know before trusting the numbers.

use crate::report::escape::{html, html_name};
use crate::report::finding::{self, Finding, Weight};
use crate::report::html::section::section;
use crate::report::model::Report;
use crate::report::number::{counted, grouped};

const MAX_NAMES: usize = 50;

pub(super) fn render(report: &Report) -> String {
    let findings = finding::findings(report);
    let n_doubts = findings.iter().filter(|finding| is_doubtful(finding)).count() as u64;
    let lead = match n_doubts {
        0 => "Nothing was found that casts doubt on the numbers.".to_owned(),
        n => format!("{} on some of the numbers.", counted(n, "finding casts doubt", "findings cast doubt")),
    };
    // What matters first; the sort is stable, so that the rest keeps its order.
    let mut found: Vec<&Finding> = findings.iter().filter(|finding| finding.count > 0).collect();
    found.sort_by_key(|finding| !is_doubtful(finding));
    let items: String = found.into_iter().map(item).collect();
    let items = match items.as_str() {
        "" => items,
        items => format!("<dl class=\"findings\">\n{items}</dl>\n"),
    };
    let body = format!("{items}{}{}{}", shallow(report), zeros(&findings), without_renames(report));
    section("quality", "Data quality", &lead, &body)
}

fn is_doubtful(finding: &Finding) -> bool {
    finding.weight == Weight::Doubt && finding.count > 0
}

fn item(finding: &Finding) -> String {
    let class = if is_doubtful(finding) { "doubt" } else { "remark" };
    let label = html(&finding.label);
    let count = grouped(finding.count);
    let meaning = finding.meaning;
    format!("<div class=\"{class}\"><dt>{label}</dt><dd><b>{count}</b><span>{meaning}</span></dd></div>\n")
}

/// Names the findings without a case: they need no card each, but a reader should see that they were looked for.
fn zeros(findings: &[Finding]) -> String {
    let labels: Vec<String> = findings
        .iter()
        .filter(|finding| finding.count == 0)
        .map(|finding| html(&finding.label.to_lowercase()).to_string())
        .collect();
    if labels.is_empty() {
        return String::new();
    }
    format!("<p class=\"note\">Zero: {}.</p>\n", labels.join(", "))
}

fn shallow(report: &Report) -> String {
    let all = &report.data_quality.shallow_repositories;
    if all.is_empty() {
        return String::new();
    }
    let names: Vec<String> =
        all.iter().take(MAX_NAMES).map(|name| format!("<bdi>{}</bdi>", html_name(name))).collect();
    let more = match all.len() - names.len() {
        0 => String::new(),
        more => format!(" and {} more, all of them in <code>data_quality.csv</code>", grouped(more as u64)),
    };
    format!("<p class=\"note\">Shallow repositories: {}{more}.</p>\n", names.join(", "))
}

fn without_renames(report: &Report) -> String {
    let sums = &report.totals.without_renames;
    format!(
        "<p class=\"note\">With each rename counted as a deletion and an addition: {} lines added, {} lines deleted, \
         {} files changed.</p>\n",
        grouped(sums.additions),
        grouped(sums.deletions),
        grouped(sums.files_changed)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn doubts_come_first() {
        let text = render(&sample::rich());
        assert!(text.contains("findings cast doubt on some of the numbers."));
        let last_doubt = text.rfind("class=\"doubt\"").unwrap();
        assert!(last_doubt < text.find("class=\"remark\"").unwrap());
    }

    #[test]
    fn what_was_not_found_is_named() {
        let text = render(&sample::empty());
        assert!(text.contains("Nothing was found that casts doubt on the numbers."));
        assert!(text.contains("Zero: line checks broken, line checks made, shallow repositories,"));
        assert!(!text.contains("<dl"));
    }
}
