//! The report as Markdown, the form for a merge request, a wiki or a mail. It is an extract: long lists are cut and
//! say so. A dash stands for what is not known, which is not zero.

mod chapters;
mod extract;
mod findings;
mod misuse;
mod summary;

use crate::report::caution::CAUTION;
use crate::report::escape::{markdown, markdown_name};
use crate::report::finding::{self, Finding, Weight};
use crate::report::model::{DeveloperRow, LanguageRow, Report, RepositoryRow, RepositoryStatus, WeekRow};
use crate::report::number::{counted, grouped, percent};
use crate::report::timeline;
use crate::report::verdict::{self, LineCheck};

const MAX_WEEKS: usize = 26;
const MAX_DEVELOPERS: usize = 25;
/// Enough for what one batch is made for; a table beyond it is read by nobody.
const MAX_ROWS: usize = 200;
const MAX_NAMES: usize = 50;

/// Returns the report as GitHub-flavoured Markdown with a trailing newline.
pub fn render(report: &Report) -> String {
    let sections = [
        head(report),
        summary::render(report),
        findings::render(report),
        totals(report),
        weeks(report),
        chapters::people(report),
        chapters::work(report),
        chapters::flow(report),
        chapters::risk(report),
        chapters::community(report),
        chapters::exclusions(report),
        repositories(report),
        developers(report),
        languages(report),
        data_quality(report),
        coverage(report),
        method(report),
        misuse::render(),
    ];
    sections.join("\n")
}

fn head(report: &Report) -> String {
    let window = &report.window;
    let label = markdown(&window.label);
    let revisions = markdown(&window.revisions);
    let zone = markdown(&window.time_zone);
    let as_of = markdown(&window.as_of);
    let failed = report.coverage.repositories_failed;
    let alarm = match failed {
        0 => String::new(),
        _ => format!(
            "\n> **{} could not be analysed.** {} history is absent from every number below, not zero. \
             See [Coverage](#coverage).\n",
            counted(failed, "repository", "repositories"),
            if failed == 1 { "Its" } else { "Their" },
        ),
    };
    let span = match (&window.from, &window.until) {
        (None, None) => String::new(),
        (from, until) => {
            let open = "open";
            let from = markdown(from.as_deref().unwrap_or(open)).to_string();
            let until = markdown(until.as_deref().unwrap_or(open)).to_string();
            format!(", from {from} until before {until}")
        }
    };
    format!(
        "# Git activity: {label}\n\nRevisions: {revisions}. Days and weeks begin in {zone}{span}. As of {as_of}.\n{alarm}\n\
         > {CAUTION}\n"
    )
}

fn totals(report: &Report) -> String {
    let totals = &report.totals;
    let numbers = [
        ("Commits", totals.commits),
        ("Merges", totals.merges),
        ("Developers", totals.developers),
        ("Lines added", totals.additions),
        ("Lines deleted", totals.deletions),
        ("Files changed", totals.files_changed),
        ("Repositories", totals.repositories),
    ];
    section(
        "Totals",
        &["Number", "Value:"],
        numbers.iter().map(|(name, n)| [name.to_string(), grouped(*n)]),
        "",
    )
}

fn weeks(report: &Report) -> String {
    let plausible = timeline::plausible(&report.weeks);
    let shown = tail(&plausible.weeks, MAX_WEEKS);
    let mut note = String::new();
    if shown.len() < plausible.weeks.len() {
        note = format!(
            "The last {} of {}; all of them are in `weeks.csv` and in the JSON report.\n",
            shown.len(),
            counted(plausible.weeks.len() as u64, "week", "weeks")
        );
    }
    if plausible.left_out > 0 {
        let left_out = counted(plausible.left_out, "week", "weeks");
        note.push_str(&format!("Not shown for an implausible date: {left_out}.\n"));
    }
    let header = [
        "Week",
        "Starts on",
        "Commits:",
        "Merges:",
        "Developers:",
        "Lines added:",
        "Lines deleted:",
        "Files changed:",
    ];
    section("Weekly trend", &header, shown.iter().map(|row| week(row)), &note)
}

fn week(row: &WeekRow) -> [String; 8] {
    [
        markdown(&row.week).to_string(),
        markdown(&row.starts_on).to_string(),
        grouped(row.commits),
        grouped(row.merges),
        grouped(row.developers),
        grouped(row.additions),
        grouped(row.deletions),
        grouped(row.files_changed),
    ]
}

fn repositories(report: &Report) -> String {
    let header = [
        "Repository",
        "Status",
        "Commits:",
        "Merges:",
        "Developers:",
        "Lines added:",
        "Lines deleted:",
        "Files changed:",
        "First",
        "Last",
        "Line check",
    ];
    let all = &report.repositories;
    let note = cut(all.len(), MAX_ROWS, "repositories", "repositories.csv");
    section("Repositories", &header, all.iter().take(MAX_ROWS).map(repository), &note)
}

