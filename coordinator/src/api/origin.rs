//! Where a request comes from.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use gitfleet_shared::network::Network;

use super::Api;

/// Who is at the other end of the connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer {
    pub(super) address: SocketAddr,
    /// Whether nobody between them and us can read along.
    pub(super) is_encrypted: bool,
}

/// Whether whoever asks speaks over TLS, to us or to a proxy of ours.
#[derive(Debug, Clone, Copy)]
pub(super) struct Secure(pub(super) bool);

impl FromRequestParts<Api> for Secure {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Infallible> {
        let Some(peer) = parts.extensions.get::<Peer>() else { return Ok(Self(false)) };
        let is_told = parts.headers.get("x-forwarded-proto").is_some_and(|scheme| scheme == "https");
        Ok(Self(peer.is_encrypted || is_told && api.door.proxies.hold(peer.address.ip())))
    }
}

/// Proxies whose word is taken for where a request comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proxies(Vec<Network>);

impl Proxies {
    /// Reads addresses and networks (`10.0.0.0/8`), separated by commas or blanks.
    ///
    /// # Errors
    ///
    /// With the first that is neither.
    pub fn read(text: &str) -> Result<Self, String> {
        let networks = text.split([',', ' ', '\n']).filter(|one| !one.is_empty());
        networks
            .map(|one| Network::read(one).ok_or_else(|| one.to_owned()))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    fn hold(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.holds(address))
    }

    /// Returns the address that a request comes from: the last that a proxy names which is not one of ours. What stands
    /// before it was said by whoever asks.
    pub(super) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = plain(peer);
        let named = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
        let named: Vec<&str> = named.flat_map(|value| value.split(',')).map(str::trim).collect();
        for one in named.iter().rev() {
            if !self.hold(client) {
                break;
            }
            match one.parse() {
                Ok(address) => client = plain(address),
                Err(_) => break,
            }
        }
        client
    }
}

/// An IPv4 address that is written as IPv6 is the same address.
fn plain(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

/// Whether a request comes from this machine itself: no proxy passed it on, and it names this machine as its host, which
/// a page of elsewhere that had its name point here would not.
pub(super) fn is_local(address: IpAddr, headers: &HeaderMap) -> bool {
    let passed_on = ["x-forwarded-for", "x-forwarded-host", "forwarded", "x-real-ip"];
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    address.is_loopback()
        && !passed_on.iter().any(|name| headers.contains_key(*name))
        && names_this_machine(host)
}

fn names_this_machine(host: &str) -> bool {
    if let Some(rest) = host.strip_prefix('[') {
        return rest.split(']').next() == Some("::1");
    }
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    fn check(proxies: &str, peer: &str, forwarded: &[&str], expect: &str) {
        let lines: Vec<_> = forwarded.iter().map(|value| ("x-forwarded-for", *value)).collect();
        let client = Proxies::read(proxies).unwrap().client(peer.parse().unwrap(), &headers(&lines));
        assert_eq!(client.to_string(), expect, "{proxies} {peer} {forwarded:?}");
    }

    #[test]
    fn a_proxy_is_believed_and_nobody_else() {
        check("", "192.0.2.1", &["203.0.113.9"], "192.0.2.1");
        check("10.0.0.0/8", "10.1.2.3", &["203.0.113.9"], "203.0.113.9");
        check("10.0.0.0/8", "10.1.2.3", &[], "10.1.2.3");
        // What a client wrote there itself is before what our proxy added.
        check("10.0.0.0/8", "10.1.2.3", &["127.0.0.1, 203.0.113.9"], "203.0.113.9");
        check("10.0.0.0/8", "10.1.2.3", &["127.0.0.1", "203.0.113.9, 10.9.9.9"], "203.0.113.9");
        check("10.0.0.0/8", "10.1.2.3", &["203.0.113.9, nonsense"], "10.1.2.3");
        check("::1 127.0.0.1", "::ffff:127.0.0.1", &["2001:db8::1"], "2001:db8::1");
        check("2001:db8::/32", "2001:db8:5::1", &["203.0.113.9"], "203.0.113.9");
        check("2001:db8::/32", "2001:db9::1", &["203.0.113.9"], "2001:db9::1");
        check("0.0.0.0/0", "10.1.2.3", &["203.0.113.9"], "203.0.113.9");
    }

    #[test]
    fn what_is_no_network_is_named() {
        for wrong in ["proxy.example", "10.0.0.0/33", "10.0.0.0/x", "10.0.0", "::/129"] {
            assert_eq!(Proxies::read(&format!("127.0.0.1, {wrong}")), Err(wrong.to_owned()));
        }
    }

    #[test]
    fn only_this_machine_is_local() {
        let (here, there) = ("127.0.0.1".parse().unwrap(), "192.0.2.1".parse().unwrap());
        for host in ["localhost", "localhost:7171", "127.0.0.1:7171", "[::1]:7171", "127.8.8.8"] {
            assert!(is_local(here, &headers(&[("host", host)])), "{host}");
            assert!(!is_local(there, &headers(&[("host", host)])), "{host}");
            assert!(!is_local(here, &headers(&[("host", host), ("x-forwarded-for", "127.0.0.1")])), "{host}");
        }
        for host in ["", "evil.example", "localhost.evil.example:7171", "[2001:db8::1]:7171", "192.0.2.1"] {
            assert!(!is_local(here, &headers(&[("host", host)])), "{host}");
        }
    }
}
