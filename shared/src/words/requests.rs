//! How a commit of the first-parent chain arrived: by a pull or merge request, by a branch, or directly.
//!
//! First rule that matches, as the forges write it: GitHub, GitLab, Bitbucket, Azure DevOps, Gerrit, bors and homu,
//! Phabricator; then the number a squash leaves at the end of the subject; then a merge without a number. Rebase merges
//! leave no trace, so they are seen as direct: a repository in which nothing was found has no observable requests,
//! which is not the same as none.

use std::sync::LazyLock;

use regex::Regex;

use super::Message;
use super::patterns::own;
use super::tickets::without_request;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Platform {
    GitHub,
    GitLab,
    Bitbucket,
    Azure,
    Gerrit,
    Bors,
    Phabricator,
    /// `(#12)` at the end of a squash: GitHub's form, which others have taken over.
    Unsaid,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum How {
    /// The commit joins the request's commits.
    Merge,
    /// The commit is all that is left of the request.
    Squash,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub platform: Platform,
    /// `None` where only a change id stands (Gerrit without a review address).
    pub number: Option<u64>,
    pub branch: Option<String>,
    pub how: How,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arrival {
    Request(Request),
    /// A merge without a number.
    Branch {
        branch: Option<String>,
    },
    Direct,
}

static GITHUB: LazyLock<Regex> = LazyLock::new(|| own(r"^Merge pull request #(\d{1,9}) from (\S+)"));
static BITBUCKET_SERVER: LazyLock<Regex> = LazyLock::new(|| {
    own(r"^(?:Merge )?[Pp]ull request #(\d{1,9}): .*|^Merge pull request #(\d{1,9}) in \S+ from (\S+)")
});
static BITBUCKET: LazyLock<Regex> = LazyLock::new(|| own(r"^Merged in (\S+) \(pull request #(\d{1,9})\)"));
static AZURE: LazyLock<Regex> = LazyLock::new(|| own(r"^Merged PR (\d{1,9}): "));
static BORS: LazyLock<Regex> =
    LazyLock::new(|| own(r"^Auto merge of #(\d{1,9})(?: - (?:[^:\s]+:)?([^,\s]+))?"));
static BORS_NG: LazyLock<Regex> = LazyLock::new(|| own(r"^Merge #(\d{1,9})(?:\s|$)"));
static GITLAB: LazyLock<Regex> = LazyLock::new(|| own(r"(?m)^See merge request (?:\S*?)!(\d{1,9})\s*$"));
static BRANCH: LazyLock<Regex> = LazyLock::new(|| {
    own(r"^Merge (?:remote-tracking )?branch(?:es)? '([^']+)'|^Merge (?:remote-tracking )?branch (\S+)")
});
static GERRIT_NUMBER: LazyLock<Regex> = LazyLock::new(|| own(r"/(\d{1,9})/?$"));
static PHABRICATOR: LazyLock<Regex> =
    LazyLock::new(|| own(r"(?m)^Differential Revision: (?:https?://\S+/)?D(\d{1,9})\s*$"));

/// Returns how the commit arrived; `parents` says how many parents it has.
pub fn arrival(message: &Message, parents: usize) -> Arrival {
    let how = if parents > 1 { How::Merge } else { How::Squash };
    if let Some((platform, number, branch)) = named(message) {
        return Arrival::Request(Request { platform, number, branch, how });
    }
    if parents > 1 {
        return Arrival::Branch { branch: branch(&message.subject) };
    }
    match squashed(&message.subject) {
        Some((platform, number)) => {
            Arrival::Request(Request { platform, number: Some(number), branch: None, how: How::Squash })
        }
        None => Arrival::Direct,
    }
}

type Named = (Platform, Option<u64>, Option<String>);

fn named(message: &Message) -> Option<Named> {
    let subject = message.subject.as_str();
    let number = |text: Option<regex::Match<'_>>| text.and_then(|m| m.as_str().parse::<u64>().ok());
    let word = |text: Option<regex::Match<'_>>| text.map(|m| m.as_str().to_owned());
    if let Some(found) = GITHUB.captures(subject) {
        return Some((Platform::GitHub, number(found.get(1)), word(found.get(2))));
    }
    if let Some(found) = GITLAB.captures(&message.body) {
        return Some((Platform::GitLab, number(found.get(1)), branch(subject)));
    }
    if let Some(found) = BITBUCKET.captures(subject) {
        return Some((Platform::Bitbucket, number(found.get(2)), word(found.get(1))));
    }
    if let Some(found) = BITBUCKET_SERVER.captures(subject) {
        return Some((Platform::Bitbucket, number(found.get(1).or(found.get(2))), word(found.get(3))));
    }
    if let Some(found) = AZURE.captures(subject) {
        return Some((Platform::Azure, number(found.get(1)), None));
    }
    gerrit(message).or_else(|| bors(subject)).or_else(|| phabricator(message))
}

fn gerrit(message: &Message) -> Option<Named> {
    let reviewed = message.trailer("Reviewed-on").next();
    let change = message.trailer("Change-Id").find(|id| is_change_id(id));
    let number = |url: &str| GERRIT_NUMBER.captures(url).and_then(|found| found[1].parse().ok());
    (reviewed.is_some() || change.is_some()).then(|| (Platform::Gerrit, reviewed.and_then(number), None))
}

fn is_change_id(id: &str) -> bool {
    id.len() == 41 && id.starts_with('I') && id.bytes().skip(1).all(|byte| byte.is_ascii_hexdigit())
}

fn bors(subject: &str) -> Option<Named> {
    let found = BORS.captures(subject).or_else(|| BORS_NG.captures(subject))?;
    let branch = found.get(2).map(|m| m.as_str().to_owned());
    Some((Platform::Bors, found[1].parse().ok(), branch))
}

fn phabricator(message: &Message) -> Option<Named> {
    let found = PHABRICATOR.captures(&message.body).and_then(|found| found[1].parse::<u64>().ok());
    let revision = |text: &str| text.rsplit('/').next()?.strip_prefix('D')?.parse::<u64>().ok();
    let number = found.or_else(|| message.trailer("Differential-Revision").find_map(revision))?;
    Some((Platform::Phabricator, Some(number), None))
}

fn squashed(subject: &str) -> Option<(Platform, u64)> {
    let number = without_request(subject, 1).1?;
    let gitlab = subject.trim_end().ends_with(&format!("(!{number})"));
    Some((if gitlab { Platform::GitLab } else { Platform::Unsaid }, number))
}

fn branch(subject: &str) -> Option<String> {
    let found = BRANCH.captures(subject)?;
    found.get(1).or_else(|| found.get(2)).map(|name| name.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, parents: usize, platform: Platform, number: Option<u64>, branch: Option<&str>) {
        let how = if parents > 1 { How::Merge } else { How::Squash };
        let expect = Request { platform, number, branch: branch.map(str::to_owned), how };
        assert_eq!(arrival(&Message::of(text), parents), Arrival::Request(expect), "{text}");
    }

    #[test]
    fn each_forge_has_its_words() {
        check("Merge pull request #5 from o/x-y\n\nAdd x", 2, Platform::GitHub, Some(5), Some("o/x-y"));
        check(
            "Merge branch 'x' into 'main'\n\nAdd\n\nSee merge request g/p!7",
            2,
            Platform::GitLab,
            Some(7),
            Some("x"),
        );
        check("Merged in x (pull request #8)", 2, Platform::Bitbucket, Some(8), Some("x"));
        check("Pull request #9: Add x", 2, Platform::Bitbucket, Some(9), None);
        check("Merge pull request #9 in P/r from x to main", 2, Platform::Bitbucket, Some(9), Some("x"));
        check("Merged PR 10: Add x", 1, Platform::Azure, Some(10), None);
        check("Auto merge of #11 - ann:x, r=bob", 2, Platform::Bors, Some(11), Some("x"));
        check("Merge #12", 2, Platform::Bors, Some(12), None);
        check(
            "x\n\nDifferential Revision: https://reviews.example/D13",
            1,
            Platform::Phabricator,
            Some(13),
            None,
        );
        let id = "a".repeat(40);
        check(&format!("x\n\nChange-Id: I{id}\n"), 1, Platform::Gerrit, None, None);
        let reviewed = format!("x\n\nChange-Id: I{id}\nReviewed-on: https://r.example/c/p/+/14\n");
        check(&reviewed, 1, Platform::Gerrit, Some(14), None);
    }

    #[test]
    fn squashes_end_in_a_number() {
        check("Add x (#15)", 1, Platform::Unsaid, Some(15), None);
        check("Add x (gh-16)", 1, Platform::Unsaid, Some(16), None);
        check("Add x (!17)", 1, Platform::GitLab, Some(17), None);
    }

    #[test]
    fn branches_and_the_rest() {
        let arrive = |text: &str, parents| arrival(&Message::of(text), parents);
        assert_eq!(arrive("Merge branch 'x'", 2), Arrival::Branch { branch: Some("x".into()) });
        assert_eq!(arrive("Add x (#15)", 2), Arrival::Branch { branch: None });
        assert_eq!(arrive("Fix #15 in the middle", 1), Arrival::Direct);
        assert_eq!(arrive("", 0), Arrival::Direct);
    }
}
