//! The weeks a chart can show. Commits claim any time they like, and one from 2099 would squeeze years of work into a
//! corner, so a chart leaves implausible weeks out and says how many. The data (JSON, CSV) leaves nothing out.

use chrono::{Days, NaiveDate, Weekday};

use crate::report::model::WeekRow;

/// A Monday. Version control with dates worth trusting is not older.
const FIRST: NaiveDate = NaiveDate::from_ymd_opt(1990, 1, 1).expect("the day is in the calendar");
const AFTER_LAST: NaiveDate = NaiveDate::from_ymd_opt(2100, 1, 1).expect("the day is in the calendar");

/// A silence this long, in weeks, separates two eras.
const SILENCE_WEEKS: i64 = 260;
/// An era at the rim with less than one in this many commits is taken for a broken clock.
const RIM_FRACTION: u128 = 50;
/// More points than this cannot be told apart on a screen.
const MAX_POINTS: u64 = 260;

/// Weeks inside the plausible range, ascending.
pub(super) struct Plausible<'a> {
    pub(super) weeks: Vec<&'a WeekRow>,
    pub(super) left_out: u64,
}

/// The plausible range as evenly spaced points, weeks without a row filled with zero.
pub(super) struct Timeline {
    pub(super) points: Vec<Point>,
    pub(super) weeks_per_point: u64,
    pub(super) weeks_left_out: u64,
}

pub(super) struct Point {
    /// The Monday it begins with.
    pub(super) starts_on: NaiveDate,
    pub(super) commits: u64,
    pub(super) additions: u64,
    pub(super) deletions: u64,
}

impl Timeline {
    /// Returns the number of the point that an ISO week such as "2026-W41" belongs to; nothing outside of the range.
    pub(super) fn place(&self, week: &str) -> Option<usize> {
        let first = self.points.first()?.starts_on;
        let weeks = (monday_of(week)? - first).num_days().div_euclid(7);
        let place = usize::try_from(weeks).ok()? / usize::try_from(self.weeks_per_point).ok()?;
        (place < self.points.len()).then_some(place)
    }

    /// Returns the first day of each point.
    pub(super) fn days(&self) -> Vec<NaiveDate> {
        self.points.iter().map(|point| point.starts_on).collect()
    }
}

/// Returns the Monday of an ISO week such as "2026-W41".
pub(super) fn monday_of(week: &str) -> Option<NaiveDate> {
    let (year, week) = week.split_once("-W")?;
    NaiveDate::from_isoywd_opt(year.parse().ok()?, week.parse().ok()?, Weekday::Mon)
}

/// Returns the weeks worth drawing: from 1990 to 2099, without eras of a few commits that lie years off the rest.
pub(super) fn plausible(weeks: &[WeekRow]) -> Plausible<'_> {
    let kept = kept(weeks);
    let left_out = (weeks.len() - kept.len()) as u64;
    Plausible { weeks: kept.into_iter().map(|(_, row)| row).collect(), left_out }
}

/// Returns the weeks to draw, several to a point where they are too many for a chart.
///
/// The last point always holds its full number of weeks: a short one would look like a decline.
pub(super) fn timeline(weeks: &[WeekRow]) -> Timeline {
    let kept = kept(weeks);
    let weeks_left_out = (weeks.len() - kept.len()) as u64;
    let (Some(&(first, _)), Some(&(last, _))) = (kept.first(), kept.last()) else {
        return Timeline { points: Vec::new(), weeks_per_point: 1, weeks_left_out };
    };
    let n_weeks = (last - first + 1) as u64;
    let per = [1, 4, 13, 52]
        .into_iter()
        .find(|per| n_weeks.div_ceil(*per) <= MAX_POINTS)
        .expect("110 years are fewer than 260 points of 52 weeks");
    let n_points = n_weeks.div_ceil(per);
    let origin = last + 1 - (n_points * per) as i64;
    let mut points: Vec<Point> = (0..n_points)
        .map(|i| Point {
            starts_on: monday(origin + (i * per) as i64),
            commits: 0,
            additions: 0,
            deletions: 0,
        })
        .collect();
    for (index, row) in kept {
        let point = &mut points[((index - origin) as u64 / per) as usize];
        point.commits = point.commits.saturating_add(row.commits);
        point.additions = point.additions.saturating_add(row.additions);
        point.deletions = point.deletions.saturating_add(row.deletions);
    }
    Timeline { points, weeks_per_point: per, weeks_left_out }
}

