//! The tables of the samples: a few rows with everything hostile in them, and as many as asked.

use chrono::{Datelike, Days, Months, NaiveDate};
use gitfleet_shared::metrics::share::Ratio;

use super::{Dice, person, repository_name};
use crate::report::tables::*;

/// How much a sample holds.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    pub(crate) repositories: u64,
    pub(crate) weeks: u64,
    pub(crate) people: u64,
    /// Files, and half as many pairs, of each repository.
    pub(crate) files: u64,
    pub(crate) quarters: u32,
    /// Rows of lists such as requests and tickets.
    pub(crate) listed: u64,
}

const DAY: i64 = 86_400;

fn share(ten_thousandths: u64) -> Ratio {
    Ratio::from_ten_thousandths(ten_thousandths as i64)
}

/// Returns two or three rows of each table: plain, hostile, and with nothing that may be left out.
pub(super) fn hostile(hostile: &str, formula: &str) -> Tables {
    let text = || hostile.to_owned();
    let group = |scope: &str, subject: &str, week: &str, commits: u64| GroupRow {
        scope: scope.to_owned(),
        subject: subject.to_owned(),
        week: week.to_owned(),
        commits,
        developers: commits / 100,
        source_additions: commits * 20,
        corrective: commits / 4,
        adaptive: commits / 2,
        ticket_eligible: commits / 2,
        ticket_covered: commits / 5,
        ..GroupRow::default()
    };
    let finding = |rule: &str, weight: &str, subject: &str| FindingRow {
        rule: rule.to_owned(),
        weight: weight.to_owned(),
        scope: if subject.is_empty() { "organisation" } else { "repository" }.to_owned(),
        subject: subject.to_owned(),
        finding: format!("Something of {hostile}."),
        evidence: text(),
        recommendation: "Read it together.".to_owned(),
    };
    Tables {
        findings: vec![finding("repository_failed", "act", hostile), finding("no_releases", "know", "")],
        metrics: vec![
            metric("organisation", "", "work", "ticket_coverage", "", Some(share(4_000)), "share"),
            metric("repository", hostile, "risk", "truck_factor", "people", None, "people"),
            metric("repository", "alpha", "flow", "cycle_time", "median", Some(share(36_000_000)), "seconds"),
        ],
        groups: vec![group("organisation", "", "", 1_234), group("repository", hostile, "", 300)],
        group_weeks: vec![
            group("organisation", "", "1970-W02", 2),
            group("organisation", "", "2026-W40", 300),
            group("organisation", "", "2026-W42", 900),
            group("repository", hostile, "2026-W40", 300),
            group("repository", "alpha", "not a week", 3),
        ],
        people: vec![
            PersonRow {
                class: "human".to_owned(),
                name: Some(text()),
                email: Some(formula.to_owned()),
                teams: text(),
                commits: 900,
                ..PersonRow::default()
            },
            PersonRow {
                class: "bot".to_owned(),
                name: Some(String::new()),
                commits: 30,
                ..PersonRow::default()
            },
            PersonRow { class: text(), lines_held: Some(u64::MAX), ..PersonRow::default() },
        ],
        identities: vec![IdentityRow {
            person: text(),
            name: formula.to_owned(),
            email: String::new(),
            reason: "mailmap".to_owned(),
            detail: text(),
        }],
        open_identities: vec![
            OpenIdentityRow {
                what: "proposal".to_owned(),
                a: Some(text()),
                b: Some(formula.to_owned()),
                score: Some(share(9_300)),
                reason: text(),
            },
            OpenIdentityRow { what: "contested".to_owned(), ..OpenIdentityRow::default() },
        ],
        categories: vec![
            CategoryRow {
                scope: "organisation".to_owned(),
                category: text(),
                commits: 3,
                share: Some(Ratio::ONE),
                ..CategoryRow::default()
            },
            CategoryRow::default(),
        ],
        tickets: vec![
            TicketRow {
                system: text(),
                key: formula.to_owned(),
                commits: u64::MAX,
                story_point_hundredths: Some(u64::MAX),
                ..TicketRow::default()
            },
            TicketRow::default(),
        ],
        untracked_commits: vec![
            UntrackedRow {
                repository: text(),
                commit: text(),
                subject: Some(text()),
                author: Some(text()),
                category: text(),
                ..UntrackedRow::default()
            },
            UntrackedRow::default(),
        ],
        reverts: vec![
            RevertRow {
                repository: text(),
                commit: text(),
                victim: Some(text()),
                after_seconds: Some(i64::MAX),
                reapplied: true,
            },
            RevertRow::default(),
        ],
        requests: vec![
            RequestRow {
                repository: text(),
                platform: text(),
                number: Some(u64::MAX),
                merged_at: Some("not a time".to_owned()),
                cycle_seconds: Some(i64::MIN),
                ..RequestRow::default()
            },
            RequestRow::default(),
        ],
        dora: vec![
            DoraRow {
                scope: "organisation".to_owned(),
                deployments: 2,
                lead_median_seconds: Some(i64::MAX),
                ..DoraRow::default()
            },
            DoraRow {
                scope: "repository".to_owned(),
                subject: text(),
                change_fail_rate: Some(Ratio::ZERO),
                ..DoraRow::default()
            },
        ],
        deployments: vec![
            DeploymentRow {
                repository: text(),
                component: text(),
                tag: text(),
                version: text(),
                released_at: Some("2026-10-07T12:00:00Z".to_owned()),
                failure: Some(text()),
                lead_median_seconds: Some(3 * DAY),
                ..DeploymentRow::default()
            },
            DeploymentRow {
                repository: text(),
                released_at: Some("+9999-99".to_owned()),
                ..DeploymentRow::default()
            },
            DeploymentRow::default(),
        ],
        files: vec![
            FileRow {
                repository: text(),
                path: text(),
                lines: u64::MAX,
                hotspot_score: Some(Ratio::from_ten_thousandths(i64::MAX)),
                owner: Some(text()),
                owner_share: Some(Ratio::ONE),
                ..FileRow::default()
            },
            FileRow {
                repository: text(),
                path: formula.to_owned(),
                lines: u64::MAX,
                hotspot_score: Some(Ratio::from_ten_thousandths(-5)),
                ..FileRow::default()
            },
            FileRow::default(),
        ],
        components: vec![
            ComponentRow {
                repository: text(),
                component: text(),
                owner: Some(text()),
                ..ComponentRow::default()
            },
            ComponentRow::default(),
        ],
        truck_factor: vec![
            TruckFactorRow {
                scope: "repository".to_owned(),
                subject: text(),
                rank: 1,
                person: Some(text()),
                files: 3,
                share: None,
            },
            TruckFactorRow { scope: "organisation".to_owned(), rank: u64::MAX, ..TruckFactorRow::default() },
        ],
        coupling: vec![
            CouplingRow {
                what: "files".to_owned(),
                repository_a: text(),
                a: text(),
                repository_b: text(),
                b: formula.to_owned(),
                shared: 9,
                mean_revisions: None,
                degree: u64::MAX,
            },
            CouplingRow { what: "repositories".to_owned(), ..CouplingRow::default() },
        ],
        entropy_weeks: vec![EntropyRow { repository: text(), week: text(), entropy: Ratio::ONE }],
        survival: vec![
            SurvivalRow {
                scope: "organisation".to_owned(),
                days: 0,
                surviving: Ratio::ONE,
                ..SurvivalRow::default()
            },
            SurvivalRow {
                scope: "organisation".to_owned(),
                days: i64::MAX,
                surviving: Ratio::from_ten_thousandths(i64::MIN),
                ..SurvivalRow::default()
            },
        ],
        burndown: vec![
            BurndownRow {
                scope: "organisation".to_owned(),
                written: text(),
                at: text(),
                lines: i64::MIN,
                ..BurndownRow::default()
            },
            BurndownRow {
                scope: "repository".to_owned(),
                subject: text(),
                written: "2026-Q1".to_owned(),
                at: "2026-Q1".to_owned(),
                lines: i64::MAX,
            },
        ],
        contributor_months: vec![
            MonthRow { month: text(), active: 3, new: 1, leaving: 0 },
            MonthRow { month: "0001-01".to_owned(), active: 1, new: 1, leaving: 0 },
            MonthRow { month: "2026-10".to_owned(), active: u64::MAX, new: u64::MAX, leaving: u64::MAX },
        ],
        cohorts: vec![
            CohortRow { quarter: text(), people: 3, after: u64::MAX, active: 3, share: None },
            CohortRow {
                quarter: "2026-Q3".to_owned(),
                people: 4,
                after: 0,
                active: 4,
                share: Some(Ratio::ONE),
            },
        ],
        hours: vec![
            HourRow { team: text(), weekday: u64::MAX, hour: u64::MAX, commits: 3 },
            HourRow { team: String::new(), weekday: 1, hour: 9, commits: u64::MAX },
        ],
        languages_at_tip: vec![
            LanguageBytesRow {
                scope: "organisation".to_owned(),
                language: text(),
                bytes: u64::MAX,
                lines: u64::MAX,
                share: Some(Ratio::ONE),
                ..LanguageBytesRow::default()
            },
            LanguageBytesRow::default(),
        ],
        exclusions: vec![
            ExclusionRow {
                repository: text(),
                class: text(),
                lines: u64::MAX,
                additions: u64::MAX,
                ..ExclusionRow::default()
            },
            ExclusionRow::default(),
        ],
    }
}

