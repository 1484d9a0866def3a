//! Conventional Commits 1.0.0 (conventionalcommits.org/en/v1.0.0): `type(scope)!: description`.
//!
//! Only known types make a commit conventional. The bare pattern `word: ` also matches module names, which are most
//! subjects in projects that write `net: fix ...`.

use std::collections::BTreeSet;

use super::Message;

/// The types of the specification and of the Angular convention it names.
pub const TYPES: [&str; 11] =
    ["feat", "fix", "docs", "style", "refactor", "perf", "test", "build", "ci", "chore", "revert"];

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conventional {
    /// In lower case: types are compared without regard to case (rule 15).
    pub kind: String,
    pub scope: Option<String>,
    /// `!` before the colon, or a footer `BREAKING CHANGE: ` or `BREAKING-CHANGE: ` (rules 11 to 13 and 16).
    pub breaking: bool,
    pub description: String,
}

/// Reads a message; `None` unless its type is one of [`TYPES`] or of `extra` (in lower case).
pub fn read(message: &Message, extra: &BTreeSet<String>) -> Option<Conventional> {
    let (head, description) = message.subject.split_once(": ")?;
    let description = description.trim();
    if description.is_empty() {
        return None;
    }
    let (head, marked) = head.strip_suffix('!').map_or((head, false), |head| (head, true));
    let (word, scope) = match head.split_once('(') {
        None => (head, None),
        Some((word, rest)) => (word, Some(scope(rest)?)),
    };
    let kind = word.to_lowercase();
    if !TYPES.contains(&kind.as_str()) && !extra.contains(&kind) {
        return None;
    }
    let breaking = marked || breaking_footer(message);
    Some(Conventional { kind, scope, breaking, description: description.to_owned() })
}

fn scope(rest: &str) -> Option<String> {
    let scope = rest.strip_suffix(')')?.trim();
    (!scope.is_empty() && !scope.contains(['(', ')'])).then(|| scope.to_owned())
}

/// Whether a footer tells of a breaking change. Footers begin after a blank line and run to the end.
fn breaking_footer(message: &Message) -> bool {
    let in_trailers = message.trailers.iter().any(|trailer| trailer.key == "BREAKING-CHANGE");
    let mut after_blank = true;
    let mut in_footers = false;
    in_trailers
        || message.body.lines().any(|line| {
            in_footers |= after_blank && is_footer(line);
            after_blank = line.trim().is_empty();
            in_footers && is_breaking(line)
        })
}

fn is_breaking(line: &str) -> bool {
    ["BREAKING CHANGE: ", "BREAKING-CHANGE: "].iter().any(|token| line.starts_with(token))
}

/// A word token with `: ` or ` #` and a value (rule 8), or the one token with a blank (rule 9).
fn is_footer(line: &str) -> bool {
    let word = line.len() - line.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '-').len();
    let rest = &line[word..];
    is_breaking(line) || (word > 0 && (rest.starts_with(": ") || rest.starts_with(" #")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Option<Conventional> {
        read(&Message::of(text), &BTreeSet::from(["deps".to_owned()]))
    }

    fn check(text: &str, kind: &str, scope: Option<&str>, breaking: bool) {
        let found = read_text(text).unwrap();
        assert_eq!(
            (found.kind.as_str(), found.scope.as_deref(), found.breaking),
            (kind, scope, breaking),
            "{text}"
        );
    }

    #[test]
    fn the_examples_of_the_specification() {
        check("feat: allow it\n\nBREAKING CHANGE: `extends` means more", "feat", None, true);
        check("feat!: send an email", "feat", None, true);
        check("feat(api)!: send an email", "feat", Some("api"), true);
        check("chore!: drop support\n\nBREAKING CHANGE: use new features", "chore", None, true);
        check("docs: correct spelling", "docs", None, false);
        check("feat(lang): add Polish", "feat", Some("lang"), false);
        check(
            "fix: prevent racing\n\nIntroduce a request id.\n\nReviewed-by: Z\nRefs: #123",
            "fix",
            None,
            false,
        );
    }

    #[test]
    fn case_and_configured_types() {
        check("FIX: x", "fix", None, false);
        check("Deps: x", "deps", None, false);
        check("fix: x\n\nReviewed-by: Z\nBREAKING-CHANGE: y", "fix", None, true);
        check("fix: x\n\nbreaking change: no", "fix", None, false);
        check("fix: x\n\nprose\nBREAKING CHANGE: in the middle", "fix", None, false);
    }

    #[test]
    fn what_is_not_conventional() {
        for text in
            ["feat:no blank", "net: x", "feat x: y", "feat(): x", "feat: ", "fix", "fix(a: b", "fix (a): b"]
        {
            assert_eq!(read_text(text), None, "{text}");
        }
    }
}
