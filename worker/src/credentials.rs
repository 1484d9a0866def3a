//! Secrets by host, and by name: a token is shown to the host it was given for, over encrypted connections, and to no
//! other. One with a name is for jobs that name it, and for no other.

use std::fmt;

use gitfleet_shared::contract::{Failure, FailureClass};
use gitfleet_shared::secret::Secret;

#[derive(Clone, Default)]
pub struct Credentials(Vec<Credential>);

#[derive(Clone)]
pub struct Credential {
    /// What jobs call it; one without is for every job.
    pub name: Option<String>,
    /// Host name, with the port if it is not the usual one.
    pub host: String,
    /// What paths begin with that it is for, without slashes at its ends; empty is all of the host.
    pub path: String,
    pub user: String,
    pub secret: Secret,
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credential for {}", self.place())
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

    /// Returns what there is to show for a job at `url`: the credential that it names, or whatever was given for the host;
    /// `None` where nothing was, or the connection would not be encrypted.
    ///
    /// # Errors
    ///
    /// Where the job names a credential that is not here, or is for another place.
    pub fn for_job(&self, name: Option<&str>, url: &gix::Url) -> Result<Option<&Credential>, Failure> {
        let Some(name) = name else {
            return Ok(self.0.iter().find(|credential| credential.name.is_none() && credential.is_for(url)));
        };
        let refused = |message: String| Failure { class: FailureClass::AuthenticationFailed, message };
        let named = self.0.iter().find(|credential| credential.name.as_deref() == Some(name));
        let named = named.ok_or_else(|| {
            refused(format!(
                "cannot fetch {url}: this worker has no credential named {name}; add it to `credentials` of its \
                 configuration, or name another one"
            ))
        })?;
        match named.is_for(url) {
            true => Ok(Some(named)),
            false => Err(refused(format!(
                "cannot fetch {url}: the credential {name} is for https://{} and is shown nowhere else",
                named.place()
            ))),
        }
    }
}

impl Credential {
    /// Whether it may be shown at `url`.
    pub fn is_for(&self, url: &gix::Url) -> bool {
        /// The port of https.
        const USUAL: u16 = 443;
        let Some(host) = url.host().filter(|_| url.scheme == gix::url::Scheme::Https) else { return false };
        let host = match url.port.filter(|port| *port != USUAL) {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        self.host.eq_ignore_ascii_case(&host) && self.is_above(&url.path)
    }

    /// Whether `path` is below the path that it is for, whatever a server makes of dots.
    fn is_above(&self, path: &[u8]) -> bool {
        if self.path.is_empty() {
            return true;
        }
        let Ok(path) = std::str::from_utf8(path) else { return false };
        let is_plain = |part: &str| !matches!(part, "." | "..") && !part.contains(['%', '?', '#', '\\']);
        let rest = path.trim_start_matches('/').strip_prefix(&self.path);
        rest.is_some_and(|rest| rest.starts_with('/')) && path.split('/').all(is_plain)
    }

    fn place(&self) -> String {
        if self.path.is_empty() { self.host.clone() } else { format!("{}/{}", self.host, self.path) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credential(name: Option<&str>, host: &str, path: &str) -> Credential {
        let (name, secret) = (name.map(str::to_owned), Secret::given("canary".into()));
        Credential { name, host: host.into(), path: path.into(), user: "x".into(), secret }
    }

    fn url(url: &str) -> gix::Url {
        gix::url::parse(gix::bstr::BStr::new(url)).unwrap()
    }

    #[test]
    fn a_secret_is_for_its_host_and_for_encrypted_connections() {
        let credentials = Credentials::new(vec![
            credential(None, "git.example", ""),
            credential(None, "other.example:8443", ""),
            credential(Some("named"), "named.example", ""),
        ]);
        let check = |text: &str, found: bool| {
            assert_eq!(credentials.for_job(None, &url(text)).unwrap().is_some(), found, "{text}");
        };
        check("https://GIT.example/a/b", true);
        check("https://git.example:443/a/b", true);
        check("https://git.example:8443/a/b", false);
        check("https://other.example:8443/a", true);
        check("https://other.example/a", false);
        check("https://sub.git.example/a", false);
        check("http://git.example/a", false);
        check("ssh://git.example/a", false);
        check("https://named.example/a", false);
        assert!(!format!("{credentials:?}").contains("canary"));
    }

    #[test]
    fn a_named_one_is_for_whoever_names_it_and_for_its_place() {
        let credentials = Credentials::new(vec![
            credential(None, "git.example", ""),
            credential(Some("corp"), "git.example", "group/sub"),
        ]);
        let check = |name: &str, text: &str, expect: Result<(), &str>| match (
            credentials.for_job(Some(name), &url(text)),
            expect,
        ) {
            (Ok(found), Ok(())) => assert_eq!(found.unwrap().name.as_deref(), Some(name)),
            (Err(failure), Err(words)) => {
                assert_eq!(failure.class, FailureClass::AuthenticationFailed);
                assert!(failure.message.contains(words), "{}", failure.message);
            }
            (got, _) => panic!("{name} {text}: {got:?}"),
        };
        let elsewhere = Err("is for https://git.example/group/sub");
        check("corp", "https://git.example/group/sub/a.git", Ok(()));
        check("corp", "https://git.example/group/subway/a", elsewhere);
        check("corp", "https://git.example/group/sub", elsewhere);
        check("corp", "https://git.example/group/sub/../../other/a", elsewhere);
        check("corp", "https://git.example/group/sub/%2e%2e/other/a", elsewhere);
        check("corp", "https://other.example/group/sub/a", elsewhere);
        check("corp", "http://git.example/group/sub/a", elsewhere);
        check("corp", "ssh://git.example/group/sub/a", elsewhere);
        check("other", "https://git.example/group/sub/a", Err("no credential named other"));
    }
}
