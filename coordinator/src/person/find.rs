//! Who is meant by a request, over everything that the store holds.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use gitfleet_shared::facts::{ClaimedTime, CommitFacts, Signature};
use gitfleet_shared::mailmap::Mailmap;
use gitfleet_shared::object_id::ObjectId;
use gitfleet_shared::people::erasure::folded;
use gitfleet_shared::people::{self, Directory, Link, name_key};
use gitfleet_shared::words::Message;
use gitfleet_shared::words::trailers::{Role, credits};

use super::{Identity, PersonError, PersonRequest};
use crate::aggregate::who::{self, Gathered};
use crate::lens::Lens;
use crate::store::erasures::{HeldBatch, HeldCommit, HeldSnapshot};
use crate::store::ledger::Ledger;
use crate::store::{PeopleLink, Result};

/// Somebody who was found.
pub struct Person {
    /// Ascending.
    pub identities: Vec<Identity>,
    /// The same, byte for byte.
    pub signatures: Vec<Signature>,
    /// What mailmaps and mappings call them beside.
    pub(super) aliases: BTreeSet<Signature>,
    pub(super) logins: BTreeSet<String>,
    /// Hashes by which reports may call them.
    pub(super) keys: BTreeSet<String>,
    /// What the request named, whether it is anywhere or not.
    pub(super) asked: Vec<people::Who>,
    /// Everybody else who is held.
    pub(super) others: Vec<Signature>,
    /// All who are known under the last lens.
    pub(super) directory: Directory,
    pub(super) batches: Vec<HeldBatch>,
    pub(super) links: Vec<PeopleLink>,
    /// Where messages name them.
    pub mentions: Vec<HeldCommit>,
    /// Teams they are in, by the last batch's configuration.
    pub teams: Vec<String>,
}

impl Person {
    /// Finds whom `request` means; somebody of whom nothing is held has no identities.
    ///
    /// # Errors
    ///
    /// Where it names nobody, or the store fails.
    pub async fn find(store: &dyn Ledger, request: &PersonRequest) -> std::result::Result<Self, PersonError> {
        let asked = asked(&request.identities)?;
        let held = Held::read(store).await?;
        Ok(held.person(asked, request.only))
    }

    /// Returns the decisions that are about them.
    pub fn decisions(&self) -> Vec<&PeopleLink> {
        let emails: BTreeSet<String> = self.identities.iter().map(|one| folded(&one.email)).collect();
        let about = |text: &str| match who::meant(text) {
            people::Who::Email(email) => emails.contains(&folded(&email)),
            people::Who::Signature(signature) => self.is(&signature),
        };
        self.links.iter().filter(|link| about(&link.a) || about(&link.b)).collect()
    }

    pub(super) fn is(&self, signature: &Signature) -> bool {
        let (name, email) = text(signature);
        let same =
            |one: &Identity| folded(&one.email) == folded(&email) && name_key(&one.name) == name_key(&name);
        self.identities.iter().any(same)
    }
}

fn asked(identities: &[String]) -> std::result::Result<Vec<people::Who>, PersonError> {
    if identities.is_empty() {
        return Err(PersonError::Nobody);
    }
    let read = |(place, text): (usize, &String)| match who::meant(text.trim()) {
        people::Who::Email(email) if is_email(&email) => Ok(people::Who::Email(email)),
        people::Who::Signature(one) if !one.email.is_empty() => Ok(people::Who::Signature(one)),
        _ => Err(PersonError::NoIdentity { place }),
    };
    (1..).zip(identities).map(read).collect()
}

fn is_email(text: &str) -> bool {
    text.split_once('@').is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty())
        && !text.contains(|c: char| c == '<' || c == '>' || c.is_control())
}

fn text(signature: &Signature) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&signature.name), text(&signature.email))
}

