//! Sentences to whoever runs the command, on stderr.

#![expect(clippy::print_stderr, reason = "this is the one place that talks")]

/// Prints an error. Text from repositories and URLs is made harmless for terminals.
pub(crate) fn error(text: &str) {
    eprintln!("error: {}", harmless(text));
}

pub(crate) fn warning(text: &str) {
    eprintln!("warning: {}", harmless(text));
}

pub(crate) fn hint(text: &str) {
    eprintln!("  hint: {}", harmless(text));
}

pub(crate) fn line(text: &str) {
    eprintln!("{}", harmless(text));
}

/// Returns `text` without control characters, which could move the cursor or retitle the window; newlines stay.
pub(crate) fn harmless(text: &str) -> String {
    let hostile = |c: char| {
        (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|c| if hostile(c) { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminals_are_not_steered() {
        assert_eq!(harmless("a\u{1b}]0;x\u{7}b\u{202e}c\nd"), "a\u{fffd}]0;x\u{fffd}b\u{fffd}c\nd");
    }
}
