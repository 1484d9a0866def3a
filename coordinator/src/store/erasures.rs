//! The store as whoever answers for people uses it: what is held of somebody, and who was erased.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, FixedOffset};
use gitfleet_shared::contract::ErasedList;
use gitfleet_shared::facts::Signature;
use gitfleet_shared::ids::BatchId;
use gitfleet_shared::people::erasure::{Key, Mark, Suppression};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Result;
use crate::lens::Lens;

/// How the key a store was opened with fits what is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyFit {
    /// It is the one, or nobody was ever erased.
    Fits,
    /// There is none, and somebody was erased.
    Missing,
    /// It is another one.
    Wrong,
}

/// A published snapshot, as a search for somebody reads it.
#[derive(Debug, Clone)]
pub struct HeldSnapshot {
    pub id: i64,
    pub repository: String,
    pub revisions: String,
    pub mailmap: Option<Vec<u8>>,
}

/// A part of somebody in a commit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
pub struct HeldCommit {
    pub repository: String,
    pub commit: String,
    /// `author`, `committer`, or the key of a trailer that names them.
    pub role: String,
    pub name: String,
    pub email: String,
    /// RFC 3339, as the author's or the committer's clock said; none where it said nothing that is a time.
    pub at: Option<String>,
}

impl HeldCommit {
    /// Returns a time as the clock of whoever says it has it.
    pub(crate) fn clock(seconds: i64, offset_minutes: i64) -> Option<String> {
        let offset = FixedOffset::east_opt(i32::try_from(offset_minutes * 60).ok()?)?;
        Some(DateTime::from_timestamp(seconds, 0)?.with_timezone(&offset).to_rfc3339())
    }
}

/// What a batch keeps beside facts.
#[derive(Debug, Clone)]
pub struct HeldBatch {
    pub id: BatchId,
    pub lens: Lens,
}

/// Somebody who is to be erased.
#[derive(Debug, Clone)]
pub struct NewErasure {
    /// Names the request, here and in the audit log.
    pub request: String,
    /// By any of which they may be known already.
    pub marks: Vec<Mark>,
    /// UTC milliseconds.
    pub erased_at: i64,
}

/// What became of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// What names them from now on.
    pub digits: String,
    /// The request that asked for it first.
    pub request: String,
}

/// How much was changed by going over the store; what went is counted, too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Swept {
    /// Signatures that are none any more.
    pub signatures: u64,
    /// Commits of which author, committer or message said who it was.
    pub commits: u64,
    pub packs: u64,
    /// Mailmaps of repositories.
    pub mailmaps: u64,
    /// Batches and schedules by what they were asked for with.
    pub batches: u64,
    pub schedules: u64,
    pub reports: u64,
    /// Decisions about people.
    pub decisions: u64,
    pub dead_letters: u64,
    /// Failures, notes and names.
    pub texts: u64,
}

impl Swept {
    /// Whether nothing was there any more.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

#[async_trait]
pub trait Erasures: Send + Sync {
    /// Returns the key that marks are made with, where there is one.
    fn erasure_key(&self) -> Option<Key>;

    /// Says whether the key fits what is in the store.
    async fn erasure_key_fits(&self) -> Result<KeyFit>;

    /// Returns who was erased.
    ///
    /// # Errors
    ///
    /// [`StoreError::ErasureKey`](super::StoreError::ErasureKey) where somebody was, and the key is not there.
    async fn erased(&self) -> Result<Arc<Suppression>>;

    /// Returns the published snapshots.
    async fn held_snapshots(&self) -> Result<Vec<HeldSnapshot>>;

    /// Returns the signatures that are held, those that no snapshot has among them.
    async fn held_signatures(&self) -> Result<Vec<Signature>>;

    /// Returns the commits of some signatures, in whatever snapshot and in none.
    async fn held_commits(&self, signatures: &[Signature]) -> Result<Vec<HeldCommit>>;

    /// Returns the batches that are kept, the newest first.
    async fn held_batches(&self) -> Result<Vec<HeldBatch>>;

    /// Returns the ids of the batches that have a report, the newest first.
    async fn held_reports(&self) -> Result<Vec<BatchId>>;

    /// Writes down that somebody is erased: what is written from now on does not name them, in whatever transaction. Of
    /// somebody who was erased before, the same, with what marks are new.
    async fn list_erased(&self, erasure: &NewErasure) -> Result<Listed>;

    /// Takes over the list of another store, which has the same key.
    async fn adopt_erased(&self, list: &ErasedList) -> Result<()>;

    /// Makes what is there already name nobody who was erased, in small steps, each a transaction, and notes at `now` (UTC
    /// milliseconds) that it is done. What was cut short is done by doing it again.
    async fn sweep(&self, now: i64) -> Result<Swept>;

    /// Returns how often this handle and its clones had to redact what a worker said, since it was asked last.
    fn take_redactions(&self) -> u64;

    /// Puts back what was taken, and of which nothing came.
    fn note_redactions(&self, count: u64);
}
