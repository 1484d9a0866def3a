//! The tree of a merge, put together of its parents' trees.

use std::sync::Arc;

use super::file::{Composition, File};
use super::tree::{Directory, Name, Names, Node, Tree};
use crate::facts::{How, MergedPath, Origin};

/// Returns the tree of the commit `number`, which has of its first parent all that `merged` does not name.
pub(super) fn merge(parents: &[Tree], merged: &[MergedPath], number: u32, names: &mut Names) -> Tree {
    let mut tree = parents.first().cloned().unwrap_or_default();
    for MergedPath { path, how } in merged {
        let at = names.of(path);
        match how {
            How::Gone => _ = tree.take(&at),
            How::Unknown(_) => tree.put(&at, Node::File(Arc::new(File::unknown()))),
            How::Taken { parent } => match taken(parents, *parent as usize, &at) {
                Some(node) => tree.put(&at, node),
                None => _ = tree.take(&at),
            },
            How::Composed { lines, content, from } => {
                let runs = match lines {
                    Some(lines) => composed(parents, *lines, from, number, names),
                    None => Some(Vec::new()),
                };
                tree.put(&at, Node::File(Arc::new(File { content: *content, runs })));
            }
        }
    }
    tree
}

/// Returns what `parent` has at a path, with all in it that an earlier parent has just so from that one.
fn taken(parents: &[Tree], parent: usize, path: &[Name]) -> Option<Node> {
    let node = parents.get(parent)?.get(path)?;
    let earlier: Vec<Option<&Node>> = parents[..parent].iter().map(|tree| tree.get(path)).collect();
    Some(first_of(node, &earlier))
}

/// Returns `node` with the files of the earliest of `earlier` that has the same content in the same place.
fn first_of(node: &Node, earlier: &[Option<&Node>]) -> Node {
    match node {
        _ if earlier.first().is_some_and(|first| first.is_some_and(|first| first.is(node))) => node.clone(),
        Node::File(file) => {
            let same = earlier.iter().flatten().find(|other| match other {
                Node::File(other) => other.content == file.content,
                Node::Directory(_) => false,
            });
            same.map_or(node, |same| *same).clone()
        }
        Node::Directory(directory) => {
            let earlier: Vec<Option<&Directory>> =
                earlier.iter().map(|other| other.and_then(Node::directory)).collect();
            if earlier.iter().all(Option::is_none) {
                return node.clone();
            }
            let mut is_other = false;
            let entries = directory
                .entries
                .iter()
                .map(|(name, entry)| {
                    let earlier: Vec<Option<&Node>> =
                        earlier.iter().map(|other| other.and_then(|other| other.get(*name))).collect();
                    let first = first_of(entry, &earlier);
                    is_other |= !first.is(entry);
                    (*name, first)
                })
                .collect();
            if is_other { Node::Directory(Arc::new(Directory { entries })) } else { node.clone() }
        }
    }
}

/// Returns the runs of a file that is composed of several; `None` where they are unknown.
fn composed(
    parents: &[Tree],
    lines: u32,
    from: &[Option<Origin>],
    number: u32,
    names: &mut Names,
) -> Option<Vec<super::Run>> {
    let mut composition = Composition::of(lines);
    for (parent, origin) in parents.iter().zip(from) {
        let Some(Origin { path, hunks }) = origin else { continue };
        let runs = parent.file(&names.of(path))?.runs.as_ref()?;
        composition.take(runs, hunks).ok()?;
    }
    Some(composition.finish(number))
}
