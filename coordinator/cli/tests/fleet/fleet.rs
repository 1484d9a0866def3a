//! A fleet as an operator would start it by hand: servers, coordinators, workers, and commands that ask.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use gitfleet_shared::queue::rabbitmq::{Config, RabbitMq};
use gitfleet_shared::queue::{Queue as _, Topic};
use gitfleet_testkit::port;
use gitfleet_testkit::postgres::Database;
use gitfleet_testkit::proxy::Proxy;
use gitfleet_testkit::unique;
use sqlx::postgres::{PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, Row as _};

use crate::process::{Process, command};
use crate::servers::{Servers, runtime};

/// What is to come and does not within this time never will.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

pub(crate) struct Fleet {
    pub(crate) prefix: String,
    folder: tempfile::TempDir,
    database: Database,
    pool: PgPool,
    /// The tests' own way to the queues, past every proxy.
    pub(crate) queue: RabbitMq,
    broker_url: String,
    urls: Urls,
    pub(crate) wires: Option<Wires>,
    /// Where commands ask.
    pub(crate) server: String,
    /// What everybody is told beside.
    told: Vec<(&'static str, String)>,
}

#[derive(Clone)]
struct Urls {
    database: String,
    broker: String,
    cache: String,
}

/// A proxy before each server.
pub(crate) struct Wires {
    pub(crate) postgres: Proxy,
    pub(crate) rabbitmq: Proxy,
    pub(crate) redis: Proxy,
}

impl Wires {
    pub(crate) fn all(&self) -> [(&'static str, &Proxy); 3] {
        [("postgres", &self.postgres), ("rabbitmq", &self.rabbitmq), ("redis", &self.redis)]
    }
}

impl Fleet {
    pub(crate) fn new(servers: &Servers) -> Self {
        Self::with(servers, None)
    }

    /// A fleet whose every link can be cut.
    pub(crate) fn wired(servers: &Servers) -> Self {
        let wires = runtime().block_on(async {
            Wires {
                postgres: Proxy::to(servers.postgres.port()).await,
                rabbitmq: Proxy::to(servers.rabbitmq.port()).await,
                redis: Proxy::to(servers.redis.port()).await,
            }
        });
        Self::with(servers, Some(wires))
    }

    fn with(servers: &Servers, wires: Option<Wires>) -> Self {
        let database = servers.postgres.database();
        let urls = match &wires {
            None => Urls {
                database: database.url().to_owned(),
                broker: servers.rabbitmq.url().to_owned(),
                cache: servers.redis.url().to_owned(),
            },
            Some(wires) => Urls {
                database: database.url_at(wires.postgres.port()),
                broker: servers.rabbitmq.url_at(wires.rabbitmq.port()),
                cache: servers
                    .redis
                    .url()
                    .replace(&format!(":{}", servers.redis.port()), &format!(":{}", wires.redis.port())),
            },
        };
        let prefix = unique::name("fleet");
        let config = Config { prefix: prefix.clone(), ..Config::new(servers.rabbitmq.url()) };
        let (pool, queue) = runtime().block_on(async {
            let options = PgPoolOptions::new().max_connections(4).acquire_timeout(Duration::from_secs(60));
            (options.connect_lazy(database.url()).unwrap(), RabbitMq::connect(config).await.unwrap())
        });
        Self {
            prefix,
            folder: tempfile::tempdir_in(Servers::shared().redis.server().folder()).unwrap(),
            database,
            pool,
            queue,
            broker_url: servers.rabbitmq.url().to_owned(),
            urls,
            wires,
            server: String::new(),
            told: Vec::new(),
        }
    }

    /// A fleet that knows nothing of what this one has found, and shares its cache.
    pub(crate) fn beside(&self, servers: &Servers) -> Self {
        let mut beside = Self::new(servers);
        beside.tell("GITFLEET_PREFIX", &self.prefix);
        beside.prefix.clone_from(&self.prefix);
        beside.queue = self.queue.clone();
        beside
    }

    /// Tells everybody who is started from now on.
    pub(crate) fn tell(&mut self, name: &'static str, value: &str) {
        self.told.push((name, value.to_owned()));
    }

