//! The history of one repository as a graph: who descends from whom, in numbers instead of ids.
//!
//! Every order that follows from it depends on the commits alone, and not on the order in which they were read.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use crate::object_id::ObjectId;

/// A commit by its place in what the graph was made of.
pub type Node = u32;

/// What a graph has to know of a commit.
#[derive(Debug, Clone, Copy)]
pub struct Link<'a> {
    pub id: ObjectId,
    pub parents: &'a [ObjectId],
    /// UTC seconds; only the order among commits that do not descend from each other depends on it.
    pub committed: Option<i64>,
}

#[derive(Debug, Clone, Default)]
pub struct Graph {
    nodes: HashMap<ObjectId, Node>,
    parents: Vec<Vec<Node>>,
    order: Vec<Node>,
}

impl Graph {
    /// Parents that are not among the commits, as at the ends of a shallow history, are left out.
    pub fn of<'a>(commits: impl Iterator<Item = Link<'a>> + Clone) -> Self {
        let nodes: HashMap<ObjectId, Node> =
            commits.clone().zip(0..).map(|(commit, node)| (commit.id, node)).collect();
        let parents: Vec<Vec<Node>> = commits
            .clone()
            .map(|commit| commit.parents.iter().filter_map(|parent| nodes.get(parent).copied()).collect())
            .collect();
        let keys: Vec<(i64, ObjectId)> =
            commits.map(|commit| (commit.committed.unwrap_or(i64::MIN), commit.id)).collect();
        let order = parents_first(&parents, &keys);
        Self { nodes, parents, order }
    }

    pub fn len(&self) -> usize {
        self.parents.len()
    }

    pub fn is_empty(&self) -> bool {
        self.parents.is_empty()
    }

    pub fn node(&self, id: &ObjectId) -> Option<Node> {
        self.nodes.get(id).copied()
    }

    pub fn parents(&self, node: Node) -> &[Node] {
        &self.parents[node as usize]
    }

    /// Returns all commits, parents before children; those that do not descend from each other by commit time, then id.
    pub fn parents_first(&self) -> &[Node] {
        &self.order
    }

    /// Returns `head` and its first parents, oldest first.
    pub fn mainline(&self, head: Node) -> Vec<Node> {
        let mut chain: Vec<Node> =
            std::iter::successors(Some(head), |node| self.parents(*node).first().copied()).collect();
        chain.reverse();
        chain
    }

    /// Returns for each commit the first of `roots` that reaches it, by place; `None` where none does. Each commit is
    /// looked at once, however many roots there are.
    pub fn first_reached_from(&self, roots: &[Node]) -> Vec<Option<u32>> {
        let mut reached = vec![None; self.len()];
        let mut open = Vec::new();
        for (root, place) in roots.iter().zip(0..) {
            open.push(*root);
            while let Some(node) = open.pop() {
                let slot = &mut reached[node as usize];
                if slot.is_none() {
                    *slot = Some(place);
                    open.extend(self.parents(node));
                }
            }
        }
        reached
    }
}

fn parents_first(parents: &[Vec<Node>], keys: &[(i64, ObjectId)]) -> Vec<Node> {
    let mut children: Vec<Vec<Node>> = vec![Vec::new(); parents.len()];
    let mut waits_for: Vec<usize> = Vec::with_capacity(parents.len());
    for (node, parents) in (0..).zip(parents) {
        waits_for.push(parents.len());
        for parent in parents {
            children[*parent as usize].push(node);
        }
    }
    let key = |node: Node| Reverse((keys[node as usize], node));
    let mut ready: BinaryHeap<_> =
        (0..).zip(&waits_for).filter(|(_, waits)| **waits == 0).map(|(node, _)| key(node)).collect();
    let mut order = Vec::with_capacity(parents.len());
    while let Some(Reverse((_, node))) = ready.pop() {
        order.push(node);
        for child in &children[node as usize] {
            let waits = &mut waits_for[*child as usize];
            *waits -= 1;
            if *waits == 0 {
                ready.push(key(*child));
            }
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u8) -> ObjectId {
        ObjectId::try_from(&[number; 20][..]).unwrap()
    }

    /// 1 - 2 - 4 - 5 with 3 beside 2, merged by 4.
    fn graph(order: &[u8]) -> Graph {
        let parents = |number| match number {
            2 | 3 => vec![id(1)],
            4 => vec![id(2), id(3)],
            5 => vec![id(4)],
            _ => vec![id(99)],
        };
        let lists: Vec<(ObjectId, Vec<ObjectId>)> =
            order.iter().map(|number| (id(*number), parents(*number))).collect();
        Graph::of(lists.iter().map(|(id, parents)| Link { id: *id, parents, committed: Some(0) }))
    }

    #[test]
    fn order_does_not_depend_on_reading() {
        for order in [[1, 2, 3, 4, 5], [5, 4, 3, 2, 1], [3, 5, 1, 4, 2]] {
            let graph = graph(&order);
            let ids: Vec<u8> = graph.parents_first().iter().map(|node| order[*node as usize]).collect();
            assert_eq!(ids, [1, 2, 3, 4, 5]);
            let head = graph.node(&id(5)).unwrap();
            let mainline: Vec<u8> = graph.mainline(head).iter().map(|node| order[*node as usize]).collect();
            assert_eq!(mainline, [1, 2, 4, 5]);
        }
    }

    #[test]
    fn commits_belong_to_the_first_root_that_reaches_them() {
        let graph = graph(&[1, 2, 3, 4, 5]);
        assert_eq!(graph.first_reached_from(&[1, 3]), [Some(0), Some(0), Some(1), Some(1), None]);
    }
}
