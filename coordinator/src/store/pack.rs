//! Whole facts as bytes: those of many commits in a pack, and of one commit what its rows have no columns for.
//!
//! Neighbours touch the same files and are made by the same people, so a pack writes each path and each person once, a
//! path without what it has in common with the one before, a parent of the pack by its place, and a hunk by its distance
//! from the one before.

use std::collections::{BTreeMap, HashMap};

use gitfleet_shared::codec::{self, Kind};
use gitfleet_shared::facts::{
    ChangeKind, ClaimedTime, CommitFacts, ContentMark, FileChange, How, Hunk, Lines, MergedPath, Origin,
    Signature, UnknownReason,
};
use gitfleet_shared::object_id::ObjectId;
use serde::{Deserialize, Serialize};

/// Version of packs and of what stands beside rows. It grows whenever bytes mean something else.
const VERSION: u16 = 1;

/// Returns the commits of some rows as a pack.
pub(super) fn encode(commits: &[(i64, &CommitFacts)]) -> Vec<u8> {
    let mut dictionary = Dictionary::of(commits);
    let packed = commits.iter().map(|(row, facts)| dictionary.commit(*row, facts)).collect();
    let pack = Pack { paths: dictionary.shortened(), people: dictionary.people, commits: packed };
    codec::encode(Kind::FactPack, VERSION, &pack)
}

/// Returns the commits of a pack with their rows; `None` where it is damaged or of another version.
pub(super) fn decode(content: &[u8]) -> Option<Vec<(i64, CommitFacts)>> {
    let pack: Pack = codec::decode(Kind::FactPack, VERSION, content).ok()?;
    let mut paths: Vec<Vec<u8>> = Vec::with_capacity(pack.paths.len());
    for ShortPath { common, rest } in pack.paths {
        let mut path = paths.last().map_or(Some(&[][..]), |last| last.get(..common))?.to_vec();
        path.extend_from_slice(&rest);
        paths.push(path);
    }
    let ids: Vec<ObjectId> = pack.commits.iter().map(|commit| commit.id).collect();
    let words = Words { paths: &paths, people: &pack.people, ids: &ids };
    pack.commits.into_iter().map(|commit| words.commit(commit)).collect()
}

/// What the rows of a commit have no columns for. A frame, or nothing where there is nothing of it.
pub(super) fn encode_lines(facts: &CommitFacts) -> Option<Vec<u8>> {
    let has_nothing = |file: &FileChange| file.hunks.is_empty() && file.content == ContentMark::default();
    if facts.merged.is_empty() && facts.files.iter().all(has_nothing) {
        return None;
    }
    let files = facts.files.iter().map(|file| (file.content, Distances::of(&file.hunks))).collect();
    let lines = CommitLines { files, merged: facts.merged.clone() };
    Some(codec::encode(Kind::CommitLines, VERSION, &lines))
}

/// Puts into `facts` what [`encode_lines`] took; `None` where it does not fit.
pub(super) fn decode_lines(facts: &mut CommitFacts, content: &[u8]) -> Option<()> {
    let CommitLines { files, merged } = codec::decode(Kind::CommitLines, VERSION, content).ok()?;
    if files.len() != facts.files.len() {
        return None;
    }
    for (file, (content, hunks)) in facts.files.iter_mut().zip(files) {
        file.content = content;
        file.hunks = hunks.hunks()?;
    }
    facts.merged = merged;
    Some(())
}

#[derive(Serialize, Deserialize)]
struct CommitLines {
    files: Vec<(ContentMark, Distances)>,
    merged: Vec<MergedPath>,
}

#[derive(Serialize, Deserialize)]
struct Pack {
    /// Ascending.
    paths: Vec<ShortPath>,
    people: Vec<Signature>,
    commits: Vec<PackedCommit>,
}

