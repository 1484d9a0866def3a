//! Two fleets on the same servers: one with two workers, and one without any, in which jobs stay where they are.
//!
//! Every address has a password and the API a token, all of them words that must never be seen again; each command
//! that is run here is searched for them.

use std::ffi::OsString;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use gitfleet_testkit::postgres::{Database, Fsync, Postgres};
use gitfleet_testkit::rabbitmq::{self, RabbitMq};
use gitfleet_testkit::redis::{self, Redis};
use gitfleet_testkit::server::{Server, Spec, folder};
use gitfleet_testkit::{port, unique};
use serde_json::Value;

use crate::history;
use crate::schema::assert_valid;

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_gitfleet");

/// The passwords of database, broker and cache, and the tokens.
pub(crate) const CANARIES: [&str; 5] = ["hushdatabase", "hushbroker", "hushcache", "hushtoken", "hushother"];

/// What /metrics wants to be shown; never seen again either.
pub(crate) const METRICS_TOKEN: &str = "hushmetrics";

/// How long anything may take that is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Servers {
    pub(crate) postgres: Postgres,
    pub(crate) rabbitmq: RabbitMq,
    pub(crate) redis: Redis,
}

pub(crate) struct Fleet {
    /// Its folder is everybody's, and is gone with it.
    pub(crate) coordinator: Server,
    pub(crate) workers: Vec<Server>,
    pub(crate) database: Database,
    pub(crate) prefix: String,
    pub(crate) server: String,
    /// Where the coordinator tells metrics, and then the workers.
    pub(crate) metrics: Vec<String>,
    environment: Vec<(OsString, OsString)>,
}

/// How a command ended.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

pub(crate) fn servers() -> &'static Servers {
    static SERVERS: OnceLock<Servers> = OnceLock::new();
    SERVERS.get_or_init(|| {
        let rabbitmq = RabbitMq::start(&rabbitmq::Options::default());
        rabbitmq.control(&["add_user", "op", CANARIES[1]]);
        rabbitmq.control(&["set_permissions", "op", ".*", ".*", ".*"]);
        let user = Some(("op".to_owned(), CANARIES[2].to_owned()));
        let redis = Redis::start(&redis::Options { user, ..redis::Options::default() });
        Servers { postgres: Postgres::start(Fsync::Off), rabbitmq, redis }
    })
}

/// Returns the fleet with two workers.
pub(crate) fn working() -> &'static Fleet {
    static WORKING: OnceLock<Fleet> = OnceLock::new();
    WORKING.get_or_init(|| Fleet::start(2))
}

/// Returns the fleet without a worker.
pub(crate) fn idle() -> &'static Fleet {
    static IDLE: OnceLock<Fleet> = OnceLock::new();
    IDLE.get_or_init(|| Fleet::start(0))
}

/// Returns the OpenAPI document.
pub(crate) fn document() -> &'static Value {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    DOCUMENT.get_or_init(|| {
        let printed = Command::new(BINARY).args(["help", "openapi"]).output().unwrap();
        serde_json::from_slice(&printed.stdout).unwrap()
    })
}

/// Waits until `look` finds something.
pub(crate) fn wait<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "{what} does not come");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Says whether a process does what it is for.
pub(crate) type Ready = Box<dyn Fn() -> bool + Send + Sync>;

fn start(
    folder: PathBuf,
    arguments: &[&str],
    environment: Vec<(OsString, OsString)>,
    is_ready: Ready,
) -> Server {
    Server::start(Spec {
        folder,
        program: BINARY.into(),
        arguments: arguments.iter().map(OsString::from).collect(),
        environment,
        is_ready,
        patience: PATIENCE,
    })
}

impl Fleet {
    pub(crate) fn start(workers: usize) -> Self {
        Self::start_with(workers, &[])
    }

