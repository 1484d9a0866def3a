//! How the tree of a merge is composed of its parents' trees, in the way `git blame` passes lines on.
//!
//! Of each file: where a parent has the same content at the same path, all of it is that parent's, the first one's where
//! several have it. Else each parent that has the path is compared with it, and for each that has not, the file is looked
//! for among those that are in the parent and not in the merge, as a rename. Directories that are one parent's as a whole
//! are not looked into.

use gitfleet_shared::facts::{How, MergedPath, Origin, UnknownReason};

use crate::facts::{Content, Engine, mark, reason};
use crate::lines;
use crate::objects::ReadError;
use crate::rename::{self, Rename};
use crate::tree::{self, Change, Changes, MAX_DIRECTORIES, Mode, Side};

/// A directory of the merge that is none of its parents'.
struct Directory {
    /// Empty for the root, or ending in a slash.
    path: Vec<u8>,
    merged: gix::ObjectId,
    /// By parent, where it has the directory.
    parents: Vec<Option<gix::ObjectId>>,
}

/// A merge while it is looked at.
struct Merge {
    tree: gix::ObjectId,
    /// The trees of the parents.
    parents: Vec<gix::ObjectId>,
    /// By parent: its files that are not in the merge. Asked for seldom.
    gone: Vec<Option<Vec<Change>>>,
    waiting: Vec<Directory>,
    found: Vec<MergedPath>,
}

impl Engine {
    /// Returns what the merge with this tree has not of its first parent.
    pub(crate) fn composition(&mut self, tree: gix::ObjectId, parents: &[gix::ObjectId]) -> Vec<MergedPath> {
        match self.compose(tree, parents) {
            Ok(mut found) => {
                found.sort_by(|a, b| a.path.cmp(&b.path));
                found
            }
            Err(error) => vec![MergedPath { path: Vec::new(), how: How::Unknown(reason(error)) }],
        }
    }

    fn compose(
        &mut self,
        tree: gix::ObjectId,
        parents: &[gix::ObjectId],
    ) -> Result<Vec<MergedPath>, ReadError> {
        let trees = parents.iter().map(|parent| self.tree_of(*parent)).collect::<Result<Vec<_>, _>>()?;
        match trees.iter().position(|parent| *parent == tree) {
            Some(0) => return Ok(Vec::new()),
            Some(parent) => return Ok(vec![MergedPath { path: Vec::new(), how: taken(parent) }]),
            None => {}
        }
        let root =
            Directory { path: Vec::new(), merged: tree, parents: trees.iter().copied().map(Some).collect() };
        let gone = vec![None; trees.len()];
        let mut merge = Merge { tree, parents: trees, gone, waiting: vec![root], found: Vec::new() };
        let mut directories = 0;
        while let Some(directory) = merge.waiting.pop() {
            directories += 1;
            if directories > MAX_DIRECTORIES {
                return Err(ReadError::TooLarge(tree));
            }
            if let Err(error) = self.directory(&mut merge, &directory) {
                let path = directory.path.strip_suffix(b"/").unwrap_or_default().to_vec();
                merge.found.push(MergedPath { path, how: How::Unknown(reason(error)) });
            }
        }
        Ok(merge.found)
    }

    fn directory(&mut self, merge: &mut Merge, directory: &Directory) -> Result<(), ReadError> {
        let [first, others @ ..] = directory.parents.as_slice() else { return Ok(()) };
        let level = tree::level(&self.objects, *first, Some(directory.merged))?;
        let others = others
            .iter()
            .map(|tree| tree.map(|tree| tree::entries(&self.objects, tree, &level)).transpose())
            .collect::<Result<Vec<_>, _>>()?;
        for (name, [first, merged]) in &level {
            let path = [directory.path.as_slice(), name].concat();
            let of_others = others.iter().map(|entries| entries.as_ref()?.get(name).copied());
            let sides: Vec<Option<Side>> = std::iter::once(*first).chain(of_others).collect();
            let how = match merged {
                None => Some(How::Gone),
                Some(side) if side.mode == Mode::Tree => {
                    match sides.iter().position(|other| *other == Some(*side)) {
                        Some(parent) => Some(taken(parent)),
                        None => {
                            let is_tree = |side: &Side| side.mode == Mode::Tree;
                            merge.waiting.push(Directory {
                                path: [path.as_slice(), b"/"].concat(),
                                merged: side.id,
                                parents: sides
                                    .iter()
                                    .map(|side| side.filter(is_tree).map(|side| side.id))
                                    .collect(),
                            });
                            // A file that stood here makes way for the directory.
                            first.filter(|side| !is_tree(side)).map(|_| How::Gone)
                        }
                    }
                }
                Some(side) => self.file(merge, &path, *side, &sides),
            };
            merge.found.extend(how.map(|how| MergedPath { path, how }));
        }
        Ok(())
    }

    /// Returns whose lines the file `merged` has; `None` where they are the first parent's.
    fn file(&mut self, merge: &mut Merge, path: &[u8], merged: Side, sides: &[Option<Side>]) -> Option<How> {
        let has_it = |side: &Option<Side>| {
            side.is_some_and(|side| side.mode.is_like(merged.mode) && side.id == merged.id)
        };
        match sides.iter().position(has_it) {
            Some(0) => return None,
            Some(parent) => return Some(taken(parent)),
            None => {}
        }
        Some(self.composed(merge, path, merged, sides).unwrap_or_else(How::Unknown))
    }

