//! The one window of a run: which author times count, and in which zone days and weeks begin.
//!
//! Every part that asks "is this inside, and in which week" asks the same object, so that no two numbers of a run
//! disagree. Weeks are ISO 8601 weeks, Monday to Sunday; every bucket is half-open.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, Days, IsoWeek, NaiveDate, NaiveTime, TimeZone, Utc, Weekday};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// An ISO 8601 week, written `2026-W41`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Week {
    /// Its Monday.
    monday: NaiveDate,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WindowError {
    #[error("{0:?} is no ISO week; write it like 2026-W41")]
    NotAWeek(String),
    #[error("{0:?} is no day or instant; write it like 2026-10-05 or 2026-10-05T12:00:00Z")]
    NotADate(String),
    #[error("the window ends ({until}) before it begins ({from})")]
    Backwards { from: String, until: String },
    #[error("{0} weeks reach beyond the calendar")]
    TooManyWeeks(u32),
}

impl Week {
    pub fn of(day: NaiveDate) -> Self {
        Self { monday: day.week(Weekday::Mon).first_day() }
    }

    pub fn monday(self) -> NaiveDate {
        self.monday
    }

    pub fn next(self) -> Self {
        Self { monday: self.monday + Days::new(7) }
    }

    fn iso(self) -> IsoWeek {
        self.monday.iso_week()
    }
}

impl fmt::Display for Week {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-W{:02}", self.iso().year(), self.iso().week())
    }
}

impl FromStr for Week {
    type Err = WindowError;

    fn from_str(text: &str) -> Result<Self, WindowError> {
        let parsed = || {
            let (year, week) = text.split_once("-W")?;
            let digits = |text: &str, count| text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
            if !digits(year, 4) || !digits(week, 2) {
                return None;
            }
            NaiveDate::from_isoywd_opt(year.parse().ok()?, week.parse().ok()?, Weekday::Mon)
        };
        parsed().map(Self::of).ok_or_else(|| WindowError::NotAWeek(text.to_owned()))
    }
}

impl TryFrom<String> for Week {
    type Error = WindowError;

    fn try_from(text: String) -> Result<Self, WindowError> {
        text.parse()
    }
}

