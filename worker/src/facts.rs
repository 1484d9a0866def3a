//! From a commit to its facts: the engine.

use gitfleet_shared::contract::{AttributesFile, Digest, MainlineNet, Scope, TipFile, TipResult};
use gitfleet_shared::facts::{
    ChangeKind, CommitFacts, ContentMark, FileChange, Hunk, Lines, MergedPath, UnknownReason,
};
use gitfleet_shared::object_id::ObjectId;
use gix::hashtable::HashMap;

use crate::attributes::Attributes;
use crate::commit::{self, Commit};
use crate::contents::Bytes;
use crate::lines::{self, Differ};
use crate::measure;
use crate::objects::{Limits, Objects, ReadError};
use crate::rename;
use crate::survey;
use crate::tree::{self, Change, Changes, Mode, Side};

/// What facts say of changed lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// How many there are.
    Counts,
    /// And where they stand: what the history of lines is made of.
    Hunks,
}

impl Depth {
    pub fn of(scope: Scope) -> Self {
        if scope.line_history { Self::Hunks } else { Self::Counts }
    }
}

/// Analyses commits of one repository; one per thread.
pub struct Engine {
    pub(crate) objects: Objects,
    pub(crate) attributes: Attributes,
    depth: Depth,
    /// Commits whose parents are cut off in a shallow clone; git takes them for roots.
    shallow: Vec<gix::ObjectId>,
    digest: Digest,
    pub(crate) differ: Differ,
    /// Of contents that merges brought. The next merge down the mainline asks for half of them again.
    measures: HashMap<gix::ObjectId, Measure>,
}

#[derive(Clone, Copy)]
struct Measure {
    lines: u32,
    looks_binary: bool,
}

/// What the files at a tip may take before they are compressed: room for some 200,000 of them.
const MOST_TIP_BYTES: usize = 32 << 20;

/// Some megabytes.
const MOST_MEASURES: usize = 1 << 16;

/// A side of a change.
pub(crate) enum Content {
    /// The path is not there on this side.
    Absent,
    Text(Bytes),
    Binary,
    Unknown(UnknownReason),
}

impl Content {
    pub(crate) fn text(&self) -> &[u8] {
        match self {
            Self::Text(content) => content,
            _ => &[],
        }
    }

    fn text_lines(&self) -> i64 {
        i64::from(lines::count(self.text()))
    }
}

impl Engine {
    /// Returns an engine for `repository` that takes the binary attributes of the commit `head`.
    ///
    /// # Errors
    ///
    /// Where `head` cannot be read.
    pub fn new(
        repository: gix::Repository,
        head: gix::ObjectId,
        limits: Limits,
        depth: Depth,
    ) -> Result<Self, ReadError> {
        let shallow = survey::shallow_commits(&repository);
        let objects = Objects::new(repository, limits);
        let links = commit::links(&objects.commit(&head)?).ok_or(ReadError::Corrupt(head))?;
        let attributes = Attributes::of_tree(&objects, links.tree);
        let digest = digest(&attributes, &shallow, depth);
        Ok(Self {
            objects,
            attributes,
            depth,
            shallow,
            digest,
            differ: Differ::default(),
            measures: HashMap::default(),
        })
    }

    /// Hash over everything beside the commit that its facts depend on.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Returns what `.gitattributes` of the head say to linguist.
    pub fn linguist_attributes(&self) -> &[AttributesFile] {
        self.attributes.linguist()
    }

    pub fn objects(&self) -> &Objects {
        &self.objects
    }

    /// Returns the facts of the commit `id`.
    ///
    /// # Errors
    ///
    /// Where the commit itself cannot be read. Trees and blobs that cannot be read make lines unknown.
    pub fn facts(&mut self, id: gix::ObjectId) -> Result<CommitFacts, ReadError> {
        let content = self.objects.commit(&id)?;
        self.facts_of(id, &content, None)
    }

