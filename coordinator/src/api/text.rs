//! What a text must not hold: said with the name of its field, before a database refuses it without one.

use super::Problem;

/// Refuses what is not for eyes: names and labels are printed, and compared by who reads them.
pub(super) fn printable(field: &str, text: &str) -> Result<(), Problem> {
    match text.chars().any(char::is_control) {
        true => Err(Problem::invalid(format!("{field} holds a control character"))
            .hint("names, keys and labels are printable text")),
        false => Ok(()),
    }
}

/// Refuses the one character that neither a path nor a text of PostgreSQL can hold.
pub(super) fn without_nul(field: &str, text: &str) -> Result<(), Problem> {
    match text.contains('\0') {
        true => Err(Problem::invalid(format!("{field} holds a NUL character"))),
        false => Ok(()),
    }
}
