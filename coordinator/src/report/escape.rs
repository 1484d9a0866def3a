//! Text that strangers wrote (names, e-mails, paths, messages of failures), made safe to show to people.
//!
//! A repository may hold any characters as an author's name: markup, line breaks, or marks which turn the reading
//! direction so that a row says something else than it holds. What cannot be seen is shown as U+FFFD, and very long
//! text is cut; the exact text is always in JSON and CSV.

use std::fmt::{self, Display, Write};

/// Longest name shown, in characters: beyond it a single author could push all others out of a table.
const NAME_LIMIT: usize = 80;
/// Longest other text shown, in characters.
const TEXT_LIMIT: usize = 1_000;

/// Returns the text for an HTML element or a quoted attribute.
pub(crate) fn html(text: &str) -> impl Display + '_ {
    Shown { text, limit: TEXT_LIMIT, write: write_html }
}

/// Returns the text as [`html`] does, cut to the length of a name.
pub(super) fn html_name(text: &str) -> impl Display + '_ {
    Shown { text, limit: NAME_LIMIT, write: write_html }
}

/// Returns the text for the middle of a Markdown line or a table cell (GitHub's flavour or plain).
pub(super) fn markdown(text: &str) -> impl Display + '_ {
    Shown { text, limit: TEXT_LIMIT, write: write_markdown }
}

/// Returns the text as [`markdown`] does, cut to the length of a name.
pub(super) fn markdown_name(text: &str) -> impl Display + '_ {
    Shown { text, limit: NAME_LIMIT, write: write_markdown }
}

/// Says whether a character is invisible, breaks the line or turns the reading direction.
///
/// The joiners U+200C and U+200D are no part of it: Persian and Indic names and many emoji need them.
pub(super) fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{AD}'
                | '\u{61C}'
                | '\u{180E}'
                | '\u{200B}'
                | '\u{200E}'
                | '\u{200F}'
                | '\u{2028}'..='\u{202E}'
                | '\u{2060}'..='\u{206F}'
                | '\u{FEFF}'
                | '\u{FFF9}'..='\u{FFFB}'
                | '\u{E0000}'..='\u{E007F}'
        )
}

struct Shown<'a> {
    text: &'a str,
    limit: usize,
    write: fn(&mut fmt::Formatter<'_>, char) -> fmt::Result,
}

impl Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.text.trim().is_empty() {
            // An empty cell would read as a fault of the report.
            return f.write_str("(empty)");
        }
        for (i, c) in self.text.chars().enumerate() {
            if i == self.limit {
                return f.write_char('…');
            }
            (self.write)(f, visible(c))?;
        }
        Ok(())
    }
}

fn visible(c: char) -> char {
    match c {
        '\t' | '\n' | '\r' | '\u{2028}' | '\u{2029}' => ' ',
        c if is_hidden(c) => char::REPLACEMENT_CHARACTER,
        c => c,
    }
}

fn write_html(f: &mut fmt::Formatter<'_>, c: char) -> fmt::Result {
    match c {
        '&' => f.write_str("&amp;"),
        '<' => f.write_str("&lt;"),
        '>' => f.write_str("&gt;"),
        '"' => f.write_str("&quot;"),
        '\'' => f.write_str("&#39;"),
        c => f.write_char(c),
    }
}

fn write_markdown(f: &mut fmt::Formatter<'_>, c: char) -> fmt::Result {
    match c {
        '&' => f.write_str("&amp;"),
        '<' => f.write_str("&lt;"),
        '>' => f.write_str("&gt;"),
        // Entities, because renderers disagree on what a backslash before these means inside a table.
        '|' => f.write_str("&#124;"),
        '\\' => f.write_str("&#92;"),
        '`' => f.write_str("&#96;"),
        '*' | '_' | '[' | ']' | '~' | '$' => write!(f, "\\{c}"),
        c => f.write_char(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_has_no_live_markup() {
        fn check(text: &str, expect: &str) {
            assert_eq!(html(text).to_string(), expect);
        }
        check("Zoë & <b>\"'", "Zoë &amp; &lt;b&gt;&quot;&#39;");
        check("a\r\n\tb", "a   b");
        check("nul\0 bell\x07 csi\u{9b}", "nul\u{FFFD} bell\u{FFFD} csi\u{FFFD}");
        check("ab\u{202E}gnp.exe\u{2066}", "ab\u{FFFD}gnp.exe\u{FFFD}");
        check("tag\u{E0041} zero\u{200B}", "tag\u{FFFD} zero\u{FFFD}");
        check("می\u{200C}خواهم 👩\u{200D}💻", "می\u{200C}خواهم 👩\u{200D}💻");
        check("", "(empty)");
        check(" \n", "(empty)");
    }

    #[test]
    fn markdown_has_no_live_markup() {
        fn check(text: &str, expect: &str) {
            assert_eq!(markdown(text).to_string(), expect);
        }
        check("a|b\\|c", "a&#124;b&#92;&#124;c");
        check("`code` <img src=x>", "&#96;code&#96; &lt;img src=x&gt;");
        check("line\nbreak\u{202E}", "line break\u{FFFD}");
        check("[x](y) *z* _w_", "\\[x\\](y) \\*z\\* \\_w\\_");
        check("&lt;", "&amp;lt;");
    }

    #[test]
    fn long_names_are_cut_by_characters() {
        let exact = "é".repeat(NAME_LIMIT);
        assert_eq!(html_name(&exact).to_string(), exact);
        assert_eq!(html_name(&"é".repeat(NAME_LIMIT + 1)).to_string(), format!("{exact}…"));
        assert_eq!(markdown_name(&"<".repeat(200)).to_string(), format!("{}…", "&lt;".repeat(NAME_LIMIT)));
    }
}
