//! Requests, releases and the DORA metrics.

use std::collections::BTreeSet;

use gitfleet_shared::metrics::deployments::{Deployment, Dora};
use gitfleet_shared::metrics::share::Ratio;
use gitfleet_shared::words::requests::How;

use super::super::chapters::{Chapters, Place};
use super::super::flow::Flow;
use super::super::history::History;
use super::super::subject::Subject;
use super::{MOST_LISTED, instant};
use crate::report::tables::{DeploymentRow, DoraRow, RequestRow};

pub(in super::super) fn repository(
    chapters: &mut Chapters,
    history: &History,
    flow: &Flow,
    place: &Place<'_>,
) {
    let mut requests: Vec<RequestRow> = flow
        .requests
        .iter()
        .rev()
        .filter(|request| chapters.window.contains(history.commit(request.commit).committed.seconds))
        .map(|request| {
            let authors: BTreeSet<_> =
                request.brought.iter().map(|node| history.authors[*node as usize]).collect();
            let is_merge = request.how == How::Merge;
            let touched = |node: &u32| history.briefs[*node as usize].files.lines.touched();
            RequestRow {
                repository: place.name.to_owned(),
                commit: history.commit(request.commit).id.to_string(),
                platform: request.platform.to_owned(),
                number: request.number,
                how: if is_merge { "merge" } else { "squash" }.to_owned(),
                merged_at: instant(history.commit(request.commit).committed.seconds),
                commits: is_merge.then_some(request.brought.len() as u64),
                authors: is_merge.then_some(authors.len() as u64),
                touched_lines: request.brought.iter().map(touched).sum(),
                cycle_seconds: request.cycle_seconds,
            }
        })
        .collect();
    requests.truncate(MOST_LISTED);
    chapters.tables.requests.append(&mut requests);
    deployments(chapters, flow, place);
}

fn deployments(chapters: &mut Chapters, flow: &Flow, place: &Place<'_>) {
    let mut rows: Vec<(Option<i64>, DeploymentRow)> = Vec::new();
    for (component, deployments) in &flow.deployments {
        let mut dora = Dora::default();
        let mut times: Vec<i64> = deployments.iter().filter_map(|one| one.release.released).collect();
        times.sort_unstable();
        for deployment in deployments {
            let released = deployment.release.released;
            if !chapters.window.contains(released) {
                continue;
            }
            let earlier = released.map(|released| times.partition_point(|time| *time < released));
            dora.observe(
                deployment,
                earlier.and_then(|place| place.checked_sub(1)).map(|place| times[place]),
            );
            rows.push((released, row(deployment, place)));
        }
        if dora.deployments > 0 {
            let row = DoraRow {
                scope: "component".to_owned(),
                subject: place.name.to_owned(),
                component: component.clone(),
                ..dora_row(&dora, weeks(chapters))
            };
            chapters.tables.dora.push(row);
        }
    }
    rows.sort_by(|a, b| (b.0, &a.1.component, &a.1.tag).cmp(&(a.0, &b.1.component, &b.1.tag)));
    chapters.tables.deployments.extend(rows.into_iter().map(|(_, row)| row));
}

fn row(deployment: &Deployment, place: &Place<'_>) -> DeploymentRow {
    DeploymentRow {
        repository: place.name.to_owned(),
        component: deployment.release.component.clone(),
        tag: deployment.release.tag.clone(),
        version: deployment.release.version.to_string(),
        released_at: instant(deployment.release.released),
        commits: deployment.commits,
        lead_median_seconds: deployment.lead.median(),
        lead_p90_seconds: deployment.lead.percentile(90),
        failure: deployment.failure.map(|mark| mark.name().to_owned()),
        recovery_seconds: deployment.recovery_seconds,
        is_rework: deployment.is_rework,
    }
}

/// Returns how many weeks the window has.
pub(in super::super) fn weeks(chapters: &Chapters) -> Option<u64> {
    chapters.window.listed_weeks().map(|weeks| weeks.len() as u64)
}

pub(in super::super) fn dora_row(dora: &Dora, weeks: Option<u64>) -> DoraRow {
    let share = |part| Ratio::of(part, dora.deployments);
    DoraRow {
        deployments: dora.deployments,
        deployments_per_week: weeks
            .filter(|_| dora.deployments > 0)
            .and_then(|weeks| Ratio::of(dora.deployments, weeks)),
        gap_median_seconds: dora.gaps.median(),
        lead_median_seconds: dora.lead.median(),
        lead_p90_seconds: dora.lead.percentile(90),
        lead_from_merge_median_seconds: dora.lead_from_merge.median(),
        change_fail_rate: share(dora.failed),
        recovery_median_seconds: dora.recovery.median(),
        deployment_rework_rate: share(dora.rework),
        ..DoraRow::default()
    }
}

/// The rows of whole repositories, projects and the organisation, behind those of components.
pub(in super::super) fn finish(chapters: &mut Chapters) {
    let weeks = weeks(chapters);
    for (scope, sums) in &chapters.subjects {
        if sums.dora.deployments > 0 && !matches!(scope, Subject::Team(_)) {
            chapters.tables.dora.push(DoraRow {
                scope: scope.name().to_owned(),
                subject: scope.subject().to_owned(),
                ..dora_row(&sums.dora, weeks)
            });
        }
    }
}
