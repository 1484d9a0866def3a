//! What git says about a history, in the words of the report.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use chrono::{DateTime, Datelike as _, NaiveDate};
use chrono_tz::Tz;
use serde_json::{Value, json};

use crate::repository::git;

/// Name and e-mail, after the mailmap.
type Person = (String, String);

/// A commit without merges, as git tells it.
struct Commit {
    seconds: i64,
    author: Person,
    sums: Sums,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) additions: u64,
    pub(crate) deletions: u64,
    pub(crate) files_changed: u64,
}

/// What is summed for a week or a person.
#[derive(Default)]
struct Work {
    commits: u64,
    merges: u64,
    sums: Sums,
    authors: BTreeSet<Person>,
    days: BTreeSet<NaiveDate>,
}

impl Sums {
    fn add(&mut self, other: Self) {
        self.additions += other.additions;
        self.deletions += other.deletions;
        self.files_changed += other.files_changed;
    }
}

impl Work {
    fn add(&mut self, commit: &Commit, day: NaiveDate) {
        self.commits += 1;
        self.sums.add(commit.sums);
        self.authors.insert(commit.author.clone());
        self.days.insert(day);
    }
}

/// Sums what `git log --no-merges --numstat` prints for `revisions`; `form` is `-M` or `--no-renames`.
pub(crate) fn sums(path: &Path, revisions: &[&str], form: &str) -> Sums {
    let mut sums = Sums::default();
    for commit in commits(path, revisions, form) {
        sums.add(commit.sums);
    }
    sums
}

pub(crate) fn count(path: &Path, kind: &str, revisions: &[&str]) -> u64 {
    git(path, &[&["rev-list", "--count", kind], revisions].concat()).trim().parse().unwrap()
}

/// Asserts that totals, weeks, developers and developer weeks are what git says of `revisions` of the one repository
/// at `path`.
#[track_caller]
pub(crate) fn assert_report(report: &Value, path: &Path, revisions: &[&str], zone: Tz) {
    let commits = commits(path, revisions, "-M");
    let totals = &report["totals"];
    assert_eq!(totals["commits"], count(path, "--no-merges", revisions), "commits");
    assert_eq!(totals["merges"], count(path, "--merges", revisions), "merges");
    let shortlog = git(path, &[&["shortlog", "-sne", "--no-merges"], revisions].concat());
    assert_eq!(totals["developers"], shortlog.lines().count(), "developers");
    let told = developers_as_in_shortlog(report);
    let mut expect: Vec<&str> = shortlog.lines().map(str::trim).collect();
    expect.sort_unstable();
    assert_eq!(told, expect, "commits of each developer");
    assert_sums(totals, sums(path, revisions, "-M"));
    assert_sums(&totals["without_renames"], sums(path, revisions, "--no-renames"));

    let day = |seconds: i64| DateTime::from_timestamp(seconds, 0).unwrap().with_timezone(&zone).date_naive();
    let mut weeks: BTreeMap<NaiveDate, Work> = BTreeMap::new();
    let mut people: BTreeMap<Person, Work> = BTreeMap::new();
    let mut pairs: BTreeMap<(NaiveDate, Person), Work> = BTreeMap::new();
    for commit in &commits {
        let day = day(commit.seconds);
        weeks.entry(monday(day)).or_default().add(commit, day);
        people.entry(commit.author.clone()).or_default().add(commit, day);
        pairs.entry((monday(day), commit.author.clone())).or_default().add(commit, day);
    }
    for seconds in
        git(path, &[&["log", "--merges", "--format=%ad", "--date=unix"], revisions].concat()).lines()
    {
        weeks.entry(monday(day(seconds.parse().unwrap()))).or_default().merges += 1;
    }
    let weeks: Vec<Value> = weeks
        .iter()
        .map(|(monday, work)| {
            let mut row = row(work);
            row["week"] = week(*monday).into();
            row["starts_on"] = monday.to_string().into();
            row["merges"] = work.merges.into();
            row["developers"] = work.authors.len().into();
            row
        })
        .collect();
    assert_eq!(report["weeks"], Value::from(weeks), "weeks");

    let mut developers: Vec<(&Person, &Work)> = people.iter().collect();
    developers.sort_by(|a, b| b.1.commits.cmp(&a.1.commits).then(a.0.cmp(b.0)));
    let developers: Vec<Value> = developers
        .into_iter()
        .map(|(person, work)| {
            let mut row = named(work, person);
            row["active_days"] = work.days.len().into();
            row["repositories"] = 1.into();
            row["first_commit_on"] = work.days.first().unwrap().to_string().into();
            row["last_commit_on"] = work.days.last().unwrap().to_string().into();
            row
        })
        .collect();
    assert_eq!(report["developers"], Value::from(developers), "developers");

    let mut pairs: Vec<(&(NaiveDate, Person), &Work)> = pairs.iter().collect();
    pairs.sort_by(|(a, a_work), (b, b_work)| {
        a.0.cmp(&b.0).then(b_work.commits.cmp(&a_work.commits)).then(a.1.cmp(&b.1))
    });
    let pairs: Vec<Value> = pairs
        .into_iter()
        .map(|((monday, person), work)| {
            let mut row = named(work, person);
            row["week"] = week(*monday).into();
            row
        })
        .collect();
    assert_eq!(report["developer_weeks"], Value::from(pairs), "developer weeks");
}

