//! One member of the file's list of repositories: which of its keys say where it lies, and whether they agree.

use std::path::Path;

use super::datum::Datum;
use super::github;
use super::keys;
use super::location::Location;
use super::merge::Merge;
use super::node::Place;
use super::origin::Origin;
use super::problem::{Problem, ProblemKind, quote};
use super::repository::{Branches, Context, Draft, sound_url};

/// Reads the list, which may stand at either of two places but not at both.
pub(super) fn members(merge: &mut Merge<'_>, context: &Context) -> Vec<Draft> {
    let mut lists: Vec<(&str, Vec<Place>)> = Vec::new();
    for list in ["repositories", "github.repositories"] {
        let members = merge.found.members.get(list).filter(|members| !members.is_empty());
        lists.extend(members.map(|members| (list, members.clone())));
    }
    if let [(_, one), (path, other)] = lists.as_slice() {
        let wrong = format!("repositories are listed at {}:{} too", merge.file, one[0]);
        let problem = Problem::new(ProblemKind::Conflict, Origin::line(&merge.file, other[0]), path, wrong);
        merge.problems.push(problem.hint("put them in one list"));
    }
    let mut drafts = Vec::new();
    for (list, members) in lists {
        for (index, place) in members.into_iter().enumerate() {
            let member = Member { at: format!("{list}[{index}]"), origin: Origin::line(&merge.file, place) };
            drafts.extend(member.draft(merge, context));
        }
    }
    drafts
}

struct Member {
    /// As `repositories[2]`.
    at: String,
    origin: Origin,
}

impl Member {
    fn draft(&self, merge: &mut Merge<'_>, context: &Context) -> Option<Draft> {
        let known_problems = merge.problems.len();
        let name = self.text(merge, "name");
        let path = self.text(merge, "path");
        let url = self.text(merge, "url");
        let remote = self.on_github(merge, context, name.as_ref());
        if let (Some(_), Some((_, origin))) = (&path, &url) {
            let problem = self.problem(ProblemKind::Conflict, origin, "url", "it has a path, too");
            merge
                .problems
                .push(problem.hint("keep the path of a repository that is here, or the url of one to clone"));
        }
        let (location, origin) = match (path, url, &remote) {
            (Some((path, origin)), _, _) => (self.local(merge, &path, &origin)?, origin),
            (None, Some((url, origin)), _) => (self.address(merge, &url, &origin)?, origin),
            (None, None, Some((remote, origin))) => (Location::Url(remote.clone()), origin.clone()),
            (None, None, None) => {
                // Where a key was given and is wrong, that has been said.
                if merge.problems.len() == known_problems && !self.had_a_try(merge) {
                    let wrong = "it has neither path, nor url, nor github_repo";
                    let problem = Problem::new(ProblemKind::Missing, self.origin.clone(), &self.at, wrong);
                    merge
                        .problems
                        .push(problem.hint("say where the repository is: `path: ../my-repository`"));
                }
                return None;
            }
        };
        let branch = self.text(merge, "branch").filter(|_| context.branches_origin.is_none());
        let (branches, branch_origin) = match branch {
            Some((branch, origin)) => (Branches::Named(branch), Some(origin)),
            None => (context.branches.clone(), context.branches_origin.clone()),
        };
        let (name, name_origin) = name.unwrap_or((String::new(), Origin::Default));
        let project_key = self.text(merge, "project_key");
        let remote = remote.filter(|_| matches!(location, Location::Path(_)));
        let credential = self.text(merge, "credential");
        let address = match (&location, &remote) {
            (Location::Url(url), _) | (_, Some((url, _))) => url.as_str(),
            (Location::Path(_), None) => "",
        };
        if let Some((_, origin)) = credential.as_ref().filter(|_| !address.starts_with("https://")) {
            let wrong = "a credential is shown over https alone, and this is no https URL";
            merge.problems.push(self.problem(ProblemKind::Conflict, origin, "credential", wrong));
        }
        Some(Draft {
            location,
            remote,
            branches,
            name,
            name_origin,
            project_key,
            origin,
            branch_origin,
            credential,
        })
    }

    /// Returns the address on GitHub, if the member names one: by `github_repo`, or by an owner and its name.
    fn on_github(
        &self,
        merge: &mut Merge<'_>,
        context: &Context,
        name: Option<&(String, Origin)>,
    ) -> Option<(String, Origin)> {
        let own_owner = self.text(merge, "owner").map(|(owner, _)| owner);
        let explicit = self.text(merge, "github_repo");
        let (repo, origin) = explicit.clone().or_else(|| own_owner.as_ref().and(name.cloned()))?;
        match github::full_name(&repo, own_owner.as_deref().or(context.owner.as_deref())) {
            Ok(full_name) => Some((format!("https://{}/{full_name}", context.host), origin)),
            Err(wrong) => {
                let key = if explicit.is_some() { "github_repo" } else { "name" };
                let wrong = match &origin {
                    Origin::File { variables, .. } if variables.is_empty() => {
                        format!("{}: {wrong}", quote(&repo))
                    }
                    _ => wrong.to_owned(),
                };
                merge.problems.push(self.problem(ProblemKind::Value, &origin, key, &wrong));
                None
            }
        }
    }

    fn local(&self, merge: &mut Merge<'_>, path: &str, origin: &Origin) -> Option<Location> {
        if path.contains("://") {
            let problem =
                self.problem(ProblemKind::Value, origin, "path", "this is an address, and not a path");
            merge.problems.push(problem.hint("write it as `url`"));
            return None;
        }
        merge.absolute(Path::new(path), origin, &self.key("path")).map(Location::Path)
    }

    fn address(&self, merge: &mut Merge<'_>, url: &str, origin: &Origin) -> Option<Location> {
        if !Location::is_url(url) {
            let problem =
                self.problem(ProblemKind::Value, origin, "url", "this is a path, and not an address");
            merge.problems.push(problem.hint("write it as `path`"));
            return None;
        }
        sound_url(merge, url, origin, &self.key("url"))
    }

    /// Returns the text at a key of this member or at another name of that key.
    fn text(&self, merge: &mut Merge<'_>, key: &str) -> Option<(String, Origin)> {
        let pattern = format!("repositories[].{key}");
        let others = keys::aliases(&pattern).map(|alias| self.key(alias.key.name));
        let paths: Vec<String> = std::iter::once(self.key(key)).chain(others).collect();
        let given = merge.agreed(paths.iter().map(String::as_str))?;
        match given.datum {
            Datum::Text(text) => Some((text, given.origin)),
            _ => None,
        }
    }

    /// Whether anything in this member was refused before it came here: a mistyped `path`, say.
    fn had_a_try(&self, merge: &Merge<'_>) -> bool {
        merge.refused.range(self.at.clone()..).next().is_some_and(|key| key.starts_with(&self.at))
    }

    fn key(&self, name: &str) -> String {
        format!("{}.{name}", self.at)
    }

    fn problem(&self, kind: ProblemKind, origin: &Origin, key: &str, wrong: &str) -> Problem {
        Problem::new(kind, origin.clone(), &self.key(key), wrong)
    }
}
