//! The `.env` file beside the configuration: `NAME=value` lines, quotes, comments, `export`. References to other
//! variables inside it are not followed: a value means what it says.

use std::collections::BTreeMap;

/// A value with the line it stands at.
pub(super) struct Line {
    pub(super) value: String,
    pub(super) line: usize,
}

#[derive(Default)]
pub(super) struct DotEnv {
    pub(super) values: BTreeMap<String, Line>,
    /// Lines that are no assignment. Their text is not kept: it may be half a secret.
    pub(super) strange: Vec<usize>,
}

/// Reads assignments; of two for the same name the later wins, as in a shell.
pub(super) fn parse(text: &str) -> DotEnv {
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut line = 1;
    let mut dotenv = DotEnv::default();
    while !rest.is_empty() {
        let end = rest.find('\n').map_or(rest.len(), |newline| newline + 1);
        let words = rest[..end].trim();
        let mut used = end;
        if !words.is_empty() && !words.starts_with('#') {
            match assignment(rest, end) {
                Some((name, value, length)) => {
                    dotenv.values.insert(name.to_owned(), Line { value, line });
                    used = length;
                }
                None => dotenv.strange.push(line),
            }
        }
        line += rest[..used].matches('\n').count();
        rest = &rest[used..];
    }
    dotenv
}

/// Reads one assignment from the start of `rest`, whose first line is `end` bytes long. Returns the name, the value
/// and how many bytes were used: a quoted value may run over several lines.
fn assignment(rest: &str, end: usize) -> Option<(&str, String, usize)> {
    let equals = rest[..end].find('=')?;
    let name = rest[..equals].trim();
    let name = name.strip_prefix("export ").map_or(name, str::trim);
    if !is_name(name) {
        return None;
    }
    let value = rest[equals + 1..].trim_start_matches([' ', '\t']);
    let start = rest.len() - value.len();
    match value.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        None => Some((name, bare(rest[start..end.max(start)].trim_end()).to_owned(), end)),
        Some(quote) => {
            let (value, length) = quoted(value, quote)?;
            let closed = start + length;
            let line_end = rest[closed..].find('\n').map_or(rest.len(), |newline| closed + newline + 1);
            Some((name, value, line_end))
        }
    }
}

/// Reads up to the closing quote. Double quotes know the usual escapes, single quotes none.
fn quoted(text: &str, quote: char) -> Option<(String, usize)> {
    let mut value = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((index, c)) = chars.next() {
        match c {
            _ if c == quote => return Some((value, index + 1)),
            '\\' if quote == '"' => match chars.next()?.1 {
                'n' => value.push('\n'),
                'r' => value.push('\r'),
                't' => value.push('\t'),
                other => value.push(other),
            },
            _ => value.push(c),
        }
    }
    None
}

pub(super) fn is_name(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty()
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// An unquoted value ends at a comment; a `#` without a space before it belongs to the value.
fn bare(value: &str) -> &str {
    if value.starts_with('#') {
        return "";
    }
    value.find(" #").map_or(value, |comment| &value[..comment]).trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_assignments_as_a_shell_user_writes_them() {
        for (text, expect) in [
            ("", ""),
            ("A=1", "A=1@1"),
            ("\u{feff}A=1\r\nB=2\r\n", "A=1@1 B=2@2"),
            ("# note\n\n  export A = x y  # why\n", "A=x y@3"),
            ("A=a#b", "A=a#b@1"),
            ("A=#b", "A=@1"),
            ("A=\nB=2", "A=@1 B=2@2"),
            ("A='x # ${Y} \\n'  # note", "A=x # ${Y} \\n@1"),
            (r#"A="x\"y\\z""#, r#"A=x"y\z@1"#),
            ("A=\"one\ntwo\" # note\nB=3", "A=one\ntwo@1 B=3@3"),
            ("A=1\nA=2", "A=2@2"),
            ("A=x=y", "A=x=y@1"),
            ("just words\n1A=2\nA-B=3\n=4\nA=\"open\nB=1", "!1 !2 !3 !4 !5 B=1@6"),
        ] {
            let dotenv = parse(text);
            let strange = dotenv.strange.iter().map(|line| format!("!{line}"));
            let values =
                dotenv.values.iter().map(|(name, Line { value, line })| format!("{name}={value}@{line}"));
            assert_eq!(strange.chain(values).collect::<Vec<_>>().join(" "), expect, "{text}");
        }
    }
}
