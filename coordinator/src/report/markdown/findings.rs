//! What needs a decision: weight, what, the numbers behind it, what the rule recommends, and the rule's name.

use crate::report::escape::{markdown, markdown_name};
use crate::report::model::Report;
use crate::report::number::grouped;
use crate::report::tables::FindingRow;

const MAX_FINDINGS: usize = 25;

pub(super) fn render(report: &Report) -> String {
    let all = &report.tables.findings;
    if all.is_empty() {
        return "## Findings\n\nNo rule fired. That is no certificate: rules see what they look for.\n"
            .to_owned();
    }
    let items: String = all.iter().take(MAX_FINDINGS).map(item).collect();
    let cut = match all.len() {
        n if n > MAX_FINDINGS => format!(
            "The first {MAX_FINDINGS} of {}; all of them are in `findings.csv` and in the JSON report.\n\n",
            grouped(n as u64)
        ),
        _ => String::new(),
    };
    format!("## Findings\n\n{cut}{items}")
}

fn item(row: &FindingRow) -> String {
    let subject = if row.subject.is_empty() {
        "everything".to_owned()
    } else {
        format!("{} {}", markdown_name(&row.scope), markdown_name(&row.subject))
    };
    let evidence = match row.evidence.as_str() {
        "" => String::new(),
        evidence => format!(" Evidence: {}.", markdown(evidence)),
    };
    format!(
        "- **{}**, {subject}: {}{evidence} Recommended: {} (rule {})\n",
        markdown_name(&row.weight),
        markdown(&row.finding),
        markdown(&row.recommendation),
        markdown_name(&row.rule)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn each_finding_names_its_rule() {
        let text = render(&sample::large(60, 20, 6));
        assert!(text.contains(
            "- **watch**, repository data-platform: Much of the code was written by people who have left. Evidence: \
             38.2 % of the lines. Recommended: Name an owner for what is still changed; let the rest be. (rule \
             knowledge\\_orphaned)\n"
        ));
        assert!(render(&sample::at_the_caps()).contains("The first 25 of 65;"));
        assert!(render(&sample::empty()).contains("No rule fired."));
    }

    #[test]
    fn a_finding_stays_on_its_line() {
        let text = render(&sample::rich());
        assert_eq!(text.lines().filter(|line| line.starts_with("- **")).count(), 2);
        assert_eq!(text.lines().count(), 4);
    }
}
