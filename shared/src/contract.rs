//! The messages between coordinator and worker, versioned as one contract.
//!
//! A message is read only if its version is known; the samples of every version stay in the tests. No message holds
//! a credential: a repository names its source, and the worker that opens it knows what it may use.

use serde::{Deserialize, Serialize};

use crate::codec::{self, DecodeError, Kind};
use crate::facts::{ClaimedTime, CommitFacts};
use crate::ids::{BatchId, JobId};
use crate::object_id::ObjectId;
use crate::people::erasure::Erased;

pub const CONTRACT_VERSION: u16 = 5;

/// One unit of work, as the coordinator asks for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    pub id: JobId,
    pub batch: BatchId,
    pub source: Source,
    pub work: Work,
    /// A file with a larger side than this keeps its lines unknown.
    pub max_blob_bytes: u64,
    /// Whether facts say what the history of lines is made of.
    pub line_history: bool,
    /// The name of what the worker is to show to the source's host; the worker has the secret.
    pub credential: Option<String>,
    /// Who was erased, and is to be named no more; `None` where nobody was. Put in when the job is sent.
    pub erased: Option<ErasedList>,
}

/// Who was erased, for whoever has the key that they are known by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasedList {
    /// Tells the key from others.
    pub key: Digest,
    pub people: Vec<Erased>,
}

impl Job {
    pub fn scope(&self) -> Scope {
        Scope { max_blob_bytes: self.max_blob_bytes, line_history: self.line_history }
    }
}

/// What facts are to say, and of which contents. Facts of another scope are other facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scope {
    pub max_blob_bytes: u64,
    pub line_history: bool,
}

/// Where a repository is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Source {
    /// A directory on the worker's machine, opened in place and never written to.
    Local { path: String },
    /// Anything to be fetched into a mirror: `https://`, `ssh://`, `file://` and the scp-like form.
    Remote { url: String },
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Local { path } => path.fmt(f),
            Self::Remote { url } => url.fmt(f),
        }
    }
}

/// Which commits of a repository are meant.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Revisions {
    /// What `HEAD` names: the default branch of a bare repository or a remote, the checked-out one otherwise.
    Head,
    Branch(String),
    /// Every branch.
    AllBranches,
}

impl std::fmt::Display for Revisions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Head => f.write_str("default branch"),
            Self::Branch(name) => write!(f, "branch {name}"),
            Self::AllBranches => f.write_str("all branches"),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Work {
    /// Fetch, pin the snapshot, list the commits that are new since `base`.
    Survey { revisions: Revisions, base: Option<Base> },
    /// Analyse these commits. `head` names the tree whose attributes say what is binary.
    Slice { head: ObjectId, commits: Vec<ObjectId>, mainline_merges: Vec<ObjectId> },
    /// Count the text lines at the tip, the other side of the conservation law.
    Tip { head: ObjectId },
}

impl Work {
    /// Returns a description of the work that no other work of the same source shares.
    pub fn key(&self) -> Vec<u8> {
        postcard::to_stdvec(self).expect("our own types have lengths")
    }

    /// Returns how much there is to do, in commits; the work that is not counted in commits is 0.
    pub fn units(&self) -> u64 {
        match self {
            Self::Slice { commits, .. } => commits.len() as u64,
            Self::Survey { .. } | Self::Tip { .. } => 0,
        }
    }

    pub fn name(&self) -> &'static str {
        match self {
            Self::Survey { .. } => "survey",
            Self::Slice { .. } => "slice",
            Self::Tip { .. } => "tip",
        }
    }
}

/// The snapshot an earlier analysis ended with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Base {
    pub refs: Digest,
    pub tips: Vec<ObjectId>,
    pub head: Option<ObjectId>,
}

/// A BLAKE3 hash.
pub type Digest = [u8; 32];

