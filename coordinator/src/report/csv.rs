//! The report as CSV files, the form spreadsheets and databases read. Quoting is as RFC 4180 has it, lines end in "\n",
//! a null is an empty field.
//!
//! Spreadsheets run text that looks like a formula, and an author may be called `=HYPERLINK(...)`. Such text gets a
//! leading apostrophe; numbers are written as they are.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::report::model::{Failure, Report, RepositoryStatus};
use crate::report::row::{self, Table};
use crate::report::verdict;

/// Returns each file's name and content, in a fixed order. The header is there even where no row is.
pub fn render(report: &Report) -> Vec<(String, String)> {
    let activity = [
        ("summary.csv", summary(report)),
        ("weeks.csv", weeks(report)),
        ("repositories.csv", repositories(report)),
        ("developers.csv", developers(report)),
        ("developer_weeks.csv", developer_weeks(report)),
        ("languages.csv", languages(report)),
        ("data_quality.csv", data_quality(report)),
        ("coverage.csv", coverage(report)),
    ];
    let tables = report.tables.all();
    activity
        .into_iter()
        .map(|(name, content)| (name.to_owned(), content))
        .chain(tables.iter().map(|table| (format!("{}.csv", table.name), of_table(table))))
        .collect()
}

fn of_table(table: &Table) -> String {
    let mut sheet = Sheet::new();
    sheet.write(table.columns.iter().map(|column| column.name));
    for row in &table.rows {
        let cells: Vec<Cell<'_>> = row.iter().map(Cell::from).collect();
        sheet.write(cells.iter().map(Cell::field));
    }
    sheet.finish()
}

fn summary(report: &Report) -> String {
    let Report { window, totals, coverage, method, .. } = report;
    let metrics: Vec<(&str, Cell<'_>)> = vec![
        ("schema_version", u64::from(report.schema_version).into()),
        ("window", window.label.as_str().into()),
        ("time_zone", window.time_zone.as_str().into()),
        ("from", window.from.as_deref().into()),
        ("until", window.until.as_deref().into()),
        ("revisions", window.revisions.as_str().into()),
        ("as_of", window.as_of.as_str().into()),
        ("commits", totals.commits.into()),
        ("merges", totals.merges.into()),
        ("developers", totals.developers.into()),
        ("additions", totals.additions.into()),
        ("deletions", totals.deletions.into()),
        ("files_changed", totals.files_changed.into()),
        ("additions_without_renames", totals.without_renames.additions.into()),
        ("deletions_without_renames", totals.without_renames.deletions.into()),
        ("files_changed_without_renames", totals.without_renames.files_changed.into()),
        ("repositories", totals.repositories.into()),
        ("repositories_requested", coverage.repositories_requested.into()),
        ("repositories_analysed", coverage.repositories_analysed.into()),
        ("repositories_empty", coverage.repositories_empty.into()),
        ("repositories_failed", coverage.repositories_failed.into()),
        ("method_version", u64::from(method.method_version).into()),
        ("facts_version", u64::from(method.facts_version).into()),
    ];
    sheet(["metric", "value"], metrics.into_iter().map(|(metric, value)| [metric.into(), value]))
}

fn weeks(report: &Report) -> String {
    let header =
        ["week", "starts_on", "commits", "merges", "developers", "additions", "deletions", "files_changed"];
    let rows = report.weeks.iter().map(|row| {
        [
            row.week.as_str().into(),
            row.starts_on.as_str().into(),
            row.commits.into(),
            row.merges.into(),
            row.developers.into(),
            row.additions.into(),
            row.deletions.into(),
            row.files_changed.into(),
        ]
    });
    sheet(header, rows)
}

fn repositories(report: &Report) -> String {
    let header = [
        "name",
        "source",
        "project_key",
        "status",
        "reason",
        "head",
        "branch",
        "commits",
        "merges",
        "developers",
        "additions",
        "deletions",
        "files_changed",
        "first_commit_on",
        "last_commit_on",
        "conservation_holds",
        "mainline_net_lines",
        "binary_flip_lines",
        "tip_lines",
        "unknown_files",
    ];
    let rows = report.repositories.iter().map(|row| {
        [
            row.name.as_str().into(),
            row.source.as_str().into(),
            row.project_key.as_str().into(),
            verdict::status(row.status).into(),
            row.reason.as_deref().into(),
            row.head.as_deref().into(),
            row.branch.as_deref().into(),
            row.commits.into(),
            row.merges.into(),
            row.developers.into(),
            row.additions.into(),
            row.deletions.into(),
            row.files_changed.into(),
            row.first_commit_on.as_deref().into(),
            row.last_commit_on.as_deref().into(),
            row.conservation.map(|law| if law.holds { "true" } else { "false" }).into(),
            row.conservation.map(|law| law.mainline_net_lines).into(),
            row.conservation.map(|law| law.binary_flip_lines).into(),
            row.conservation.map(|law| law.tip_lines).into(),
            row.conservation.map(|law| law.unknown_files).into(),
        ]
    });
    sheet(header, rows)
}

