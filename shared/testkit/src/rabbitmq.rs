//! A private RabbitMQ, with an epmd of its own: the machine's is neither used nor left behind.

use std::ffi::OsString;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use crate::server::{Server, Spec, answers, folder, os};
use crate::{certificate, given, port, program, unique};

/// How it is set up.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Further lines of its configuration, such as `consumer_timeout = 60000`.
    pub lines: Vec<String>,
    /// Encrypted connections only, by a certificate for 127.0.0.1 and localhost made on the spot.
    pub tls: bool,
}

/// Dropped in this order: the broker, and then what it told its name.
pub struct RabbitMq {
    server: Option<Server>,
    epmd: Option<Server>,
    environment: Vec<(OsString, OsString)>,
    url: String,
    port: u16,
}

impl RabbitMq {
    /// Starts one, with user and password `guest`.
    ///
    /// # Panics
    ///
    /// Where it cannot be started.
    pub fn start(options: &Options) -> Self {
        let program = find("rabbitmq-server");
        let epmd_port = port::free();
        let epmd = Server::start(Spec {
            folder: folder("epmd"),
            program: program::find(&["epmd"], &[], "erlang-base"),
            arguments: vec![os("-port"), os(epmd_port.to_string()), os("-address"), os("127.0.0.1")],
            environment: Vec::new(),
            is_ready: Box::new(move || TcpStream::connect(("127.0.0.1", epmd_port)).is_ok()),
            patience: Duration::from_secs(30),
        });
        let (folder, port, distribution) = (folder("rabbitmq"), port::free(), port::free());
        let listeners = if options.tls {
            certificate::make(&folder);
            let file = |name: &str| folder.join(name).display().to_string();
            format!(
                "listeners.tcp = none\nlisteners.ssl.default = 127.0.0.1:{port}\n\
                 ssl_options.certfile = {}\nssl_options.keyfile = {}\nssl_options.cacertfile = {0}",
                file("cert.pem"),
                file("key.pem"),
            )
        } else {
            format!("listeners.tcp.default = 127.0.0.1:{port}")
        };
        let lines = format!("{listeners}\ndisk_free_limit.absolute = 1MB\n{}\n", options.lines.join("\n"));
        write(&folder.join("rabbitmq.conf"), &lines);
        write(&folder.join("enabled_plugins"), "[].\n");
        write(&folder.join("rabbitmq-env.conf"), "");
        let at = |name: &str| os(folder.join(name));
        let environment: Vec<(OsString, OsString)> = [
            ("HOME", os(&folder)),
            ("ERL_EPMD_PORT", os(epmd_port.to_string())),
            ("ERL_EPMD_ADDRESS", os("127.0.0.1")),
            ("RABBITMQ_NODENAME", os(unique::name("gitfleet") + "@localhost")),
            ("RABBITMQ_DIST_PORT", os(distribution.to_string())),
            ("RABBITMQ_CONF_ENV_FILE", at("rabbitmq-env.conf")),
            ("RABBITMQ_CONFIG_FILE", at("rabbitmq.conf")),
            ("RABBITMQ_ENABLED_PLUGINS_FILE", at("enabled_plugins")),
            ("RABBITMQ_MNESIA_BASE", at("data")),
            ("RABBITMQ_LOG_BASE", at("logs")),
            ("RABBITMQ_SCHEMA_DIR", at("schema")),
            ("RABBITMQ_GENERATED_CONFIG_DIR", at("config")),
            ("RABBITMQ_PID_FILE", at("pid")),
            // As many schedulers as cores that are busy with other things already would only take turns.
            ("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", os("+S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none")),
        ]
        .into_iter()
        .map(|(name, value)| (os(name), value))
        .collect();
        let tls = options.tls;
        let server = Server::start(Spec {
            folder,
            program,
            arguments: Vec::new(),
            environment: environment.clone(),
            // A broker that is up answers the protocol's first words with a method frame on channel 0.
            is_ready: Box::new(move || match tls {
                true => TcpStream::connect(("127.0.0.1", port)).is_ok(),
                false => answers(port, b"AMQP\0\0\x09\x01", &[1, 0, 0]),
            }),
            patience: Duration::from_secs(120),
        });
        let scheme = if tls { "amqps" } else { "amqp" };
        let url = format!("{scheme}://guest:guest@127.0.0.1:{port}/%2f");
        Self { server: Some(server), epmd: Some(epmd), environment, url, port }
    }

    /// Returns the one of this test process, or the one at `AMQP_URL`.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<RabbitMq> = OnceLock::new();
        SHARED.get_or_init(|| match given("AMQP_URL") {
            Some(url) => Self { server: None, epmd: None, environment: Vec::new(), url, port: 0 },
            None => Self::start(&Options::default()),
        })
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns the address of the same broker behind a proxy at `port`.
    pub fn url_at(&self, port: u16) -> String {
        self.url.replace(&format!(":{}/", self.port), &format!(":{port}/"))
    }

    /// Returns the file with the certificate to trust, where it has one.
    pub fn certificate(&self) -> PathBuf {
        self.server().folder().join("cert.pem")
    }

    /// Returns a prefix of queues for one test, which removes them at its end.
    pub fn prefix(&self) -> String {
        unique::name("test")
    }

    /// Runs `rabbitmqctl` with `arguments`, and returns what it printed. It takes a second or two.
    ///
    /// # Panics
    ///
    /// Where it fails, or where the broker is not ours.
    pub fn control(&self, arguments: &[&str]) -> String {
        assert!(self.epmd.is_some(), "only a private server is disturbed");
        let run = Command::new(find("rabbitmqctl"))
            .args(["--quiet"])
            .args(arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .output()
            .expect("rabbitmqctl runs");
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        String::from_utf8_lossy(&run.stdout).into_owned()
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

/// Returns the script itself, because what Debian has in `PATH` insists on the system's user and folders.
fn find(name: &str) -> PathBuf {
    let mut folders = Vec::new();
    for base in ["/usr/lib/rabbitmq/lib", "/opt/rabbitmq", "/usr/local/lib/erlang/lib"] {
        let inner = std::fs::read_dir(base).into_iter().flatten().flatten();
        folders.extend(inner.map(|entry| entry.path().join("sbin")));
        folders.push(Path::new(base).join("sbin"));
    }
    folders.sort();
    folders.reverse();
    program::find(&[name], &folders, "rabbitmq-server, or set AMQP_URL")
}

fn write(file: &Path, text: &str) {
    std::fs::write(file, text).expect("the folder is there");
}
