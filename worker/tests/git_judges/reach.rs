//! What is connected to, and what is shown there: servers of ours at addresses of this machine note who comes.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use gitfleet_shared::contract::{Failure, FailureClass};
use gitfleet_shared::network::Network;
use gitfleet_shared::secret::Secret;
use gitfleet_shared::sources::Policy;
use gitfleet_testkit::certificate;
use gitfleet_testkit::git::{GitServer, Manner};
use gitfleet_worker::credentials::{Credential, Credentials};
use gitfleet_worker::gate::{Gate, Resolver};
use gitfleet_worker::mirror::Mirrors;

use crate::fixture::{Fixture, file};

/// Stands for a public address, and so does the next one: the policy of these tests allows both.
const PUBLIC: &str = "127.0.0.2";
const OTHER_PUBLIC: &str = "127.0.0.3";
const PRIVATE: &str = "127.0.0.1";

/// A repository, its server, and what it takes to ask it.
struct Room {
    source: Fixture,
    certificates: tempfile::TempDir,
    server: GitServer,
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

impl Room {
    /// A server of git.example at an address that stands for a public one.
    fn new() -> Self {
        Self::with(|folder| certificate::make_for(folder, "DNS:git.example"))
    }

    fn with(make: impl FnOnce(&Path)) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let source = Fixture::new();
        source.commit(&[file("a", "one\n")]);
        let certificates = tempfile::tempdir().unwrap();
        make(certificates.path());
        let folder = source.path().parent().unwrap();
        let server = GitServer::start(ip(PUBLIC), folder, Some(certificates.path()));
        Self { source, certificates, server }
    }

    fn url(&self) -> String {
        let name = self.source.path().file_name().unwrap().to_str().unwrap();
        format!("https://git.example:{}/{name}", self.server.port())
    }

    fn folder(&self) -> &Path {
        self.source.path().parent().unwrap()
    }

    /// Lets through to what stands for public addresses, and trusts the certificate.
    fn gate(&self, answers: &'static [&'static str]) -> Gate {
        self.gate_to(resolver(answers))
    }

    fn gate_to(&self, resolver: Resolver) -> Gate {
        let pem = std::fs::read(self.certificates.path().join("cert.pem")).unwrap();
        distrusting(resolver).trusting(&pem).unwrap()
    }

    fn mirrors(&self, gate: Gate, credentials: Vec<Credential>) -> Mirrors {
        Mirrors::new(self.source.room().join("mirrors"), gate, Credentials::new(credentials), None)
    }

    fn fetch(&self, credentials: Vec<Credential>, name: Option<&str>) -> Result<PathBuf, Failure> {
        let gate = self.gate(&[PUBLIC]);
        self.mirrors(gate, credentials).fetch(&self.url(), name, &AtomicBool::new(false))
    }

    fn credential(&self, name: Option<&str>) -> Credential {
        Credential {
            name: name.map(str::to_owned),
            host: format!("git.example:{}", self.server.port()),
            path: String::new(),
            user: "bot".into(),
            secret: Secret::given("canary".into()),
        }
    }
}

fn distrusting(resolver: Resolver) -> Gate {
    let private = [PUBLIC, OTHER_PUBLIC].map(|address| Network::read(address).unwrap()).to_vec();
    Gate::new(Policy { private, ..Policy::default() }).resolving(resolver)
}

/// Answers with these, one after the other, and with the last from then on.
fn resolver(answers: &'static [&'static str]) -> Resolver {
    let asked = AtomicUsize::new(0);
    Arc::new(move |_| {
        let at = asked.fetch_add(1, Ordering::SeqCst);
        Ok(vec![ip(answers[at.min(answers.len() - 1)])])
    })
}

#[track_caller]
fn refused(fetched: Result<PathBuf, Failure>, class: FailureClass) -> String {
    let failure = fetched.expect_err("it is refused");
    assert_eq!(failure.class, class, "{}", failure.message);
    assert!(!failure.message.contains("canary"), "{}", failure.message);
    failure.message
}