    /// Returns the facts of the commit `id`, whose content is known, and perhaps the tree of its first parent.
    ///
    /// # Errors
    ///
    /// Where the content is no commit's.
    pub fn facts_of(
        &mut self,
        id: gix::ObjectId,
        content: &[u8],
        first_parent_tree: Option<gix::ObjectId>,
    ) -> Result<CommitFacts, ReadError> {
        let commit = self.parse(id, content)?;
        let (files, merged) = match commit.parents.as_slice() {
            [] => self.files(tree::diff(&self.objects, None, Some(commit.tree))),
            [parent] => match first_parent_tree.map_or_else(|| self.tree_of(*parent), Ok) {
                Ok(tree) => self.files(tree::diff(&self.objects, Some(tree), Some(commit.tree))),
                Err(error) => (vec![unreadable(Vec::new(), error)], Vec::new()),
            },
            parents => match self.depth {
                Depth::Hunks => (Vec::new(), self.composition(commit.tree, parents)),
                Depth::Counts => (Vec::new(), Vec::new()),
            },
        };
        let ours =
            |id: gix::ObjectId| ObjectId::try_from(id.as_bytes()).expect("gix has the hash lengths git has");
        Ok(CommitFacts {
            id: ours(id),
            parents: commit.parents.iter().copied().map(ours).collect(),
            author: commit.author,
            authored: commit.authored,
            committer: commit.committer,
            committed: commit.committed,
            message: commit.message,
            files,
            merged,
        })
    }

    /// Returns what the merge `id` did to the tree of its first parent. Net lines need no diff: they are the
    /// difference of the line counts.
    ///
    /// # Errors
    ///
    /// Where the commit itself cannot be read.
    pub fn mainline_net(&mut self, id: gix::ObjectId) -> Result<MainlineNet, ReadError> {
        let commit = self.commit(id)?;
        let mut net = MainlineNet::default();
        let old = match commit.parents.first() {
            Some(parent) => match self.tree_of(*parent) {
                Ok(tree) => Some(tree),
                Err(_) => return Ok(MainlineNet { unknown_files: 1, passing_files: 1, ..net }),
            },
            None => None,
        };
        let Changes { changes, unreadable } = tree::diff(&self.objects, old, Some(commit.tree));
        for (_, error) in &unreadable {
            net.unknown_files += 1;
            net.passing_files += u32::from(!reason(*error).is_final());
        }
        for change in &changes {
            match (self.measure(&change.path, change.old), self.measure(&change.path, change.new)) {
                (Err(reason), _) | (_, Err(reason)) => {
                    net.unknown_files += 1;
                    net.passing_files += u32::from(!reason.is_final());
                }
                (Ok(None), Ok(lines)) => net.binary_flip_lines += lines.unwrap_or(0),
                (Ok(Some(lines)), Ok(None)) => net.binary_flip_lines -= lines,
                (Ok(Some(old)), Ok(Some(new))) => net.net_lines += new - old,
            }
        }
        Ok(net)
    }

    /// Returns the files of the commit `id` with their lines, or `None` where `go_on`, asked after each file, says no.
    ///
    /// # Errors
    ///
    /// Where the commit itself cannot be read.
    pub fn tip(
        &mut self,
        id: gix::ObjectId,
        go_on: impl Fn() -> bool,
    ) -> Result<Option<TipResult>, ReadError> {
        let commit = self.commit(id)?;
        let Changes { changes, unreadable } = tree::files(&self.objects, commit.tree);
        let unknown_files = u32::try_from(unreadable.len()).unwrap_or(u32::MAX);
        let mut tip = TipResult { unknown_files, ..TipResult::default() };
        let mut room = MOST_TIP_BYTES;
        for change in &changes {
            let Some(side) = change.new else { continue };
            let content = self.content(&change.path, Some(side));
            match &content {
                Content::Text(text) => tip.lines += u64::from(lines::count(text)),
                Content::Unknown(_) => tip.unknown_files += 1,
                Content::Binary | Content::Absent => {}
            }
            if side.mode.is_regular() {
                let size = change.path.len() + std::mem::size_of::<TipFile>();
                match room.checked_sub(size) {
                    Some(rest) => {
                        room = rest;
                        let size_bytes = self.objects.size(&side.id).unwrap_or(0);
                        tip.files.push(measure::file(change.path.clone(), size_bytes, &content));
                    }
                    None => tip.more_files += 1,
                }
            }
            if !go_on() {
                return Ok(None);
            }
        }
        Ok(Some(tip))
    }