    /// As [`start`](Self::start), with further variables.
    pub(crate) fn start_with(workers: usize, variables: &[(&str, &str)]) -> Self {
        let servers = servers();
        let (home, database, prefix) = (folder("fleet"), servers.postgres.database(), unique::name("test"));
        let listen = format!("127.0.0.1:{}", port::free());
        let server = format!("http://{listen}");
        let database_url = database.url().replace("postgres@", &format!("postgres:{}@", CANARIES[0]));
        let broker_url = servers.rabbitmq.url().replace("guest:guest@", &format!("op:{}@", CANARIES[1]));
        let secret = |name: &str, value: &str| {
            let file = home.join(name);
            std::fs::write(&file, format!("{value}\n")).unwrap();
            file.into_os_string()
        };
        let environment: Vec<(OsString, OsString)> = [
            ("GITFLEET_DATABASE_URL_FILE", secret("database_url", &database_url)),
            ("GITFLEET_BROKER_URL_FILE", secret("broker_url", &broker_url)),
            ("GITFLEET_CACHE_URL_FILE", secret("cache_url", servers.redis.url())),
            ("GITFLEET_API_TOKEN_FILE", secret("token", &CANARIES[3..].join("\n"))),
            ("GITFLEET_METRICS_TOKEN_FILE", secret("metrics_token", METRICS_TOKEN)),
            ("GITFLEET_DATABASE_SCHEMA", "fleet".into()),
            // What the tests analyse is on this disk.
            ("GITFLEET_SOURCE_SCHEMES", "https,ssh,file".into()),
            ("GITFLEET_PREFIX", prefix.clone().into()),
            ("GITFLEET_SERVER", server.clone().into()),
            ("GITFLEET_LISTEN", listen.into()),
            ("GITFLEET_DATA_DIR", home.join("data").into_os_string()),
            ("HOME", home.clone().into_os_string()),
        ]
        .map(|(name, value)| (name.into(), value))
        .into_iter()
        .chain(variables.iter().map(|(name, value)| (name.into(), value.into())))
        .collect();
        std::fs::create_dir(home.join("desk")).unwrap();
        let process = |folder: PathBuf, arguments: &[&str], is_ready: Ready| {
            start(folder, arguments, environment.clone(), is_ready)
        };
        let metrics: Vec<String> = (0..=workers).map(|_| format!("127.0.0.1:{}", port::free())).collect();
        let address = server.clone();
        let coordinator = process(
            home,
            &["coordinator", "--migrate", "-vvv", "--metrics-listen", &metrics[0]],
            Box::new(move || get(&address, "/readyz").is_some_and(|answer| answer.contains(" 200 "))),
        );
        let (own, rest) = metrics.split_first().expect("the coordinator has one");
        let own = vec![format!("http://{own}")];
        let mut fleet =
            Self { coordinator, workers: Vec::new(), database, prefix, server, metrics: own, environment };
        for metrics in rest {
            fleet.workers.push(fleet.worker_with(&["--metrics-listen", metrics]));
            fleet.metrics.push(format!("http://{metrics}"));
        }
        fleet
    }

    /// Starts another worker.
    pub(crate) fn worker(&self) -> Server {
        self.worker_with(&[])
    }

    fn worker_with(&self, flags: &[&str]) -> Server {
        let folder = folder("worker");
        let log = folder.join("log");
        let takes = move || std::fs::read_to_string(&log).is_ok_and(|log| log.contains("takes jobs"));
        let arguments = [&["worker", "-j", "1", "-vvv"], flags].concat();
        start(folder, &arguments, self.environment.clone(), Box::new(takes))
    }

    /// Starts another process of the fleet, with other settings where there are any.
    pub(crate) fn process(&self, arguments: &[&str], settings: &[(&str, &str)], is_ready: Ready) -> Server {
        let mut environment = self.environment.clone();
        for (name, value) in settings {
            environment.retain(|(known, _)| known != name);
            environment.push((name.into(), value.into()));
        }
        start(folder("process"), arguments, environment, is_ready)
    }

