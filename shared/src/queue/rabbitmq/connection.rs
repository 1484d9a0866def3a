//! Opens a connection: within a deadline, and with errors that say what an operator can do about them.
//!
//! The address holds a password; no error and no log line holds more of it than host, port and virtual host.

use std::fmt;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lapin::protocol::{AMQPErrorKind, AMQPHardError};
use lapin::tcp::OwnedTLSConfig;
use lapin::uri::{AMQPScheme, AMQPUri, SASLMechanism};
use lapin::{Connection, ConnectionProperties, ErrorKind};

use super::Config;
use super::greeting::{self, Greeting};
use crate::secret::Secret;

/// Where a broker is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place(String);

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Cheap to clone, because everybody who waits for a connection is told why there is none.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ConnectError {
    #[error("the address of RabbitMQ is not amqp://user:password@host:port/vhost: {reason}")]
    Address { reason: &'static str },
    #[error("RabbitMQ cannot be reached at {place}")]
    Unreachable {
        place: Place,
        #[source]
        source: Arc<dyn std::error::Error + Send + Sync>,
    },
    #[error("nobody answered at {place} within {within:?}")]
    Silent { place: Place, within: Duration },
    /// User, password, virtual host or permission.
    #[error("RabbitMQ at {place} does not let us in: {reason}")]
    Refused { place: Place, reason: String },
    /// Nothing was deleted or changed.
    #[error("{kind} {name} at {place} is not as it is needed: {difference}")]
    Topology { place: Place, kind: &'static str, name: String, difference: String },
    /// Anybody who knows RabbitMQ knows them. Nothing was asked there.
    #[error(
        "the address of RabbitMQ at {place} has the user and the password that every RabbitMQ comes with"
    )]
    DefaultLogin { place: Place },
    #[error("what answers at {place} is no RabbitMQ: {reason}")]
    Stranger { place: Place, reason: &'static str },
    #[error("the connection to RabbitMQ at {place} is lost: {reason}")]
    Lost { place: Place, reason: String },
    #[error("the queue is closed")]
    Closed,
}

/// Opens connections to one broker.
pub(super) struct Opener {
    url: Secret,
    /// What the address was when it was last looked at, and what is made of the last one that was an address.
    last: Mutex<(String, Arc<Address>)>,
    heartbeat: Duration,
    roots: OwnedTLSConfig,
    name: String,
    deadline: Duration,
    /// Whether the last attempt met silence. An attempt that is given up leaves a thread of the client waiting, so
    /// from then on the broker must greet before another is made.
    met_silence: AtomicBool,
}

/// Where to connect, and as whom.
struct Address {
    uri: AMQPUri,
    place: Place,
}

impl Address {
    fn read(address: &str, heartbeat: Duration) -> Result<Self, ConnectError> {
        let host = address.split_once("://").map_or(address, |(_, rest)| rest);
        let host = host.split('/').next().unwrap_or_default().rsplit('@').next().unwrap_or_default();
        if host.starts_with('[') {
            // The library would take it for this machine.
            return Err(ConnectError::Address { reason: "IPv6 addresses need a host name here" });
        }
        let uri: Result<AMQPUri, String> = address.parse();
        // What the parser says may quote the address.
        let mut uri = uri.map_err(|_| ConnectError::Address { reason: "it cannot be read" })?;
        if uri.authority.host.is_empty() {
            return Err(ConnectError::Address { reason: "it names no host" });
        }
        let heartbeat = u16::try_from(heartbeat.as_secs().max(1)).unwrap_or(u16::MAX);
        uri.query.heartbeat.get_or_insert(heartbeat);
        let scheme = match uri.scheme {
            AMQPScheme::AMQP => "amqp",
            AMQPScheme::AMQPS => "amqps",
        };
        let place = Place(format!("{scheme}://{}:{}/{}", uri.authority.host, uri.authority.port, uri.vhost));
        if has_default_login(&uri) && !is_this_machine(&uri.authority.host) {
            return Err(ConnectError::DefaultLogin { place });
        }
        Ok(Self { uri, place })
    }
}

impl Opener {
    pub(super) fn new(config: &Config) -> Result<Self, ConnectError> {
        let text = config.url.now();
        let address = Arc::new(Address::read(&text, config.heartbeat)?);
        Ok(Self {
            url: config.url.clone(),
            last: Mutex::new((text, address)),
            heartbeat: config.heartbeat,
            roots: OwnedTLSConfig { identity: None, cert_chain: config.roots.clone() },
            name: config.connection_name.clone(),
            deadline: config.connect_deadline,
            met_silence: AtomicBool::new(false),
        })
    }

    /// Returns the address as it is now. Where that is none, the last one stays.
    fn address(&self) -> Arc<Address> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.url.now();
        if now != last.0 {
            match Address::read(&now, self.heartbeat) {
                Ok(address) => last.1 = Arc::new(address),
                Err(error) => tracing::warn!(%error, "the last address of RabbitMQ stays in use"),
            }
            last.0 = now;
        }
        last.1.clone()
    }

    pub(super) fn has_default_login(&self) -> bool {
        has_default_login(&self.address().uri)
    }

    pub(super) fn place(&self) -> Place {
        self.address().place.clone()
    }

    pub(super) fn deadline(&self) -> Duration {
        self.deadline
    }

    pub(super) async fn open(&self, role: &str) -> Result<Connection, ConnectError> {
        if self.met_silence.load(Ordering::Relaxed) {
            self.greet().await?;
        }
        let runtime = lapin::runtime::default_runtime().map_err(|error| self.error(error))?;
        let properties =
            ConnectionProperties::default().with_connection_name(format!("{} ({role})", self.name).into());
        let connecting = Connection::connect_uri_with_config(
            self.address().uri.clone(),
            properties,
            self.roots.clone(),
            runtime,
        );
        let connected = tokio::time::timeout(self.deadline, connecting).await;
        self.met_silence.store(connected.is_err(), Ordering::Relaxed);
        connected.map_err(|_| self.silent())?.map_err(|error| self.error(error))
    }

    pub(super) async fn greet(&self) -> Result<Greeting, ConnectError> {
        let address = self.address();
        let asked = tokio::time::timeout(self.deadline, greeting::ask(&address.uri, &self.roots)).await;
        let asked = asked.map_err(|_| self.silent())?;
        let asked = asked.map_err(|source| self.unreachable(source))?;
        asked.map_err(|reason| ConnectError::Stranger { place: self.place(), reason })
    }

    fn silent(&self) -> ConnectError {
        ConnectError::Silent { place: self.place(), within: self.deadline }
    }

    fn unreachable(&self, source: impl std::error::Error + Send + Sync + 'static) -> ConnectError {
        ConnectError::Unreachable { place: self.place(), source: Arc::new(source) }
    }

    fn error(&self, error: lapin::Error) -> ConnectError {
        if let ErrorKind::ProtocolError(said) = error.kind()
            && let AMQPErrorKind::Hard(AMQPHardError::NOTALLOWED) | AMQPErrorKind::Soft(_) = said.kind()
        {
            return ConnectError::Refused { place: self.place(), reason: said.get_message().to_string() };
        }
        self.unreachable(error)
    }

    /// Tells a queue that is there and is not ours to change from whatever else went wrong.
    pub(super) fn declared(&self, kind: &'static str, name: &str, error: lapin::Error) -> ConnectError {
        let ErrorKind::ProtocolError(said) = error.kind() else { return self.unreachable(error) };
        let place = self.place();
        let message = said.get_message().as_str();
        if message.starts_with("PRECONDITION_FAILED") || message.starts_with("RESOURCE_LOCKED") {
            let difference = difference(message).unwrap_or_else(|| message.to_owned());
            return ConnectError::Topology { place, kind, name: name.to_owned(), difference };
        }
        if message.starts_with("ACCESS_REFUSED") {
            return ConnectError::Refused { place, reason: message.to_owned() };
        }
        self.unreachable(error)
    }
}

