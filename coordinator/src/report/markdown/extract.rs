//! Tables of the report, cut to the columns and rows that people read in a text.

use crate::report::escape::{markdown, markdown_name};
use crate::report::number::grouped;
use crate::report::row::{Cell, Column, Table};
use crate::report::shown::{self, Unit};

/// Returns the table under a heading of its own; nothing where it has no row. Columns are named as in its CSV file.
pub(super) fn extract(title: &str, note: &str, table: &Table, columns: &[&str], limit: usize) -> String {
    if table.rows.is_empty() {
        return String::new();
    }
    let places: Vec<usize> = columns.iter().map(|name| place(table, name)).collect();
    let shown: Vec<&Column> = places.iter().map(|place| &table.columns[*place]).collect();
    let titles: Vec<String> = shown.iter().map(|column| shown::title(column)).collect();
    let rules: Vec<&str> =
        shown.iter().map(|column| if shown::is_number(column) { "---:" } else { "---" }).collect();
    let rows: String = table.rows.iter().take(limit).map(|row| line(table, row, &places)).collect();
    let note = if note.is_empty() { String::new() } else { format!("{note}\n\n") };
    format!(
        "### {title}\n\n{note}{}| {} |\n| {} |\n{rows}",
        cut(table, limit),
        titles.join(" | "),
        rules.join(" | ")
    )
}

fn place(table: &Table, name: &str) -> usize {
    let found = table.columns.iter().position(|column| column.name == name);
    found.expect("chapters name columns that their rows have, and a test draws every one")
}

fn line(table: &Table, row: &[Cell], places: &[usize]) -> String {
    let units = shown::units(table, row);
    let cells: Vec<String> = places.iter().map(|place| cell(&row[*place], units[*place])).collect();
    format!("| {} |\n", cells.join(" | "))
}

fn cell(cell: &Cell, unit: Unit) -> String {
    match (shown::text(cell, unit), cell) {
        (None, _) => shown::UNKNOWN.to_owned(),
        (Some(text), Cell::Text(_)) if text.is_empty() => String::new(),
        (Some(text), Cell::Text(_)) => markdown_name(&text).to_string(),
        (Some(text), _) => markdown(&text).to_string(),
    }
}

fn cut(table: &Table, limit: usize) -> String {
    if table.rows.len() <= limit {
        return String::new();
    }
    let all = grouped(table.rows.len() as u64);
    format!("The first {limit} of {all}; all of them are in `{}.csv` and in the JSON report.\n\n", table.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tables::RevertRow;

    #[test]
    fn a_table_is_cut_to_what_is_asked() {
        let row = |i: i64| RevertRow {
            repository: "a|b".to_owned(),
            commit: "c".repeat(40),
            after_seconds: (i > 0).then_some(i * 3_600),
            ..RevertRow::default()
        };
        let table = Table::of("reverts", "", &[row(0), row(2), row(3)]);
        assert_eq!(
            extract("Reverts", "", &table, &["repository", "commit", "after_seconds"], 2),
            "### Reverts\n\nThe first 2 of 3; all of them are in `reverts.csv` and in the JSON report.\n\n\
             | Repository | Commit | After |\n| --- | --- | ---: |\n| a&#124;b | cccccccccc | - |\n\
             | a&#124;b | cccccccccc | 2.0 h |\n"
        );
        assert_eq!(extract("x", "", &Table::of::<RevertRow>("reverts", "", &[]), &["commit"], 2), "");
    }
}
