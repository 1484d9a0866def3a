//! Which signatures are machines: bots, and AI agents that commit under their own name.
//!
//! Rules on words with a boundary on the left, because Abbott and Talbot are people. A commit by a bot for a human is
//! judged by its author, so this asks about one signature at a time. What a configuration lists comes first.

use std::sync::LazyLock;

use regex::Regex;
use serde::{Deserialize, Serialize};

use super::Class;
use crate::words::agents;

/// Names or e-mails, whole, without regard to case; `*` stands for anything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lists {
    pub bots: Vec<String>,
    /// People whom the rules take for machines.
    pub humans: Vec<String>,
}

/// Accounts that are bots and do not look like it.
const NAMES: [&str; 40] = [
    "bors",
    "homu",
    "renovate",
    "dependabot",
    "dependabot-preview",
    "greenkeeper",
    "greenkeeperio",
    "mergify",
    "github-actions",
    "github actions",
    "release-please",
    "semantic-release",
    "snyk",
    "weblate",
    "hosted weblate",
    "l10n",
    "pyup",
    "imgbot",
    "allcontributors",
    "all-contributors",
    "codecov",
    "coveralls",
    "jenkins",
    "travis",
    "travis ci",
    "circleci",
    "buildkite",
    "teamcity",
    "concourse",
    "pre-commit-ci",
    "pre-commit.ci",
    "web-flow",
    "transifex",
    "crowdin",
    "gitlocalize",
    "deepsource",
    "whitesource",
    "mend",
    "scala steward",
    "github merge queue",
];

/// Addresses of services.
const EMAILS: [&str; 8] = [
    "noreply@github.com",
    "actions@github.com",
    "action@github.com",
    "support@github.com",
    "support@dependabot.com",
    "noreply@weblate.org",
    "hosted@weblate.org",
    "bot@renovateapp.com",
];

/// `bot` or `robot` as a word of its own or as a capital's word, and services' endings.
static NAME: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r"\[bot\]|(?i:(?:^|[^\p{L}\p{N}])(?:ro)?bot(?:$|[^\p{L}\p{N}]))|\p{Ll}Bot(?:$|[^\p{L}])|^(?i:[\w.]+(?:-[\w.]+)*-(?:ci|automation|autoroller|autoroll|actions))$";
    Regex::new(pattern).expect("the pattern is compiled by a test")
});

static LOCAL: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r"\[bot\]|^(?:[\w.+-]*[+._-])?(?:ro)?bot$|^(?:ro)?bot[+._-]|-(?:ci|automation|autoroller)$";
    Regex::new(pattern).expect("the pattern is compiled by a test")
});

/// Says whether a signature is a human, a bot or an agent.
pub fn class(name: &str, email: &str, lists: &Lists) -> Class {
    let (name, email) = (name.trim(), email.trim().to_lowercase());
    let listed = |list: &[String]| list.iter().any(|one| matches(one, name) || matches(one, &email));
    if listed(&lists.humans) {
        Class::Human
    } else if listed(&lists.bots) {
        Class::Bot
    } else if is_agent(name, &email) {
        Class::Agent
    } else if is_bot(name, &email) {
        Class::Bot
    } else {
        Class::Human
    }
}

/// A first name alone is no evidence: an agent's e-mail is, or its name with `[bot]`.
fn is_agent(name: &str, email: &str) -> bool {
    agents::tool_of("", email).is_some() || (name.ends_with("[bot]") && agents::tool_of(name, "").is_some())
}

fn is_bot(name: &str, email: &str) -> bool {
    let local = email.rsplit_once('@').map_or(email, |(local, _)| local);
    // The number of an account is none of its name.
    let local = local
        .rsplit_once('+')
        .filter(|(id, _)| id.bytes().all(|b| b.is_ascii_digit()))
        .map_or(local, |(_, l)| l);
    NAMES.contains(&name.to_lowercase().as_str())
        || EMAILS.contains(&email)
        || NAME.is_match(name)
        || LOCAL.is_match(local)
}

/// Compares a whole word with a listed one, `*` standing for anything.
fn matches(listed: &str, word: &str) -> bool {
    let (listed, word) = (listed.trim().to_lowercase(), word.to_lowercase());
    let mut parts = listed.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = word.strip_prefix(first) else { return false };
    let mut parts: Vec<_> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() && !listed.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, email: &str, expect: Class) {
        assert_eq!(class(name, email, &Lists::default()), expect, "{name} <{email}>");
    }

    #[test]
    fn machines() {
        for (name, email) in [
            ("dependabot[bot]", "49699333+dependabot[bot]@users.noreply.github.com"),
            ("Renovate Bot", "a@x"),
            ("bors", "bors@x"),
            ("k8s-ci-robot", "a@x"),
            ("RenovateBot", "a@x"),
            ("acme-ci", "a@x"),
            ("Acme", "acme-automation@x"),
            ("GitHub", "noreply@github.com"),
            ("Acme", "acme-bot@x"),
        ] {
            check(name, email, Class::Bot);
        }
    }

    #[test]
    fn people() {
        for (name, email) in [
            ("Ann Abbott", "abbott@x"),
            ("Bob Talbot", "12+btalbot@users.noreply.github.com"),
            ("Ann", "ann@bot.example"),
            ("Claude Ann", "claude@x"),
            ("Ann Lucci", "ann.lucci@x"),
            ("", ""),
        ] {
            check(name, email, Class::Human);
        }
    }

    #[test]
    fn agents_are_their_own_class() {
        check("Claude", "noreply@anthropic.com", Class::Agent);
        check("copilot-swe-agent[bot]", "198982749+Copilot@users.noreply.github.com", Class::Agent);
        check(
            "devin-ai-integration[bot]",
            "1+devin-ai-integration[bot]@users.noreply.github.com",
            Class::Agent,
        );
        check("Claude", "claude@x", Class::Human);
    }

    #[test]
    fn lists_come_first() {
        let lists = Lists { bots: vec!["deploy *".into(), "ops@x".into()], humans: vec!["Ann Bot".into()] };
        assert_eq!(class("Deploy 7", "", &lists), Class::Bot);
        assert_eq!(class("Ops", "OPS@x", &lists), Class::Bot);
        assert_eq!(class("Ann Bot", "a@x", &lists), Class::Human);
        assert_eq!(class("Redeploy 7", "", &lists), Class::Human);
    }
}