    fn composed(
        &mut self,
        merge: &mut Merge,
        path: &[u8],
        merged: Side,
        sides: &[Option<Side>],
    ) -> Result<How, UnknownReason> {
        let content = mark(Some(merged));
        let text = match self.content(path, Some(merged)) {
            Content::Text(text) => text,
            Content::Unknown(reason) => return Err(reason),
            Content::Binary | Content::Absent => {
                return Ok(How::Composed { lines: None, content, from: Vec::new() });
            }
        };
        let lines = lines::count(&text);
        let mut sources: Vec<Option<(Vec<u8>, Side)>> = Vec::with_capacity(sides.len());
        for (parent, side) in sides.iter().enumerate() {
            sources.push(match side {
                Some(side) if side.mode.is_like(merged.mode) => Some((path.to_vec(), *side)),
                // Another kind of thing has taken the place.
                Some(side) if side.mode != Mode::Tree => None,
                _ => self.renamed_from(merge, parent, path, merged),
            });
        }
        // Where one of them is a rename without a change, all of it is that parent's.
        if let Some(whole) =
            sources.iter().position(|s| s.as_ref().is_some_and(|(_, side)| side.id == merged.id))
        {
            let from = sources.into_iter().enumerate().map(|(parent, source)| {
                let (path, _) = source.filter(|_| parent == whole)?;
                Some(Origin { path, hunks: Vec::new() })
            });
            return Ok(How::Composed { lines: Some(lines), content, from: from.collect() });
        }
        let mut is_found = vec![false; lines as usize];
        let mut from = Vec::with_capacity(sources.len());
        for source in sources {
            let Some((path, side)) = source else {
                from.push(None);
                continue;
            };
            let hunks = match self.content(&path, Some(side)) {
                Content::Text(old) => self.differ.hunks(&old, &text).1,
                Content::Unknown(reason) => return Err(reason),
                Content::Binary | Content::Absent => {
                    from.push(None);
                    continue;
                }
            };
            // A parent that has no line but those that one before it has contributes nothing.
            let (mut at, mut finds) = (0, false);
            let mut find = |lines: &mut [bool]| {
                lines.iter_mut().for_each(|line| finds |= !std::mem::replace(line, true));
            };
            for hunk in &hunks {
                find(&mut is_found[at..hunk.new_start as usize]);
                at = (hunk.new_start + hunk.new_lines) as usize;
            }
            find(&mut is_found[at..]);
            from.push(finds.then_some(Origin { path, hunks }));
        }
        Ok(How::Composed { lines: Some(lines), content, from })
    }

    /// Returns the file of `parent` that `merged` continues under another path.
    fn renamed_from(
        &mut self,
        merge: &mut Merge,
        parent: usize,
        path: &[u8],
        merged: Side,
    ) -> Option<(Vec<u8>, Side)> {
        let (objects, gone) = (&self.objects, &mut merge.gone[parent]);
        let gone = gone.get_or_insert_with(|| {
            let Changes { mut changes, .. } =
                tree::diff(objects, Some(merge.parents[parent]), Some(merge.tree));
            changes.retain(|change| change.new.is_none());
            changes
        });
        let added = Change { path: path.to_vec(), old: None, new: Some(merged) };
        let mut changes = gone.clone();
        changes.push(added);
        let source = rename::follow(&self.objects, &mut self.attributes, &changes).first()?.deleted;
        let Change { path, old, .. } = &changes[source];
        Some((path.clone(), (*old)?))
    }

    /// Returns the added files of a commit with one parent that continue other files for blame than for a log:
    /// blame asks for each of them alone. `continues` says, by change, what a log says.
    pub(crate) fn continued(&mut self, changes: &[Change], continues: &[Option<usize>]) -> Vec<MergedPath> {
        let added = changes.iter().filter(|change| change.old.is_none()).count();
        if added < 2 || added == changes.len() || changes.iter().all(|change| change.new.is_some()) {
            return Vec::new();
        }
        let mut found = Vec::new();
        for Rename { deleted, added } in rename::follow(&self.objects, &mut self.attributes, changes) {
            let (source, target) = (&changes[deleted], &changes[added]);
            let (Some(old), Some(new)) = (source.old, target.new) else { continue };
            if continues[added] == Some(deleted) {
                continue;
            }
            let how = self.continuation((&source.path, old), (&target.path, new));
            found.extend(how.map(|how| MergedPath { path: target.path.clone(), how }));
        }
        found.sort_by(|a, b| a.path.cmp(&b.path));
        found
    }

    fn continuation(&mut self, old: (&[u8], Side), new: (&[u8], Side)) -> Option<How> {
        let (old_content, new_content) = (self.content(old.0, Some(old.1)), self.content(new.0, Some(new.1)));
        // Of anything but text, the change itself says all there is to say.
        let (Content::Text(old_text), Content::Text(new_text)) = (&old_content, &new_content) else {
            return None;
        };
        let (_, hunks) = self.differ.hunks(old_text, new_text);
        let from = vec![Some(Origin { path: old.0.to_vec(), hunks })];
        Some(How::Composed { lines: Some(lines::count(new_text)), content: mark(Some(new.1)), from })
    }
}

fn taken(parent: usize) -> How {
    How::Taken { parent: u32::try_from(parent).unwrap_or(u32::MAX) }
}
