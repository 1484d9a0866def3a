//! Which sources may be asked at all: a pure policy over schemes, hosts and addresses. Coordinators hold what is submitted
//! against it, and workers what they connect to, each against its own.
//!
//! A name says nothing of where it leads: the address counts, at the moment of connecting, and workers look at that.
//! What can be told from the text alone is told here, so that nobody waits for a worker to refuse it.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use crate::contract::Source;
use crate::network::{Network, is_public, loosely_v4};

/// How a source is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    Https,
    Ssh,
    /// A path, or `file://`: on the disk of whoever opens it.
    File,
}

/// Which sources may be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    pub schemes: Vec<Scheme>,
    /// Empty is every host.
    pub hosts: Vec<HostPattern>,
    /// Networks that may be reached although they are not public.
    pub private: Vec<Network>,
}

/// Hosts, as `git.example`, `*.example` or `git.example:8443`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPattern {
    /// In small letters.
    name: String,
    /// Whether all below `name` are meant, and not itself.
    below: bool,
    /// `None` is the usual one of the scheme.
    port: Option<u16>,
}

/// Where a source is, as its address says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    File,
    Server {
        scheme: Scheme,
        /// In small letters, an IPv6 address without its brackets.
        host: String,
        /// `None` is the usual one.
        port: Option<u16>,
        user: Option<String>,
    },
}

/// Why a source may not be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("{} sources are not allowed here", .0.name())]
    Scheme(Scheme),
    #[error("the host {0} is none of those that are allowed here")]
    Host(String),
    /// The address itself is not told: it may be nobody's business.
    #[error("{0} is at an address that may not be asked")]
    Address(String),
    #[error("the address is of no form that is known here")]
    Form,
}

impl Refused {
    /// Returns what to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Scheme(_) => {
                "whoever runs the fleet allows schemes with sources.schemes (GITFLEET_SOURCE_SCHEMES)"
            }
            Self::Host(_) => "whoever runs the fleet allows hosts with sources.hosts (GITFLEET_SOURCE_HOSTS)",
            Self::Address(_) => {
                "whoever runs the fleet allows networks that are not public with sources.private_addresses \
                 (GITFLEET_SOURCE_PRIVATE_ADDRESSES)"
            }
            Self::Form => "write it as https://host/owner/name, ssh://host/path or user@host:path",
        }
    }
}

impl Scheme {
    pub const ALL: [Self; 3] = [Self::Https, Self::Ssh, Self::File];

    pub fn name(self) -> &'static str {
        match self {
            Self::Https => "https",
            Self::Ssh => "ssh",
            Self::File => "file",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scheme| scheme.name() == name)
    }

    /// Returns the port that need not be said.
    fn usual_port(self) -> u16 {
        match self {
            Self::Https => 443,
            Self::Ssh => 22,
            Self::File => 0,
        }
    }
}

impl Default for Policy {
    /// What is right where others than the owner of the machine submit: the disk of a worker is nobody's to read.
    fn default() -> Self {
        Self { schemes: vec![Scheme::Https, Scheme::Ssh], hosts: Vec::new(), private: Vec::new() }
    }
}

impl Policy {
    /// Checks what can be told of a source without asking anybody.
    ///
    /// # Errors
    ///
    /// Where it may not be asked, whatever its name leads to.
    pub fn check(&self, source: &Source) -> Result<Target, Refused> {
        let target = match source {
            Source::Local { .. } => Target::File,
            Source::Remote { url } => Target::of(url).ok_or(Refused::Form)?,
        };
        let scheme = target.scheme();
        if !self.schemes.contains(&scheme) {
            return Err(Refused::Scheme(scheme));
        }
        let Target::Server { host, port, .. } = &target else { return Ok(target) };
        let port = port.unwrap_or(scheme.usual_port());
        if !self.hosts.is_empty() && !self.hosts.iter().any(|pattern| pattern.matches(host, port, scheme)) {
            return Err(Refused::Host(host.clone()));
        }
        match literal(host) {
            Some(address) if !self.allows(address) => Err(Refused::Address(host.clone())),
            _ => Ok(target),
        }
    }

    /// Whether somebody at `address` may be asked.
    pub fn allows(&self, address: IpAddr) -> bool {
        is_public(address) || self.private.iter().any(|network| network.holds(address))
    }
}

/// Returns the address that `host` is in itself; of names those that are this machine's by definition (RFC 6761).
fn literal(host: &str) -> Option<IpAddr> {
    let name = host.strip_suffix('.').unwrap_or(host);
    if name == "localhost" || name.ends_with(".localhost") {
        return Some(IpAddr::from([127, 0, 0, 1]));
    }
    let six = host.parse::<Ipv6Addr>().ok().map(IpAddr::from);
    six.or_else(|| loosely_v4(host).map(IpAddr::from))
}

