//! Which files differ between two trees, as git lists them: never descending where ids are equal.

use std::collections::{BTreeMap, HashMap};

use gix::bstr::ByteSlice as _;

use crate::common;
use crate::contents::Bytes;
use crate::objects::{Objects, ReadError};

/// What an entry is, with the irregular modes of old trees (such as 100664) folded as git folds them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    File,
    Executable,
    Symlink,
    Tree,
    Submodule,
}

impl Mode {
    /// Whether the content is a file's own (symlinks hold a target, submodules a commit id).
    pub fn is_regular(self) -> bool {
        matches!(self, Self::File | Self::Executable)
    }

    /// Whether both are files, both symlinks, or both submodules: what git takes for one thing that changed.
    pub fn is_like(self, other: Self) -> bool {
        self == other || (self.is_regular() && other.is_regular())
    }

    fn from_octal(digits: &[u8]) -> Option<Self> {
        if digits.is_empty() {
            return None;
        }
        let mut mode = 0u32;
        for digit in digits {
            mode =
                mode.checked_mul(8)?.checked_add(u32::from(digit.checked_sub(b'0').filter(|d| *d < 8)?))?;
        }
        Some(match mode & 0o170_000 {
            0o100_000 if mode & 0o100 != 0 => Self::Executable,
            0o100_000 => Self::File,
            0o120_000 => Self::Symlink,
            0o040_000 => Self::Tree,
            _ => Self::Submodule,
        })
    }
}

/// One side of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Side {
    pub mode: Mode,
    pub id: gix::ObjectId,
}

/// A path whose entry is not the same in both trees; at least one side is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub path: Vec<u8>,
    pub old: Option<Side>,
    pub new: Option<Side>,
}

/// The changes between two trees, and what could not be compared.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Ascending by path.
    pub changes: Vec<Change>,
    /// Directories that could not be read, with the reason; the root is the empty path.
    pub unreadable: Vec<(Vec<u8>, ReadError)>,
}

/// A commit that changes more files than this has its changes unknown. The largest import known to the authors
/// (a whole operating system) has a tenth of it; a dozen crafted objects can claim billions.
const MAX_CHANGES: usize = 1_000_000;
/// As many directories, and as many bytes of trees read and of paths made, are too many: directories need not have
/// files in them, and names can be as long as trees.
pub(crate) const MAX_DIRECTORIES: usize = MAX_CHANGES / 4;
const MAX_BYTES: usize = 512 << 20;
/// Git's `core.maxTreeDepth`.
const MAX_DEPTH: usize = 2_048;

/// Returns the changes from `old` to `new`, where `None` is the empty tree.
pub fn diff(objects: &Objects, old: Option<gix::ObjectId>, new: Option<gix::ObjectId>) -> Changes {
    let mut walk = Walk { objects, waiting: Vec::new(), found: Changes::default(), directories: 0, bytes: 0 };
    walk.waiting.push(Directory { path: Vec::new(), old, new, depth: 0 });
    if let Err(error) = walk.run() {
        // Too many changes: none is as good as all, and memory is kept.
        walk.found = Changes { changes: Vec::new(), unreadable: vec![(Vec::new(), error)] };
    }
    walk.found.changes.sort_by(|a, b| a.path.cmp(&b.path));
    walk.found
}

/// Two directories of the same path, still to be compared. They wait in a list, so that crafted nesting costs no
/// stack.
struct Directory {
    /// Empty for the root, or ending in a slash.
    path: Vec<u8>,
    old: Option<gix::ObjectId>,
    new: Option<gix::ObjectId>,
    depth: usize,
}

struct Walk<'a> {
    objects: &'a Objects,
    waiting: Vec<Directory>,
    found: Changes,
    /// How many were compared.
    directories: usize,
    /// Of trees read and paths made.
    bytes: usize,
}

