//! The cache in a local file, for one process at a time.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use redb::{Database, Durability, ReadableDatabase, ReadableTableMetadata, TableDefinition};

use super::{Cache, CacheStats, Key};

const VALUES: TableDefinition<&[u8], &[u8]> = TableDefinition::new("values");

/// The file is in use by another process, or can be neither opened nor replaced.
#[derive(Debug, thiserror::Error)]
#[error("cannot open the cache file")]
pub struct OpenError(#[source] Box<redb::DatabaseError>);

/// Cheap to write to: what is put waits in memory until it is worth a transaction, because the file is a tree by key,
/// keys are as good as random, and every transaction writes anew each page it touches.
pub struct Embedded {
    shared: Arc<Shared>,
}

struct Shared {
    database: Database,
    // Held for a look or a push, and never across an await.
    waiting: Mutex<Waiting>,
}

/// What was put and is not in the file yet.
#[derive(Default)]
struct Waiting {
    entries: HashMap<Key, Vec<u8>>,
    bytes: usize,
    /// Whether anything was put since the last flush.
    unsaved: bool,
}

/// So much may wait: it bounds memory, and what a killed process loses.
const WAITING_BYTES: usize = 16 << 20;

impl Embedded {
    /// Opens or creates the cache in `file`. A file that is not a cache, or is damaged beyond repair, is started
    /// afresh: it held nothing that cannot be computed again.
    ///
    /// # Errors
    ///
    /// Where the file is in use, or can be neither opened nor replaced.
    pub fn open(file: &Path) -> Result<Self, OpenError> {
        // Pages that are read again soon are the upper ones of the tree, and they are few.
        const MEMORY_BYTES: usize = 16 << 20;
        let open = || Database::builder().set_cache_size(MEMORY_BYTES).create(file);
        let database = match open() {
            Err(error @ redb::DatabaseError::DatabaseAlreadyOpen) => return Err(OpenError(Box::new(error))),
            Err(error) => {
                tracing::warn!(%error, "cache file is unusable, starting afresh");
                std::fs::remove_file(file)
                    .map_err(|_| OpenError(Box::new(error)))
                    .and_then(|()| open().map_err(|error| OpenError(Box::new(error))))?
            }
            Ok(database) => database,
        };
        Ok(Self { shared: Arc::new(Shared { database, waiting: Mutex::default() }) })
    }

    /// Makes everything put so far outlive the process.
    pub fn flush(&self) {
        let entries = {
            let mut waiting = self.shared.waiting();
            if !std::mem::take(&mut waiting.unsaved) {
                return;
            }
            waiting.take()
        };
        if let Err(error) = write(&self.shared.database, entries, Durability::Immediate) {
            tracing::warn!(%error, "the cache could not be written to disk");
        }
    }
}

impl Shared {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // A panic while the lock is held leaves an entry more or less: a miss at worst.
        self.waiting.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Waiting {
    fn take(&mut self) -> HashMap<Key, Vec<u8>> {
        self.bytes = 0;
        std::mem::take(&mut self.entries)
    }
}

#[async_trait]
impl Cache for Embedded {
    async fn get(&self, keys: &[Key]) -> Vec<Option<Vec<u8>>> {
        let (shared, wanted) = (self.shared.clone(), keys.to_vec());
        let found = tokio::task::spawn_blocking(move || read(&shared, &wanted)).await;
        match found {
            Ok(Ok(values)) => values,
            Ok(Err(error)) => {
                tracing::debug!(%error, "cache read failed");
                vec![None; keys.len()]
            }
            // The read panicked on a damaged file, or the runtime is going down: a miss either way.
            Err(_) => vec![None; keys.len()],
        }
    }

    async fn put(&self, entries: Vec<(Key, Vec<u8>)>) {
        let due = {
            let mut waiting = self.shared.waiting();
            waiting.bytes +=
                entries.iter().map(|(key, value)| key.as_bytes().len() + value.len()).sum::<usize>();
            waiting.unsaved |= !entries.is_empty();
            waiting.entries.extend(entries);
            if waiting.bytes < WAITING_BYTES {
                return;
            }
            waiting.take()
        };
        let shared = self.shared.clone();
        let written =
            tokio::task::spawn_blocking(move || write(&shared.database, due, Durability::None)).await;
        if let Ok(Err(error)) = written {
            tracing::debug!(%error, "cache write failed");
        }
    }

    async fn describe(&self) -> Result<String, String> {
        Ok(BACKEND.to_owned())
    }

    async fn stats(&self) -> Result<CacheStats, String> {
        let shared = self.shared.clone();
        let asked = tokio::task::spawn_blocking(move || stats(&shared)).await;
        asked.map_err(|error| error.to_string())?.map_err(|error| error.to_string())
    }

    async fn purge(&self) -> Result<u64, String> {
        let shared = self.shared.clone();
        let asked = tokio::task::spawn_blocking(move || purge(&shared)).await;
        asked.map_err(|error| error.to_string())?.map_err(|error| error.to_string())
    }
}

/// What stands behind the port here.
const BACKEND: &str = "file (redb)";

fn stats(shared: &Shared) -> Result<CacheStats, redb::Error> {
    let waiting = shared.waiting().entries.len() as u64;
    let transaction = shared.database.begin_read()?;
    let (entries, bytes) = match transaction.open_table(VALUES) {
        Err(redb::TableError::TableDoesNotExist(_)) => (0, 0),
        opened => {
            let table = opened?;
            (table.len()?, table.stats()?.stored_bytes())
        }
    };
    // Those that wait may stand in the file, too: a few are counted twice then.
    let backend = BACKEND.to_owned();
    Ok(CacheStats { backend, entries: entries + waiting, bytes: Some(bytes), limit_bytes: None })
}

fn purge(shared: &Shared) -> Result<u64, redb::Error> {
    let waiting = shared.waiting().take().len() as u64;
    let transaction = shared.database.begin_write()?;
    let entries = match transaction.open_table(VALUES) {
        Err(redb::TableError::TableDoesNotExist(_)) => 0,
        opened => opened?.len()?,
    };
    transaction.delete_table(VALUES)?;
    transaction.commit()?;
    Ok(entries + waiting)
}

fn read(shared: &Shared, keys: &[Key]) -> Result<Vec<Option<Vec<u8>>>, redb::Error> {
    let mut values: Vec<Option<Vec<u8>>> = {
        let waiting = shared.waiting();
        keys.iter().map(|key| waiting.entries.get(key).cloned()).collect()
    };
    let transaction = shared.database.begin_read()?;
    let table = match transaction.open_table(VALUES) {
        Err(redb::TableError::TableDoesNotExist(_)) => return Ok(values),
        opened => opened?,
    };
    for (key, value) in keys.iter().zip(&mut values) {
        if value.is_none() {
            *value = table.get(key.as_bytes())?.map(|value| value.value().to_vec());
        }
    }
    Ok(values)
}

fn write(
    database: &Database,
    entries: HashMap<Key, Vec<u8>>,
    durability: Durability,
) -> Result<(), redb::Error> {
    // In the order of the keys, so that neighbours meet on a page that was just written.
    let mut entries: Vec<(Key, Vec<u8>)> = entries.into_iter().collect();
    entries.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    let mut transaction = database.begin_write()?;
    // Losing the last writes at a crash costs time only, and an fsync per block of commits costs more of it.
    transaction.set_durability(durability)?;
    {
        let mut table = transaction.open_table(VALUES)?;
        for (key, value) in entries {
            table.insert(key.as_bytes(), value.as_slice())?;
        }
    }
    transaction.commit()?;
    Ok(())
}
