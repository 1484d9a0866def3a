//! Which commits a commit takes back, and whether that still holds.
//!
//! A revert says `This reverts commit <id>` in its body, or `Revert "<subject>"` in its subject, or has the Conventional
//! Commits type `revert`. Subject and body disagree often, so both are read. `Reapply "<subject>"` (git's own words
//! since 2.43) takes back a revert. Source of the forms: git-revert(1), conventionalcommits.org (type revert).

use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

use regex::Regex;

use super::patterns::own;
use super::tickets::without_request;
use super::{Message, conventional};
use crate::object_id::ObjectId;

/// What a message says it takes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undoing {
    /// Ids or their beginnings, in lower case.
    pub ids: Vec<String>,
    /// The subject of the commit that is taken back.
    pub subject: Option<String>,
}

/// One commit as [`victims`] wants it.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    pub id: ObjectId,
    pub subject: &'a str,
    pub undoing: Option<&'a Undoing>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Evidence {
    Id,
    Subject,
}

/// A revert and what it takes back, as places in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Link {
    pub revert: usize,
    pub victim: usize,
    pub evidence: Evidence,
    /// Whether the revert itself was not taken back later.
    pub holds: bool,
}

static ONE: LazyLock<Regex> = LazyLock::new(|| own(r"(?i)\bthis reverts commit:?\s+([0-9a-f]{7,64})\b"));
static SEVERAL: LazyLock<Regex> =
    LazyLock::new(|| own(r"(?i)\bthis reverts commits:?((?:[\s,*-]|and\b|&|[0-9a-f]{7,64}\b)+)"));
static HEX: LazyLock<Regex> = LazyLock::new(|| own(r"(?i)\b[0-9a-f]{7,64}\b"));

/// Reads what a message takes back; `None` for all but reverts and reapplications.
pub fn read(message: &Message) -> Option<Undoing> {
    let mut ids = Vec::new();
    let text = message.text();
    let mut add = |id: &str| {
        let id = id.to_ascii_lowercase();
        if !ids.contains(&id) {
            ids.push(id);
        }
    };
    ONE.captures_iter(&text).for_each(|found| add(&found[1]));
    for list in SEVERAL.captures_iter(&text) {
        HEX.find_iter(&list[1]).for_each(|id| add(id.as_str()));
    }
    let quoted = quoted(&message.subject);
    let typed = conventional::read(message, &BTreeSet::new()).filter(|one| one.kind == "revert");
    if typed.is_some() {
        // The specification's own example names the commits in a footer `Refs:`.
        let refs: Vec<_> = message.trailer("Refs").collect();
        refs.iter().flat_map(|refs| HEX.find_iter(refs)).for_each(|id| add(id.as_str()));
    }
    if ids.is_empty() && quoted.is_none() && typed.is_none() {
        return None;
    }
    let subject = quoted.or_else(|| typed.map(|one| one.description));
    let subject = subject.map(|subject| unquoted(without_request(&subject, 1).0).to_owned());
    Some(Undoing { ids, subject })
}

/// The subject that `Revert "..."` or `Reapply "..."` names. What it takes back of a reapplication is the revert.
fn quoted(subject: &str) -> Option<String> {
    let bare = without_request(subject, 1).0;
    let inner = |word: &str| {
        let rest = bare
            .get(..word.len())
            .filter(|head| head.eq_ignore_ascii_case(word))
            .map(|_| &bare[word.len()..])?;
        let inner = rest.strip_prefix(" \"")?;
        inner.rfind('"').map(|end| inner[..end].to_owned())
    };
    inner("Revert").or_else(|| inner("Reapply").map(|subject| format!("Revert \"{subject}\"")))
}

fn unquoted(subject: &str) -> &str {
    subject.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(subject)
}

