//! Numbers as people read them. The machine forms (JSON, CSV) never come here.

/// Returns the number with a comma between thousands, such as "1,234,567".
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Returns the number as [`grouped`] does, with a minus sign where it is negative.
pub(super) fn signed(n: i64) -> String {
    let sign = if n < 0 { "-" } else { "" };
    format!("{sign}{}", grouped(n.unsigned_abs()))
}

/// Returns a number short enough for an axis, such as "2.5k" or "40M"; at most one decimal, cut and not rounded.
pub(super) fn compact(n: u128) -> String {
    const UNITS: [(u128, &str); 6] = [
        (1_000_000_000_000_000_000, "E"),
        (1_000_000_000_000_000, "P"),
        (1_000_000_000_000, "T"),
        (1_000_000_000, "G"),
        (1_000_000, "M"),
        (1_000, "k"),
    ];
    let Some((unit, suffix)) = UNITS.into_iter().find(|(unit, _)| n >= *unit) else {
        return n.to_string();
    };
    match n % unit / (unit / 10) {
        0 => format!("{}{suffix}", n / unit),
        tenth => format!("{}.{tenth}{suffix}", n / unit),
    }
}

/// Returns the share in percent with one decimal, such as "12.5%"; "0.0%" of nothing.
pub(super) fn percent(part: u64, whole: u64) -> String {
    format!("{:.1}%", share(part, whole) * 100.0)
}

/// Returns the part of the whole between 0 and 1; 0 of nothing.
pub(super) fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// Returns the count with its noun in the right number, such as "1 week" or "2,000 weeks".
pub(super) fn counted(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(n), if n == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_separated() {
        for (n, expect) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (12_345, "12,345"),
            (123_456, "123,456"),
            (1_234_567, "1,234,567"),
            (u64::MAX, "18,446,744,073,709,551,615"),
        ] {
            assert_eq!(grouped(n), expect);
        }
        for (n, expect) in [(-1_234, "-1,234"), (7, "7"), (i64::MIN, "-9,223,372,036,854,775,808")] {
            assert_eq!(signed(n), expect);
        }
    }

    #[test]
    fn axis_labels_are_short() {
        for (n, expect) in [
            (0, "0"),
            (950, "950"),
            (1_000, "1k"),
            (2_500, "2.5k"),
            (40_000_000, "40M"),
            (20_000_000_000_000_000_000, "20E"),
        ] {
            assert_eq!(compact(n), expect);
        }
    }

    #[test]
    fn shares_of_nothing_are_nothing() {
        assert_eq!(percent(1, 8), "12.5%");
        assert_eq!(percent(0, 0), "0.0%");
        assert_eq!(counted(1, "week", "weeks"), "1 week");
        assert_eq!(counted(2_000, "week", "weeks"), "2,000 weeks");
    }
}
