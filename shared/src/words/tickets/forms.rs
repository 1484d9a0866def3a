//! What references look like.

use std::sync::LazyLock;

use regex::Regex;

use super::System;
use crate::words::patterns::own;

/// A piece of a text and where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece<'t> {
    pub at: usize,
    pub text: &'t str,
}

/// A number after `#` or `GH-`, perhaps of another repository.
#[derive(Debug)]
pub(super) struct Number<'t> {
    pub at: usize,
    pub repository: Option<&'t str>,
    pub digits: &'t str,
    /// Written `GH-12`, whatever the forge.
    pub spelled_github: bool,
}

impl Number<'_> {
    pub(super) fn key(&self) -> String {
        format!("{}#{}", self.repository.unwrap_or_default(), self.digits)
    }
}

/// What an address leads to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Linked {
    Issue { system: System, key: String },
    Request(u64),
}

/// A merge's subject taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Merge<'t> {
    pub number: Option<u64>,
    pub branch: Option<&'t str>,
    /// What the subject says beside that.
    pub rest: &'t str,
}

/// Words that come with a dash and a number and name no project.
const NO_PROJECTS: [&str; 40] = [
    "ADR", "AES", "ARM", "AVX", "BASE", "CFE", "COVID", "CRC", "CVE", "CWE", "DEP", "ECMA", "EIP", "GHSA",
    "GPL", "GPT", "HTTP", "IEC", "IEEE", "IPV", "ISO", "JDK", "JEP", "JSR", "LGPL", "MD", "NEP", "PEP",
    "PKCS", "PR", "RFC", "RUSTSEC", "SHA", "SSE", "TLS", "UCS", "UTC", "UTF", "WIN", "X86",
];

pub(super) fn is_no_project(project: &str) -> bool {
    NO_PROJECTS.contains(&project)
}

static KEY: LazyLock<Regex> = LazyLock::new(|| own(r"[A-Z][A-Z0-9_]{1,9}-[1-9][0-9]{0,6}"));
static BRANCH_KEY: LazyLock<Regex> = LazyLock::new(|| own(r"[A-Za-z][A-Za-z0-9]{1,9}-[1-9][0-9]{0,6}"));
static NUMBER: LazyLock<Regex> = LazyLock::new(|| {
    own(r"(?i:(?P<gh>GH-)|(?P<repo>[A-Z0-9][A-Z0-9-]*(?:/[A-Z0-9._-]+)+)?#)(?P<n>[1-9][0-9]{0,8})")
});
static REQUEST: LazyLock<Regex> = LazyLock::new(|| own(r"!([1-9][0-9]{0,8})"));
static EPIC: LazyLock<Regex> = LazyLock::new(|| own(r"&[1-9][0-9]{0,8}"));
static WORK_ITEM: LazyLock<Regex> = LazyLock::new(|| own(r"(?i)AB#[1-9][0-9]{0,8}"));
static TASK: LazyLock<Regex> = LazyLock::new(|| own(r"CU-[a-z0-9]{6,9}"));
static BARE_TASK: LazyLock<Regex> = LazyLock::new(|| own(r"#[a-z0-9]{7,9}"));
static SQUASH: LazyLock<Regex> =
    LazyLock::new(|| own(r"(?i)^(.*?)\s*\((?:#|gh-#?|!)([1-9][0-9]{0,8})\)\s*$"));
static PULL: LazyLock<Regex> =
    LazyLock::new(|| own(r"^Merge pull request #([1-9][0-9]{0,8}) (?:from|in) (\S+)\s*"));
static BRANCH: LazyLock<Regex> = LazyLock::new(|| {
    own(
        r"^Merged? (?:(?:remote-tracking )?branch(?:es)? )?(?:'([^']+)'|in (\S+) \(pull request #([1-9][0-9]{0,8})\))",
    )
});
static GITHUB_URL: LazyLock<Regex> = LazyLock::new(|| {
    own(r"^https?://(?:www\.)?github[^/]*/([\w.-]+/[\w.-]+)/(issues|pull)/([1-9][0-9]{0,8})(?:$|[/?#])")
});
static GITLAB_URL: LazyLock<Regex> = LazyLock::new(|| {
    own(r"^https?://[^/]+/([\w./-]+?)(?:/-)?/(issues|work_items|merge_requests)/([1-9][0-9]{0,8})(?:$|[/?#])")
});
static JIRA_URL: LazyLock<Regex> = LazyLock::new(|| {
    own(r"^https?://[^/]+/(?:\S*/)?(?:browse|issues)/([A-Z][A-Z0-9_]{1,9}-[1-9][0-9]{0,6})(?:$|[/?#])")
});
static LINEAR_URL: LazyLock<Regex> = LazyLock::new(|| {
    own(r"^https?://linear\.app/[\w-]+/issue/([A-Z][A-Z0-9_]{1,9}-[1-9][0-9]{0,6})(?:$|[/?#])")
});
static AZURE_URL: LazyLock<Regex> = LazyLock::new(|| {
    own(
        r"^https?://(?:dev\.azure\.com|[\w-]+\.visualstudio\.com)/\S*_workitems/edit/([1-9][0-9]{0,8})(?:$|[/?#])",
    )
});
static CLICKUP_URL: LazyLock<Regex> =
    LazyLock::new(|| own(r"^https?://app\.clickup\.com/t/(?:[0-9]+/)?([a-z0-9]{6,9})(?:$|[/?#])"));

/// Keys of the form Jira and Linear share.
pub(super) fn keys(text: &str) -> impl Iterator<Item = Piece<'_>> {
    bounded(&KEY, text, is_word_or_dash, is_word_or_dash)
}

