//! Which added files continue a deleted one, as `git log -M` decides it with its default settings: similarity of
//! 50 % or more, no copies, and a limit of 1,000 on the square root of the pairs that are compared by content.
//!
//! The rounds are the documented ones: identical content first, then files whose name is unique on both sides and
//! which are at least 75 % alike, then the best pairs of all that are left.

use std::collections::{HashMap, VecDeque};

use crate::attributes::Attributes;
use crate::lines;
use crate::objects::Objects;
use crate::similarity::{self, MAX_SCORE, Pieces};
use crate::tree::{Change, Mode, Side};

const MINIMUM_SCORE: u64 = MAX_SCORE / 2;
/// Halfway between the minimum and full likeness.
const MINIMUM_SCORE_BY_NAME: u64 = MINIMUM_SCORE + (MAX_SCORE - MINIMUM_SCORE) / 2;
/// Git's `diff.renameLimit`. A limit by count and never by time: two workers must give one answer.
const RENAME_LIMIT: usize = 1_000;
/// So many deleted files of the same content, still free, are looked at for one added file.
const IDENTICAL_ALTERNATIVES: usize = 100;
/// So many sources are remembered for one added file.
const CANDIDATES_PER_TARGET: usize = 4;

/// An added file and the deleted one it continues, as positions in the list of changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rename {
    pub deleted: usize,
    pub added: usize,
}

/// Returns the renames among `changes`, which ascend by path.
pub fn detect(objects: &Objects, attributes: &mut Attributes, changes: &[Change]) -> Vec<Rename> {
    let mut search = Search::new(objects, attributes, changes);
    if search.sources.is_empty() || search.targets.is_empty() {
        return Vec::new();
    }
    search.identical();
    search.same_name();
    search.most_alike();
    search.renames
}

/// Returns which deleted file each added one continues where no other added file is asked for: what `git blame` and
/// `git log --follow` look for. Several may continue one, so it differs from [`detect`] where files are alike.
pub fn follow(objects: &Objects, attributes: &mut Attributes, changes: &[Change]) -> Vec<Rename> {
    let mut search = Search::new(objects, attributes, changes);
    search.follow();
    search.renames
}

struct File<'a> {
    position: usize,
    path: &'a [u8],
    side: Side,
    matched: bool,
    content: Content,
    /// Known before the content is; `None` where it cannot be told.
    size: Option<u64>,
}

/// What is known of a file's content. Contents are let go as soon as they are cut into pieces.
enum Content {
    Unread,
    /// It cannot be read, so it is like nothing.
    Unreadable,
    Pieces(Pieces),
}

impl<'a> File<'a> {
    fn name(&self) -> &'a [u8] {
        let start = memchr::memrchr(b'/', self.path).map_or(0, |slash| slash + 1);
        &self.path[start..]
    }

    fn size(&mut self, objects: &Objects) -> Option<u64> {
        if self.size.is_none() {
            self.size = match &self.content {
                Content::Pieces(pieces) => Some(pieces.size()),
                _ => objects.size(&self.side.id),
            };
        }
        self.size
    }

    fn pieces(&mut self, objects: &Objects, attributes: &mut Attributes) -> Option<&Pieces> {
        if matches!(self.content, Content::Unread) {
            self.content = match objects.blob(&self.side.id) {
                Ok(content) => {
                    let looks_binary = || lines::looks_binary(&content);
                    let is_text = !attributes.is_binary(self.path, self.side.mode, looks_binary);
                    Content::Pieces(Pieces::of(&content, is_text))
                }
                Err(_) => Content::Unreadable,
            };
        }
        match &self.content {
            Content::Pieces(pieces) => Some(pieces),
            _ => None,
        }
    }
}

struct Search<'a> {
    objects: &'a Objects,
    attributes: &'a mut Attributes,
    sources: Vec<File<'a>>,
    targets: Vec<File<'a>>,
    renames: Vec<Rename>,
}

struct Candidate {
    score: u64,
    same_name: bool,
    source: usize,
    target: usize,
}

