//! Reports for tests: one with everything a hostile repository may bring, one with nothing, one as large as asked.

mod tables;

use chrono::{Days, NaiveDate};

use crate::report::model::*;
use crate::report::tables::*;

use tables::Size;

/// Returns a small report that meets every field, every null and every kind of hostile text.
pub(crate) fn rich() -> Report {
    let hostile = "<script>alert('x')</script>|`rm -rf`\u{202E}gnp\u{E0041}\nnext";
    let formula = "=HYPERLINK(\"http://x\",\"y\")";
    Report {
        schema_version: SCHEMA_VERSION,
        window: WindowSection {
            label: "2026-W40 to 2026-W43".to_owned(),
            time_zone: "Europe/Berlin".to_owned(),
            from: Some("2026-09-28T00:00:00+02:00".to_owned()),
            until: Some("2026-10-26T00:00:00+01:00".to_owned()),
            revisions: "branch <main>".to_owned(),
            as_of: "2026-10-27".to_owned(),
        },
        totals: Totals {
            commits: 1_234,
            merges: 56,
            developers: 3,
            additions: 2_345_678,
            deletions: 98_765,
            files_changed: 4_321,
            without_renames: LineSums { additions: 2_400_000, deletions: 150_000, files_changed: 4_500 },
            repositories: 4,
        },
        weeks: vec![
            week("1970-01-05", 2),
            week("2026-09-28", 300),
            week("2026-10-05", 0),
            week("2026-10-12", 900),
            week("2099-12-28", 1),
        ],
        repositories: vec![
            RepositoryRow {
                conservation: Some(Conservation {
                    mainline_net_lines: 5_000,
                    binary_flip_lines: -20,
                    tip_lines: 4_980,
                    unknown_files: 0,
                    holds: true,
                }),
                ..repository("alpha", RepositoryStatus::Analysed)
            },
            RepositoryRow {
                reason: Some(format!("object 12ab is corrupt {hostile}")),
                source: "javascript:alert(1)".to_owned(),
                ..repository(hostile, RepositoryStatus::Failed)
            },
            repository("empty one", RepositoryStatus::Empty),
            RepositoryRow {
                conservation: Some(Conservation {
                    mainline_net_lines: -7,
                    binary_flip_lines: 0,
                    tip_lines: 12,
                    unknown_files: 0,
                    holds: false,
                }),
                branch: None,
                ..repository("zeta", RepositoryStatus::Analysed)
            },
        ],
        developers: vec![
            developer("Zoë Übermüller", "zoe@example.com", 900),
            developer(hostile, "\"><img src=x onerror=alert(1)>", 300),
            DeveloperRow { first_commit_on: None, last_commit_on: None, ..developer(formula, "", 34) },
        ],
        developer_weeks: vec![
            developer_week("2026-W40", hostile, "\"><img src=x onerror=alert(1)>", 300),
            developer_week("2026-W42", "Zoë Übermüller", "zoe@example.com", 900),
        ],
        languages: vec![
            language("Rust", 1_000_000, 50_000),
            language("C++ <&>", 90_000, 8_000),
            language("Other", 10, 0),
        ],
        tables: tables::hostile(hostile, formula),
        data_quality: DataQuality {
            binary_changes: 17,
            unknown_changes: vec![
                UnknownChanges { reason: "missing_object".to_owned(), changes: 3 },
                UnknownChanges { reason: "too_large".to_owned(), changes: 1 },
            ],
            empty_commits: 5,
            bulk_commits: 2,
            bulk_additions: 2_000_000,
            bulk_deletions: 40_000,
            invalid_times: 1,
            future_times: 2,
            authored_after_commit: 3,
            shared_commits: 4,
            shallow_repositories: vec![hostile.to_owned()],
            conservation_checked: 2,
            conservation_broken: 1,
        },
        coverage: Coverage {
            repositories_requested: 5,
            repositories_analysed: 2,
            repositories_empty: 1,
            repositories_failed: 2,
            failures: vec![
                Failure {
                    repository: hostile.to_owned(),
                    source: "javascript:alert(1)".to_owned(),
                    class: "corrupt".to_owned(),
                    message: format!("object 12ab is corrupt {hostile}"),
                },
                Failure {
                    repository: "orphan".to_owned(),
                    source: "/srv/git/orphan.git".to_owned(),
                    class: "not_found".to_owned(),
                    message: "there is nothing at /srv/git/orphan.git".to_owned(),
                },
            ],
        },
        method: method(),
    }
}

