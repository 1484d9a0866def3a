//! Which repositories of an account are meant, and why each other one is not.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Account, Listed};

/// Accounts of one GitHub, and which of their repositories are meant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Selector {
    /// Where its API is; whoever lists asks no other place.
    pub api_url: String,
    #[serde(default)]
    pub organization: Option<String>,
    #[serde(default)]
    pub user: Option<String>,
    /// Patterns with `*` and `?`, of names or of OWNER/NAME; of none, all are meant.
    #[serde(default)]
    pub include: Vec<String>,
    /// Patterns of those that are not meant, whatever else says so.
    #[serde(default)]
    pub exclude: Vec<String>,
    /// Whether archived ones are meant, too.
    #[serde(default)]
    pub archived: bool,
    /// Whether forks are meant, too.
    #[serde(default)]
    pub forks: bool,
    /// Another branch of each than the default one.
    #[serde(default)]
    pub branch: Option<String>,
    #[serde(default)]
    pub all_branches: bool,
}

impl Selector {
    pub fn accounts(&self) -> Vec<Account> {
        let organization = self.organization.clone().map(Account::Organization);
        organization.into_iter().chain(self.user.clone().map(Account::User)).collect()
    }

    /// # Errors
    ///
    /// Where it names no account, or one that no GitHub has; in words.
    pub fn check(&self) -> Result<(), String> {
        if self.accounts().is_empty() {
            return Err("it names neither an organization nor a user".to_owned());
        }
        for name in self.organization.iter().chain(&self.user) {
            // Part of a path, so nothing may be in it that would make it another.
            let plain = |char: char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_' | '.');
            if name.is_empty() || name.len() > 100 || !name.chars().all(plain) || name.starts_with('.') {
                return Err(format!("{name:?} is no name of an account"));
            }
        }
        Ok(())
    }

    /// Returns why a repository is not meant, or `None` where it is.
    pub fn passes_over(&self, repository: &Listed) -> Option<String> {
        let found =
            |patterns: &[String]| patterns.iter().find(|pattern| matches(pattern, repository)).cloned();
        if let Some(pattern) = found(&self.exclude) {
            return Some(format!("excluded by {pattern}"));
        }
        if !self.include.is_empty() && found(&self.include).is_none() {
            return Some("not included".to_owned());
        }
        if repository.disabled {
            return Some("disabled".to_owned());
        }
        if repository.archived && !self.archived {
            return Some("archived".to_owned());
        }
        (repository.fork && !self.forks).then(|| "a fork".to_owned())
    }
}

/// Whether a pattern is of a repository: of its name, or with a slash of its owner and name. Case is no difference, as to
/// GitHub.
fn matches(pattern: &str, repository: &Listed) -> bool {
    let text = if pattern.contains('/') { &repository.full_name } else { repository.name() };
    let lower = |text: &str| text.to_lowercase().chars().collect::<Vec<char>>();
    fits(&lower(pattern), &lower(text))
}

/// As shells do: `*` is any run, `?` any character. Takes no longer than one length times the other.
fn fits(pattern: &[char], text: &[char]) -> bool {
    let (mut at, mut place) = (0, 0);
    // Where the last star stands, and up to where it has run.
    let mut star: Option<(usize, usize)> = None;
    while place < text.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, place));
                at += 1;
            }
            Some(char) if *char == '?' || *char == text[place] => (at, place) = (at + 1, place + 1),
            _ => match star {
                None => return false,
                Some((stands, ran)) => {
                    star = Some((stands, ran + 1));
                    (at, place) = (stands + 1, ran + 1);
                }
            },
        }
    }
    pattern[at..].iter().all(|char| *char == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repository(full_name: &str) -> Listed {
        Listed {
            id: 1,
            full_name: full_name.to_owned(),
            clone_url: format!("https://github.com/{full_name}.git"),
            default_branch: None,
            archived: false,
            fork: false,
            private: false,
            disabled: false,
        }
    }

    #[test]
    fn patterns_are_of_names_or_of_owners_and_names() {
        for (pattern, name, expect) in [
            ("web", "acme/web", true),
            ("WEB", "acme/web", true),
            ("web", "acme/webshop", false),
            ("web*", "acme/webshop", true),
            ("*shop", "acme/webshop", true),
            ("*b*h*p", "acme/webshop", true),
            ("*b*x*p", "acme/webshop", false),
            ("we?", "acme/web", true),
            ("we?", "acme/we", false),
            ("*", "acme/web", true),
            ("", "acme/web", false),
            ("acme/*", "acme/web", true),
            ("other/*", "acme/web", false),
            ("*/web", "acme/web", true),
        ] {
            assert_eq!(matches(pattern, &repository(name)), expect, "{pattern} {name}");
        }
        // What would take for ever by trying all there is.
        let name = format!("acme/{}", "a".repeat(5_000));
        assert!(!matches(&format!("{}b", "*a".repeat(50)), &repository(&name)));
    }

    #[test]
    fn each_one_that_is_passed_over_has_its_reason() {
        let selector = Selector {
            include: vec!["web*".into(), "api".into()],
            exclude: vec!["*-old".into()],
            ..Selector::default()
        };
        let check = |selector: &Selector, repository: Listed, expect: Option<&str>| {
            assert_eq!(selector.passes_over(&repository).as_deref(), expect, "{}", repository.full_name);
        };
        check(&selector, repository("acme/web"), None);
        check(&selector, repository("acme/web-old"), Some("excluded by *-old"));
        check(&selector, repository("acme/docs"), Some("not included"));
        check(&selector, Listed { archived: true, ..repository("acme/web") }, Some("archived"));
        check(&selector, Listed { fork: true, ..repository("acme/web") }, Some("a fork"));
        check(&selector, Listed { disabled: true, ..repository("acme/web") }, Some("disabled"));
        let all = Selector { archived: true, forks: true, ..Selector::default() };
        check(&all, Listed { archived: true, fork: true, ..repository("acme/web") }, None);
    }

    #[test]
    fn an_account_is_one_word() {
        let of = |organization: Option<&str>, user: Option<&str>| Selector {
            organization: organization.map(str::to_owned),
            user: user.map(str::to_owned),
            ..Selector::default()
        };
        assert!(of(Some("acme"), None).check().is_ok() && of(Some("acme"), Some("ann_x")).check().is_ok());
        for wrong in [of(None, None), of(Some(""), None), of(Some("a/b"), None), of(None, Some(".."))] {
            assert!(wrong.check().is_err(), "{wrong:?}");
        }
    }
}
