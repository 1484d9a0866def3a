//! Which tickets a message names: Jira, GitHub, GitLab, Linear, Azure Boards, ClickUp.
//!
//! `UTF-8`, `SHA-1` and `CVE-2024` have the form of a Jira key. So a key of that form is a reference only if its project
//! is in the configured list; others are returned as candidates for that list. In squash repositories the `(#n)` at the
//! end of a subject is the pull request, not a ticket. What a tracker would know (whether `#7` is an issue) is not asked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex::Regex;
use serde::{Deserialize, Serialize};

use super::Message;
use super::patterns::{BadPattern, compile, compile_all, meant, own};
use super::prose::{without_code, without_urls};

mod forms;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum System {
    Jira,
    #[serde(rename = "github")]
    GitHub,
    #[serde(rename = "gitlab")]
    GitLab,
    Linear,
    AzureBoards,
    #[serde(rename = "clickup")]
    ClickUp,
    /// A platform that only configured patterns know.
    Other(String),
}

impl System {
    /// Returns the system of a configured name; GitFlow Analytics' names are among them.
    pub fn named(name: &str) -> Self {
        match name.to_lowercase().replace(['-', ' '], "_").as_str() {
            "jira" => Self::Jira,
            "github" => Self::GitHub,
            "gitlab" => Self::GitLab,
            "linear" => Self::Linear,
            "azure" | "azure_boards" | "azure_devops" | "ado" => Self::AzureBoards,
            "clickup" | "click_up" => Self::ClickUp,
            other => Self::Other(other.to_owned()),
        }
    }

    pub fn name(&self) -> &str {
        match self {
            Self::Jira => "jira",
            Self::GitHub => "github",
            Self::GitLab => "gitlab",
            Self::Linear => "linear",
            Self::AzureBoards => "azure_boards",
            Self::ClickUp => "clickup",
            Self::Other(name) => name,
        }
    }
}

/// A ticket, with its key in the system's own form: `KEY-12`, `#12`, `owner/repo#12`, `&4`, `AB#12`, `CU-86a1b2c`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket {
    pub system: System,
    pub key: String,
}

/// What a message refers to. All lists are sorted, each entry once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct References {
    pub tickets: Vec<Ticket>,
    /// Those of the tickets that a closing word precedes (`closes #12`).
    pub closing: Vec<Ticket>,
    /// Numbers of pull or merge requests.
    pub requests: Vec<u64>,
    /// Project keys that are not configured but look like it: "configure these keys?".
    pub candidates: Vec<String>,
}

impl References {
    /// Whether only pull requests are named, whose tickets, if any, the forge knows.
    pub fn pr_only(&self) -> bool {
        self.tickets.is_empty() && !self.requests.is_empty()
    }
}

/// Where references count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Position {
    #[default]
    Anywhere,
    /// Only at the start of the subject; brackets may come before.
    Start,
}

/// The settings as a configuration has them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TicketsConfig {
    /// The systems in use; empty: all whose form cannot be mistaken.
    pub platforms: Vec<String>,
    pub jira_keys: Vec<String>,
    pub linear_keys: Vec<String>,
    /// Patterns by platform, which take the place of the built-in forms of that platform.
    pub patterns: BTreeMap<String, Vec<String>>,
    /// Keys that one of these matches as a whole are none.
    pub exclude_patterns: Vec<String>,
    pub position: Position,
}

/// Where a commit comes from, as far as it decides what `#12` means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Forge {
    #[default]
    GitHub,
    GitLab,
    Other,
}

/// The settings, compiled.
#[derive(Debug, Clone)]
pub struct Tickets {
    platforms: Option<BTreeSet<System>>,
    keys: BTreeMap<String, System>,
    custom: BTreeMap<System, Vec<Regex>>,
    exclude: Vec<Regex>,
    position: Position,
}

static CLOSING: LazyLock<Regex> = LazyLock::new(|| {
    own(r"(?i)\b(?:close[sd]?|closing|fix(?:e[sd]|ing)?|resolve[sd]?|resolving)\b[\s:]*(?:issues?\s+)?$")
});

/// A reference in a text.
struct Found {
    at: usize,
    ticket: Ticket,
}