pub(super) fn numbers(text: &str) -> impl Iterator<Item = Number<'_>> {
    NUMBER.captures_iter(text).filter_map(|captures| {
        let whole = captures.get(0)?;
        let before = text[..whole.start()].chars().next_back();
        let after = text[whole.end()..].chars().next();
        // `&#39;` is an entity, `a/#1` an address, `x#1` a fragment, `#12ab` a colour, `AB#1` a work item.
        let apart = !before.is_some_and(|c| is_word(c) || matches!(c, '&' | '/' | '#'));
        (apart && !after.is_some_and(is_word)).then(|| Number {
            at: whole.start(),
            repository: captures.name("repo").map(|repository| repository.as_str()),
            digits: captures.name("n").map_or("", |digits| digits.as_str()),
            spelled_github: captures.name("gh").is_some(),
        })
    })
}

/// Merge requests, `!12`.
pub(super) fn merge_requests(text: &str) -> impl Iterator<Item = u64> {
    bounded(&REQUEST, text, |c| is_word(c) || matches!(c, '!' | ')'), is_word)
        .filter_map(|piece| piece.text[1..].parse().ok())
}

pub(super) fn epics(text: &str) -> impl Iterator<Item = Piece<'_>> {
    bounded(&EPIC, text, |c| is_word(c) || c == '&', |c| is_word(c) || c == ';')
}

pub(super) fn work_items(text: &str) -> impl Iterator<Item = Piece<'_>> {
    bounded(&WORK_ITEM, text, is_word_or_dash, is_word)
}

/// Tasks of ClickUp. The bare form counts only where ClickUp is named, and with a digit and a letter: `#include` has
/// its form, too.
pub(super) fn tasks(text: &str, bare: bool) -> impl Iterator<Item = Piece<'_>> {
    let short = bounded(&BARE_TASK, text, |c| is_word(c) || matches!(c, '&' | '/'), is_word_or_dash);
    let short = short.filter(move |piece| {
        let has = |test: fn(&u8) -> bool| piece.text.as_bytes().iter().any(test);
        bare && has(u8::is_ascii_digit) && has(u8::is_ascii_lowercase)
    });
    bounded(&TASK, text, is_word_or_dash, is_word_or_dash).chain(short)
}

/// Keys in a branch's name, where a dash and words follow and case is free.
pub(super) fn branch_keys(branch: &str) -> impl Iterator<Item = String> {
    let pieces = bounded(&BRANCH_KEY, branch, is_word, is_word);
    pieces.map(|piece| piece.text.to_uppercase())
}

/// Cuts `(#12)` off the end of a subject.
pub(super) fn squash(subject: &str) -> Option<(&str, u64)> {
    let captures = SQUASH.captures(subject)?;
    Some((captures.get(1)?.as_str(), captures.get(2)?.as_str().parse().ok()?))
}

pub(super) fn merge(subject: &str) -> Option<Merge<'_>> {
    if let Some(captures) = PULL.captures(subject) {
        let number = captures.get(1)?.as_str().parse().ok();
        return Some(Merge {
            number,
            branch: captures.get(2).map(|m| m.as_str()),
            rest: &subject[captures.get(0)?.end()..],
        });
    }
    let captures = BRANCH.captures(subject)?;
    let branch = captures.get(1).or_else(|| captures.get(2)).map(|m| m.as_str());
    let number = captures.get(3).and_then(|m| m.as_str().parse().ok());
    Some(Merge { number, branch, rest: "" })
}

pub(super) fn url(url: &str) -> Option<Linked> {
    let issue = |system, key: String| Some(Linked::Issue { system, key });
    if let Some(captures) = GITHUB_URL.captures(url) {
        return match &captures[2] {
            "pull" => captures[3].parse().ok().map(Linked::Request),
            _ => issue(System::GitHub, format!("{}#{}", &captures[1], &captures[3])),
        };
    }
    if let Some(captures) = LINEAR_URL.captures(url) {
        return issue(System::Linear, captures[1].to_owned());
    }
    if let Some(captures) = JIRA_URL.captures(url) {
        return issue(System::Jira, captures[1].to_owned());
    }
    if let Some(captures) = AZURE_URL.captures(url) {
        return issue(System::AzureBoards, format!("AB#{}", &captures[1]));
    }
    if let Some(captures) = CLICKUP_URL.captures(url) {
        return issue(System::ClickUp, format!("CU-{}", &captures[1]));
    }
    let captures = GITLAB_URL.captures(url).filter(|_| url.contains("gitlab") || url.contains("/-/"))?;
    match &captures[2] {
        "merge_requests" => captures[3].parse().ok().map(Linked::Request),
        _ => issue(System::GitLab, format!("{}#{}", &captures[1], &captures[3])),
    }
}

/// Matches that stand apart: neither the character before nor the one after is refused.
fn bounded<'t>(
    pattern: &'static Regex,
    text: &'t str,
    refused_before: fn(char) -> bool,
    refused_after: fn(char) -> bool,
) -> impl Iterator<Item = Piece<'t>> {
    pattern.find_iter(text).filter_map(move |found| {
        let before = text[..found.start()].chars().next_back();
        let after = text[found.end()..].chars().next();
        let apart = !before.is_some_and(refused_before) && !after.is_some_and(refused_after);
        apart.then(|| Piece { at: found.start(), text: found.as_str() })
    })
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn is_word_or_dash(c: char) -> bool {
    is_word(c) || c == '-'
}
