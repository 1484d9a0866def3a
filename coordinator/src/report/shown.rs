//! Cells of tables as people read them: shares in percent, spans in minutes to years, unknown as a dash. The machine
//! forms (JSON, CSV, Parquet) never come here.

use gitfleet_shared::metrics::share::Ratio;

use super::number::{grouped, signed};
use super::row::{Cell, Column, Kind, Table};

/// How the numbers of a column are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Text,
    /// An object id, of which the beginning is enough for people.
    Object,
    Number,
    /// A number that is a name, such as that of a pull request.
    Name,
    Percent,
    /// Seconds.
    Span,
    /// Hundredths.
    Points,
    Flag,
}

const OBJECT_DIGITS: usize = 10;

/// What stands where nothing is known.
pub(super) const UNKNOWN: &str = "-";

/// Returns how a column is read, which its name says beside its kind.
pub(super) fn unit(column: &Column) -> Unit {
    let name = column.name;
    match column.kind {
        Kind::Flag => Unit::Flag,
        Kind::Text if matches!(name, "commit" | "victim") => Unit::Object,
        Kind::Text => Unit::Text,
        _ if name == "number" => Unit::Name,
        _ if name.ends_with("_seconds") => Unit::Span,
        _ if name.ends_with("_hundredths") => Unit::Points,
        Kind::Ratio if name.contains("share") || name.contains("rate") || name == "surviving" => {
            Unit::Percent
        }
        _ => Unit::Number,
    }
}

