//! The cache port: facts by content, shared by whoever analyses.
//!
//! A key holds everything that can change its value, and a value carries version and checksum (see
//! [`codec`](crate::codec)), so the whole cache may be flushed, evicted or damaged at any moment: only time is lost.

pub mod embedded;
pub mod redis;

use async_trait::async_trait;

use crate::contract::Digest;
use crate::facts::FACTS_VERSION;
use crate::object_id::ObjectId;

/// Promises: a `get` answers each key in order; whatever goes wrong is a miss. A `put` may be lost. Neither waits
/// longer than computing the value again would take.
#[async_trait]
pub trait Cache: Send + Sync {
    async fn get(&self, keys: &[Key]) -> Vec<Option<Vec<u8>>>;

    async fn put(&self, entries: Vec<(Key, Vec<u8>)>);

    /// Returns what stands behind it, with its version, after it has answered. Costs one round trip, however much is
    /// in it.
    ///
    /// # Errors
    ///
    /// Where it cannot be asked, in words.
    async fn describe(&self) -> Result<String, String>;

    /// Returns what is known of the cache, for an operator to look at.
    ///
    /// # Errors
    ///
    /// Where it cannot be asked, in words.
    async fn stats(&self) -> Result<CacheStats, String>;

    /// Forgets everything; returns how many entries there were.
    ///
    /// # Errors
    ///
    /// Where it cannot be asked, in words.
    async fn purge(&self) -> Result<u64, String>;
}

/// A look at a cache.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CacheStats {
    /// What stands behind it, with its version.
    pub backend: String,
    pub entries: u64,
    /// What they take, as far as the backend says.
    pub bytes: Option<u64>,
    /// The most it may take; `None` is no limit.
    pub limit_bytes: Option<u64>,
}

/// What a cached value was computed from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(Vec<u8>);

impl Key {
    /// Returns the key of the facts of `commit` in a snapshot whose binary attributes hash to `attributes`, analysed
    /// with files up to `max_blob_bytes`.
    pub fn facts(attributes: &Digest, max_blob_bytes: u64, commit: &ObjectId) -> Self {
        Self::new(b'f', attributes, max_blob_bytes, commit)
    }

    /// Returns the key of what `merge` did to its first parent's tree.
    pub fn mainline_net(attributes: &Digest, max_blob_bytes: u64, merge: &ObjectId) -> Self {
        Self::new(b'm', attributes, max_blob_bytes, merge)
    }

    fn new(kind: u8, attributes: &Digest, max_blob_bytes: u64, commit: &ObjectId) -> Self {
        // Every field but the last has a fixed length, so no two keys run into each other.
        let mut key = vec![kind];
        key.extend_from_slice(&FACTS_VERSION.to_le_bytes());
        key.extend_from_slice(&max_blob_bytes.to_le_bytes());
        key.extend_from_slice(&attributes[..16]);
        key.extend_from_slice(commit.as_bytes());
        Self(key)
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// A cache that holds nothing: every `get` is a miss.
pub struct NoCache;

#[async_trait]
impl Cache for NoCache {
    async fn get(&self, keys: &[Key]) -> Vec<Option<Vec<u8>>> {
        vec![None; keys.len()]
    }

    async fn put(&self, _entries: Vec<(Key, Vec<u8>)>) {}

    async fn describe(&self) -> Result<String, String> {
        Ok("none".to_owned())
    }

    async fn stats(&self) -> Result<CacheStats, String> {
        Ok(CacheStats { backend: "none".to_owned(), ..CacheStats::default() })
    }

    async fn purge(&self) -> Result<u64, String> {
        Ok(0)
    }
}
