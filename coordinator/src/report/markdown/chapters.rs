//! The chapters: people, work, flow, risk, community, exclusions, each as a few short tables.

use std::collections::BTreeMap;

use crate::report::escape::markdown_name;
use crate::report::markdown::extract::extract;
use crate::report::model::Report;
use crate::report::number::{grouped, percent};
use crate::report::row::{Row, Table};
use crate::report::subjects;
use crate::report::tables::{BurndownRow, ExclusionRow, FileRow, PersonRow};

/// What stands beside every number of deployments.
pub(super) const NO_LEVEL: &str = "release-based proxy, no level";

pub(super) fn people(report: &Report) -> String {
    let tables = &report.tables;
    let columns = [
        "name",
        "class",
        "teams",
        "commits",
        "co_authored",
        "reviews",
        "active_days",
        "repositories",
        "last_seen",
    ];
    let of =
        |is_asked: fn(&PersonRow) -> bool| table("people", tables.people.iter().filter(|row| is_asked(row)));
    chapter(
        "People",
        "Names and addresses joined to people, each link with its reason in `identities.csv`. The order, by \
         commits, is no rank.",
        &[
            extract("Humans", "", &of(|row| row.class == "human"), &columns, 25),
            extract("Bots and AI agents", "", &of(|row| row.class != "human"), &columns, 10),
            extract(
                "Identities to decide",
                "Decide them with `gitfleet people suggest` and `gitfleet people link`, or in a `.mailmap`.",
                &Table::of("open_identities", "", &tables.open_identities),
                &["what", "a", "b", "score", "reason"],
                10,
            ),
        ],
    )
}

pub(super) fn work(report: &Report) -> String {
    let tables = &report.tables;
    let groups = table("groups", tables.groups.iter().filter(|row| row.scope != "repository"));
    let repositories = table("groups", tables.groups.iter().filter(|row| row.scope == "repository"));
    let mix = [
        "scope",
        "subject",
        "commits",
        "adaptive",
        "perfective",
        "corrective",
        "unclassified",
        "ticket_eligible",
        "ticket_covered",
        "reverts",
        "ai_assisted",
    ];
    let categories = table("categories", tables.categories.iter().filter(|row| row.scope == "organisation"));
    chapter(
        "Work",
        "Kinds and categories are read from messages by rules; about one commit in four is put into the wrong kind, so \
         read shares of many and never a single commit.",
        &[
            extract("Organisation, projects and teams", "", &groups, &mix, 25),
            extract("By repository", "", &repositories, &mix[1..], 25),
            extract("Categories", "", &categories, &["category", "commits", "share"], 15),
            extract(
                "Tickets",
                "",
                &Table::of("tickets", "", &tables.tickets),
                &["system", "key", "commits", "repositories", "story_point_hundredths", "last_commit_on"],
                10,
            ),
            extract(
                "Largest commits without a ticket",
                "Often the merge policy and not anybody's discipline.",
                &Table::of("untracked_commits", "", &tables.untracked_commits),
                &["repository", "commit", "day", "author", "subject", "touched_lines"],
                10,
            ),
            extract(
                "Reverts",
                "",
                &Table::of("reverts", "", &tables.reverts),
                &["repository", "commit", "victim", "after_seconds", "reapplied"],
                10,
            ),
        ],
    )
}

pub(super) fn flow(report: &Report) -> String {
    let tables = &report.tables;
    let dora = [
        "scope",
        "subject",
        "component",
        "deployments",
        "deployments_per_week",
        "lead_median_seconds",
        "lead_p90_seconds",
        "change_fail_rate",
        "recovery_median_seconds",
        "deployment_rework_rate",
    ];
    let note = "Release-based proxy: a release stands for a deployment, a revert or a patch release for a failure. No \
                level is given, and unlike services are not compared.";
    chapter(
        "Flow",
        "",
        &[
            extract(
                "DORA metrics (release-based proxy)",
                note,
                &table("dora", tables.dora.iter().filter(|row| row.scope != "component")),
                &dora,
                25,
            ),
            extract(
                "Releases",
                "",
                &Table::of("deployments", "", &tables.deployments),
                &[
                    "repository",
                    "component",
                    "tag",
                    "released_at",
                    "commits",
                    "lead_median_seconds",
                    "failure",
                    "recovery_seconds",
                ],
                15,
            ),
            extract(
                "Pull and merge requests",
                "Inferred from the mainline. A short cycle time is often a small change: the lines stand beside it.",
                &Table::of("requests", "", &tables.requests),
                &["repository", "number", "how", "merged_at", "commits", "touched_lines", "cycle_seconds"],
                15,
            ),
        ],
    )
}

