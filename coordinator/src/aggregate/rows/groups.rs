//! Activity and work of each group, over the window and by week.

use std::collections::BTreeMap;

use gitfleet_shared::metrics::tally::{Kind, Tally};
use gitfleet_shared::window::Week;

use super::super::chapters::Chapters;
use super::super::subject::Subject;
use crate::report::tables::GroupRow;

/// Story points by scope and week; `None` for the whole window.
type Points = BTreeMap<(Subject, Option<Week>), u64>;

pub(in super::super) fn finish(chapters: &mut Chapters) {
    let points = points(chapters);
    for (scope, sums) in &chapters.subjects {
        let said = |week: Option<Week>| points.get(&(scope.clone(), week)).copied().unwrap_or(0);
        chapters.tables.groups.push(row(scope, None, &sums.group.whole, said(None)));
        for (week, tally) in &sums.group.weeks {
            chapters.tables.group_weeks.push(row(scope, Some(*week), tally, said(Some(*week))));
        }
    }
}

/// Returns the points of tickets, each counted once: in the week of its last commit, for the repository of that commit.
fn points(chapters: &Chapters) -> Points {
    let mut points = Points::new();
    for ticket in chapters.tickets.values() {
        let (Some(said), Some((_, repository, project))) = (ticket.points_hundredths, &ticket.home) else {
            continue;
        };
        let scopes = [
            Subject::Organisation,
            Subject::Project(project.clone()),
            Subject::Repository(repository.clone()),
        ];
        for scope in scopes {
            for week in [None, ticket.week()] {
                *points.entry((scope.clone(), week)).or_default() += u64::from(said);
            }
        }
    }
    points
}

fn row(scope: &Subject, week: Option<Week>, tally: &Tally, story_point_hundredths: u64) -> GroupRow {
    GroupRow {
        scope: scope.name().to_owned(),
        subject: scope.subject().to_owned(),
        week: week.map(|week| week.to_string()).unwrap_or_default(),
        commits: tally.sums.commits,
        merges: tally.sums.merges,
        bot_commits: tally.bot_commits,
        developers: tally.people.len() as u64,
        additions: tally.sums.lines.additions,
        deletions: tally.sums.lines.deletions,
        files_changed: tally.sums.lines.files_changed,
        source_additions: tally.source.additions,
        source_deletions: tally.source.deletions,
        corrective: tally.kind(Kind::Corrective),
        adaptive: tally.kind(Kind::Adaptive),
        perfective: tally.kind(Kind::Perfective),
        unclassified: tally.unclassified,
        conventional: tally.conventional,
        breaking: tally.breaking,
        ticket_eligible: tally.ticket_eligible,
        ticket_covered: tally.ticket_covered,
        request_only: tally.request_only,
        reverts: tally.reverts,
        ai_assisted: tally.ai_assisted,
        reviewed: tally.reviewed,
        requests: tally.requests,
        rework_own: tally.rework.map(|rework| rework.own),
        rework_others: tally.rework.map(|rework| rework.others),
        refactored: tally.rework.map(|rework| rework.old),
        story_point_hundredths,
    }
}
