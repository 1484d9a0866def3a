//! The repositories to analyse, from the command line, the environment or the file, each with a place, a name that
//! no other has, and the branches that count.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::Path;

use gitfleet_coordinator::github::project_key;

use super::keys;
use super::location::{self, Location};
use super::member;
use super::merge::Merge;
use super::origin::Origin;
use super::problem::{Problem, ProblemKind};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RepositorySetting {
    /// Different from the name of every other repository of the configuration.
    pub(crate) name: String,
    pub(crate) location: Location,
    /// Where a repository at a path can be cloned from, should the path be empty; `None` if nobody said.
    pub(crate) remote: Option<String>,
    pub(crate) project_key: String,
    pub(crate) branches: Branches,
    /// The name of what is shown to its host.
    pub(crate) credential: Option<String>,
}

/// Which commits of a repository count: those that can be reached from here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Branches {
    /// The branch that HEAD names.
    Default,
    Named(String),
    All,
}

/// What the rest of the configuration says about repositories in general.
pub(super) struct Context {
    /// The host that `OWNER/NAME` is cloned from.
    pub(super) host: String,
    pub(super) owner: Option<String>,
    /// What holds for a repository that says nothing about branches.
    pub(super) branches: Branches,
    /// Who said that, if it was said on the command line or in the environment and so beats the file.
    pub(super) branches_origin: Option<Origin>,
}

/// A repository before all have their names.
pub(super) struct Draft {
    pub(super) location: Location,
    pub(super) remote: Option<(String, Origin)>,
    pub(super) branches: Branches,
    /// Empty until it is taken from the location.
    pub(super) name: String,
    pub(super) name_origin: Origin,
    pub(super) project_key: Option<(String, Origin)>,
    /// Who said where the repository lies.
    pub(super) origin: Origin,
    pub(super) branch_origin: Option<Origin>,
    pub(super) credential: Option<(String, Origin)>,
}

/// Returns the repositories of the strongest voice, and whether that is a stronger one than the file; those of the file are
/// checked in any case.
pub(super) fn repositories(merge: &mut Merge<'_>, context: &Context) -> (Vec<RepositorySetting>, bool) {
    let in_file = member::members(merge, context);
    let sources = from_sources(merge, context);
    let typed = sources.is_some();
    let mut drafts = sources.unwrap_or(in_file);
    name(&mut drafts);
    refuse_namesakes(merge, &drafts);
    let settled = drafts.into_iter().enumerate().map(|(index, draft)| settle(merge, index, draft)).collect();
    (settled, typed)
}

/// Reads what was typed as sources, or stands in the variable for them; `None` if nobody named any.
fn from_sources(merge: &mut Merge<'_>, context: &Context) -> Option<Vec<Draft>> {
    let (_, reach) = keys::acted("repositories");
    let (sources, origin): (Vec<OsString>, _) = if merge.overrides.sources.is_empty() {
        let (list, origin) = merge.variables.own(reach.variable?)?;
        let words = list.split(',').map(str::trim).filter(|word| !word.is_empty());
        (words.map(OsString::from).collect(), origin)
    } else {
        (merge.overrides.sources.clone(), Origin::Flag(reach.flag?))
    };
    Some(sources.iter().filter_map(|source| from_source(merge, context, source, &origin)).collect())
}

fn from_source(merge: &mut Merge<'_>, context: &Context, source: &OsStr, origin: &Origin) -> Option<Draft> {
    let location = match source.to_str().filter(|text| Location::is_url(text)) {
        Some(url) => sound_url(merge, url, origin, "")?,
        None => Location::Path(merge.absolute(Path::new(source), origin, "")?),
    };
    let (_, reach) = keys::acted("repositories[].credential");
    // What is not asked over https is shown none.
    let is_https = matches!(&location, Location::Url(url) if url.starts_with("https://"));
    let credential =
        merge.overrides.credential.clone().filter(|_| is_https).zip(reach.flag.map(Origin::Flag));
    Some(Draft {
        location,
        remote: None,
        branches: context.branches.clone(),
        name: String::new(),
        name_origin: Origin::Default,
        project_key: None,
        origin: origin.clone(),
        branch_origin: context.branches_origin.clone(),
        credential,
    })
}