impl Walk<'_> {
    /// # Errors
    ///
    /// Only where the whole comparison must end; a directory that cannot be read is noted and passed over.
    fn run(&mut self) -> Result<(), ReadError> {
        while let Some(directory) = self.waiting.pop() {
            let Directory { old, new, depth, .. } = directory;
            if old == new {
                continue;
            }
            let some = new.or(old).expect("two absent trees are equal");
            self.directories += 1;
            if depth > MAX_DEPTH
                || self.directories > MAX_DIRECTORIES
                || self.found.changes.len() + self.waiting.len() > MAX_CHANGES
            {
                return Err(ReadError::TooLarge(some));
            }
            let compared = self.read(old).and_then(|old| Ok((old, self.read(new)?)));
            let compared = compared.and_then(|(old, new)| {
                self.bytes += old.len() + new.len();
                self.entries(&directory, &old, &new)
            });
            if self.bytes > MAX_BYTES {
                return Err(ReadError::TooLarge(some));
            }
            if let Err(error) = compared {
                let path = directory.path.strip_suffix(b"/").unwrap_or_default();
                self.found.unreadable.push((path.to_vec(), error));
            }
        }
        Ok(())
    }

    fn read(&self, id: Option<gix::ObjectId>) -> Result<Bytes, ReadError> {
        id.map_or(Ok(Bytes::default()), |id| self.objects.tree(&id))
    }

    fn entries(&mut self, directory: &Directory, old: &[u8], new: &[u8]) -> Result<(), ReadError> {
        let hash_len = self.objects.hash_kind().len_in_bytes();
        let some = directory.new.or(directory.old).expect("one side was read");
        let malformed = |Malformed| ReadError::Corrupt(some);
        let mut olds = Entries { rest: old, hash_len };
        let mut news = Entries { rest: new, hash_len };
        loop {
            olds.pass_equal(&mut news);
            let (left, right) = (olds.peek().map_err(malformed)?, news.peek().map_err(malformed)?);
            let order = match (&left, &right) {
                (None, None) => return Ok(()),
                (Some(_), None) => std::cmp::Ordering::Less,
                (None, Some(_)) => std::cmp::Ordering::Greater,
                (Some(a), Some(b)) => a.order(b),
            };
            let old_entry = left.filter(|_| order.is_le());
            let new_entry = right.filter(|_| order.is_ge());
            self.entry(directory, old_entry, new_entry);
            if self.bytes > MAX_BYTES {
                return Err(ReadError::TooLarge(some));
            }
            olds.pass(old_entry);
            news.pass(new_entry);
        }
    }

    fn entry(&mut self, directory: &Directory, old: Option<Entry>, new: Option<Entry>) {
        let (old_side, new_side) = (old.map(|e| e.side), new.map(|e| e.side));
        if old_side == new_side {
            return;
        }
        let name = old.or(new).expect("one side is there").name;
        let subtree = |side: Option<Side>| side.filter(|s| s.mode == Mode::Tree).map(|s| s.id);
        let file = |side: Option<Side>| side.filter(|s| s.mode != Mode::Tree);
        let (old_tree, new_tree) = (subtree(old_side), subtree(new_side));
        if old_tree.is_some() || new_tree.is_some() {
            let path = [&directory.path, name, b"/"].concat();
            self.bytes += path.len();
            self.waiting.push(Directory { path, old: old_tree, new: new_tree, depth: directory.depth + 1 });
        }
        if file(old_side).is_some() || file(new_side).is_some() {
            let path = [&directory.path, name].concat();
            self.bytes += path.len();
            self.found.changes.push(Change { path, old: file(old_side), new: file(new_side) });
        }
    }
}

#[derive(Clone, Copy)]
struct Entry<'a> {
    name: &'a [u8],
    side: Side,
    /// How long it is, its id included.
    bytes: usize,
}

impl Entry<'_> {
    /// The order of entries in a tree: as if directories had a slash behind their name.
    fn order(&self, other: &Self) -> std::cmp::Ordering {
        let common = self.name.len().min(other.name.len());
        let byte_after = |entry: &Self| match entry.name.get(common) {
            Some(byte) => *byte,
            None if entry.side.mode == Mode::Tree => b'/',
            None => 0,
        };
        self.name[..common]
            .cmp(&other.name[..common])
            .then_with(|| byte_after(self).cmp(&byte_after(other)))
            // Only names that go on can still differ here.
            .then_with(|| self.name.len().cmp(&other.name.len()))
    }
}

struct Malformed;

struct Entries<'a> {
    rest: &'a [u8],
    hash_len: usize,
}

