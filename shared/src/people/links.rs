//! Which nodes belong together, step by step.

use std::collections::BTreeMap;

use super::forges::account;
use super::normal::{email_key, full_name, is_personal, name_key};
use super::{Link, Mapping, Nodes, Reason, Settings, Sources, Who, bots};
use crate::facts::Signature;

/// Nodes that one piece of evidence joins. The first is what the others are joined to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Group {
    pub reason: Reason,
    pub nodes: Vec<usize>,
    pub detail: String,
}

/// The node that stands for a mapping.
pub(super) fn mapped(mapping: &Mapping) -> Signature {
    Signature { name: mapping.name.clone().into_bytes(), email: mapping.primary_email.clone().into_bytes() }
}

/// All groups after the mailmaps, in the order of the steps.
pub(super) fn groups(nodes: &Nodes, sources: Sources<'_>) -> Vec<Group> {
    let settings = sources.settings;
    let mut groups = Vec::new();
    groups.extend(sources.mappings.iter().flat_map(|mapping| by_mapping(nodes, mapping, settings)));
    groups.extend(sources.links.iter().filter(|link| link.linked).map(|link| by_hand(nodes, link, settings)));
    groups.extend(by_account(nodes));
    let emails = by_key(nodes, |signature| {
        email_key(&text(&signature.email), settings).filter(|email| is_personal(email))
    });
    groups.extend(emails.into_iter().map(|(detail, nodes)| Group {
        reason: Reason::SameEmail,
        nodes,
        detail,
    }));
    let names = by_key(nodes, |signature| {
        let human = bots::class(&text(&signature.name), &text(&signature.email), &settings.bots);
        full_name(&text(&signature.name), settings).filter(|_| human == super::Class::Human)
    });
    groups.extend(names.into_iter().map(|(detail, nodes)| Group { reason: Reason::SameName, nodes, detail }));
    groups.retain(|group| group.nodes.len() > 1);
    groups.sort();
    groups.dedup();
    groups
}

/// All nodes that an operator's word means.
pub(super) fn meant(nodes: &Nodes, who: &Who, settings: &Settings) -> Vec<usize> {
    match who {
        Who::Signature(signature) => nodes.at.get(signature).copied().into_iter().collect(),
        Who::Email(email) => {
            let wanted = email_key(email, settings);
            let fits = |node: &usize| {
                let own = text(&nodes.list[*node].email);
                wanted.as_ref().map_or(own.trim().eq_ignore_ascii_case(email.trim()), |wanted| {
                    email_key(&own, settings).as_ref() == Some(wanted)
                })
            };
            (0..nodes.list.len()).filter(fits).collect()
        }
    }
}

fn by_mapping(nodes: &Nodes, mapping: &Mapping, settings: &Settings) -> Vec<Group> {
    let Some(centre) = nodes.at.get(&mapped(mapping)).copied() else { return Vec::new() };
    let (emails, names): (Vec<_>, Vec<_>) = mapping.aliases.iter().partition(|alias| alias.contains('@'));
    let emails = emails.iter().map(|email| email.as_str()).chain([mapping.primary_email.as_str()]);
    let emails: Vec<_> = emails.filter_map(|email| email_key(email, settings)).collect();
    let names: Vec<_> = names.iter().map(|name| name_key(name)).filter(|name| !name.is_empty()).collect();
    let login = mapping.login.as_ref().map(|login| login.to_lowercase());
    let mut named = vec![centre];
    let mut by_login = vec![centre];
    for (at, signature) in nodes.list.iter().enumerate().filter(|(at, _)| *at != centre) {
        let email = text(&signature.email);
        let by_email = email_key(&email, settings).is_some_and(|email| emails.contains(&email));
        if by_email || names.contains(&name_key(&text(&signature.name))) {
            named.push(at);
        } else if login.is_some() && account(&email).is_some_and(|account| account.login == login) {
            by_login.push(at);
        }
    }
    let detail = mapping.name.clone();
    let login = login.unwrap_or_default();
    vec![
        Group { reason: Reason::ManualMapping, nodes: named, detail },
        Group { reason: Reason::ForgeNoreply, nodes: by_login, detail: login },
    ]
}

fn by_hand(nodes: &Nodes, link: &Link, settings: &Settings) -> Group {
    let mut both = meant(nodes, &link.a, settings);
    let other = meant(nodes, &link.b, settings);
    if both.is_empty() || other.is_empty() {
        both.clear();
    } else {
        both.extend(other);
        both.sort_unstable();
        both.dedup();
    }
    let detail =
        if link.reason.is_empty() { link.by.clone() } else { format!("{}: {}", link.by, link.reason) };
    Group { reason: Reason::ManualLink, nodes: both, detail }
}

/// The same account: the same number, or the same login. A login without a number belongs to whoever has it with one.
fn by_account(nodes: &Nodes) -> Vec<Group> {
    let mut ids: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let mut logins: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, signature) in standing(nodes) {
        let Some(account) = account(&text(&signature.email)) else { continue };
        if let Some(id) = account.id {
            ids.entry(format!("{id} at {}", account.host)).or_default().push(at);
        }
        if let Some(login) = account.login {
            logins.entry(format!("{login} at {}", account.host)).or_default().push(at);
        }
    }
    let groups = ids.into_iter().chain(logins);
    groups.map(|(detail, nodes)| Group { reason: Reason::ForgeNoreply, nodes, detail }).collect()
}

fn by_key(nodes: &Nodes, key: impl Fn(&Signature) -> Option<String>) -> BTreeMap<String, Vec<usize>> {
    let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, signature) in standing(nodes) {
        if let Some(key) = key(signature) {
            groups.entry(key).or_default().push(at);
        }
    }
    groups
}

fn standing(nodes: &Nodes) -> impl Iterator<Item = (usize, &Signature)> {
    nodes.list.iter().enumerate().filter(|(at, _)| nodes.stands[*at])
}

pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