/// Returns the report of a batch without repositories.
pub(crate) fn empty() -> Report {
    Report {
        schema_version: SCHEMA_VERSION,
        window: WindowSection {
            label: "all history".to_owned(),
            time_zone: "UTC".to_owned(),
            from: None,
            until: None,
            revisions: "default branch".to_owned(),
            as_of: "2026-10-27".to_owned(),
        },
        totals: Totals::default(),
        weeks: Vec::new(),
        repositories: Vec::new(),
        developers: Vec::new(),
        developer_weeks: Vec::new(),
        languages: Vec::new(),
        tables: Tables::default(),
        data_quality: DataQuality::default(),
        coverage: Coverage::default(),
        method: Method { method_version: 1, facts_version: 1, conventions: Vec::new() },
    }
}

/// Returns a plausible report of the given size, the same at every call; its second repository failed. Its tables are
/// those of a few repositories.
pub(crate) fn large(n_weeks: u64, n_developers: u64, n_repositories: u64) -> Report {
    of_size(
        (n_weeks, n_developers, n_repositories),
        Size {
            repositories: n_repositories.min(12),
            weeks: n_weeks.min(160),
            people: n_developers,
            files: 40,
            quarters: 14,
            listed: 60,
        },
    )
}

/// Returns a report of 100 repositories with ten years of history, every table as long as it may be.
pub(crate) fn at_the_caps() -> Report {
    let size = Size { repositories: 100, weeks: 520, people: 2_000, files: 200, quarters: 60, listed: 1_000 };
    of_size((520, 2_000, 100), size)
}

