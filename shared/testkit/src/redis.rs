//! A private Redis.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use crate::server::{Server, Spec, answers, folder, os};
use crate::{certificate, given, port, program, unique};

/// How it is set up.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// What everybody has to say first.
    pub password: Option<String>,
    /// A user with its password who may do everything; nobody else may do anything then.
    pub user: Option<(String, String)>,
    /// The most memory it takes, in bytes, and what it does then, such as `allkeys-lru`.
    pub memory: Option<(u64, &'static str)>,
    /// Encrypted connections only, by a certificate for 127.0.0.1 and localhost made on the spot.
    pub tls: bool,
}

pub struct Redis {
    server: Option<Server>,
    url: String,
    port: u16,
}

impl Redis {
    /// Starts one.
    ///
    /// # Panics
    ///
    /// Where it cannot be started.
    pub fn start(options: &Options) -> Self {
        let program =
            program::find(&["redis-server", "valkey-server"], &[], "redis-server, or set REDIS_URL");
        let (folder, port) = (folder("redis"), port::free());
        // By file, because arguments are for all to see.
        let mut lines = vec![
            "bind 127.0.0.1".to_owned(),
            format!("dir {}", folder.display()),
            "save \"\"".to_owned(),
            "appendonly no".to_owned(),
            "daemonize no".to_owned(),
        ];
        if options.tls {
            certificate::make(&folder);
            let file = |name: &str| folder.join(name).display().to_string();
            lines.push(format!("port 0\ntls-port {port}\ntls-auth-clients no"));
            lines.push(format!("tls-cert-file {}\ntls-key-file {}", file("cert.pem"), file("key.pem")));
            lines.push(format!("tls-ca-cert-file {}", file("cert.pem")));
        } else {
            lines.push(format!("port {port}"));
        }
        if let Some(password) = &options.password {
            lines.push(format!("requirepass {password}"));
        }
        if let Some((user, password)) = &options.user {
            lines.push(format!("user {user} on >{password} ~* &* +@all\nuser default off"));
        }
        if let Some((bytes, policy)) = options.memory {
            lines.push(format!("maxmemory {bytes}\nmaxmemory-policy {policy}"));
        }
        let configuration = folder.join("redis.conf");
        std::fs::write(&configuration, lines.join("\n") + "\n").expect("the folder is there");
        let guarded = options.password.is_some() || options.user.is_some();
        let tls = options.tls;
        let is_ready = move || match tls {
            true => std::net::TcpStream::connect(("127.0.0.1", port)).is_ok(),
            false => answers(port, b"PING\r\n", if guarded { b"-NOAUTH" } else { b"+PONG" }),
        };
        let server = Server::start(Spec {
            folder,
            program,
            arguments: vec![os(configuration)],
            environment: Vec::new(),
            is_ready: Box::new(is_ready),
            patience: Duration::from_secs(30),
        });
        let who = match (&options.user, &options.password) {
            (Some((user, password)), _) => format!("{user}:{password}@"),
            (None, Some(password)) => format!(":{password}@"),
            (None, None) => String::new(),
        };
        let scheme = if tls { "rediss" } else { "redis" };
        Self { server: Some(server), url: format!("{scheme}://{who}127.0.0.1:{port}"), port }
    }

    /// Returns the one of this test process, or the one at `REDIS_URL`.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Redis> = OnceLock::new();
        SHARED.get_or_init(|| match given("REDIS_URL") {
            Some(url) => Self { server: None, url, port: 0 },
            None => Self::start(&Options::default()),
        })
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns the file with the certificate to trust, where it has one.
    pub fn certificate(&self) -> PathBuf {
        self.server().folder().join("cert.pem")
    }

    /// Returns a prefix of keys for one test, which purges them at its end.
    pub fn prefix(&self) -> String {
        unique::name("test")
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