pub(super) fn risk(report: &Report) -> String {
    let tables = &report.tables;
    let mut hottest: Vec<&FileRow> = tables.files.iter().filter(|row| row.hotspot_score.is_some()).collect();
    hottest.sort_by(|a, b| {
        (b.hotspot_score, b.lines, &a.repository, &a.path).cmp(&(
            a.hotspot_score,
            a.lines,
            &b.repository,
            &b.path,
        ))
    });
    let factors = tables.metrics.iter().filter(|row| row.metric == "truck_factor" && row.part == "people");
    let last =
        tables.burndown.iter().filter(|row| row.scope == "organisation").map(|row| row.at.as_str()).max();
    let standing = |row: &&BurndownRow| row.scope == "organisation" && Some(row.at.as_str()) == last;
    chapter(
        "Risk",
        "Risks of the system and no merits of people. A hotspot is a place to look at and not a defect; old is not bad.",
        &[
            extract(
                "Truck factor",
                "How few people would have to leave before more than half of the files have no author left (an estimate).",
                &table("metrics", factors),
                &["scope", "subject", "value"],
                25,
            ),
            extract(
                "Hotspots",
                "",
                &table("files", hottest.into_iter()),
                &[
                    "repository",
                    "path",
                    "lines",
                    "revisions",
                    "hotspot_score",
                    "people",
                    "owner_share",
                    "median_age_days",
                ],
                20,
            ),
            extract(
                "Components",
                "",
                &Table::of("components", "", &tables.components),
                &[
                    "repository",
                    "component",
                    "lines",
                    "people",
                    "owner_share",
                    "minor_contributors",
                    "fragmentation",
                    "churned_share",
                ],
                20,
            ),
            extract(
                "What changes together",
                "",
                &Table::of("coupling", "", &tables.coupling),
                &["what", "repository_a", "a", "repository_b", "b", "shared", "degree"],
                15,
            ),
            extract(
                "Survival of lines",
                "",
                &table("survival", tables.survival.iter().filter(|row| row.scope == "organisation")),
                &["days", "surviving"],
                15,
            ),
            extract(
                "Lines of today by quarter of writing",
                "",
                &table("burndown", tables.burndown.iter().filter(standing)),
                &["written", "lines"],
                25,
            ),
        ],
    )
}

pub(super) fn community(report: &Report) -> String {
    let tables = &report.tables;
    let newest = tables.contributor_months.iter().rev();
    let after_a_year = tables.cohorts.iter().rev().filter(|row| row.after == 4);
    chapter(
        "Community",
        "Headcount is not output. Leaving means no commit since, for 180 days or more, so the last months know of nobody \
         yet.",
        &[
            extract(
                "Contributors by month",
                "Newest first.",
                &table("contributor_months", newest),
                &["month", "active", "new", "leaving"],
                12,
            ),
            extract(
                "Newcomers who are still there a year later",
                "Newest first.",
                &table("cohorts", after_a_year),
                &["quarter", "people", "active", "share"],
                12,
            ),
        ],
    )
}

/// Lines of all files and of source files side by side, and what is between them.
pub(super) fn exclusions(report: &Report) -> String {
    let tables = &report.tables;
    let mut classes: BTreeMap<&str, ExclusionRow> = BTreeMap::new();
    for row in &tables.exclusions {
        let sum = classes.entry(&row.class).or_default();
        sum.class.clone_from(&row.class);
        sum.files = sum.files.saturating_add(row.files);
        sum.lines = sum.lines.saturating_add(row.lines);
        sum.additions = sum.additions.saturating_add(row.additions);
        sum.deletions = sum.deletions.saturating_add(row.deletions);
    }
    let of_all = classes.into_values().collect::<Vec<_>>();
    let languages =
        table("languages_at_tip", tables.languages_at_tip.iter().filter(|row| row.scope == "organisation"));
    chapter(
        "Exclusions",
        "Vendored, generated, documentation and configured files are in \"all\" and not in \"source\".",
        &[
            side_by_side(report),
            extract(
                "Left out of source",
                "By repository in `exclusions.csv`.",
                &Table::of("exclusions", "", &of_all),
                &["class", "files", "lines", "additions", "deletions"],
                10,
            ),
            extract(
                "Languages at the tips",
                "Source files.",
                &languages,
                &["language", "files", "bytes", "lines", "share"],
                15,
            ),
        ],
    )
}

