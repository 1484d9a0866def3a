//! The report in a few sentences, each of them only where its numbers exist.

use gitfleet_shared::metrics::share::Ratio;

use crate::report::markdown::chapters::NO_LEVEL;
use crate::report::model::Report;
use crate::report::number::{counted, grouped, percent};
use crate::report::shown;
use crate::report::subjects::{self, metric};
use crate::report::timeline;

/// Fewer weeks than this have no halves worth comparing.
const LEAST_WEEKS: u64 = 8;

pub(super) fn render(report: &Report) -> String {
    let sentences = [
        what(report),
        halves(report),
        work(report),
        tickets(report),
        flow(report),
        risk(report),
        findings(report),
    ];
    let items: String = sentences.into_iter().flatten().map(|sentence| format!("- {sentence}\n")).collect();
    format!("## Executive summary\n\n{items}")
}

fn what(report: &Report) -> Option<String> {
    let totals = &report.totals;
    let coverage = &report.coverage;
    let bots = subjects::organisation(report).map_or(0, |group| group.bot_commits);
    let of_bots = if bots > 0 { format!(", {} of them by bots", grouped(bots)) } else { String::new() };
    Some(format!(
        "**What was analysed**: {}{of_bots}, with {} and {}, by {}; {} of {} that were asked for could be read.",
        counted(totals.commits, "commit", "commits"),
        counted(totals.additions, "line added", "lines added"),
        counted(totals.deletions, "line deleted", "lines deleted"),
        counted(totals.developers, "author", "authors"),
        grouped(coverage.repositories_analysed.saturating_add(coverage.repositories_empty)),
        counted(coverage.repositories_requested, "repository", "repositories"),
    ))
}

/// The later half of the weeks against the half before; an odd week is left out at the beginning.
fn halves(report: &Report) -> Option<String> {
    let timeline = timeline::timeline(&report.weeks);
    let half = timeline.points.len() / 2;
    let weeks = half as u64 * timeline.weeks_per_point;
    if weeks * 2 < LEAST_WEEKS {
        return None;
    }
    let all = timeline.points.len();
    let sum = |from: usize, to: usize| {
        timeline.points[from..to].iter().fold(0_u64, |sum, point| sum.saturating_add(point.commits))
    };
    let (before, later) = (sum(all - 2 * half, all - half), sum(all - half, all));
    if before == 0 {
        return None;
    }
    let change = match later.cmp(&before) {
        std::cmp::Ordering::Equal => "as many as".to_owned(),
        std::cmp::Ordering::Greater => format!("{} more than", percent(later - before, before)),
        std::cmp::Ordering::Less => format!("{} fewer than", percent(before - later, before)),
    };
    Some(format!(
        "**Activity**: the last {} hold {}, {change} the same time before ({}).",
        counted(weeks, "week", "weeks"),
        counted(later, "commit", "commits"),
        grouped(before)
    ))
}

fn work(report: &Report) -> Option<String> {
    let group = subjects::organisation(report)?;
    let known = group.adaptive.saturating_add(group.perfective).saturating_add(group.corrective);
    if known == 0 {
        return None;
    }
    let all = known.saturating_add(group.unclassified);
    Some(format!(
        "**Work**: of {} of a known kind, {} bring new function, {} are upkeep and {} repair faults; {} of all are of no \
         known kind.",
        counted(known, "commit", "commits"),
        percent(group.adaptive, known),
        percent(group.perfective, known),
        percent(group.corrective, known),
        percent(group.unclassified, all)
    ))
}

fn tickets(report: &Report) -> Option<String> {
    let group = subjects::organisation(report)?;
    if group.ticket_covered == 0 {
        return None;
    }
    Some(format!(
        "**Tickets**: {} of {} that should name one do.",
        percent(group.ticket_covered, group.ticket_eligible),
        counted(group.ticket_eligible, "commit", "commits")
    ))
}

fn flow(report: &Report) -> Option<String> {
    let mut parts = Vec::new();
    if let Some(row) = report.tables.dora.iter().find(|row| row.scope == "organisation") {
        parts.push(counted(row.deployments, "release", "releases"));
        if let Some(lead) = row.lead_median_seconds {
            parts.push(format!("a change waits {} for one (median)", shown::span(lead)));
        }
        if let Some(share) = row.change_fail_rate {
            parts.push(format!("{} are followed by a repair", shown::percent(share)));
        }
    }
    if let Some(cycle) = metric(report, "organisation", "", "cycle_time", "median") {
        let span = shown::span(cycle.ten_thousandths() / 10_000);
        parts.push(format!("a merged branch takes {span} from its first commit (median)"));
    }
    if parts.is_empty() {
        return None;
    }
    Some(format!("**Flow** ({NO_LEVEL}): {}.", parts.join("; ")))
}

fn risk(report: &Report) -> Option<String> {
    let people =
        |row: &&crate::report::tables::MetricRow| row.metric == "truck_factor" && row.part == "people";
    let known: Vec<Ratio> = report
        .tables
        .metrics
        .iter()
        .filter(|row| row.scope == "repository")
        .filter(people)
        .filter_map(|row| row.value)
        .collect();
    let mut parts = Vec::new();
    if !known.is_empty() {
        let ones = known.iter().filter(|people| **people <= Ratio::ONE).count() as u64;
        let of = counted(known.len() as u64, "repository", "repositories");
        let have = if ones == 1 { "has" } else { "have" };
        parts.push(format!("{} of {of} {have} a truck factor of one or less", grouped(ones)));
    }
    if let Some(share) = metric(report, "organisation", "", "knowledge_loss", "orphaned") {
        parts.push(format!("{} of the lines were written by people who have left", shown::percent(share)));
    }
    if parts.is_empty() {
        return None;
    }
    Some(format!("**Risk**: {}.", parts.join("; ")))
}

fn findings(report: &Report) -> Option<String> {
    let all = &report.tables.findings;
    if all.is_empty() {
        return None;
    }
    let to_act = all.iter().filter(|row| row.weight == "act").count() as u64;
    Some(format!(
        "**Findings**: {}, {} of them to act on; see [Findings](#findings).",
        counted(all.len() as u64, "finding", "findings"),
        grouped(to_act)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn each_sentence_is_made_of_its_numbers() {
        let text = render(&sample::large(104, 40, 6));
        for part in [
            "- **What was analysed**: ",
            "- **Activity**: the last 52 weeks hold ",
            "- **Work**: of ",
            "- **Tickets**: ",
            "- **Flow** (release-based proxy",
            "- **Risk**: ",
            "- **Findings**: 5 findings, 1 of them to act on",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
    }

    #[test]
    fn what_has_no_numbers_has_no_sentence() {
        let text = render(&sample::empty());
        assert_eq!(text.lines().filter(|line| line.starts_with("- ")).count(), 1);
        assert!(text.contains("0 commits"));
    }

    /// Twelve weeks of 10 commits and twelve of 15: 180 against 120 is half as many again.
    #[test]
    fn the_halves_are_compared() {
        let mut report = sample::large(24, 5, 2);
        for (i, week) in report.weeks.iter_mut().enumerate() {
            week.commits = if i < 12 { 10 } else { 15 };
        }
        let text = halves(&report).unwrap();
        assert_eq!(
            text,
            "**Activity**: the last 12 weeks hold 180 commits, 50.0% more than the same time before (120)."
        );
        report.weeks.truncate(4);
        assert_eq!(halves(&report), None);
    }
}