    fn commit(&self, id: gix::ObjectId) -> Result<Commit, ReadError> {
        self.parse(id, &self.objects.commit(&id)?)
    }

    fn parse(&self, id: gix::ObjectId, content: &[u8]) -> Result<Commit, ReadError> {
        let mut commit = commit::parse(content).ok_or(ReadError::Corrupt(id))?;
        if self.shallow.binary_search(&id).is_ok() {
            commit.parents.clear();
        }
        Ok(commit)
    }

    pub(crate) fn tree_of(&self, id: gix::ObjectId) -> Result<gix::ObjectId, ReadError> {
        Ok(commit::links(&self.objects.commit(&id)?).ok_or(ReadError::Corrupt(id))?.tree)
    }

    /// Returns the changed files, and those of them that have their lines of others than they say.
    fn files(&mut self, found: Changes) -> (Vec<FileChange>, Vec<MergedPath>) {
        let Changes { changes, unreadable: missing } = found;
        let renames = rename::detect(&self.objects, &mut self.attributes, &changes);
        let mut continues = vec![None; changes.len()];
        let mut gone = vec![false; changes.len()];
        for rename in renames {
            continues[rename.added] = Some(rename.deleted);
            gone[rename.deleted] = true;
        }
        let mut files: Vec<FileChange> = missing.into_iter().map(|(path, e)| unreadable(path, e)).collect();
        for (position, change) in changes.iter().enumerate() {
            if gone[position] {
                continue;
            }
            files.push(match continues[position] {
                Some(deleted) => self.renamed(&changes[deleted], change),
                None => self.changed(change),
            });
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        let continued = match self.depth {
            Depth::Hunks => self.continued(&changes, &continues),
            Depth::Counts => Vec::new(),
        };
        (files, continued)
    }

    fn changed(&mut self, change: &Change) -> FileChange {
        let kind = match (change.old, change.new) {
            (None, _) => ChangeKind::Added,
            (_, None) => ChangeKind::Deleted,
            _ => ChangeKind::Modified,
        };
        let (lines, hunks) = self.compare((&change.path, change.old), (&change.path, change.new));
        FileChange { path: change.path.clone(), kind, lines, hunks, content: mark(change.new) }
    }

    fn renamed(&mut self, old: &Change, new: &Change) -> FileChange {
        let (lines, hunks) = self.compare((&old.path, old.old), (&new.path, new.new));
        let (whole_old, _) = self.compare((&old.path, old.old), (&old.path, None));
        let (whole_new, _) = self.compare((&new.path, None), (&new.path, new.new));
        let kind = ChangeKind::Renamed { from: old.path.clone(), whole_old, whole_new };
        FileChange { path: new.path.clone(), kind, lines, hunks, content: mark(new.new) }
    }

    fn compare(&mut self, old: (&[u8], Option<Side>), new: (&[u8], Option<Side>)) -> (Lines, Vec<Hunk>) {
        let new_content = self.content(new.0, new.1);
        let old_content = self.content(old.0, old.1);
        // The walk goes back in time: the older content comes again, with the commit that made it, and the newer one
        // has had its turn.
        if let (Some(_), Some(side)) = (old.1, new.1) {
            self.objects.let_go(&side.id);
        }
        let lines = match (&old_content, &new_content) {
            (Content::Unknown(reason), _) | (_, Content::Unknown(reason)) => Lines::Unknown(*reason),
            (Content::Binary, _) | (_, Content::Binary) => Lines::Binary {
                net_text_lines: i32::try_from(new_content.text_lines() - old_content.text_lines())
                    .unwrap_or(0),
            },
            (old_text, new_text) => {
                let (old_text, new_text) = (old_text.text(), new_text.text());
                if let (Depth::Hunks, Some(old), Some(new)) = (self.depth, old.1, new.1) {
                    let (diff, hunks) = if old.mode.is_like(new.mode) {
                        self.differ.hunks(old_text, new_text)
                    } else {
                        // git counts the lines of the difference, and shows all of the one gone and all of the other new.
                        (self.differ.diff(old_text, new_text), replaced(old_text, new_text))
                    };
                    return (Lines::Counted { added: diff.added, deleted: diff.deleted }, hunks);
                }
                let diff = self.differ.diff(old_text, new_text);
                Lines::Counted { added: diff.added, deleted: diff.deleted }
            }
        };
        (lines, Vec::new())
    }

    /// Returns how many lines of text a side of a change has, and `None` where it is binary. What is not there has
    /// none.
    fn measure(&mut self, path: &[u8], side: Option<Side>) -> Result<Option<i64>, UnknownReason> {
        let Some(side) = side else { return Ok(Some(0)) };
        if side.mode == Mode::Submodule {
            return Ok(Some(1));
        }
        let measure = match self.measures.get(&side.id) {
            Some(known) => *known,
            None => {
                let content = self.objects.blob(&side.id).map_err(reason)?;
                let measure =
                    Measure { lines: lines::count(&content), looks_binary: lines::looks_binary(&content) };
                if self.measures.len() == MOST_MEASURES {
                    self.measures.clear();
                }
                self.measures.insert(side.id, measure);
                measure
            }
        };
        let is_binary = self.attributes.is_binary(path, side.mode, || measure.looks_binary);
        Ok((!is_binary).then_some(i64::from(measure.lines)))
    }

    pub(crate) fn content(&mut self, path: &[u8], side: Option<Side>) -> Content {
        let Some(side) = side else { return Content::Absent };
        if side.mode == Mode::Submodule {
            // What git compares of a submodule is this line.
            return Content::Text(format!("Subproject commit {}\n", side.id).into_bytes().into());
        }
        match self.objects.blob(&side.id) {
            Err(error) => Content::Unknown(reason(error)),
            Ok(content) => {
                match self.attributes.is_binary(path, side.mode, || lines::looks_binary(&content)) {
                    true => Content::Binary,
                    false => Content::Text(content),
                }
            }
        }
    }
}

fn digest(attributes: &Attributes, shallow: &[gix::ObjectId], depth: Depth) -> Digest {
    if shallow.is_empty() && depth == Depth::Counts {
        return attributes.digest();
    }
    let mut hasher = blake3::Hasher::new();
    hasher.update(&attributes.digest());
    if depth == Depth::Hunks {
        hasher.update(b"hunks");
    }
    for id in shallow {
        hasher.update(id.as_bytes());
    }
    *hasher.finalize().as_bytes()
}

/// Returns the hunk of a content that has nothing of the other.
fn replaced(old: &[u8], new: &[u8]) -> Vec<Hunk> {
    let (old_lines, new_lines) = (lines::count(old), lines::count(new));
    let hunk = Hunk { old_start: 0, old_lines, new_start: 0, new_lines };
    if old_lines + new_lines > 0 { vec![hunk] } else { Vec::new() }
}

/// Returns what tells the content of a side apart from others.
pub(crate) fn mark(side: Option<Side>) -> ContentMark {
    let Some(side) = side else { return ContentMark::default() };
    let mut mark = *side.id.as_bytes().first_chunk().expect("ids are longer");
    match side.mode {
        Mode::File | Mode::Executable => {}
        Mode::Symlink => mark[0] = !mark[0],
        Mode::Submodule | Mode::Tree => mark[1] = !mark[1],
    }
    mark
}

/// A directory that could not be compared stands for all that changed below it.
fn unreadable(path: Vec<u8>, error: ReadError) -> FileChange {
    let lines = Lines::Unknown(reason(error));
    FileChange { path, kind: ChangeKind::Modified, lines, hunks: Vec::new(), content: ContentMark::default() }
}

pub(crate) fn reason(error: ReadError) -> UnknownReason {
    match error {
        ReadError::Missing(_) => UnknownReason::MissingObject,
        ReadError::TooLarge(_) => UnknownReason::TooLarge,
        ReadError::Corrupt(_) => UnknownReason::CorruptObject,
    }
}