/// Returns the rows of the plausible range, each with its number counted from the first week of 1990.
fn kept(weeks: &[WeekRow]) -> Vec<(i64, &WeekRow)> {
    let dated: Vec<(i64, &WeekRow)> =
        weeks.iter().filter_map(|row| Some((index(&row.starts_on)?, row))).collect();
    let total: u128 = dated.iter().map(|(_, row)| weight(row)).sum();
    let eras: Vec<&[(i64, &WeekRow)]> = dated.chunk_by(|a, b| b.0 - a.0 <= SILENCE_WEEKS).collect();
    let matters = |era: &&[(i64, &WeekRow)]| {
        era.iter().map(|(_, row)| weight(row)).sum::<u128>() * RIM_FRACTION >= total
    };
    let (Some(first), Some(last)) = (eras.iter().position(matters), eras.iter().rposition(matters)) else {
        return Vec::new();
    };
    eras[first..=last].concat()
}

fn weight(row: &WeekRow) -> u128 {
    u128::from(row.commits) + u128::from(row.merges)
}

fn index(day: &str) -> Option<i64> {
    let day = NaiveDate::parse_from_str(day, "%Y-%m-%d").ok()?;
    (FIRST..AFTER_LAST).contains(&day).then(|| (day - FIRST).num_days().div_euclid(7))
}

fn monday(index: i64) -> NaiveDate {
    if index < 0 {
        // The first of several joined weeks may begin a little before 1990.
        FIRST - Days::new(index.unsigned_abs() * 7)
    } else {
        FIRST + Days::new(index.unsigned_abs() * 7)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn week(starts_on: &str, commits: u64) -> WeekRow {
        WeekRow {
            week: String::new(),
            starts_on: starts_on.to_owned(),
            commits,
            merges: 0,
            developers: 1,
            additions: commits * 10,
            deletions: commits,
            files_changed: 1,
        }
    }

    fn check(weeks: &[(&str, u64)], expect_points: &[(&str, u64)], expect_left_out: u64) {
        let weeks: Vec<WeekRow> = weeks.iter().map(|(day, commits)| week(day, *commits)).collect();
        let timeline = timeline(&weeks);
        let points: Vec<(String, u64)> =
            timeline.points.iter().map(|p| (p.starts_on.to_string(), p.commits)).collect();
        let expect: Vec<(String, u64)> =
            expect_points.iter().map(|(day, n)| ((*day).to_owned(), *n)).collect();
        assert_eq!(points, expect);
        assert_eq!(timeline.weeks_left_out, expect_left_out);
        assert_eq!(plausible(&weeks).left_out, expect_left_out);
    }

    #[test]
    fn weeks_find_their_point() {
        let timeline = timeline(&[week("2026-01-05", 3), week("2026-01-26", 2)]);
        for (label, expect) in [
            ("2026-W02", Some(0)),
            ("2026-W05", Some(3)),
            ("2026-W01", None),
            ("2026-W06", None),
            ("x", None),
        ] {
            assert_eq!(timeline.place(label), expect, "{label}");
        }
    }

    #[test]
    fn gaps_are_filled_with_zero_weeks() {
        check(
            &[("2026-01-05", 3), ("2026-01-26", 2)],
            &[("2026-01-05", 3), ("2026-01-12", 0), ("2026-01-19", 0), ("2026-01-26", 2)],
            0,
        );
    }

    #[test]
    fn implausible_weeks_are_left_out_and_counted() {
        check(&[], &[], 0);
        check(&[("1970-01-05", 9)], &[], 1);
        check(&[("not a day", 1), ("+12026-01-05", 1)], &[], 2);
        check(
            &[("1970-01-05", 9), ("1996-01-01", 1), ("2026-01-05", 300), ("2064-01-07", 1)],
            &[("2026-01-05", 300)],
            3,
        );
    }

    #[test]
    fn two_eras_of_weight_are_both_kept() {
        let weeks = [week("2001-01-01", 50), week("2026-01-05", 50)];
        let timeline = timeline(&weeks);
        assert_eq!(timeline.weeks_left_out, 0);
        assert_eq!(timeline.weeks_per_point, 13);
        assert_eq!(timeline.points.iter().map(|p| p.commits).sum::<u64>(), 100);
        assert_eq!(timeline.points.last().map(|p| p.commits), Some(50));
    }

    #[test]
    fn a_window_without_commits_keeps_its_weeks() {
        check(&[("2026-01-05", 0), ("2026-01-12", 0)], &[("2026-01-05", 0), ("2026-01-12", 0)], 0);
    }

    #[test]
    fn the_whole_range_stays_drawable() {
        let weeks = [week("1990-01-01", 1), week("2099-12-28", 1)];
        let timeline = timeline(&weeks);
        assert_eq!(timeline.weeks_per_point, 52);
        assert!(timeline.points.len() as u64 <= MAX_POINTS);
    }
}
