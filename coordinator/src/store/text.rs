//! Text from outside, as a column takes it.

use std::borrow::Cow;

/// Returns `text` without the one character that PostgreSQL has no room for in a text. A message that holds it must
/// not be what keeps an outcome from being recorded.
pub(super) fn storable(text: &str) -> Cow<'_, str> {
    match text.contains('\0') {
        true => Cow::Owned(text.replace('\0', "\u{fffd}")),
        false => Cow::Borrowed(text),
    }
}