/// Links each revert to what it takes back, among commits in an order in which parents come first.
///
/// Ids are looked up first; a beginning that fits several earlier commits fits none. Only where no id leads anywhere
/// is the subject asked: the newest earlier commit that has it. Links are sorted by revert, then victim.
pub fn victims(commits: &[Told<'_>]) -> Vec<Link> {
    let mut links = Vec::new();
    let names: Vec<String> = commits.iter().map(|commit| commit.id.to_string()).collect();
    let mut sorted: Vec<usize> = (0..commits.len()).collect();
    sorted.sort_by(|one, other| names[*one].cmp(&names[*other]).then(one.cmp(other)));
    let mut newest: HashMap<String, usize> = HashMap::new();
    for (at, commit) in commits.iter().enumerate() {
        if let Some(undoing) = commit.undoing {
            let found = undoing.ids.iter().filter_map(|id| earlier(&names, &sorted, id, at));
            let mut by_id: Vec<_> = found.collect();
            by_id.sort_unstable();
            by_id.dedup();
            let by_subject = undoing.subject.as_ref().filter(|_| by_id.is_empty());
            let by_subject = by_subject.and_then(|subject| newest.get(&comparable(subject)).copied());
            let found = by_id.into_iter().map(|victim| (victim, Evidence::Id));
            let found = found.chain(by_subject.map(|victim| (victim, Evidence::Subject)));
            links.extend(found.map(|(victim, evidence)| Link { revert: at, victim, evidence, holds: true }));
        }
        newest.insert(comparable(commit.subject), at);
    }
    let gone = gone(commits.len(), &links);
    for link in &mut links {
        link.holds = !gone[link.revert];
    }
    links
}

/// The one commit before `at` whose id begins with `prefix`.
fn earlier(names: &[String], sorted: &[usize], prefix: &str, at: usize) -> Option<usize> {
    let first = sorted.partition_point(|one| names[*one].as_str() < prefix);
    let mut fitting = sorted[first..].iter().take_while(|one| names[**one].starts_with(prefix));
    let mut before = fitting.by_ref().copied().filter(|one| *one < at);
    let only = before.next()?;
    before.next().is_none().then_some(only)
}

/// Which commits were taken back by one that was not taken back itself.
fn gone(commits: usize, links: &[Link]) -> Vec<bool> {
    let mut gone = vec![false; commits];
    // A revert comes after its victims, so from the newest on every revert's own fate is known.
    for link in links.iter().rev() {
        if !gone[link.revert] {
            gone[link.victim] = true;
        }
    }
    gone
}

/// Subjects are equal whether or not a squash has added its number.
fn comparable(subject: &str) -> String {
    without_request(subject.trim(), 1).0.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn undoing(text: &str) -> Option<Undoing> {
        read(&Message::of(text))
    }

    fn check(text: &str, ids: &[&str], subject: Option<&str>) {
        let ids = ids.iter().map(|id| (*id).to_owned()).collect();
        assert_eq!(undoing(text), Some(Undoing { ids, subject: subject.map(str::to_owned) }), "{text}");
    }

    #[test]
    fn the_forms_of_a_revert() {
        check("Revert \"Add x\"\n\nThis reverts commit ABCDEF1.", &["abcdef1"], Some("Add x"));
        check("Revert \"Add x (#3)\" (#4)", &[], Some("Add x"));
        check("Revert \"Revert \"Add x\"\"", &[], Some("Revert \"Add x\""));
        check("Reapply \"Add x\"", &[], Some("Revert \"Add x\""));
        check("revert: Add x\n\nRefs: 676104e, a215868", &["676104e", "a215868"], Some("Add x"));
        check(
            "Undo\n\nThis reverts commits abcdef1, abcdef2 and abcdef3.",
            &["abcdef1", "abcdef2", "abcdef3"],
            None,
        );
        check(
            "Undo\n\nThis reverts commit abcdef1, reversing\nchanges made to abcdef2.\nSigned-off-by: Ann <a@x>",
            &["abcdef1"],
            None,
        );
        for text in ["Revert to x", "revert x", "This reverts the change", "Add reverts"] {
            assert_eq!(undoing(text), None, "{text}");
        }
    }

    /// Checks the links of a history of (first byte of the id, message), written `revert>victim`, `!` where it holds no
    /// more.
    fn check_victims(history: &[(u8, &str)], expect: &[&str]) {
        let read: Vec<_> = history.iter().map(|(_, text)| Message::of(text)).collect();
        let undoings: Vec<_> = read.iter().map(super::read).collect();
        let told: Vec<_> = history
            .iter()
            .zip(&read)
            .zip(&undoings)
            .map(|(((byte, _), message), undoing)| Told {
                id: ObjectId::try_from(&[*byte; 20][..]).unwrap(),
                subject: &message.subject,
                undoing: undoing.as_ref(),
            })
            .collect();
        let links = victims(&told);
        let written: Vec<_> = links
            .iter()
            .map(|link| format!("{}>{}{}", link.revert, link.victim, if link.holds { "" } else { "!" }))
            .collect();
        assert_eq!(written, expect);
    }

    #[test]
    fn ids_win_over_subjects() {
        check_victims(&[(1, "A"), (2, "A"), (3, "Revert \"A\"\n\nThis reverts commit 01010101.")], &["2>0"]);
        check_victims(
            &[(1, "A"), (2, "A (#2)"), (3, "Revert \"A\"\n\nThis reverts commit 0909090.")],
            &["2>1"],
        );
        check_victims(&[(1, "A"), (2, "This reverts commit 0303030."), (3, "A")], &[]);
    }

    #[test]
    fn a_reapplication_cancels() {
        check_victims(&[(1, "A"), (2, "Revert \"A\""), (3, "Reapply \"A\"")], &["1>0!", "2>1"]);
        let again = [(1, "A"), (2, "Revert \"A\""), (3, "Revert \"Revert \"A\"\""), (4, "Revert \"A\"")];
        check_victims(&again, &["1>0!", "2>1", "3>0"]);
    }
}