/// Returns plausible tables of the given size, the same at every call.
pub(super) fn many(size: &Size) -> Tables {
    let mut maker = Maker { dice: Dice(11), size: *size, tables: Tables::default() };
    maker.organisation();
    for repository in 0..size.repositories {
        // The second one failed.
        if repository != 1 {
            maker.repository(&repository_name(repository), repository);
        }
    }
    maker.people();
    maker.lists();
    maker.findings();
    maker.tables
}

struct Maker {
    dice: Dice,
    size: Size,
    tables: Tables,
}

fn monday(n_weeks: u64, i: u64) -> NaiveDate {
    let last = NaiveDate::from_ymd_opt(2026, 10, 5).expect("the day is in the calendar");
    last - Days::new((n_weeks - 1 - i) * 7)
}

fn quarter(n_quarters: u32, i: u32) -> String {
    let last = NaiveDate::from_ymd_opt(2026, 10, 1).expect("the day is in the calendar");
    let day = last - Months::new(3 * (n_quarters - 1 - i));
    format!("{}-Q{}", day.year(), day.month0() / 3 + 1)
}

impl Maker {
    fn organisation(&mut self) {
        let commits = 900 * self.size.repositories;
        self.group("organisation", "", commits);
        for i in 0..self.size.weeks.min(120) {
            let day = NaiveDate::from_ymd_opt(2026, 10, 1).expect("the day is in the calendar");
            let month =
                (day - Months::new((self.size.weeks.min(120) - 1 - i) as u32)).format("%Y-%m").to_string();
            let active = 5 + self.dice.below(self.size.people / 3 + 1);
            let row = MonthRow { month, active, new: self.dice.below(5), leaving: self.dice.below(4) };
            self.tables.contributor_months.push(row);
        }
        let shown = self.size.quarters.min(24);
        for cohort in 0..shown {
            let people = 2 + self.dice.below(9);
            let mut active = people;
            for after in 0..shown - cohort {
                let row = CohortRow {
                    quarter: quarter(shown, cohort),
                    people,
                    after: u64::from(after),
                    active,
                    share: Ratio::of(active, people),
                };
                self.tables.cohorts.push(row);
                active -= self.dice.below(2).min(active);
            }
        }
        for weekday in 1..=7 {
            for hour in 0..24 {
                let is_work = weekday < 6 && (8..19).contains(&hour);
                let commits = self.dice.below(if is_work { 90 } else { 4 });
                self.tables.hours.push(HourRow { team: String::new(), weekday, hour, commits });
            }
        }
        self.lines("organisation", "", 40_000);
        self.languages("organisation", "");
        self.truck("organisation", "", 4);
    }

