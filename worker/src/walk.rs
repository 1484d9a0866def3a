//! Which commits a snapshot holds: every one reachable from its tips, without those an earlier snapshot held.

use std::collections::hash_map::Entry;
use std::collections::{BinaryHeap, HashMap, HashSet};

use crate::commit::{self, Links};
use crate::objects::{Objects, ReadError};

/// A commit on the walk, with what following it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visited {
    pub id: gix::ObjectId,
    pub first_parent: Option<gix::ObjectId>,
    pub parents: usize,
}

/// Reads commits along the edges of history.
pub struct Walker<'a> {
    objects: &'a Objects,
    /// Where a shallow clone ends: these have no parents here.
    shallow: HashSet<gix::ObjectId>,
    buffer: Vec<u8>,
}

/// What the commits reachable from new tips are, compared with those reachable from old ones.
#[derive(Debug, PartialEq, Eq)]
pub enum Growth {
    /// All old commits are still reachable; these are new. A few may be old where clocks ran backwards: whoever
    /// knows the old ones drops them.
    Grown(Vec<Visited>),
    /// Some old tip could not be found below the new ones.
    Rewritten,
}

#[derive(Default, Clone, Copy)]
struct Reach {
    new: bool,
    old: bool,
}

struct Node {
    reach: Reach,
    waiting: bool,
    links: Links,
}

impl<'a> Walker<'a> {
    pub fn new(objects: &'a Objects, shallow: HashSet<gix::ObjectId>) -> Self {
        Self { objects, shallow, buffer: Vec::new() }
    }

    /// Returns all commits reachable from `tips`, latest commit time first.
    ///
    /// # Errors
    ///
    /// Where one of them cannot be read.
    pub fn all(&mut self, tips: &[gix::ObjectId]) -> Result<Vec<Visited>, ReadError> {
        let mut seen: HashSet<gix::ObjectId> = HashSet::new();
        let mut waiting = BinaryHeap::new();
        let mut visited = Vec::new();
        for &tip in tips {
            if seen.insert(tip) {
                waiting.push(Waiting::of(tip, self.links(tip)?));
            }
        }
        while let Some(Waiting { id, links, .. }) = waiting.pop() {
            for &parent in &links.parents {
                if seen.insert(parent) {
                    waiting.push(Waiting::of(parent, self.links(parent)?));
                }
            }
            visited.push(Visited::of(id, &links));
        }
        Ok(visited)
    }

    /// Returns the commits reachable from `new` and not from `old`, latest commit time first.
    ///
    /// # Errors
    ///
    /// Where a commit reachable from `new` cannot be read.
    pub fn since(&mut self, new: &[gix::ObjectId], old: &[gix::ObjectId]) -> Result<Growth, ReadError> {
        let mut nodes: HashMap<gix::ObjectId, Node> = HashMap::new();
        let mut waiting: BinaryHeap<Waiting> = BinaryHeap::new();
        let mut new_waiting = 0usize;
        let mut order = Vec::new();
        let seeds = new.iter().map(|id| (*id, Reach { new: true, old: false }));
        for (id, reach) in seeds.chain(old.iter().map(|id| (*id, Reach { new: false, old: true }))) {
            match self.paint(id, reach, &mut nodes, &mut waiting, &mut new_waiting) {
                Ok(()) => {}
                // An old tip that is gone tells of a rewrite; a new one that is gone, of damage.
                Err(ReadError::Missing(_)) if reach.old => return Ok(Growth::Rewritten),
                Err(error) => return Err(error),
            }
        }
        while new_waiting > 0 {
            let Some(Waiting { id, links, .. }) = waiting.pop() else { break };
            let node = nodes.get_mut(&id).expect("what waits was painted");
            node.waiting = false;
            let reach = node.reach;
            if reach.new && !reach.old {
                new_waiting -= 1;
                order.push(id);
            }
            for &parent in &links.parents {
                self.paint(parent, reach, &mut nodes, &mut waiting, &mut new_waiting)?;
            }
        }
        if old.iter().any(|id| !nodes[id].reach.new) {
            return Ok(Growth::Rewritten);
        }
        let mut grown = Vec::new();
        for id in order {
            let node = &nodes[&id];
            if !node.reach.old {
                grown.push(Visited::of(id, &node.links));
            }
        }
        Ok(Growth::Grown(grown))
    }

    /// Returns the first-parent chain from `head` down to its root, or to (and without) `until`, and whether `until`
    /// was met.
    ///
    /// # Errors
    ///
    /// Where a commit of the chain cannot be read.
    pub fn mainline(
        &mut self,
        head: gix::ObjectId,
        until: Option<gix::ObjectId>,
    ) -> Result<(Vec<Visited>, bool), ReadError> {
        let mut chain = Vec::new();
        let mut next = Some(head);
        while let Some(id) = next {
            if Some(id) == until {
                return Ok((chain, true));
            }
            let visited = Visited::of(id, &self.links(id)?);
            next = visited.first_parent;
            chain.push(visited);
        }
        Ok((chain, false))
    }

    /// Adds `reach` to the commit `id` and, where it was passed already, to all that was reached through it.
    fn paint(
        &mut self,
        id: gix::ObjectId,
        reach: Reach,
        nodes: &mut HashMap<gix::ObjectId, Node>,
        waiting: &mut BinaryHeap<Waiting>,
        new_waiting: &mut usize,
    ) -> Result<(), ReadError> {
        let mut stack = vec![id];
        while let Some(id) = stack.pop() {
            match nodes.entry(id) {
                Entry::Vacant(vacant) => {
                    let links = self.links(id)?;
                    waiting.push(Waiting::of(id, links.clone()));
                    *new_waiting += usize::from(reach.new && !reach.old);
                    vacant.insert(Node { reach, waiting: true, links });
                }
                Entry::Occupied(mut known) => {
                    let node = known.get_mut();
                    let before = node.reach;
                    node.reach = Reach { new: before.new || reach.new, old: before.old || reach.old };
                    if node.reach.new == before.new && node.reach.old == before.old {
                        continue;
                    }
                    if node.waiting {
                        let was = usize::from(before.new && !before.old);
                        let is = usize::from(node.reach.new && !node.reach.old);
                        *new_waiting = *new_waiting + is - was;
                    } else {
                        stack.extend(&node.links.parents);
                    }
                }
            }
        }
        Ok(())
    }

    fn links(&mut self, id: gix::ObjectId) -> Result<Links, ReadError> {
        self.objects.commit(&id, &mut self.buffer)?;
        let mut links = commit::links(&self.buffer).ok_or(ReadError::Corrupt(id))?;
        if self.shallow.contains(&id) {
            links.parents.clear();
        }
        Ok(links)
    }
}

impl Visited {
    fn of(id: gix::ObjectId, links: &Links) -> Self {
        Self { id, first_parent: links.parents.first().copied(), parents: links.parents.len() }
    }

    pub fn is_merge(&self) -> bool {
        self.parents > 1
    }
}

/// A commit whose parents are still to be followed; the latest comes first, ids break ties.
#[derive(PartialEq, Eq)]
struct Waiting {
    committed_seconds: i64,
    id: gix::ObjectId,
    links: Links,
}

impl Waiting {
    fn of(id: gix::ObjectId, links: Links) -> Self {
        Self { committed_seconds: links.committed_seconds, id, links }
    }
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.committed_seconds, self.id).cmp(&(other.committed_seconds, other.id))
    }
}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
