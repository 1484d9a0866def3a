//! Which adapters stand behind the ports: the only file that names them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use gitfleet_coordinator::access::{Lending, Loan};
use gitfleet_coordinator::github::{Config as GitHubConfig, Lister};
use gitfleet_coordinator::meters::Meters;
use gitfleet_coordinator::store::access::Access;
use gitfleet_coordinator::store::backup::{Restored, Saved};
use gitfleet_coordinator::store::erasures::{Erasures, KeyFit};
use gitfleet_coordinator::store::ledger::{Ledger, Unheard};
use gitfleet_coordinator::store::listings::Listings;
use gitfleet_coordinator::store::migrations::{Fit, check};
use gitfleet_coordinator::store::postgres::{Options, Postgres, Unusable};
use gitfleet_coordinator::store::sqlite::Sqlite;
use gitfleet_shared::cache::embedded::Embedded as EmbeddedCache;
use gitfleet_shared::cache::redis::{Config as RedisConfig, Redis};
use gitfleet_shared::cache::sealed::Sealed;
use gitfleet_shared::cache::{Cache, NoCache};
use gitfleet_shared::people::erasure::{Key, LEAST_SECRET_BYTES};
use gitfleet_shared::queue::Queue;
use gitfleet_shared::queue::in_process::InProcess;
use gitfleet_shared::queue::rabbitmq::{Config as RabbitMqConfig, ConnectError, RabbitMq};
use gitfleet_shared::secret::{Secret, SecretError};
use gitfleet_worker::credentials::{Credential, Credentials};
use gitfleet_worker::gate::Gate;
use secrecy::{ExposeSecret as _, SecretString};

use crate::config::{self, Asker};
use crate::exit::{Exit, Refusal};

/// Outcomes that may wait. Each holds the facts of a slice, so this bounds memory.
const QUEUE_CAPACITY: usize = 32;

/// The store's file in the data directory.
pub(crate) const STORE: &str = "store.sqlite3";
/// The cache's.
const CACHE: &str = "cache.redb";

/// Everything in one process: queue in memory, cache and store in local files.
pub(crate) struct Embedded {
    pub(crate) queue: Arc<dyn Queue>,
    pub(crate) cache: Arc<dyn Cache>,
    pub(crate) store: Arc<dyn Ledger>,
    pub(crate) access: Arc<dyn Access>,
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
        create(path).with_context(context)?;
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

    /// Opens the first directory `worker-N` below `path` that no other worker has: several may share a machine.
    pub(crate) fn open_free(path: &Path) -> anyhow::Result<Self> {
        const MOST: usize = 256;
        for number in 1..=MOST {
            match Self::open(&path.join(format!("worker-{number}"))) {
                Err(error)
                    if error
                        .downcast_ref::<Refusal>()
                        .is_some_and(|refusal| refusal.exit == Exit::Conflict) => {}
                opened => return opened,
            }
        }
        Err(Refusal::new(Exit::Conflict, format!("{MOST} workers use {} already", path.display()))
            .hint("give this one a --data-dir of its own")
            .into())
    }

    /// Where mirrors of remote repositories are.
    pub(crate) fn mirrors(&self) -> PathBuf {
        self.path.join("mirrors")
    }
}

/// Creates a directory where it is missing, readable for its owner only.
fn create(path: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// What becomes of batches that a process left running which had the store before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unfinished {
    /// Nobody waits for them any more.
    Abandon,
    /// They go on.
    Resume,
}

/// Whether what is found out is kept for the next run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    Everything,
    /// Nothing but mirrors, and nothing kept earlier is read.
    Nothing,
}

