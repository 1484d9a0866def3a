//! The gate: whatever a worker connects to for a source, it connects to through here.
//!
//! A name is resolved once, and what is connected to is one of the addresses that were looked at: who answers "public" at
//! first and "private" afterwards is not asked afterwards. Certificates and host keys are those of the name all the same.

use std::any::Any;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Context as _;
use gitfleet_shared::contract::{Failure, FailureClass, Source};
use gitfleet_shared::secret::Secret;
use gitfleet_shared::sources::{Policy, Refused, Scheme, Target};
use gix::protocol::transport::client::blocking_io::http;
use reqwest::dns::{Name, Resolve, Resolving};

/// How long an https server may say nothing, or take nothing, unless it is said otherwise.
const SILENCE: Duration = Duration::from_secs(60);

/// Which sources may be asked, and how.
#[derive(Clone)]
pub struct Gate {
    policy: Policy,
    resolver: Resolver,
    /// Certificates to trust beside the system's.
    roots: Vec<reqwest::Certificate>,
    proxy: Option<Secret>,
    silence: Duration,
}

/// Returns the addresses of a name.
pub type Resolver = Arc<dyn Fn(&str) -> io::Result<Vec<IpAddr>> + Send + Sync>;

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Gate({:?})", self.policy)
    }
}

impl Gate {
    /// A gate that resolves names as the system does, and trusts whom the system trusts.
    pub fn new(policy: Policy) -> Self {
        Self { policy, resolver: Arc::new(system), roots: Vec::new(), proxy: None, silence: SILENCE }
    }

    /// Trusts these certificates (PEM), too.
    ///
    /// # Errors
    ///
    /// Where they are none.
    pub fn trusting(mut self, pem: &[u8]) -> reqwest::Result<Self> {
        self.roots = reqwest::Certificate::from_pem_bundle(pem)?;
        Ok(self)
    }

    /// Asks https sources through a proxy, whose address may hold a password. It resolves names itself, so which addresses
    /// they lead to is its matter.
    ///
    /// # Errors
    ///
    /// Where it is no address of a proxy.
    pub fn through(mut self, proxy: Option<Secret>) -> reqwest::Result<Self> {
        if let Some(proxy) = &proxy {
            reqwest::Proxy::https(proxy.now())?;
        }
        self.proxy = proxy;
        Ok(self)
    }

    #[must_use]
    pub fn resolving(self, resolver: Resolver) -> Self {
        Self { resolver, ..self }
    }

    /// Gives an https server up that says nothing for so long, or takes nothing.
    #[must_use]
    pub fn waiting(self, silence: Duration) -> Self {
        Self { silence, ..self }
    }

    /// Checks what can be told without asking anybody.
    ///
    /// # Errors
    ///
    /// Where the source may not be asked.
    pub fn check(&self, source: &Source) -> Result<(), Failure> {
        self.policy.check(source).map(drop).map_err(|refused| closed(source, &refused))
    }

    /// Finds the way to `url`.
    ///
    /// # Errors
    ///
    /// Where it may not be asked, or nobody knows its host.
    pub(crate) fn open(&self, url: &str, parsed: &gix::Url) -> Result<Way, Failure> {
        let source = Source::Remote { url: url.to_owned() };
        let target = self.policy.check(&source).map_err(|refused| closed(&source, &refused))?;
        let refuse = |refused| closed(&source, &refused);
        let Target::Server { scheme, host, port, user } = target else {
            // Whatever would connect has to mean the same as whoever looked.
            return match parsed.scheme {
                gix::url::Scheme::File => Ok(Way::File),
                _ => Err(refuse(Refused::Form)),
            };
        };
        let same_host =
            parsed.host().is_some_and(|other| other.trim_matches(['[', ']']).eq_ignore_ascii_case(&host));
        match (scheme, &parsed.scheme) {
            (Scheme::Https, gix::url::Scheme::Https) if same_host => {
                let pinned = match &self.proxy {
                    Some(_) => Vec::new(),
                    None => self.reach(&source, &host)?,
                };
                Ok(Way::Https { host, pinned })
            }
            (Scheme::Ssh, gix::url::Scheme::Ssh) if same_host => {
                self.ssh(&source, &host, port, user.as_deref()).map(|command| Way::Ssh { command })
            }
            _ => Err(refuse(Refused::Form)),
        }
    }

