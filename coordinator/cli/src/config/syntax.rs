//! YAML's own complaints in words that help: what is wrong, at the line where a person will look for it, and the
//! usual cause. The parser's position is where it gave up, which for an unclosed quote is the end of the file.

use granit_parser::ErrorKind;

use super::node::Place;

pub(super) struct Explained {
    pub(super) place: Place,
    pub(super) wrong: String,
    pub(super) hint: &'static str,
}

pub(super) fn explain(text: &str, kind: &ErrorKind, gave_up: Place) -> Explained {
    let at = |place, wrong: &str, hint| Explained { place, wrong: wrong.to_owned(), hint };
    // A tab confuses the parser in a dozen ways and a reader in one.
    if let Some(place) = tab_indent(text, gave_up.line) {
        return at(place, "a tab is used to indent", "indent with spaces");
    }
    if let Some(place) = missing_colon(text, kind, gave_up) {
        return at(place, "a key without a colon", "write `key: value`, with a space after the colon");
    }
    match kind {
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabAtBlockScalarStart
        | ErrorKind::TabInPlainScalar => at(gave_up, "a tab stands where YAML wants spaces", "use spaces"),
        ErrorKind::UnclosedQuotedScalar
        | ErrorKind::DocumentIndicatorInQuotedScalar
        | ErrorKind::InvalidQuotedScalarIndent => {
            let place = opened_quote(text, gave_up).unwrap_or(gave_up);
            at(place, "a quote is opened and not closed", "close it; inside '…' a quote is written twice")
        }
        ErrorKind::InvalidTrailingSingleQuotedScalar | ErrorKind::InvalidTrailingDoubleQuotedScalar => at(
            gave_up,
            "there is text after the closing quote",
            "put the whole value in quotes, or put the `#` of a comment after a space",
        ),
        ErrorKind::UnknownQuotedScalarEscape
        | ErrorKind::InvalidQuotedScalarHexEscape
        | ErrorKind::InvalidUnicodeEscape => at(
            gave_up,
            "a backslash in double quotes begins something that is no escape",
            "use single quotes for patterns and Windows paths",
        ),
        ErrorKind::UnknownAnchor | ErrorKind::MissingAnchorOrAliasName => at(
            gave_up,
            "`*` or `&` begins the name of an anchor, and there is none of that name",
            "quote patterns that begin with `*`: \"*.js\"",
        ),
        ErrorKind::UnexpectedCharacter { .. } => {
            at(gave_up, "a value cannot begin with this character", "put the value in quotes")
        }
        ErrorKind::MappingValueNotAllowed | ErrorKind::MappingKeyNotAllowed => at(
            gave_up,
            "a `:` stands where no key can be",
            "indent this line like its neighbours, or quote the value if `: ` belongs to it",
        ),
        ErrorKind::ExpectedFlowMappingSeparator
        | ErrorKind::ExpectedFlowSequenceSeparator
        | ErrorKind::UnclosedFlowCollection { .. }
        | ErrorKind::MismatchedFlowCollectionEnd { .. }
        | ErrorKind::MisplacedFlowCollectionEnd
        | ErrorKind::UnexpectedEofFlowMapping
        | ErrorKind::UnexpectedEofFlowSequence
        | ErrorKind::UnexpectedEofImplicitFlowMapping => at(
            gave_up,
            "a `[` or `{` and its closing bracket do not match",
            "close it, separate the values with commas, or quote a value that begins with a bracket",
        ),
        ErrorKind::InvalidColonPlacement => at(
            gave_up,
            "a `:` stands where no key can be",
            "close the `[` or `{` above, or quote the value if `: ` belongs to it",
        ),
        ErrorKind::RecursionLimitExceeded => at(gave_up, "the values are nested too deep", ""),
        ErrorKind::InvalidIndentation
        | ErrorKind::ExpectedBlockSequenceEntry
        | ErrorKind::BlockSequenceEntryNotAllowed
        | ErrorKind::InvalidBlockScalarIndent
        | ErrorKind::InvalidFlowScalarIndent => at(
            gave_up,
            "this line is not indented like its neighbours",
            "keys of one mapping, and dashes of one list, begin in the same column",
        ),
        ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey | ErrorKind::ExpectedBlockMappingKey => {
            at(
                gave_up,
                "no key can be read here",
                "indent this line like its neighbours, and write `key: value`",
            )
        }
        other => Explained { place: gave_up, wrong: other.to_string(), hint: "quote the value if in doubt" },
    }
}

/// Looks at the line the parser gave up at and the one before it, where the cause often is.
fn tab_indent(text: &str, gave_up: usize) -> Option<Place> {
    let suspects = text.lines().enumerate().skip(gave_up.saturating_sub(2)).take(2);
    for (index, line) in suspects {
        let mut indent = line.chars().take_while(|c| c.is_whitespace());
        if let Some(tab) = indent.position(|c| c == '\t').filter(|_| !line.trim().is_empty()) {
            return Some(Place { line: index + 1, column: tab + 1 });
        }
    }
    None
}

/// Finds the first line up to `gave_up` which begins a quoted value and does not end it: that quote swallows all that
/// follows, so later ones say nothing.
fn opened_quote(text: &str, gave_up: Place) -> Option<Place> {
    for (index, line) in text.lines().enumerate().take(gave_up.line) {
        let start = line.find(": ").map_or(0, |colon| colon + 2);
        let value = line[start..].trim_start_matches([' ', '-', '[']);
        let Some(quote) = value.chars().next().filter(|c| matches!(c, '"' | '\'')) else { continue };
        if value.matches(quote).count() % 2 == 1 {
            let column = line[..line.len() - value.len()].chars().count() + 1;
            return Some(Place { line: index + 1, column });
        }
    }
    None
}

/// The parser notices a missing colon at the next key, or not before the end; the line at fault is the last one that
/// is neither a key, nor a member of a list.
fn missing_colon(text: &str, kind: &ErrorKind, gave_up: Place) -> Option<Place> {
    let told_late = match kind {
        ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey | ErrorKind::ExpectedBlockMappingKey => 0,
        ErrorKind::MappingValueNotAllowed => 1,
        _ => return None,
    };
    let says_something = |line: &(usize, &str)| {
        let words = line.1.trim();
        !words.is_empty() && !words.starts_with('#')
    };
    let lines: Vec<(usize, &str)> =
        text.lines().enumerate().take(gave_up.line).filter(says_something).collect();
    let (index, line) = lines.iter().rev().nth(told_late)?;
    let words = line.trim();
    if words.contains(": ") || words.ends_with(':') || words.starts_with('-') {
        return None;
    }
    let column = line.chars().take_while(|c| c.is_whitespace()).count() + 1;
    Some(Place { line: index + 1, column })
}