impl Candidate {
    /// Better ones order first.
    fn rank(&self) -> (std::cmp::Reverse<u64>, std::cmp::Reverse<bool>) {
        (std::cmp::Reverse(self.score), std::cmp::Reverse(self.same_name))
    }
}

/// What must be the same in two files that are identical: what is not a regular file continues only what is of the very
/// same kind.
type Alike = (gix::ObjectId, Option<Mode>);

fn alike(side: Side) -> Alike {
    (side.id, Some(side.mode).filter(|mode| !mode.is_regular()))
}

impl<'a> Search<'a> {
    fn new(objects: &'a Objects, attributes: &'a mut Attributes, changes: &'a [Change]) -> Self {
        let file = |position: usize, path, side: Option<Side>| {
            side.map(|side| File {
                position,
                path,
                side,
                matched: false,
                content: Content::Unread,
                size: None,
            })
        };
        let mut sources: Vec<File> = Vec::new();
        let mut targets: Vec<File> = Vec::new();
        for (position, change) in changes.iter().enumerate() {
            match (change.old, change.new) {
                (old, None) => sources.extend(file(position, change.path.as_slice(), old)),
                (None, new) => targets.extend(file(position, change.path.as_slice(), new)),
                _ => {}
            }
        }
        Self { objects, attributes, sources, targets, renames: Vec::new() }
    }

    /// Asks for each added file as if there was no other.
    fn follow(&mut self) {
        let mut identical: HashMap<Alike, Vec<usize>> = HashMap::new();
        for (index, source) in self.sources.iter().enumerate() {
            identical.entry(alike(source.side)).or_default().push(index);
        }
        let mut open = Vec::new();
        for target in 0..self.targets.len() {
            let added = &self.targets[target];
            let Some(same) = identical.get(&alike(added.side)) else {
                open.push(target);
                continue;
            };
            let mut alternatives = same.iter().take(IDENTICAL_ALTERNATIVES);
            let same_name = alternatives.position(|&source| self.sources[source].name() == added.name());
            self.record(same[same_name.unwrap_or_default()], target);
        }
        // git has no such limit here, where it asks for one file at a time.
        if open.len() * self.sources.len() > RENAME_LIMIT * RENAME_LIMIT {
            return;
        }
        self.sources.iter_mut().for_each(|source| source.matched = false);
        let names: HashMap<Vec<u8>, usize> = unique_names(&self.sources)
            .into_iter()
            .filter_map(|(name, source)| Some((name.to_vec(), source?)))
            .collect();
        for target in open {
            let named = names.get(self.targets[target].name()).copied();
            let source = named
                .filter(|source| self.score(*source, target, MINIMUM_SCORE_BY_NAME) >= MINIMUM_SCORE_BY_NAME)
                .or_else(|| self.best(target));
            if let Some(source) = source {
                self.record(source, target);
            }
        }
    }

    /// Returns the source that is most like a target, and enough so.
    fn best(&mut self, target: usize) -> Option<usize> {
        let sources: Vec<usize> = (0..self.sources.len()).collect();
        let mut candidates = self.candidates(&sources, target);
        candidates.sort_by_key(Candidate::rank);
        candidates.first().filter(|best| best.score >= MINIMUM_SCORE).map(|best| best.source)
    }

    fn candidates(&mut self, sources: &[usize], target: usize) -> Vec<Candidate> {
        let mut best: Vec<Candidate> = Vec::with_capacity(CANDIDATES_PER_TARGET);
        for &source in sources {
            let candidate = Candidate {
                score: self.score(source, target, MINIMUM_SCORE),
                same_name: self.sources[source].name() == self.targets[target].name(),
                source,
                target,
            };
            keep_best(&mut best, candidate);
        }
        best
    }

    fn record(&mut self, source: usize, target: usize) {
        self.sources[source].matched = true;
        self.targets[target].matched = true;
        self.renames
            .push(Rename { deleted: self.sources[source].position, added: self.targets[target].position });
    }

