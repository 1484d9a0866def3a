//! When a schedule fires: a cron pattern in the clock of a zone, and hours of the day outside of which it waits.
//!
//! The pattern is read as the clock on a wall says it. A time that the clock skips fires at the first instant after the
//! gap, a time that comes twice at its first coming, and times that meet at one instant fire once.

use chrono::{
    DateTime, Days, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone as _, Utc,
};
use chrono_tz::Tz;
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};

#[derive(Debug, Clone)]
pub struct Timetable {
    cron: Cron,
    zone: Tz,
    hours: Option<Hours>,
}

/// From a time of the day on, up to and without another, perhaps of the next day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Hours {
    begin: NaiveTime,
    end: NaiveTime,
}

/// No clock was ever put forward by more minutes.
const LONGEST_GAP: usize = 2 * 24 * 60;
/// Times of the pattern that may fall together before the next firing: two days of every minute, and to spare.
const MOST_TOGETHER: usize = 5_000;
/// How far back the last of many firings is looked for, step by step.
const SPANS: [TimeDelta; 5] = [
    TimeDelta::hours(1),
    TimeDelta::days(1),
    TimeDelta::days(40),
    TimeDelta::days(400),
    TimeDelta::days(40 * 366),
];

impl Timetable {
    /// # Errors
    ///
    /// Where the pattern has not five fields that name a time, the zone is none, or the hours are none; in words.
    pub fn read(cron: &str, zone: &str, hours: Option<&str>) -> Result<Self, String> {
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let pattern = parser.parse(cron).map_err(|error| {
            format!("{cron:?} is no cron pattern (minute hour day month weekday, as 0 2 * * 1-5): {error}")
        })?;
        let zone: Tz = zone
            .parse()
            .map_err(|_| format!("{zone:?} is no zone of the IANA list; write it as Europe/Berlin"))?;
        let timetable = Self { cron: pattern, zone, hours: hours.map(Hours::read).transpose()? };
        // The 30th of February has no next time, and would wait for ever without a word.
        let never = || format!("{cron:?} names no day that ever comes");
        timetable.after(DateTime::UNIX_EPOCH.timestamp_millis() + 50 * 366 * DAY_MILLIS).ok_or_else(never)?;
        Ok(timetable)
    }

    pub fn zone(&self) -> Tz {
        self.zone
    }

    /// Returns the first firing after `millis`, in UTC milliseconds; `None` where there is none within the calendar.
    pub fn after(&self, millis: i64) -> Option<i64> {
        let after = DateTime::from_timestamp_millis(millis)?;
        let mut wall = self.search_from(after.with_timezone(&self.zone).naive_local())?;
        for _ in 0..MOST_TOGETHER {
            wall = self.cron.find_next_occurrence(&wall, false).ok()?;
            let due = self.instant(self.hours.map_or(Some(wall), |hours| hours.shift(wall))?)?;
            if due > after {
                return Some(due.timestamp_millis());
            }
        }
        None
    }

    /// Returns the last firing from `first` on that is not after `until`; both in UTC milliseconds.
    pub fn last(&self, first: i64, until: i64) -> Option<i64> {
        for span in SPANS {
            let begin = until.saturating_sub(span.num_milliseconds()).max(first).saturating_sub(1);
            let mut last = None;
            let mut at = begin;
            while let Some(due) = self.after(at).filter(|due| *due <= until) {
                last = Some(due);
                at = due;
            }
            if last.is_some() || begin < first {
                return last;
            }
        }
        None
    }

    /// Returns from where on the pattern is asked: what became due while the hours had ended waits for their begin, and
    /// may be the next.
    fn search_from(&self, wall: NaiveDateTime) -> Option<NaiveDateTime> {
        match self.hours {
            Some(hours) if !hours.contain(wall.time()) => {
                hours.ended_before(wall)?.checked_sub_signed(TimeDelta::seconds(1))
            }
            _ => Some(wall),
        }
    }

    /// Returns when the clock on the wall first says this, or the first instant after, where it never does.
    fn instant(&self, mut wall: NaiveDateTime) -> Option<DateTime<Utc>> {
        for _ in 0..LONGEST_GAP {
            match self.zone.from_local_datetime(&wall) {
                LocalResult::Single(instant) | LocalResult::Ambiguous(instant, _) => {
                    return Some(instant.with_timezone(&Utc));
                }
                LocalResult::None => wall = wall.checked_add_signed(TimeDelta::minutes(1))?,
            }
        }
        None
    }
}

const DAY_MILLIS: i64 = 24 * 60 * 60 * 1_000;

impl Hours {
    fn read(text: &str) -> Result<Self, String> {
        let time = |text: &str| NaiveTime::parse_from_str(text.trim(), "%H:%M").ok();
        let parts = text.split_once('-').and_then(|(begin, end)| Some((time(begin)?, time(end)?)));
        match parts {
            Some((begin, end)) if begin != end => Ok(Self { begin, end }),
            _ => Err(format!("{text:?} are no hours of a day; write them as 20:00-06:00")),
        }
    }

