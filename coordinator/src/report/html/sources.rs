//! What stands at the tips: languages by bytes, and what is left out of "source", with both totals side by side.

use std::collections::BTreeMap;

use crate::report::escape::html_name;
use crate::report::html::grid;
use crate::report::html::portions::{self, Portion};
use crate::report::html::section::{nothing, section};
use crate::report::html::table::{self, Column};
use crate::report::model::Report;
use crate::report::row::Table;
use crate::report::subjects;
use crate::report::tables::{ExclusionRow, GroupRow};

/// Enough to compare by eye.
const MAX_REPOSITORIES: usize = 24;

const LEAD: &str = "Vendored, generated, documentation and configured files are counted in all and left out of source, \
as linguist does and as .gitattributes says. Neither is the right number: they answer different questions.";

pub(super) fn render(report: &Report) -> String {
    let tables = &report.tables;
    let lists: String = [
        Table::of(
            "languages_at_tip",
            "Languages at the tips, by bytes of source files",
            &tables.languages_at_tip,
        ),
        Table::of("exclusions", "What is left out of source, by repository", &tables.exclusions),
    ]
    .iter()
    .map(grid::render)
    .collect();
    let body = format!("{}{}{}{lists}", languages(report), standing(report), side_by_side(report));
    if body.is_empty() {
        return section("source", "Source", "", &nothing("Nothing is known of the files at the tips."));
    }
    section("source", "Source and exclusions", LEAD, &body)
}

fn languages(report: &Report) -> String {
    let of_all = report.tables.languages_at_tip.iter().filter(|row| row.scope == "organisation");
    let portions: Vec<Portion> = of_all
        .map(|row| Portion { name: format!("<bdi>{}</bdi>", html_name(&row.language)), value: row.bytes })
        .collect();
    if portions.is_empty() {
        return String::new();
    }
    format!(
        "<figure>\n<figcaption>Languages at the tips, share of bytes</figcaption>\n{}</figure>\n",
        portions::with_legend(&portions)
    )
}

/// Lines at the tips: source, and what is not.
fn standing(report: &Report) -> String {
    let of_all = report.tables.languages_at_tip.iter().filter(|row| row.scope == "organisation");
    let source = of_all.fold(0_u64, |sum, row| sum.saturating_add(row.lines));
    let mut classes: BTreeMap<&str, u64> = BTreeMap::new();
    for row in &report.tables.exclusions {
        let sum = classes.entry(&row.class).or_default();
        *sum = sum.saturating_add(row.lines);
    }
    if classes.is_empty() {
        return String::new();
    }
    let mut portions = vec![Portion { name: "source".to_owned(), value: source }];
    portions.extend(
        classes
            .into_iter()
            .map(|(class, value)| Portion { name: format!("<bdi>{}</bdi>", html_name(class)), value }),
    );
    format!(
        "<figure>\n<figcaption>Lines at the tips</figcaption>\n{}</figure>\n",
        portions::with_legend(&portions)
    )
}

fn side_by_side(report: &Report) -> String {
    let names = subjects::repositories(report, |_| true);
    let shown = names
        .iter()
        .take(MAX_REPOSITORIES)
        .filter_map(|name| subjects::groups(report, "repository").find(|row| row.subject == *name));
    let rows: Vec<String> =
        subjects::organisation(report).into_iter().chain(shown).map(|group| row(report, group)).collect();
    if rows.is_empty() {
        return String::new();
    }
    let columns = [
        Column::Text("Repository"),
        Column::Number("Added, all"),
        Column::Number("Added, source"),
        Column::Number("Deleted, all"),
        Column::Number("Deleted, source"),
        Column::Number("Lines left out at the tip"),
    ];
    let cut = match names.len() {
        n if n > MAX_REPOSITORIES => {
            format!(
                "<p class=\"note\">The {MAX_REPOSITORIES} with most commits; all of them are in <code>groups.csv</code>.</p>\n"
            )
        }
        _ => String::new(),
    };
    format!(
        "<h3>All and source, side by side</h3>\n{}{cut}",
        table::table("Lines of all files and of source files", &columns, rows.into_iter())
    )
}

fn row(report: &Report, group: &GroupRow) -> String {
    let is_all = group.scope == "organisation";
    let name = if is_all { "Everything".to_owned() } else { html_name(&group.subject).to_string() };
    let of_group = |row: &&ExclusionRow| is_all || row.repository == group.subject;
    let left_out = report
        .tables
        .exclusions
        .iter()
        .filter(of_group)
        .fold(0_u64, |sum, row| sum.saturating_add(row.lines));
    let numbers: String =
        [group.additions, group.source_additions, group.deletions, group.source_deletions, left_out]
            .into_iter()
            .map(|n| table::number(Some(n)))
            .collect();
    format!("<tr><th scope=\"row\"><bdi>{name}</bdi></th>{numbers}</tr>\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn both_totals_stand_side_by_side() {
        let text = render(&sample::large(60, 20, 6));
        assert!(text.contains("Added, all") && text.contains("Added, source"));
        assert_eq!(text.matches("<th scope=\"row\">").count(), 6);
        assert!(text.contains("Lines at the tips"));
        assert!(render(&sample::empty()).contains("Nothing is known of the files"));
    }
}
