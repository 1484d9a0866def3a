//! How reports read facts, as the configuration says it; the forms of GitFlow Analytics are read, too.

use std::collections::BTreeMap;
use std::sync::Arc;

use gitfleet_coordinator::lens::{Lens, Names};
use gitfleet_shared::people::teams::{Membership, Team};
use gitfleet_shared::people::{Mapping, bots};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::merge::Merge;
use super::origin::Origin;
use super::problem::{Problem, ProblemKind};

/// What pseudonyms are made with where nobody says.
const PUBLIC_KEY: &str = "gitfleet";

/// Returns the lens, and the secret by which those are known who were erased.
pub(super) fn settle(merge: &mut Merge<'_>) -> (Arc<Lens>, Option<SecretString>) {
    let mut lens = Lens::default();
    lens.people.mailmap = mailmap(merge);
    lens.people.mappings = tree(merge, "people.mappings", mappings).unwrap_or_default();
    lens.people.settings.bots =
        bots::Lists { bots: many(merge, "people.bots"), humans: many(merge, "people.humans") };
    lens.people.settings.name_stop_list = many(merge, "people.name_stop_list");
    lens.people.settings.plus_tag_domains = many(merge, "people.plus_tag_domains");
    let erasure_key = merge.secret("people.erasure_key").filter(|key| !key.expose_secret().is_empty());
    lens.teams = tree(merge, "teams", teams).unwrap_or_default();
    lens.tickets.platforms = many(merge, "tickets.platforms");
    lens.tickets.jira_keys = many(merge, "tickets.project_keys");
    lens.tickets.linear_keys = many(merge, "tickets.linear_keys");
    lens.tickets.patterns = tree(merge, "tickets.patterns", patterns).unwrap_or_default();
    lens.tickets.exclude_patterns = tree(merge, "tickets.exclude_patterns", texts).unwrap_or_default();
    if let Some((word, _)) = merge.text("tickets.position") {
        lens.tickets.position = serde_json::from_value(word.into()).expect("the table lists the words");
    }
    lens.work.custom = tree(merge, "work.categories", serde_json::from_value).unwrap_or_default();
    lens.work.extra_types =
        tree(merge, "work.conventional_types", serde_json::from_value).unwrap_or_default();
    lens.work.project_key_kinds =
        tree(merge, "work.project_kinds", serde_json::from_value).unwrap_or_default();
    lens.work.taxonomy = tree(merge, "work.words", words).unwrap_or_default();
    lens.story_points = tree(merge, "work.story_point_patterns", texts).unwrap_or_default();
    lens.release_tags = merge.text("releases.tag_pattern").map(|(pattern, _)| pattern);
    lens.exclude_paths = many(merge, "source.exclude");
    lens.names = names(merge);
    lens.working_hours = merge.switch("reports.working_hours").is_some_and(|(on, _)| on);
    if let Err(bad) = lens.check() {
        let place = bad.place.split('.').take(2).collect::<Vec<_>>().join(".");
        let origin = merge.found.given.get(&place).map_or(Origin::Default, |given| given.origin.clone());
        merge.problems.push(Problem::new(ProblemKind::Value, origin, &place, bad.reason));
    }
    (Arc::new(lens), erasure_key)
}

fn names(merge: &mut Merge<'_>) -> Names {
    let anonymize = merge.switch("reports.anonymize").is_some_and(|(on, _)| on);
    let public = merge.switch("reports.public").is_some_and(|(on, _)| on);
    let key = merge.secret("reports.pseudonym_key");
    match (public, anonymize) {
        (true, _) => Names::Withheld,
        (false, true) => {
            let secret = key.as_ref().map_or(PUBLIC_KEY, |key| key.expose_secret());
            Names::pseudonyms(secret)
        }
        (false, false) => Names::Shown,
    }
}

fn mailmap(merge: &mut Merge<'_>) -> String {
    let Some(path) = merge.path("people.mailmap_file") else { return String::new() };
    match std::fs::read(&path) {
        // Names in other encodings than UTF-8 are known by their commits and not by this file.
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) => {
            let key = "people.mailmap_file";
            let origin = merge.found.given.get(key).map_or(Origin::Default, |given| given.origin.clone());
            let wrong = format!("cannot read {}: {error}", path.display());
            merge.problems.push(Problem::new(ProblemKind::Unreadable, origin, key, wrong));
            String::new()
        }
    }
}

fn many(merge: &mut Merge<'_>, path: &str) -> Vec<String> {
    merge.many(path).unwrap_or_default()
}

/// Reads a tree; where it is of another form, says what is wrong with it.
fn tree<T>(
    merge: &mut Merge<'_>,
    path: &str,
    read: impl Fn(Value) -> Result<T, serde_json::Error>,
) -> Option<T> {
    let (tree, origin) = merge.tree(path)?;
    match read(tree) {
        Ok(found) => Some(found),
        Err(error) => {
            let problem = Problem::new(ProblemKind::Value, origin, path, error.to_string());
            merge.problems.push(problem.hint("`gitfleet config reference` says what belongs here"));
            None
        }
    }
}

