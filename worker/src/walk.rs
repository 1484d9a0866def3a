//! Which commits a snapshot holds: every one reachable from its tips, without those an earlier snapshot held.

use std::collections::BinaryHeap;

use gix::hashtable::hash_map::Entry;
use gix::hashtable::{HashMap, HashSet};

use crate::commit::{self, Links};
use crate::contents::Bytes;
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

/// From which tips a commit is known to be reachable.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
struct Reach {
    new: bool,
    old: bool,
}

impl Reach {
    fn is_only_new(self) -> bool {
        self.new && !self.old
    }
}

/// Two walks at once, from new tips and from old ones, the later commit first.
#[derive(Default)]
struct Painting {
    nodes: HashMap<gix::ObjectId, Node>,
    waiting: BinaryHeap<Waiting>,
    /// How many of the waiting are reachable from new tips, and how many of those from no old one.
    new_waiting: usize,
    only_new_waiting: usize,
    /// Old tips not yet met from a new one.
    undecided: HashSet<gix::ObjectId>,
}

impl Painting {
    /// Whether there may be more new commits, or an old tip may still be met.
    fn goes_on(&self) -> bool {
        self.only_new_waiting > 0 || (!self.undecided.is_empty() && self.new_waiting > 0)
    }

    /// Takes the latest of the waiting; its parents are next.
    fn pass(&mut self) -> Option<(gix::ObjectId, Reach, Vec<gix::ObjectId>)> {
        let Waiting { id, links, .. } = self.waiting.pop()?;
        let node = self.nodes.get_mut(&id).expect("what waits was painted");
        node.waiting = false;
        self.new_waiting -= usize::from(node.reach.new);
        self.only_new_waiting -= usize::from(node.reach.is_only_new());
        Some((id, node.reach, links.parents))
    }
}

struct Node {
    reach: Reach,
    waiting: bool,
    links: Links,
}

impl<'a> Walker<'a> {
    pub fn new(objects: &'a Objects, shallow: HashSet<gix::ObjectId>) -> Self {
        Self { objects, shallow }
    }

    /// Returns all commits reachable from `tips`, latest commit time first.
    ///
    /// # Errors
    ///
    /// Where one of them cannot be read.
    pub fn all(&mut self, tips: &[gix::ObjectId]) -> Result<Vec<Visited>, ReadError> {
        let mut all = Vec::new();
        self.each(tips, |visited, _, _| all.push(visited))?;
        Ok(all)
    }

    /// Calls `visit` with each commit reachable from `tips`, latest commit time first, with its content and the tree of
    /// its first parent, so that nobody has to read them again.
    ///
    /// # Errors
    ///
    /// Where one of them cannot be read.
    pub fn each(
        &mut self,
        tips: &[gix::ObjectId],
        mut visit: impl FnMut(Visited, Bytes, Option<gix::ObjectId>),
    ) -> Result<(), ReadError> {
        let mut trees: HashMap<gix::ObjectId, gix::ObjectId> = HashMap::default();
        let mut waiting = BinaryHeap::new();
        let mut read = |id, waiting: &mut BinaryHeap<Waiting>| {
            if let Entry::Vacant(new) = trees.entry(id) {
                let commit = self.waiting(id)?;
                new.insert(commit.links.tree);
                waiting.push(commit);
            }
            Ok(trees[&id])
        };
        for &tip in tips {
            read(tip, &mut waiting)?;
        }
        while let Some(Waiting { id, links, content, .. }) = waiting.pop() {
            let mut first_parent_tree = None;
            for &parent in &links.parents {
                let tree = read(parent, &mut waiting)?;
                first_parent_tree.get_or_insert(tree);
            }
            visit(Visited::of(id, &links), content, first_parent_tree);
        }
        Ok(())
    }

    /// Returns the commits reachable from `new` and not from `old`, latest commit time first.
    ///
    /// # Errors
    ///
    /// Where a new tip cannot be read.
    pub fn since(&mut self, new: &[gix::ObjectId], old: &[gix::ObjectId]) -> Result<Growth, ReadError> {
        let mut painting = Painting::default();
        let mut order = Vec::new();
        painting.undecided.extend(old);
        let seeds = new.iter().map(|id| (*id, Reach { new: true, old: false }));
        for (id, reach) in seeds.chain(old.iter().map(|id| (*id, Reach { new: false, old: true }))) {
            match self.paint(id, reach, &mut painting) {
                Ok(()) => {}
                Err(_) if reach.old => return Ok(Growth::Rewritten),
                Err(error) => return Err(error),
            }
        }
        while painting.goes_on() {
            let Some((id, reach, parents)) = painting.pass() else { break };
            if reach.is_only_new() {
                order.push(id);
            }
            for parent in parents {
                // What was old may have been pruned since it was replaced. If it is the new history that is damaged,
                // walking all of it will tell.
                if self.paint(parent, reach, &mut painting).is_err() {
                    return Ok(Growth::Rewritten);
                }
            }
        }
        if !painting.undecided.is_empty() {
            return Ok(Growth::Rewritten);
        }
        let mut grown = Vec::new();
        for id in order {
            let node = &painting.nodes[&id];
            // What was passed as new may have turned out old since.
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
            let visited = Visited::of(id, &self.waiting(id)?.links);
            next = visited.first_parent;
            chain.push(visited);
        }
        Ok((chain, false))
    }

    /// Adds `reach` to the commit `id` and, where it was passed already, to all that was reached through it.
    fn paint(&mut self, id: gix::ObjectId, reach: Reach, painting: &mut Painting) -> Result<(), ReadError> {
        let mut stack = vec![id];
        while let Some(id) = stack.pop() {
            if reach.new {
                painting.undecided.remove(&id);
            }
            match painting.nodes.entry(id) {
                Entry::Vacant(vacant) => {
                    let waiting = self.waiting(id)?;
                    let links = waiting.links.clone();
                    painting.waiting.push(waiting);
                    painting.new_waiting += usize::from(reach.new);
                    painting.only_new_waiting += usize::from(reach.is_only_new());
                    vacant.insert(Node { reach, waiting: true, links });
                }
                Entry::Occupied(mut known) => {
                    let node = known.get_mut();
                    let before = node.reach;
                    node.reach = Reach { new: before.new || reach.new, old: before.old || reach.old };
                    let after = node.reach;
                    if after == before {
                        continue;
                    }
                    if node.waiting {
                        painting.new_waiting += usize::from(after.new && !before.new);
                        painting.only_new_waiting -=
                            usize::from(before.is_only_new() && !after.is_only_new());
                    } else {
                        stack.extend(&node.links.parents);
                    }
                }
            }
        }
        Ok(())
    }

    fn waiting(&self, id: gix::ObjectId) -> Result<Waiting, ReadError> {
        let content = self.objects.commit(&id)?;
        let mut links = commit::links(&content).ok_or(ReadError::Corrupt(id))?;
        if self.shallow.contains(&id) {
            links.parents.clear();
        }
        Ok(Waiting { committed_seconds: links.committed_seconds, id, links, content })
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
    content: Bytes,
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
