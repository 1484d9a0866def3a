//! Which languages were touched, as one stacked bar and its table.

use crate::report::escape::html_name;
use crate::report::html::portions::{self, COLOURS, Portion};
use crate::report::html::section::{nothing, section};
use crate::report::html::table::{self, Column, MAX_ROWS};
use crate::report::model::{LanguageRow, Report};
use crate::report::number::percent;

pub(super) fn render(report: &Report) -> String {
    let all = &report.languages;
    if all.is_empty() {
        return section("languages", "Languages", "", &nothing("No line was touched in this window."));
    }
    let all_touched = all.iter().fold(0_u64, |sum, row| sum.saturating_add(touched(row)));
    let columns = [
        Column::Text("Language"),
        Column::Number("Share"),
        Column::Number("Commits"),
        Column::Number("Files changed"),
        Column::Number("Lines added"),
        Column::Number("Lines deleted"),
    ];
    let rows = all.iter().enumerate().take(MAX_ROWS).map(|(i, language)| row(i, language, all_touched));
    let body = format!(
        "{bar}{table}{cut}",
        bar = portions::bar(&portions(all)),
        table = table::table("Languages, most touched lines first", &columns, rows),
        cut = table::cut(all.len(), "languages", "languages.csv"),
    );
    section("languages", "Languages", "Share of lines added and deleted, by file extension.", &body)
}

fn portions(all: &[LanguageRow]) -> Vec<Portion> {
    all.iter()
        .map(|row| Portion { name: html_name(&row.language).to_string(), value: touched(row) })
        .collect()
}

fn row(i: usize, row: &LanguageRow, all_touched: u64) -> String {
    let language = html_name(&row.language);
    let colour = i.min(COLOURS);
    let percent = percent(touched(row), all_touched);
    let numbers: String = [row.commits, row.files_changed, row.additions, row.deletions]
        .into_iter()
        .map(|n| table::number(Some(n)))
        .collect();
    format!(
        "<tr><th scope=\"row\"><i class=\"swatch c{colour}\"></i><bdi>{language}</bdi></th>\
         <td class=\"n\">{percent}</td>{numbers}</tr>\n"
    )
}

fn touched(row: &LanguageRow) -> u64 {
    row.additions.saturating_add(row.deletions)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn the_rest_shares_a_colour() {
        let text = render(&sample::large(2, 2, 2));
        assert_eq!(text.matches("<i class=\"c").count(), COLOURS + 1);
        assert_eq!(text.matches("swatch c8").count(), 2);
        assert!(text.contains("title=\"All others: "));
    }

    #[test]
    fn nothing_touched_is_said() {
        assert!(render(&sample::empty()).contains("No line was touched in this window."));
    }
}