impl Target {
    /// Reads the address of a remote. What two programs could read differently is of no form: the one that looks and the
    /// one that connects must mean the same host.
    fn of(url: &str) -> Option<Self> {
        if url.chars().any(char::is_control) {
            return None;
        }
        if let Some((scheme, rest)) = url.split_once("://") {
            let scheme = Scheme::named(scheme)?;
            if scheme == Scheme::File {
                return Some(Self::File);
            }
            let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
            return Self::server(scheme, authority);
        }
        // `user@host:path`, unless a slash comes before the colon, as git has it. An IPv6 address stands in brackets.
        let start = match url.find('[') {
            Some(open) if url[..open].chars().all(|char| char != ':' && char != '/') => url.find(']')?,
            _ => 0,
        };
        let Some(colon) = url[start..].find(':').map(|at| start + at) else { return Some(Self::File) };
        if url[..colon].contains('/') {
            return Some(Self::File);
        }
        let path = &url[colon + 1..];
        // A second colon begins what git takes for the name of a program.
        if path.is_empty() || path.starts_with(':') {
            return None;
        }
        match Self::server(Scheme::Ssh, &url[..colon])? {
            Self::Server { port: Some(_), .. } => None,
            target => Some(target),
        }
    }

    fn server(scheme: Scheme, authority: &str) -> Option<Self> {
        let (user, place) = match authority.rsplit_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, authority),
        };
        let sound = |char: char| char.is_ascii_alphanumeric() || "._~+-%".contains(char);
        if user.is_some_and(|user| user.is_empty() || user.starts_with('-') || !user.chars().all(sound)) {
            return None;
        }
        let (host, port) = match place.strip_prefix('[') {
            Some(rest) => {
                let (host, port) = rest.split_once(']')?;
                host.parse::<Ipv6Addr>().ok()?;
                (host, if port.is_empty() { None } else { Some(port.strip_prefix(':')?) })
            }
            None => {
                let (host, port) = match place.split_once(':') {
                    Some((host, port)) => (host, Some(port)),
                    None => (place, None),
                };
                if !is_name(host) {
                    return None;
                }
                (host, port)
            }
        };
        let port = match port {
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                Some(digits.parse().ok().filter(|port| *port != 0)?)
            }
            Some(_) => return None,
            None => None,
        };
        let user = user.map(str::to_owned);
        Some(Self::Server { scheme, host: host.to_ascii_lowercase(), port, user })
    }

    pub fn scheme(&self) -> Scheme {
        match self {
            Self::File => Scheme::File,
            Self::Server { scheme, .. } => *scheme,
        }
    }
}

/// Whether it can be the name of a host, or an IPv4 address.
fn is_name(host: &str) -> bool {
    let plain = |char: char| char.is_ascii_alphanumeric() || matches!(char, '.' | '-' | '_');
    !host.is_empty() && host.len() <= 253 && !host.starts_with('-') && host.chars().all(plain)
}

impl HostPattern {
    /// Reads a pattern; `None` where it is none.
    pub fn read(text: &str) -> Option<Self> {
        let (below, place) = match text.strip_prefix("*.") {
            Some(place) => (true, place),
            None => (false, text),
        };
        match Target::server(Scheme::Https, place)? {
            Target::Server { host, port, user: None, .. } => Some(Self { name: host, below, port }),
            _ => None,
        }
    }

