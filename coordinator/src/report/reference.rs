//! The reference of all tables and columns, made from their own words.

use super::activity;
use super::row::{Column, Kind, Table};
use super::tables::Tables;

/// Returns the reference as Markdown.
pub fn columns() -> String {
    let mut out = "# Tables and columns of a report\n\n\
        Made by `gitfleet report columns`; a test holds this file in step with it.\n\n\
        Each table is an array of that name in `report.json` (those of plain activity at the top, all others under\n\
        `tables`), a file with `.csv`, and with `--format parquet` a file with `.parquet`. `repositories.csv`, `summary.csv`,\n\
        `data_quality.csv` and `coverage.csv` are flattened from the objects of `report.json`, which\n\
        `gitfleet report schema` describes.\n\n\
        *Text* is UTF-8. *Count* is a whole number from 0, *number* a whole number that may be negative, *ratio* a number\n\
        with four decimals, *flag* true or false. *Or nothing*: the cell may be null in JSON and Parquet and is empty in\n\
        CSV. It means \"not known\" or \"nothing there\", and never zero. Columns that end in `_seconds` are spans in seconds;\n\
        those that end in `_hundredths` are hundredths.\n"
        .to_owned();
    for table in activity::without_rows().into_iter().chain(Tables::default().all()) {
        out.push_str(&section(&table));
    }
    out
}

fn section(table: &Table) -> String {
    let rows: String = table.columns.iter().map(row).collect();
    format!(
        "\n## {}\n\n{}.\n\n| column | holds | what |\n|---|---|---|\n{rows}",
        table.name,
        table.about.trim()
    )
}

fn row(column: &Column) -> String {
    let kind = match column.kind {
        Kind::Text => "text",
        Kind::Count => "count",
        Kind::Signed => "number",
        Kind::Ratio => "ratio",
        Kind::Flag => "flag",
    };
    let nothing = if column.may_be_null { " or nothing" } else { "" };
    format!("| `{}` | {kind}{nothing} | {} |\n", column.name, column.about.trim().replace('|', "\\|"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_has_its_section() {
        let text = columns();
        for table in Tables::default().all() {
            assert!(text.contains(&format!("\n## {}\n", table.name)), "{}", table.name);
        }
        assert!(text.contains("| `lead_median_seconds` | number or nothing |"));
        assert!(text.contains("\n## developer_weeks\n"));
    }
}
