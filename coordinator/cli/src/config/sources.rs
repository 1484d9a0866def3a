//! Which sources may be asked, and what is shown there by name.

use std::collections::BTreeSet;
use std::path::PathBuf;

use gitfleet_shared::network::Network;
use gitfleet_shared::sources::{HostPattern, Policy, Scheme};
use secrecy::SecretString;

use super::datum::Datum;
use super::merge::{Held, Merge};
use super::origin::Origin;
use super::problem::{Problem, ProblemKind};

/// Where repositories may come from.
#[derive(Debug, Clone)]
pub(crate) struct Sources {
    /// `None` where nobody says.
    schemes: Option<Vec<Scheme>>,
    hosts: Vec<HostPattern>,
    private: Vec<Network>,
    pub(crate) proxy: Option<Held>,
}

/// Who names what is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asker {
    /// Whoever runs this command, on a machine of theirs.
    Oneself,
    /// Whoever may submit.
    Others,
}

impl Sources {
    pub(crate) fn policy(&self, asker: Asker) -> Policy {
        let default = match asker {
            Asker::Oneself => Scheme::ALL.to_vec(),
            Asker::Others => Policy::default().schemes,
        };
        let schemes = self.schemes.clone().unwrap_or(default);
        Policy { schemes, hosts: self.hosts.clone(), private: self.private.clone() }
    }
}

/// A secret for repositories that name it.
#[derive(Debug, Clone)]
pub(crate) struct NamedCredential {
    pub(crate) name: String,
    /// With the port if it is not the usual one.
    pub(crate) host: String,
    /// What paths begin with that it is for, without slashes at its ends; empty is all of the host.
    pub(crate) path: String,
    pub(crate) user: String,
    pub(crate) token: Option<SecretString>,
    pub(crate) token_file: Option<PathBuf>,
    pub(crate) teams: Vec<String>,
    pub(crate) projects: Vec<String>,
}

pub(super) fn settle(merge: &mut Merge<'_>) -> Sources {
    let schemes = merge.many("sources.schemes");
    let schemes = schemes.map(|words| words.iter().filter_map(|word| Scheme::named(word)).collect());
    let hosts = each(
        merge,
        "sources.hosts",
        HostPattern::read,
        ("no host", "write them as git.example, *.example or git.example:8443"),
    );
    let private = each(
        merge,
        "sources.private_addresses",
        Network::read,
        ("neither an address nor a network", "write them as 10.0.0.0/8, fd00::/8 or 192.168.1.9"),
    );
    Sources { schemes, hosts, private, proxy: merge.held("sources.proxy") }
}

/// Reads each text of a list; what is wrong with one is `(what it is, hint)`.
fn each<T>(
    merge: &mut Merge<'_>,
    path: &str,
    read: impl Fn(&str) -> Option<T>,
    (is, hint): (&str, &str),
) -> Vec<T> {
    let Some((words, origin)) = merge.many_said(path) else { return Vec::new() };
    let mut found = Vec::new();
    for word in words {
        match read(&word) {
            Some(one) => found.push(one),
            None => {
                let wrong = format!("{word} is {is}");
                merge.problems.push(Problem::new(ProblemKind::Value, origin.clone(), path, wrong).hint(hint));
            }
        }
    }
    found
}

pub(super) fn credentials(merge: &mut Merge<'_>) -> Vec<NamedCredential> {
    let places = merge.found.members.get("credentials").cloned().unwrap_or_default();
    let mut names = BTreeSet::new();
    let mut found = Vec::new();
    for (index, place) in places.into_iter().enumerate() {
        let at = format!("credentials[{index}]");
        let origin = Origin::line(&merge.file, place);
        let Some(one) = credential(merge, &at, &origin) else { continue };
        if names.insert(one.name.clone()) {
            found.push(one);
        } else {
            let wrong = format!("another credential is called {} already", one.name);
            let problem = Problem::new(ProblemKind::Conflict, origin, &at, wrong);
            merge.problems.push(problem.hint("a name stands for one credential"));
        }
    }
    found
}

