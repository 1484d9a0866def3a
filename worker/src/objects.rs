//! The seam between the engine and the object database: bytes by id, with the reason where there are none.

use gix::prelude::{Find as _, Header as _};

/// Reads objects of one repository; one per thread, because decoding keeps caches.
pub struct Objects {
    repository: gix::Repository,
    max_blob_bytes: u64,
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
    /// Neighbouring commits ask for the same trees and blobs. This much of them is kept per thread; more did not
    /// pay on histories of 5,000 to 80,000 commits.
    const CACHE_BYTES: usize = 24 << 20;

    pub fn new(mut repository: gix::Repository, max_blob_bytes: u64) -> Self {
        repository.object_cache_size(Self::CACHE_BYTES);
        Self { repository, max_blob_bytes }
    }

    pub fn hash_kind(&self) -> gix::hash::Kind {
        self.repository.object_hash()
    }

    /// Replaces `buffer` by the content of the blob `id`.
    ///
    /// # Errors
    ///
    /// Where the blob is missing, larger than the limit, damaged or no blob.
    pub fn blob(&self, id: &gix::oid, buffer: &mut Vec<u8>) -> Result<(), ReadError> {
        self.read(id, gix::object::Kind::Blob, buffer)?;
        if buffer.len() as u64 > self.max_blob_bytes {
            return Err(ReadError::TooLarge(id.to_owned()));
        }
        Ok(())
    }

    /// Replaces `buffer` by the content of the tree `id`.
    ///
    /// # Errors
    ///
    /// Where the tree is missing, damaged or no tree.
    pub fn tree(&self, id: &gix::oid, buffer: &mut Vec<u8>) -> Result<(), ReadError> {
        self.read(id, gix::object::Kind::Tree, buffer)
    }

    /// Replaces `buffer` by the content of the commit `id`.
    ///
    /// # Errors
    ///
    /// Where the commit is missing, damaged or no commit.
    pub fn commit(&self, id: &gix::oid, buffer: &mut Vec<u8>) -> Result<(), ReadError> {
        self.read(id, gix::object::Kind::Commit, buffer)
    }

    fn read(&self, id: &gix::oid, kind: gix::object::Kind, buffer: &mut Vec<u8>) -> Result<(), ReadError> {
        // Trees of no entries are not stored by every writer.
        if id.is_empty_tree() && kind == gix::object::Kind::Tree {
            buffer.clear();
            return Ok(());
        }
        match self.repository.objects.try_find(id, buffer) {
            Ok(Some(found)) if found.kind == kind => Ok(()),
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