/// One text, or a list of them.
#[derive(Deserialize)]
#[serde(untagged, expecting = "this is neither a text nor a list of texts")]
enum Texts {
    One(String),
    Many(Vec<String>),
}

impl From<Texts> for Vec<String> {
    fn from(texts: Texts) -> Self {
        match texts {
            Texts::One(text) => vec![text],
            Texts::Many(texts) => texts,
        }
    }
}

fn texts(tree: Value) -> Result<Vec<String>, serde_json::Error> {
    Texts::deserialize(tree).map(Into::into)
}

fn patterns(tree: Value) -> Result<BTreeMap<String, Vec<String>>, serde_json::Error> {
    let patterns: BTreeMap<String, Texts> = serde_json::from_value(tree)?;
    Ok(patterns.into_iter().map(|(platform, patterns)| (platform, patterns.into())).collect())
}

/// A word for a category, or, as GitFlow Analytics nests them, words by its field.
#[derive(Deserialize)]
#[serde(untagged, expecting = "this is neither a word nor a mapping of categories to words")]
enum Word {
    One(String),
    Nested(BTreeMap<String, String>),
}

fn words(tree: Value) -> Result<BTreeMap<String, String>, serde_json::Error> {
    let mut words = BTreeMap::new();
    for (category, word) in serde_json::from_value::<BTreeMap<String, Word>>(tree)? {
        let pairs = match word {
            Word::One(word) => BTreeMap::from([(category, word)]),
            Word::Nested(pairs) => pairs,
        };
        for (category, word) in pairs {
            if let Some((_, ours)) = ITS_CATEGORIES.iter().find(|(its, _)| *its == category) {
                words.entry((*ours).to_owned()).or_insert_with(|| word.clone());
            }
            words.insert(category, word);
        }
    }
    Ok(words)
}

/// Categories that GitFlow Analytics calls otherwise.
const ITS_CATEGORIES: [(&str, &str); 5] = [
    ("bugfix", "fix"),
    ("bug_fix", "fix"),
    ("documentation", "docs"),
    ("performance", "perf"),
    ("maintenance", "chore"),
];

/// A person in any of the forms that GitFlow Analytics has had.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PersonSetting {
    #[serde(alias = "primary_name")]
    name: Option<String>,
    #[serde(alias = "canonical_email", alias = "canonical_id")]
    primary_email: String,
    #[serde(default, alias = "emails")]
    aliases: Vec<String>,
    #[serde(alias = "github_username")]
    login: Option<String>,
    /// How a match was found says nothing about who it is.
    #[serde(rename = "confidence")]
    _confidence: Option<Value>,
    #[serde(rename = "reasoning")]
    _reasoning: Option<Value>,
}

fn mappings(tree: Value) -> Result<Vec<Mapping>, serde_json::Error> {
    let people: Vec<PersonSetting> = list(tree)?;
    let mapping = |person: PersonSetting| Mapping {
        name: person
            .name
            .unwrap_or_else(|| person.primary_email.split('@').next().unwrap_or_default().to_owned()),
        primary_email: person.primary_email,
        aliases: person.aliases,
        login: person.login,
    };
    Ok(people.into_iter().map(mapping).collect())
}

/// A member by name or e-mail, perhaps for a time.
#[derive(Deserialize)]
#[serde(untagged, expecting = "a member is a name or e-mail, or {person, from, until}")]
enum MemberSetting {
    Always(String),
    Dated(Membership),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TeamSetting {
    name: String,
    #[serde(rename = "lead")]
    _lead: Option<String>,
    #[serde(default)]
    members: Vec<MemberSetting>,
    /// Smaller teams within; their people are the team's, too.
    #[serde(default)]
    pods: Vec<TeamSetting>,
}

/// The list alone, or as GitFlow Analytics has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TeamsSetting {
    #[serde(default, rename = "enabled")]
    _enabled: Option<String>,
    teams: Vec<TeamSetting>,
}

fn teams(tree: Value) -> Result<Vec<Team>, serde_json::Error> {
    let settings = match tree {
        Value::Object(_) => serde_json::from_value::<TeamsSetting>(tree)?.teams,
        tree => list(tree)?,
    };
    let mut teams = Vec::new();
    for setting in settings {
        team(setting, "", &mut teams);
    }
    Ok(teams)
}

/// Adds a team with those within it, and returns its people.
fn team(setting: TeamSetting, above: &str, teams: &mut Vec<Team>) -> Vec<Membership> {
    let name = format!("{above}{}", setting.name);
    let member = |member: MemberSetting| match member {
        MemberSetting::Always(person) => Membership { person, from: None, until: None },
        MemberSetting::Dated(membership) => membership,
    };
    let mut members: Vec<Membership> = setting.members.into_iter().map(member).collect();
    let place = teams.len();
    for pod in setting.pods {
        members.extend(team(pod, &format!("{name}/"), teams));
    }
    members.sort_by(|a, b| (&a.person, a.from, a.until).cmp(&(&b.person, b.from, b.until)));
    members.dedup();
    teams.insert(place, Team { name, members: members.clone() });
    members
}

fn list<T: DeserializeOwned>(tree: Value) -> Result<Vec<T>, serde_json::Error> {
    serde_json::from_value(tree)
}
