//! What one commit says: a pure function of the commit, the path attributes of the snapshot that decide what is
//! binary, and [`FACTS_VERSION`]. No config, no clock, no identity merging.
//!
//! Where the history of lines is wanted, facts say more: the [`Hunk`]s of changed files, and how the tree of a merge is
//! [composed](MergedPath) of its parents' trees. All of it together is what `git blame` finds out file by file, and
//! what [`crate::lines`] folds into the history of every line.

use serde::{Deserialize, Serialize};

use crate::object_id::ObjectId;

/// Version of the facts. It grows by one whenever the same commit would yield other facts; cached facts of another
/// version are a miss.
pub const FACTS_VERSION: u32 = 2;

/// Name and e-mail exactly as the commit has them, in UTF-8 where the commit names its encoding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Signature {
    #[serde(with = "serde_bytes")]
    pub name: Vec<u8>,
    #[serde(with = "serde_bytes")]
    pub email: Vec<u8>,
}

/// A time that somebody claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimedTime {
    /// Seconds since 1970-01-01T00:00:00Z, or `None` where the commit holds no number that fits.
    pub seconds: Option<i64>,
    /// The author's own offset from UTC, in minutes.
    pub offset_minutes: i16,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitFacts {
    pub id: ObjectId,
    /// In their order; none for a root, and for a commit at which a shallow clone ends.
    pub parents: Vec<ObjectId>,
    pub author: Signature,
    pub authored: ClaimedTime,
    pub committer: Signature,
    pub committed: ClaimedTime,
    /// Subject and body, cut at [`MESSAGE_LIMIT_BYTES`].
    #[serde(with = "serde_bytes")]
    pub message: Vec<u8>,
    /// Changes against the only parent, or against nothing for a root, ascending by path. Empty for a merge, whose
    /// changes are its parents' work.
    pub files: Vec<FileChange>,
    /// Where the history of lines is wanted: whose lines the tree has, where neither the first parent nor `files` says
    /// it. Ascending by path. Of a commit with one parent these are added files that blame takes for the continuation of
    /// another file than `files` does: it lets several continue one.
    pub merged: Vec<MergedPath>,
}

/// Longer messages are cut here. The longest hand-written ones known stay well below.
pub const MESSAGE_LIMIT_BYTES: usize = 16 * 1024;

impl CommitFacts {
    pub fn is_merge(&self) -> bool {
        self.parents.len() > 1
    }

    /// Whether these facts are final. Where an object was missing or damaged, it may be there and sound another
    /// time: such facts are reported, and never kept as the last word.
    pub fn are_final(&self) -> bool {
        let files = self.files.iter().all(|file| match &file.kind {
            ChangeKind::Renamed { whole_old, whole_new, .. } => {
                file.lines.are_final() && whole_old.are_final() && whole_new.are_final()
            }
            _ => file.lines.are_final(),
        });
        files
            && self.merged.iter().all(|merged| match merged.how {
                How::Unknown(reason) => reason.is_final(),
                How::Taken { .. } | How::Gone | How::Composed { .. } => true,
            })
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileChange {
    /// The path after the change; for a deletion, the path that went.
    #[serde(with = "serde_bytes")]
    pub path: Vec<u8>,
    pub kind: ChangeKind,
    pub lines: Lines,
    /// Where the history of lines is wanted and both sides are text, what is changed, ascending; as `git log -p -U0`
    /// shows it. An added file is all new and a deleted one all gone, and neither needs to say so.
    pub hunks: Vec<Hunk>,
    /// Tells the content after the change apart from others.
    pub content: ContentMark,
}

/// Lines `old_start..old_start + old_lines` of the old content became lines `new_start..new_start + new_lines` of the
/// new one. Lines are counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hunk {
    pub old_start: u32,
    pub old_lines: u32,
    pub new_start: u32,
    pub new_lines: u32,
}

/// The first bytes of the id of a content, or zeros where there is none. Of a symlink or a submodule they are others
/// than of a file, because git never takes the lines of one for those of the other.
pub type ContentMark = [u8; 8];

/// Whose lines stand at a path of a commit, where it is not the first parent's entry at this path, nor said by a
/// [`FileChange`]. Said for as high a directory as it can be said for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MergedPath {
    /// Of a file or of a directory; empty for the whole tree.
    #[serde(with = "serde_bytes")]
    pub path: Vec<u8>,
    pub how: How,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum How {
    /// The entry, a file or a directory, equals the entry of that parent (from 0) and of none before. In a directory, a
    /// file whose content an earlier parent has, too, is that parent's: see [`FileChange::content`].
    Taken { parent: u32 },
    /// The first parent has something here, and the commit has nothing.
    Gone,
    /// Something could not be read: whose lines stand here is unknown.
    Unknown(UnknownReason),
    /// A file that is composed of those of the parents.
    Composed {
        /// How many lines it has; `None` where it is binary.
        lines: Option<u32>,
        content: ContentMark,
        /// By parent; `None` where that parent contributes nothing. A line belongs to the first parent that has it; what
        /// none has is the commit's own.
        from: Vec<Option<Origin>>,
    },
}

/// A file of a parent, and how it differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    #[serde(with = "serde_bytes")]
    pub path: Vec<u8>,
    pub hunks: Vec<Hunk>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChangeKind {
    Added,
    Deleted,
    /// Content, mode or type changed under the same path.
    Modified,
    /// Similar enough to a deleted file to be its continuation. The two line counts say what the same change looks
    /// like when renames are not followed: one deletion and one addition.
    Renamed {
        #[serde(with = "serde_bytes")]
        from: Vec<u8>,
        whole_old: Lines,
        whole_new: Lines,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Lines {
    Counted {
        added: u32,
        deleted: u32,
    },
    /// A side is binary: git prints `-`. Where only one side is, `net_text_lines` says how many text lines joined
    /// (or, negative, left) the repository by it; 0 where both are.
    Binary {
        net_text_lines: i32,
    },
    /// Unknown is not zero: these lines are in no sum.
    Unknown(UnknownReason),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum UnknownReason {
    /// The object is not there, as in a pruned or partial clone.
    MissingObject,
    /// A side is larger than the limit on file size.
    TooLarge,
    /// The object is there and cannot be decoded.
    CorruptObject,
}

impl Lines {
    fn are_final(self) -> bool {
        match self {
            Self::Counted { .. } | Self::Binary { .. } => true,
            Self::Unknown(reason) => reason.is_final(),
        }
    }
}

impl UnknownReason {
    /// Whether the same commit will be unknown for this reason for ever, under the same limits.
    pub fn is_final(self) -> bool {
        matches!(self, Self::TooLarge)
    }

    /// Returns the name used in reports and in the store.
    pub fn name(self) -> &'static str {
        match self {
            Self::MissingObject => "missing_object",
            Self::TooLarge => "too_large",
            Self::CorruptObject => "corrupt_object",
        }
    }
}

/// One change as `--no-renames` shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlainChange<'a> {
    pub path: &'a [u8],
    pub lines: Lines,
}

impl FileChange {
    /// Returns what the change looks like when renames are not followed: a rename is a deletion and an addition.
    pub fn without_renames(&self) -> impl Iterator<Item = PlainChange<'_>> {
        let (first, second) = match &self.kind {
            ChangeKind::Renamed { from, whole_old, whole_new } => (
                PlainChange { path: from, lines: *whole_old },
                Some(PlainChange { path: &self.path, lines: *whole_new }),
            ),
            _ => (PlainChange { path: &self.path, lines: self.lines }, None),
        };
        std::iter::once(first).chain(second)
    }
}
