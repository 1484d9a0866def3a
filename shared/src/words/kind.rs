//! What kind of work a commit is: corrective, adaptive or perfective, with a finer category, a confidence and the rule
//! that decided.
//!
//! The three kinds are Swanson's (1976) as Levin and Yehudai (2017) use them: corrective work repairs faults, adaptive
//! work brings new function or fits the program to a new environment, perfective work improves what is there without
//! changing what it does (structure, documentation, tests, speed, upkeep). Order: patterns of the configuration, the
//! type of a Conventional Commit, the project key of a ticket, the built-in rules. About three commits in four come out
//! right, so shares are meaningful and single commits are not.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;
use serde::{Deserialize, Serialize};

use super::patterns::{BadPattern, compile_all};
use super::prose::{without_code, without_quotes, without_urls};
use super::{Message, conventional, tickets};

mod ballot;
mod lexicon;
mod special;
mod tokens;
mod weigh;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Corrective,
    Adaptive,
    Perfective,
    /// The message says nothing, and no files are known.
    Unknown,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Corrective => "corrective",
            Self::Adaptive => "adaptive",
            Self::Perfective => "perfective",
            Self::Unknown => "unknown",
        }
    }
}

/// What was found, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Classification {
    pub kind: Kind,
    /// `feature`, `fix`, `docs`, ... or a category of the configuration.
    pub category: String,
    /// The organisation's word for the category; the category itself where it has none.
    pub word: String,
    /// How sure the rules are, 0 to 1000. No probability: it orders, it does not measure.
    pub confidence_permille: u16,
    /// The rule that decided, such as `lead.fix`, `conventional.feat`, `custom.payments`, `prior`.
    pub rule: String,
}

/// What is known of a commit's files. Each file counts in one of the four.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FileEvidence {
    pub tests: u32,
    pub docs: u32,
    pub source: u32,
    /// Configuration, build files, data.
    pub other: u32,
    /// How many of the source files are new.
    pub added_source: u32,
}

/// A category as a configuration has it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CategoryConfig {
    pub name: String,
    pub patterns: Vec<String>,
    /// Left out: the kind of the built-in category of that name, or else what the built-in rules say.
    #[serde(default)]
    pub kind: Option<Kind>,
}

/// The settings as a configuration has them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RulesConfig {
    /// First match wins, in this order.
    pub custom: Vec<CategoryConfig>,
    /// Types that are conventional beside those of the specification, with their category.
    pub extra_types: BTreeMap<String, String>,
    /// Ticket project key to category.
    pub project_key_kinds: BTreeMap<String, String>,
    /// Category to the organisation's word for it.
    pub taxonomy: BTreeMap<String, String>,
}

/// A custom category, compiled.
#[derive(Debug, Clone)]
pub struct CustomCategory {
    pub name: String,
    pub patterns: Vec<Regex>,
    pub kind: Option<Kind>,
}

/// The settings, compiled.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    custom: Vec<CustomCategory>,
    extra_types: BTreeMap<String, String>,
    types: BTreeSet<String>,
    project_key_kinds: BTreeMap<String, String>,
    taxonomy: BTreeMap<String, String>,
}

/// A verdict before the organisation's words.
struct Verdict {
    kind: Kind,
    category: String,
    confidence: u16,
    rule: String,
}

impl Rules {
    pub fn compile(config: &RulesConfig) -> Result<Self, BadPattern> {
        let custom = |one: &CategoryConfig| {
            let patterns = compile_all(&format!("categories.{}.patterns", one.name), &one.patterns)?;
            Ok(CustomCategory { name: one.name.clone(), patterns, kind: one.kind })
        };
        let lower = |(word, category): (&String, &String)| (word.to_lowercase(), category.clone());
        let upper = |(key, category): (&String, &String)| (key.to_uppercase(), category.clone());
        let extra_types: BTreeMap<_, _> = config.extra_types.iter().map(lower).collect();
        Ok(Self {
            custom: config.custom.iter().map(custom).collect::<Result<_, BadPattern>>()?,
            types: extra_types.keys().cloned().collect(),
            extra_types,
            project_key_kinds: config.project_key_kinds.iter().map(upper).collect(),
            taxonomy: config.taxonomy.clone(),
        })
    }

