//! Secrets by host: a token is shown to the host it was given for, and to no other.

use std::fmt;

#[derive(Clone, Default)]
pub struct Credentials(Vec<Credential>);

#[derive(Clone)]
pub struct Credential {
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

    /// Returns what to say to `host` over an encrypted connection, or `None` where nothing was given for it.
    pub fn for_host(&self, scheme: &gix::url::Scheme, host: &str) -> Option<&Credential> {
        if *scheme != gix::url::Scheme::Https {
            return None;
        }
        self.0.iter().find(|credential| credential.host.eq_ignore_ascii_case(host))
    }
}

#[cfg(test)]
mod tests {
    use gix::url::Scheme;

    use super::*;

    #[test]
    fn a_secret_is_for_its_host_and_for_encrypted_connections() {
        let credential = Credential { host: "git.example".into(), user: "x".into(), secret: "canary".into() };
        let credentials = Credentials::new(vec![credential]);
        assert!(credentials.for_host(&Scheme::Https, "GIT.example").is_some());
        assert!(credentials.for_host(&Scheme::Https, "other.example").is_none());
        assert!(credentials.for_host(&Scheme::Https, "sub.git.example").is_none());
        assert!(credentials.for_host(&Scheme::Http, "git.example").is_none());
        assert!(!format!("{credentials:?}").contains("canary"));
    }
}