/// Accepts an address, unless it carries a secret or cannot be one.
pub(super) fn sound_url(merge: &mut Merge<'_>, url: &str, origin: &Origin, key: &str) -> Option<Location> {
    let Some(objection) = location::objection(url) else { return Some(Location::Url(url.to_owned())) };
    // The address itself is not repeated: it may hold the very secret.
    let problem = Problem::new(ProblemKind::Value, origin.clone(), key, objection);
    merge.problems.push(
        problem.hint(
            "an address looks like https://host/owner/name; secrets belong in github.token or an ssh key",
        ),
    );
    None
}

/// Names what has no name by the end of its location, taking in one more part wherever two would be called the same:
/// `a/tools` and `b/tools`. The outcome does not depend on the order of the list.
fn name(drafts: &mut [Draft]) {
    let unnamed: Vec<usize> = (0..drafts.len()).filter(|&index| drafts[index].name.is_empty()).collect();
    let mut parts: BTreeMap<usize, usize> = unnamed.iter().map(|&index| (index, 1)).collect();
    loop {
        for (&index, &count) in &parts {
            drafts[index].name = drafts[index].location.name(count);
        }
        let mut uses: BTreeMap<String, usize> = BTreeMap::new();
        for draft in drafts.iter() {
            *uses.entry(draft.name.clone()).or_default() += 1;
        }
        let mut lengthened = false;
        for (index, count) in &mut parts {
            let draft = &drafts[*index];
            if uses[&draft.name] > 1 && draft.location.has_longer_name(*count) {
                *count += 1;
                lengthened = true;
            }
        }
        if !lengthened {
            return;
        }
    }
}

fn refuse_namesakes(merge: &mut Merge<'_>, drafts: &[Draft]) {
    let mut first: BTreeMap<&str, &Draft> = BTreeMap::new();
    for draft in drafts {
        let Some(other) = first.insert(&draft.name, draft) else { continue };
        let at = &other.origin;
        let (wrong, hint) = if other.location == draft.location {
            (format!("{} stands at {at} too", draft.location.name(1)), "keep one of the two")
        } else {
            let hint = "a name stands for one repository in every report: give one another `name`";
            (format!("two repositories are called {}, the other at {at}", draft.name), hint)
        };
        merge.problems.push(Problem::new(ProblemKind::Conflict, draft.origin.clone(), "", wrong).hint(hint));
    }
}

fn settle(merge: &mut Merge<'_>, index: usize, draft: Draft) -> RepositorySetting {
    let at = |key: &str| format!("repositories[{index}].{key}");
    merge.show(&at("name"), &draft.name, &draft.name_origin);
    match &draft.location {
        Location::Path(path) => merge.show(&at("path"), &path.display().to_string(), &draft.origin),
        Location::Url(url) => merge.show(&at("url"), url, &draft.origin),
    }
    if let Some((remote, origin)) = &draft.remote {
        merge.show(&at("github_repo"), &full_name(remote), origin);
    }
    let (project_key, origin) =
        draft.project_key.unwrap_or_else(|| (project_key(&draft.name), Origin::Default));
    merge.show(&at("project_key"), &project_key, &origin);
    if let (Branches::Named(branch), Some(origin)) = (&draft.branches, &draft.branch_origin) {
        merge.show(&at("branch"), branch, origin);
    }
    let credential = draft.credential.map(|(credential, origin)| {
        merge.show(&at("credential"), &credential, &origin);
        credential
    });
    let Draft { name, location, branches, .. } = draft;
    let remote = draft.remote.map(|(remote, _)| remote);
    RepositorySetting { name, location, remote, project_key, branches, credential }
}

/// Returns the `OWNER/NAME` an address on GitHub was made of.
fn full_name(remote: &str) -> String {
    Location::Url(remote.to_owned()).name(2)
}