fn fits(who: &people::Who, signature: &Signature) -> bool {
    let (name, email) = text(signature);
    match who {
        people::Who::Email(asked) => folded(asked) == folded(&email),
        people::Who::Signature(asked) => {
            let asked = text(asked);
            folded(&asked.1) == folded(&email) && name_key(&asked.0) == name_key(&name)
        }
    }
}

/// A message that names somebody.
struct Mention {
    snapshot: usize,
    commit: ObjectId,
    role: &'static str,
    authored: ClaimedTime,
}

/// Everything in which people are looked for.
#[derive(Default)]
struct Held {
    snapshots: Vec<HeldSnapshot>,
    /// By snapshot: who wrote how many commits, and who is only named.
    signatures: Vec<BTreeMap<Signature, u64>>,
    mentions: HashMap<Signature, Vec<Mention>>,
    /// Those that stand in no snapshot.
    unlisted: Vec<Signature>,
    batches: Vec<HeldBatch>,
    links: Vec<PeopleLink>,
}

impl Held {
    async fn read(store: &dyn Ledger) -> Result<Self> {
        let mut held = Self {
            snapshots: store.held_snapshots().await?,
            batches: store.held_batches().await?,
            links: store.people_links().await?,
            ..Self::default()
        };
        for (place, snapshot) in held.snapshots.iter().enumerate() {
            let (mut signatures, mentions) = (BTreeMap::new(), &mut held.mentions);
            store
                .read_facts(snapshot.id, &mut |block| {
                    for one in block {
                        add(&mut signatures, mentions, place, &one.facts);
                    }
                })
                .await?;
            held.signatures.push(signatures);
        }
        let listed = |one: &Signature| held.signatures.iter().any(|signatures| signatures.contains_key(one));
        held.unlisted = store.held_signatures().await?.into_iter().filter(|one| !listed(one)).collect();
        Ok(held)
    }

    fn mailmaps(&self) -> Vec<Mailmap> {
        let parse = |snapshot: &HeldSnapshot| Mailmap::parse(snapshot.mailmap.as_deref().unwrap_or_default());
        self.snapshots.iter().map(parse).collect()
    }

    fn person(self, asked: Vec<people::Who>, only: bool) -> Person {
        let lens = self.batches.first().map(|batch| batch.lens.clone()).unwrap_or_default();
        let mut gathered = Gathered::default();
        for (mailmap, signatures) in self.mailmaps().into_iter().zip(&self.signatures) {
            gathered.add(mailmap, signatures.clone());
        }
        gathered.add(Mailmap::default(), self.unlisted.iter().map(|one| (one.clone(), 0)).collect());
        let links: Vec<Link> = self.links.iter().map(who::link).collect();
        let directory = gathered.resolve(&lens, &links);
        let all = directory.people.iter().flat_map(|person| &person.members).map(|one| &one.signature);
        let named: BTreeSet<&Signature> =
            all.clone().filter(|one| asked.iter().any(|who| fits(who, one))).collect();
        let people: BTreeSet<usize> = named.iter().map(|one| directory.of[*one]).collect();
        let theirs: BTreeSet<Signature> = match only {
            true => named.into_iter().cloned().collect(),
            false => {
                let members = people.iter().flat_map(|person| &directory.people[*person].members);
                members.map(|member| member.signature.clone()).collect()
            }
        };
        let others = all.filter(|one| !theirs.contains(*one)).cloned().collect();
        let mut person = Person {
            identities: theirs.iter().map(|one| self.identity(one)).collect(),
            signatures: theirs.iter().cloned().collect(),
            aliases: BTreeSet::new(),
            logins: BTreeSet::new(),
            keys: theirs.iter().map(people::person_key).collect(),
            mentions: self.mentioned(&theirs),
            teams: teams(&lens, &directory, &people),
            asked,
            others,
            batches: Vec::new(),
            links: Vec::new(),
            directory,
        };
        self.called(&mut person, &theirs, only);
        person.batches = self.batches;
        person.links = self.links;
        person
    }

    fn identity(&self, signature: &Signature) -> Identity {
        let (name, email) = text(signature);
        let commits = self.signatures.iter().filter_map(|signatures| signatures.get(signature)).sum();
        Identity { name, email, commits }
    }