fn repository(row: &RepositoryRow) -> [String; 11] {
    let check = verdict::line_check(row.conservation);
    [
        markdown_name(&row.name).to_string(),
        loud(verdict::status(row.status), row.status == RepositoryStatus::Failed),
        known(row.commits),
        known(row.merges),
        known(row.developers),
        known(row.additions),
        known(row.deletions),
        known(row.files_changed),
        day(row.first_commit_on.as_deref()),
        day(row.last_commit_on.as_deref()),
        loud(check.word(), check == LineCheck::Broken),
    ]
}

fn developers(report: &Report) -> String {
    let header = [
        "Developer",
        "E-mail",
        "Commits:",
        "Active days:",
        "Repositories:",
        "Lines added:",
        "Lines deleted:",
        "Files changed:",
        "First",
        "Last",
    ];
    let all = &report.developers;
    let note = cut(all.len(), MAX_DEVELOPERS, "developers", "developers.csv");
    section("Developers", &header, all.iter().take(MAX_DEVELOPERS).map(developer), &note)
}

fn developer(row: &DeveloperRow) -> [String; 10] {
    [
        markdown_name(&row.name).to_string(),
        markdown_name(&row.email).to_string(),
        grouped(row.commits),
        grouped(row.active_days),
        grouped(row.repositories),
        grouped(row.additions),
        grouped(row.deletions),
        grouped(row.files_changed),
        day(row.first_commit_on.as_deref()),
        day(row.last_commit_on.as_deref()),
    ]
}

fn languages(report: &Report) -> String {
    let header =
        ["Language", "Share of lines:", "Commits:", "Files changed:", "Lines added:", "Lines deleted:"];
    let all = &report.languages;
    let all_touched = all.iter().fold(0_u64, |sum, row| sum.saturating_add(touched(row)));
    let note = cut(all.len(), MAX_ROWS, "languages", "languages.csv");
    section("Languages", &header, all.iter().take(MAX_ROWS).map(|row| language(row, all_touched)), &note)
}

fn language(row: &LanguageRow, all_touched: u64) -> [String; 6] {
    [
        markdown_name(&row.language).to_string(),
        percent(touched(row), all_touched),
        grouped(row.commits),
        grouped(row.files_changed),
        grouped(row.additions),
        grouped(row.deletions),
    ]
}

fn touched(row: &LanguageRow) -> u64 {
    row.additions.saturating_add(row.deletions)
}

fn data_quality(report: &Report) -> String {
    let mut note = String::new();
    let shallow = &report.data_quality.shallow_repositories;
    if !shallow.is_empty() {
        let names: Vec<String> =
            shallow.iter().take(MAX_NAMES).map(|name| markdown_name(name).to_string()).collect();
        let more = match shallow.len() - names.len() {
            0 => String::new(),
            more => format!(" and {} more", grouped(more as u64)),
        };
        note = format!("Shallow repositories: {}{more}.\n", names.join(", "));
    }
    let sums = &report.totals.without_renames;
    note.push_str(&format!(
        "With each rename counted as a deletion and an addition: {} lines added, {} lines deleted, {} files changed.\n",
        grouped(sums.additions),
        grouped(sums.deletions),
        grouped(sums.files_changed)
    ));
    let findings = finding::findings(report);
    section("Data quality", &["Finding", "Count:", "Meaning"], findings.iter().map(quality), &note)
}

fn quality(finding: &Finding) -> [String; 3] {
    let doubtful = finding.weight == Weight::Doubt && finding.count > 0;
    [
        markdown_name(&finding.label).to_string(),
        loud(&grouped(finding.count), doubtful),
        finding.meaning.to_owned(),
    ]
}

fn coverage(report: &Report) -> String {
    let coverage = &report.coverage;
    let note = format!(
        "Of {} asked for: {} analysed, {} empty, {}.\n",
        counted(coverage.repositories_requested, "repository", "repositories"),
        grouped(coverage.repositories_analysed),
        grouped(coverage.repositories_empty),
        loud(&format!("{} failed", grouped(coverage.repositories_failed)), coverage.repositories_failed > 0),
    );
    let all = &coverage.failures;
    if all.is_empty() {
        return format!("## Coverage\n\n{note}");
    }
    let note = format!("{note}{}", cut(all.len(), MAX_ROWS, "failures", "coverage.csv"));
    let rows = all.iter().take(MAX_ROWS).map(|failure| {
        [
            markdown_name(&failure.repository).to_string(),
            markdown(&failure.source).to_string(),
            markdown_name(&failure.class).to_string(),
            markdown(&failure.message).to_string(),
        ]
    });
    section("Coverage", &["Repository", "Source", "Class", "Message"], rows, &note)
}

