//! From signatures to people: collect the nodes, join them step by step, name each component.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::forges::account;
use super::links::{Group, groups, mapped, meant, text};
use super::normal::email_key;
use super::union::Components;
use super::{
    Class, Contested, Directory, MOST_EMAILS, Mapping, Member, Nodes, Person, Reason, Sources, Why, bots,
};
use crate::facts::Signature;
use crate::mailmap::Mailmap;

/// Why each node is where it is.
type Reasons = Vec<Option<(Reason, String)>>;

pub(super) fn directory(sources: Sources<'_>) -> Directory {
    let collected = Collected::of(sources);
    let nodes = collected.nodes();
    let mut all: Vec<Group> = collected.groups(&nodes);
    all.extend(groups(&nodes, sources));
    all.sort();
    let mut components = Components::new(nodes.list.len());
    for (nth, link) in sources.links.iter().filter(|link| !link.linked).enumerate() {
        let one = meant(&nodes, &link.a, sources.settings);
        let other = meant(&nodes, &link.b, sources.settings);
        components.keep_apart(nth, &one, &other);
    }
    let mut reasons: Reasons = vec![None; nodes.list.len()];
    let by_name = all.partition_point(|group| group.reason < Reason::SameName);
    join(&all[..by_name], &mut components, &mut reasons);
    let (mut before, reasons_before) = (components.clone(), reasons.clone());
    join(&all[by_name..], &mut components, &mut reasons);

    let suspects = suspects(&nodes, &mut components, sources);
    let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let mut split: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for node in 0..nodes.list.len() {
        let root = components.root(node);
        let place = if suspects.contains_key(&root) {
            reasons[node].clone_from(&reasons_before[node]);
            let place = before.root(node);
            split.entry(root).or_default().insert(place);
            place
        } else {
            root
        };
        members.entry(place).or_default().push(node);
    }
    let teller = Teller { nodes: &nodes, reasons: &reasons, sources, inflow: collected.inflow(&nodes) };
    teller.directory(members, &suspects, &split)
}

/// What the repositories hold, in sets and sums, so that no order can matter.
#[derive(Default)]
struct Collected {
    commits: BTreeMap<Signature, u64>,
    /// Whom a mailmap renames to whom.
    renames: BTreeSet<(Reason, Signature, Signature)>,
    stands: BTreeSet<Signature>,
    /// Commits of those whom mailmaps rename to this one.
    inflow: BTreeMap<Signature, u64>,
    mapped: BTreeSet<Signature>,
}

impl Collected {
    fn of(sources: Sources<'_>) -> Self {
        let nobody = Mailmap::default();
        let organisation = sources.organisation.unwrap_or(&nobody);
        let mut collected = Self::default();
        for repository in sources.repositories {
            for (signature, commits) in repository.signatures {
                collected.add(signature, *commits, repository.mailmap, organisation);
            }
        }
        collected.mapped = sources.mappings.iter().map(mapped).collect();
        collected
    }

    fn add(&mut self, raw: &Signature, commits: u64, mailmap: &Mailmap, organisation: &Mailmap) {
        let sum = self.commits.entry(raw.clone()).or_default();
        *sum = sum.saturating_add(commits);
        let here = mailmap.resolve(raw);
        let proper = organisation.resolve(&here);
        let directly = organisation.resolve(raw);
        self.rename(Reason::Mailmap, raw, &here);
        self.rename(Reason::OrganisationMailmap, &here, &proper);
        self.rename(Reason::OrganisationMailmap, raw, &directly);
        if proper != *raw {
            let inflow = self.inflow.entry(proper.clone()).or_default();
            *inflow = inflow.saturating_add(commits);
        }
        if directly != *raw {
            self.stands.insert(directly);
        }
        self.stands.insert(proper);
    }

    fn rename(&mut self, reason: Reason, from: &Signature, to: &Signature) {
        if from != to {
            self.renames.insert((reason, from.clone(), to.clone()));
        }
    }

    fn nodes(&self) -> Nodes {
        let renamed = self.renames.iter().flat_map(|(_, from, to)| [from, to]);
        let all: BTreeSet<_> =
            self.commits.keys().chain(renamed).chain(&self.stands).chain(&self.mapped).cloned().collect();
        let list: Vec<_> = all.into_iter().collect();
        let at: BTreeMap<_, _> = list.iter().cloned().zip(0..).collect();
        let commits = list.iter().map(|one| self.commits.get(one).copied().unwrap_or_default()).collect();
        let seen = list.iter().map(|one| self.commits.contains_key(one)).collect();
        let stands = list.iter().map(|one| self.stands.contains(one) || self.mapped.contains(one)).collect();
        let proper = self.inflow.keys().filter_map(|one| at.get(one).copied()).collect();
        Nodes { list, at, commits, seen, stands, proper }
    }

