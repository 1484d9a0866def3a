//! Secrets by host: a token is shown to the host it was given for, and to no other.

use std::fmt;

#[derive(Clone, Default)]
pub struct Credentials(Vec<Credential>);

#[derive(Clone)]
pub struct Credential {
    /// Host name, with the port if it is not the usual one.
    pub host: String,
    pub user: String,
    pub secret: String,
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credential for {}", self.host)
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Credentials {
    pub fn new(credentials: Vec<Credential>) -> Self {
        Self(credentials)
    }

    /// Returns what to say to the host of `url`, or `None` where nothing was given for it, or the connection would
    /// not be encrypted.
    pub fn for_url(&self, url: &gix::Url) -> Option<&Credential> {
        /// The port of https.
        const USUAL: u16 = 443;
        if url.scheme != gix::url::Scheme::Https {
            return None;
        }
        let host = match url.port.filter(|port| *port != USUAL) {
            Some(port) => format!("{}:{port}", url.host()?),
            None => url.host()?.to_owned(),
        };
        self.0.iter().find(|credential| credential.host.eq_ignore_ascii_case(&host))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_for_its_host_and_for_encrypted_connections() {
        let credential =
            |host: &str| Credential { host: host.into(), user: "x".into(), secret: "canary".into() };
        let credentials = Credentials::new(vec![credential("git.example"), credential("other.example:8443")]);
        let check = |url: &str, found: bool| {
            let url = gix::url::parse(gix::bstr::BStr::new(url)).unwrap();
            assert_eq!(credentials.for_url(&url).is_some(), found, "{url}");
        };
        check("https://GIT.example/a/b", true);
        check("https://git.example:443/a/b", true);
        check("https://git.example:8443/a/b", false);
        check("https://other.example:8443/a", true);
        check("https://other.example/a", false);
        check("https://sub.git.example/a", false);
        check("http://git.example/a", false);
        check("ssh://git.example/a", false);
        assert!(!format!("{credentials:?}").contains("canary"));
    }
}
