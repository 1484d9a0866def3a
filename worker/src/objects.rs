//! The seam between the engine and the object database: bytes by id, with the reason where there are none.

use std::cell::RefCell;

use gix::object::Kind;
use gix::prelude::{Find as _, Header as _};

use crate::contents::Bytes;
use crate::pack::{Packs, Refused};

/// Reads objects of one repository; one per thread, because decoding keeps caches.
pub struct Objects {
    packs: RefCell<Packs>,
    /// For all that our own reader leaves alone.
    repository: gix::Repository,
    max_blob_bytes: u64,
}

/// What reading objects may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The content of a larger blob is not looked at.
    pub max_blob_bytes: u64,
    /// How much one thread may keep of what it decoded.
    pub cache_bytes: usize,
}

impl Limits {
    /// Returns the limits of one of `threads` that share `memory_bytes`. Half is for what was decoded; the
    /// rest is left for the facts in hand and whatever else the process does.
    pub fn share(max_blob_bytes: u64, memory_bytes: u64, threads: usize) -> Self {
        let share = memory_bytes / 2 / threads.max(1) as u64;
        Self { max_blob_bytes, cache_bytes: usize::try_from(share).unwrap_or(usize::MAX) }
    }
}

/// Why there are no bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    #[error("object {0} is missing")]
    Missing(gix::ObjectId),
    #[error("object {0} is larger than the limit")]
    TooLarge(gix::ObjectId),
    #[error("object {0} cannot be decoded")]
    Corrupt(gix::ObjectId),
}

impl Objects {
    /// What gix may keep of the objects that it reads.
    const LOOSE_CACHE_BYTES: usize = 16 << 20;

    pub fn new(mut repository: gix::Repository, limits: Limits) -> Self {
        repository.object_cache_size(Self::LOOSE_CACHE_BYTES.min(limits.cache_bytes));
        let Limits { max_blob_bytes, cache_bytes } = limits;
        let directory = repository.objects.store_ref().path();
        let packs =
            Packs::open(directory, repository.object_hash(), cache_bytes, largest_object(max_blob_bytes));
        Self { packs: packs.into(), repository, max_blob_bytes }
    }

    pub fn hash_kind(&self) -> gix::hash::Kind {
        self.repository.object_hash()
    }

    /// Returns the content of the blob `id`.
    ///
    /// # Errors
    ///
    /// Where the blob is missing, larger than the limit, damaged or no blob.
    pub fn blob(&self, id: &gix::oid) -> Result<Bytes, ReadError> {
        let content = self.read(id, Kind::Blob)?;
        if content.len() as u64 > self.max_blob_bytes {
            return Err(ReadError::TooLarge(id.to_owned()));
        }
        Ok(content)
    }

    /// Returns how large the object `id` is, without decoding it; `None` where it cannot be told.
    pub fn size(&self, id: &gix::oid) -> Option<u64> {
        match self.packs.borrow_mut().size(id) {
            Some(Ok(size)) => Some(size),
            Some(Err(Refused::TooLarge | Refused::Corrupt)) => None,
            Some(Err(Refused::Unusual)) | None => Some(self.repository.objects.try_header(id).ok()??.size()),
        }
    }

    /// Says that nobody is likely to ask for the blob `id` again soon.
    pub fn let_go(&self, id: &gix::oid) {
        self.packs.borrow_mut().demote(id);
    }

    /// Returns the content of the tree `id`.
    ///
    /// # Errors
    ///
    /// Where the tree is missing, damaged or no tree.
    pub fn tree(&self, id: &gix::oid) -> Result<Bytes, ReadError> {
        self.read(id, Kind::Tree)
    }

    /// Returns the content of the commit `id`.
    ///
    /// # Errors
    ///
    /// Where the commit is missing, damaged or no commit.
    pub fn commit(&self, id: &gix::oid) -> Result<Bytes, ReadError> {
        self.read(id, Kind::Commit)
    }

    fn read(&self, id: &gix::oid, kind: Kind) -> Result<Bytes, ReadError> {
        match self.packs.borrow_mut().read(id, kind) {
            Some(Ok(content)) => return Ok(content),
            Some(Err(Refused::TooLarge)) => return Err(ReadError::TooLarge(id.to_owned())),
            Some(Err(Refused::Corrupt)) => return Err(ReadError::Corrupt(id.to_owned())),
            Some(Err(Refused::Unusual)) | None => {}
        }
        // Trees of no entries are not stored by every writer.
        if id.is_empty_tree() && kind == Kind::Tree {
            return Ok(Bytes::default());
        }
        let mut content = Vec::new();
        match self.repository.objects.try_find(id, &mut content) {
            Ok(Some(found)) if found.kind == kind => Ok(content.into()),
            Ok(Some(_)) => Err(ReadError::Corrupt(id.to_owned())),
            Ok(None) => Err(ReadError::Missing(id.to_owned())),
            Err(_) => Err(self.why(id)),
        }
    }

    /// Decoding failed: either it was refused because of the object's size, or the object is damaged.
    fn why(&self, id: &gix::oid) -> ReadError {
        match self.repository.objects.try_header(id) {
            Ok(Some(header)) if header.size() > self.max_blob_bytes => ReadError::TooLarge(id.to_owned()),
            _ => ReadError::Corrupt(id.to_owned()),
        }
    }
}

/// Returns how large an object may become in memory where blobs of `max_blob_bytes` are wanted: objects are decoded in
/// one piece, and a delta may have a larger base.
pub fn largest_object(max_blob_bytes: u64) -> u64 {
    max_blob_bytes.max(32 << 20).saturating_mul(2)
}