    fn group(&mut self, scope: &str, subject: &str, commits: u64) {
        let row = self.group_row(scope, subject, "", commits);
        for (category, part) in [("feature", 40), ("fix", 25), ("chore", 15), ("docs", 12), ("test", 8)] {
            let (scope, subject) = (scope.to_owned(), subject.to_owned());
            let share = Some(share(part * 100));
            let row = CategoryRow {
                scope,
                subject,
                category: category.to_owned(),
                commits: commits * part / 100,
                share,
            };
            self.tables.categories.push(row);
        }
        self.scalars(scope, subject, &row);
        self.tables.groups.push(row);
        for i in 0..self.size.weeks {
            let week = monday(self.size.weeks, i).format("%G-W%V").to_string();
            let commits = self.dice.below(2 * commits / self.size.weeks + 2);
            if commits > 0 {
                let row = self.group_row(scope, subject, &week, commits);
                self.tables.group_weeks.push(row);
            }
        }
    }

    fn group_row(&mut self, scope: &str, subject: &str, week: &str, commits: u64) -> GroupRow {
        let mut part = |percent: u64| {
            let most = commits * percent / 100 + 1;
            (most / 2 + self.dice.below(most / 2 + 1)).min(commits)
        };
        let (corrective, adaptive, perfective) = (part(24), part(40), part(28));
        let known = (corrective + adaptive + perfective).min(commits);
        let (bot_commits, conventional, breaking, eligible) = (part(8), part(60), part(2), part(90));
        let (reverts, ai_assisted, reviewed, requests) = (part(2), part(9), part(12), part(25));
        let (rework_own, rework_others) = (part(30) * 9, part(20) * 7);
        GroupRow {
            scope: scope.to_owned(),
            subject: subject.to_owned(),
            week: week.to_owned(),
            commits,
            merges: commits / 9,
            bot_commits,
            developers: (commits / 4 + 1).min(self.size.people),
            additions: commits * 42,
            deletions: commits * 18,
            files_changed: commits * 3,
            source_additions: commits * 31,
            source_deletions: commits * 14,
            corrective,
            adaptive,
            perfective,
            unclassified: commits - known,
            conventional,
            breaking,
            ticket_eligible: eligible,
            ticket_covered: eligible * 6 / 10,
            request_only: eligible / 10,
            reverts,
            ai_assisted,
            reviewed,
            requests,
            rework_own: Some(rework_own),
            rework_others: Some(rework_others),
            refactored: Some(commits * 9),
            story_point_hundredths: commits * 50,
        }
    }