/// Asserts the three sums of a row.
#[track_caller]
pub(crate) fn assert_sums(row: &Value, expect: Sums) {
    let told = |name: &str| row[name].as_u64().unwrap();
    let told = Sums {
        additions: told("additions"),
        deletions: told("deletions"),
        files_changed: told("files_changed"),
    };
    assert_eq!(told, expect);
}

fn developers_as_in_shortlog(report: &Value) -> Vec<String> {
    let developers = report["developers"].as_array().unwrap().iter();
    let mut lines: Vec<String> = developers
        .map(|row| {
            let text = |name: &str| row[name].as_str().unwrap();
            format!("{}\t{} <{}>", row["commits"], text("name"), text("email"))
        })
        .collect();
    lines.sort_unstable();
    lines
}

/// Reads the log of non-merge commits. A changed file without counted lines is one with `-`.
fn commits(path: &Path, revisions: &[&str], form: &str) -> Vec<Commit> {
    let arguments =
        ["log", "--no-merges", form, "--numstat", "--date=unix", "--format=commit%x09%ad%x09%aN%x09%aE"];
    let mut commits: Vec<Commit> = Vec::new();
    for line in git(path, &[&arguments, revisions].concat()).lines().filter(|line| !line.is_empty()) {
        let mut columns = line.split('\t');
        let mut column = || columns.next().unwrap();
        let first = column();
        if first == "commit" {
            let seconds = column().parse().unwrap();
            let author = (column().to_owned(), column().to_owned());
            commits.push(Commit { seconds, author, sums: Sums::default() });
            continue;
        }
        let lines = |text: &str| text.parse().unwrap_or(0);
        let (additions, deletions) = (lines(first), lines(column()));
        let changed = Sums { additions, deletions, files_changed: 1 };
        commits.last_mut().unwrap().sums.add(changed);
    }
    commits
}

fn row(work: &Work) -> Value {
    let Sums { additions, deletions, files_changed } = work.sums;
    json!({
        "commits": work.commits,
        "additions": additions,
        "deletions": deletions,
        "files_changed": files_changed,
    })
}

fn named(work: &Work, (name, email): &Person) -> Value {
    let mut row = row(work);
    row["name"] = name.as_str().into();
    row["email"] = email.as_str().into();
    row
}

pub(crate) fn monday(day: NaiveDate) -> NaiveDate {
    day.week(chrono::Weekday::Mon).first_day()
}

/// Returns the ISO week of a day, such as 2026-W41.
pub(crate) fn week(day: NaiveDate) -> String {
    format!("{:04}-W{:02}", day.iso_week().year(), day.iso_week().week())
}