impl Embedded {
    pub(crate) async fn open(
        path: &Path,
        keep: Keep,
        unfinished: Unfinished,
        cache_keys: Option<&Path>,
        erasure_key: Option<&SecretString>,
    ) -> anyhow::Result<Self> {
        let data_dir = DataDir::open(path)?;
        let in_process = InProcess::new(QUEUE_CAPACITY);
        let (file_cache, store_dir, passing) = match keep {
            Keep::Everything => {
                let cache = Arc::new(EmbeddedCache::open(&path.join(CACHE))?);
                (Some(cache), path.to_owned(), None)
            }
            Keep::Nothing => {
                let passing = tempfile::Builder::new().prefix(PASSING).tempdir_in(path);
                let passing = passing.context("cannot create a temporary directory")?;
                (None, passing.path().to_owned(), Some(passing))
            }
        };
        let sqlite = match (keep, unfinished) {
            (Keep::Nothing, _) => open_passing(&store_dir, path, erasure_key).await?,
            (Keep::Everything, Unfinished::Abandon) => open_store(&store_dir, erasure_key).await?,
            // What goes on may be asked to erase somebody.
            (Keep::Everything, Unfinished::Resume) => open_for_erasing(&store_dir, erasure_key).await?,
        };
        let sqlite = Arc::new(sqlite);
        // Nobody else can be at them: the directory is ours.
        match unfinished {
            Unfinished::Abandon => sqlite.abandon_unfinished().await?,
            // What was on the queue went with the process that held it.
            Unfinished::Resume => {
                sqlite.ring_all(i64::MAX, Unheard::Ring).await?;
            }
        }
        Ok(Self {
            queue: Arc::new(in_process.clone()),
            cache: match &file_cache {
                Some(cache) => sealed(cache.clone(), cache_keys, "")?,
                None => Arc::new(NoCache),
            },
            store: sqlite.clone(),
            access: sqlite.clone(),
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
            if entry.file_type()?.is_dir() {
                std::fs::remove_dir_all(entry.path())?;
            } else {
                std::fs::remove_file(entry.path())?;
            }
        }
    }
    Ok(())
}

/// Opens the store alone, beside whoever else has it open. `secret` is by what those are known who were erased; where there
/// is none, it is in a file beside the store.
pub(crate) async fn open_store(directory: &Path, secret: Option<&SecretString>) -> anyhow::Result<Sqlite> {
    let key = match erasure_key(secret)? {
        None => read_erasure_key(&directory.join(ERASURE_KEY))?,
        key => key,
    };
    let store = open_file(directory).await?.erasing(key);
    check_erasure_key(&store, &format!("or restore {}", directory.join(ERASURE_KEY).display())).await?;
    Ok(store)
}

/// As [`open_store`], with a key by which to know whoever will be erased: one is made where there is none.
async fn open_for_erasing(directory: &Path, secret: Option<&SecretString>) -> anyhow::Result<Sqlite> {
    // Of a store that has a key already, another one would know nobody: that is refused here.
    let store = open_store(directory, secret).await?;
    if store.erasure_key().is_some() {
        return Ok(store);
    }
    store.close().await;
    make_erasure_key(directory)?;
    open_store(directory, secret).await
}

/// Opens a store that is gone soon, and which knows who was erased from the one in `kept`.
async fn open_passing(
    directory: &Path,
    kept: &Path,
    secret: Option<&SecretString>,
) -> anyhow::Result<Sqlite> {
    let passing = open_file(directory).await?;
    let has_key = secret.is_some() || kept.join(ERASURE_KEY).exists();
    if !has_key || !kept.join(STORE).exists() {
        return Ok(passing);
    }
    let known = open_store(kept, secret).await?;
    let passing = passing.erasing(known.erasure_key());
    let list = known.erased().await?.told();
    known.close().await;
    if let Some(list) = list {
        passing.adopt_erased(&list).await?;
    }
    Ok(passing)
}

async fn open_file(directory: &Path) -> anyhow::Result<Sqlite> {
    let file = directory.join(STORE);
    Sqlite::open(&file).await.with_context(|| {
        format!(
            "cannot open the store {}; if the file is damaged, move it away: it can be made again",
            file.display()
        )
    })
}

/// The file beside a local store that holds the secret by which those are known who were erased.
const ERASURE_KEY: &str = "erasure.key";

/// Returns the key that the configuration names.
pub(crate) fn erasure_key(secret: Option<&SecretString>) -> anyhow::Result<Option<Key>> {
    let Some(secret) = secret else { return Ok(None) };
    let short = || {
        Refusal::new(
            Exit::Configuration,
            format!("people.erasure_key has less than {LEAST_SECRET_BYTES} bytes, and could be guessed"),
        )
        .hint("`openssl rand -hex 32` makes one; once somebody was erased, it must stay what it was")
    };
    Ok(Some(Key::new(secret.expose_secret().trim().as_bytes()).ok_or_else(short)?))
}

fn read_erasure_key(file: &Path) -> anyhow::Result<Option<Key>> {
    match std::fs::read_to_string(file) {
        Ok(secret) => erasure_key(Some(&SecretString::from(secret)))
            .with_context(|| format!("{} holds no key", file.display())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", file.display())),
    }
}

/// Makes the file of the key where it is missing; never another one in its place.
fn make_erasure_key(directory: &Path) -> anyhow::Result<()> {
    use std::io::Write as _;

    let file = directory.join(ERASURE_KEY);
    if file.exists() {
        return Ok(());
    }
    let secret = [uuid::Uuid::new_v4(), uuid::Uuid::new_v4(), uuid::Uuid::new_v4()];
    let secret: String = secret.iter().map(|part| part.simple().to_string()).collect();
    // A key that is half there would be another one: it is whole before it has its name.
    let passing = directory.join(format!("{PASSING}{ERASURE_KEY}"));
    let _ = std::fs::remove_file(&passing);
    let mut into = private(&passing)?;
    into.write_all(format!("{secret}\n").as_bytes())?;
    into.sync_all()?;
    std::fs::rename(&passing, &file).with_context(|| format!("cannot create {}", file.display()))
}

/// Refuses a key by which nobody is known who was erased.
async fn check_erasure_key(store: &dyn Erasures, or: &str) -> anyhow::Result<()> {
    let wrong = match store.erasure_key_fits().await? {
        KeyFit::Fits => return Ok(()),
        KeyFit::Missing => "people were erased from the store, and there is no key to know them by",
        KeyFit::Wrong => "people were erased from the store, and the key is not the one they are known by",
    };
    Err(Refusal::new(Exit::Configuration, wrong)
        .hint(format!("give the key with people.erasure_key (GITFLEET_ERASURE_KEY_FILE), {or}"))
        .into())
}

/// The local store for erasing somebody: alone, with a key, and with the cache that is beside it.
pub(crate) struct Erasing {
    pub(crate) store: Sqlite,
    cache: PathBuf,
    _data_dir: DataDir,
}

impl Erasing {
    pub(crate) async fn open(path: &Path, secret: Option<&SecretString>) -> anyhow::Result<Self> {
        let data_dir = DataDir::open(path)?;
        let store = open_for_erasing(path, secret).await?;
        Ok(Self { store, cache: path.join(CACHE), _data_dir: data_dir })
    }

    /// Deletes the cache's file: what was purged from it would still be in pages of it that are free.
    pub(crate) fn purge_cache(&self) -> Result<u64, String> {
        match std::fs::remove_file(&self.cache) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.to_string()),
            Ok(()) | Err(_) => Ok(0),
        }
    }
}