    fn scalars(&mut self, scope: &str, subject: &str, group: &GroupRow) {
        let classified = group.corrective + group.adaptive + group.perfective;
        let rows = [
            ("work", "work_mix", "corrective", Ratio::of(group.corrective, classified), "share"),
            ("work", "work_mix", "adaptive", Ratio::of(group.adaptive, classified), "share"),
            ("work", "work_mix", "perfective", Ratio::of(group.perfective, classified), "share"),
            ("work", "ticket_coverage", "", Ratio::of(group.ticket_covered, group.ticket_eligible), "share"),
            ("work", "revert_rate", "", Ratio::of(group.reverts, group.commits), "share"),
            ("work", "ai_share", "", Ratio::of(group.ai_assisted, group.commits), "share"),
            ("flow", "cycle_time", "median", Ratio::of(30 * 3_600, 1), "seconds"),
            ("flow", "cycle_time", "p90", Ratio::of(190 * 3_600, 1), "seconds"),
            ("flow", "rework", "", Some(share(1_830)), "share"),
            ("risk", "truck_factor", "people", Ratio::of(1 + self.dice.below(4), 1), "people"),
            ("risk", "truck_factor", "core_people", Ratio::of(2, 1), "people"),
            ("risk", "truck_factor", "files", Ratio::of(40 + self.dice.below(900), 1), "files"),
            ("risk", "truck_factor", "coverage_left", Some(share(4_200)), "share"),
            ("risk", "contributor_absence_factor", "", Ratio::of(2, 1), "people"),
            ("risk", "code_age", "median", Ratio::of(410, 1), "days"),
            ("risk", "knowledge_loss", "orphaned", Some(share(2_140)), "share"),
            ("community", "reviewed_share", "", Ratio::of(group.reviewed, group.commits), "share"),
            ("community", "time_to_nth", "to_5th", None, "days"),
        ];
        for (chapter, name, part, value, unit) in rows {
            self.tables.metrics.push(metric(scope, subject, chapter, name, part, value, unit));
        }
    }

