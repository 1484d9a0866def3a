//! The cache over Redis, for a fleet: shared by all workers, and never needed.
//!
//! Whoever asks is answered within a deadline, with misses where Redis is away, frozen, full or refuses. After a few
//! such answers in a row nobody asks for a while ([`breaker`]), so that a cache that is down costs next to nothing.

mod breaker;
mod counters;

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, ConnectionAddr, RedisError, TlsCertificates};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use self::breaker::Breaker;
pub use self::counters::Counters;
use self::counters::Tally;
use super::{Cache, CacheStats, Key};
use crate::secret::Secret;

#[derive(Debug, Clone)]
pub struct Config {
    /// `redis://user:password@host:port/database`, or `rediss://` for an encrypted connection.
    pub url: Secret,
    /// What all keys begin with; a purge touches no others.
    pub prefix: String,
    /// How long a round trip for reading may take, a new connection included.
    pub read_deadline: Duration,
    /// How long a round trip for writing may take, a new connection included.
    pub write_deadline: Duration,
    /// How long a value is kept after it was written, in whole seconds; `None` leaves that to Redis.
    pub ttl: Option<Duration>,
    /// So many failures in a row, and nobody asks for a while.
    pub failures: u32,
    /// How long that while is.
    pub pause: Duration,
    /// Roots to trust instead of those of the system, as PEM.
    pub roots: Option<String>,
}

impl Config {
    pub fn new(url: impl Into<Secret>) -> Self {
        Self {
            url: url.into(),
            prefix: "gitfleet".to_owned(),
            read_deadline: Duration::from_millis(100),
            write_deadline: Duration::from_millis(200),
            ttl: None,
            failures: 5,
            pause: Duration::from_secs(10),
            roots: None,
        }
    }
}

/// What was given is no address of a Redis. The address itself is not told: it may hold a password.
#[derive(Debug, thiserror::Error)]
#[error("the address of Redis is not redis://user:password@host:port/database: {reason}")]
pub struct AddressError {
    reason: String,
}

/// Cheap to clone; all clones are the same cache.
#[derive(Clone)]
pub struct Redis {
    shared: Arc<Shared>,
}

struct Shared {
    /// The address when it was last looked at, and who connects to the last one that was an address.
    last: Mutex<(String, Client)>,
    config: Config,
    /// The connection everybody shares, while it stands.
    connection: watch::Sender<Option<MultiplexedConnection>>,
    connecting: AtomicBool,
    breaker: Breaker,
    tally: Tally,
}

/// Keys or entries of one round trip.
const AT_ONCE: usize = 512;
/// What is put in one round trip, in bytes, unless one value is larger.
const BYTES_AT_ONCE: usize = 4 << 20;
/// How long opening a connection may go on in the background.
const CONNECT_DEADLINE: Duration = Duration::from_secs(2);
/// How long a round trip may take that an operator waits for.
const OPERATOR_DEADLINE: Duration = Duration::from_secs(5);

/// Why there was no answer.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error("it does not answer in time")]
    Late,
    #[error("there is no connection")]
    Away,
    #[error(transparent)]
    Said(#[from] RedisError),
}

impl Redis {
    /// Makes the cache. It connects when it is asked first, and again whenever the connection is lost.
    ///
    /// # Errors
    ///
    /// Where the address or the roots cannot be read.
    pub fn connect(config: Config) -> Result<Self, AddressError> {
        let url = config.url.now();
        let last = Mutex::new((url.clone(), client(&url, config.roots.as_deref())?));
        let breaker = Breaker::new(config.failures, config.pause);
        let connection = watch::Sender::new(None);
        let (connecting, tally) = (AtomicBool::new(false), Tally::default());
        Ok(Self { shared: Arc::new(Shared { last, config, connection, connecting, breaker, tally }) })
    }

    /// Returns what has happened so far.
    pub fn counters(&self) -> Counters {
        self.shared.tally.read()
    }

    /// Whether nobody asks at the moment, because too much went wrong in a row.
    pub fn is_resting(&self) -> bool {
        self.shared.breaker.is_open(Instant::now())
    }
}

fn client(url: &str, roots: Option<&str>) -> Result<Client, AddressError> {
    // Its errors name what is wrong in words of their own, without the address.
    let reason = |error: RedisError| AddressError { reason: error.to_string() };
    let client = Client::open(url).map_err(reason)?;
    match roots {
        Some(roots) if matches!(client.get_connection_info().addr(), ConnectionAddr::TcpTls { .. }) => {
            let roots = TlsCertificates { client_tls: None, root_cert: Some(roots.as_bytes().to_vec()) };
            Client::build_with_tls(url, roots).map_err(reason)
        }
        _ => Ok(client),
    }
}

impl Shared {
    /// Returns who connects to the address as it is now. Where that is none, the last one stays.
    fn client(&self) -> Client {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.config.url.now();
        if now != last.0 {
            match client(&now, self.config.roots.as_deref()) {
                Ok(client) => last.1 = client,
                Err(error) => tracing::warn!(%error, "the last address of Redis stays in use"),
            }
            last.0 = now;
        }
        last.1.clone()
    }