    /// Lets everybody who is started from now on break a promise.
    pub(crate) fn sabotage(mut self, promise: Option<&str>) -> Self {
        if let Some(promise) = promise {
            self.tell("GITFLEET_SABOTAGE", promise);
        }
        self
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn data_of(&self, worker: &str) -> PathBuf {
        self.folder.path().join(worker)
    }

    fn command(&self) -> Command {
        let mut command = command(self.folder.path());
        command
            .env("GITFLEET_DATABASE_URL", &self.urls.database)
            .env("GITFLEET_BROKER_URL", &self.urls.broker)
            .env("GITFLEET_CACHE_URL", &self.urls.cache)
            .env("GITFLEET_DEV", "true")
            // What the tests analyse is on this disk.
            .env("GITFLEET_SOURCE_SCHEMES", "https,ssh,file")
            .env("GITFLEET_PREFIX", &self.prefix)
            .env("GITFLEET_SERVER", &self.server)
            .envs(self.told.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Starts a coordinator and waits until it answers; commands ask it from then on.
    pub(crate) fn coordinator(&mut self, name: &str, environment: &[(&str, &str)]) -> Process {
        let port = port::free();
        let mut coordinator = self.coordinator_at(name, port, environment);
        self.until("a coordinator answers", || {
            assert!(coordinator.is_alive(), "{name} has ended:\n{}", coordinator.said());
            std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        self.server = format!("http://127.0.0.1:{port}");
        coordinator
    }

    /// Starts a coordinator and does not wait for it.
    pub(crate) fn coordinator_at(&self, name: &str, port: u16, environment: &[(&str, &str)]) -> Process {
        let mut command = self.command();
        command.envs(environment.iter().copied());
        command.args(["coordinator", "--migrate", "--listen", &format!("127.0.0.1:{port}")]);
        Process::start(name, command, self.folder.path().join(format!("{name}.log")))
    }

    /// Starts a worker of `slots` slots.
    pub(crate) fn worker(&self, name: &str, slots: u32, environment: &[(&str, &str)]) -> Process {
        let mut command = self.command();
        command.env("GITFLEET_DATA_DIR", self.data_of(name)).envs(environment.iter().copied());
        command.args(["worker", "--name", name, "--jobs", &slots.to_string()]);
        Process::start(name, command, self.folder.path().join(format!("{name}.log")))
    }

    /// Runs a command of the operator.
    pub(crate) fn ask(&self, arguments: &[&str]) -> Output {
        self.command().args(arguments).output().unwrap()
    }

    /// Runs a command that must succeed, and returns what it prints.
    pub(crate) fn told(&self, arguments: &[&str]) -> String {
        let output = self.ask(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Submits `sources` in slices of `slice` commits and returns the batch.
    pub(crate) fn submit(&self, sources: &[String], slice: u32) -> String {
        self.submit_with(sources, slice, &[])
    }

    pub(crate) fn submit_with(&self, sources: &[String], slice: u32, more: &[&str]) -> String {
        let slice = slice.to_string();
        let sources: Vec<&str> = sources.iter().map(String::as_str).collect();
        let arguments = [&["submit", "--quiet", "--batch-size", &slice], more, &sources[..]].concat();
        self.told(&arguments).trim().to_owned()
    }

    /// Waits until `condition` holds.
    #[track_caller]
    pub(crate) fn until(&self, what: &str, condition: impl FnMut() -> bool) {
        assert!(within(PATIENCE, condition), "never: {what}; the store is asked: {:?}", self.asked());
    }

    /// Returns how long it took until the batch had ended; `None` where it has not within `patience`.
    pub(crate) fn ended(&self, batch: &str, patience: Duration) -> Option<Duration> {
        let begun = Instant::now();
        let running = format!("SELECT count(*) FROM batch WHERE {} AND state = 'running'", is(batch, "id"));
        within(patience, || self.count(&running) == 0).then(|| begun.elapsed())
    }

    /// Waits until `jobs` jobs of the batch are done.
    #[track_caller]
    pub(crate) fn until_done(&self, batch: &str, jobs: i64) {
        let done = format!("SELECT count(*) FROM job WHERE {} AND state = 'done'", is(batch, "batch_id"));
        self.until(&format!("{jobs} jobs are done"), || self.count(&done) >= jobs);
    }

    /// Returns the one number that `statement` selects.
    pub(crate) fn count(&self, statement: &str) -> i64 {
        // A server that is away for the sake of the test comes back.
        for _ in 0..200 {
            let row = runtime().block_on(sqlx::query(AssertSqlSafe(statement)).fetch_one(&self.pool));
            match row {
                Ok(row) => return row.get(0),
                Err(sqlx::Error::Database(error))
                    if !error.code().is_some_and(|code| code.starts_with("57")) =>
                {
                    panic!("{statement}: {error}")
                }
                Err(_) => std::thread::sleep(Duration::from_millis(50)),
            }
        }
        panic!("the store does not come back")
    }

    /// Returns the texts that `statement` selects.
    pub(crate) fn texts(&self, statement: &str) -> Vec<String> {
        let rows = runtime().block_on(sqlx::query(AssertSqlSafe(statement)).fetch_all(&self.pool)).unwrap();
        rows.iter().map(|row| row.get::<Option<String>, _>(0).unwrap_or_default()).collect()
    }

    /// Returns what the store is doing for whom, for a test that waits in vain.
    fn asked(&self) -> Vec<String> {
        self.texts(
            "SELECT concat_ws(' ', usename, state, wait_event, now() - state_change, query) FROM pg_stat_activity \
             WHERE datname = current_database() AND query NOT LIKE '%pg_stat_activity%'",
        )
    }

    pub(crate) fn run(&self, statements: &str) {
        runtime().block_on(sqlx::raw_sql(AssertSqlSafe(statements)).execute(&self.pool)).unwrap();
    }

    /// Returns the messages that `statement` selects.
    pub(crate) fn frames(&self, statement: &str) -> Vec<Vec<u8>> {
        let rows = runtime().block_on(sqlx::query(AssertSqlSafe(statement)).fetch_all(&self.pool)).unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    pub(crate) fn publish(&self, topic: Topic, frames: impl IntoIterator<Item = Vec<u8>>) {
        runtime().block_on(async {
            for frame in frames {
                self.queue.publish(topic, frame).await.unwrap();
            }
        });
    }

    /// Returns how many messages wait.
    pub(crate) fn depth(&self, topic: Topic) -> u64 {
        runtime().block_on(self.queue.depth(topic)).unwrap_or(u64::MAX)
    }

    pub(crate) fn purge(&self, topic: Topic) {
        self.raw(|channel, name| async move { channel.queue_purge(name.into(), Default::default()).await.map(drop) }, topic);
    }

    pub(crate) fn delete(&self, topic: Topic) {
        self.raw(|channel, name| async move { channel.queue_delete(name.into(), Default::default()).await.map(drop) }, topic);
    }

    /// Does to a queue what the program never would.
    fn raw<F: Future<Output = lapin::Result<()>>>(
        &self,
        act: impl FnOnce(lapin::Channel, String) -> F,
        topic: Topic,
    ) {
        let name =
            format!("{}.v{}.{}", self.prefix, gitfleet_shared::contract::CONTRACT_VERSION, topic.name());
        runtime().block_on(async {
            let acted = async {
                let properties = lapin::ConnectionProperties::default();
                let connection = lapin::Connection::connect(&self.broker_url, properties).await.unwrap();
                act(connection.create_channel().await.unwrap(), name).await.unwrap();
                connection
            };
            let connection = tokio::time::timeout(PATIENCE, acted).await.expect("the broker answers");
            // Whatever it says to that, it is done; and if the client misses the answer, it waits for ever.
            let _ = tokio::time::timeout(Duration::from_secs(5), connection.close(200, "done".into())).await;
        });
    }

    /// Returns the address of the store for the user `name`, past every proxy.
    pub(crate) fn database_url_of(&self, name: &str) -> String {
        self.database.url().replace("postgres@", &format!("{name}@"))
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        let removing = async {
            let _ = tokio::time::timeout(Duration::from_secs(5), self.queue.remove()).await;
            self.pool.close().await;
        };
        runtime().block_on(removing);
    }
}

/// Returns what selects the batch by its id in `column`.
pub(crate) fn is(batch: &str, column: &str) -> String {
    assert!(batch.chars().all(|char| char.is_ascii_hexdigit() || char == '-'), "{batch}");
    format!("{column} = decode('{}', 'hex')", batch.replace('-', ""))
}

/// Asks again and again until `condition` holds; false where it does not within `patience`.
pub(crate) fn within(patience: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let begun = Instant::now();
    while !condition() {
        if begun.elapsed() > patience {
            return false;
        }
        // Neither store nor API tells when something comes true.
        std::thread::sleep(Duration::from_millis(30));
    }
    true
}