/// What is known of listings in the local store, beside whoever else has it open.
pub(crate) struct Known {
    pub(crate) listings: Arc<dyn Listings>,
    sqlite: Arc<Sqlite>,
    _passing: Option<tempfile::TempDir>,
}

impl Known {
    /// Opens the store in `directory`, or one that is gone with this.
    pub(crate) async fn open(directory: Option<PathBuf>) -> anyhow::Result<Self> {
        let (directory, passing) = match directory {
            Some(directory) => (directory, None),
            None => {
                let passing = tempfile::Builder::new().prefix("gitfleet-").tempdir();
                let passing = passing.context("cannot create a temporary directory")?;
                (passing.path().to_owned(), Some(passing))
            }
        };
        create(&directory)
            .with_context(|| format!("cannot use the data directory {}", directory.display()))?;
        let sqlite = Arc::new(open_file(&directory).await?);
        Ok(Self { listings: sqlite.clone(), sqlite, _passing: passing })
    }

    pub(crate) async fn close(self) {
        self.sqlite.close().await;
    }
}

/// Returns whoever lists what a configuration asks for.
pub(crate) fn lister(
    settings: &config::Settings,
    listings: Arc<dyn Listings>,
    asker: Asker,
    meters: Meters,
    now: fn() -> i64,
) -> anyhow::Result<Lister> {
    let config::GitHub { api_url, cloned_from, tokens, .. } = &settings.github;
    let config = GitHubConfig {
        api_url: api_url.clone(),
        host: cloned_from.clone(),
        tokens: tokens.iter().map(secret).collect::<Result<_, _>>()?,
        roots: roots(&settings.fleet)?.map(String::into_bytes),
        sources: settings.sources.policy(asker),
        meters,
        now,
    };
    Lister::new(config, listings).map_err(|error| {
        Refusal::new(Exit::Configuration, error.to_string())
            .hint("check github.api_url, github.token and fleet.ca_file")
            .into()
    })
}