    /// Returns the addresses of `host` that may be asked: one at least.
    fn reach(&self, source: &Source, host: &str) -> Result<Vec<IpAddr>, Failure> {
        let found = (self.resolver)(host).map_err(|error| Failure {
            class: FailureClass::FetchFailed,
            message: format!("cannot fetch {source}: the host {host} is not found: {error}"),
        })?;
        let allowed: Vec<IpAddr> = found.into_iter().filter(|address| self.policy.allows(*address)).collect();
        match allowed.is_empty() {
            true => Err(closed(source, &Refused::Address(host.to_owned()))),
            false => Ok(allowed),
        }
    }

    /// Returns the ssh that leads to `host`, and does not look for it anew. What the configuration of ssh on this machine
    /// calls it is followed; where that leads through another host, that one finds the way.
    fn ssh(
        &self,
        source: &Source,
        host: &str,
        port: Option<u16>,
        user: Option<&str>,
    ) -> Result<String, Failure> {
        let known = configured(host, port, user).map_err(|error| Failure {
            class: FailureClass::FetchFailed,
            message: format!("cannot fetch {source}: ssh cannot be asked how it would connect: {error}"),
        })?;
        let mut options = vec![
            // Nobody is there to answer, and nothing that is silent is waited for.
            "BatchMode=yes".to_owned(),
            "ConnectTimeout=20".to_owned(),
            "ServerAliveInterval=15".to_owned(),
            "ServerAliveCountMax=4".to_owned(),
        ];
        if !known.is_led_on {
            let name = known.host.as_deref().unwrap_or(host);
            let address = self.reach(source, name)?[0];
            let alias = known.alias.unwrap_or_else(|| match known.port.or(port) {
                // As ssh calls it in its list of known hosts.
                Some(port) if port != 22 => format!("[{name}]:{port}"),
                _ => name.to_owned(),
            });
            options.push(format!("HostName={address}"));
            options.push(format!("HostKeyAlias={alias}"));
        }
        let options = options.iter().map(|option| format!(" -o '{}'", option.replace('\'', "'\\''")));
        Ok(format!("ssh{}", options.collect::<String>()))
    }
}

/// Asks the system, whose answers may be those of a file, of DNS or of whatever else it is configured for.
fn system(host: &str) -> io::Result<Vec<IpAddr>> {
    Ok((host, 0).to_socket_addrs()?.map(|address| address.ip()).collect())
}

fn closed(source: &Source, refused: &Refused) -> Failure {
    let message = format!("{source} is not fetched: {refused}; {}", refused.hint());
    Failure { class: FailureClass::AddressNotAllowed, message }
}

/// What the configuration of ssh says of a host.
#[derive(Debug, Default, PartialEq, Eq)]
struct Configured {
    host: Option<String>,
    port: Option<u16>,
    alias: Option<String>,
    /// Whether it is reached through another host or a program.
    is_led_on: bool,
}

fn configured(host: &str, port: Option<u16>, user: Option<&str>) -> io::Result<Configured> {
    let mut command = Command::new("ssh");
    if let Some(port) = port {
        command.arg(format!("-p{port}"));
    }
    let place = user.map_or_else(|| host.to_owned(), |user| format!("{user}@{host}"));
    let asked = command.args(["-G", &place]).stdin(Stdio::null()).stderr(Stdio::null()).output()?;
    if !asked.status.success() {
        return Err(io::Error::other(asked.status.to_string()));
    }
    Ok(said(&String::from_utf8_lossy(&asked.stdout)))
}

