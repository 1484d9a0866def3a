//! GitHub as a place to clone from: which host an API address belongs to, and the token for that host.

use gitfleet_coordinator::github::Selector;
use gitfleet_shared::secret::words;
use secrecy::ExposeSecret as _;

use super::merge::{Held, Merge};

/// A secret for clones over https from one host, and from no other.
#[derive(Debug, Clone)]
pub(crate) struct Credential {
    /// Host name, with the port if it is not the usual one.
    pub(crate) host: String,
    pub(crate) token: Held,
}

/// GitHub as a place where repositories are found.
#[derive(Debug, Clone)]
pub(crate) struct GitHub {
    pub(crate) api_url: String,
    /// The host that repositories are cloned from.
    pub(crate) cloned_from: String,
    /// None of them empty; those of a file are together.
    pub(crate) tokens: Vec<Held>,
    /// Which repositories are to be found there; `None` is none.
    pub(crate) selector: Option<Selector>,
}

/// Asks for the settings of this section that are about finding repositories. `token` is the one for clones.
pub(super) fn settle(
    merge: &mut Merge<'_>,
    api_url: String,
    cloned_from: String,
    token: Option<&Held>,
) -> GitHub {
    let more = merge.held("github.tokens");
    let each = |held: &Held| -> Vec<Held> {
        let mut words = words(held.secret.expose_secret()).peekable();
        match &held.file {
            Some(_) if words.peek().is_some() => vec![held.clone()],
            _ => words.map(|word| Held { secret: word.into(), file: None }).collect(),
        }
    };
    let tokens = token.into_iter().chain(&more).flat_map(each).collect();
    let mut account = |path| merge.text(path).map(|(name, _)| name).filter(|name| !name.is_empty());
    let (organization, user) = (account("github.organization"), account("github.user"));
    let include = merge.many("github.include").unwrap_or_default();
    let exclude = merge.many("github.exclude").unwrap_or_default();
    let archived = merge.switch("github.archived").is_some_and(|(on, _)| on);
    let forks = merge.switch("github.forks").is_some_and(|(on, _)| on);
    let selector = (organization.is_some() || user.is_some()).then(|| Selector {
        api_url: api_url.clone(),
        organization,
        user,
        include,
        exclude,
        archived,
        forks,
        ..Selector::default()
    });
    GitHub { api_url, cloned_from, tokens, selector }
}

/// Returns the host that repositories are cloned from, given the address of the API. `Err` says what is wrong.
pub(super) fn host(api_url: &str) -> Result<String, &'static str> {
    let rest = match api_url.strip_prefix("http://") {
        // What stays on this machine goes over no wire.
        Some(rest) if is_loopback(rest) => rest,
        _ => api_url.strip_prefix("https://").ok_or("the address does not begin with https://")?,
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let plausible = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
    if host.is_empty() || !host.chars().all(plausible) {
        return Err("the address names no host");
    }
    // The API of github.com, and of enterprises hosted by GitHub, has a host of its own; a server answers at one host.
    let hosted = host == "api.github.com" || host.ends_with(".ghe.com");
    Ok(host.strip_prefix("api.").filter(|_| hosted).unwrap_or(host).to_ascii_lowercase())
}

/// Whether an address without its scheme is one of this machine.
fn is_loopback(rest: &str) -> bool {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host).trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Returns the `OWNER/NAME` that was meant; `Err` says what is wrong.
pub(super) fn full_name(repo: &str, owner: Option<&str>) -> Result<String, &'static str> {
    let word = |text: &str| {
        !text.is_empty()
            && text.chars().any(|c| c != '.')
            && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
    };
    let (owner, name) = match repo.split_once('/') {
        Some((owner, name)) => (owner, name),
        None => (owner.ok_or("it names no owner, and neither does github.owner")?, repo),
    };
    if word(owner) && word(name) {
        Ok(format!("{owner}/{name}"))
    } else {
        Err("it is not of the form OWNER/NAME")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derives_the_host_of_clones() {
        for (api, expect) in [
            ("https://api.github.com", Some("github.com")),
            ("https://api.github.com/", Some("github.com")),
            ("https://ghe.corp.example/api/v3", Some("ghe.corp.example")),
            ("https://GHE.corp.example:8443/api/v3", Some("ghe.corp.example:8443")),
            ("https://api.corp.ghe.com", Some("corp.ghe.com")),
            ("https://api.corp.example", Some("api.corp.example")),
            ("http://ghe.corp.example", None),
            ("http://127.0.0.1.corp.example", None),
            ("http://127.0.0.1:8080", Some("127.0.0.1:8080")),
            ("http://[::1]:8080/api", Some("[::1]:8080")),
            ("http://localhost/api/v3", Some("localhost")),
            ("https://", None),
            ("https://ann:pw@host/", None),
            ("ghe.corp.example", None),
        ] {
            assert_eq!(host(api).ok().as_deref(), expect, "{api}");
        }
    }

    #[test]
    fn completes_names() {
        for (repo, owner, expect) in [
            ("o/n", None, Some("o/n")),
            ("o/n", Some("x"), Some("o/n")),
            ("n", Some("x"), Some("x/n")),
            ("n", None, None),
            ("o/n/m", None, None),
            ("o/", None, None),
            ("../n", None, None),
            ("https://github.com/o/n", None, None),
        ] {
            assert_eq!(full_name(repo, owner).ok().as_deref(), expect, "{repo}");
        }
    }
}
