//! The tables of plain activity as every other table, for the forms that treat all tables alike.

use super::model::{DeveloperRow, DeveloperWeekRow, LanguageRow, Report, WeekRow};
use super::row::{Cell, Column, Field, Row, Table};

/// Says the columns of a row that is declared elsewhere.
macro_rules! columns {
    ($row:ident { $($(#[doc = $doc:literal])* $field:ident: $type:ty,)* }) => {
        impl Row for $row {
            const COLUMNS: &'static [Column] = &[$(
                Column {
                    name: stringify!($field),
                    about: concat!($($doc,)*),
                    kind: <$type as Field>::KIND,
                    may_be_null: <$type as Field>::MAY_BE_NULL,
                },
            )*];
            fn cells(&self) -> Vec<Cell> {
                vec![$(<$type as Field>::cell(&self.$field),)*]
            }
        }
    };
}

columns! {
    WeekRow {
        /// ISO 8601 week
        week: String,
        /// Its Monday
        starts_on: String,
        /// Non-merge commits
        commits: u64,
        /// Commits with two or more parents
        merges: u64,
        /// Distinct authors
        developers: u64,
        /// Lines added by non-merge commits
        additions: u64,
        /// Lines deleted
        deletions: u64,
        /// Changed files summed over commits
        files_changed: u64,
    }
}

columns! {
    DeveloperRow {
        /// Name after mailmap
        name: String,
        /// E-mail after mailmap
        email: String,
        /// Non-merge commits
        commits: u64,
        /// Lines added
        additions: u64,
        /// Lines deleted
        deletions: u64,
        /// Changed files summed over commits
        files_changed: u64,
        /// Distinct days with a commit
        active_days: u64,
        /// Repositories with a commit
        repositories: u64,
        /// Day of the first commit in the window
        first_commit_on: Option<String>,
        /// Day of the last one
        last_commit_on: Option<String>,
    }
}

columns! {
    DeveloperWeekRow {
        /// ISO 8601 week
        week: String,
        /// Name after mailmap
        name: String,
        /// E-mail after mailmap
        email: String,
        /// Non-merge commits
        commits: u64,
        /// Lines added
        additions: u64,
        /// Lines deleted
        deletions: u64,
        /// Changed files summed over commits
        files_changed: u64,
    }
}

columns! {
    LanguageRow {
        /// Language by file extension; "Other" where that is not known
        language: String,
        /// Non-merge commits that touch it
        commits: u64,
        /// Changed files summed over commits
        files_changed: u64,
        /// Lines added
        additions: u64,
        /// Lines deleted
        deletions: u64,
    }
}

/// Returns the tables of plain activity.
pub(super) fn tables(report: &Report) -> Vec<Table> {
    of(&report.weeks, &report.developers, &report.developer_weeks, &report.languages)
}

/// Returns the same tables for whoever asks for their names and columns alone.
pub(super) fn without_rows() -> Vec<Table> {
    of(&[], &[], &[], &[])
}

fn of(
    weeks: &[WeekRow],
    developers: &[DeveloperRow],
    developer_weeks: &[DeveloperWeekRow],
    languages: &[LanguageRow],
) -> Vec<Table> {
    vec![
        Table::of("weeks", "Everything by week", weeks),
        Table::of("developers", "Names and addresses, most commits first", developers),
        Table::of("developer_weeks", "Names and addresses by week", developer_weeks),
        Table::of("languages", "Languages that were touched, most lines first", languages),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{csv, sample};

    #[test]
    fn columns_are_those_of_the_csv_files() {
        let files = csv::render(&sample::rich());
        for table in tables(&sample::rich()) {
            let name = format!("{}.csv", table.name);
            let (_, content) = files.iter().find(|(file, _)| *file == name).unwrap();
            let header: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
            assert_eq!(content.lines().next(), Some(header.join(",").as_str()), "{name}");
        }
    }
}
