//! From a subject to its words: tickets, tags and module names taken off the front, words brought to their stems.

use std::sync::LazyLock;

use regex::Regex;

use crate::words::patterns::own;

/// A word of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub stem: String,
    /// An identifier: its parts are no words of the message.
    pub code: bool,
    /// As written, for identifiers.
    pub raw: String,
    /// A comma or the end of a sentence stands before it.
    pub after_break: bool,
}

/// A subject, taken apart.
#[derive(Debug, Default)]
pub(super) struct Subject<'t> {
    /// What stood in brackets or before a colon.
    pub tags: Vec<&'t str>,
    pub rest: &'t str,
}

static TICKET: LazyLock<Regex> = LazyLock::new(|| {
    own(
        r"^(?:(?:issues?|bug|ticket|jira|pr)\s*#?\s*\d+|#\d+|[A-Za-z][A-Za-z0-9_]*(?:-[A-Z]+)?-\d+(?:\.)?)(?:[\s:.,;)\]/-]|$)\s*",
    )
});
static BRACKET: LazyLock<Regex> = LazyLock::new(|| own(r"^[\[({]([^\[\](){}]{1,60})[\])}]\s*"));
static PREFIX: LazyLock<Regex> = LazyLock::new(|| own(r"^([\w@/.,*+&|{}()-]+(?: [\w@/.,*+&-]+){0,2})\s?: +"));

/// Takes tickets, bracketed tags and module names off the front. `is_lead` says which words begin a sentence that
/// must stay whole.
pub(super) fn subject<'t>(text: &'t str, is_lead: impl Fn(&str) -> bool) -> Subject<'t> {
    let mut subject = Subject { tags: Vec::new(), rest: text };
    loop {
        let rest = subject.rest.trim_start_matches(|c: char| c.is_whitespace() || "-*:.,;!~=>+|".contains(c));
        subject.rest = rest;
        if let Some(found) = TICKET.find(rest) {
            if found.as_str().starts_with("EA-") {
                subject.tags.push("exception");
            }
            subject.rest = &rest[found.end()..];
        } else if let Some(found) = BRACKET.captures(rest) {
            subject.tags.push(found.get(1).map_or("", |m| m.as_str()));
            subject.rest = &rest[found[0].len()..];
        } else if let Some(found) = PREFIX.captures(rest).filter(|found| !is_lead(first_word(&found[1]))) {
            subject.tags.push(found.get(1).map_or("", |m| m.as_str()));
            subject.rest = &rest[found[0].len()..];
        } else {
            return subject;
        }
    }
}

fn first_word(text: &str) -> &str {
    text.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default()
}

/// Splits a text into its words.
pub(super) fn words(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut after_break = false;
    for piece in text.split(|c: char| c.is_whitespace() || "/()[]{}<>\"|=".contains(c)) {
        let word = piece.trim_matches(|c: char| !c.is_alphanumeric());
        let opens = piece.starts_with([',', ';', '.', '-', '+', '&']);
        if !word.is_empty() {
            for part in parts(word) {
                tokens.push(token(part, after_break || opens));
                after_break = false;
            }
        }
        after_break =
            piece.ends_with([',', ';', '.', ':', '!']) || (word.is_empty() && (after_break || opens));
    }
    tokens
}

/// A hyphenated word is its parts, except in identifiers.
fn parts(word: &str) -> impl Iterator<Item = &str> {
    let whole = is_code(word);
    word.split(move |c: char| !whole && (c == '-' || c == ',' || c == '+')).filter(|part| !part.is_empty())
}

fn token(word: &str, after_break: bool) -> Token {
    let code = is_code(word);
    let stem = if code { word.to_lowercase() } else { stem(&word.to_lowercase().replace(['’', '\''], "")) };
    Token { stem, code, raw: word.to_owned(), after_break }
}

/// Identifiers have a capital inside, an underscore, a dot, `::` or `#` inside.
fn is_code(word: &str) -> bool {
    let mut letters = word.chars().filter(|c| c.is_alphabetic());
    let first = letters.next();
    let mut any_upper = false;
    let mut any_lower = first.is_some_and(char::is_lowercase);
    for letter in letters {
        any_upper |= letter.is_uppercase();
        any_lower |= letter.is_lowercase();
    }
    (any_upper && any_lower) || word.contains(['_', '.', ':', '#', '@', '$'])
}

/// Brings a word to the stem it shares with its other forms: `removes`, `removed`, `removing` to `remov`.
pub(super) fn stem(word: &str) -> String {
    let mut stem = word;
    if let Some(rest) = stem.strip_suffix("ies").filter(|rest| rest.len() >= 2) {
        return format!("{rest}i");
    }
    if let Some(rest) =
        stem.strip_suffix('s').filter(|rest| rest.len() >= 3 && !rest.ends_with(['s', 'u', 'i']))
    {
        stem = rest;
    }
    for suffix in ["ing", "ed"] {
        let rest = stem
            .strip_suffix(suffix)
            .filter(|rest| rest.len() >= 2 && rest.contains(['a', 'e', 'i', 'o', 'u', 'y']));
        if let Some(rest) = rest {
            stem = rest;
            break;
        }
    }
    if stem.len() > 2 {
        stem = stem.strip_suffix('e').unwrap_or(stem);
    }
    if let [_, .., one, other] = stem.as_bytes()
        && one == other
        && other.is_ascii_lowercase()
        && !b"aeiou".contains(other)
    {
        stem = &stem[..stem.len() - 1];
    }
    match stem.strip_suffix('y').filter(|rest| rest.len() >= 2) {
        Some(rest) => format!("{rest}i"),
        None => stem.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_share_a_stem() {
        for forms in [
            &["fix", "fixed", "fixes", "fixing"][..],
            &["remove", "removed", "removes", "removing"],
            &["add", "added", "adds", "adding"],
            &["drop", "dropped", "dropping"],
            &["copy", "copied", "copies", "copying"],
            &["use", "used", "uses", "using"],
            &["test", "tests", "tested", "testing"],
        ] {
            let stems: std::collections::BTreeSet<_> = forms.iter().map(|form| stem(form)).collect();
            assert_eq!(stems.len(), 1, "{stems:?}");
        }
        assert_ne!(stem("string"), stem("str"));
    }

    #[test]
    fn fronts_come_off() {
        let check = |text: &'static str, tags: &[&str], rest: &str| {
            let subject = subject(text, |word| word == "Fix");
            assert_eq!((subject.tags.as_slice(), subject.rest), (tags, rest), "{text}");
        };
        check("KEY-12. Fix x", &[], "Fix x");
        check("[KEY-12] [docs] x", &["KEY-12", "docs"], "x");
        check("net: fix x", &["net"], "fix x");
        check("Fix: x", &[], "Fix: x");
        check("#12 - x", &[], "x");
        check("EA-5 - x", &["exception"], "x");
        check("KEY-1", &[], "");
    }

    #[test]
    fn identifiers_are_no_words() {
        let tokens = words("Fix FooTest, and a_b");
        let code: Vec<_> = tokens.iter().map(|token| token.code).collect();
        assert_eq!(code, [false, true, false, true]);
        assert!(tokens[2].after_break);
    }
}