    fn identical(&mut self) {
        let mut free: HashMap<Alike, VecDeque<usize>> = HashMap::new();
        for (index, source) in self.sources.iter().enumerate() {
            free.entry(alike(source.side)).or_default().push_back(index);
        }
        for target in 0..self.targets.len() {
            let added = &self.targets[target];
            let Some(free) = free.get_mut(&alike(added.side)) else { continue };
            let mut alternatives = free.iter().take(IDENTICAL_ALTERNATIVES);
            let same_name = alternatives.position(|&source| self.sources[source].name() == added.name());
            // Those matched go from the list: thousands may be alike.
            if let Some(source) = free.remove(same_name.unwrap_or_default()) {
                self.record(source, target);
            }
        }
    }

    fn same_name(&mut self) {
        let sources = unique_names(&self.sources);
        let targets = unique_names(&self.targets);
        for source in 0..self.sources.len() {
            let name = self.sources[source].name();
            if self.sources[source].matched || sources.get(name) != Some(&Some(source)) {
                continue;
            }
            let Some(Some(target)) = targets.get(name).copied() else {
                continue;
            };
            if self.score(source, target, MINIMUM_SCORE_BY_NAME) >= MINIMUM_SCORE_BY_NAME {
                self.record(source, target);
            }
        }
    }

    fn most_alike(&mut self) {
        let open = |files: &[File]| -> Vec<usize> {
            files.iter().enumerate().filter(|(_, file)| !file.matched).map(|(index, _)| index).collect()
        };
        let (sources, targets) = (open(&self.sources), open(&self.targets));
        if sources.is_empty()
            || targets.is_empty()
            || sources.len() * targets.len() > RENAME_LIMIT * RENAME_LIMIT
        {
            return;
        }
        let mut candidates = Vec::new();
        for &target in &targets {
            candidates.append(&mut self.candidates(&sources, target));
        }
        // Stable: of equals, the one found first stays first.
        candidates.sort_by_key(Candidate::rank);
        for candidate in candidates {
            if candidate.score < MINIMUM_SCORE {
                break;
            }
            if !self.sources[candidate.source].matched && !self.targets[candidate.target].matched {
                self.record(candidate.source, candidate.target);
            }
        }
    }

    /// Returns the likeness of two files, or 0 where it cannot reach `minimum`.
    fn score(&mut self, source: usize, target: usize, minimum: u64) -> u64 {
        let (old, new) = (&mut self.sources[source], &mut self.targets[target]);
        if !old.side.mode.is_regular() || !new.side.mode.is_regular() {
            return 0;
        }
        // Sizes are known without decoding anything.
        if let (Some(old_size), Some(new_size)) = (old.size(self.objects), new.size(self.objects))
            && similarity::sizes_exclude(old_size, new_size, minimum)
        {
            return 0;
        }
        let (Some(old), Some(new)) =
            (old.pieces(self.objects, self.attributes), new.pieces(self.objects, self.attributes))
        else {
            return 0;
        };
        if similarity::sizes_exclude(old.size(), new.size(), minimum) {
            return 0;
        }
        similarity::score(old, new)
    }
}

/// Replaces the worst of `best` by `candidate` where that is better.
fn keep_best(best: &mut Vec<Candidate>, candidate: Candidate) {
    if best.len() < CANDIDATES_PER_TARGET {
        best.push(candidate);
        return;
    }
    let mut worst = 0;
    for index in 1..best.len() {
        if best[index].rank() > best[worst].rank() {
            worst = index;
        }
    }
    if best[worst].rank() > candidate.rank() {
        best[worst] = candidate;
    }
}

/// Returns each name of the files that are still open, with its only bearer, or `None` where it has several.
fn unique_names<'a>(files: &[File<'a>]) -> HashMap<&'a [u8], Option<usize>> {
    let mut names = HashMap::new();
    for (index, file) in files.iter().enumerate().filter(|(_, file)| !file.matched) {
        names.entry(file.name()).and_modify(|bearer| *bearer = None).or_insert(Some(index));
    }
    names
}