fn credential(merge: &mut Merge<'_>, at: &str, origin: &Origin) -> Option<NamedCredential> {
    let key = |name: &str| format!("{at}.{name}");
    let name = text(merge, &key("name"), origin, "say what repositories call it: `name: corp`")?;
    let host = text(merge, &key("host"), origin, "say which host it is for: `host: git.example`")?;
    let (host, path) = match place(&host) {
        Some(place) => place,
        None => {
            let problem = Problem::new(ProblemKind::Value, origin.clone(), &key("host"), "this is no host");
            let hint = "write it as git.example, git.example:8443 or git.example/group, without https://";
            merge.problems.push(problem.hint(hint));
            return None;
        }
    };
    let user = match merge.given(&key("user")) {
        Some((Datum::Text(user), origin)) => {
            merge.show(&key("user"), &user, &origin);
            user
        }
        _ => "x-access-token".to_owned(),
    };
    let token = match merge.given(&key("token")) {
        Some((Datum::Secret(token), origin)) => {
            merge.show(&key("token"), "***", &origin);
            Some(token)
        }
        _ => None,
    };
    let token_file = match merge.given(&key("token_file")) {
        Some((Datum::Text(file), origin)) => {
            let file = merge.absolute(file.as_ref(), &origin, &key("token_file"))?;
            merge.show(&key("token_file"), &file.display().to_string(), &origin);
            merge.secret_files.push(file.clone());
            Some(file)
        }
        _ => None,
    };
    if token.is_some() && token_file.is_some() {
        let problem =
            Problem::new(ProblemKind::Conflict, origin.clone(), at, "it has a token and a token_file");
        merge.problems.push(problem.hint("keep one of the two"));
    }
    let (teams, projects) = (list(merge, &key("teams")), list(merge, &key("projects")));
    Some(NamedCredential { name, host, path, user, token, token_file, teams, projects })
}

fn text(merge: &mut Merge<'_>, path: &str, origin: &Origin, hint: &str) -> Option<String> {
    match merge.given(path) {
        Some((Datum::Text(text), origin)) => {
            merge.show(path, &text, &origin);
            Some(text)
        }
        _ if merge.refused.contains(path) => None,
        _ => {
            let name = path.rsplit('.').next().unwrap_or(path);
            let problem =
                Problem::new(ProblemKind::Missing, origin.clone(), path, format!("it has no {name}"));
            merge.problems.push(problem.hint(hint));
            None
        }
    }
}

fn list(merge: &mut Merge<'_>, path: &str) -> Vec<String> {
    match merge.given(path) {
        Some((Datum::Many(words), origin)) => {
            merge.show(path, &words.join(", "), &origin);
            words
        }
        _ => Vec::new(),
    }
}

/// Returns the host with its port, and the path without slashes at its ends.
fn place(text: &str) -> Option<(String, String)> {
    let (host, path) = text.split_once('/').unwrap_or((text, ""));
    let pattern = HostPattern::read(host).filter(|_| !host.starts_with('*'))?;
    let path = path.trim_matches('/');
    let is_plain = |part: &str| {
        !matches!(part, "" | "." | "..")
            && !part.contains(['%', '?', '#', '\\'])
            && !part.contains(char::is_whitespace)
    };
    let sound = path.is_empty() || path.split('/').all(is_plain);
    let host = pattern.to_string();
    let host = host.strip_suffix(":443").unwrap_or(&host).to_owned();
    sound.then(|| (host, path.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_is_for_one_host_and_perhaps_a_path() {
        for (text, expect) in [
            ("git.example", Some(("git.example", ""))),
            ("GIT.example:443", Some(("git.example", ""))),
            ("git.example:8443/group/", Some(("git.example:8443", "group"))),
            ("git.example/group/sub", Some(("git.example", "group/sub"))),
            ("https://git.example", None),
            ("*.example", None),
            ("git.example/../x", None),
            ("git.example/a%2fb", None),
            ("", None),
        ] {
            let expect = expect.map(|(host, path)| (host.to_owned(), path.to_owned()));
            assert_eq!(place(text), expect, "{text}");
        }
    }
}