    fn lines(&mut self, scope: &str, subject: &str, lines: i64) {
        for (days, left) in
            [0, 7, 14, 21, 30, 60, 90, 180, 365, 548, 730, 1_095, 1_825, 3_650].into_iter().zip([
                10_000, 9_500, 9_300, 9_150, 9_000, 8_500, 8_200, 7_600, 6_900, 6_300, 5_800, 5_200, 4_300,
                3_600,
            ])
        {
            let surviving = share(left);
            let row = SurvivalRow { scope: scope.to_owned(), subject: subject.to_owned(), days, surviving };
            self.tables.survival.push(row);
        }
        for written in 0..self.size.quarters {
            let mut standing = lines + self.dice.below(lines as u64) as i64;
            for at in written..self.size.quarters {
                self.tables.burndown.push(BurndownRow {
                    scope: scope.to_owned(),
                    subject: subject.to_owned(),
                    written: quarter(self.size.quarters, written),
                    at: quarter(self.size.quarters, at),
                    lines: standing,
                });
                standing -= standing / (12 + self.dice.below(20) as i64);
            }
        }
    }

    fn languages(&mut self, scope: &str, subject: &str) {
        for (language, part) in [("Rust", 60), ("TypeScript", 22), ("SQL", 10), ("Shell", 8)] {
            self.tables.languages_at_tip.push(LanguageBytesRow {
                scope: scope.to_owned(),
                subject: subject.to_owned(),
                language: language.to_owned(),
                files: part * 3,
                bytes: part * 20_000,
                lines: part * 600,
                share: Some(share(part * 100)),
            });
        }
    }

    fn truck(&mut self, scope: &str, subject: &str, people: u64) {
        for rank in 1..=people {
            self.tables.truck_factor.push(TruckFactorRow {
                scope: scope.to_owned(),
                subject: subject.to_owned(),
                rank,
                person: Some(person(rank * 3).0),
                files: 300 / rank,
                share: Ratio::of(30, 100 * rank),
            });
        }
    }

    fn repository(&mut self, name: &str, number: u64) {
        let commits = 300 + self.dice.below(2_500);
        self.group("repository", name, commits);
        self.files(name);
        self.lines("repository", name, 2_000);
        self.languages("repository", name);
        let people = 1 + self.dice.below(4);
        self.truck("repository", name, people);
        for component in ["crates", "web/app", "docs", "(root)", "migrations"] {
            let row = self.component(name, component);
            self.tables.components.push(row);
        }
        for i in 0..self.size.weeks {
            let week = monday(self.size.weeks, i).format("%G-W%V").to_string();
            let entropy = share(3_000 + self.dice.below(6_000));
            self.tables.entropy_weeks.push(EntropyRow { repository: name.to_owned(), week, entropy });
        }
        for (class, part) in [("vendored", 40), ("generated", 25), ("documentation", 12)] {
            self.tables.exclusions.push(ExclusionRow {
                repository: name.to_owned(),
                class: class.to_owned(),
                files: part * 4,
                lines: part * 300,
                additions: part * 90,
                deletions: part * 20,
            });
        }
        if number % 3 != 2 {
            self.releases(name);
        }
    }