/// The refs of a repository, pinned to object ids: everything later refers to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Hash over the refs that matter to the asked revisions: equal hash, equal commits.
    pub refs: Digest,
    /// `None` for a repository without a commit.
    pub head: Option<ObjectId>,
    /// Short name of the branch `head` was read from.
    pub branch: Option<String>,
    /// The ends of history that are walked from.
    pub tips: Vec<ObjectId>,
    /// Hash over the attributes at `head` that decide what is binary. Facts of another hash are other facts.
    pub attributes: Digest,
    pub shallow: bool,
    /// `.mailmap` at `head`.
    pub mailmap: Option<Vec<u8>>,
    /// Those that name commits, ascending by name.
    pub tags: Vec<Tag>,
    /// What the `.gitattributes` files at `head` say to linguist, ascending by directory.
    pub attributes_files: Vec<AttributesFile>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tag {
    /// Without `refs/tags/`.
    #[serde(with = "serde_bytes")]
    pub name: Vec<u8>,
    /// The commit that it names, through whatever other tags.
    pub target: ObjectId,
    /// The tagger's time of an annotated tag, the committer's of the commit for any other.
    pub time: ClaimedTime,
    pub annotated: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttributesFile {
    /// The directory it stands in: empty, or ending in a slash.
    #[serde(with = "serde_bytes")]
    pub directory: Vec<u8>,
    /// Those of its lines that matter, in their order.
    #[serde(with = "serde_bytes")]
    pub content: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SurveyResult {
    /// The refs are those of the base: nothing to do.
    Unchanged,
    /// The snapshot and how its commits differ from those of the base (all are new where there is none).
    Changed(Box<Changed>),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    pub snapshot: Snapshot,
    /// False where the base's history could not be compared: then `added` is the whole snapshot.
    pub since_base: bool,
    /// In walk order, newest first.
    pub added: Vec<ObjectId>,
    /// What each of them is estimated to cost, in any unit.
    pub costs: Vec<u32>,
    pub mainline: Mainline,
}

/// The first-parent chain of the head.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mainline {
    /// True where `commits` continue the chain of the base; false where they replace it.
    pub continues_base: bool,
    pub commits: Vec<ObjectId>,
    /// Those of them with two or more parents.
    pub merges: Vec<ObjectId>,
}

/// What a merge on the mainline did to the tree, compared with its first parent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MainlineNet {
    pub net_lines: i64,
    pub binary_flip_lines: i64,
    pub unknown_files: u32,
    /// Those of the unknown files that may be known another time.
    pub passing_files: u32,
}

