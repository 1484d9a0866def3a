//! Any table of the report as a folded, sortable table: for those who want the numbers behind a picture.

use crate::report::escape::{html, html_name};
use crate::report::number::grouped;
use crate::report::row::{Cell, Column, Table};
use crate::report::shown::{self, Unit};

/// Enough to browse; whoever wants all rows wants a file.
const MAX_ROWS: usize = 200;
/// Longer text may break into lines.
const LONG_TEXT: usize = 40;
/// A wide table is cut earlier, so that a page of a hundred repositories can still be mailed.
const MAX_CELLS: usize = 2_000;

/// Returns the table, folded up; nothing where it has no row.
pub(super) fn render(table: &Table) -> String {
    if table.rows.is_empty() {
        return String::new();
    }
    let about = html(table.about.trim()).to_string();
    let n = grouped(table.rows.len() as u64);
    format!(
        "<details>\n<summary>{about} <span class=\"zero\">({n})</span></summary>\n{}</details>\n",
        open(table)
    )
}

/// Returns the table as it is, with what was cut.
pub(super) fn open(table: &Table) -> String {
    let shown = MAX_ROWS.min(MAX_CELLS / table.columns.len().max(1));
    let header: String = table.columns.iter().map(header).collect();
    let rows: String = table.rows.iter().take(shown).map(|row| line(table, row)).collect();
    let about = html(table.about.trim());
    format!(
        "<div class=\"scroll\" role=\"region\" aria-label=\"{about}\" tabindex=\"0\">\n<table class=\"sortable grid\">\n\
         <caption>{about}</caption>\n<thead><tr>{header}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n</div>\n{}",
        cut(table, shown)
    )
}

fn header(column: &Column) -> String {
    let class = if shown::is_number(column) { " class=\"n\"" } else { "" };
    let title = shown::title(column);
    format!("<th scope=\"col\"{class} title=\"{}\">{title}</th>", html(column.about.trim()))
}

fn line(table: &Table, row: &[Cell]) -> String {
    let units = shown::units(table, row);
    let cells: String = table
        .columns
        .iter()
        .zip(row)
        .zip(units)
        .map(|((column, one), unit)| cell(one, unit, shown::is_number(column)))
        .collect();
    format!("<tr>{cells}</tr>\n")
}

fn cell(cell: &Cell, unit: Unit, is_number: bool) -> String {
    let class = if is_number { " class=\"n\"" } else { "" };
    let Some(text) = shown::text(cell, unit) else {
        return format!("<td{class}>{}</td>", shown::UNKNOWN);
    };
    match (cell, unit) {
        (Cell::Signed(seconds), Unit::Span) => format!("<td{class} data-v=\"{seconds}\">{text}</td>"),
        (Cell::Ratio(ratio), Unit::Span) => format!("<td{class} data-v=\"{ratio}\">{text}</td>"),
        (Cell::Text(_), _) if text.is_empty() => format!("<td{class}></td>"),
        (Cell::Text(_), _) => {
            let class = if text.chars().count() > LONG_TEXT { " class=\"text\"" } else { "" };
            format!("<td{class}><bdi>{}</bdi></td>", html_name(&text))
        }
        _ => format!("<td{class}>{text}</td>"),
    }
}

fn cut(table: &Table, shown: usize) -> String {
    if table.rows.len() <= shown {
        return String::new();
    }
    format!(
        "<p class=\"note\">The first {shown} of {}; all of them are in <code>{}.csv</code> and in the JSON report.</p>\n",
        grouped(table.rows.len() as u64),
        table.name
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn every_table_is_drawn_and_cut() {
        for table in sample::rich().tables.all() {
            let text = render(&table);
            assert_eq!(text.matches("<tr>").count(), 1 + table.rows.len(), "{}", table.name);
            assert!(!text.contains("<script") && !text.contains("<img"), "{}", table.name);
        }
        let tickets = sample::large(30, 20, 8).tables.all();
        let tickets = tickets.iter().find(|table| table.name == "tickets").unwrap();
        let mut long = tickets.clone();
        long.rows = (0..300).map(|_| tickets.rows[0].clone()).collect();
        assert!(render(&long).contains("The first 200 of 300; all of them are in <code>tickets.csv</code>"));
        long.rows.clear();
        assert_eq!(render(&long), "");
    }

    #[test]
    fn spans_sort_by_their_seconds() {
        let text = cell(&Cell::Signed(7_200), Unit::Span, true);
        assert_eq!(text, "<td class=\"n\" data-v=\"7200\">2.0 h</td>");
        assert_eq!(cell(&Cell::Null, Unit::Percent, true), "<td class=\"n\">-</td>");
    }
}