    fn component(&mut self, repository: &str, component: &str) -> ComponentRow {
        let owner = person(self.dice.below(self.size.people)).0;
        ComponentRow {
            repository: repository.to_owned(),
            component: component.to_owned(),
            files: 12 + self.dice.below(300),
            lines: 2_000 + self.dice.below(60_000),
            commits: 40 + self.dice.below(900),
            people: 1 + self.dice.below(20),
            owner: Some(owner),
            owner_share: Some(share(2_000 + self.dice.below(8_000))),
            minor_contributors: self.dice.below(12),
            fragmentation: Some(share(self.dice.below(9_000))),
            churned_share: Some(share(self.dice.below(9_000))),
            deleted_share: Some(share(self.dice.below(5_000))),
            files_churned_share: Some(share(self.dice.below(10_000))),
            changes_per_file: Some(share(self.dice.below(90_000))),
            weeks_per_file: Some(share(self.dice.below(30_000))),
            lines_per_week: Some(share(self.dice.below(9_000_000))),
            churned_to_deleted: None,
            lines_per_change: Some(share(self.dice.below(600_000))),
        }
    }

    fn files(&mut self, repository: &str) {
        let path = |i: u64| {
            const FOLDERS: [&str; 5] =
                ["crates/core/src", "crates/api/src/handlers", "web/app/components", "src", "migrations"];
            const NAMES: [&str; 7] =
                ["invoice", "retry_queue", "index", "authentication_middleware", "lib", "main", "schema"];
            let folder = FOLDERS[(i % 5) as usize];
            let name = NAMES[(i * 3 % 7) as usize];
            let number = if i < 7 { String::new() } else { format!("_{i}") };
            format!("{folder}/{name}{number}.rs")
        };
        for i in 0..self.size.files {
            let lines = 40 + 6_000 / (i + 2) + self.dice.below(400);
            let owner = person(self.dice.below(self.size.people)).0;
            self.tables.files.push(FileRow {
                repository: repository.to_owned(),
                path: path(i),
                lines,
                revisions: self.dice.below(90),
                complexity: lines * 3 + self.dice.below(900),
                hotspot_score: (i % 6 != 5).then(|| share(10_000 * (self.size.files - i) / self.size.files)),
                people: 1 + self.dice.below(14),
                owner: Some(owner),
                owner_share: Some(share(1_500 + self.dice.below(8_501))),
                authors: 1 + self.dice.below(4),
                largest_holder_share: Some(share(1_500 + self.dice.below(8_501))),
                median_age_days: Some(self.dice.below(2_000) as i64),
                history_complexity: Some(share(self.dice.below(30_000))),
            });
        }
        for i in 0..self.size.files / 2 {
            let b = i / 4 + 1 + self.dice.below(9);
            self.tables.coupling.push(CouplingRow {
                what: "files".to_owned(),
                repository_a: repository.to_owned(),
                a: path(i / 4),
                repository_b: repository.to_owned(),
                b: path(b),
                shared: 60 - i.min(55),
                mean_revisions: Some(share(10_000 * (70 + i))),
                degree: 95 - i.min(80),
            });
        }
    }

    fn releases(&mut self, repository: &str) {
        let n = self.size.weeks.min(200) / 4;
        for i in (0..n).rev() {
            let day = monday(self.size.weeks, self.size.weeks - 1 - (n - 1 - i) * 4);
            let failed = self.dice.below(7) == 0;
            let median = (1 + self.dice.below(30)) as i64 * DAY / 2;
            self.tables.deployments.push(DeploymentRow {
                repository: repository.to_owned(),
                component: String::new(),
                tag: format!("v1.{i}.0"),
                version: format!("1.{i}.0"),
                released_at: Some(format!("{day}T14:05:00Z")),
                commits: 5 + self.dice.below(60),
                lead_median_seconds: Some(median),
                lead_p90_seconds: Some(median * 3),
                failure: failed.then(|| "patch".to_owned()),
                recovery_seconds: failed.then_some(9 * 3_600),
                is_rework: failed,
            });
        }
        let row = self.dora("repository", repository, n);
        self.tables.dora.push(row);
        if self.tables.dora.iter().all(|row| row.scope != "organisation") {
            let row = self.dora("organisation", "", n * 2);
            self.tables.dora.push(row);
        }
    }