    fn groups(&self, nodes: &Nodes) -> Vec<Group> {
        let group = |(reason, from, to): &(Reason, Signature, Signature)| Group {
            reason: *reason,
            nodes: vec![nodes.at[to], nodes.at[from]],
            detail: format!("{} <{}>", text(&to.name), text(&to.email)),
        };
        self.renames.iter().map(group).collect()
    }

    fn inflow(&self, nodes: &Nodes) -> BTreeMap<usize, u64> {
        self.inflow.iter().map(|(one, commits)| (nodes.at[one], *commits)).collect()
    }
}

/// Joins groups in order. Where an unlink keeps a node from the first of its group, the next is tried.
fn join(groups: &[Group], components: &mut Components, reasons: &mut Reasons) {
    for group in groups {
        let mut heads: Vec<usize> = Vec::new();
        for node in &group.nodes {
            if !heads.iter().any(|head| enter(group, *head, *node, components, reasons)) {
                heads.push(*node);
            }
        }
    }
}

/// Brings a node to a head of its group; `false` where it must stay apart from it.
fn enter(
    group: &Group,
    head: usize,
    node: usize,
    components: &mut Components,
    reasons: &mut Reasons,
) -> bool {
    if components.root(head) == components.root(node) {
        return true;
    }
    if !components.join(head, node) {
        return false;
    }
    let named = if reasons[node].is_none() { node } else { head };
    reasons[named].get_or_insert_with(|| (group.reason, group.detail.clone()));
    true
}

/// Components that names may have joined wrongly.
fn suspects(nodes: &Nodes, components: &mut Components, sources: Sources<'_>) -> BTreeMap<usize, Why> {
    let mut emails: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
    let mut mappings: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for (node, signature) in nodes.list.iter().enumerate().filter(|(node, _)| nodes.seen[*node]) {
        let email = text(&signature.email);
        let key = email_key(&email, sources.settings).unwrap_or(email);
        emails.entry(components.root(node)).or_default().insert(key);
    }
    for mapping in sources.mappings {
        let node = nodes.at[&mapped(mapping)];
        mappings.entry(components.root(node)).or_default().insert(node);
    }
    let many = emails.into_iter().filter(|(_, emails)| emails.len() > MOST_EMAILS);
    let mut suspects: BTreeMap<_, _> = many.map(|(root, _)| (root, Why::TooManyEmails)).collect();
    let two = mappings.into_iter().filter(|(_, mappings)| mappings.len() > 1);
    suspects.extend(two.map(|(root, _)| (root, Why::TwoMappings)));
    suspects
}

/// Puts components into words.
struct Teller<'a> {
    nodes: &'a Nodes,
    reasons: &'a Reasons,
    sources: Sources<'a>,
    inflow: BTreeMap<usize, u64>,
}