impl MainlineNet {
    /// Whether this is final, as [`CommitFacts::are_final`] says of facts.
    pub fn is_final(&self) -> bool {
        self.passing_files == 0
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SliceResult {
    pub facts: Vec<CommitFacts>,
    pub mainline_merges: Vec<(ObjectId, MainlineNet)>,
    /// Commits and merges of the job that the worker put back, because the facts of the others are as many as a
    /// message may hold.
    pub undone: Vec<ObjectId>,
    pub undone_merges: Vec<ObjectId>,
    /// How many of the facts came from the cache.
    pub cache_hits: u32,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TipResult {
    pub lines: u64,
    pub unknown_files: u32,
    /// Regular files, ascending by path.
    pub files: Vec<TipFile>,
    /// Further ones, for which a message has no room.
    pub more_files: u32,
}

/// A file at the tip.
///
/// Indentation is logical: a tab, or four spaces, is one step; it is counted in quarters of a step over the lines that
/// are not blank (Hindle, Godfrey and Holt 2008; a step is that of Tornhill's maat-scripts).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TipFile {
    #[serde(with = "serde_bytes")]
    pub path: Vec<u8>,
    pub size_bytes: u64,
    /// `None` for a binary or unknown file, which has no code lines and no indentation either.
    pub lines: Option<u32>,
    /// Lines that are not blank.
    pub code_lines: u32,
    pub indentation_sum: u64,
    pub indentation_square_sum: u64,
    pub indentation_max: u32,
    /// Whether its first lines say that a program wrote it.
    pub head_says_generated: bool,
}

/// What a worker says of a job. Delivered at least once; recording it twice changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    pub job: JobId,
    pub batch: BatchId,
    pub worker: String,
    pub elapsed_millis: u64,
    pub result: Result<WorkResult, Failure>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum WorkResult {
    Survey(SurveyResult),
    Slice(SliceResult),
    Tip(TipResult),
}

/// Why a job could not be done. The repository is reported with it; the batch goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    pub class: FailureClass,
    /// For people; holds no secret.
    pub message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FailureClass {
    NotFound,
    NotARepository,
    PermissionDenied,
    UnsupportedFormat,
    BranchNotFound,
    /// Commits or trees are damaged or missing, so that the history cannot be walked.
    Corrupt,
    FetchFailed,
    AuthenticationFailed,
    /// The analysis itself failed; a defect of gitfleet.
    Internal,
    /// A commit of the pinned snapshot is not in the repository any more: it was force-pushed in between.
    CommitGone,
    /// It took longer than a job may.
    TimedOut,
    /// Every worker that took it was lost.
    Poisoned,
    /// The worker's disk is full.
    DiskFull,
    /// The source's scheme, host or address is none that may be asked.
    AddressNotAllowed,
    /// People were erased, and the worker has not the key that they are known by.
    ErasureKey,
}

impl FailureClass {
    pub const ALL: [Self; 15] = [
        Self::NotFound,
        Self::NotARepository,
        Self::PermissionDenied,
        Self::UnsupportedFormat,
        Self::BranchNotFound,
        Self::Corrupt,
        Self::FetchFailed,
        Self::AuthenticationFailed,
        Self::Internal,
        Self::CommitGone,
        Self::TimedOut,
        Self::Poisoned,
        Self::DiskFull,
        Self::AddressNotAllowed,
        Self::ErasureKey,
    ];

    /// The names of all classes.
    pub const NAMES: [&str; 15] = {
        let (mut names, mut at) = ([""; Self::ALL.len()], 0);
        while at < names.len() {
            names[at] = Self::ALL[at].name();
            at += 1;
        }
        names
    };

    /// Returns the stable name for reports, the store and scripts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::NotARepository => "not_a_repository",
            Self::PermissionDenied => "permission_denied",
            Self::UnsupportedFormat => "unsupported_format",
            Self::BranchNotFound => "branch_not_found",
            Self::Corrupt => "corrupt",
            Self::FetchFailed => "fetch_failed",
            Self::AuthenticationFailed => "authentication_failed",
            Self::Internal => "internal",
            Self::CommitGone => "commit_gone",
            Self::TimedOut => "timed_out",
            Self::Poisoned => "poisoned",
            Self::DiskFull => "disk_full",
            Self::AddressNotAllowed => "address_not_allowed",
            Self::ErasureKey => "erasure_key",
        }
    }

    /// Returns what it says of a repository, and what to do about it.
    pub const fn meaning(self) -> (&'static str, &'static str) {
        match self {
            Self::NotFound => {
                ("there is nothing at its address", "correct the address, or take the repository out")
            }
            Self::NotARepository => {
                ("what is at its address is no git repository", "name its top folder, or its URL")
            }
            Self::PermissionDenied => {
                ("the worker may not read it", "give the user that workers run as the right to read")
            }
            Self::UnsupportedFormat => {
                ("it has a format that git has and gitfleet does not read", "convert it (`git clone`)")
            }
            Self::BranchNotFound => ("it has no branch of that name", "name another one, or all branches"),
            Self::Corrupt => (
                "commits or trees are damaged or missing",
                "`git fsck` says which; fetch them again from a sound clone",
            ),
            Self::FetchFailed => {
                ("its host was not reached, or broke off", "is the host up, and may workers reach it?")
            }
            Self::AuthenticationFailed => (
                "its host wants to know who asks, and what it was shown is not enough",
                "renew the token or the credential of the host (docs/runbooks/secrets.md)",
            ),
            Self::Internal => ("a defect of gitfleet", "report it with the message and the worker's log"),
            Self::CommitGone => (
                "it was rewritten between the survey and the analysis",
                "nothing: the next batch sees it as it is",
            ),
            Self::TimedOut => (
                "a job of it took longer than a job may",
                "raise fleet.job_seconds, or give workers faster disks",
            ),
            Self::Poisoned => {
                ("every worker that took it was lost", "docs/runbooks/poison.md, before it is tried again")
            }
            Self::DiskFull => ("the worker's disk is full", "make room, or set fleet.mirror_mib"),
            Self::AddressNotAllowed => (
                "its scheme, host or address may not be asked",
                "allow it with sources.schemes, hosts or private_addresses (docs/runbooks/sources.md)",
            ),
            Self::ErasureKey => (
                "people were erased, and the worker has not the key that they are known by",
                "give it people.erasure_key (docs/runbooks/erasure.md)",
            ),
        }
    }

