//! From sums to the rows of the report, a file for each chapter.

pub(super) mod community;
pub(super) mod flow;
pub(super) mod groups;
pub(super) mod people;
pub(super) mod risk;
pub(super) mod scalars;
pub(super) mod source;
pub(super) mod work;

use chrono::DateTime;

/// Returns an instant in UTC, or `None` where no calendar holds it.
fn instant(seconds: Option<i64>) -> Option<String> {
    let time = DateTime::from_timestamp(seconds?, 0)?;
    Some(time.to_rfc3339_opts(chrono::SecondsFormat::Secs, true))
}

/// Rows of a list are kept up to this many; the counts know of all.
const MOST_LISTED: usize = 1_000;

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
