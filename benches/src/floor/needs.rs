//! What the facts of a history need: which objects, and which pairs of them to compare.

use std::cmp::Ordering;
use std::collections::HashSet;

use anyhow::Context as _;
use gitfleet_worker::commit;
use gitfleet_worker::contents::Bytes;
use gitfleet_worker::objects::Objects;
use gitfleet_worker::walk::Walker;
use gix::objs::TreeRefIter;
use gix::objs::tree::{EntryKind, EntryRef};

/// Two objects under one path; `None` where the path is on one side only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Pair {
    pub(super) old: Option<gix::ObjectId>,
    pub(super) new: Option<gix::ObjectId>,
}

/// Each object and each pair once, in the order in which they are met.
#[derive(Default)]
pub(super) struct Needs {
    pub(super) objects: Vec<gix::ObjectId>,
    pub(super) trees: Vec<Pair>,
    pub(super) blobs: Vec<Pair>,
    met_objects: HashSet<gix::ObjectId>,
    met_pairs: HashSet<Pair>,
}

impl Needs {
    /// Returns what the facts of all commits below `head` need: every commit, and of those without a second parent
    /// the trees and blobs in which they differ from their parent.
    pub(super) fn of(objects: &Objects, head: gix::ObjectId) -> anyhow::Result<Self> {
        let mut needs = Self::default();
        let links = |id: &gix::ObjectId| {
            commit::links(&objects.commit(id)?).with_context(|| format!("commit {id} cannot be parsed"))
        };
        for visited in Walker::new(objects, gix::hashtable::HashSet::default()).all(&[head])? {
            needs.object(visited.id);
            if visited.is_merge() {
                continue;
            }
            let own = links(&visited.id)?.tree;
            let parent = visited.first_parent.as_ref().map(links).transpose()?;
            needs.directory(objects, Pair { old: parent.map(|parent| parent.tree), new: Some(own) });
        }
        Ok(needs)
    }

    fn object(&mut self, id: gix::ObjectId) {
        if self.met_objects.insert(id) {
            self.objects.push(id);
        }
    }

    /// Adds two directories and all that differs below them.
    fn directory(&mut self, objects: &Objects, pair: Pair) {
        let mut waiting = vec![pair];
        while let Some(pair) = waiting.pop() {
            // A pair that was met has had all below it met too.
            if pair.old == pair.new || !self.met_pairs.insert(pair) {
                continue;
            }
            let read = |id: Option<gix::ObjectId>| id.map_or(Ok(Bytes::default()), |id| objects.tree(&id));
            let (Ok(old), Ok(new)) = (read(pair.old), read(pair.new)) else { continue };
            pair.old.into_iter().chain(pair.new).for_each(|id| self.object(id));
            self.trees.push(pair);
            let mut blobs = Vec::new();
            different(&old, &new, objects.hash_kind(), |old, new| {
                let id = |entry: Option<EntryRef>, tree: bool| {
                    let entry = entry?;
                    let kind = entry.mode.kind();
                    let wanted = match kind {
                        EntryKind::Tree => tree,
                        EntryKind::Blob | EntryKind::BlobExecutable => !tree,
                        // A link's target is a line or two, and a submodule is no object here.
                        EntryKind::Link | EntryKind::Commit => false,
                    };
                    wanted.then(|| entry.oid.to_owned())
                };
                waiting.push(Pair { old: id(old, true), new: id(new, true) });
                blobs.push(Pair { old: id(old, false), new: id(new, false) });
            });
            for pair in blobs {
                if pair.old != pair.new && self.met_pairs.insert(pair) {
                    pair.old.into_iter().chain(pair.new).for_each(|id| self.object(id));
                    self.blobs.push(pair);
                }
            }
        }
    }
}

/// Calls `each` with the entries in which two trees differ, the old one and the new one of each name. What follows a
/// malformed entry is passed over.
pub(super) fn different<'a>(
    old: &'a [u8],
    new: &'a [u8],
    hash: gix::hash::Kind,
    mut each: impl FnMut(Option<EntryRef<'a>>, Option<EntryRef<'a>>),
) {
    let mut olds = TreeRefIter::from_bytes(old, hash).map_while(Result::ok);
    let mut news = TreeRefIter::from_bytes(new, hash).map_while(Result::ok);
    let (mut left, mut right) = (olds.next(), news.next());
    loop {
        let order = match (&left, &right) {
            (None, None) => return,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(a), Some(b)) if a.filename == b.filename => Ordering::Equal,
            (Some(a), Some(b)) => a.cmp(b),
        };
        let before = if order.is_le() { std::mem::replace(&mut left, olds.next()) } else { None };
        let after = if order.is_ge() { std::mem::replace(&mut right, news.next()) } else { None };
        if let (Some(before), Some(after)) = (before, after)
            && before.oid == after.oid
        {
            continue;
        }
        each(before, after);
    }
}
