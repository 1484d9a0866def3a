//! How work flows onto the mainline and out: reverts, requests, releases.

use std::collections::BTreeMap;

use gitfleet_shared::graph::Node;
use gitfleet_shared::metrics::deployments::{self, Change, Deployment};
use gitfleet_shared::metrics::durations::Durations;
use gitfleet_shared::metrics::releases::{self, Release};
use gitfleet_shared::words::requests::{Arrival, How, Platform};
use gitfleet_shared::words::reverts::{Told, victims};

use super::history::History;
use super::reading::Reading;

pub(super) struct Flow {
    pub(super) reverts: Vec<Revert>,
    pub(super) requests: Vec<Request>,
    /// By component.
    pub(super) deployments: BTreeMap<String, Vec<Deployment>>,
}

pub(super) struct Revert {
    pub(super) commit: Node,
    pub(super) victim: Option<Node>,
    pub(super) reapplied: bool,
}

/// A request that came onto the mainline.
pub(super) struct Request {
    pub(super) commit: Node,
    pub(super) platform: &'static str,
    pub(super) number: Option<u64>,
    pub(super) how: How,
    /// Commits it brought; for a squash, the one.
    pub(super) brought: Vec<Node>,
    pub(super) cycle_seconds: Option<i64>,
}

impl Flow {
    pub(super) fn of(history: &History, reading: &Reading) -> Self {
        let reverts = reverts(history);
        let deployments = deployments(history, reading, &reverts);
        Self { requests: requests(history), deployments, reverts }
    }
}

/// Whether a message takes a commit back, and not a revert.
pub(super) fn is_revert(history: &History, node: Node) -> bool {
    let said = history.said(node);
    let takes_back_a_revert = said
        .undoing
        .as_ref()
        .and_then(|undoing| undoing.subject.as_deref())
        .is_some_and(|subject| subject.starts_with("Revert \"") || subject.starts_with("revert:"));
    said.undoing.is_some() && !takes_back_a_revert
}

fn reverts(history: &History) -> Vec<Revert> {
    let order = history.graph.parents_first();
    let told: Vec<Told<'_>> = order
        .iter()
        .map(|node| {
            let said = history.said(*node);
            Told { id: history.commit(*node).id, subject: &said.subject, undoing: said.undoing.as_ref() }
        })
        .collect();
    let links = victims(&told);
    let mut reverts: Vec<Revert> = Vec::new();
    for (place, node) in order.iter().enumerate() {
        if !is_revert(history, *node) {
            continue;
        }
        let of: Vec<_> = links.iter().filter(|link| link.revert == place).collect();
        if of.is_empty() {
            reverts.push(Revert { commit: *node, victim: None, reapplied: false });
        }
        reverts.extend(of.iter().map(|link| Revert {
            commit: *node,
            victim: Some(order[link.victim]),
            reapplied: !link.holds,
        }));
    }
    reverts
}

fn requests(history: &History) -> Vec<Request> {
    let mut brought: BTreeMap<u32, Vec<Node>> = BTreeMap::new();
    for node in history.nodes() {
        if let Some(place) = history.integrated_at[node as usize]
            && !history.briefs[node as usize].is_merge
        {
            brought.entry(place).or_default().push(node);
        }
    }
    let mut requests = Vec::new();
    for (place, node) in (0..).zip(&history.mainline) {
        let Arrival::Request(request) = &history.said(*node).arrival else { continue };
        let brought = brought.remove(&place).unwrap_or_default();
        let first = brought.iter().filter_map(|node| history.commit(*node).authored.seconds).min();
        let mut cycle = Durations::default();
        if request.how == How::Merge {
            cycle.between(first, history.commit(*node).committed.seconds);
        }
        requests.push(Request {
            commit: *node,
            platform: platform(request.platform),
            number: request.number,
            how: request.how,
            brought,
            cycle_seconds: cycle.median(),
        });
    }
    requests
}

fn platform(platform: Platform) -> &'static str {
    match platform {
        Platform::GitHub => "github",
        Platform::GitLab => "gitlab",
        Platform::Bitbucket => "bitbucket",
        Platform::Azure => "azure",
        Platform::Gerrit => "gerrit",
        Platform::Bors => "bors",
        Platform::Phabricator => "phabricator",
        Platform::Unsaid => "number",
    }
}

fn deployments(
    history: &History,
    reading: &Reading,
    reverts: &[Revert],
) -> BTreeMap<String, Vec<Deployment>> {
    let releases: Vec<Release> = history
        .read
        .tags
        .iter()
        .filter_map(|tag| {
            let name = std::str::from_utf8(&tag.name).ok()?;
            let (component, version) = reading.releases.read(name)?;
            let node = history.graph.node(&tag.target)?;
            Some(Release { component, version, tag: name.to_owned(), node, released: tag.time.seconds })
        })
        .collect();
    if releases.is_empty() {
        return BTreeMap::new();
    }
    let mut changes: Vec<Change> = history
        .nodes()
        .map(|node| Change {
            is_merge: history.briefs[node as usize].is_merge,
            authored: history.commit(node).authored.seconds,
            integrated: history.integrated(node),
            reverts: Vec::new(),
            merges_hotfix: merges_hotfix(&history.said(node).arrival),
        })
        .collect();
    for revert in reverts {
        changes[revert.commit as usize].reverts.extend(revert.victim);
    }
    releases::by_component(releases)
        .into_iter()
        .map(|(component, releases)| {
            let deployments = deployments::of_component(&history.graph, &changes, &releases);
            (component, deployments)
        })
        .collect()
}

fn merges_hotfix(arrival: &Arrival) -> bool {
    let branch = match arrival {
        Arrival::Request(request) => request.branch.as_deref(),
        Arrival::Branch { branch } => branch.as_deref(),
        Arrival::Direct => None,
    };
    branch.is_some_and(|branch| branch.split('/').any(|part| part.to_ascii_lowercase().starts_with("hotfix")))
}
