//! Who is who: from the signatures of many repositories to people, each link with its reason.
//!
//! In this order, and each step deterministic: `.mailmap` of the repository, mailmap of the organisation, manual mappings
//! and links, noreply addresses of forges, the same e-mail, the same full name. Links form components (transitive
//! closure). An unlink wins over every link. Similar names are proposals for a person to decide and are never applied.
//! Facts keep raw signatures, so a change of mind costs a new report and no analysis.
//!
//! A signature that a mailmap renames takes part in the later steps as what it is renamed to: two people behind
//! `root@localhost` whom a mailmap tells apart stay apart. Where another repository has the same signature without such
//! a line, it also takes part as it is. So another repository can join people and never splits them; the exceptions are
//! unlinks and the guard below.
//!
//! The guard: a component of more than [`MOST_EMAILS`] e-mails, or with two manual mappings, that names alone hold
//! together falls back to what it was before the step of names, and is reported as contested.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use crate::facts::Signature;
use crate::mailmap::Mailmap;

pub mod bots;
pub mod erasure;
mod forges;
mod links;
mod normal;
mod proposals;
pub mod pseudonyms;
mod resolve;
pub mod teams;
mod union;

pub use forges::login;
pub use normal::{email_key, full_name, is_personal, name_key};
pub use proposals::{Alike, Proposal, proposals};
pub use resolve::{mapping_key, person_key};

/// Components of more e-mails must be held together by more than names.
pub const MOST_EMAILS: usize = 10;

/// The signatures of one repository.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// The `.mailmap` of the tip of its default branch.
    pub mailmap: &'a Mailmap,
    /// Each with its commits; one that comes twice is summed up.
    pub signatures: &'a [(Signature, u64)],
}

/// A person as the configuration has them, in GitFlow Analytics' form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    pub name: String,
    #[serde(alias = "canonical_email")]
    pub primary_email: String,
    /// Names or e-mails: what has an `@` is an e-mail.
    #[serde(default)]
    pub aliases: Vec<String>,
    #[serde(default, alias = "github_username")]
    pub login: Option<String>,
}

/// One or more signatures, as an operator names them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Who {
    Email(String),
    Signature(Signature),
}

/// What an operator has decided. Of a link and an unlink of the same two, the unlink stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    pub a: Who,
    pub b: Who,
    pub linked: bool,
    pub by: String,
    pub reason: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Domains at which `ann+x@` is `ann@`.
    pub plus_tag_domains: Vec<String>,
    /// Full names that say nothing, beside the built-in ones.
    pub name_stop_list: Vec<String>,
    pub bots: bots::Lists,
}

/// All that is known of who is who.
#[derive(Debug, Clone, Copy)]
pub struct Sources<'a> {
    pub repositories: &'a [Seen<'a>],
    pub organisation: Option<&'a Mailmap>,
    pub mappings: &'a [Mapping],
    pub links: &'a [Link],
    pub settings: &'a Settings,
}

/// Why two signatures are one person, in the order of the steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    Mailmap,
    OrganisationMailmap,
    ManualMapping,
    ManualLink,
    ForgeNoreply,
    SameEmail,
    SameName,
    /// The signature that the others were linked to.
    Itself,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    Human,
    Bot,
    /// An AI tool that commits under its own name.
    Agent,
}

/// A signature of a person, and the first link that brought it there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    pub signature: Signature,
    pub commits: u64,
    pub reason: Reason,
    /// What the link was found by: an e-mail, a name, a login, or who decided it and why.
    pub detail: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Stable from run to run: a hash of the mapping's e-mail, or of the smallest member.
    pub key: String,
    pub name: String,
    pub email: String,
    /// Ascending by signature.
    pub members: Vec<Member>,
    pub class: Class,
    pub login: Option<String>,
}

/// A component that the guard has looked at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Contested {
    pub why: Why,
    /// The people it has fallen into, as places in [`Directory::people`]; one, if no name had joined them.
    pub people: Vec<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Why {
    TooManyEmails,
    TwoMappings,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Directory {
    /// Ascending by key.
    pub people: Vec<Person>,
    pub of: HashMap<Signature, usize>,
    pub contested: Vec<Contested>,
}

impl Directory {
    pub fn resolve(sources: Sources<'_>) -> Self {
        resolve::directory(sources)
    }

    pub fn person(&self, signature: &Signature) -> Option<&Person> {
        self.of.get(signature).and_then(|at| self.people.get(*at))
    }

    /// Finds people by an e-mail or a name of theirs. Several where the word fits several.
    pub fn find(&self, word: &str) -> Vec<usize> {
        let fits = |person: &Person| {
            let shown = (person.name.as_str(), person.email.as_str());
            let members = person.members.iter().map(|member| &member.signature);
            let email = word.trim().to_lowercase();
            let name = name_key(word);
            let by_email = |text: &str| !email.is_empty() && text.trim().to_lowercase() == email;
            let by_name = |text: &str| !name.is_empty() && name_key(text) == name;
            by_email(shown.1)
                || by_name(shown.0)
                || members.into_iter().any(|one| {
                    by_email(&String::from_utf8_lossy(&one.email))
                        || by_name(&String::from_utf8_lossy(&one.name))
                })
        };
        self.people.iter().enumerate().filter(|(_, person)| fits(person)).map(|(at, _)| at).collect()
    }
}

/// The nodes of the graph: signatures as seen, and what mailmaps make of them.
#[derive(Debug, Default)]
struct Nodes {
    list: Vec<Signature>,
    at: BTreeMap<Signature, usize>,
    /// Commits of each, 0 for those that are only what a mailmap says.
    commits: Vec<u64>,
    seen: Vec<bool>,
    /// Whether it stands for itself somewhere, so that its own e-mail and name count.
    stands: Vec<bool>,
    /// What mailmaps rename it to or it is renamed from: nodes a mailmap has named.
    proper: BTreeSet<usize>,
}

#[cfg(test)]
mod tests;
