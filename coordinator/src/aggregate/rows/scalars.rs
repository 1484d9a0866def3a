//! Every metric that is one number, by organisation, project, team and repository.

use gitfleet_shared::metrics::definition::Definition;
use gitfleet_shared::metrics::share::Ratio;
use gitfleet_shared::metrics::tally::Kind;
use gitfleet_shared::metrics::truck_factor::contributor_absence_factor;
use gitfleet_shared::metrics::{
    age, contributors, deployments, durations::Durations, hours, knowledge, ownership, releases, requests,
    rework, tally, truck_factor,
};

use super::super::chapters::Chapters;
use super::super::subject::{LineSums, Subject, SubjectSums};
use super::risk;
use crate::report::tables::MetricRow;

/// Rows of one scope.
struct Sheet<'s> {
    scope: &'s Subject,
    rows: Vec<MetricRow>,
}

impl Sheet<'_> {
    fn put(&mut self, of: &Definition, part: &str, value: Option<Ratio>, unit: &str) {
        self.rows.push(MetricRow {
            scope: self.scope.name().to_owned(),
            subject: self.scope.subject().to_owned(),
            chapter: of.chapter.name().to_owned(),
            metric: of.name.to_owned(),
            part: part.to_owned(),
            value,
            unit: unit.to_owned(),
        });
    }

    fn share(&mut self, of: &Definition, part: &str, value: Option<Ratio>) {
        self.put(of, part, value, "share");
    }

    fn count(&mut self, of: &Definition, part: &str, value: Option<u64>, unit: &str) {
        self.put(of, part, value.and_then(|value| Ratio::of(value, 1)), unit);
    }

    fn seconds(&mut self, of: &Definition, part: &str, value: Option<i64>) {
        self.put(of, part, value.and_then(whole), "seconds");
    }

    fn percentiles(&mut self, of: &Definition, part: &str, durations: &Durations) {
        for (name, percent) in [("median", 50), ("p75", 75), ("p90", 90)] {
            self.seconds(of, &format!("{part}{name}"), durations.percentile(percent));
        }
    }
}

fn whole(value: i64) -> Option<Ratio> {
    value.checked_mul(10_000).map(Ratio::from_ten_thousandths)
}

pub(in super::super) fn finish(chapters: &mut Chapters) {
    let mut rows = Vec::new();
    for (scope, sums) in &chapters.subjects {
        let mut sheet = Sheet { scope, rows: Vec::new() };
        work(&mut sheet, sums);
        if !matches!(scope, Subject::Team(_)) {
            flow(&mut sheet, chapters, sums);
        }
        risk_of(&mut sheet, chapters, sums);
        community(&mut sheet, chapters, sums);
        rows.append(&mut sheet.rows);
    }
    chapters.tables.metrics = rows;
}

fn work(sheet: &mut Sheet<'_>, sums: &SubjectSums) {
    let tally = &sums.group.whole;
    for (kind, part) in
        [(Kind::Corrective, "corrective"), (Kind::Adaptive, "adaptive"), (Kind::Perfective, "perfective")]
    {
        sheet.share(&tally::WORK_MIX, part, tally.kind_share(kind));
    }
    sheet.share(&tally::TICKET_COVERAGE, "", tally.ticket_coverage());
    sheet.share(&tally::REVERT_RATE, "", tally.share_of_commits(tally.reverts));
    sheet.share(&tally::AI_SHARE, "", tally.share_of_commits(tally.ai_assisted));
}

