//! Which batches somebody may see: everything, or those of some teams and projects.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The label that says which team a batch is of.
pub const TEAM: &str = "team";

/// Whose objects are to be seen. A foreign one answers as one that does not exist.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Scope {
    #[default]
    All,
    Part(Part),
}

/// Some teams and projects.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Batches with the label `team=NAME` of one of these.
    #[serde(default)]
    pub teams: Vec<String>,
    /// Batches of which every repository has one of these project keys.
    #[serde(default)]
    pub projects: Vec<String>,
}

impl Scope {
    /// Returns the scope of these teams and projects; of none at all it is everything.
    pub fn of(teams: Vec<String>, projects: Vec<String>) -> Self {
        match teams.is_empty() && projects.is_empty() {
            true => Self::All,
            false => Self::Part(Part { teams, projects }),
        }
    }

    /// Returns the scope as the store keeps it; `None` is everything.
    pub fn stored(&self) -> Option<String> {
        match self {
            Self::All => None,
            Self::Part(part) => Some(serde_json::to_string(part).expect("it is made of lists of strings")),
        }
    }

    /// Returns the scope that the store kept, or `None` where it is none.
    pub fn restored(text: Option<&str>) -> Option<Self> {
        match text {
            None => Some(Self::All),
            Some(text) => serde_json::from_str(text).ok().map(Self::Part),
        }
    }

    /// Makes a batch one of this scope where it can be told which team it is of: whoever is of one team alone need not say
    /// so.
    ///
    /// # Errors
    ///
    /// Where it would be a batch that whoever submits it does not see; in words.
    pub fn claim<'a>(
        &self,
        labels: &mut BTreeMap<String, String>,
        mut projects: impl Iterator<Item = &'a str>,
    ) -> Result<(), String> {
        let Self::Part(part) = self else { return Ok(()) };
        match (labels.get(TEAM), part.teams.as_slice()) {
            (Some(team), teams) if teams.contains(team) => Ok(()),
            // A label of another team would show that team what it never asked for.
            (Some(team), _) => Err(format!("the label {TEAM}={team} is not of {}", part.words())),
            (None, _) if projects.all(|project| part.projects.iter().any(|one| one == project)) => Ok(()),
            (None, [team]) => {
                labels.insert(TEAM.to_owned(), team.clone());
                Ok(())
            }
            (None, _) => Err(format!("a batch has the label {TEAM} or only projects of {}", part.words())),
        }
    }
}

impl Part {
    fn words(&self) -> String {
        let list = |what: &str, names: &[String]| match names {
            [] => None,
            names => Some(format!("{what} {}", names.join(", "))),
        };
        let parts = [list("team", &self.teams), list("project", &self.projects)];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" and ")
    }
}

impl std::fmt::Display for Scope {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::All => formatter.write_str("everything"),
            Self::Part(part) => formatter.write_str(&part.words()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(
        teams: &[&str],
        projects: &[&str],
        label: Option<&str>,
        batch: &[&str],
        expect: Result<Option<&str>, &str>,
    ) {
        let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let scope = Scope::of(own(teams), own(projects));
        let mut labels: BTreeMap<_, _> =
            label.map(|team| (TEAM.to_owned(), team.to_owned())).into_iter().collect();
        let claimed = scope.claim(&mut labels, batch.iter().copied());
        match (claimed, expect) {
            (Ok(()), Ok(team)) => assert_eq!(labels.get(TEAM).map(String::as_str), team, "{scope}"),
            (Err(error), Err(word)) => assert!(error.contains(word), "{error}"),
            (got, expect) => panic!("{scope}, {label:?}, {batch:?}: {got:?}, not {expect:?}"),
        }
        assert_eq!(Scope::restored(scope.stored().as_deref()), Some(scope));
    }

    #[test]
    fn a_batch_is_of_whoever_submits_it() {
        check(&[], &[], None, &["A"], Ok(None));
        check(&[], &[], Some("x"), &["A"], Ok(Some("x")));
        check(&["x"], &[], None, &["A"], Ok(Some("x")));
        check(&["x", "y"], &[], Some("y"), &["A"], Ok(Some("y")));
        check(&["x", "y"], &[], None, &["A"], Err("team x, y"));
        check(&["x"], &[], Some("z"), &["A"], Err("team=z"));
        check(&[], &["A", "B"], None, &["A", "B"], Ok(None));
        check(&[], &["A"], None, &["A", "B"], Err("project A"));
        check(&[], &["A"], Some("x"), &["A"], Err("team=x"));
        check(&["x"], &["A"], None, &["A"], Ok(None));
        check(&["x"], &["A"], None, &["B"], Ok(Some("x")));
    }

    #[test]
    fn what_is_no_scope_is_none_and_not_everything() {
        assert_eq!(Scope::restored(Some("{")), None);
        assert_eq!(Scope::restored(Some("{\"team\":[]}")), None);
        assert_eq!(Scope::restored(None), Some(Scope::All));
    }
}