fn of_size((n_weeks, n_developers, n_repositories): (u64, u64, u64), size: Size) -> Report {
    let mut dice = Dice(7);
    let people: Vec<(String, String)> = (0..n_developers).map(person).collect();
    let last_monday = NaiveDate::from_ymd_opt(2026, 10, 5).expect("the day is in the calendar");
    let mut weeks = Vec::new();
    let mut developer_weeks = Vec::new();
    let mut developers: Vec<DeveloperRow> =
        people.iter().map(|(name, email)| developer(name, email, 0)).collect();
    for i in 0..n_weeks {
        let monday = last_monday - Days::new((n_weeks - 1 - i) * 7);
        let label = monday.format("%G-W%V").to_string();
        let holiday =
            monday.format("%V").to_string().parse::<u64>().is_ok_and(|week| week >= 52 || week == 1);
        let mut of_week = Vec::new();
        for (rank, (name, email)) in people.iter().enumerate() {
            // A few carry much, many carry little, and nobody works every week.
            let reach = 2 + 60 / (rank as u64 + 3);
            let idle = dice.below(10) < 3 + (rank as u64 / 12).min(6) || (holiday && dice.below(4) > 0);
            let commits = if idle { 0 } else { dice.below(reach) };
            if commits > 0 {
                of_week.push(developer_week(&label, name, email, commits));
                let row = &mut developers[rank];
                row.commits += commits;
                row.additions += commits * (5 + dice.below(60));
                row.deletions += commits * (2 + dice.below(35));
                row.files_changed += commits * 3;
                row.active_days += 1 + commits / 3;
                row.repositories = 1 + rank as u64 % n_repositories.max(1);
            }
        }
        of_week.sort_by(|a, b| b.commits.cmp(&a.commits).then_with(|| a.name.cmp(&b.name)));
        let mut row = week(&monday.to_string(), of_week.iter().map(|row| row.commits).sum());
        row.developers = of_week.len() as u64;
        row.additions = row.commits * (20 + dice.below(40));
        row.deletions = row.commits * (8 + dice.below(24));
        if i == n_weeks / 3 {
            row.additions += 1_850_000;
        }
        weeks.push(row);
        developer_weeks.append(&mut of_week);
    }
    developers.sort_by(|a, b| b.commits.cmp(&a.commits).then_with(|| a.name.cmp(&b.name)));
    developers.retain(|row| row.commits > 0);
    let repositories: Vec<RepositoryRow> = (0..n_repositories)
        .map(|i| {
            let name = repository_name(i);
            if i == 1 {
                let mut row = repository(&name, RepositoryStatus::Failed);
                row.reason =
                    Some("remote answered 403: the credential may not read this repository".to_owned());
                return row;
            }
            let mut row = repository(&name, RepositoryStatus::Analysed);
            row.commits = Some(200 + dice.below(9_000));
            row.merges = Some(dice.below(800));
            row.additions = Some(10_000 + dice.below(900_000));
            row.deletions = Some(5_000 + dice.below(500_000));
            row.files_changed = Some(3_000 + dice.below(60_000));
            row.conservation = Some(Conservation {
                mainline_net_lines: 48_210,
                binary_flip_lines: 0,
                tip_lines: 48_210,
                unknown_files: 0,
                holds: true,
            });
            row
        })
        .collect();
    let n_failed = u64::from(n_repositories > 1);
    let failures = repositories
        .iter()
        .filter(|row| row.status == RepositoryStatus::Failed)
        .map(|row| Failure {
            repository: row.name.clone(),
            source: row.source.clone(),
            class: "permission_denied".to_owned(),
            message: row.reason.clone().unwrap_or_default(),
        })
        .collect();
    Report {
        totals: Totals {
            commits: weeks.iter().map(|row| row.commits).sum(),
            merges: weeks.iter().map(|row| row.merges).sum(),
            developers: developers.len() as u64,
            additions: weeks.iter().map(|row| row.additions).sum(),
            deletions: weeks.iter().map(|row| row.deletions).sum(),
            files_changed: weeks.iter().map(|row| row.files_changed).sum(),
            without_renames: LineSums { additions: 2_310_220, deletions: 398_114, files_changed: 61_020 },
            repositories: n_repositories,
        },
        weeks,
        repositories,
        developers,
        developer_weeks,
        languages: [
            ("Rust", 812_000, 301_000),
            ("TypeScript", 420_000, 208_000),
            ("Go", 190_500, 90_400),
            ("SQL", 88_000, 21_000),
            ("YAML", 61_200, 40_100),
            ("Markdown", 40_000, 12_000),
            ("Shell", 18_000, 7_400),
            ("Python", 12_000, 5_400),
            ("CSS", 8_000, 4_100),
            ("Other", 6_000, 2_200),
        ]
        .into_iter()
        .map(|(name, additions, deletions)| language(name, additions, deletions))
        .collect(),
        tables: tables::many(&size),
        data_quality: DataQuality {
            binary_changes: 412,
            unknown_changes: vec![UnknownChanges { reason: "too_large".to_owned(), changes: 3 }],
            empty_commits: 18,
            bulk_commits: 4,
            bulk_additions: 1_850_000,
            bulk_deletions: 12_400,
            future_times: 1,
            authored_after_commit: 23,
            shared_commits: 96,
            conservation_checked: n_repositories - n_failed,
            ..DataQuality::default()
        },
        coverage: Coverage {
            repositories_requested: n_repositories,
            repositories_analysed: n_repositories - n_failed,
            repositories_empty: 0,
            repositories_failed: n_failed,
            failures,
        },
        method: method(),
        ..empty()
    }
}

fn week(starts_on: &str, commits: u64) -> WeekRow {
    let monday = NaiveDate::parse_from_str(starts_on, "%Y-%m-%d").expect("samples hold real days");
    WeekRow {
        week: monday.format("%G-W%V").to_string(),
        starts_on: starts_on.to_owned(),
        commits,
        merges: commits / 12,
        developers: commits.min(3),
        additions: commits * 30,
        deletions: commits * 11,
        files_changed: commits * 3,
    }
}

fn repository(name: &str, status: RepositoryStatus) -> RepositoryRow {
    let known = (status == RepositoryStatus::Analysed).then_some(410);
    let zero = (status == RepositoryStatus::Empty).then_some(0);
    let n = known.or(zero);
    RepositoryRow {
        name: name.to_owned(),
        source: format!("https://git.example.com/{name}.git"),
        project_key: "platform".to_owned(),
        status,
        reason: None,
        head: known.map(|_| "4b825dc642cb6eb9a060e54bf8d69288fbee4904".to_owned()),
        branch: known.map(|_| "main".to_owned()),
        commits: n,
        merges: n,
        developers: n.map(|n| n / 20),
        additions: n.map(|n| n * 30),
        deletions: n.map(|n| n * 11),
        files_changed: n.map(|n| n * 3),
        first_commit_on: known.map(|_| "2021-03-04".to_owned()),
        last_commit_on: known.map(|_| "2026-10-09".to_owned()),
        conservation: None,
    }
}