#[test]
fn what_was_looked_at_is_what_is_connected_to() {
    let room = Room::new();
    // Whoever answers for the name says something else the second time.
    let trap = GitServer::start_at((ip(PRIVATE), room.server.port()).into(), room.folder(), None);
    let gate = room.gate(&[PUBLIC, PRIVATE]);
    let mirrors = room.mirrors(gate, Vec::new());
    let path = mirrors.fetch(&room.url(), None, &AtomicBool::new(false)).unwrap();
    assert!(path.join("objects").is_dir());
    let asked = room.server.asked();
    assert!(asked.len() >= 2, "{asked:?}");
    assert!(asked.iter().all(|one| one.host.starts_with("git.example:") && one.shown.is_none()), "{asked:?}");
    let again = mirrors.fetch(&room.url(), None, &AtomicBool::new(false));
    let message = refused(again, FailureClass::AddressNotAllowed);
    assert!(!message.contains(PRIVATE), "{message}");
    assert_eq!(trap.connections(), 0);
}

#[test]
fn a_listing_goes_the_same_way() {
    let room = Room::new();
    let listed = room.mirrors(room.gate(&[PUBLIC]), Vec::new()).list(&room.url(), None).unwrap();
    assert!(!listed.is_empty());
    let known = room.server.connections();
    assert!(room.mirrors(room.gate(&[PRIVATE]), Vec::new()).list(&room.url(), None).is_err());
    assert_eq!(room.server.connections(), known);
}

#[test]
fn a_certificate_is_that_of_the_name_and_good_and_trusted() {
    let check = |room: &Room, gate: Gate| {
        let mirrors = room.mirrors(gate, vec![room.credential(None)]);
        let fetched = mirrors.fetch(&room.url(), None, &AtomicBool::new(false));
        let message = refused(fetched, FailureClass::FetchFailed);
        assert_eq!(room.server.asked(), [], "{message}");
        assert!(room.server.connections() > 0, "{message}");
        message.to_lowercase()
    };
    let other = Room::with(|folder| certificate::make_for(folder, "DNS:other.example,IP:127.0.0.2"));
    check(&other, other.gate(&[PUBLIC]));
    let expired = Room::with(|folder| certificate::make_expired(folder, "DNS:git.example"));
    let message = check(&expired, expired.gate(&[PUBLIC]));
    assert!(message.contains("expired"), "{message}");
    let unknown = Room::new();
    check(&unknown, distrusting(resolver(&[PUBLIC])));
}

#[test]
fn a_redirect_is_not_followed_and_what_was_shown_goes_nowhere_else() {
    let room = Room::new();
    let elsewhere = GitServer::start(ip(OTHER_PUBLIC), room.folder(), Some(room.certificates.path()));
    let clear = GitServer::start(ip(PUBLIC), room.folder(), None);
    let private = GitServer::start(ip(PRIVATE), room.folder(), None);
    for place in [
        format!("https://other.example:{}", elsewhere.port()),
        format!("https://{OTHER_PUBLIC}:{}", elsewhere.port()),
        format!("http://git.example:{}", clear.port()),
        format!("http://{PRIVATE}:{}", private.port()),
        format!("file://{}", room.folder().display()),
    ] {
        // At once, and only to whoever has shown the secret.
        for wants in [None, Some(String::new())] {
            let shows = wants.is_some();
            room.server.behave(Manner { wants, redirect: Some(place.clone()), ..Manner::default() });
            let fetched = room.fetch(vec![room.credential(None)], None);
            let message = refused(fetched, FailureClass::FetchFailed);
            assert!(message.contains("redirects are not followed"), "{message}");
            let asked = room.server.asked();
            let shown = asked.iter().any(|one| one.shown.as_deref() == Some("bot:canary"));
            assert_eq!(shown, shows, "{place}: {asked:?}");
        }
    }
    for other in [elsewhere, clear, private] {
        assert_eq!(other.connections(), 0);
    }
}

#[test]
fn who_asks_for_a_secret_that_is_for_another_gets_none() {
    let room = Room::new();
    room.server.behave(Manner { wants: Some(String::new()), ..Manner::default() });
    let elsewhere = Credential { host: "git.example".into(), ..room.credential(None) };
    let below = Credential { path: "group".into(), ..room.credential(None) };
    for credentials in [vec![], vec![elsewhere, below, room.credential(Some("corp"))]] {
        let message = refused(room.fetch(credentials, None), FailureClass::AuthenticationFailed);
        assert!(message.contains("credentials"), "{message}");
        let asked = room.server.asked();
        assert!(!asked.is_empty() && asked.iter().all(|one| one.shown.is_none()), "{asked:?}");
    }
}