fn said(text: &str) -> Configured {
    let mut said = Configured::default();
    for (key, value) in text.lines().filter_map(|line| line.split_once(' ')) {
        match key {
            "hostname" => said.host = Some(value.to_owned()),
            "port" => said.port = value.parse().ok(),
            "hostkeyalias" if value != "none" => said.alias = Some(value.to_owned()),
            "proxycommand" | "proxyjump" => said.is_led_on |= value != "none",
            _ => {}
        }
    }
    said
}

/// How a source is reached.
pub(crate) enum Way {
    File,
    Https {
        host: String,
        /// Where its name leads; empty where a proxy finds that out.
        pinned: Vec<IpAddr>,
    },
    Ssh {
        command: String,
    },
}

impl Way {
    /// Returns the settings of git that it takes.
    pub(crate) fn settings(&self) -> Vec<String> {
        match self {
            Self::Ssh { command } => vec![format!("core.sshCommand={command}"), "ssh.variant=ssh".to_owned()],
            Self::File | Self::Https { .. } => Vec::new(),
        }
    }

    /// Returns what a connection over https is told, beside the settings of git; `None` for any other.
    pub(crate) fn options(
        &self,
        gate: &Gate,
        repository: &gix::Repository,
        url: &str,
    ) -> anyhow::Result<Option<Box<dyn Any>>> {
        let Self::Https { host, pinned } = self else { return Ok(None) };
        let mut options = repository.transport_options(url, None)?.context("https has no options")?;
        let of_http =
            options.downcast_mut::<http::Options>().context("the options are not those of https")?;
        let (host, pinned, gate) = (host.clone(), pinned.clone(), gate.clone());
        let backend = http::reqwest::Options {
            configure_client: Some(Box::new(move |builder| {
                let builder = builder.https_only(true).no_proxy().timeout(gate.silence);
                let builder = builder.tls_certs_merge(gate.roots.iter().cloned());
                Ok(match gate.proxy.as_ref().and_then(|proxy| reqwest::Proxy::https(proxy.now()).ok()) {
                    Some(proxy) => builder.proxy(proxy),
                    None => {
                        let addresses: Vec<SocketAddr> =
                            pinned.iter().map(|address| SocketAddr::new(*address, 0)).collect();
                        builder.dns_resolver(Arc::new(Nowhere)).resolve_to_addrs(&host, &addresses)
                    }
                })
            })),
            configure_request: None,
        };
        of_http.backend = Some(Arc::new(Mutex::new(backend)));
        Ok(Some(options))
    }
}

/// Knows no name: all that may be connected to was resolved before.
struct Nowhere;

