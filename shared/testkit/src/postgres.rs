//! A private PostgreSQL.

use std::ffi::OsString;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use crate::server::{Server, Spec, answers, folder, os};
use crate::{given, port, program, unique};

/// Whether what is committed survives the machine. A killed server loses nothing either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fsync {
    Off,
    On,
}

pub struct Postgres {
    server: Option<Server>,
    /// The address of the server's own database.
    url: String,
    port: u16,
}

/// A fresh database, dropped with this.
pub struct Database {
    admin: String,
    name: String,
    url: String,
}

impl Postgres {
    /// Starts one, where everybody on this machine is let in as user `postgres`.
    ///
    /// # Panics
    ///
    /// Where it cannot be started.
    pub fn start(fsync: Fsync) -> Self {
        let (folder, port) = (folder("postgres"), port::free());
        // It refuses to run as root.
        let user = is_root().then(|| own(&folder));
        let data = folder.join("data");
        let mut initdb = as_user(user, &find("initdb"));
        initdb.extend(["--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8"].map(os));
        initdb.extend([os("--locale=C.UTF-8"), os("--pgdata"), os(&data)]);
        let made = Command::new(&initdb[0]).args(&initdb[1..]).output().expect("initdb runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let settings = [
            format!("listen_addresses = '127.0.0.1'\nport = {port}"),
            "unix_socket_directories = ''".to_owned(),
            "max_connections = 200\nshared_buffers = '64MB'".to_owned(),
            format!("fsync = {0}\nfull_page_writes = {0}", if fsync == Fsync::On { "on" } else { "off" }),
            format!("synchronous_commit = {}", if fsync == Fsync::On { "on" } else { "off" }),
        ];
        let mut file = std::fs::OpenOptions::new()
            .append(true)
            .open(data.join("postgresql.conf"))
            .expect("initdb has made it");
        writeln!(file, "{}", settings.join("\n")).expect("it can be written");
        let mut command = as_user(user, &find("postgres"));
        command.extend([os("-D"), os(&data)]);
        let program = PathBuf::from(command.remove(0));
        let server = Server::start(Spec {
            folder,
            program,
            arguments: command,
            environment: Vec::new(),
            is_ready: Box::new(move || answers(port, &startup(), b"R")),
            patience: Duration::from_secs(60),
        });
        let url = format!("postgres://postgres@127.0.0.1:{port}/postgres");
        Self { server: Some(server), url, port }
    }

    /// Returns the one of this test process, which does not sync, or the one at `DATABASE_URL`.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Postgres> = OnceLock::new();
        SHARED.get_or_init(|| match given("DATABASE_URL") {
            Some(url) => Self { server: None, url, port: 0 },
            None => Self::start(Fsync::Off),
        })
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Makes a database for one test.
    ///
    /// # Panics
    ///
    /// Where it cannot be made.
    pub fn database(&self) -> Database {
        let name = unique::name("test");
        psql(&self.url, &format!("CREATE DATABASE {name}")).expect("a database can be made");
        let (front, query) = match self.url.split_once('?') {
            Some((front, query)) => (front, format!("?{query}")),
            None => (self.url.as_str(), String::new()),
        };
        let slash = front.rfind('/').filter(|at| !front[..*at].ends_with('/')).unwrap_or(front.len());
        let url = format!("{}/{name}{query}", &front[..slash]);
        Database { admin: self.url.clone(), name, url }
    }

    /// Returns the process, to kill it or freeze it.
    ///
    /// # Panics
    ///
    /// Where it is not ours: a server named in the environment is never disturbed.
    pub fn server(&self) -> &Server {
        self.server.as_ref().expect("only a private server is disturbed")
    }
}

impl Database {
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the address of the same database behind a proxy at `port`, for private servers.
    pub fn url_at(&self, port: u16) -> String {
        format!("postgres://postgres@127.0.0.1:{port}/{}", self.name)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // A server that a test has killed cannot be asked, and takes its databases with it.
        let _ = psql(&self.admin, &format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
    }
}

/// Runs one statement by `psql`; its errors are what it says.
fn psql(url: &str, statement: &str) -> Result<(), String> {
    let (url, password) = without_password(url);
    let run = Command::new(find("psql"))
        .args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", statement, "-d", &url])
        .envs(password.map(|password| ("PGPASSWORD", password)))
        .env("PGCONNECT_TIMEOUT", "5")
        .stdin(Stdio::null())
        .output()
        .map_err(|error| error.to_string())?;
    if run.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&run.stderr).into_owned()) }
}

/// Takes the password out of an address, because arguments are for all to see.
fn without_password(url: &str) -> (String, Option<String>) {
    let split = || {
        let (scheme, rest) = url.split_once("://")?;
        let (who, place) = rest.split_once('@')?;
        let (user, password) = who.split_once(':')?;
        Some((format!("{scheme}://{user}@{place}"), decoded(password)))
    };
    match split() {
        Some((url, password)) => (url, Some(password)),
        None => (url.to_owned(), None),
    }
}

/// Reads `%40` as `@`.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = |digits: &[u8]| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok();
        let escaped = (*first == b'%').then(|| tail.get(..2).and_then(hex)).flatten();
        rest = if escaped.is_some() { &tail[2..] } else { tail };
        bytes.push(escaped.unwrap_or(*first));
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The first words of a client; a server that is still starting up answers with an error.
fn startup() -> Vec<u8> {
    let body = b"\0\x03\0\0user\0postgres\0database\0postgres\0\0";
    let length = u32::try_from(body.len() + 4).expect("it is short");
    [&length.to_be_bytes()[..], body].concat()
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

/// Gives `folder` to user `postgres`, and returns its ids.
fn own(folder: &Path) -> (u32, u32) {
    let id = |of: &str| {
        let printed = Command::new("id").args([of, "postgres"]).output().expect("there is `id`");
        let id = String::from_utf8_lossy(&printed.stdout).trim().parse();
        id.expect("root needs a user `postgres`: install postgresql, or set DATABASE_URL")
    };
    let (user, group) = (id("-u"), id("-g"));
    std::os::unix::fs::chown(folder, Some(user), Some(group)).expect("root may do so");
    (user, group)
}

fn as_user(user: Option<(u32, u32)>, program: &Path) -> Vec<OsString> {
    let Some((user, group)) = user else { return vec![os(program)] };
    let setpriv = program::find(&["setpriv"], &[], "util-linux");
    let who = [format!("--reuid={user}"), format!("--regid={group}"), "--clear-groups".to_owned()];
    [os(setpriv)].into_iter().chain(who.map(os)).chain([os(program)]).collect()
}

/// Returns the program of the newest PostgreSQL here.
fn find(name: &str) -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let version = |path: &Path| path.file_name()?.to_str()?.parse::<u32>().ok();
    let mut versions: Vec<PathBuf> = versions.map(|entry| entry.path()).collect();
    versions.sort_by_key(|path| std::cmp::Reverse(version(path)));
    let folders: Vec<PathBuf> = versions.into_iter().map(|path| path.join("bin")).collect();
    program::find(&[name], &folders, "postgresql, or set DATABASE_URL")
}