#[test]
fn a_named_credential_is_shown_to_its_host_and_a_wrong_name_to_nobody() {
    let room = Room::new();
    room.server.behave(Manner { wants: Some("bot:canary".into()), ..Manner::default() });
    let named = |host: &str| Credential { host: host.into(), ..room.credential(Some("corp")) };
    room.fetch(vec![room.credential(Some("corp"))], Some("corp")).unwrap();
    assert!(room.server.asked().iter().any(|one| one.shown.as_deref() == Some("bot:canary")));
    let known = room.server.connections();
    let message =
        refused(room.fetch(vec![named("git.example")], Some("corp")), FailureClass::AuthenticationFailed);
    assert!(message.contains("shown nowhere else"), "{message}");
    let message =
        refused(room.fetch(vec![room.credential(None)], Some("corp")), FailureClass::AuthenticationFailed);
    assert!(message.contains("no credential named corp"), "{message}");
    assert_eq!(room.server.connections(), known);
}

#[test]
fn what_a_host_refuses_is_told_apart_from_what_it_has_not() {
    let room = Room::new();
    let credential = || vec![room.credential(None)];
    room.server.behave(Manner { wants: Some("bot:other".into()), ..Manner::default() });
    refused(room.fetch(credential(), None), FailureClass::AuthenticationFailed);
    room.server.behave(Manner::default());
    let url = format!("https://git.example:{}/authentic-403.git", room.server.port());
    let mirrors = room.mirrors(room.gate(&[PUBLIC]), credential());
    refused(mirrors.fetch(&url, None, &AtomicBool::new(false)), FailureClass::NotFound);
}

#[test]
fn a_proxy_is_asked_where_one_is_configured_and_finds_the_way_itself() {
    use std::io::{Read as _, Write as _};
    let room = Room::new();
    let proxy = std::net::TcpListener::bind((PRIVATE, 0)).unwrap();
    let address = format!("http://bot:canary@{}", proxy.local_addr().unwrap());
    let asked = std::thread::spawn(move || {
        let (mut stream, _) = proxy.accept().unwrap();
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            stream.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        stream.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n").unwrap();
        String::from_utf8(head).unwrap()
    });
    let gate = room.gate_to(Arc::new(|name| panic!("{name} is looked up")));
    let gate = gate.through(Some(Secret::given(address.into()))).unwrap();
    let fetched = room.mirrors(gate, Vec::new()).fetch(&room.url(), None, &AtomicBool::new(false));
    assert!(!fetched.unwrap_err().message.contains("canary"));
    let head = asked.join().unwrap();
    assert!(head.starts_with(&format!("CONNECT git.example:{} ", room.server.port())), "{head}");
    assert_eq!(room.server.connections(), 0);
    // What needs no looking up is held against the policy all the same.
    let gate = room.gate_to(resolver(&[PUBLIC])).through(Some(Secret::given("http://127.0.0.1:9".into())));
    let url = format!("https://{PRIVATE}:{}/a", room.server.port());
    let fetched = room.mirrors(gate.unwrap(), Vec::new()).fetch(&url, None, &AtomicBool::new(false));
    refused(fetched, FailureClass::AddressNotAllowed);
    assert!(room.gate(&[PUBLIC]).through(Some(Secret::given("no address".into()))).is_err());
}

#[test]
fn a_server_that_says_nothing_is_given_up() {
    let room = Room::new();
    room.server.behave(Manner { silent: true, ..Manner::default() });
    let gate = room.gate(&[PUBLIC]).waiting(std::time::Duration::from_millis(200));
    let fetched = room.mirrors(gate, Vec::new()).fetch(&room.url(), None, &AtomicBool::new(false));
    refused(fetched, FailureClass::FetchFailed);
    assert_eq!(room.server.asked().len(), 1);
}

#[test]
fn a_secret_in_a_file_is_as_it_is_there_now() {
    let room = Room::new();
    let file = room.certificates.path().join("token");
    std::fs::write(&file, "old\n").unwrap();
    let secret = Secret::in_file(&file).unwrap();
    let credential = Credential { secret, ..room.credential(None) };
    let mirrors = room.mirrors(room.gate(&[PUBLIC]), vec![credential]);
    let fetch = || mirrors.fetch(&room.url(), None, &AtomicBool::new(false));
    room.server.behave(Manner { wants: Some("bot:old".into()), ..Manner::default() });
    fetch().unwrap();
    room.server.behave(Manner { wants: Some("bot:new".into()), ..Manner::default() });
    refused(fetch(), FailureClass::AuthenticationFailed);
    std::fs::write(&file, "new\n").unwrap();
    fetch().unwrap();
}