#[derive(Serialize, Deserialize)]
struct ShortPath {
    /// Bytes that it has in common with the path before.
    common: usize,
    #[serde(with = "serde_bytes")]
    rest: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
struct PackedCommit {
    row: i64,
    id: ObjectId,
    parents: Vec<Parent>,
    author: usize,
    authored: ClaimedTime,
    committer: usize,
    committed: ClaimedTime,
    #[serde(with = "serde_bytes")]
    message: Vec<u8>,
    files: Vec<PackedFile>,
    merged: Vec<(usize, PackedHow)>,
}

#[derive(Serialize, Deserialize)]
enum Parent {
    /// By its place in the pack.
    Here(usize),
    Elsewhere(ObjectId),
}

#[derive(Serialize, Deserialize)]
struct PackedFile {
    path: usize,
    kind: PackedKind,
    lines: Lines,
    hunks: Distances,
    content: ContentMark,
}

#[derive(Serialize, Deserialize)]
enum PackedKind {
    Added,
    Deleted,
    Modified,
    Renamed { from: usize, whole_old: Lines, whole_new: Lines },
}

#[derive(Serialize, Deserialize)]
enum PackedHow {
    Taken { parent: u32 },
    Gone,
    Unknown(UnknownReason),
    Composed { lines: Option<u32>, content: ContentMark, from: Vec<Option<(usize, Distances)>> },
}

/// Hunks, each as its distance from the end of the one before, and its lines on both sides.
#[derive(Serialize, Deserialize)]
struct Distances(Vec<(u32, u32, u32)>);

impl Distances {
    fn of(hunks: &[Hunk]) -> Self {
        let mut end = 0;
        Self(
            hunks
                .iter()
                .map(|hunk| {
                    let distance = hunk.old_start.saturating_sub(end);
                    end = hunk.old_start.saturating_add(hunk.old_lines);
                    (distance, hunk.old_lines, hunk.new_lines)
                })
                .collect(),
        )
    }

    fn hunks(self) -> Option<Vec<Hunk>> {
        let (mut old_end, mut new_end) = (0u32, 0u32);
        self.0
            .into_iter()
            .map(|(distance, old_lines, new_lines)| {
                let (old_start, new_start) = (old_end.checked_add(distance)?, new_end.checked_add(distance)?);
                old_end = old_start.checked_add(old_lines)?;
                new_end = new_start.checked_add(new_lines)?;
                Some(Hunk { old_start, old_lines, new_start, new_lines })
            })
            .collect()
    }
}

/// The places of paths, people and commits in a pack.
struct Dictionary<'a> {
    paths: BTreeMap<&'a [u8], usize>,
    places: HashMap<&'a Signature, usize>,
    people: Vec<Signature>,
    ids: HashMap<ObjectId, usize>,
}

