//! Who may name which credential. The secrets are the workers', and a coordinator knows none of them.

use super::Scope;

/// Credentials that are lent to some teams and projects.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lending(pub Vec<Loan>);

/// A credential, and whose batches may name it beside those of whoever may see everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loan {
    pub name: String,
    pub teams: Vec<String>,
    pub projects: Vec<String>,
}

impl Lending {
    /// Whether a batch of `team` may name a credential for a repository of `project`, submitted by whoever has `scope`.
    pub fn lends(&self, name: &str, scope: &Scope, team: Option<&str>, project: &str) -> bool {
        let Scope::Part(part) = scope else { return true };
        // Project keys are what somebody writes; those of others are no reason.
        let own_team = team.filter(|team| part.teams.iter().any(|own| own == team));
        let own_project = Some(project).filter(|project| part.projects.iter().any(|own| own == project));
        let holds =
            |list: &[String], one: Option<&str>| one.is_some_and(|one| list.iter().any(|other| other == one));
        self.0
            .iter()
            .filter(|loan| loan.name == name)
            .any(|loan| holds(&loan.teams, own_team) || holds(&loan.projects, own_project))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_sees_a_part_names_what_is_lent_to_it() {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let loan = |name: &str, teams: &[&str], projects: &[&str]| Loan {
            name: name.to_owned(),
            teams: words(teams),
            projects: words(projects),
        };
        let lending = Lending(vec![loan("corp", &["search"], &["PAY"]), loan("root", &[], &[])]);
        let check = |name: &str,
                     teams: &[&str],
                     projects: &[&str],
                     team: Option<&str>,
                     project: &str,
                     expect: bool| {
            let scope = Scope::of(words(teams), words(projects));
            assert_eq!(
                lending.lends(name, &scope, team, project),
                expect,
                "{name} {scope} {team:?} {project}"
            );
        };
        check("corp", &[], &[], None, "X", true);
        check("root", &[], &[], None, "X", true);
        check("corp", &["search"], &[], Some("search"), "X", true);
        check("corp", &["search", "ads"], &[], Some("ads"), "X", false);
        check("corp", &["ads"], &[], Some("ads"), "PAY", false);
        check("corp", &["ads"], &[], Some("search"), "X", false);
        check("corp", &[], &["PAY"], None, "PAY", true);
        check("corp", &[], &["PAY"], None, "ADS", false);
        check("root", &["search"], &[], Some("search"), "X", false);
        check("unknown", &["search"], &["PAY"], Some("search"), "PAY", false);
    }
}