/// The servers of a fleet, behind the same ports.
pub(crate) struct Servers {
    pub(crate) queue: Arc<dyn Queue>,
    pub(crate) cache: Arc<dyn Cache>,
    rabbitmq: RabbitMq,
}

impl Servers {
    /// Reaches broker and cache, or begins to. A broker that is away is waited for; one that has something of ours that
    /// is not as it is needed is not.
    pub(crate) async fn reach(fleet: &config::Fleet, name: &str) -> anyhow::Result<Self> {
        let rabbitmq = reach_broker(broker_config(fleet, name)?).await?;
        let cache: Arc<dyn Cache> = match cache_config(fleet)? {
            Some(config) => Arc::new(Redis::connect(config).map_err(|error| {
                Refusal::new(Exit::Configuration, error.to_string())
                    .hint("write fleet.cache_url (GITFLEET_CACHE_URL) as redis://user:password@host:port/0")
            })?),
            None => Arc::new(NoCache),
        };
        let cache = sealed(cache, fleet.cache_keys_file.as_deref(), &fleet.prefix)?;
        Ok(Self { queue: Arc::new(rabbitmq.clone()), cache, rabbitmq })
    }

    /// Lets everybody who waits at the queue know that nothing more will come, and the broker what was said to it last.
    pub(crate) async fn close(&self) {
        self.rabbitmq.hang_up().await;
    }
}

/// What to do about a broker that anybody can log in to.
pub(crate) const DEFAULT_LOGIN_HINT: &str =
    "make a user of its own (rabbitmqctl add_user, set_permissions), and write it into fleet.broker_url";

async fn reach_broker(config: RabbitMqConfig) -> anyhow::Result<RabbitMq> {
    let refusal = |error: &ConnectError| {
        let hint = match error {
            ConnectError::DefaultLogin { .. } => DEFAULT_LOGIN_HINT,
            _ => "`gitfleet doctor` checks the broker; nothing at it was changed",
        };
        Refusal::new(Exit::Configuration, error.to_string()).hint(hint)
    };
    match RabbitMq::connect(config.clone()).await {
        Ok(queue) => Ok(queue),
        Err(
            error @ (ConnectError::Address { .. }
            | ConnectError::DefaultLogin { .. }
            | ConnectError::Refused { .. }
            | ConnectError::Topology { .. }),
        ) => Err(refusal(&error).into()),
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "the broker is away; it is waited for");
            Ok(RabbitMq::connect_lazily(config).map_err(|error| refusal(&error))?)
        }
    }
}

