//! What to talk about: rules over the tables of a report. Each names its numbers, and what it recommends.
//!
//! A rule looks at a repository, a project, a team or everything, and never at a person.

use std::collections::BTreeMap;

use gitfleet_shared::metrics::share::Ratio;

use crate::report::model::{Report, RepositoryStatus};
use crate::report::number::grouped;
use crate::report::tables::{FindingRow, GroupRow, Tables};

/// How pressing a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Weight {
    Act,
    Watch,
    Know,
}

impl Weight {
    fn name(self) -> &'static str {
        match self {
            Self::Act => "act",
            Self::Watch => "watch",
            Self::Know => "know",
        }
    }
}

/// What the rules ask beside the tables.
pub(super) struct Context {
    /// Project keys that look like tickets' and are not configured, with the commits that name them.
    pub(super) candidates: BTreeMap<String, u64>,
    /// Whether anybody said which tickets there are.
    pub(super) names_ticket_systems: bool,
    /// Teams with a member who is nobody (0), or several people.
    pub(super) unclear_members: Vec<(String, usize)>,
}

/// Returns the findings of a report, the most pressing first.
pub(super) fn findings(report: &Report, context: &Context) -> Vec<FindingRow> {
    let mut found = Found { rows: Vec::new() };
    data(&mut found, report);
    people(&mut found, &report.tables, context);
    risk(&mut found, &report.tables);
    flow(&mut found, &report.tables);
    work(&mut found, &report.tables, context);
    found
        .rows
        .sort_by(|a, b| (a.0, a.1, &a.2.scope, &a.2.subject).cmp(&(b.0, b.1, &b.2.scope, &b.2.subject)));
    found.rows.into_iter().map(|(_, _, row)| row).collect()
}

