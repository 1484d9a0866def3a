//! Which adapters stand behind the ports: the only file that names them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use gitfleet_coordinator::store::Store;
use gitfleet_coordinator::store::sqlite::Sqlite;
use gitfleet_shared::cache::embedded::Embedded as EmbeddedCache;
use gitfleet_shared::cache::{Cache, NoCache};
use gitfleet_shared::queue::Queue;
use gitfleet_shared::queue::in_process::InProcess;
use gitfleet_worker::credentials::{Credential, Credentials};
use secrecy::ExposeSecret as _;

use crate::config;
use crate::exit::{Exit, Refusal};

/// Outcomes that may wait. Each holds the facts of a slice, so this bounds memory.
const QUEUE_CAPACITY: usize = 32;

/// The store's file in the data directory.
pub(crate) const STORE: &str = "store.sqlite3";

/// Everything in one process: queue in memory, cache and store in local files.
pub(crate) struct Embedded {
    pub(crate) queue: Arc<dyn Queue>,
    pub(crate) cache: Arc<dyn Cache>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) mirrors: PathBuf,
    in_process: InProcess,
    file_cache: Option<Arc<EmbeddedCache>>,
    sqlite: Arc<Sqlite>,
    /// Where the store is when nothing is to be kept; gone with this.
    _passing: Option<tempfile::TempDir>,
    _data_dir: DataDir,
}

/// The data directory, for this process alone as long as this lives.
pub(crate) struct DataDir {
    path: PathBuf,
    _lock: std::fs::File,
}

impl DataDir {
    /// Creates the directory where it is missing, readable for its owner only: names and e-mails are in it.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let context = || format!("cannot use the data directory {}", path.display());
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(path).with_context(context)?;
        // The system lets go of the lock when the process ends, however it ends.
        let lock = std::fs::File::create(path.join("lock")).with_context(context)?;
        match lock.try_lock() {
            Ok(()) => {
                forget_passing(path).with_context(context)?;
                Ok(Self { path: path.to_owned(), _lock: lock })
            }
            Err(std::fs::TryLockError::WouldBlock) => {
                Err(Refusal::new(Exit::Conflict, format!("another gitfleet is using {}", path.display()))
                    .hint("wait for it to end, or give this one a --data-dir of its own")
                    .into())
            }
            Err(std::fs::TryLockError::Error(error)) => Err(error).with_context(context),
        }
    }

    /// Where mirrors of remote repositories are.
    pub(crate) fn mirrors(&self) -> PathBuf {
        self.path.join("mirrors")
    }
}

/// Whether what is found out is kept for the next run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    Everything,
    /// Nothing but mirrors, and nothing kept earlier is read.
    Nothing,
}

impl Embedded {
    pub(crate) async fn open(path: &Path, keep: Keep) -> anyhow::Result<Self> {
        let data_dir = DataDir::open(path)?;
        let in_process = InProcess::new(QUEUE_CAPACITY);
        let (file_cache, store_dir, passing) = match keep {
            Keep::Everything => {
                let cache = Arc::new(EmbeddedCache::open(&path.join("cache.redb"))?);
                (Some(cache), path.to_owned(), None)
            }
            Keep::Nothing => {
                let passing = tempfile::Builder::new().prefix(PASSING).tempdir_in(path);
                let passing = passing.context("cannot create a temporary directory")?;
                (None, passing.path().to_owned(), Some(passing))
            }
        };
        let sqlite = Arc::new(open_store(&store_dir).await?);
        // Nobody else can be at them: the directory is ours.
        sqlite.abandon_unfinished().await?;
        Ok(Self {
            queue: Arc::new(in_process.clone()),
            cache: match &file_cache {
                Some(cache) => cache.clone(),
                None => Arc::new(NoCache),
            },
            store: sqlite.clone(),
            mirrors: data_dir.mirrors(),
            in_process,
            file_cache,
            sqlite,
            _passing: passing,
            _data_dir: data_dir,
        })
    }

    /// Lets workers know that nothing more will come.
    pub(crate) fn close_queue(&self) {
        self.in_process.close();
    }

    /// Returns a handle that can do the same from another task.
    pub(crate) fn queue_closer(&self) -> InProcess {
        self.in_process.clone()
    }

    /// Writes down what is still in memory.
    pub(crate) async fn close(self) {
        if let Some(cache) = self.file_cache {
            // Files are written here; the runtime has nothing else left to do.
            cache.flush();
        }
        self.sqlite.close().await;
    }
}

/// How directories begin that are to be gone when the process ends.
const PASSING: &str = "passing-";

/// Removes what killed processes left.
fn forget_passing(directory: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(PASSING) {
            std::fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

/// Opens the store alone, beside whoever else has it open.
pub(crate) async fn open_store(directory: &Path) -> anyhow::Result<Sqlite> {
    let file = directory.join(STORE);
    Sqlite::open(&file).await.with_context(|| {
        format!(
            "cannot open the store {}; if the file is damaged, move it away: it can be made again",
            file.display()
        )
    })
}

/// Returns the credentials of the configuration in the worker's words.
pub(crate) fn credentials(settings: &config::Settings) -> Credentials {
    let of = |credential: &config::Credential| Credential {
        host: credential.host.clone(),
        // What GitHub wants beside a token; others take any name.
        user: "x-access-token".to_owned(),
        secret: credential.token.expose_secret().to_owned(),
    };
    Credentials::new(settings.credentials.iter().map(of).collect())
}