pub(crate) fn broker_config(fleet: &config::Fleet, name: &str) -> anyhow::Result<RabbitMqConfig> {
    let url = fleet.broker_url.as_ref().ok_or_else(|| missing("broker_url", "GITFLEET_BROKER_URL"))?;
    let connection_name = name.to_owned();
    Ok(RabbitMqConfig {
        prefix: fleet.prefix.clone(),
        connection_name,
        roots: roots(fleet)?,
        ..RabbitMqConfig::new(secret(url)?)
    })
}

/// Encrypts what is put into `cache`, where there are keys for it.
fn sealed(cache: Arc<dyn Cache>, keys: Option<&Path>, context: &str) -> anyhow::Result<Arc<dyn Cache>> {
    let Some(file) = keys else { return Ok(cache) };
    let sealed = Sealed::new(cache, file, context).map_err(|error| {
        Refusal::new(Exit::Configuration, error.to_string())
            .hint("`gitfleet keys generate FILE` makes one; cache.encryption_keys_file names it")
    })?;
    Ok(Arc::new(sealed))
}

pub(crate) fn cache_config(fleet: &config::Fleet) -> anyhow::Result<Option<RedisConfig>> {
    let Some(url) = &fleet.cache_url else { return Ok(None) };
    let (prefix, ttl) = (fleet.prefix.clone(), Some(fleet.cache_ttl));
    Ok(Some(RedisConfig { prefix, ttl, roots: roots(fleet)?, ..RedisConfig::new(secret(url)?) }))
}

fn roots(fleet: &config::Fleet) -> anyhow::Result<Option<String>> {
    let Some(file) = &fleet.ca_file else { return Ok(None) };
    let pem = std::fs::read_to_string(file);
    Ok(Some(pem.with_context(|| format!("cannot read the certificates in {}", file.display()))?))
}

fn missing(key: &str, variable: &str) -> Refusal {
    Refusal::new(Exit::Configuration, format!("fleet.{key} is not set"))
        .hint(format!("set it in gitfleet.yaml, or {variable}, or {variable}_FILE to a file that holds it"))
}

/// Connects to the fleet's store, whatever its schema is.
pub(crate) async fn connect_store(fleet: &config::Fleet) -> anyhow::Result<Postgres> {
    let url = fleet.database_url.as_ref().ok_or_else(|| missing("database_url", "GITFLEET_DATABASE_URL"))?;
    let options = Options { schema: fleet.database_schema.clone(), connections: 16, ..Options::default() };
    let connected = Postgres::connect(secret(url)?, options).await;
    connected.map_err(|error| match Unusable::of(&error) {
        Some(unusable) => {
            Refusal::new(Exit::Configuration, unusable.to_string()).hint(unusable.hint()).into()
        }
        None => error.into(),
    })
}

/// Connects to the fleet's store as soon as it answers, and sees to it that its schema fits.
pub(crate) async fn open_fleet_store(
    fleet: &config::Fleet,
    migrate: bool,
    secret: Option<&SecretString>,
) -> anyhow::Result<Postgres> {
    let key = erasure_key(secret)?;
    const PAUSE: std::time::Duration = std::time::Duration::from_secs(1);
    let store = loop {
        match connect_store(fleet).await {
            Ok(store) => break store.erasing(key),
            Err(error)
                if error
                    .downcast_ref::<gitfleet_coordinator::store::StoreError>()
                    .is_some_and(gitfleet_coordinator::store::StoreError::is_passing) =>
            {
                tracing::warn!(error = format!("{error:#}"), "the store is away; it is waited for");
                tokio::time::sleep(PAUSE).await;
            }
            // It says itself what is wrong.
            Err(error) if error.is::<Refusal>() => return Err(error),
            Err(error) => return Err(error.context("cannot reach the store")),
        }
    };
    if migrate {
        for step in store.migrate().await? {
            tracing::info!(step = step.version, name = step.name, "the store's schema took a step");
        }
    }
    match check(&store.schema().await?.status().await?) {
        Fit::UpToDate | Fit::Ahead => {
            check_erasure_key(&store, "as the coordinators had it before").await?;
            Ok(store)
        }
        Fit::Behind => {
            Err(Refusal::new(Exit::Configuration, "the store's schema is older than this program")
                .hint("bring it up to date with `gitfleet migrate up`, or start with --migrate")
                .into())
        }
        Fit::Differs => Err(Refusal::new(
            Exit::Configuration,
            "a step of the store's schema is not the one this program knows",
        )
        .hint("`gitfleet migrate status` says which")
        .into()),
    }
}