impl<'a> Dictionary<'a> {
    fn of(commits: &[(i64, &'a CommitFacts)]) -> Self {
        let mut paths: BTreeMap<&[u8], usize> = BTreeMap::new();
        for (_, commit) in commits {
            for file in &commit.files {
                paths.insert(&file.path, 0);
                if let ChangeKind::Renamed { from, .. } = &file.kind {
                    paths.insert(from, 0);
                }
            }
            for merged in &commit.merged {
                paths.insert(&merged.path, 0);
                if let How::Composed { from, .. } = &merged.how {
                    from.iter().flatten().for_each(|origin| _ = paths.insert(&origin.path, 0));
                }
            }
        }
        paths.values_mut().enumerate().for_each(|(place, path)| *path = place);
        let ids = commits.iter().enumerate().map(|(place, (_, commit))| (commit.id, place)).collect();
        Self { paths, places: HashMap::new(), people: Vec::new(), ids }
    }

    fn shortened(&self) -> Vec<ShortPath> {
        let mut last: &[u8] = &[];
        let mut shortened = Vec::with_capacity(self.paths.len());
        for path in self.paths.keys() {
            let common = path.iter().zip(last).take_while(|(a, b)| a == b).count();
            shortened.push(ShortPath { common, rest: path[common..].to_vec() });
            last = path;
        }
        shortened
    }

    fn person(&mut self, person: &'a Signature) -> usize {
        *self.places.entry(person).or_insert_with(|| {
            self.people.push(person.clone());
            self.people.len() - 1
        })
    }

    fn commit(&mut self, row: i64, facts: &'a CommitFacts) -> PackedCommit {
        let parent =
            |id: &ObjectId| self.ids.get(id).map_or(Parent::Elsewhere(*id), |place| Parent::Here(*place));
        PackedCommit {
            row,
            id: facts.id,
            parents: facts.parents.iter().map(parent).collect(),
            author: self.person(&facts.author),
            authored: facts.authored,
            committer: self.person(&facts.committer),
            committed: facts.committed,
            message: facts.message.clone(),
            files: facts.files.iter().map(|file| self.file(file)).collect(),
            merged: facts.merged.iter().map(|merged| self.merged(merged)).collect(),
        }
    }

    fn file(&self, file: &FileChange) -> PackedFile {
        let kind = match &file.kind {
            ChangeKind::Added => PackedKind::Added,
            ChangeKind::Deleted => PackedKind::Deleted,
            ChangeKind::Modified => PackedKind::Modified,
            ChangeKind::Renamed { from, whole_old, whole_new } => PackedKind::Renamed {
                from: self.paths[from.as_slice()],
                whole_old: *whole_old,
                whole_new: *whole_new,
            },
        };
        PackedFile {
            path: self.paths[file.path.as_slice()],
            kind,
            lines: file.lines,
            hunks: Distances::of(&file.hunks),
            content: file.content,
        }
    }

    fn merged(&self, merged: &MergedPath) -> (usize, PackedHow) {
        let how = match &merged.how {
            How::Taken { parent } => PackedHow::Taken { parent: *parent },
            How::Gone => PackedHow::Gone,
            How::Unknown(reason) => PackedHow::Unknown(*reason),
            How::Composed { lines, content, from } => {
                let origin =
                    |origin: &Origin| (self.paths[origin.path.as_slice()], Distances::of(&origin.hunks));
                let from = from.iter().map(|from| from.as_ref().map(origin)).collect();
                PackedHow::Composed { lines: *lines, content: *content, from }
            }
        };
        (self.paths[merged.path.as_slice()], how)
    }
}

/// What the places in a pack stand for.
struct Words<'a> {
    paths: &'a [Vec<u8>],
    people: &'a [Signature],
    ids: &'a [ObjectId],
}

impl Words<'_> {
    fn path(&self, place: usize) -> Option<Vec<u8>> {
        self.paths.get(place).cloned()
    }

    fn commit(&self, packed: PackedCommit) -> Option<(i64, CommitFacts)> {
        let parent = |parent: Parent| match parent {
            Parent::Here(place) => self.ids.get(place).copied(),
            Parent::Elsewhere(id) => Some(id),
        };
        let facts = CommitFacts {
            id: packed.id,
            parents: packed.parents.into_iter().map(parent).collect::<Option<_>>()?,
            author: self.people.get(packed.author)?.clone(),
            authored: packed.authored,
            committer: self.people.get(packed.committer)?.clone(),
            committed: packed.committed,
            message: packed.message,
            files: packed.files.into_iter().map(|file| self.file(file)).collect::<Option<_>>()?,
            merged: packed.merged.into_iter().map(|merged| self.merged(merged)).collect::<Option<_>>()?,
        };
        Some((packed.row, facts))
    }

    fn file(&self, packed: PackedFile) -> Option<FileChange> {
        let kind = match packed.kind {
            PackedKind::Added => ChangeKind::Added,
            PackedKind::Deleted => ChangeKind::Deleted,
            PackedKind::Modified => ChangeKind::Modified,
            PackedKind::Renamed { from, whole_old, whole_new } => {
                ChangeKind::Renamed { from: self.path(from)?, whole_old, whole_new }
            }
        };
        let (path, hunks) = (self.path(packed.path)?, packed.hunks.hunks()?);
        Some(FileChange { path, kind, lines: packed.lines, hunks, content: packed.content })
    }

    fn merged(&self, (path, how): (usize, PackedHow)) -> Option<MergedPath> {
        let how = match how {
            PackedHow::Taken { parent } => How::Taken { parent },
            PackedHow::Gone => How::Gone,
            PackedHow::Unknown(reason) => How::Unknown(reason),
            PackedHow::Composed { lines, content, from } => {
                let origin = |(path, hunks): (usize, Distances)| {
                    Some(Origin { path: self.path(path)?, hunks: hunks.hunks()? })
                };
                let from =
                    from.into_iter().map(|from| from.map_or(Some(None), |from| origin(from).map(Some)));
                How::Composed { lines, content, from: from.collect::<Option<_>>()? }
            }
        };
        Some(MergedPath { path: self.path(path)?, how })
    }
}