impl Resolve for Nowhere {
    fn resolve(&self, name: Name) -> Resolving {
        let name = name.as_str().to_owned();
        Box::pin(async move { Err(format!("{name} was not looked at before").into()) })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use gitfleet_shared::network::{Network, loosely_v4};

    use super::*;

    fn parsed(url: &str) -> gix::Url {
        gix::url::parse(gix::bstr::BStr::new(url)).unwrap()
    }

    fn policy(private: &[&str]) -> Policy {
        Policy { private: networks(private), ..Policy::default() }
    }

    fn networks(texts: &[&str]) -> Vec<Network> {
        texts.iter().map(|network| Network::read(network).unwrap()).collect()
    }

    /// Answers with these, one after the other.
    fn answers(answers: &'static [&'static [&'static str]]) -> (Resolver, Arc<AtomicUsize>) {
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = asked.clone();
        let resolver: Resolver = Arc::new(move |_| {
            let at = counter.fetch_add(1, Ordering::SeqCst);
            Ok(answers[at].iter().map(|address| address.parse().unwrap()).collect())
        });
        (resolver, asked)
    }

    #[test]
    fn only_what_may_be_asked_is_kept_of_what_a_name_leads_to() {
        let check =
            |answer: &'static [&'static [&'static str]], private: &[&str], expect: Option<&[&str]>| {
                let gate = Gate::new(policy(private)).resolving(answers(answer).0);
                let url = "https://git.example/a";
                match (gate.open(url, &parsed(url)), expect) {
                    (Ok(Way::Https { pinned, .. }), Some(expect)) => {
                        let pinned: Vec<String> = pinned.iter().map(ToString::to_string).collect();
                        assert_eq!(pinned, expect);
                    }
                    (Err(failure), None) => {
                        assert_eq!(failure.class, FailureClass::AddressNotAllowed);
                        let address = answer[0][0];
                        assert!(!failure.message.contains(address), "{}", failure.message);
                        assert!(failure.message.contains("sources.private_addresses"), "{}", failure.message);
                    }
                    (got, expect) => panic!("{answer:?}: {:?} and not {expect:?}", got.err()),
                }
            };
        check(&[&["140.82.121.3", "10.0.0.1", "2606:50c0::1"]], &[], Some(&["140.82.121.3", "2606:50c0::1"]));
        check(&[&["10.0.0.1"]], &[], None);
        check(&[&["::ffff:169.254.169.254", "fe80::1"]], &[], None);
        check(&[&["10.0.0.1", "192.168.0.1"]], &["10.0.0.0/8"], Some(&["10.0.0.1"]));
    }

    #[test]
    fn a_name_is_resolved_once() {
        let (resolver, asked) = answers(&[&["140.82.121.3"], &["127.0.0.1"]]);
        let gate = Gate::new(Policy::default()).resolving(resolver);
        let url = "https://git.example/a";
        assert!(gate.open(url, &parsed(url)).is_ok());
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        // The next fetch looks anew, and does not go where the name leads by then.
        assert_eq!(gate.open(url, &parsed(url)).err().unwrap().class, FailureClass::AddressNotAllowed);
    }

    #[test]
    fn an_unknown_name_may_be_known_later() {
        let resolver: Resolver = Arc::new(|_| Err(io::Error::other("no such host")));
        let gate = Gate::new(Policy::default()).resolving(resolver);
        let url = "https://git.example/a";
        assert_eq!(gate.open(url, &parsed(url)).err().unwrap().class, FailureClass::FetchFailed);
    }

    /// Pieces in which an address can be read in two ways.
    const PIECES: [&str; 26] = [
        "https://", "ssh://", "git", "example", ".", "@", ":", "/", "\\", "%", "%2e", "[", "]", "::", "127",
        "0x7f", "1", "443", "?", "#", " ", "\t", "é", "１", "-", "_",
    ];

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(20_000))]

        /// What is looked at, what gix makes of an address, and what the client connects to are one host and one port.
        #[test]
        fn all_who_read_an_address_mean_the_same_host(
            pieces in proptest::collection::vec(proptest::sample::select(&PIECES[..]), 1..9)
        ) {
            let url = format!("https://{}", pieces.concat());
            let everything = Policy { private: networks(&["0.0.0.0/0", "::/0"]), ..Policy::default() };
            let Ok(Target::Server { host, port, .. }) = everything.check(&Source::Remote { url: url.clone() }) else {
                return Ok(());
            };
            let Ok(connected) = reqwest::Url::parse(&url) else { return Ok(()) };
            let named = connected.host_str().unwrap_or_default().trim_matches(['[', ']']);
            let same = named == host
                || named.parse::<IpAddr>().ok().is_some_and(|address| {
                    Some(address) == host.parse().ok()
                        || Some(address) == loosely_v4(&host).map(IpAddr::from)
                });
            proptest::prop_assert!(same, "{url}: {host} and {named}");
            proptest::prop_assert_eq!(connected.port_or_known_default(), port.or(Some(443)), "{}", url);
        }
    }

    #[test]
    fn what_ssh_is_configured_for_is_read() {
        let text =
            "host work\nuser ann\nhostname git.example\nport 2222\nhostkeyalias corp\nproxyjump none\n";
        let expect = Configured {
            host: Some("git.example".into()),
            port: Some(2222),
            alias: Some("corp".into()),
            is_led_on: false,
        };
        assert_eq!(said(text), expect);
        assert!(said("hostname a\nproxyjump bastion\n").is_led_on);
        assert!(said("proxycommand nc %h %p\n").is_led_on);
    }
}