/// Returns the credentials of the configuration in the worker's words. Who asks for oneself needs no others than those that are
/// named: the rest may be on other machines.
pub(crate) fn credentials(settings: &config::Settings, asker: Asker) -> anyhow::Result<Credentials> {
    let named = |name: &str| {
        settings.repositories.iter().any(|repository| repository.credential.as_deref() == Some(name))
    };
    let mut found = Vec::new();
    for config::Credential { host, token } in &settings.credentials {
        found.push(Credential {
            name: None,
            host: host.clone(),
            path: String::new(),
            // What GitHub wants beside a token; others take any name.
            user: "x-access-token".to_owned(),
            secret: match &token.file {
                Some(file) => Secret::first_in_file(file).map_err(|error| unreadable(&error))?,
                None => Secret::given(token.secret.clone()),
            },
        });
    }
    for config::NamedCredential { name, host, path, user, token, token_file, .. } in
        &settings.named_credentials
    {
        if asker == Asker::Oneself && !named(name) {
            continue;
        }
        let secret = match (token, token_file) {
            (_, Some(file)) => Secret::in_file(file).map_err(|error| unreadable(&error))?,
            (Some(token), None) => Secret::given(token.clone()),
            (None, None) => {
                return Err(Refusal::new(
                    Exit::Configuration,
                    format!("the credential {name} has no secret"),
                )
                .hint("give it a token_file, or a token, where workers read their configuration")
                .into());
            }
        };
        found.push(Credential {
            name: Some(name.clone()),
            host: host.clone(),
            path: path.clone(),
            user: user.clone(),
            secret,
        });
    }
    Ok(Credentials::new(found))
}

/// Returns a secret that is read again when its file changes, where it came from one.
pub(crate) fn secret(held: &config::Held) -> anyhow::Result<Secret> {
    match &held.file {
        Some(file) => Ok(Secret::in_file(file).map_err(|error| unreadable(&error))?),
        None => Ok(Secret::given(held.secret.clone())),
    }
}

fn unreadable(error: &SecretError) -> Refusal {
    Refusal::new(Exit::Configuration, error.to_string())
        .hint("name a file that holds the secret and nothing else")
}

/// Returns what connections to sources go through.
pub(crate) fn gate(settings: &config::Settings, asker: Asker) -> anyhow::Result<Gate> {
    let mut gate = Gate::new(settings.sources.policy(asker));
    if let Some(pem) = roots(&settings.fleet)? {
        gate = gate.trusting(pem.as_bytes()).map_err(|_| {
            Refusal::new(Exit::Configuration, "the certificates of fleet.ca_file are none")
                .hint("write them as PEM")
        })?;
    }
    let proxy = settings.sources.proxy.as_ref().map(secret).transpose()?;
    // What is wrong with it is not told: its address may hold a password.
    let gate = gate.through(proxy).map_err(|_| {
        Refusal::new(Exit::Configuration, "sources.proxy is no address of a proxy")
            .hint("write it as http://host:port")
    })?;
    Ok(gate)
}