    fn dora(&mut self, scope: &str, subject: &str, deployments: u64) -> DoraRow {
        let median = (1 + self.dice.below(20)) as i64 * DAY;
        DoraRow {
            scope: scope.to_owned(),
            subject: subject.to_owned(),
            component: String::new(),
            deployments,
            deployments_per_week: Ratio::of(deployments, self.size.weeks),
            gap_median_seconds: Some(28 * DAY),
            lead_median_seconds: Some(median),
            lead_p90_seconds: Some(median * 4),
            lead_from_merge_median_seconds: Some(median / 2),
            change_fail_rate: Some(share(self.dice.below(4_000))),
            recovery_median_seconds: (self.dice.below(3) > 0).then_some(9 * 3_600),
            deployment_rework_rate: Some(share(self.dice.below(3_000))),
        }
    }

    fn people(&mut self) {
        for i in 0..self.size.people {
            let (name, email) = person(i);
            let commits = 9_000 / (i + 3);
            let class = match i {
                7 => "bot",
                11 => "agent",
                _ => "human",
            };
            self.tables.people.push(PersonRow {
                person: format!("p{i:04}"),
                name: Some(name.clone()),
                email: Some(email.clone()),
                class: class.to_owned(),
                teams: ["Platform", "Payments; Platform", "", "Web"][(i % 4) as usize].to_owned(),
                signatures: 1 + i % 3,
                commits,
                co_authored: self.dice.below(20),
                reviews: self.dice.below(60),
                additions: commits * 40,
                deletions: commits * 18,
                active_days: commits / 3,
                repositories: 1 + i % self.size.repositories.max(1),
                first_seen: Some("2021-03-04".to_owned()),
                last_seen: Some("2026-10-09".to_owned()),
                has_left: i % 9 == 8,
                lines_held: Some(commits * 12),
                files_lost: self.dice.below(30),
            });
            self.tables.identities.push(IdentityRow {
                person: format!("p{i:04}"),
                name: name.clone(),
                email: email.clone(),
                reason: "mailmap".to_owned(),
                detail: ".mailmap of billing-api".to_owned(),
            });
            if i % 12 == 3 {
                self.tables.open_identities.push(OpenIdentityRow {
                    what: "proposal".to_owned(),
                    a: Some(format!("{name} <{email}>")),
                    b: Some(format!("{name} <{i}@laptop.local>")),
                    score: Some(share(8_700 + i % 1_000)),
                    reason: "same name but for the accents".to_owned(),
                });
            }
        }
    }