fn developers(report: &Report) -> String {
    let header = [
        "name",
        "email",
        "commits",
        "additions",
        "deletions",
        "files_changed",
        "active_days",
        "repositories",
        "first_commit_on",
        "last_commit_on",
    ];
    let rows = report.developers.iter().map(|row| {
        [
            row.name.as_str().into(),
            row.email.as_str().into(),
            row.commits.into(),
            row.additions.into(),
            row.deletions.into(),
            row.files_changed.into(),
            row.active_days.into(),
            row.repositories.into(),
            row.first_commit_on.as_deref().into(),
            row.last_commit_on.as_deref().into(),
        ]
    });
    sheet(header, rows)
}

fn developer_weeks(report: &Report) -> String {
    let header = ["week", "name", "email", "commits", "additions", "deletions", "files_changed"];
    let rows = report.developer_weeks.iter().map(|row| {
        [
            row.week.as_str().into(),
            row.name.as_str().into(),
            row.email.as_str().into(),
            row.commits.into(),
            row.additions.into(),
            row.deletions.into(),
            row.files_changed.into(),
        ]
    });
    sheet(header, rows)
}

fn languages(report: &Report) -> String {
    let header = ["language", "commits", "files_changed", "additions", "deletions"];
    let rows = report.languages.iter().map(|row| {
        [
            row.language.as_str().into(),
            row.commits.into(),
            row.files_changed.into(),
            row.additions.into(),
            row.deletions.into(),
        ]
    });
    sheet(header, rows)
}

/// One row for each number; the detail names the reason or the repository where a metric has several rows.
fn data_quality(report: &Report) -> String {
    let quality = &report.data_quality;
    let counts = [
        ("binary_changes", quality.binary_changes),
        ("empty_commits", quality.empty_commits),
        ("bulk_commits", quality.bulk_commits),
        ("bulk_additions", quality.bulk_additions),
        ("bulk_deletions", quality.bulk_deletions),
        ("invalid_times", quality.invalid_times),
        ("future_times", quality.future_times),
        ("authored_after_commit", quality.authored_after_commit),
        ("shared_commits", quality.shared_commits),
        ("conservation_checked", quality.conservation_checked),
        ("conservation_broken", quality.conservation_broken),
    ];
    let counts = counts.into_iter().map(|(metric, value)| [metric.into(), Cell::Null, value.into()]);
    let unknown = quality
        .unknown_changes
        .iter()
        .map(|row| ["unknown_changes".into(), row.reason.as_str().into(), row.changes.into()]);
    let shallow = quality
        .shallow_repositories
        .iter()
        .map(|name| ["shallow_repository".into(), name.as_str().into(), 1_u64.into()]);
    sheet(["metric", "detail", "value"], counts.chain(unknown).chain(shallow))
}

/// One row for each repository that was asked for, the failed ones with their class and message.
fn coverage(report: &Report) -> String {
    let mut failures: BTreeMap<(&str, &str), &Failure> = report
        .coverage
        .failures
        .iter()
        .map(|failure| ((failure.repository.as_str(), failure.source.as_str()), failure))
        .collect();
    let mut rows: Vec<[Cell<'_>; 5]> = Vec::new();
    for row in &report.repositories {
        let failure = failures.remove(&(row.name.as_str(), row.source.as_str()));
        rows.push([
            row.name.as_str().into(),
            row.source.as_str().into(),
            verdict::status(row.status).into(),
            failure.map(|failure| failure.class.as_str()).into(),
            failure.map(|failure| failure.message.as_str()).or(row.reason.as_deref()).into(),
        ]);
    }
    // A failure is never dropped for want of a row to stand in.
    for failure in failures.into_values() {
        rows.push([
            failure.repository.as_str().into(),
            failure.source.as_str().into(),
            verdict::status(RepositoryStatus::Failed).into(),
            failure.class.as_str().into(),
            failure.message.as_str().into(),
        ]);
    }
    sheet(["repository", "source", "status", "class", "message"], rows)
}

enum Cell<'a> {
    Text(&'a str),
    Number(String),
    Null,
}

impl<'a> From<&'a str> for Cell<'a> {
    fn from(text: &'a str) -> Self {
        Cell::Text(text)
    }
}

impl From<u64> for Cell<'_> {
    fn from(n: u64) -> Self {
        Cell::Number(n.to_string())
    }
}

impl From<i64> for Cell<'_> {
    fn from(n: i64) -> Self {
        Cell::Number(n.to_string())
    }
}

impl<'a> From<&'a row::Cell> for Cell<'a> {
    fn from(cell: &'a row::Cell) -> Self {
        match cell {
            row::Cell::Null => Cell::Null,
            row::Cell::Text(text) => Cell::Text(text),
            row::Cell::Count(count) => (*count).into(),
            row::Cell::Signed(number) => (*number).into(),
            row::Cell::Ratio(ratio) => Cell::Number(ratio.to_string()),
            row::Cell::Flag(flag) => Cell::Text(if *flag { "true" } else { "false" }),
        }
    }
}