impl From<Week> for String {
    fn from(week: Week) -> Self {
        week.to_string()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    zone: Tz,
    extent: Extent,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Extent {
    AllHistory,
    /// First and last week, both inside.
    Weeks {
        first: Week,
        last: Week,
    },
    /// From an instant on, up to (and without) another; UTC seconds.
    Instants {
        from: Option<i64>,
        until: Option<i64>,
    },
}

impl Window {
    pub fn all_history(zone: Tz) -> Self {
        Self { zone, extent: Extent::AllHistory }
    }

    /// Returns the last `count` complete weeks before `now`; with `include_current`, the week of `now` is the last.
    ///
    /// # Errors
    ///
    /// Where so many weeks reach beyond the calendar.
    pub fn last_weeks(
        zone: Tz,
        count: u32,
        include_current: bool,
        now: DateTime<Utc>,
    ) -> Result<Self, WindowError> {
        let current = Week::of(now.with_timezone(&zone).date_naive());
        let last = if include_current { current.monday } else { current.monday - Days::new(7) };
        let back = Days::new(7 * u64::from(count.max(1) - 1));
        let first = last.checked_sub_days(back).ok_or(WindowError::TooManyWeeks(count))?;
        Ok(Self { zone, extent: Extent::Weeks { first: Week::of(first), last: Week::of(last) } })
    }

    /// Returns the weeks from `first` to `last`, both inside.
    ///
    /// # Errors
    ///
    /// Where `last` is before `first`.
    pub fn weeks(zone: Tz, first: Week, last: Week) -> Result<Self, WindowError> {
        if last < first {
            return Err(WindowError::Backwards { from: first.to_string(), until: last.to_string() });
        }
        Ok(Self { zone, extent: Extent::Weeks { first, last } })
    }

    /// Returns the window from `since` (inside) to `until`. A day as `since` begins at its midnight in the zone; a
    /// day as `until` is inside as a whole; an instant as `until` is not.
    ///
    /// # Errors
    ///
    /// Where a bound is no date, or the window would end before it begins.
    pub fn between(zone: Tz, since: Option<&str>, until: Option<&str>) -> Result<Self, WindowError> {
        let from = since.map(|text| instant(zone, text, 0)).transpose()?;
        let end = until.map(|text| instant(zone, text, 1)).transpose()?;
        if let (Some(from), Some(end)) = (from, end)
            && end < from
        {
            return Err(WindowError::Backwards {
                from: since.unwrap_or_default().to_owned(),
                until: until.unwrap_or_default().to_owned(),
            });
        }
        Ok(Self { zone, extent: Extent::Instants { from, until: end } })
    }

    pub fn zone(&self) -> Tz {
        self.zone
    }

    /// Returns the first instant inside and the first one after, in UTC seconds; `None` where there is no bound.
    pub fn bounds(&self) -> (Option<i64>, Option<i64>) {
        match self.extent {
            Extent::AllHistory => (None, None),
            Extent::Weeks { first, last } => (
                Some(midnight(self.zone, first.monday).timestamp()),
                Some(midnight(self.zone, last.next().monday).timestamp()),
            ),
            Extent::Instants { from, until } => (from, until),
        }
    }

    /// Whether a commit written at `seconds` counts. A commit without a usable time is inside all history only.
    pub fn contains(&self, seconds: Option<i64>) -> bool {
        let (from, until) = self.bounds();
        match seconds {
            Some(seconds) => {
                from.is_none_or(|from| from <= seconds) && until.is_none_or(|until| seconds < until)
            }
            None => from.is_none() && until.is_none(),
        }
    }

    /// Returns the day of `seconds` in the zone, or `None` where no calendar holds it.
    pub fn day_of(&self, seconds: i64) -> Option<NaiveDate> {
        let day = DateTime::from_timestamp(seconds, 0)?.with_timezone(&self.zone).date_naive();
        // Years of more than four digits have no ISO week that anybody could read back.
        (0..=9999).contains(&day.year()).then_some(day)
    }

    /// Returns the first instant after the day of `seconds` in the zone, in UTC seconds.
    pub fn end_of_day(&self, seconds: i64) -> Option<i64> {
        let next = self.day_of(seconds)?.succ_opt()?;
        Some(midnight(self.zone, next).timestamp())
    }

    /// Returns the weeks of a window that is bounded on both sides.
    pub fn listed_weeks(&self) -> Option<Vec<Week>> {
        let (first, last) = match self.extent {
            Extent::Weeks { first, last } => (first, last),
            Extent::Instants { from: Some(from), until: Some(until) } if from < until => {
                (Week::of(self.day_of(from)?), Week::of(self.day_of(until - 1)?))
            }
            _ => return None,
        };
        Some(
            std::iter::successors(Some(first), |week| Some(week.next()))
                .take_while(|week| *week <= last)
                .collect(),
        )
    }

    /// Returns the instant in the zone as RFC 3339.
    pub fn format(&self, seconds: i64) -> Option<String> {
        Some(DateTime::from_timestamp(seconds, 0)?.with_timezone(&self.zone).to_rfc3339())
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show = |seconds| self.format(seconds).unwrap_or_default();
        match self.extent {
            Extent::AllHistory => f.write_str("all history"),
            Extent::Weeks { first, last } if first == last => first.fmt(f),
            Extent::Weeks { first, last } => write!(f, "{first} to {last}"),
            Extent::Instants { from: Some(from), until: Some(until) } => {
                write!(f, "{} until {}", show(from), show(until))
            }
            Extent::Instants { from: Some(from), until: None } => write!(f, "since {}", show(from)),
            Extent::Instants { from: None, until: Some(until) } => write!(f, "until {}", show(until)),
            Extent::Instants { from: None, until: None } => f.write_str("all history"),
        }
    }
}

/// Returns the UTC seconds of an instant, or of the midnight `days_on` days after the one that begins a day.
fn instant(zone: Tz, text: &str, days_on: u64) -> Result<i64, WindowError> {
    if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
        return Ok(instant.timestamp());
    }
    NaiveDate::parse_from_str(text, "%Y-%m-%d")
        .ok()
        .and_then(|day| day.checked_add_days(Days::new(days_on)))
        .map(|day| midnight(zone, day).timestamp())
        .ok_or_else(|| WindowError::NotADate(text.to_owned()))
}

/// Returns the first instant of `day` in `zone`; where clocks skip midnight, the first after it.
fn midnight(zone: Tz, day: NaiveDate) -> DateTime<Tz> {
    let mut time = day.and_time(NaiveTime::MIN);
    loop {
        match zone.from_local_datetime(&time).earliest() {
            Some(instant) => return instant,
            None => time += chrono::Duration::minutes(15),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(text).unwrap().to_utc()
    }

    #[test]
    fn iso_weeks_are_read_and_written() {
        let check = |text: &str, monday: &str| {
            let week: Week = text.parse().unwrap();
            assert_eq!((week.to_string().as_str(), week.monday().to_string().as_str()), (text, monday));
        };
        check("2026-W41", "2026-10-05");
        check("2026-W01", "2025-12-29");
        check("2020-W53", "2020-12-28");
        for wrong in ["2026-W54", "2026-W00", "2026-41", "26-W41", "2026-W1", "2026-W+1", "+202-W01", ""] {
            assert!(wrong.parse::<Week>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_last_weeks_are_complete_ones() {
        let check = |now: &str, count, current, expect: &str| {
            let window = Window::last_weeks(Tz::UTC, count, current, at(now)).unwrap();
            assert_eq!(window.to_string(), expect, "{now} {count} {current}");
        };
        check("2026-11-21T12:00:00Z", 1, false, "2026-W46");
        check("2026-11-21T12:00:00Z", 4, false, "2026-W43 to 2026-W46");
        check("2026-11-21T12:00:00Z", 2, true, "2026-W46 to 2026-W47");
        // Monday 00:00: the week before has just become complete.
        check("2026-11-16T00:00:00Z", 1, false, "2026-W46");
        check("2026-11-15T23:59:59Z", 1, false, "2026-W45");
    }

    #[test]
    fn the_zone_decides_where_a_week_begins() {
        let berlin: Tz = "Europe/Berlin".parse().unwrap();
        let week: Week = "2026-W44".parse().unwrap();
        // The clocks go back on Sunday of week 43, so week 44 begins at 23:00Z, and week 43 at 22:00Z.
        let (from, _) = Window::weeks(berlin, week, week).unwrap().bounds();
        assert_eq!(from, Some(at("2026-10-25T23:00:00Z").timestamp()));
        let window = Window::all_history(berlin);
        assert_eq!(window.day_of(at("2026-10-25T23:30:00Z").timestamp()).unwrap().to_string(), "2026-10-26");
    }

    #[test]
    fn bounds_are_half_open() {
        let window = Window::between(Tz::UTC, Some("2026-10-05"), Some("2026-10-06")).unwrap();
        let inside = |text: &str| window.contains(Some(at(text).timestamp()));
        assert!(!inside("2026-10-04T23:59:59Z"));
        assert!(inside("2026-10-05T00:00:00Z"));
        assert!(inside("2026-10-06T23:59:59Z"));
        assert!(!inside("2026-10-07T00:00:00Z"));
        assert!(!window.contains(None));
        assert!(Window::all_history(Tz::UTC).contains(None));
        assert!(Window::between(Tz::UTC, Some("2026-10-05"), Some("2026-10-01")).is_err());
        assert!(Window::between(Tz::UTC, Some("soon"), None).is_err());
    }

    #[test]
    fn impossible_times_have_no_day() {
        let window = Window::all_history(Tz::UTC);
        assert_eq!(window.day_of(i64::MAX), None);
        assert_eq!(window.day_of(253_402_300_800), None);
        assert_eq!(window.day_of(0).unwrap().to_string(), "1970-01-01");
    }

    #[test]
    fn days_end_where_the_zone_says() {
        let window = Window::all_history("Europe/Berlin".parse().unwrap());
        // 2026-10-25 has 25 hours there.
        let noon = 1_792_926_000;
        assert_eq!(window.day_of(noon).unwrap().to_string(), "2026-10-25");
        let end = window.end_of_day(noon).unwrap();
        assert_eq!(window.format(end).unwrap(), "2026-10-26T00:00:00+01:00");
        assert_eq!(window.end_of_day(end - 1), Some(end));
        assert_eq!(window.end_of_day(i64::MAX), None);
    }
}