    fn contain(self, time: NaiveTime) -> bool {
        match self.begin < self.end {
            true => self.begin <= time && time < self.end,
            false => self.begin <= time || time < self.end,
        }
    }

    /// Returns a time inside, which is this one or the next begin.
    fn shift(self, wall: NaiveDateTime) -> Option<NaiveDateTime> {
        if self.contain(wall.time()) {
            return Some(wall);
        }
        let today = wall.time() < self.begin;
        let day: NaiveDate = if today { wall.date() } else { wall.date().checked_add_days(Days::new(1))? };
        Some(day.and_time(self.begin))
    }

    /// Returns the last end before a time outside.
    fn ended_before(self, wall: NaiveDateTime) -> Option<NaiveDateTime> {
        let today = wall.time() >= self.end;
        let day = if today { wall.date() } else { wall.date().checked_sub_days(Days::new(1))? };
        Some(day.and_time(self.end))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn millis(text: &str) -> i64 {
        DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis()
    }

    /// Asserts the firings after an instant, each as the clock of the zone says it.
    #[track_caller]
    fn check(cron: &str, zone: &str, hours: Option<&str>, after: &str, expect: &[&str]) {
        let timetable = Timetable::read(cron, zone, hours).unwrap();
        let mut at = millis(after);
        let mut got = Vec::new();
        for _ in expect {
            at = timetable.after(at).unwrap();
            got.push(
                DateTime::from_timestamp_millis(at).unwrap().with_timezone(&timetable.zone).to_rfc3339(),
            );
        }
        assert_eq!(got, expect, "{cron} {zone} {hours:?}");
    }

    #[test]
    fn a_pattern_is_read_by_the_clock_of_its_zone() {
        check(
            "0 2 * * 1-5",
            "Europe/Berlin",
            None,
            "2026-01-01T23:00:00Z",
            &["2026-01-02T02:00:00+01:00", "2026-01-05T02:00:00+01:00", "2026-01-06T02:00:00+01:00"],
        );
        check("@daily", "UTC", None, "2026-02-28T00:00:00Z", &["2026-03-01T00:00:00+00:00"]);
        check("30 4 29 2 *", "UTC", None, "2026-01-01T00:00:00Z", &["2028-02-29T04:30:00+00:00"]);
        check("0 0 * * MON", "UTC", None, "2026-01-05T00:00:00Z", &["2026-01-12T00:00:00+00:00"]);
    }

    #[test]
    fn a_time_that_does_not_exist_fires_once_right_after() {
        // Berlin, 29 March 2026: 02:00 to 03:00 is skipped.
        check(
            "30 2 * * *",
            "Europe/Berlin",
            None,
            "2026-03-28T00:00:00Z",
            &["2026-03-28T02:30:00+01:00", "2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"],
        );
        // All that was skipped meets what stands there anyway, and is one firing.
        check(
            "*/20 2,3 * * *",
            "Europe/Berlin",
            None,
            "2026-03-29T00:00:00Z",
            &["2026-03-29T03:00:00+02:00", "2026-03-29T03:20:00+02:00", "2026-03-29T03:40:00+02:00"],
        );
        // Lord Howe skips half an hour; Samoa skipped the whole 30 December 2011.
        check(
            "15 2 * * *",
            "Australia/Lord_Howe",
            None,
            "2026-10-03T12:00:00Z",
            &["2026-10-04T02:30:00+11:00"],
        );
        check(
            "0 12 30 12 *",
            "Pacific/Apia",
            None,
            "2011-12-29T00:00:00Z",
            &["2011-12-31T00:00:00+14:00", "2012-12-30T12:00:00+14:00"],
        );
    }

    #[test]
    fn a_time_that_comes_twice_fires_once() {
        // Berlin, 25 October 2026: 02:00 to 03:00 comes twice.
        check(
            "30 2 * * *",
            "Europe/Berlin",
            None,
            "2026-10-24T00:30:00Z",
            &["2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"],
        );
        // Whoever asks during the second coming has had the first.
        check("30 2 * * *", "Europe/Berlin", None, "2026-10-25T01:15:00Z", &["2026-10-26T02:30:00+01:00"]);
        check(
            "0 * * * *",
            "Europe/Berlin",
            None,
            "2026-10-24T23:30:00Z",
            &["2026-10-25T02:00:00+02:00", "2026-10-25T03:00:00+01:00"],
        );
    }

    #[test]
    fn what_is_due_outside_the_hours_waits_for_their_begin() {
        let night = Some("20:00-06:00");
        check(
            "0 */4 * * *",
            "UTC",
            night,
            "2026-01-01T03:00:00Z",
            &[
                "2026-01-01T04:00:00+00:00",
                // 08:00, 12:00, 16:00 and 20:00 itself.
                "2026-01-01T20:00:00+00:00",
                "2026-01-02T00:00:00+00:00",
            ],
        );
        // Asked in the middle of the day, with something waiting since the morning.
        check("0 9 * * *", "UTC", night, "2026-01-01T12:00:00Z", &["2026-01-01T20:00:00+00:00"]);
        // The end is outside.
        check("0 6 * * *", "UTC", night, "2026-01-01T06:00:00Z", &["2026-01-01T20:00:00+00:00"]);
        check("0 6 * * *", "UTC", night, "2026-01-01T05:59:00Z", &["2026-01-01T20:00:00+00:00"]);
        let noon = Some("12:00-13:00");
        check("0 18 * * *", "UTC", noon, "2026-01-01T10:00:00Z", &["2026-01-01T12:00:00+00:00"]);
        check("0 18 1 * *", "UTC", noon, "2026-01-02T10:00:00Z", &["2026-01-02T12:00:00+00:00"]);
        // Hours that begin where the clock skips begin right after.
        check(
            "0 1 * * *",
            "Europe/Berlin",
            Some("02:30-05:00"),
            "2026-03-28T12:00:00Z",
            &["2026-03-29T03:00:00+02:00"],
        );
    }

    #[test]
    fn the_last_of_many_is_found() {
        for (cron, first, until, last) in [
            ("* * * * *", "2020-01-01T00:00:00Z", "2026-01-01T00:00:30Z", Some("2026-01-01T00:00:00Z")),
            ("0 2 * * *", "2020-01-01T02:00:00Z", "2026-01-01T01:59:59Z", Some("2025-12-31T02:00:00Z")),
            ("0 0 1 1 *", "2020-01-01T00:00:00Z", "2026-12-31T00:00:00Z", Some("2026-01-01T00:00:00Z")),
            ("0 0 29 2 *", "2024-02-29T00:00:00Z", "2027-12-31T00:00:00Z", Some("2024-02-29T00:00:00Z")),
            ("0 2 * * *", "2026-01-01T02:00:00Z", "2026-01-01T02:00:00Z", Some("2026-01-01T02:00:00Z")),
            ("0 2 * * *", "2026-01-01T02:00:01Z", "2026-01-01T03:00:00Z", None),
        ] {
            let timetable = Timetable::read(cron, "UTC", None).unwrap();
            assert_eq!(timetable.last(millis(first), millis(until)), last.map(millis), "{cron} {first}");
        }
    }

    #[test]
    fn what_is_no_timetable_is_refused_with_its_reason() {
        for (cron, zone, hours, word) in [
            ("0 2 * *", "UTC", None, "cron pattern"),
            ("0 0 2 * * *", "UTC", None, "cron pattern"),
            ("61 2 * * *", "UTC", None, "cron pattern"),
            ("", "UTC", None, "cron pattern"),
            ("0 0 30 2 *", "UTC", None, "ever comes"),
            ("0 2 * * *", "Berlin", None, "IANA"),
            ("0 2 * * *", "UTC", Some("20-6"), "hours of a day"),
            ("0 2 * * *", "UTC", Some("06:00-06:00"), "hours of a day"),
        ] {
            let refused = Timetable::read(cron, zone, hours).unwrap_err();
            assert!(refused.contains(word), "{cron} {zone} {hours:?}: {refused}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

        #[test]
        fn firings_only_go_forward(
            minute in 0_u32..60,
            hour in prop::sample::select(vec!["*", "*/3", "0-6", "1,2,3", "23"]),
            day in prop::sample::select(vec!["*", "1", "L", "10-20"]),
            weekday in prop::sample::select(vec!["*", "1-5", "0"]),
            zone in prop::sample::select(
                vec!["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"],
            ),
            hours in prop::sample::select(vec![None, Some("20:00-06:00"), Some("01:30-02:30")]),
            from in 1_262_304_000_i64..1_893_456_000,
        ) {
            let timetable =
                Timetable::read(&format!("{minute} {hour} {day} * {weekday}"), zone, hours).unwrap();
            let mut at = from * 1_000;
            for _ in 0..6 {
                let next = timetable.after(at).unwrap();
                prop_assert!(next > at);
                // Nothing lies between: asked from anywhere before it, the next one is the same.
                prop_assert_eq!(timetable.after(at + (next - at) / 2), Some(next));
                prop_assert_eq!(timetable.after(next - 1), Some(next));
                prop_assert_eq!(timetable.last(at + 1, next), Some(next));
                let wall = DateTime::from_timestamp_millis(next).unwrap().with_timezone(&timetable.zone);
                prop_assert!(timetable.hours.is_none_or(|hours| hours.contain(wall.time())
                    // A clock that skips the whole of the hours begins them where it goes on.
                    || timetable.zone.from_local_datetime(&wall.date_naive().and_time(hours.begin)) == LocalResult::None));
                at = next;
            }
        }
    }
}
