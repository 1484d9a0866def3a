//! What is wrong with a configuration. All problems of one load are collected, so that a person repairs the file
//! once and not once per mistake. No text here ever holds a secret or a value that came from a variable.

use std::fmt;

use super::origin::Origin;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProblemKind {
    /// The file cannot be read.
    Unreadable,
    /// The file is not YAML as gitfleet reads it.
    Syntax,
    /// The same thing is said twice, and not in the same way.
    Conflict,
    UnknownKey,
    /// A key is known and its value is not of the right kind.
    Value,
    /// Something that has to be there is not.
    Missing,
    /// A variable is referred to and has no value.
    Variable,
}

impl ProblemKind {
    fn words(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::Syntax => "not valid YAML",
            Self::Conflict => "given twice",
            Self::UnknownKey => "unknown key",
            Self::Value => "wrong value",
            Self::Missing => "missing",
            Self::Variable => "undefined variable",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) kind: ProblemKind,
    pub(crate) origin: Origin,
    /// The path of the key, as `analysis.weeks` or `repositories[2].path`; empty when no key is concerned.
    pub(crate) key: String,
    pub(crate) wrong: String,
    /// What to do next; empty when that is plain from what is wrong.
    pub(crate) hint: String,
}

impl Problem {
    pub(crate) fn new(kind: ProblemKind, origin: Origin, key: &str, wrong: impl Into<String>) -> Self {
        Self { kind, origin, key: key.to_owned(), wrong: wrong.into(), hint: String::new() }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.origin, self.kind.words())?;
        for part in [&self.key, &self.wrong].into_iter().filter(|part| !part.is_empty()) {
            write!(f, ": {part}")?;
        }
        if !self.hint.is_empty() {
            write!(f, "\n  {}", self.hint)?;
        }
        Ok(())
    }
}

/// More than this nobody reads; the rest is counted.
pub(super) const MOST_SHOWN: usize = 100;

/// Everything that keeps a configuration from being used, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConfigError {
    pub(crate) problems: Vec<Problem>,
}

impl ConfigError {
    pub(super) fn new(mut problems: Vec<Problem>) -> Self {
        problems.sort_by_key(|problem| problem.origin.place());
        Self { problems }
    }
}

impl ConfigError {
    /// Whether all of it was typed on the command line.
    pub(crate) fn is_usage(&self) -> bool {
        self.problems.iter().all(|problem| matches!(problem.origin, Origin::Flag(_)))
    }
}

impl From<Problem> for ConfigError {
    fn from(problem: Problem) -> Self {
        Self { problems: vec![problem] }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().take(MOST_SHOWN).enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        match self.problems.len().saturating_sub(MOST_SHOWN) {
            0 => Ok(()),
            more => write!(f, "\n… and {more} more problems"),
        }
    }
}

impl std::error::Error for ConfigError {}

/// Quotes a value for a message.
pub(super) fn quote(text: &str) -> String {
    format!("`{}`", one_line(text))
}

/// Makes a text of the file fit into a message: short, on one line, control characters made visible.
pub(super) fn one_line(text: &str) -> String {
    const LONGEST: usize = 60;
    let visible = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    let mut shown: String = text.chars().take(LONGEST).map(visible).collect();
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown
}
