//! Contributors by month, cohorts, and working hours where they are asked for.

use gitfleet_shared::metrics::contributors::retained;

use super::super::chapters::Chapters;
use super::super::subject::Subject;
use crate::report::tables::{CohortRow, HourRow, MonthRow};

pub(in super::super) fn finish(chapters: &mut Chapters) {
    for (month, flow) in chapters.contributors.months(chapters.as_of) {
        chapters.tables.contributor_months.push(MonthRow {
            month: month.to_string(),
            active: flow.active,
            new: flow.new,
            leaving: flow.leaving,
        });
    }
    for cohort in chapters.contributors.cohorts(chapters.as_of) {
        for (after, active) in (0..).zip(&cohort.active) {
            chapters.tables.cohorts.push(CohortRow {
                quarter: cohort.quarter.to_string(),
                people: cohort.people,
                after,
                active: *active,
                share: retained(&cohort, after as usize),
            });
        }
    }
    if chapters.working_hours {
        hours(chapters);
    }
}

fn hours(chapters: &mut Chapters) {
    for (scope, sums) in &chapters.subjects {
        if !matches!(scope, Subject::Organisation | Subject::Team(_)) || !sums.hours.may_be_shown() {
            continue;
        }
        for (weekday, hours) in (1..).zip(&sums.hours.counts) {
            for (hour, commits) in (0..).zip(hours) {
                chapters.tables.hours.push(HourRow {
                    team: scope.subject().to_owned(),
                    weekday,
                    hour,
                    commits: *commits,
                });
            }
        }
    }
}
