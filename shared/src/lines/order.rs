//! The order in which commits are folded: parents before children, and the same for the same history.

use std::collections::HashMap;

use crate::facts::CommitFacts;
use crate::object_id::ObjectId;

/// A history below one head, parents first.
pub(super) struct Order<'a> {
    pub(super) commits: Vec<&'a CommitFacts>,
    /// By commit: the places of its parents, where they are known.
    pub(super) parents: Vec<Vec<Option<u32>>>,
    /// By commit: how many times it is somebody's parent.
    pub(super) children: Vec<u32>,
    /// By commit: whether it is on the first-parent chain of the head.
    pub(super) on_mainline: Vec<bool>,
}

impl<'a> Order<'a> {
    /// Orders what is reachable from `head`. Depth first and the first parents before all: so a side branch is folded
    /// just before it is merged, and few trees are held at a time.
    pub(super) fn of(facts: impl IntoIterator<Item = &'a CommitFacts>, head: &ObjectId) -> Self {
        let known: HashMap<&ObjectId, &CommitFacts> =
            facts.into_iter().map(|commit| (&commit.id, commit)).collect();
        let mut order =
            Self { commits: Vec::new(), parents: Vec::new(), children: Vec::new(), on_mainline: Vec::new() };
        // A place once it is ordered; nothing while its parents are looked at.
        let mut places: HashMap<&ObjectId, Option<u32>> = HashMap::new();
        let mut stack: Vec<(&CommitFacts, usize)> =
            known.get(head).map(|head| (*head, 0)).into_iter().collect();
        while let Some((commit, next)) = stack.last_mut() {
            if let Some(parent) = commit.parents.get(*next) {
                *next += 1;
                if let Some(parent) = known.get(parent)
                    && !places.contains_key(&parent.id)
                {
                    places.insert(&parent.id, None);
                    stack.push((parent, 0));
                }
                continue;
            }
            let parents: Vec<Option<u32>> =
                commit.parents.iter().map(|parent| places.get(parent).copied().flatten()).collect();
            parents.iter().flatten().for_each(|parent| order.children[*parent as usize] += 1);
            let place = u32::try_from(order.commits.len()).expect("no history has four billion commits");
            places.insert(&commit.id, Some(place));
            order.commits.push(commit);
            order.parents.push(parents);
            order.children.push(0);
            order.on_mainline.push(false);
            stack.pop();
        }
        let mut next = order.commits.len().checked_sub(1);
        while let Some(place) = next {
            order.on_mainline[place] = true;
            next = order.parents[place].first().copied().flatten().map(|parent| parent as usize);
        }
        order
    }
}