/// Whether user and password are those of a fresh broker, which an address without any means, too.
fn has_default_login(uri: &AMQPUri) -> bool {
    let login = &uri.authority.userinfo;
    // By certificate, they say nothing.
    uri.query.auth_mechanism != Some(SASLMechanism::External)
        && login.username == "guest"
        && login.password == "guest"
}

fn is_this_machine(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Puts the broker's words into an order that an operator can use: which argument, what it is, what it should be.
fn difference(message: &str) -> Option<String> {
    let (_, after) = message.split_once("inequivalent arg '")?;
    let (argument, after) = after.split_once('\'')?;
    let (_, after) = after.split_once("received ")?;
    let (wanted, found) = after.split_once(" but current is ")?;
    let plain = |value: &str| {
        let value = value.trim_start_matches("the value ");
        value.split_once(" of type ").map_or(value, |(value, _)| value).to_owned()
    };
    Some(format!("{argument} is {}, and must be {}", plain(found), plain(wanted)))
}

/// Shared by everybody who waits for the same connection.
pub(super) type Why = Arc<ConnectError>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_names_argument_and_values() {
        let message = "PRECONDITION_FAILED - inequivalent arg 'x-queue-type' for queue 'q' in vhost '/': \
                       received the value 'quorum' of type 'longstr' but current is none";
        assert_eq!(difference(message).as_deref(), Some("x-queue-type is none, and must be 'quorum'"));
        assert_eq!(difference("PRECONDITION_FAILED - something else"), None);
    }

    #[test]
    fn the_default_login_is_for_this_machine_alone() {
        let check = |url: &str| match Opener::new(&Config::new(url)) {
            Ok(opener) => Some(opener.has_default_login()),
            Err(ConnectError::DefaultLogin { .. }) => None,
            Err(error) => panic!("{url}: {error}"),
        };
        for host in ["127.0.0.1", "127.1.2.3", "localhost"] {
            assert_eq!(check(&format!("amqp://guest:guest@{host}:5672/%2f")), Some(true), "{host}");
            assert_eq!(check(&format!("amqp://{host}")), Some(true), "{host}");
            assert_eq!(check(&format!("amqp://guest:other@{host}")), Some(false), "{host}");
        }
        for host in ["broker", "10.0.0.1", "localhost.example.org", "0.0.0.0"] {
            assert_eq!(check(&format!("amqps://guest:guest@{host}:5671/%2f")), None, "{host}");
            assert_eq!(check(&format!("amqp://{host}")), None, "{host}");
            assert_eq!(check(&format!("amqp://guest:other@{host}")), Some(false), "{host}");
            assert_eq!(check(&format!("amqps://{host}?auth_mechanism=external")), Some(false), "{host}");
        }
    }

    #[test]
    fn an_ipv6_address_is_refused_and_not_taken_for_this_machine() {
        for url in ["amqp://[2001:db8::1]", "amqps://who:pass@[::1]:5671/%2f"] {
            let refused = Opener::new(&Config::new(url)).err();
            assert!(
                matches!(refused, Some(ConnectError::Address { reason }) if reason.contains("IPv6")),
                "{url}"
            );
        }
    }

    #[test]
    fn no_error_and_no_debug_output_holds_the_password() {
        let config = Config::new("amqp://who:canary@127.0.0.1:1/%2f");
        let opener = Opener::new(&config).unwrap();
        let shown = format!("{config:?} {:?} {}", opener.silent(), opener.silent());
        assert!(!shown.contains("canary") && !shown.contains("who"), "{shown}");
        let wrong = Opener::new(&Config::new("canary://who@:::")).err().unwrap();
        assert!(!format!("{wrong:?} {wrong}").contains("canary"));
    }
}