impl<'a> Entries<'a> {
    /// Returns the next entry, which stays the next.
    fn peek(&self) -> Result<Option<Entry<'a>>, Malformed> {
        if self.rest.is_empty() { Ok(None) } else { self.parse().map(Some).ok_or(Malformed) }
    }

    /// Passes `entry`, where there is one: the one last peeked at.
    fn pass(&mut self, entry: Option<Entry>) {
        if let Some(entry) = entry {
            self.rest = &self.rest[entry.bytes..];
        }
    }

    /// Passes the entries with which both begin, nearly all of them as a rule, without looking into them.
    fn pass_equal(&mut self, other: &mut Self) {
        let equal = common::prefix(self.rest, other.rest);
        let mut passed = 0;
        if equal == self.rest.len() && equal == other.rest.len() {
            passed = equal;
        } else {
            while let Some(nul) = memchr::memchr(0, &self.rest[passed..equal]) {
                let after = passed + nul + 1 + self.hash_len;
                if after > equal {
                    break;
                }
                passed = after;
            }
        }
        self.rest = &self.rest[passed..];
        other.rest = &other.rest[passed..];
    }

    fn parse(&self) -> Option<Entry<'a>> {
        let space = self.rest.find_byte(b' ')?;
        let mode = Mode::from_octal(&self.rest[..space])?;
        let rest = &self.rest[space + 1..];
        let end = rest.find_byte(0)?;
        let (name, rest) = (&rest[..end], &rest[end + 1..]);
        let id = gix::ObjectId::try_from(rest.get(..self.hash_len)?).ok()?;
        let bytes = self.rest.len() - rest.len() + self.hash_len;
        Some(Entry { name, side: Side { mode, id }, bytes })
    }
}

/// Both sides of the entries of one directory that are not the same, by name.
pub type Level = BTreeMap<Vec<u8>, [Option<Side>; 2]>;

/// Returns the entries in which two directories differ, without those below.
///
/// # Errors
///
/// Where one of them cannot be read.
pub fn level(
    objects: &Objects,
    old: Option<gix::ObjectId>,
    new: Option<gix::ObjectId>,
) -> Result<Level, ReadError> {
    let read = |id: Option<gix::ObjectId>| id.map_or(Ok(Bytes::default()), |id| objects.tree(&id));
    let (old_content, new_content) = (read(old)?, read(new)?);
    let hash_len = objects.hash_kind().len_in_bytes();
    let mut sides = [&old_content, &new_content].map(|content| Entries { rest: content, hash_len });
    let [olds, news] = &mut sides;
    olds.pass_equal(news);
    let mut level = Level::new();
    for (side, (entries, id)) in sides.iter_mut().zip([old, new]).enumerate() {
        while let Some(entry) = entries.peek().map_err(|Malformed| malformed(id))? {
            level.entry(entry.name.to_vec()).or_default()[side] = Some(entry.side);
            entries.pass(Some(entry));
        }
    }
    level.retain(|_, [old, new]| old != new);
    Ok(level)
}

/// Returns the entries of a directory that `names` holds.
///
/// # Errors
///
/// Where it cannot be read.
pub fn entries(
    objects: &Objects,
    tree: gix::ObjectId,
    names: &Level,
) -> Result<HashMap<Vec<u8>, Side>, ReadError> {
    let content = objects.tree(&tree)?;
    let mut entries = Entries { rest: &content, hash_len: objects.hash_kind().len_in_bytes() };
    let mut found = HashMap::new();
    while let Some(entry) = entries.peek().map_err(|Malformed| ReadError::Corrupt(tree))? {
        if names.contains_key(entry.name) {
            found.insert(entry.name.to_vec(), entry.side);
        }
        entries.pass(Some(entry));
    }
    Ok(found)
}

fn malformed(id: Option<gix::ObjectId>) -> ReadError {
    ReadError::Corrupt(id.expect("what is absent has no malformed entry"))
}

/// Returns every file of `tree` as an addition.
pub fn files(objects: &Objects, tree: gix::ObjectId) -> Changes {
    diff(objects, None, Some(tree))
}

/// Returns the entry of `tree` that is named `name`, or `None` where there is none or the tree cannot be read.
pub fn entry(objects: &Objects, tree: gix::ObjectId, name: &[u8]) -> Option<Side> {
    let content = objects.tree(&tree).ok()?;
    let mut entries = Entries { rest: &content, hash_len: objects.hash_kind().len_in_bytes() };
    while let Ok(Some(entry)) = entries.peek() {
        if entry.name == name {
            return Some(entry.side);
        }
        entries.pass(Some(entry));
    }
    None
}
