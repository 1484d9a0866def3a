//! The cache in a local file, for one process at a time.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use redb::{Database, Durability, ReadableDatabase, TableDefinition};

use super::{Cache, Key};

const VALUES: TableDefinition<&[u8], &[u8]> = TableDefinition::new("values");

/// The file is in use by another process, or can be neither opened nor replaced.
#[derive(Debug, thiserror::Error)]
#[error("cannot open the cache file")]
pub struct OpenError(#[source] Box<redb::DatabaseError>);

pub struct Embedded {
    database: Arc<Database>,
}

impl Embedded {
    /// Opens or creates the cache in `file`. A file that is not a cache, or is damaged beyond repair, is started
    /// afresh: it held nothing that cannot be computed again.
    ///
    /// # Errors
    ///
    /// Where the file is in use, or can be neither opened nor replaced.
    pub fn open(file: &Path) -> Result<Self, OpenError> {
        // The cache of one repository of 100,000 commits is some 100 MB; the part that is hot is much smaller.
        const MEMORY_BYTES: usize = 64 << 20;
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
        Ok(Self { database: Arc::new(database) })
    }

    /// Makes everything put so far outlive the process.
    pub fn flush(&self) {
        let flushed = self.database.begin_write().map_err(redb::Error::from).and_then(|mut transaction| {
            transaction.set_durability(Durability::Immediate).map_err(redb::Error::from)?;
            transaction.commit().map_err(redb::Error::from)
        });
        if let Err(error) = flushed {
            tracing::warn!(%error, "the cache could not be written to disk");
        }
    }
}

#[async_trait]
impl Cache for Embedded {
    async fn get(&self, keys: &[Key]) -> Vec<Option<Vec<u8>>> {
        let (database, wanted) = (self.database.clone(), keys.to_vec());
        let found = tokio::task::spawn_blocking(move || read(&database, &wanted)).await;
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
        if entries.is_empty() {
            return;
        }
        let database = self.database.clone();
        let written = tokio::task::spawn_blocking(move || write(&database, &entries)).await;
        if let Ok(Err(error)) = written {
            tracing::debug!(%error, "cache write failed");
        }
    }
}

fn read(database: &Database, keys: &[Key]) -> Result<Vec<Option<Vec<u8>>>, redb::Error> {
    let transaction = database.begin_read()?;
    let table = match transaction.open_table(VALUES) {
        Err(redb::TableError::TableDoesNotExist(_)) => return Ok(vec![None; keys.len()]),
        opened => opened?,
    };
    let mut values = Vec::with_capacity(keys.len());
    for key in keys {
        values.push(table.get(key.as_bytes())?.map(|value| value.value().to_vec()));
    }
    Ok(values)
}

fn write(database: &Database, entries: &[(Key, Vec<u8>)]) -> Result<(), redb::Error> {
    let mut transaction = database.begin_write()?;
    // Losing the last writes at a crash costs time only, and an fsync per block of commits costs more of it.
    transaction.set_durability(Durability::None)?;
    {
        let mut table = transaction.open_table(VALUES)?;
        for (key, value) in entries {
            table.insert(key.as_bytes(), value.as_slice())?;
        }
    }
    transaction.commit()?;
    Ok(())
}
