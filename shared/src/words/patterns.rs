//! Patterns from a configuration, compiled once, with errors that name them.

use regex::Regex;

/// A pattern that cannot be compiled.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {pattern:?} is no regular expression")]
pub struct BadPattern {
    /// Where it stands, such as `categories.payments.patterns[2]`.
    pub place: String,
    pub pattern: String,
    #[source]
    pub cause: regex::Error,
}

/// Compiles one pattern; `place` says where it stands.
pub fn compile(place: impl FnOnce() -> String, pattern: &str) -> Result<Regex, BadPattern> {
    Regex::new(pattern).map_err(|cause| BadPattern { place: place(), pattern: pattern.to_owned(), cause })
}

/// Compiles the patterns of one list.
pub fn compile_all(list: &str, patterns: &[String]) -> Result<Vec<Regex>, BadPattern> {
    let each = patterns.iter().enumerate();
    each.map(|(at, pattern)| compile(|| format!("{list}[{at}]"), pattern)).collect()
}

/// A pattern of our own, known to compile.
pub(super) fn own(pattern: &str) -> Regex {
    Regex::new(pattern).expect("every pattern of ours is compiled by a test")
}

/// Returns what a match is about: its first group that took part, or all of it.
pub(super) fn meant<'t>(captures: &regex::Captures<'t>) -> regex::Match<'t> {
    let first = captures.iter().skip(1).flatten().next();
    first.or_else(|| captures.get(0)).expect("group 0 takes part in every match")
}