impl Tickets {
    pub fn compile(config: &TicketsConfig) -> Result<Self, BadPattern> {
        let mut custom = BTreeMap::new();
        for (platform, patterns) in &config.patterns {
            let compiled = compile_all(&format!("patterns.{platform}"), patterns)?;
            custom.insert(System::named(platform), compiled);
        }
        let whole = |(at, pattern): (usize, &String)| {
            // Compiled alone first, so that the error shows the pattern as it was written.
            compile(|| format!("exclude_patterns[{at}]"), pattern)?;
            compile(|| format!("exclude_patterns[{at}]"), &format!("^(?:{pattern})$"))
        };
        let exclude = config.exclude_patterns.iter().enumerate().map(whole).collect::<Result<_, _>>()?;
        let mut keys = BTreeMap::new();
        for (list, system) in [(&config.linear_keys, System::Linear), (&config.jira_keys, System::Jira)] {
            keys.extend(list.iter().map(|key| (key.to_uppercase(), system.clone())));
        }
        let platforms: BTreeSet<_> = config.platforms.iter().map(|name| System::named(name)).collect();
        let platforms = (!platforms.is_empty()).then_some(platforms);
        Ok(Self { platforms, keys, custom, exclude, position: config.position })
    }

    /// Returns what a message refers to; `parents` says how many parents the commit has.
    pub fn of(&self, message: &Message, parents: usize, forge: Forge) -> References {
        let mut references = References::default();
        let (subject, number) = without_request(&message.subject, parents);
        references.requests.extend(number);
        let (subject, urls) = self.subject(&message.subject, subject, &mut references, forge);
        match self.position {
            Position::Start => self.at_start(&subject, forge, &mut references),
            Position::Anywhere => {
                let (body, more) = without_urls(&without_code(&prose_of(message)));
                self.in_text(&subject, forge, &mut references);
                self.in_text(&body, forge, &mut references);
                for url in urls.iter().chain(&more) {
                    self.in_url(url, &mut references);
                }
            }
        }
        references.tidy();
        references
    }

    /// Takes a merge's branch and addresses out of the subject.
    fn subject(
        &self,
        whole: &str,
        subject: &str,
        references: &mut References,
        forge: Forge,
    ) -> (String, Vec<String>) {
        if let Some(merge) = forms::merge(whole) {
            references.requests.extend(merge.number);
            if let Some(branch) = merge.branch {
                self.in_branch(branch, references);
            }
            // The words of a merge's subject are those of the forge.
            let rest = if forge == Forge::GitLab { String::new() } else { merge.rest.to_owned() };
            return (rest, Vec::new());
        }
        without_urls(&without_code(subject))
    }

    fn in_text(&self, text: &str, forge: Forge, references: &mut References) {
        for found in self.find(text, forge) {
            if CLOSING.is_match(&text[..found.at]) {
                references.closing.push(found.ticket.clone());
            }
            references.tickets.push(found.ticket);
        }
        references.requests.extend(forms::merge_requests(text));
        references.candidates.extend(forms::keys(text).filter_map(|key| self.candidate(key.text)));
    }

    fn at_start(&self, subject: &str, forge: Forge, references: &mut References) {
        let start = subject.len() - subject.trim_start_matches([' ', '[', '(', '{', '<', '*']).len();
        let found = self.find(subject, forge).into_iter().filter(|found| found.at <= start);
        references.tickets.extend(found.map(|found| found.ticket));
        let keys = forms::keys(subject).filter(|key| key.at <= start);
        references.candidates.extend(keys.filter_map(|key| self.candidate(key.text)));
    }

    /// All references of a text, by place.
    fn find(&self, text: &str, forge: Forge) -> Vec<Found> {
        let mut found = Vec::new();
        let mut add = |system: System, at: usize, key: String| {
            if self.wanted(&system, &key) {
                found.push(Found { at, ticket: Ticket { system, key } });
            }
        };
        for key in forms::keys(text) {
            if let Some(system) = self.system_of(key.text) {
                add(system, key.at, key.text.to_owned());
            }
        }
        for number in forms::numbers(text) {
            add(number_system(&number, forge), number.at, number.key());
        }
        for epic in forms::epics(text).filter(|_| forge == Forge::GitLab || self.named(&System::GitLab)) {
            add(System::GitLab, epic.at, epic.text.to_owned());
        }
        for item in forms::work_items(text) {
            add(System::AzureBoards, item.at, item.text.to_uppercase());
        }
        for task in forms::tasks(text, self.named(&System::ClickUp)) {
            add(System::ClickUp, task.at, task.text.to_owned());
        }
        found.retain(|found| !self.custom.contains_key(&found.ticket.system));
        found.extend(self.custom_in(text));
        found.sort_by(|one, other| (one.at, &one.ticket).cmp(&(other.at, &other.ticket)));
        found
    }

