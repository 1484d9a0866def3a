//! What needs a decision, on top of the page.

use crate::report::escape::{html, html_name};
use crate::report::html::grid;
use crate::report::html::section::{nothing, section};
use crate::report::model::Report;
use crate::report::number::counted;
use crate::report::row::Table;
use crate::report::tables::FindingRow;

/// More cards than this are a list, and that is in the table below them.
const MAX_CARDS: usize = 12;

pub(super) fn render(report: &Report) -> String {
    let all = &report.tables.findings;
    if all.is_empty() {
        let body = nothing("No rule fired. That is no certificate: rules see what they look for.");
        return section("findings", "Findings", "", &body);
    }
    let cards: String = all.iter().take(MAX_CARDS).map(card).collect();
    let table = Table::of("findings", "All findings, most pressing first", all);
    let table = if all.len() > MAX_CARDS { grid::render(&table) } else { String::new() };
    let body = format!("<ul class=\"cards\">\n{cards}</ul>\n{table}");
    section("findings", "Findings", &lead(all), &body)
}

fn lead(all: &[FindingRow]) -> String {
    let of = |weight: &str| all.iter().filter(|row| row.weight == weight).count() as u64;
    format!(
        "{} that rules found in the numbers: {} to act on, {} to watch, {} to know. A rule looks at repositories, \
         projects and teams, never at a person.",
        counted(all.len() as u64, "thing", "things"),
        of("act"),
        of("watch"),
        of("know")
    )
}

fn card(row: &FindingRow) -> String {
    let class = match row.weight.as_str() {
        "act" => "act",
        "watch" => "watch",
        _ => "know",
    };
    let subject = if row.subject.is_empty() {
        "everything".to_owned()
    } else {
        format!("{} <bdi>{}</bdi>", html_name(&row.scope), html_name(&row.subject))
    };
    let evidence = match row.evidence.as_str() {
        "" => String::new(),
        evidence => format!("<p class=\"evidence\">{}</p>", html(evidence)),
    };
    format!(
        "<li class=\"{class}\"><p class=\"top\"><span class=\"badge {class}\">{weight}</span> {subject}</p>\
         <h3>{finding}</h3>{evidence}<p>{recommendation}</p><p class=\"rule\">rule <code>{rule}</code></p></li>\n",
        weight = html_name(&row.weight),
        finding = html(&row.finding),
        recommendation = with_code(&row.recommendation),
        rule = html_name(&row.rule),
    )
}

/// Returns the text with what stands between backticks as code.
fn with_code(text: &str) -> String {
    let safe = html(text).to_string();
    let mut parts = safe.split('`');
    let mut out = parts.next().unwrap_or_default().to_owned();
    while let Some(code) = parts.next() {
        match parts.next() {
            Some(after) => out.push_str(&format!("<code>{code}</code>{after}")),
            None => out.push_str(&format!("`{code}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn commands_are_code_and_nothing_else_is() {
        assert_eq!(with_code("run `a <b>` or `c`"), "run <code>a &lt;b&gt;</code> or <code>c</code>");
        assert_eq!(with_code("a lone ` stays"), "a lone ` stays");
        assert_eq!(with_code("``"), "<code></code>");
    }

    #[test]
    fn every_card_names_its_rule_and_its_numbers() {
        let text = render(&sample::large(60, 20, 6));
        assert!(text.contains("rule <code>truck_factor_one</code>"));
        assert!(text.contains("truck factor 1 over 412 files"));
        assert!(
            text.contains("5 things that rules found in the numbers: 1 to act on, 3 to watch, 1 to know.")
        );
        assert!(!text.contains("<details>"));
        assert!(render(&sample::at_the_caps()).contains("<details>"));
        assert!(render(&sample::empty()).contains("No rule fired."));
    }
}
