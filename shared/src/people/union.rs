//! Components that grow by links and that no link may join across an unlink.

use std::collections::BTreeSet;

/// Union-find with pairs that must stay apart.
#[derive(Debug, Clone)]
pub(super) struct Components {
    parent: Vec<usize>,
    /// For each root, the sides of unlinks that its nodes stand on.
    sides: Vec<BTreeSet<(usize, Side)>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Side {
    One,
    Other,
}

impl Components {
    pub(super) fn new(nodes: usize) -> Self {
        Self { parent: (0..nodes).collect(), sides: vec![BTreeSet::new(); nodes] }
    }

    /// Puts nodes on the two sides of an unlink. A node on both sides cannot be kept apart from itself.
    pub(super) fn keep_apart(&mut self, unlink: usize, one: &[usize], other: &[usize]) {
        for node in one.iter().filter(|node| !other.contains(node)) {
            self.sides[*node].insert((unlink, Side::One));
        }
        for node in other.iter().filter(|node| !one.contains(node)) {
            self.sides[*node].insert((unlink, Side::Other));
        }
    }

    /// The component's root: its smallest node.
    pub(super) fn root(&mut self, node: usize) -> usize {
        let mut root = node;
        while self.parent[root] != root {
            self.parent[root] = self.parent[self.parent[root]];
            root = self.parent[root];
        }
        root
    }

    /// Joins two components; `false` where they are one already, or must stay apart.
    pub(super) fn join(&mut self, one: usize, other: usize) -> bool {
        let (one, other) = (self.root(one), self.root(other));
        if one == other || self.are_apart(one, other) {
            return false;
        }
        let (root, child) = (one.min(other), one.max(other));
        self.parent[child] = root;
        let sides = std::mem::take(&mut self.sides[child]);
        self.sides[root].extend(sides);
        true
    }

    fn are_apart(&self, one: usize, other: usize) -> bool {
        self.sides[one].iter().any(|(unlink, side)| {
            let opposite = if *side == Side::One { Side::Other } else { Side::One };
            self.sides[other].contains(&(*unlink, opposite))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unlink_holds_through_others() {
        let mut components = Components::new(4);
        components.keep_apart(0, &[0], &[3]);
        assert!(components.join(0, 1));
        assert!(components.join(3, 2));
        assert!(!components.join(1, 2));
        assert_ne!(components.root(0), components.root(3));
    }
}