    fn custom_in<'s>(&'s self, text: &'s str) -> impl Iterator<Item = Found> + 's {
        let patterns =
            self.custom.iter().flat_map(|(system, list)| list.iter().map(move |one| (system, one)));
        patterns.flat_map(move |(system, pattern)| {
            pattern.captures_iter(text).filter_map(move |captures| {
                let whole = captures.get(0)?;
                let key = meant(&captures).as_str();
                let key = if *system == System::GitHub && key.bytes().all(|byte| byte.is_ascii_digit()) {
                    format!("#{key}")
                } else {
                    key.to_owned()
                };
                let found = Found { at: whole.start(), ticket: Ticket { system: system.clone(), key } };
                self.wanted(system, &found.ticket.key).then_some(found)
            })
        })
    }

    fn in_branch(&self, branch: &str, references: &mut References) {
        for key in forms::branch_keys(branch) {
            if let Some(system) = self.system_of(&key).filter(|system| self.wanted(system, &key)) {
                references.tickets.push(Ticket { system, key });
            } else if branch.contains(&key) {
                references.candidates.extend(self.candidate(&key));
            }
        }
    }

    fn in_url(&self, url: &str, references: &mut References) {
        match forms::url(url) {
            Some(forms::Linked::Issue { system, key }) => {
                let known =
                    !matches!(system, System::Jira | System::Linear) || self.system_of(&key).is_some();
                if known && self.wanted(&system, &key) {
                    references.tickets.push(Ticket { system, key });
                }
            }
            Some(forms::Linked::Request(number)) => references.requests.push(number),
            None => {}
        }
    }

    fn system_of(&self, key: &str) -> Option<System> {
        self.keys.get(project_of(key)).cloned()
    }

    fn candidate(&self, key: &str) -> Option<String> {
        let project = project_of(key);
        let known = self.keys.contains_key(project) || forms::is_no_project(project);
        (!known && !self.excluded(key)).then(|| project.to_owned())
    }

    fn named(&self, system: &System) -> bool {
        self.platforms.as_ref().is_some_and(|platforms| platforms.contains(system))
    }

    fn wanted(&self, system: &System, key: &str) -> bool {
        let platform = self.platforms.as_ref().is_none_or(|platforms| platforms.contains(system));
        platform && !self.excluded(key)
    }

    fn excluded(&self, key: &str) -> bool {
        let bare = key.trim_start_matches('#');
        self.exclude.iter().any(|pattern| pattern.is_match(key) || pattern.is_match(bare))
    }
}

impl References {
    fn tidy(&mut self) {
        self.tickets.sort();
        self.tickets.dedup();
        self.closing.sort();
        self.closing.dedup();
        self.requests.sort_unstable();
        self.requests.dedup();
        self.candidates.sort();
        self.candidates.dedup();
    }
}

/// The part of a key before its number.
pub(super) fn project_of(key: &str) -> &str {
    key.rsplit_once('-').map_or(key, |(project, _)| project)
}

/// Returns the project keys, configured or not, in the order in which a message names them.
pub(super) fn projects(text: &str) -> impl Iterator<Item = &str> {
    forms::keys(text).map(|key| project_of(key.text))
}

/// Cuts the pull request's number off the end of a squash commit's subject.
pub(super) fn without_request(subject: &str, parents: usize) -> (&str, Option<u64>) {
    let squash = (parents <= 1).then(|| forms::squash(subject)).flatten();
    squash.map_or((subject, None), |(rest, number)| (rest, Some(number)))
}

fn number_system(number: &forms::Number<'_>, forge: Forge) -> System {
    if forge == Forge::GitLab && !number.spelled_github { System::GitLab } else { System::GitHub }
}

/// Body and those trailers that may name tickets. Trailers about people and about how a commit travelled do not.
fn prose_of(message: &Message) -> String {
    const WORDS: [&str; 14] = [
        "issue",
        "issues",
        "ticket",
        "bug",
        "jira",
        "task",
        "close",
        "closes",
        "fix",
        "fixes",
        "resolves",
        "ref",
        "refs",
        "references",
    ];
    // To git, an address that ends a message is a trailer whose key is its scheme.
    const MORE: [&str; 8] = ["see", "see-also", "related", "relates-to", "part-of", "link", "http", "https"];
    let mut text = message.body.clone();
    for trailer in &message.trailers {
        let key = trailer.key.to_lowercase();
        if WORDS.contains(&key.as_str()) || MORE.contains(&key.as_str()) {
            let blank = if trailer.value.starts_with("//") { "" } else { " " };
            text.push_str(&format!("\n{}:{blank}{}", trailer.key, trailer.value));
        }
    }
    text
}

#[cfg(test)]
mod tests;