    fn mentioned(&self, theirs: &BTreeSet<Signature>) -> Vec<HeldCommit> {
        let mut mentions = Vec::new();
        for signature in theirs {
            let (name, email) = text(signature);
            for one in self.mentions.get(signature).into_iter().flatten() {
                mentions.push(HeldCommit {
                    repository: self.snapshots[one.snapshot].repository.clone(),
                    commit: one.commit.to_string(),
                    role: one.role.to_owned(),
                    name: name.clone(),
                    email: email.clone(),
                    at: one.authored.seconds.and_then(|seconds| {
                        HeldCommit::clock(seconds, i64::from(one.authored.offset_minutes))
                    }),
                });
            }
        }
        mentions.sort();
        // A commit that several snapshots have is one.
        mentions.dedup();
        mentions
    }

    /// Adds what mailmaps, mappings and forges call somebody.
    fn called(&self, person: &mut Person, theirs: &BTreeSet<Signature>, only: bool) {
        let mut mailmaps = self.mailmaps();
        mailmaps
            .extend(self.batches.iter().map(|batch| Mailmap::parse(batch.lens.people.mailmap.as_bytes())));
        for signature in theirs {
            // Those that several people have stand for nobody.
            if person.others.iter().any(|other| other.email.eq_ignore_ascii_case(&signature.email)) && only {
                continue;
            }
            for mailmap in &mailmaps {
                let proper = mailmap.resolve(signature);
                if proper != *signature {
                    person.keys.insert(people::person_key(&proper));
                    person.aliases.insert(proper);
                }
            }
            person.logins.extend(people::login(&text(signature).1));
        }
        for mapping in self.batches.iter().flat_map(|batch| &batch.lens.people.mappings) {
            let emails = [&mapping.primary_email].into_iter().chain(&mapping.aliases);
            let known: BTreeSet<String> = theirs.iter().map(|one| folded(&text(one).1)).collect();
            if !emails.map(|email| folded(email)).any(|email| known.contains(&email)) {
                continue;
            }
            person.keys.insert(people::mapping_key(mapping));
            person.logins.extend(mapping.login.clone());
            let alias = |name: &str, email: &str| Signature { name: name.into(), email: email.into() };
            person.aliases.insert(alias(&mapping.name, &mapping.primary_email));
            for one in &mapping.aliases {
                person.aliases.insert(match one.contains('@') {
                    true => alias(&mapping.name, one),
                    false => alias(one, &mapping.primary_email),
                });
            }
        }
    }
}

/// Notes whom a commit names.
fn add(
    signatures: &mut BTreeMap<Signature, u64>,
    mentions: &mut HashMap<Signature, Vec<Mention>>,
    snapshot: usize,
    commit: &CommitFacts,
) {
    *signatures.entry(commit.author.clone()).or_default() += 1;
    signatures.entry(commit.committer.clone()).or_default();
    for credit in credits(&Message::read(&commit.message).trailers) {
        let signature = Signature { name: credit.name.into(), email: credit.email.into() };
        let role = match credit.role {
            Role::CoAuthor => "co-authored-by",
            Role::Reviewer => "reviewed-by",
            Role::Acker => "acked-by",
            Role::Tester => "tested-by",
            Role::Signer => "signed-off-by",
            Role::Reporter => "reported-by",
        };
        let mention = Mention { snapshot, commit: commit.id, role, authored: commit.authored };
        signatures.entry(signature.clone()).or_default();
        mentions.entry(signature).or_default().push(mention);
    }
}

fn teams(lens: &Lens, directory: &Directory, people: &BTreeSet<usize>) -> Vec<String> {
    let is_in = |team: &&people::teams::Team| {
        team.members.iter().flat_map(|member| directory.find(&member.person)).any(|one| people.contains(&one))
    };
    lens.teams.iter().filter(is_in).map(|team| team.name.clone()).collect()
}
