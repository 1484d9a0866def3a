//! Who might be the same person: similar names or e-mails, for a person to decide. Never applied.

use serde::Serialize;

use super::links::text;
use super::normal::name_key;
use super::{Class, Directory, Person};

/// Scores below are not worth a look (Jaro-Winkler of the names, or of names and local parts).
const LEAST_PERMILLE: u16 = 920;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Proposal {
    /// Places in [`Directory::people`]; `a` is the smaller.
    pub a: usize,
    pub b: usize,
    pub score_permille: u16,
    pub reason: Alike,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Alike {
    Names,
    /// The local parts of their e-mails.
    LocalParts,
    /// One's name is the other's local part.
    NameAndLocalPart,
}

/// Local parts that many e-mails begin with.
const COMMON: [&str; 14] = [
    "info", "admin", "root", "git", "github", "mail", "me", "dev", "contact", "hello", "noreply", "no-reply",
    "support", "user",
];

/// Shorter words are alike by accident.
const LEAST_LETTERS: usize = 5;

/// What of a person is compared.
struct Face {
    at: usize,
    names: Vec<Word>,
    locals: Vec<Word>,
}

struct Word {
    text: String,
    letters: u32,
    /// How often each of a few classes of letters comes: what bounds the score from above without comparing.
    counts: [u8; 32],
}

/// Returns pairs of people who are alike, best first, ties by place.
pub fn proposals(directory: &Directory) -> Vec<Proposal> {
    let humans = directory.people.iter().enumerate().filter(|(_, person)| person.class == Class::Human);
    let faces: Vec<_> = humans.map(|(at, person)| Face::of(at, person)).collect();
    let mut proposals = Vec::new();
    for (nth, one) in faces.iter().enumerate() {
        for other in &faces[nth + 1..] {
            if let Some((score_permille, reason)) = one.alike(other) {
                proposals.push(Proposal { a: one.at, b: other.at, score_permille, reason });
            }
        }
    }
    proposals.sort_by_key(|proposal| (std::cmp::Reverse(proposal.score_permille), proposal.a, proposal.b));
    proposals
}

impl Face {
    fn of(at: usize, person: &Person) -> Self {
        let mut names: Vec<_> =
            person.members.iter().map(|member| name_key(&text(&member.signature.name))).collect();
        names.push(name_key(&person.name));
        let mut locals: Vec<_> =
            person.members.iter().filter_map(|member| local(&text(&member.signature.email))).collect();
        for words in [&mut names, &mut locals] {
            words.retain(|word| word.chars().count() >= LEAST_LETTERS);
            words.sort();
            words.dedup();
        }
        Self {
            at,
            names: names.into_iter().map(Word::of).collect(),
            locals: locals.into_iter().map(Word::of).collect(),
        }
    }

    fn alike(&self, other: &Self) -> Option<(u16, Alike)> {
        let names = best(&self.names, &other.names).map(|score| (score, Alike::Names));
        let locals = best(&self.locals, &other.locals).map(|score| (score, Alike::LocalParts));
        let crossed = best(&self.names, &other.locals).max(best(&self.locals, &other.names));
        let crossed = crossed.map(|score| (score, Alike::NameAndLocalPart));
        let better = |one: &(u16, Alike), other: &(u16, Alike)| one.0.cmp(&other.0).then(other.1.cmp(&one.1));
        [names, locals, crossed].into_iter().flatten().max_by(better)
    }
}

/// The part before the `@`, with blanks where signs are, and without a forge's number.
fn local(email: &str) -> Option<String> {
    let (local, _) = email.rsplit_once('@')?;
    let local = local.rsplit('+').next().unwrap_or(local);
    let key = name_key(&local.replace(['.', '_', '-'], " "));
    (!COMMON.contains(&key.as_str())).then_some(key)
}

fn best(ones: &[Word], others: &[Word]) -> Option<u16> {
    ones.iter().flat_map(|one| others.iter().filter_map(|other| one.score(other))).max()
}

impl Word {
    fn of(text: String) -> Self {
        let mut counts = [0u8; 32];
        for c in text.chars() {
            let class = &mut counts[(u32::from(c) % 32) as usize];
            *class = class.saturating_add(1);
        }
        let letters = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
        Self { text, letters, counts }
    }

    /// The score, where it is high enough.
    fn score(&self, other: &Self) -> Option<u16> {
        if self.bound(other) < f64::from(LEAST_PERMILLE) / 1000.0 {
            return None;
        }
        let score = (strsim::jaro_winkler(&self.text, &other.text) * 1000.0).floor();
        // Between 0 and 1000, by the definition of the measure.
        let permille = score as u16;
        (permille >= LEAST_PERMILLE).then_some(permille)
    }

    /// The highest score that two words with these letters can have: as many matches as letters in common, none out of
    /// place, a common beginning of four.
    fn bound(&self, other: &Self) -> f64 {
        let common: u32 =
            self.counts.iter().zip(&other.counts).map(|(one, other)| u32::from(*one.min(other))).sum();
        let common = f64::from(common);
        let jaro = (common / f64::from(self.letters) + common / f64::from(other.letters) + 1.0) / 3.0;
        jaro + 0.4 * (1.0 - jaro)
    }
}