fn flow(sheet: &mut Sheet<'_>, chapters: &Chapters, sums: &SubjectSums) {
    let dora = &sums.dora;
    let row = super::flow::dora_row(dora, super::flow::weeks(chapters));
    let of = &deployments::DEFINITION;
    sheet.put(of, "deployments_per_week", row.deployments_per_week, "deployments");
    sheet.seconds(of, "lead_median", row.lead_median_seconds);
    sheet.seconds(of, "lead_p90", row.lead_p90_seconds);
    sheet.seconds(of, "lead_from_merge_median", row.lead_from_merge_median_seconds);
    sheet.share(of, "change_fail_rate", row.change_fail_rate);
    sheet.seconds(of, "recovery_median", row.recovery_median_seconds);
    sheet.share(of, "deployment_rework_rate", row.deployment_rework_rate);
    let released = (dora.deployments > 0).then_some(dora.deployments);
    sheet.count(&releases::DEFINITION, "releases", released, "releases");
    for (part, percent) in [("gap_p25", 25), ("gap_median", 50), ("gap_p75", 75)] {
        sheet.seconds(&releases::DEFINITION, part, dora.gaps.percentile(percent));
    }
    sheet.percentiles(&requests::CYCLE_TIME, "", &sums.cycle);
    let rework = sums.group.whole.rework;
    sheet.share(&rework::DEFINITION, "", rework.and_then(|rework| rework.share()));
}

fn risk_of(sheet: &mut Sheet<'_>, chapters: &Chapters, sums: &SubjectSums) {
    let factor = risk::truck_factor(chapters, sums);
    let of = &truck_factor::DEFINITION;
    sheet.count(of, "people", factor.as_ref().map(|factor| factor.people), "people");
    sheet.count(of, "core_people", factor.as_ref().map(|factor| factor.core_people), "people");
    sheet.count(of, "files", factor.as_ref().map(|factor| factor.files), "files");
    sheet.share(of, "coverage_left", factor.as_ref().and_then(|factor| factor.coverage_left));
    let absence = contributor_absence_factor(sums.group.commits_by.values().copied());
    sheet.count(&truck_factor::ABSENCE, "", absence, "people");
    let fragmentation = ownership::fragmentation(sums.group.commits_by.values().copied());
    sheet.share(&ownership::DEFINITION, "fragmentation", fragmentation);
    if let Some(lines) = &sums.lines {
        of_lines(sheet, chapters, lines);
    }
}

fn of_lines(sheet: &mut Sheet<'_>, chapters: &Chapters, lines: &LineSums) {
    sheet.put(&age::DEFINITION, "median", lines.ages.median_days().and_then(whole), "days");
    sheet.share(&age::DEFINITION, "older_than_a_year", lines.ages.older_than_a_year());
    sheet.put(&age::SURVIVAL, "half_life", lines.lives.half_life_days().and_then(whole), "days");
    sheet.share(&age::SURVIVAL, "after_a_year", lines.lives.surviving(365));
    let has_left =
        |person| !chapters.who.is_bot(person) && chapters.contributors.has_left(person, chapters.as_of);
    let (held, orphaned) = (lines.holdings.lines(), lines.holdings.orphaned(has_left));
    sheet.share(&knowledge::DEFINITION, "orphaned", Ratio::of(orphaned, held));
    sheet.share(&knowledge::DEFINITION, "largest_holder", lines.holdings.largest().map(|(_, share)| share));
}

fn community(sheet: &mut Sheet<'_>, chapters: &Chapters, sums: &SubjectSums) {
    let tally = &sums.group.whole;
    sheet.share(&tally::REVIEWED_SHARE, "", tally.share_of_commits(tally.reviewed));
    if *sheet.scope == Subject::Organisation {
        for nth in [5, 10] {
            let days = chapters.contributors.median_days_to(nth, chapters.as_of);
            let part = format!("to_{nth}th");
            sheet.put(&contributors::TIME_TO_NTH, &part, days.and_then(whole), "days");
        }
    }
    let may_show = chapters.working_hours && sums.hours.may_be_shown();
    if may_show && matches!(sheet.scope, Subject::Organisation | Subject::Team(_)) {
        sheet.share(&hours::DEFINITION, "outside_hours", sums.hours.outside_hours());
        sheet.share(&hours::DEFINITION, "weekends", sums.hours.weekends());
        let zero = Ratio::of(sums.hours.offset_zero, sums.hours.commits());
        sheet.share(&hours::DEFINITION, "offset_zero", zero);
    }
}