    fn lists(&mut self) {
        for i in 0..self.size.listed {
            let repository =
                repository_name(if i % self.size.repositories == 1 { 0 } else { i % self.size.repositories });
            let commit = format!("{:040x}", u128::from(i + 1) * 0x1234_5678_9abc_def0_1234);
            let day = monday(self.size.weeks, self.size.weeks - 1 - i % self.size.weeks);
            let author = Some(person(i % self.size.people).0);
            self.tables.tickets.push(TicketRow {
                system: "jira".to_owned(),
                key: format!("PAY-{}", 1_000 + i),
                commits: 40 / (i + 1) + 1,
                repositories: 1,
                story_point_hundredths: (i % 3 == 0).then_some(300),
                first_commit_on: Some(day.to_string()),
                last_commit_on: Some(day.to_string()),
            });
            self.tables.untracked_commits.push(UntrackedRow {
                repository: repository.clone(),
                commit: commit.clone(),
                day: Some(day.to_string()),
                author,
                subject: Some("Reshape the retry queue so that it keeps its order under load".to_owned()),
                category: "feature".to_owned(),
                files_changed: 3 + i % 20,
                touched_lines: 4_000 - i.min(3_900),
            });
            self.tables.requests.push(RequestRow {
                repository: repository.clone(),
                commit: commit.clone(),
                platform: "github".to_owned(),
                number: Some(900 + i),
                how: if i % 3 == 0 { "squash" } else { "merge" }.to_owned(),
                merged_at: Some(format!("{day}T09:10:00Z")),
                commits: (i % 3 != 0).then_some(1 + i % 9),
                authors: (i % 3 != 0).then_some(1 + i % 2),
                touched_lines: 10 + self.dice.below(900),
                cycle_seconds: (i % 3 != 0).then(|| self.dice.below(900_000) as i64),
            });
            if i % 9 == 0 {
                let row = RevertRow {
                    repository,
                    commit: commit.clone(),
                    victim: Some(commit),
                    after_seconds: Some(self.dice.below(900_000) as i64),
                    reapplied: i % 27 == 0,
                };
                self.tables.reverts.push(row);
            }
        }
        if self.size.repositories > 2 {
            for i in 0..(self.size.files / 2).min(12) {
                self.tables.coupling.push(CouplingRow {
                    what: "repositories".to_owned(),
                    repository_a: repository_name(0),
                    a: ["crates", "web/app", "docs"][(i % 3) as usize].to_owned(),
                    repository_b: repository_name(2 + i % 3 % (self.size.repositories - 2)),
                    b: ["schema", "src", "(root)"][(i / 3 % 3) as usize].to_owned(),
                    shared: 30 - i,
                    mean_revisions: Some(share(600_000)),
                    degree: 64 - i,
                });
            }
        }
    }

    fn findings(&mut self) {
        let rows = [
            (
                "truck_factor_one",
                "act",
                "billing-api",
                "More than half of the source files would lose their authors with one person.",
                "truck factor 1 over 412 files; 42.0 % of them keep an author",
                "Pair on its hottest files first (table files), and rotate reviews.",
            ),
            (
                "hotspot_single_owner",
                "watch",
                "billing-api",
                "Files that are complicated and often changed rest on one person.",
                "9 files; the hottest: crates/core/src/invoice.rs",
                "Have a second person take the next changes to them.",
            ),
            (
                "knowledge_orphaned",
                "watch",
                "data-platform",
                "Much of the code was written by people who have left.",
                "38.2 % of the lines",
                "Name an owner for what is still changed; let the rest be.",
            ),
            (
                "ticket_coverage_low",
                "watch",
                "",
                "Fewer than half of the commits name a ticket.",
                "410 of 1,204; 90 more name a pull request only",
                "Look at the list (table untracked_commits) before asking for discipline.",
            ),
            (
                "lead_time_long",
                "know",
                "mobile-app",
                "Changes wait long for a release.",
                "median of 74 days",
                "Release more often where users wait for it.",
            ),
        ];
        for _ in 0..self.size.repositories.div_ceil(8) {
            for (rule, weight, subject, finding, evidence, recommendation) in rows {
                self.tables.findings.push(FindingRow {
                    rule: rule.to_owned(),
                    weight: weight.to_owned(),
                    scope: if subject.is_empty() { "organisation" } else { "repository" }.to_owned(),
                    subject: subject.to_owned(),
                    finding: finding.to_owned(),
                    evidence: evidence.to_owned(),
                    recommendation: recommendation.to_owned(),
                });
            }
        }
        let pressing =
            |row: &FindingRow| ["act", "watch", "know"].iter().position(|weight| row.weight == *weight);
        self.tables.findings.sort_by_key(pressing);
    }
}

fn metric(
    scope: &str,
    subject: &str,
    chapter: &str,
    metric: &str,
    part: &str,
    value: Option<Ratio>,
    unit: &str,
) -> MetricRow {
    MetricRow {
        scope: scope.to_owned(),
        subject: subject.to_owned(),
        chapter: chapter.to_owned(),
        metric: metric.to_owned(),
        part: part.to_owned(),
        value,
        unit: unit.to_owned(),
    }
}