    /// Whether trying again may help without anybody doing anything.
    pub fn may_pass(self) -> bool {
        matches!(self, Self::FetchFailed)
    }
}

/// A job that comes back without an outcome. Delivered at least once, as outcomes are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandedBack {
    pub job: JobId,
    pub batch: BatchId,
    /// Who says so. Where a job was [`Why::Dropped`], that is not who dropped it.
    pub worker: String,
    pub why: Why,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Why {
    /// The worker leaves, and did not finish in time.
    Interrupted,
    /// Its batch rests.
    Paused,
    /// Its batch was cancelled.
    Cancelled,
    /// Whoever had it before was lost, or lost sight of the queue. The store counts how often that happens to a job,
    /// whatever the queue remembers; so nobody works on such a delivery.
    Dropped,
    /// The worker cannot do it now, for a reason of its own such as a full disk; another one may.
    Unable,
}

/// What workers say on the topic of outcomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Outcome(Box<Outcome>),
    HandedBack(HandedBack),
}

impl Answer {
    /// # Errors
    ///
    /// Where the bytes are neither outcome nor job handed back, of a known version.
    pub fn decode(frame: &[u8]) -> Result<Self, DecodeError> {
        match Outcome::decode(frame) {
            Err(DecodeError::Kind { .. }) => HandedBack::decode(frame).map(Self::HandedBack),
            decoded => decoded.map(|outcome| Self::Outcome(Box::new(outcome))),
        }
    }
}

/// A worker's sign of life. It may be lost; only displays, leases and the list of workers depend on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heartbeat {
    pub worker: Identity,
    /// Jobs it can do at a time.
    pub slots: u32,
    pub running: Vec<Running>,
    /// It takes no more jobs, because it was told so.
    pub draining: bool,
    /// Its last sign: it has ended, in order.
    pub leaving: bool,
}

/// Who a worker is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Another one at every start.
    pub name: String,
    pub host: String,
    pub version: String,
}

/// A job in hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    pub job: JobId,
    pub batch: BatchId,
    /// Units done so far: commits for a slice, files for a tip.
    pub done: u64,
}

/// What the coordinator wants of all workers, whole in each message: what is not in it any more is no longer wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Control {
    /// Names of workers that take no more jobs.
    pub draining: Vec<String>,
    /// Batches whose jobs are not begun, and handed back.
    pub paused: Vec<BatchId>,
    /// Batches whose jobs are stopped and forgotten.
    pub cancelled: Vec<BatchId>,
}

impl Job {
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(Kind::Job, CONTRACT_VERSION, self)
    }

    /// # Errors
    ///
    /// Where the bytes are no job of a known version.
    pub fn decode(frame: &[u8]) -> Result<Self, DecodeError> {
        codec::decode(Kind::Job, CONTRACT_VERSION, frame)
    }
}

impl Outcome {
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(Kind::Outcome, CONTRACT_VERSION, self)
    }

    /// # Errors
    ///
    /// Where the bytes are no outcome of a known version.
    pub fn decode(frame: &[u8]) -> Result<Self, DecodeError> {
        codec::decode(Kind::Outcome, CONTRACT_VERSION, frame)
    }
}

impl HandedBack {
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(Kind::HandedBack, CONTRACT_VERSION, self)
    }

    /// # Errors
    ///
    /// Where the bytes are no job handed back, of a known version.
    pub fn decode(frame: &[u8]) -> Result<Self, DecodeError> {
        codec::decode(Kind::HandedBack, CONTRACT_VERSION, frame)
    }
}

impl Control {
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(Kind::Control, CONTRACT_VERSION, self)
    }

    /// # Errors
    ///
    /// Where the bytes are no control message of a known version.
    pub fn decode(frame: &[u8]) -> Result<Self, DecodeError> {
        codec::decode(Kind::Control, CONTRACT_VERSION, frame)
    }
}

impl Heartbeat {
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(Kind::Heartbeat, CONTRACT_VERSION, self)
    }

    /// # Errors
    ///
    /// Where the bytes are no heartbeat of a known version.
    pub fn decode(frame: &[u8]) -> Result<Self, DecodeError> {
        codec::decode(Kind::Heartbeat, CONTRACT_VERSION, frame)
    }
}