fn method(report: &Report) -> String {
    let method = &report.method;
    let mut out = format!(
        "## Method\n\nMethod version {}, facts version {}. The run manifest beside this report says how each \
         repository was read.\n",
        method.method_version, method.facts_version
    );
    if !method.conventions.is_empty() {
        out.push('\n');
    }
    for convention in &method.conventions {
        out.push_str(&format!("- **{}**: {}\n", markdown(&convention.topic), markdown(&convention.rule)));
    }
    out
}

/// Writes a heading, a note and a table. A title that ends in a colon is that of a column of numbers.
fn section<const N: usize>(
    title: &str,
    header: &[&str; N],
    rows: impl Iterator<Item = [String; N]>,
    note: &str,
) -> String {
    let mut out = format!("## {title}\n\n");
    if !note.is_empty() {
        out.push_str(note);
        out.push('\n');
    }
    let mut rows = rows.peekable();
    if rows.peek().is_none() {
        out.push_str("None.\n");
        return out;
    }
    let titles = header.map(|title| title.trim_end_matches(':'));
    let rules = header.map(|title| if title.ends_with(':') { "---:" } else { "---" });
    out.push_str(&format!("| {} |\n| {} |\n", titles.join(" | "), rules.join(" | ")));
    for row in rows {
        out.push_str(&format!("| {} |\n", row.join(" | ")));
    }
    out
}

fn cut(n_all: usize, limit: usize, noun: &str, file: &str) -> String {
    if n_all <= limit {
        return String::new();
    }
    let all = grouped(n_all as u64);
    format!("The first {limit} of {all} {noun}; all of them are in `{file}` and in the JSON report.\n")
}

fn tail<T>(items: &[T], limit: usize) -> &[T] {
    &items[items.len().saturating_sub(limit)..]
}

fn loud(text: &str, is_loud: bool) -> String {
    if is_loud { format!("**{text}**") } else { text.to_owned() }
}

fn known(n: Option<u64>) -> String {
    n.map_or_else(|| "unknown".to_owned(), grouped)
}

fn day(day: Option<&str>) -> String {
    day.map_or_else(|| "-".to_owned(), |day| markdown(day).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{escape, sample};

    fn table(text: &str, title: &str) -> Vec<String> {
        let start = text.find(&format!("## {title}\n")).expect(title);
        let body = &text[start + 3..];
        let body = &body[..body.find("\n## ").unwrap_or(body.len())];
        body.lines().filter(|line| line.starts_with('|')).map(str::to_owned).collect()
    }

    #[test]
    fn hostile_text_cannot_leave_its_cell() {
        let text = render(&sample::rich());
        assert!(!text.contains("<script") && !text.contains("<img"));
        assert_eq!(text.chars().find(|c| *c != '\n' && escape::is_hidden(*c)), None);
        for (title, n_columns) in [
            ("Weekly trend", 8),
            ("Repositories", 11),
            ("Developers", 10),
            ("Data quality", 3),
            ("Coverage", 4),
        ] {
            for line in table(&text, title) {
                assert_eq!(line.matches('|').count(), n_columns + 1, "{line}");
            }
        }
        assert!(text.contains(r"&lt;script&gt;alert('x')&lt;/script&gt;&#124;&#96;rm -rf&#96;"));
    }

    #[test]
    fn long_lists_are_cut_and_say_where_the_rest_is() {
        let text = render(&sample::large(60, 40, 6));
        assert_eq!(table(&text, "Weekly trend").len(), 2 + 26);
        assert_eq!(table(&text, "Developers").len(), 2 + 25);
        assert!(
            text.contains(
                "The last 26 of 60 weeks; all of them are in `weeks.csv` and in the JSON report.\n"
            )
        );
        assert!(text.contains("all of them are in `developers.csv`"));
    }

    #[test]
    fn implausible_weeks_are_told_and_not_shown() {
        let text = render(&sample::rich());
        assert_eq!(table(&text, "Weekly trend").len(), 2 + 3);
        assert!(text.contains("Not shown for an implausible date: 2 weeks.\n"));
    }

    #[test]
    fn failures_stand_at_the_top() {
        let text = render(&sample::rich());
        assert!(text.find("2 repositories could not be analysed").unwrap() < text.find("## Totals").unwrap());
        assert!(text.contains("| **failed** | unknown |"));
        assert!(!render(&sample::empty()).contains("could not be analysed"));
    }

    #[test]
    fn an_empty_report_is_still_a_report() {
        let text = render(&sample::empty());
        for title in ["Weekly trend", "Repositories", "Developers", "Languages"] {
            assert!(text.contains(&format!("## {title}\n\nNone.\n")), "{title}");
        }
        assert!(text.contains("Of 0 repositories asked for: 0 analysed, 0 empty, 0 failed.\n"));
        assert!(text.contains("Do not use them to evaluate, rank or pay people."));
        assert!(text.ends_with('\n'));
    }
}