impl<'a, T: Into<Cell<'a>>> From<Option<T>> for Cell<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Cell::Null, Into::into)
    }
}

impl Cell<'_> {
    fn field(&self) -> Cow<'_, str> {
        match self {
            Cell::Text(text) => disarmed(text),
            Cell::Number(digits) => Cow::Borrowed(digits),
            Cell::Null => Cow::Borrowed(""),
        }
    }
}

/// Returns the text so that no spreadsheet takes it for a formula; the wide forms count, as Excel accepts them.
fn disarmed(text: &str) -> Cow<'_, str> {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

fn sheet<'a, const N: usize>(header: [&str; N], rows: impl IntoIterator<Item = [Cell<'a>; N]>) -> String {
    let mut sheet = Sheet::new();
    sheet.write(header.into_iter());
    for row in rows {
        sheet.write(row.iter().map(Cell::field));
    }
    sheet.finish()
}

/// A file in memory.
struct Sheet(::csv::Writer<Vec<u8>>);

impl Sheet {
    fn new() -> Self {
        let mut builder = ::csv::WriterBuilder::new();
        Self(builder.terminator(::csv::Terminator::Any(b'\n')).from_writer(Vec::new()))
    }

    /// All rows of a sheet have as many fields as the first.
    fn write(&mut self, fields: impl Iterator<Item = impl AsRef<str>>) {
        let fields = fields.map(|field| field.as_ref().as_bytes().to_vec());
        self.0.write_record(fields).expect("memory takes every write, and rows have one width");
    }

    fn finish(self) -> String {
        let bytes = self.0.into_inner().expect("memory takes every write");
        String::from_utf8(bytes).expect("every field was UTF-8")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    fn file(report: &Report, name: &str) -> String {
        render(report).into_iter().find(|(file, _)| *file == name).unwrap().1
    }

    #[test]
    fn formulas_are_disarmed_and_numbers_left_alone() {
        fn check<'a>(cell: impl Into<Cell<'a>>, expect: &str) {
            assert_eq!(cell.into().field(), expect);
        }
        check("plain", "plain");
        check("a=b", "a=b");
        for armed in ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", "＝1"] {
            check(armed, &format!("'{armed}"));
        }
        check(-5_i64, "-5");
        check(None::<i64>, "");
        check(Some("x"), "x");
    }

    #[test]
    fn quoting_follows_rfc_4180() {
        let row: [Cell<'_>; 4] = ["a,b".into(), "say \"hi\"".into(), "two\r\nlines".into(), Cell::Null];
        assert_eq!(
            sheet(["w", "x", "y", "z"], [row]),
            "w,x,y,z\n\"a,b\",\"say \"\"hi\"\"\",\"two\r\nlines\",\n"
        );
    }

    #[test]
    fn an_empty_report_has_every_header() {
        let files = render(&sample::empty());
        assert_eq!(files.len(), 8 + sample::empty().tables.all().len());
        for (name, content) in files {
            assert!(content.ends_with('\n'), "{name}");
            let only_header = !matches!(name.as_str(), "summary.csv" | "data_quality.csv");
            assert_eq!(content.lines().count() == 1, only_header, "{name}");
        }
    }

    #[test]
    fn every_file_reads_back_with_one_width() {
        for (name, content) in render(&sample::rich()) {
            let mut reader = ::csv::Reader::from_reader(content.as_bytes());
            let rows: Vec<::csv::StringRecord> = reader.records().collect::<Result<_, _>>().expect(&name);
            for field in rows.iter().flatten() {
                let armed = field.starts_with(['=', '+', '@', '\t', '\r']);
                assert!(!armed, "{name}: {field}");
            }
        }
    }

    #[test]
    fn failures_carry_class_and_message() {
        let content = file(&sample::rich(), "coverage.csv");
        assert!(content.starts_with("repository,source,status,class,message\n"));
        assert!(content.contains(",failed,corrupt,"));
        assert!(content.contains("orphan,/srv/git/orphan.git,failed,not_found,"));
        assert!(content.contains(",analysed,,\n"));
    }

    #[test]
    fn unknown_is_empty_and_not_zero() {
        let content = file(&sample::rich(), "repositories.csv");
        let mut reader = ::csv::Reader::from_reader(content.as_bytes());
        let rows: Vec<BTreeMap<String, String>> = reader.deserialize().map(|row| row.unwrap()).collect();
        let failed = rows.iter().find(|row| row["status"] == "failed").unwrap();
        let empty = rows.iter().find(|row| row["status"] == "empty").unwrap();
        for column in ["commits", "merges", "developers", "additions", "deletions", "files_changed"] {
            assert_eq!((failed[column].as_str(), empty[column].as_str()), ("", "0"), "{column}");
        }
        assert_eq!(failed["conservation_holds"], "");
    }
}