    fn key(&self, key: &Key) -> Vec<u8> {
        [self.config.prefix.as_bytes(), b":", key.as_bytes()].concat()
    }

    fn trip_options() -> AsyncConnectionConfig {
        // Each round trip has a deadline of its own.
        AsyncConnectionConfig::new().set_connection_timeout(Some(CONNECT_DEADLINE)).set_response_timeout(None)
    }

    /// Makes one round trip within `deadline`, unless the breaker is open (`None`).
    async fn trip<T, F: Future<Output = Result<T, RedisError>>>(
        self: &Arc<Self>,
        deadline: Duration,
        trip: impl FnOnce(MultiplexedConnection) -> F,
    ) -> Option<Result<T, Trouble>> {
        let Some(pass) = self.breaker.enter(Instant::now()) else {
            self.tally.rejected();
            return None;
        };
        let whole = async {
            let connection = self.connected().await.ok_or(Trouble::Away)?;
            trip(connection).await.map_err(Trouble::Said)
        };
        let result = timeout(deadline, whole).await.unwrap_or(Err(Trouble::Late));
        let answered = match &result {
            Ok(_) => true,
            Err(Trouble::Late | Trouble::Away) => false,
            Err(Trouble::Said(error)) => is_answer(error),
        };
        if let Err(trouble) = &result {
            self.tally.error();
            tracing::debug!(error = %trouble, "cache round trip failed");
        }
        if answered {
            pass.succeeded();
        } else {
            let opened = pass.failed(Instant::now());
            // One late answer may still come; a connection that failed is of no use any more.
            if opened || !matches!(result, Err(Trouble::Late)) {
                self.connection.send_replace(None);
            }
            if opened {
                tracing::warn!(pause = ?self.config.pause, "Redis does not answer; going on without it for a while");
            }
        }
        Some(result)
    }

    /// Returns the connection, opening it in the background if there is none; `None` where that has failed.
    async fn connected(self: &Arc<Self>) -> Option<MultiplexedConnection> {
        let mut connection = self.connection.subscribe();
        if let Some(connection) = connection.borrow_and_update().clone() {
            return Some(connection);
        }
        if !self.connecting.swap(true, Ordering::AcqRel) {
            let shared = self.clone();
            // It outlives the one who asks: others wait for it, too, and the next one finds it.
            tokio::spawn(async move {
                let options = Self::trip_options();
                let client = shared.client();
                let opening = client.get_multiplexed_async_connection_with_config(&options);
                let opened = timeout(CONNECT_DEADLINE, opening).await;
                if let Ok(Err(error)) = &opened {
                    tracing::debug!(%error, "no connection to Redis");
                }
                shared.connecting.store(false, Ordering::Release);
                shared.connection.send_replace(opened.ok().and_then(Result::ok));
            });
        }
        connection.changed().await.ok()?;
        connection.borrow_and_update().clone()
    }

    /// Returns a connection of one's own, for questions of an operator.
    async fn own_connection(&self) -> Result<MultiplexedConnection, String> {
        let options = Self::trip_options();
        let client = self.client();
        let opening = client.get_multiplexed_async_connection_with_config(&options);
        in_time(opening).await
    }

    /// Returns some keys of this cache, and where the next ones are; the last ones are before 0, as are the first.
    async fn scan(
        &self,
        connection: &mut MultiplexedConnection,
        cursor: u64,
    ) -> Result<(u64, Vec<Vec<u8>>), String> {
        let pattern = format!("{}:*", escaped(&self.config.prefix));
        let mut scan = redis::cmd("SCAN");
        scan.arg(cursor).arg("MATCH").arg(pattern).arg("COUNT").arg(10_000);
        in_time(scan.query_async(connection)).await
    }
}

/// Whether Redis itself has answered, be it with a refusal: full, read-only, not allowed. Such a Redis is there, and
/// asking it costs nothing.
fn is_answer(error: &RedisError) -> bool {
    let garbled = matches!(error.kind(), redis::ErrorKind::Parse | redis::ErrorKind::Client);
    !(garbled || error.is_io_error() || error.is_timeout() || error.is_connection_dropped())
}

/// Returns `prefix` for a pattern in which it means itself.
fn escaped(prefix: &str) -> String {
    let special = |c: char| matches!(c, '*' | '?' | '[' | ']' | '\\' | '^');
    prefix.chars().flat_map(|c| special(c).then_some('\\').into_iter().chain([c])).collect()
}

/// Returns a field of what Redis says of itself.
fn field<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = info.lines().filter_map(|line| line.trim_end().split_once(':'));
    lines.find_map(|(field, value)| (field == name).then_some(value))
}

fn backend(info: &str) -> String {
    match (field(info, "valkey_version"), field(info, "redis_version")) {
        (Some(version), _) => format!("Valkey {version}"),
        (None, Some(version)) => format!("Redis {version}"),
        (None, None) => "Redis".to_owned(),
    }
}