/// Returns whose batches may name which credential.
pub(crate) fn lending(settings: &config::Settings) -> Lending {
    let of = |one: &config::NamedCredential| Loan {
        name: one.name.clone(),
        teams: one.teams.clone(),
        projects: one.projects.clone(),
    };
    Lending(settings.named_credentials.iter().map(of).collect())
}

/// What a store is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

/// The store that is saved or brought back.
pub(crate) enum Chosen {
    /// In this data directory.
    Local(PathBuf),
    Fleet(Box<config::Fleet>),
}

impl Chosen {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Local(_) => Kind::Sqlite,
            Self::Fleet(_) => Kind::Postgres,
        }
    }

    /// Returns what to call it.
    pub(crate) fn told(&self) -> String {
        match self {
            Self::Local(directory) => format!("the store in {}", directory.display()),
            Self::Fleet(fleet) => format!("the fleet's store (schema {})", fleet.database_schema),
        }
    }

    /// Saves it into files in `folder`, while others may work with it.
    pub(crate) async fn save(&self, folder: &Path) -> anyhow::Result<Saved> {
        match self {
            Self::Local(directory) => {
                let file = directory.join(STORE);
                if !file.exists() {
                    return Err(Refusal::new(
                        Exit::NotFound,
                        format!("there is no store in {}", directory.display()),
                    )
                    .hint("name its directory with --data-dir, or a fleet's store with GITFLEET_DATABASE_URL")
                    .into());
                }
                // SQLite writes into an empty file, and leaves its mode as it is.
                let into = folder.join(STORE);
                private(&into)?;
                let saved = Sqlite::save(&file, &into).await?;
                std::fs::File::open(&into)?.sync_all()?;
                Ok(saved)
            }
            Self::Fleet(fleet) => {
                let store = connect_store(fleet).await?;
                let saved = match check(&store.schema().await?.status().await?) {
                    Fit::UpToDate | Fit::Behind => store.save(folder).await?,
                    // There may be tables that this program knows nothing of.
                    Fit::Ahead | Fit::Differs => {
                        return Err(Refusal::new(
                            Exit::Differs,
                            "the store's schema is not one that this program knows",
                        )
                        .hint("save it with the gitfleet that works with it")
                        .into());
                    }
                };
                store.close().await;
                Ok(saved)
            }
        }
    }

    /// Brings back what was saved into `folder`.
    pub(crate) async fn restore(
        &self,
        folder: &Path,
        saved: &Saved,
        replace: bool,
    ) -> anyhow::Result<Restored> {
        match self {
            Self::Local(directory) => {
                if saved.schema > Sqlite::newest_schema() {
                    return Ok(Restored::OtherSchema);
                }
                let directory_kept = DataDir::open(directory)?;
                let (file, copy) = (directory.join(STORE), directory.join(format!("{PASSING}{STORE}")));
                if file.exists() && !replace {
                    return Ok(Restored::NotEmpty);
                }
                let _ = std::fs::remove_file(&copy);
                let mut into = private(&copy)?;
                std::io::copy(&mut std::fs::File::open(folder.join(STORE))?, &mut into)?;
                into.sync_all()?;
                let restored = Sqlite::restore(&copy, &file, replace).await;
                for end in ["", "-wal", "-shm"] {
                    let _ = std::fs::remove_file(directory.join(format!("{PASSING}{STORE}{end}")));
                }
                drop(directory_kept);
                Ok(restored?)
            }
            Self::Fleet(fleet) => {
                let store = connect_store(fleet).await?;
                let restored = store.restore(folder, saved, replace).await?;
                store.close().await;
                Ok(restored)
            }
        }
    }
}

/// Creates a file for its owner alone.
fn private(path: &Path) -> anyhow::Result<std::fs::File> {
    let mut options = std::fs::File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).with_context(|| format!("cannot create {}", path.display()))
}