/// Returns the title of a column: its name in words, without the unit that its cells carry.
pub(super) fn title(column: &Column) -> String {
    let name = match column.name {
        "story_point_hundredths" => "story_points",
        "ai_assisted" => "AI_assisted",
        "co_authored" => "co-authored",
        name => name.strip_suffix("_seconds").unwrap_or(name),
    };
    let words = name.replace('_', " ");
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// Says whether a column is set to the right.
pub(super) fn is_number(column: &Column) -> bool {
    !matches!(unit(column), Unit::Text | Unit::Object | Unit::Flag)
}

/// Returns how each cell of a row is read. The values of `metrics` have their unit beside them.
pub(super) fn units(table: &Table, row: &[Cell]) -> Vec<Unit> {
    let said = table.columns.iter().zip(row).find_map(|(column, cell)| match cell {
        Cell::Text(text) if column.name == "unit" => Some(text.as_str()),
        _ => None,
    });
    let of = |column: &Column| match (column.name, said) {
        ("value", Some("share")) => Unit::Percent,
        ("value", Some("seconds")) => Unit::Span,
        _ => unit(column),
    };
    table.columns.iter().map(of).collect()
}

/// Returns the text of a cell, not yet made safe for any form; nothing where it is not known.
pub(super) fn text(cell: &Cell, unit: Unit) -> Option<String> {
    Some(match (cell, unit) {
        (Cell::Null, _) => return None,
        (Cell::Text(text), Unit::Object) => text.chars().take(OBJECT_DIGITS).collect(),
        (Cell::Text(text), _) => text.clone(),
        (Cell::Flag(flag), _) => if *flag { "yes" } else { "no" }.to_owned(),
        (Cell::Count(n), Unit::Points) => points(*n),
        (Cell::Count(n), Unit::Name) => n.to_string(),
        (Cell::Count(n), _) => grouped(*n),
        (Cell::Signed(seconds), Unit::Span) => span(*seconds),
        (Cell::Signed(n), _) => signed(*n),
        (Cell::Ratio(ratio), Unit::Percent) => percent(*ratio),
        (Cell::Ratio(ratio), Unit::Span) => span(ratio.ten_thousandths() / 10_000),
        (Cell::Ratio(ratio), _) => decimal(*ratio),
    })
}

/// Returns a share in percent with one decimal, such as "12.5%".
pub(super) fn percent(share: Ratio) -> String {
    let tenths = (i128::from(share.ten_thousandths()) + 5).div_euclid(10);
    let sign = if tenths < 0 { "-" } else { "" };
    format!("{sign}{}.{}%", tenths.unsigned_abs() / 10, tenths.unsigned_abs() % 10)
}

/// Returns a ratio with as many decimals as tell something: none of a whole number, two at most of others.
pub(super) fn decimal(ratio: Ratio) -> String {
    let hundredths = (i128::from(ratio.ten_thousandths()) + 50).div_euclid(100);
    let sign = if hundredths < 0 { "-" } else { "" };
    let whole = u64::try_from(hundredths.unsigned_abs() / 100).unwrap_or(u64::MAX);
    match hundredths.unsigned_abs() % 100 {
        0 => format!("{sign}{}", grouped(whole)),
        part => format!("{sign}{}.{part:02}", grouped(whole)),
    }
}

fn points(hundredths: u64) -> String {
    match hundredths % 100 {
        0 => grouped(hundredths / 100),
        part => format!("{}.{part:02}", grouped(hundredths / 100)),
    }
}

/// Returns a span in the unit in which people think of it: "40 min", "5.5 h", "12.0 days", "3.1 years".
pub(super) fn span(seconds: i64) -> String {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    /// Of the Gregorian calendar: 365.2425 days.
    const YEAR: u64 = 31_556_952;
    let sign = if seconds < 0 { "-" } else { "" };
    let tenths = |unit: u64| {
        let seconds = seconds.unsigned_abs();
        let (whole, rest) = (seconds / unit, seconds % unit);
        format!("{}.{}", grouped(whole), rest * 10 / unit)
    };
    match seconds.unsigned_abs() {
        n if n < MINUTE => format!("{sign}{n} s"),
        n if n < HOUR => format!("{sign}{} min", n / MINUTE),
        n if n < 2 * DAY => format!("{sign}{} h", tenths(HOUR)),
        n if n < 2 * YEAR => format!("{sign}{} days", tenths(DAY)),
        _ => format!("{sign}{} years", tenths(YEAR)),
    }
}

/// Returns a number of days as [`span`] does.
pub(super) fn days(days: i64) -> String {
    if days.unsigned_abs() < 730 {
        format!("{} days", signed(days))
    } else {
        span(days.saturating_mul(86_400))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_said_in_the_unit_people_think_in() {
        for (seconds, expect) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (5_400, "1.5 h"),
            (86_400, "24.0 h"),
            (172_800, "2.0 days"),
            (31_556_952, "365.2 days"),
            (94_670_856, "3.0 years"),
            (-5_400, "-1.5 h"),
        ] {
            assert_eq!(span(seconds), expect);
        }
        assert!(span(i64::MIN).starts_with("-292,277,0"));
        assert_eq!((days(21).as_str(), days(1_461).as_str()), ("21 days", "4.0 years"));
    }

    #[test]
    fn ratios_are_rounded_half_up() {
        let ratio = Ratio::from_ten_thousandths;
        for (n, expect) in
            [(1_250, "12.5%"), (10_000, "100.0%"), (4, "0.0%"), (5, "0.1%"), (-1_250, "-12.5%")]
        {
            assert_eq!(percent(ratio(n)), expect);
        }
        for (n, expect) in [(30_000, "3"), (12_345, "1.23"), (12_350, "1.24"), (-5_000, "-0.50")] {
            assert_eq!(decimal(ratio(n)), expect);
        }
        assert!(percent(ratio(i64::MAX)).ends_with('%') && decimal(ratio(i64::MIN)).starts_with('-'));
    }

    #[test]
    fn names_say_how_a_column_is_read() {
        let column = |name, kind| Column { name, about: "", kind, may_be_null: true };
        for (name, kind, expect, title_of) in [
            ("lead_median_seconds", Kind::Signed, Unit::Span, "Lead median"),
            ("owner_share", Kind::Ratio, Unit::Percent, "Owner share"),
            ("change_fail_rate", Kind::Ratio, Unit::Percent, "Change fail rate"),
            ("entropy", Kind::Ratio, Unit::Number, "Entropy"),
            ("story_point_hundredths", Kind::Count, Unit::Points, "Story points"),
            ("commit", Kind::Text, Unit::Object, "Commit"),
            ("commits", Kind::Count, Unit::Number, "Commits"),
            ("number", Kind::Count, Unit::Name, "Number"),
            ("reapplied", Kind::Flag, Unit::Flag, "Reapplied"),
        ] {
            let column = column(name, kind);
            assert_eq!((unit(&column), title(&column).as_str()), (expect, title_of), "{name}");
        }
        assert_eq!(text(&Cell::Null, Unit::Span), None);
        assert_eq!(text(&Cell::Count(250), Unit::Points).as_deref(), Some("2.50"));
        assert_eq!(text(&Cell::Text("é".repeat(40)), Unit::Object), Some("é".repeat(10)));
    }
}