fn side_by_side(report: &Report) -> String {
    const MAX_REPOSITORIES: usize = 25;
    let names = subjects::repositories(report, |_| true);
    let of_names = names
        .iter()
        .filter_map(|name| subjects::groups(report, "repository").find(|row| row.subject == *name))
        .take(MAX_REPOSITORIES);
    let rows: String = subjects::organisation(report)
        .into_iter()
        .chain(of_names)
        .map(|row| {
            let name = if row.subject.is_empty() {
                "everything".to_owned()
            } else {
                markdown_name(&row.subject).to_string()
            };
            format!(
                "| {name} | {} | {} | {} | {} | {} |\n",
                grouped(row.additions),
                grouped(row.source_additions),
                percent(row.source_additions, row.additions),
                grouped(row.deletions),
                grouped(row.source_deletions)
            )
        })
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    let cut = match names.len() {
        n if n > MAX_REPOSITORIES => {
            format!(
                "The {MAX_REPOSITORIES} with most commits of {}; all of them are in `groups.csv`.\n\n",
                grouped(n as u64)
            )
        }
        _ => String::new(),
    };
    format!(
        "### All and source\n\n{cut}| Of | Added, all | Added, source | Share | Deleted, all | Deleted, source |\n\
         | --- | ---: | ---: | ---: | ---: | ---: |\n{rows}"
    )
}

fn table<'a, R: Row + Clone + 'a>(name: &'static str, rows: impl Iterator<Item = &'a R>) -> Table {
    Table::of(name, "", &rows.cloned().collect::<Vec<_>>())
}

/// Returns a chapter of its tables; the title alone with a word where there is none.
fn chapter(title: &str, lead: &str, tables: &[String]) -> String {
    let body = tables.iter().filter(|table| !table.is_empty()).cloned().collect::<Vec<_>>().join("\n");
    if body.is_empty() {
        return format!("## {title}\n\nNothing is known.\n");
    }
    let lead = if lead.is_empty() { String::new() } else { format!("{lead}\n\n") };
    format!("## {title}\n\n{lead}{body}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    type Chapter = fn(&Report) -> String;
    const ALL: [(&str, Chapter); 6] = [
        ("People", people),
        ("Work", work),
        ("Flow", flow),
        ("Risk", risk),
        ("Community", community),
        ("Exclusions", exclusions),
    ];

    #[test]
    fn every_table_of_every_chapter_is_drawn() {
        let report = sample::large(60, 40, 6);
        let n_tables: usize = ALL.iter().map(|(_, render)| render(&report).matches("### ").count()).sum();
        assert_eq!(n_tables, 3 + 6 + 3 + 6 + 2 + 3);
        for (title, render) in ALL {
            assert_eq!(render(&sample::empty()), format!("## {title}\n\nNothing is known.\n"));
        }
    }

    #[test]
    fn hostile_text_stays_in_its_cell() {
        for (title, render) in ALL {
            let text = render(&sample::rich());
            assert!(!text.contains("<script") && !text.contains("<img"), "{title}");
            let mut width = 0;
            for line in text.lines() {
                let bars = line.matches('|').count();
                assert!(bars == 0 || width == 0 || bars == width, "{title}: {line}");
                width = bars;
            }
        }
    }

    #[test]
    fn flow_says_what_it_is_and_gives_no_level() {
        let text = flow(&sample::large(60, 40, 6));
        assert!(text.contains("### DORA metrics (release-based proxy)"));
        assert!(!text.to_lowercase().contains("elite"));
        assert!(text.contains(" days |"));
    }
}