    fn matches(&self, host: &str, port: u16, scheme: Scheme) -> bool {
        let named = match self.below {
            true => host.strip_suffix(&self.name).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.')),
            false => host == self.name,
        };
        named && port == self.port.unwrap_or(scheme.usual_port())
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let star = if self.below { "*." } else { "" };
        match self.port {
            Some(port) => write!(f, "{star}{}:{port}", self.name),
            None => write!(f, "{star}{}", self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(schemes: &[Scheme], hosts: &[&str], private: &[&str]) -> Policy {
        Policy {
            schemes: schemes.to_vec(),
            hosts: hosts.iter().map(|host| HostPattern::read(host).unwrap()).collect(),
            private: private.iter().map(|network| Network::read(network).unwrap()).collect(),
        }
    }

    fn asked(policy: &Policy, url: &str) -> Result<(), Refused> {
        policy.check(&Source::Remote { url: url.to_owned() }).map(drop)
    }

    #[test]
    fn every_spelling_of_an_address_that_is_not_public_is_refused() {
        let policy = Policy::default();
        for host in [
            "127.0.0.1",
            "localhost",
            "LOCALHOST",
            "localhost.",
            "git.localhost",
            "10.0.0.1",
            "169.254.169.254",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[fd00:ec2::254]",
            "[::]",
            "0",
            "0.0.0.0",
            "2130706433",
            "0x7f.1",
            "0x7f000001",
            "127.1",
            "0177.0.0.1",
            "127.0.0.1.",
            "[64:ff9b::a00:1]",
            "[2002:a00:1::]",
            "100.64.0.1",
            "192.168.0.1",
            "172.16.0.1",
        ] {
            for url in [
                format!("https://{host}/a"),
                format!("https://x@{host}:8443/a"),
                format!("ssh://git@{host}/a"),
                format!("git@{host}:a"),
            ] {
                assert!(matches!(asked(&policy, &url), Err(Refused::Address(_))), "{url}");
            }
        }
        for url in
            ["https://git.example/a", "https://140.82.121.3/a", "git@git.example:a", "ssh://[2606:50c0::1]/a"]
        {
            assert_eq!(asked(&policy, url), Ok(()), "{url}");
        }
    }

    #[test]
    fn what_two_programs_could_read_differently_is_of_no_form() {
        let policy = policy(&Scheme::ALL, &[], &[]);
        for url in [
            "https://git.example\\@127.0.0.1/a",
            "https://git.example\\.evil/a",
            "https://a@b@git.example/a",
            "https://git%2eexample/a",
            "https://１２７.0.0.1/a",
            "https://git.ex\tample/a",
            "https://[::1%25eth0]/a",
            "https://git.example:/a",
            "https://git.example:0/a",
            "https://git.example:99999/a",
            "https:///a",
            "https://git.example:80:81/a",
            "https://-oProxyCommand=x/a",
            "ssh://-x@git.example/a",
            "http://git.example/a",
            "git://git.example/a",
            "HTTPS://git.example/a",
            "ext::sh",
            "host:",
            "a@:b",
            "https://a:b@git.example/a",
            "[git.example:22]:a",
            "ssh+git://git.example/a",
        ] {
            assert_eq!(asked(&policy, url), Err(Refused::Form), "{url}");
        }
    }

    #[test]
    fn schemes_and_hosts_are_those_that_are_allowed() {
        let default = Policy::default();
        let path = Source::Local { path: "/srv/a".to_owned() };
        assert_eq!(default.check(&path), Err(Refused::Scheme(Scheme::File)));
        for url in ["file:///srv/a", "/srv/a", "./a:b", "srv"] {
            assert_eq!(asked(&default, url), Err(Refused::Scheme(Scheme::File)), "{url}");
        }
        let files = policy(&[Scheme::File], &["git.example"], &[]);
        assert_eq!(files.check(&path), Ok(Target::File));
        assert_eq!(asked(&files, "https://git.example/a"), Err(Refused::Scheme(Scheme::Https)));

        let hosts = ["git.example", "*.corp.example", "alt.example:8443", "[2606:50c0::1]"];
        let hosts = policy(&Scheme::ALL, &hosts, &[]);
        for (url, expect) in [
            ("https://git.example/a", true),
            ("https://GIT.example:443/a", true),
            ("git@git.example:a", true),
            ("ssh://git.example:22/a", true),
            ("ssh://git.example:2222/a", false),
            ("https://git.example:8443/a", false),
            ("https://git.example.evil/a", false),
            ("https://agit.example/a", false),
            ("https://a.corp.example/a", true),
            ("https://a.b.corp.example/a", true),
            ("https://corp.example/a", false),
            ("https://acorp.example/a", false),
            ("https://alt.example:8443/a", true),
            ("https://alt.example/a", false),
            ("https://[2606:50c0::1]/a", true),
        ] {
            assert_eq!(asked(&hosts, url).is_ok(), expect, "{url}");
        }
        for wrong in ["", "*", "*.", "a b", "a/b", "x@a", "a:b", "a.*.b", "[::1"] {
            assert_eq!(HostPattern::read(wrong), None, "{wrong}");
        }
        for same in ["git.example", "*.corp.example:8443"] {
            assert_eq!(HostPattern::read(same).unwrap().to_string(), same);
        }
    }

    #[test]
    fn networks_that_are_not_public_can_be_allowed() {
        let policy = policy(&Scheme::ALL, &[], &["10.0.0.0/8", "fd00::/8"]);
        for (url, expect) in [
            ("https://10.1.2.3/a", true),
            ("https://[::ffff:10.1.2.3]/a", true),
            ("https://167837955/a", true),
            ("https://[fd00::1]/a", true),
            ("https://127.0.0.1/a", false),
            ("https://192.168.0.1/a", false),
        ] {
            assert_eq!(asked(&policy, url).is_ok(), expect, "{url}");
        }
    }
}
