//! What of a listing is meant, what is new about it, and what becomes of it.

use std::collections::{BTreeMap, BTreeSet};

use gitfleet_shared::contract::Source;
use gitfleet_shared::sources::Policy;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ask::{ListError, Lister, is_loopback};
use super::{Listed, Selector};
use crate::api::RepositoryRequest;
use crate::store::listings::Known;

/// What became of each repository of a listing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Discovery {
    /// By name.
    pub repositories: Vec<Verdict>,
    /// Listed before and not any more, by name: removed, moved away, or not shown to this token. Nothing of them is
    /// forgotten.
    pub vanished: Vec<String>,
}

/// One repository, and whether it is meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Verdict {
    pub full_name: String,
    /// The id that GitHub gave it.
    pub id: i64,
    /// What it is fetched from.
    pub url: String,
    pub default_branch: Option<String>,
    pub private: bool,
    pub archived: bool,
    pub fork: bool,
    /// What it was called when it was last listed, where that is something else.
    pub was: Option<String>,
    /// Why it is not analysed; absent where it is.
    pub passed_over: Option<String>,
}

impl Discovery {
    /// Returns those that are meant.
    pub fn chosen(&self) -> impl Iterator<Item = &Verdict> {
        self.repositories.iter().filter(|one| one.passed_over.is_none())
    }
}

/// Whether what was found is written down, so that it is known the next time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Note {
    Down,
    Nothing,
}

impl Lister {
    /// Lists the accounts of a selector and says of each repository what becomes of it.
    ///
    /// # Errors
    ///
    /// Where a listing is not whole; then nothing is made of any.
    pub async fn discover(&self, selector: &Selector, note: Note) -> Result<Discovery, ListError> {
        selector.check().map_err(ListError::Address)?;
        if selector.api_url.trim_end_matches('/') != self.api_url() {
            let why = format!("{} is configured, and {} is asked for", self.api_url(), selector.api_url);
            return Err(ListError::Address(why));
        }
        let mut listed: BTreeMap<i64, (String, Listed)> = BTreeMap::new();
        for account in selector.accounts() {
            let name = account.to_string().to_lowercase();
            for repository in self.list(&account).await? {
                listed.entry(repository.id).or_insert((name.clone(), repository));
            }
        }
        let known = self.store.listed_before(&self.host).await?;
        let local = is_loopback(&self.api);
        let discovery = judge(selector, (&self.host, local), &self.sources, &listed, &known);
        if note == Note::Down {
            let now = discovery.repositories.iter().map(|one| Known {
                id: one.id,
                account: listed.get(&one.id).map_or_else(String::new, |(account, _)| account.clone()),
                full_name: one.full_name.clone(),
                url: one.url.clone(),
            });
            self.store.note_listed(&self.host, &now.collect::<Vec<_>>(), (self.now)()).await?;
        }
        Ok(discovery)
    }
}

fn judge(
    selector: &Selector,
    (host, local): (&str, bool),
    sources: &Policy,
    listed: &BTreeMap<i64, (String, Listed)>,
    known: &[Known],
) -> Discovery {
    let before: BTreeMap<i64, &Known> = known.iter().map(|known| (known.id, known)).collect();
    let mut repositories: Vec<Verdict> = listed
        .values()
        .map(|(_, one)| {
            let url = address(&one.clone_url);
            let refused = || sources.check(&Source::Remote { url: url.clone() }).err();
            let passed_over = match is_at(&url, host, local) {
                true => selector.passes_over(one).or_else(|| refused().map(|refused| refused.to_string())),
                false => Some(format!("its address is not at {host}")),
            };
            let was = before.get(&one.id).map(|known| known.full_name.clone());
            Verdict {
                full_name: one.full_name.clone(),
                id: one.id,
                url,
                default_branch: one.default_branch.clone(),
                private: one.private,
                archived: one.archived,
                fork: one.fork,
                was: was.filter(|was| *was != one.full_name),
                passed_over,
            }
        })
        .collect();
    repositories.sort_by(|one, other| one.full_name.cmp(&other.full_name));
    let accounts: BTreeSet<String> =
        selector.accounts().iter().map(|account| account.to_string().to_lowercase()).collect();
    let gone = |known: &&Known| accounts.contains(&known.account) && !listed.contains_key(&known.id);
    let mut vanished: Vec<String> = known.iter().filter(gone).map(|known| known.full_name.clone()).collect();
    vanished.sort();
    Discovery { repositories, vanished }
}

/// Returns an address as a configuration has it, so that both name the same repository.
pub fn address(clone_url: &str) -> String {
    clone_url.strip_suffix(".git").unwrap_or(clone_url).to_owned()
}

/// Whether an address is where repositories of this GitHub are: credentials are for that host alone. A server on this very
/// machine may name what else is on it.
fn is_at(url: &str, host: &str, local: bool) -> bool {
    let plain = !url.chars().any(|char| char.is_control() || char == ' ');
    let rest = url.strip_prefix("https://").and_then(|rest| rest.split_once('/'));
    plain
        && (rest.is_some_and(|(at, path)| at.eq_ignore_ascii_case(host) && !path.is_empty())
            || (local && url.starts_with("file:///")))
}

