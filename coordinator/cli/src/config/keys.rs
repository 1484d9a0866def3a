//! The table of all keys, GitFlow Analytics' and our own: what its documentation names, what its loader reads, and
//! what its example files hold. A key that is not here is an error; a key that is here and not acted on is named in a
//! warning. One file per part of the configuration.

mod analysis;
mod classification;
mod fleet;
mod github;
mod lens;
mod logging;
mod output;
mod people;
mod repositories;
mod retention;
mod sources;
mod trackers;

use std::sync::LazyLock;

use super::key::{self, Key, Kind, Placed, Reach, Status};

const VERSIONS: &[&str] = &["1.0", "1"];

/// The top of the file.
pub(crate) static KEYS: &[Key] = &[
    Key::acted("version", Kind::Choice(VERSIONS), Reach::default("1.0"), "Version of this file's form"),
    Key::not_yet("extends", Kind::Text, "A file whose settings hold where this one says nothing"),
    Key::never(
        "profile",
        Kind::Choice(&["performance", "quality", "balanced", "minimal"]),
        "a profile chooses how deep the original's classifiers and branch heuristics look; gitfleet reads all there is",
        "A named set of the original's settings",
    ),
    repositories::KEY,
    github::KEY,
    analysis::KEY,
    lens::PEOPLE,
    lens::TEAMS,
    lens::TICKETS,
    lens::WORK,
    lens::RELEASES,
    lens::SOURCE,
    sources::SOURCES,
    sources::CREDENTIALS,
    fleet::KEY,
    retention::KEY,
    output::OUTPUT,
    output::REPORTS,
    output::CACHE,
    output::PROCESSING,
    logging::LOGGING,
    logging::TELEMETRY,
    output::EXPORT,
    output::CACHE_DIRECTORY,
    output::REPORTS_DIRECTORY,
    output::LAUNCHER,
    output::ADVANCED,
    people::DEVELOPER_ALIASES,
    people::ACTIVITY_SCORING,
    people::VELOCITY,
    people::QUALITY_REPORT,
    people::BOILERPLATE_FILTER,
    people::AI_DETECTION,
    trackers::JIRA,
    trackers::JIRA_INTEGRATION,
    lens::JIRA_PROJECT_MAPPINGS,
    trackers::PM,
    trackers::PM_INTEGRATION,
    trackers::GITHUB_ISSUES,
    trackers::CONFLUENCE,
    trackers::CLICKUP,
    trackers::LINEAR,
    trackers::BRANCH_MAPPING,
    lens::TAXONOMY_MAPPING,
    classification::ML_CATEGORIZATION,
    classification::QUALITATIVE,
    classification::CHATGPT,
];

static EVERY: LazyLock<Vec<Placed>> = LazyLock::new(|| key::every(KEYS));

/// Lists every key with its path, sections before what they hold.
pub(crate) fn every() -> &'static [Placed] {
    &EVERY
}

/// Returns the acted key at a path, with the other ways to set it.
pub(super) fn acted(path: &str) -> (&'static Placed, Reach) {
    let placed =
        EVERY.iter().find(|placed| placed.path == path).expect("settings ask for keys of the table only");
    match placed.status {
        Status::Acted(reach) => (placed, reach),
        _ => unreachable!("{path} is read as a setting and the table calls it something else"),
    }
}

/// Returns what the value of the key at a path looks like.
pub(super) fn kind(path: &str) -> Option<Kind> {
    EVERY.iter().find(|placed| placed.path == path).map(|placed| placed.key.kind)
}

/// Lists the paths that are other names of the key at `path`.
pub(super) fn aliases(path: &str) -> impl Iterator<Item = &'static Placed> {
    EVERY.iter().filter(move |placed| target(placed).is_some_and(|target| target == path))
}

/// Returns the path an alias stands for.
pub(crate) fn target(placed: &Placed) -> Option<String> {
    let Status::Alias(of) = placed.status else { return None };
    let section = placed.path.rsplit_once('.').map_or("", |(section, _)| section);
    Some(of.strip_prefix('.').map_or_else(|| of.to_owned(), |sibling| key::join(section, sibling)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn paths_are_unique_and_every_key_has_a_status_and_words() {
        let mut paths = BTreeSet::new();
        for placed in every() {
            assert!(paths.insert(&placed.path), "{} stands in the table twice", placed.path);
            assert!(!placed.key.about.is_empty(), "{} has no description", placed.path);
            assert!(!placed.key.about.ends_with('.'), "{} ends in a full stop", placed.path);
            assert!(!matches!(placed.status, Status::Inherited), "{} inherits from nothing", placed.path);
        }
    }

    #[test]
    fn aliases_stand_for_acted_keys() {
        for placed in every() {
            if let Some(target) = target(placed) {
                acted(&target);
            }
        }
    }

    #[test]
    fn what_is_not_acted_on_holds_nothing_that_is() {
        for placed in every() {
            let settled = matches!(placed.status, Status::NotYet | Status::OnPurpose(_));
            let below = placed.key.below();
            assert!(
                !settled || below.iter().all(|key| matches!(key.status, Status::Inherited)),
                "{} is not acted on as a whole, so its keys cannot differ",
                placed.path
            );
        }
    }
}