impl Teller<'_> {
    fn directory(
        &self,
        members: BTreeMap<usize, Vec<usize>>,
        suspects: &BTreeMap<usize, Why>,
        split: &BTreeMap<usize, BTreeSet<usize>>,
    ) -> Directory {
        let mut people: Vec<(usize, Person)> = Vec::new();
        for (place, nodes) in members {
            people.extend(self.person(&nodes).map(|person| (place, person)));
        }
        people.sort_by(|(_, one), (_, other)| one.key.cmp(&other.key));
        let at: HashMap<usize, usize> =
            people.iter().enumerate().map(|(at, (place, _))| (*place, at)).collect();
        let mut contested = Vec::new();
        for (root, places) in split {
            let mut parts: Vec<_> = places.iter().filter_map(|place| at.get(place).copied()).collect();
            parts.sort_unstable();
            // Many e-mails that more than names hold together are one person's.
            let why = suspects[root];
            if parts.len() > 1 || (why == Why::TwoMappings && !parts.is_empty()) {
                contested.push(Contested { why, people: parts });
            }
        }
        contested.sort();
        let people: Vec<_> = people.into_iter().map(|(_, person)| person).collect();
        let mut of = HashMap::new();
        for (at, person) in people.iter().enumerate() {
            of.extend(person.members.iter().map(|member| (member.signature.clone(), at)));
        }
        Directory { people, of, contested }
    }

    /// `None` for a component that nobody has committed as.
    fn person(&self, component: &[usize]) -> Option<Person> {
        let seen: Vec<usize> = component.iter().copied().filter(|node| self.nodes.seen[*node]).collect();
        let first = *seen.first()?;
        let mapping = self.mapping(component);
        let shown = self.shown(component, &seen, mapping);
        let (name, email) = (text(&shown.name), text(&shown.email));
        let members: Vec<_> = seen.iter().map(|node| self.member(*node)).collect();
        let class = class(&members, &self.sources.settings.bots);
        let login = mapping.and_then(|mapping| mapping.login.clone()).or_else(|| login(&members));
        let key = key(mapping, &self.nodes.list[first]);
        Some(Person { key, name, email, members, class, login })
    }

    fn member(&self, node: usize) -> Member {
        let (reason, detail) = self.reasons[node].clone().unwrap_or((Reason::Itself, String::new()));
        Member { signature: self.nodes.list[node].clone(), commits: self.nodes.commits[node], reason, detail }
    }

    /// The mapping of a component; of two, the one with the smaller e-mail.
    fn mapping(&self, component: &[usize]) -> Option<&Mapping> {
        let inside =
            |mapping: &&Mapping| self.nodes.at.get(&mapped(mapping)).is_some_and(|at| component.contains(at));
        let order = |mapping: &&Mapping| (mapping.primary_email.to_lowercase(), mapping.name.clone());
        self.sources.mappings.iter().filter(inside).min_by_key(order)
    }

    /// The name and e-mail to show: the mapping's, or the mailmap's, or the most frequent, or the smallest.
    fn shown(&self, component: &[usize], seen: &[usize], mapping: Option<&Mapping>) -> Signature {
        if let Some(mapping) = mapping {
            return mapped(mapping);
        }
        let proper = component.iter().filter(|node| self.nodes.proper.contains(node));
        let by_mailmap =
            proper.map(|node| (*node, self.inflow[node].saturating_add(self.nodes.commits[*node])));
        let by_work = seen.iter().map(|node| (*node, self.nodes.commits[*node]));
        let best = most(&self.nodes.list, by_mailmap).or_else(|| most(&self.nodes.list, by_work));
        best.map_or_else(|| self.nodes.list[component[0]].clone(), |node| self.nodes.list[node].clone())
    }
}

/// The node with the most commits: of equals the smallest, nameless ones last.
fn most(list: &[Signature], nodes: impl Iterator<Item = (usize, u64)>) -> Option<usize> {
    let order =
        |(node, commits): &(usize, u64)| (!list[*node].name.is_empty(), *commits, std::cmp::Reverse(*node));
    nodes.max_by_key(order).map(|(node, _)| node)
}

fn class(members: &[Member], lists: &bots::Lists) -> Class {
    let mut commits: BTreeMap<Class, u64> = BTreeMap::new();
    for member in members {
        let class = bots::class(&text(&member.signature.name), &text(&member.signature.email), lists);
        let sum = commits.entry(class).or_default();
        *sum = sum.saturating_add(member.commits);
    }
    // Who has ever committed as a human is one.
    if commits.contains_key(&Class::Human) {
        return Class::Human;
    }
    commits
        .into_iter()
        .max_by_key(|(class, commits)| (*commits, *class))
        .map_or(Class::Human, |(class, _)| class)
}

fn login(members: &[Member]) -> Option<String> {
    let mut logins: BTreeMap<String, u64> = BTreeMap::new();
    for member in members {
        if let Some(login) = account(&text(&member.signature.email)).and_then(|account| account.login) {
            let sum = logins.entry(login).or_default();
            *sum = sum.saturating_add(member.commits);
        }
    }
    logins
        .into_iter()
        .max_by(|one, other| one.1.cmp(&other.1).then_with(|| other.0.cmp(&one.0)))
        .map(|(login, _)| login)
}

/// A hash of what the person is known by, so that keys can be shown where names may not.
fn key(mapping: Option<&Mapping>, smallest: &Signature) -> String {
    mapping.map_or_else(|| person_key(smallest), mapping_key)
}

/// Returns the key of a person whom a mapping names.
pub fn mapping_key(mapping: &Mapping) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"mapping\0").update(mapping.primary_email.trim().to_lowercase().as_bytes());
    hasher.update(b"\0").update(mapping.name.as_bytes());
    digits(&hasher)
}

/// Returns the key of a person whose smallest signature this is, and whom no mapping names.
pub fn person_key(smallest: &Signature) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"member\0").update(&smallest.name).update(b"\0").update(&smallest.email);
    digits(&hasher)
}

fn digits(hasher: &blake3::Hasher) -> String {
    hasher.finalize().to_hex().as_str()[..KEY_DIGITS].to_owned()
}

const KEY_DIGITS: usize = 32;