fn developer(name: &str, email: &str, commits: u64) -> DeveloperRow {
    DeveloperRow {
        name: name.to_owned(),
        email: email.to_owned(),
        commits,
        additions: commits * 30,
        deletions: commits * 11,
        files_changed: commits * 3,
        active_days: commits / 3,
        repositories: 1,
        first_commit_on: Some("2021-03-04".to_owned()),
        last_commit_on: Some("2026-10-09".to_owned()),
    }
}

fn developer_week(week: &str, name: &str, email: &str, commits: u64) -> DeveloperWeekRow {
    DeveloperWeekRow {
        week: week.to_owned(),
        name: name.to_owned(),
        email: email.to_owned(),
        commits,
        additions: commits * 30,
        deletions: commits * 11,
        files_changed: commits * 3,
    }
}

fn language(name: &str, additions: u64, deletions: u64) -> LanguageRow {
    LanguageRow {
        language: name.to_owned(),
        commits: additions / 100,
        files_changed: additions / 40,
        additions,
        deletions,
    }
}

fn method() -> Method {
    let conventions = [
        (
            "merges",
            "A merge counts as a merge and brings no lines: its lines are those of the commits it joins.",
        ),
        (
            "renames",
            "Renames are followed as git does by default (50% similar); sums without that are given too.",
        ),
        (
            "people",
            "One person is one name and e-mail after .mailmap; nobody is guessed to be somebody else.",
        ),
        ("weeks", "ISO weeks, Monday to Sunday, by author time in the report's time zone."),
    ];
    Method {
        method_version: 1,
        facts_version: 1,
        conventions: conventions
            .into_iter()
            .map(|(topic, rule)| Convention { topic: topic.to_owned(), rule: rule.to_owned() })
            .collect(),
    }
}

fn person(i: u64) -> (String, String) {
    const FIRST: [&str; 12] = [
        "Amina", "Bjørn", "Chiara", "Dmitri", "Eun-ji", "Farah", "Goran", "Hana", "Iker", "Jun", "Kofi",
        "Lena",
    ];
    const LAST: [&str; 11] = [
        "Okafor",
        "Lindqvist",
        "Romano",
        "Petrov",
        "Park",
        "Haddad",
        "Kovač",
        "Suzuki",
        "Etxeberria",
        "Mensah",
        "Vogel",
    ];
    let first = FIRST[(i % 12) as usize];
    let last = LAST[((i * 7 + i / 12) % 11) as usize];
    let number = if i < 132 { String::new() } else { format!(" {i}") };
    (format!("{first} {last}{number}"), format!("dev{i}@example.com"))
}

fn repository_name(i: u64) -> String {
    const NAMES: [&str; 6] =
        ["billing-api", "checkout-web", "data-platform", "identity", "mobile-app", "search-index"];
    match NAMES.get(i as usize) {
        Some(name) => (*name).to_owned(),
        None => format!("service-{i:04}"),
    }
}

/// A small linear congruential generator: the samples must not change with a crate's version.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit.max(1)
    }
}

/// Returns a row of each table.
pub(crate) fn tables() -> Tables {
    Tables {
        findings: vec![FindingRow::default()],
        metrics: vec![MetricRow::default()],
        groups: vec![GroupRow::default()],
        group_weeks: vec![GroupRow::default()],
        people: vec![PersonRow::default()],
        identities: vec![IdentityRow::default()],
        open_identities: vec![OpenIdentityRow::default()],
        categories: vec![CategoryRow::default()],
        tickets: vec![TicketRow::default()],
        untracked_commits: vec![UntrackedRow::default()],
        reverts: vec![RevertRow::default()],
        requests: vec![RequestRow::default()],
        dora: vec![DoraRow::default()],
        deployments: vec![DeploymentRow::default()],
        files: vec![FileRow::default()],
        components: vec![ComponentRow::default()],
        truck_factor: vec![TruckFactorRow::default()],
        coupling: vec![CouplingRow::default()],
        entropy_weeks: vec![EntropyRow::default()],
        survival: vec![SurvivalRow::default()],
        burndown: vec![BurndownRow::default()],
        contributor_months: vec![MonthRow::default()],
        cohorts: vec![CohortRow::default()],
        hours: vec![HourRow::default()],
        languages_at_tip: vec![LanguageBytesRow::default()],
        exclusions: vec![ExclusionRow::default()],
    }
}
