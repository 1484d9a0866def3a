//! Tickets, untracked commits, reverts, categories.

use gitfleet_shared::graph::Node;
use gitfleet_shared::metrics::share::Ratio;

use super::super::chapters::{Chapters, Place};
use super::super::flow::Flow;
use super::super::history::History;
use super::super::subject::Subject;
use super::MOST_LISTED;
use crate::report::tables::{CategoryRow, RevertRow, TicketRow, UntrackedRow};

/// Lists a commit that should name a ticket and does not.
pub(in super::super) fn untracked(chapters: &mut Chapters, history: &History, node: Node, place: &Place<'_>) {
    let (said, brief) = (history.said(node), &history.briefs[node as usize]);
    let author = chapters.who.label(history.authors[node as usize]).name;
    chapters.tables.untracked_commits.push(UntrackedRow {
        repository: place.name.to_owned(),
        commit: brief.id.to_string(),
        day: brief.authored.and_then(|seconds| chapters.window.day_of(seconds)).map(|day| day.to_string()),
        author,
        subject: chapters.who.may_quote().then(|| said.subject.clone()),
        category: said.category.clone(),
        files_changed: brief.files.lines.files_changed,
        touched_lines: brief.files.lines.touched(),
    });
    // Twice as many are kept at most, so that no batch holds them all.
    if chapters.tables.untracked_commits.len() >= 2 * MOST_LISTED {
        largest_untracked(&mut chapters.tables.untracked_commits);
    }
}

fn largest_untracked(rows: &mut Vec<UntrackedRow>) {
    rows.sort_by(|a, b| {
        (b.touched_lines, &a.repository, &a.commit).cmp(&(a.touched_lines, &b.repository, &b.commit))
    });
    rows.truncate(MOST_LISTED);
}

pub(in super::super) fn repository(
    chapters: &mut Chapters,
    history: &History,
    flow: &Flow,
    place: &Place<'_>,
) {
    let mut rows: Vec<(Option<i64>, RevertRow)> = Vec::new();
    for revert in &flow.reverts {
        let authored = history.commit(revert.commit).authored.seconds;
        if !chapters.window.contains(authored) || history.briefs[revert.commit as usize].is_merge {
            continue;
        }
        let integrated = revert.victim.and_then(|victim| history.integrated(victim));
        let after =
            authored.zip(integrated).map(|(authored, integrated)| authored.saturating_sub(integrated));
        rows.push((
            authored,
            RevertRow {
                repository: place.name.to_owned(),
                commit: history.commit(revert.commit).id.to_string(),
                victim: revert.victim.map(|victim| history.commit(victim).id.to_string()),
                after_seconds: after.filter(|seconds| *seconds >= 0),
                reapplied: revert.reapplied,
            },
        ));
    }
    rows.sort_by(|a, b| (b.0, &a.1.commit, &a.1.victim).cmp(&(a.0, &b.1.commit, &b.1.victim)));
    chapters.tables.reverts.extend(rows.into_iter().map(|(_, row)| row));
}

/// The tables that need all repositories.
pub(in super::super) fn finish(chapters: &mut Chapters) {
    largest_untracked(&mut chapters.tables.untracked_commits);
    let mut tickets: Vec<TicketRow> = chapters
        .tickets
        .iter()
        .map(|(ticket, sum)| TicketRow {
            system: ticket.system.name().to_owned(),
            key: ticket.key.clone(),
            commits: sum.commits,
            repositories: sum.repositories.len() as u64,
            story_point_hundredths: sum.points_hundredths.map(u64::from),
            first_commit_on: sum.first.map(|day| day.to_string()),
            last_commit_on: sum.last.map(|day| day.to_string()),
        })
        .collect();
    tickets.sort_by(|a, b| (b.commits, &a.system, &a.key).cmp(&(a.commits, &b.system, &b.key)));
    tickets.truncate(MOST_LISTED);
    chapters.tables.tickets = tickets;
    for (scope, sums) in &chapters.subjects {
        let mut rows = categories(scope, &sums.group.categories);
        chapters.tables.categories.append(&mut rows);
    }
}

fn categories(scope: &Subject, counts: &std::collections::BTreeMap<String, u64>) -> Vec<CategoryRow> {
    let all = counts.values().sum();
    let mut rows: Vec<CategoryRow> = counts
        .iter()
        .map(|(category, commits)| CategoryRow {
            scope: scope.name().to_owned(),
            subject: scope.subject().to_owned(),
            category: category.clone(),
            commits: *commits,
            share: Ratio::of(*commits, all),
        })
        .collect();
    rows.sort_by(|a, b| (b.commits, &a.category).cmp(&(a.commits, &b.category)));
    rows
}