struct Found {
    rows: Vec<(Weight, &'static str, FindingRow)>,
}

/// What a rule says.
struct Saying {
    finding: String,
    evidence: String,
    recommendation: &'static str,
}

impl Found {
    fn add(&mut self, rule: &'static str, weight: Weight, (scope, subject): (&str, &str), saying: Saying) {
        let row = FindingRow {
            rule: rule.to_owned(),
            weight: weight.name().to_owned(),
            scope: scope.to_owned(),
            subject: subject.to_owned(),
            finding: saying.finding,
            evidence: saying.evidence,
            recommendation: saying.recommendation.to_owned(),
        };
        self.rows.push((weight, rule, row));
    }
}

/// Returns the value of a metric.
fn value(tables: &Tables, scope: &str, subject: &str, metric: &str, part: &str) -> Option<Ratio> {
    let is_it = |row: &&crate::report::tables::MetricRow| {
        row.metric == metric && row.part == part && row.scope == scope && row.subject == subject
    };
    tables.metrics.iter().find(is_it)?.value
}

fn percent(share: Ratio) -> String {
    let tenths = (share.ten_thousandths() + 5) / 10;
    format!("{}.{} %", tenths / 10, tenths % 10)
}

fn at_least(share: Option<Ratio>, ten_thousandths: i64) -> Option<Ratio> {
    share.filter(|share| share.ten_thousandths() >= ten_thousandths)
}

fn data(found: &mut Found, report: &Report) {
    for row in report.repositories.iter().filter(|row| row.status == RepositoryStatus::Failed) {
        found.add(
            "repository_failed",
            Weight::Act,
            ("repository", &row.name),
            Saying {
                finding: "The repository could not be analysed; every number leaves it out.".to_owned(),
                evidence: row.reason.clone().unwrap_or_default(),
                recommendation: "Mend the cause and run the batch again.",
            },
        );
    }
    for row in &report.repositories {
        let Some(law) = row.conservation.filter(|law| law.unknown_files == 0 && !law.holds) else { continue };
        found.add(
            "conservation_broken",
            Weight::Act,
            ("repository", &row.name),
            Saying {
                finding: "Lines added minus deleted do not come to the lines at the tip.".to_owned(),
                evidence: format!(
                    "{} by history, {} at the tip",
                    law.mainline_net_lines + law.binary_flip_lines,
                    law.tip_lines
                ),
                recommendation: "Do not use its line counts, and report it: this is a defect of the analysis.",
            },
        );
    }
    for name in &report.data_quality.shallow_repositories {
        found.add(
            "shallow_history",
            Weight::Watch,
            ("repository", name),
            Saying {
                finding: "The history is cut short.".to_owned(),
                evidence: "a shallow clone".to_owned(),
                recommendation: "Fetch the whole history (git fetch --unshallow): ages, authorship and newcomers are \
                                 wrong without it.",
            },
        );
    }
}

fn people(found: &mut Found, tables: &Tables, context: &Context) {
    let mut teams: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for (team, fits) in &context.unclear_members {
        let (nobody, several) = teams.entry(team).or_default();
        *(if *fits == 0 { nobody } else { several }) += 1;
    }
    for (team, (nobody, several)) in teams {
        found.add(
            "team_members_unclear",
            Weight::Watch,
            ("team", team),
            Saying {
                finding: "Some members of the team are nobody who committed, or several people.".to_owned(),
                evidence: format!("{nobody} nobody, {several} several"),
                recommendation: "Name members by an e-mail of theirs; `gitfleet people ls` lists all.",
            },
        );
    }
    let (contested, proposals) = {
        let count = |what: &str| tables.open_identities.iter().filter(|row| row.what == what).count();
        (count("contested"), count("proposal"))
    };
    if contested + proposals > 0 {
        found.add(
            "identities_open",
            Weight::Watch,
            ("organisation", ""),
            Saying {
                finding: "Some names and addresses may be the same person.".to_owned(),
                evidence: format!("{proposals} proposals, {contested} contested"),
                recommendation: "Decide them with `gitfleet people suggest` and `gitfleet people link`, or in a .mailmap.",
            },
        );
    }
}

fn risk(found: &mut Found, tables: &Tables) {
    for group in tables.groups.iter().filter(|group| group.scope != "organisation" && !is_told(group, tables))
    {
        let of = |metric: &str, part: &str| value(tables, &group.scope, &group.subject, metric, part);
        let subject = (group.scope.as_str(), group.subject.as_str());
        let files = of("truck_factor", "files").map_or(0, |files| files.ten_thousandths() / 10_000);
        if let Some(people) = of("truck_factor", "people").filter(|_| files >= 20)
            && people <= Ratio::ONE
        {
            found.add(
                "truck_factor_one",
                Weight::Act,
                subject,
                Saying {
                    finding: "More than half of the source files would lose their authors with one person."
                        .to_owned(),
                    evidence: format!(
                        "truck factor {} over {files} files; {} of them keep an author",
                        people.ten_thousandths() / 10_000,
                        of("truck_factor", "coverage_left").map_or("none".to_owned(), percent)
                    ),
                    recommendation: "Pair on its hottest files first (table files), and rotate reviews.",
                },
            );
        }
        if let Some(share) = at_least(of("knowledge_loss", "orphaned"), 3_000) {
            found.add(
                "knowledge_orphaned",
                Weight::Watch,
                subject,
                Saying {
                    finding: "Much of the code was written by people who have left.".to_owned(),
                    evidence: format!("{} of the lines", percent(share)),
                    recommendation: "Name an owner for what is still changed; let the rest be.",
                },
            );
        }
        if let Some(share) = at_least(of("rework", ""), 2_500) {
            found.add(
                "rework_high",
                Weight::Watch,
                subject,
                Saying {
                    finding: "Much of what is changed was written within the last three weeks.".to_owned(),
                    evidence: format!("{} of changed lines", percent(share)),
                    recommendation: "Look whether requirements move or reviews come late, before anything is changed.",
                },
            );
        }
    }
    hotspots(found, tables);
    let across = tables.coupling.iter().filter(|row| row.what == "repositories").count();
    if let Some(first) = tables.coupling.iter().find(|row| row.what == "repositories") {
        found.add(
            "coupling_across_repositories",
            Weight::Watch,
            ("organisation", ""),
            Saying {
                finding: "Components of different repositories change together.".to_owned(),
                evidence: format!(
                    "{across} pairs; the strongest: {}/{} and {}/{}, {} %",
                    first.repository_a, first.a, first.repository_b, first.b, first.degree
                ),
                recommendation: "Check whether the boundary between them is where it should be.",
            },
        );
    }
}

/// Whether a project, or the organisation, is one repository: it is told once.
fn is_told(group: &GroupRow, tables: &Tables) -> bool {
    let is_same = |other: &&GroupRow| {
        other.scope == "repository"
            && (other.commits, other.additions) == (group.commits, group.additions)
            && GroupRow { scope: group.scope.clone(), subject: group.subject.clone(), ..(*other).clone() }
                == *group
    };
    matches!(group.scope.as_str(), "organisation" | "project")
        && tables.groups.iter().any(|other| is_same(&other))
}

fn hotspots(found: &mut Found, tables: &Tables) {
    let mut seen = BTreeMap::new();
    for file in &tables.files {
        let is_hot = at_least(file.hotspot_score, 8_100).is_some() && file.revisions >= 10;
        if is_hot && at_least(file.owner_share, 8_000).is_some() {
            seen.entry(file.repository.as_str()).or_insert_with(Vec::new).push(file);
        }
    }
    for (repository, files) in seen {
        found.add(
            "hotspot_single_owner",
            Weight::Watch,
            ("repository", repository),
            Saying {
                finding: "Files that are complicated and often changed rest on one person.".to_owned(),
                evidence: format!("{} files; the hottest: {}", files.len(), files[0].path),
                recommendation: "Have a second person take the next changes to them.",
            },
        );
    }
}

fn flow(found: &mut Found, tables: &Tables) {
    for row in tables.dora.iter().filter(|row| row.scope == "repository") {
        let subject = ("repository", row.subject.as_str());
        if row.deployments < 5 {
            continue;
        }
        if let Some(share) = at_least(row.change_fail_rate, 3_000) {
            found.add(
                "change_fail_rate_high",
                Weight::Watch,
                subject,
                Saying {
                    finding: "Many releases are followed by a repair.".to_owned(),
                    evidence: format!("{} of {} releases", percent(share), row.deployments),
                    recommendation: "Read the failed ones (table deployments) together; a release is not a deployment.",
                },
            );
        }
        if let Some(seconds) = row.lead_median_seconds.filter(|seconds| *seconds > 60 * 86_400) {
            found.add(
                "lead_time_long",
                Weight::Know,
                subject,
                Saying {
                    finding: "Changes wait long for a release.".to_owned(),
                    evidence: format!("median of {} days", seconds / 86_400),
                    recommendation: "Release more often where users wait for it; maintenance lines lengthen it, too.",
                },
            );
        }
    }
    if tables.deployments.is_empty() && !tables.groups.is_empty() {
        found.add(
            "no_releases",
            Weight::Know,
            ("organisation", ""),
            Saying {
                finding: "No tag of the window looks like a release, so the DORA metrics are unknown."
                    .to_owned(),
                evidence: "0 releases".to_owned(),
                recommendation: "If releases are tagged otherwise, say how with releases.tag_pattern.",
            },
        );
    }
}

fn work(found: &mut Found, tables: &Tables, context: &Context) {
    for group in tables.groups.iter().filter(|group| !is_told(group, tables)) {
        let subject = (group.scope.as_str(), group.subject.as_str());
        let of = |metric: &str, part: &str| value(tables, &group.scope, &group.subject, metric, part);
        let classified = group.corrective + group.adaptive + group.perfective;
        if let Some(share) = at_least(of("work_mix", "corrective"), 5_000).filter(|_| classified >= 30) {
            found.add(
                "corrective_work_high",
                Weight::Watch,
                subject,
                Saying {
                    finding: "Half of the work or more repairs faults.".to_owned(),
                    evidence: format!("{} of {} classified commits", percent(share), grouped(classified)),
                    recommendation: "Find out where the faults come from (tables files and reverts).",
                },
            );
        }
        if let Some(share) = at_least(of("revert_rate", ""), 500).filter(|_| group.commits >= 50) {
            found.add(
                "revert_rate_high",
                Weight::Watch,
                subject,
                Saying {
                    finding: "Many commits are taken back.".to_owned(),
                    evidence: format!("{} of {} commits", percent(share), grouped(group.commits)),
                    recommendation: "See what the reverted ones have in common (table reverts).",
                },
            );
        }
        coverage(found, group, context);
    }
    if let Some((key, commits)) =
        context.candidates.iter().max_by_key(|(key, commits)| (**commits, std::cmp::Reverse(*key)))
        && *commits >= 10
    {
        let keys: Vec<&str> = context
            .candidates
            .iter()
            .filter(|(_, commits)| **commits >= 10)
            .map(|(key, _)| key.as_str())
            .take(10)
            .collect();
        found.add(
            "ticket_keys_not_configured",
            Weight::Know,
            ("organisation", ""),
            Saying {
                finding: "Messages name what may be tickets of projects that are not configured.".to_owned(),
                evidence: format!("{}; {key} in {} commits", keys.join(", "), grouped(*commits)),
                recommendation: "List the real ones under jira.project_keys; the report is made again in seconds.",
            },
        );
    }
}

fn coverage(found: &mut Found, group: &GroupRow, context: &Context) {
    let share = Ratio::of(group.ticket_covered, group.ticket_eligible);
    let is_low = share.is_some_and(|share| share.ten_thousandths() < 5_000);
    if context.names_ticket_systems && is_low && group.ticket_eligible >= 30 {
        found.add(
            "ticket_coverage_low",
            Weight::Watch,
            (&group.scope, &group.subject),
            Saying {
                finding: "Fewer than half of the commits name a ticket.".to_owned(),
                evidence: format!(
                    "{} of {}; {} more name a pull request only",
                    grouped(group.ticket_covered),
                    grouped(group.ticket_eligible),
                    grouped(group.request_only)
                ),
                recommendation: "Look at the list (table untracked_commits) before asking for discipline: it is often the \
                                 merge policy.",
            },
        );
    }
}