/// Returns what to analyse of a discovery beside what is asked for by name. A name that two have is given with its owner.
pub fn requests<'a>(
    selector: &Selector,
    chosen: impl Iterator<Item = &'a Verdict>,
    named: &[RepositoryRequest],
) -> Vec<RepositoryRequest> {
    let place = |url: &str| address(url.trim_end_matches('/')).to_lowercase();
    let there: BTreeSet<String> = named.iter().filter_map(|one| one.url.as_deref().map(place)).collect();
    let chosen: Vec<&Verdict> = chosen.filter(|one| !there.contains(&place(&one.url))).collect();
    let short = |one: &Verdict| one.full_name.rsplit('/').next().unwrap_or_default().to_owned();
    let mut uses: BTreeMap<String, usize> = BTreeMap::new();
    for name in named.iter().map(|one| one.name.clone()).chain(chosen.iter().map(|one| short(one))) {
        *uses.entry(name).or_default() += 1;
    }
    let request = |one: &&Verdict| {
        let name = Some(short(one)).filter(|name| uses[name] == 1).unwrap_or_else(|| one.full_name.clone());
        RepositoryRequest {
            project_key: project_key(&name),
            name,
            url: Some(one.url.clone()),
            path: None,
            branch: selector.branch.clone(),
            all_branches: selector.all_branches,
            credential: None,
        }
    };
    chosen.iter().map(request).collect()
}

/// Returns the key of a project that nobody named.
pub fn project_key(name: &str) -> String {
    name.to_uppercase().replace(['-', '/'], "_")
}

#[cfg(test)]
mod tests {
    use gitfleet_shared::sources::HostPattern;

    use super::*;

    fn listed(id: i64, full_name: &str) -> (i64, (String, Listed)) {
        let clone_url = format!("https://github.com/{full_name}.git");
        let full_name = full_name.to_owned();
        let repository = Listed {
            id,
            full_name,
            clone_url,
            default_branch: Some("main".into()),
            archived: false,
            fork: false,
            private: false,
            disabled: false,
        };
        (id, ("orgs/acme".to_owned(), repository))
    }

    fn known(id: i64, account: &str, full_name: &str) -> Known {
        Known {
            id,
            account: account.into(),
            full_name: full_name.into(),
            url: format!("https://github.com/{full_name}"),
        }
    }

    #[test]
    fn a_repository_is_known_by_its_id() {
        let selector = Selector { organization: Some("Acme".into()), ..Selector::default() };
        let listing: BTreeMap<_, _> = [listed(1, "acme/new"), listed(2, "acme/same")].into();
        let before = [
            known(1, "orgs/acme", "acme/old"),
            known(2, "orgs/acme", "acme/same"),
            known(3, "orgs/acme", "acme/gone"),
            known(4, "orgs/other", "other/elsewhere"),
        ];
        let found = judge(&selector, ("github.com", false), &Policy::default(), &listing, &before);
        let was: Vec<_> =
            found.repositories.iter().map(|one| (one.full_name.as_str(), one.was.as_deref())).collect();
        assert_eq!(was, [("acme/new", Some("acme/old")), ("acme/same", None)]);
        assert_eq!(found.vanished, ["acme/gone"]);
    }

    #[test]
    fn addresses_elsewhere_are_passed_over() {
        for (url, host, local, expect) in [
            ("https://github.com/a/b", "github.com", false, true),
            ("https://GitHub.com/a/b", "github.com", false, true),
            ("https://github.com.evil.example/a/b", "github.com", false, false),
            ("https://x@github.com/a/b", "github.com", false, false),
            ("http://github.com/a/b", "github.com", false, false),
            ("ssh://github.com/a/b", "github.com", false, false),
            ("https://github.com/a b", "github.com", false, false),
            ("https://github.com/", "github.com", false, false),
            ("file:///srv/a", "github.com", false, false),
            ("file:///srv/a", "127.0.0.1:80", true, true),
            ("https://ghe.example:8443/a/b", "ghe.example:8443", false, true),
        ] {
            assert_eq!(is_at(url, host, local), expect, "{url} {host} {local}");
        }
        assert_eq!(address("https://github.com/a/b.git"), "https://github.com/a/b");
    }

    #[test]
    fn what_may_not_be_asked_is_passed_over_with_the_reason() {
        let listing: BTreeMap<_, _> = [listed(1, "acme/web")].into();
        let hosts = vec![HostPattern::read("git.corp.example").unwrap()];
        let policy = Policy { hosts, ..Policy::default() };
        let found = judge(&Selector::default(), ("github.com", false), &policy, &listing, &[]);
        let why = found.repositories[0].passed_over.as_deref().unwrap();
        assert!(why.contains("the host github.com"), "{why}");
    }

    #[test]
    fn a_name_that_two_have_is_given_with_its_owner() {
        let listing: BTreeMap<_, _> =
            [listed(1, "acme/web"), listed(2, "ann/web"), listed(3, "ann/my-tool")].into();
        let found = judge(&Selector::default(), ("github.com", false), &Policy::default(), &listing, &[]);
        let named: Vec<_> = requests(&Selector::default(), found.chosen(), &[])
            .into_iter()
            .map(|one| format!("{} {} {}", one.name, one.project_key, one.url.unwrap()))
            .collect();
        assert_eq!(
            named,
            [
                "acme/web ACME_WEB https://github.com/acme/web",
                "my-tool MY_TOOL https://github.com/ann/my-tool",
                "ann/web ANN_WEB https://github.com/ann/web"
            ]
        );
        let configured = |name: &str, url: &str| RepositoryRequest {
            name: name.into(),
            project_key: "K".into(),
            url: Some(url.into()),
            path: None,
            branch: None,
            all_branches: false,
            credential: None,
        };
        // What is configured by itself stays as it is, and keeps its name.
        let configured = [
            configured("web", "https://GitHub.com/acme/web.git"),
            configured("my-tool", "https://git.example/my-tool"),
        ];
        let selector = Selector { branch: Some("next".into()), ..Selector::default() };
        let beside = requests(&selector, found.chosen(), &configured);
        let named: Vec<_> = beside.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(named, ["ann/my-tool", "ann/web"]);
        assert_eq!(beside[0].branch.as_deref(), Some("next"));
    }
}