    /// Says what kind of work a commit is. `files` breaks ties that the words leave.
    pub fn classify(&self, message: &Message, files: Option<FileEvidence>) -> Classification {
        let verdict = self
            .custom(message, files)
            .or_else(|| self.conventional(message, files))
            .or_else(|| self.by_project(message, files))
            .unwrap_or_else(|| built_in(message, files));
        let word = self.taxonomy.get(&verdict.category).unwrap_or(&verdict.category).clone();
        Classification {
            kind: verdict.kind,
            category: verdict.category,
            word,
            confidence_permille: verdict.confidence,
            rule: verdict.rule,
        }
    }

    fn custom(&self, message: &Message, files: Option<FileEvidence>) -> Option<Verdict> {
        if self.custom.is_empty() {
            return None;
        }
        let text = message.text();
        let matches = |one: &&CustomCategory| one.patterns.iter().any(|pattern| pattern.is_match(&text));
        let found = self.custom.iter().find(matches)?;
        let kind =
            found.kind.or_else(|| kind_of(&found.name)).unwrap_or_else(|| built_in(message, files).kind);
        Some(Verdict {
            kind,
            category: found.name.clone(),
            confidence: 1000,
            rule: format!("custom.{}", found.name),
        })
    }

    fn conventional(&self, message: &Message, files: Option<FileEvidence>) -> Option<Verdict> {
        let found = conventional::read(message, &self.types)?;
        let category =
            self.extra_types.get(&found.kind).cloned().unwrap_or_else(|| match found.kind.as_str() {
                "feat" => "feature".to_owned(),
                "chore" | "build" | "fix"
                    if found.scope.as_deref().is_some_and(|s| s.starts_with("deps")) =>
                {
                    "dependency".to_owned()
                }
                other => other.to_owned(),
            });
        let kind = kind_of(&category).unwrap_or_else(|| built_in(message, files).kind);
        Some(Verdict { kind, category, confidence: 950, rule: format!("conventional.{}", found.kind) })
    }

    fn by_project(&self, message: &Message, files: Option<FileEvidence>) -> Option<Verdict> {
        if self.project_key_kinds.is_empty() {
            return None;
        }
        let text = message.text();
        let (project, category) =
            tickets::projects(&text).find_map(|project| self.project_key_kinds.get_key_value(project))?;
        let kind = kind_of(category).unwrap_or_else(|| built_in(message, files).kind);
        Some(Verdict {
            kind,
            category: category.clone(),
            confidence: 900,
            rule: format!("project.{project}"),
        })
    }
}

/// Returns the kind of a built-in category, or of another name that is in use for it.
pub fn kind_of(category: &str) -> Option<Kind> {
    match category.to_lowercase().as_str() {
        "fix" | "bug" | "bugfix" | "bug_fix" | "hotfix" | "revert" | "security" => Some(Kind::Corrective),
        "feature" | "feat" | "new_feature" | "integration" => Some(Kind::Adaptive),
        "docs" | "style" | "refactor" | "perf" | "test" | "build" | "ci" | "chore" | "dependency"
        | "release" | "merge" | "maintenance" | "documentation" | "performance" | "ktlo" | "platform" => {
            Some(Kind::Perfective)
        }
        _ => None,
    }
}

fn built_in(message: &Message, files: Option<FileEvidence>) -> Verdict {
    if let Some(verdict) = special::of(message) {
        return verdict;
    }
    let subject = prose(special::without_merge(&message.subject));
    let body = prose(&without_squash_list(&message.body));
    let ballot = weigh::weigh(&subject, &body, files);
    ballot.verdict().unwrap_or_else(|| {
        let merge = message.subject.starts_with("Merge");
        let nothing =
            message.subject.is_empty() && files.is_none_or(|files| files == FileEvidence::default());
        match (nothing, merge) {
            (true, _) => Verdict::new(Kind::Unknown, "other", 0, "nothing"),
            (false, true) => Verdict::new(Kind::Perfective, "merge", 600, "merge"),
            (false, false) => Verdict::new(Kind::Perfective, "other", 340, "prior"),
        }
    })
}

impl Verdict {
    fn new(kind: Kind, category: &str, confidence: u16, rule: &str) -> Self {
        Self { kind, category: category.to_owned(), confidence, rule: rule.to_owned() }
    }
}

fn prose(text: &str) -> String {
    without_quotes(&without_urls(&without_code(text)).0)
}

/// A squash's body lists the subjects of the commits it has swallowed, one per `* `. They are not this commit's words.
fn without_squash_list(body: &str) -> String {
    let lines: Vec<_> = body.lines().filter(|line| !line.starts_with("* ")).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests;