    /// Returns where something is called `name`.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.coordinator.folder().join("desk").join(name)
    }

    pub(crate) fn text(&self, name: &str) -> String {
        self.path(name).into_os_string().into_string().unwrap()
    }

    /// Makes a repository of some hundred commits and returns its path.
    pub(crate) fn repository(&self, name: &str, seed: u64) -> String {
        let path = self.text(name);
        history::generate(seed).git(&["clone", "--quiet", ".", &path]);
        path
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command
            .current_dir(self.path(""))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        Ended::of(self.command(arguments).output().unwrap())
    }

    /// Runs a command that prints a listing, and asserts that it fits a terminal.
    #[track_caller]
    pub(crate) fn listing(&self, arguments: &[&str]) -> String {
        let ended = self.run(arguments).expect(0);
        for line in ended.stdout.lines() {
            assert!(line.chars().count() <= 80, "{arguments:?}: {line}");
        }
        assert_eq!(ended.stderr, "", "{arguments:?}");
        ended.stdout
    }

    /// Runs a command with `--json`, and asserts that what it prints is what the API answers at `path`.
    #[track_caller]
    pub(crate) fn json(&self, arguments: &[&str], method: &str, path: &str) -> Value {
        let pointer = |status: &str| {
            let path = format!("/api/v1{path}").replace('/', "~1");
            format!("/paths/{path}/{method}/responses/{status}/content/application~1json/schema")
        };
        let found = ["200", "201"].iter().find_map(|status| document().pointer(&pointer(status)));
        self.json_as(arguments, found.unwrap_or_else(|| panic!("{method} {path} is not told of")))
    }

    /// Runs a command with `--json`, and asserts that what it prints is as `schema` says.
    #[track_caller]
    pub(crate) fn json_as(&self, arguments: &[&str], schema: &Value) -> Value {
        let ended = self.run(&[arguments, &["--json"]].concat());
        let value = serde_json::from_str(&ended.stdout).unwrap_or_else(|error| {
            panic!("{arguments:?}: {error}: {} {}", ended.stdout, ended.stderr);
        });
        assert_valid(document(), schema, &value);
        value
    }

    /// Submits and returns the id of the batch.
    #[track_caller]
    pub(crate) fn submit(&self, arguments: &[&str]) -> String {
        let ended = self.run(&[&["submit"], arguments].concat()).expect(0).says(&["gitfleet batch watch"]);
        ended.stdout.trim().to_owned()
    }

    pub(crate) fn state(&self, batch: &str) -> String {
        let view = self.json(&["batch", "show", batch], "get", "/batches/{id}");
        view["state"].as_str().unwrap().to_owned()
    }
}

impl Ended {
    #[track_caller]
    pub(crate) fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let ended =
            Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) };
        assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
        for canary in CANARIES.into_iter().chain([METRICS_TOKEN]) {
            assert!(!ended.stdout.contains(canary) && !ended.stderr.contains(canary), "{}", ended.stderr);
        }
        ended
    }

    /// Asserts the exit code.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }

    /// Asserts that stderr says all of `words`.
    #[track_caller]
    pub(crate) fn says(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.stderr.contains(word), "no {word:?} in: {}", self.stderr);
        }
        self
    }

    /// Asserts that stdout shows all of `words`.
    #[track_caller]
    pub(crate) fn shows(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.stdout.contains(word), "no {word:?} in: {}", self.stdout);
        }
        self
    }
}

/// Returns what is answered at `path`, with its head.
pub(crate) fn get(server: &str, path: &str) -> Option<String> {
    get_with(server, path, None)
}

/// As [`get`], and shows a token.
pub(crate) fn get_with(server: &str, path: &str, token: Option<&str>) -> Option<String> {
    let shown = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    let address = server.strip_prefix("http://")?;
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\n{shown}Connection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}

/// Returns all files below `folder`.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = vec![folder.to_owned()];
    let mut next = 0;
    while let Some(path) = found.get(next) {
        if path.is_dir() && !path.is_symlink() {
            let inside: Vec<_> =
                std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
            found.extend(inside);
        }
        next += 1;
    }
    found.retain(|path| path.is_file());
    found
}
