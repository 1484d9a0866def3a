//! Where a repository lies: a path here, or an address to clone from. Decided by the form of the text alone, by the
//! rule git itself uses, so that checking a configuration needs neither disk nor network.

use std::path::{Component, Path, PathBuf};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Location {
    Path(PathBuf),
    Url(String),
}

impl Location {
    /// Whether `text` is an address: it has a scheme, or a colon before any slash as in `git@host:path`.
    pub(super) fn is_url(text: &str) -> bool {
        if text.contains("://") {
            return true;
        }
        let drive = text.len() > 1 && text.as_bytes()[0].is_ascii_alphabetic() && text.as_bytes()[1] == b':';
        let drive = drive && matches!(text.as_bytes().get(2), None | Some(b'/' | b'\\'));
        match (text.find(':'), text.find('/')) {
            (Some(0), _) | (None, _) => false,
            (Some(colon), Some(slash)) => colon < slash && !drive,
            (Some(_), None) => !drive,
        }
    }

    /// Returns the last `count` parts of the path or address, `.git` taken off: what people call the repository.
    pub(super) fn name(&self, count: usize) -> String {
        let parts: Vec<String> = match self {
            Self::Url(url) => {
                let after_host = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
                after_host.split(['/', ':']).filter(|part| !part.is_empty()).map(str::to_owned).collect()
            }
            Self::Path(path) => {
                let mut parts = Vec::new();
                for part in path.components() {
                    match part {
                        Component::Normal(part) => parts.push(part.to_string_lossy().into_owned()),
                        Component::ParentDir => drop(parts.pop()),
                        Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
                    }
                }
                parts
            }
        };
        let parts = match parts.split_last() {
            Some((last, above)) if last == ".git" => above,
            _ => &parts,
        };
        let kept = &parts[parts.len().saturating_sub(count)..];
        let name = kept.join("/");
        let name = name.strip_suffix(".git").unwrap_or(&name);
        if name.is_empty() { "repository".to_owned() } else { name.to_owned() }
    }

    /// Whether there is more to take a name from than `count` parts.
    pub(super) fn has_longer_name(&self, count: usize) -> bool {
        self.name(count + 1) != self.name(count)
    }
}

/// What is wrong with an address, if anything. Secrets in addresses end up in logs, reports and process lists.
pub(super) fn objection(url: &str) -> Option<&'static str> {
    /// No user name is as long as a token.
    const LONGEST_USER: usize = 24;
    const SECRET: &str = "the address holds a password or a token";
    // `ext::command` and its like name a program to be run.
    if url.split('/').next().is_some_and(|head| head.contains("::")) {
        return Some("remote helpers are not run");
    }
    let Some((scheme, rest)) = url.split_once("://") else {
        // `user@host:path` has its colon behind the host; one before the `@` begins a password.
        let password = url.find('@').is_some_and(|at| url[..at].contains(':'));
        return password.then_some(SECRET);
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let user = authority.rsplit_once('@').map_or("", |(user, _)| user);
    match scheme {
        "https" | "ssh" | "file" => {}
        // Neither encrypts, so anybody on the way could change what is counted.
        "http" | "git" => return Some("the connection would not be encrypted; use https or ssh"),
        _ => return Some("the scheme is none of https, ssh, file"),
    }
    if scheme != "file" && authority.is_empty() {
        return Some("the address names no host");
    }
    (user.contains(':') || user.len() > LONGEST_USER).then_some(SECRET)
}

/// Makes a typed path absolute: `~` is the home directory, and the rest is relative to `base`. `Err` says why not.
pub(super) fn resolve(base: &Path, typed: &Path, home: Option<&str>) -> Result<PathBuf, &'static str> {
    let path = match typed.strip_prefix("~") {
        Ok(below) => Path::new(home.ok_or("`~` is used and HOME is not set")?).join(below),
        Err(_) => base.join(typed),
    };
    // Collecting the components drops `.` and doubled slashes, and keeps `..`, which may follow a link.
    Ok(path.components().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_addresses_from_paths_as_git_does() {
        for (text, expect) in [
            ("https://host/x", true),
            ("file:///x", true),
            ("git@github.com:o/n.git", true),
            ("host:path", true),
            ("./a:b", false),
            ("a/b:c", false),
            ("/abs", false),
            (".", false),
            ("", false),
            (":x", false),
            ("C:\\x", false),
            ("C:/x", false),
        ] {
            assert_eq!(Location::is_url(text), expect, "{text}");
        }
    }

    #[test]
    fn names_a_repository_by_its_last_part() {
        let path = |text: &str| Location::Path(text.into());
        let url = |text: &str| Location::Url(text.into());
        for (location, expect) in [
            (path("/srv/foo"), "foo"),
            (path("/srv/foo/"), "foo"),
            (path("/srv/foo.git"), "foo"),
            (path("/srv/foo/.git"), "foo"),
            (path("/srv/foo/../bar/."), "bar"),
            (path("/srv/foo/bar/.."), "foo"),
            (path("/"), "repository"),
            (url("https://host/o/foo.git"), "foo"),
            (url("https://host/o/foo/"), "foo"),
            (url("git@host:foo.git"), "foo"),
            (url("https://host"), "host"),
        ] {
            assert_eq!(location.name(1), expect, "{location:?}");
        }
        assert_eq!(path("/srv/foo").name(2), "srv/foo");
        assert!(path("/srv/foo").has_longer_name(1) && !path("/srv/foo").has_longer_name(2));
    }

    #[test]
    fn objects_to_secrets_in_addresses() {
        for (url, sound) in [
            ("https://github.com/o/n", true),
            ("https://ann@bitbucket.org/o/n", true),
            ("ssh://git@host:22/o/n", true),
            ("git@host:o/n", true),
            ("file:///srv/x", true),
            ("https://ann:pw@host/x", false),
            ("https://ghp_0123456789012345678901234567890123@github.com/o/n", false),
            ("ann:pw@host:o/n", false),
            ("https:///x", false),
            ("ext::sh -c x://", false),
            ("gopher://host/x", false),
        ] {
            assert_eq!(objection(url).is_none(), sound, "{url}");
        }
    }

    #[test]
    fn makes_paths_absolute() {
        for (typed, expect) in [
            ("x", Ok("/base/x")),
            ("./x//y/.", Ok("/base/x/y")),
            ("../x", Ok("/base/../x")),
            ("/x", Ok("/x")),
            ("~/x", Ok("/home/ann/x")),
            ("~", Ok("/home/ann")),
            ("~bob/x", Ok("/base/~bob/x")),
        ] {
            let got = resolve(Path::new("/base"), Path::new(typed), Some("/home/ann"));
            assert_eq!(got, expect.map(PathBuf::from), "{typed}");
        }
        assert!(resolve(Path::new("/base"), Path::new("~/x"), None).is_err());
    }
}