async fn in_time<T>(asked: impl Future<Output = Result<T, RedisError>>) -> Result<T, String> {
    match timeout(OPERATOR_DEADLINE, asked).await {
        Ok(answer) => answer.map_err(|error| error.to_string()),
        Err(_) => Err(format!("Redis does not answer within {OPERATOR_DEADLINE:?}")),
    }
}

#[async_trait]
impl Cache for Redis {
    async fn get(&self, keys: &[Key]) -> Vec<Option<Vec<u8>>> {
        let shared = &self.shared;
        let mut values: Vec<Option<Vec<u8>>> = Vec::with_capacity(keys.len());
        for keys in keys.chunks(AT_ONCE) {
            let mut mget = redis::cmd("MGET");
            for key in keys {
                mget.arg(shared.key(key));
            }
            let ask = async |mut connection: MultiplexedConnection| {
                mget.query_async::<Vec<Option<Vec<u8>>>>(&mut connection).await
            };
            match shared.trip(shared.config.read_deadline, ask).await {
                Some(Ok(found)) if found.len() == keys.len() => values.extend(found),
                // What it does not answer now it will not answer for the rest either.
                _ => break,
            }
        }
        values.resize(keys.len(), None);
        let hits = values.iter().flatten().count();
        shared.tally.looked_up(hits, values.len() - hits);
        values
    }

    async fn put(&self, entries: Vec<(Key, Vec<u8>)>) {
        let shared = &self.shared;
        let seconds = shared.config.ttl.map(|ttl| ttl.as_secs().max(1));
        let mut entries = entries.into_iter().peekable();
        while entries.peek().is_some() {
            let (mut pipeline, mut count, mut bytes) = (redis::pipe(), 0, 0);
            while let Some((key, value)) = entries
                .next_if(|(_, value)| count == 0 || (count < AT_ONCE && bytes + value.len() <= BYTES_AT_ONCE))
            {
                count += 1;
                bytes += value.len();
                let set = pipeline.cmd("SET").arg(shared.key(&key)).arg(value);
                if let Some(seconds) = seconds {
                    set.arg("EX").arg(seconds);
                }
                set.ignore();
            }
            let ask =
                async |mut connection: MultiplexedConnection| pipeline.exec_async(&mut connection).await;
            match shared.trip(shared.config.write_deadline, ask).await {
                Some(Ok(())) => {}
                // Full or forbidden: the next ones may be smaller, but hardly so.
                Some(Err(_)) | None => {
                    shared.tally.lost_puts(count + entries.len());
                    return;
                }
            }
        }
    }

    async fn describe(&self) -> Result<String, String> {
        let mut connection = self.shared.own_connection().await?;
        let info: String = in_time(redis::cmd("INFO").arg("server").query_async(&mut connection)).await?;
        Ok(backend(&info))
    }

    async fn stats(&self) -> Result<CacheStats, String> {
        let mut connection = self.shared.own_connection().await?;
        let (mut cursor, mut keys) = self.shared.scan(&mut connection, 0).await?;
        let mut entries = keys.len() as u64;
        while cursor != 0 {
            (cursor, keys) = self.shared.scan(&mut connection, cursor).await?;
            entries += keys.len() as u64;
        }
        let info: String = in_time(redis::cmd("INFO").query_async(&mut connection)).await?;
        let number = |name: &str| field(&info, name).and_then(|value| value.parse::<u64>().ok());
        let limit_bytes = number("maxmemory").filter(|limit| *limit > 0);
        Ok(CacheStats { backend: backend(&info), entries, bytes: number("used_memory"), limit_bytes })
    }

    async fn purge(&self) -> Result<u64, String> {
        let mut connection = self.shared.own_connection().await?;
        let (mut purged, mut cursor) = (0, 0);
        loop {
            let (next, keys) = self.shared.scan(&mut connection, cursor).await?;
            for keys in keys.chunks(AT_ONCE) {
                let mut unlink = redis::cmd("UNLINK");
                for key in keys {
                    unlink.arg(key);
                }
                purged += in_time(unlink.query_async::<u64>(&mut connection)).await?;
            }
            if next == 0 {
                return Ok(purged);
            }
            cursor = next;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_debug_output_nor_an_error_holds_the_password() {
        let config = Config::new("redis://who:canary@127.0.0.1:1");
        assert!(!format!("{config:?}").contains("canary"));
        for url in ["canary://x", "redis://who:canary@:::", "redis://127.0.0.1/canary", "canary"] {
            let error = Redis::connect(Config::new(url)).err().unwrap();
            assert!(!format!("{error:?} {error}").contains("canary"), "{error}");
        }
    }

    #[test]
    fn a_prefix_means_itself_in_a_pattern() {
        assert_eq!(escaped("a*b?[c]\\^"), "a\\*b\\?\\[c\\]\\\\\\^");
        assert_eq!(escaped("gitfleet"), "gitfleet");
    }
}
