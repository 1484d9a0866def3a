//! Files made for GitFlow Analytics: they load as they are, and nothing in them is passed over in silence.

use super::{Around, sound, wrong};
use crate::config::key::{Kind, Placed, Status};
use crate::config::{Format, Location, keys};

#[test]
fn a_file_of_the_original_loads_with_these_warnings_and_no_others() {
    let around = Around::new(include_bytes!("original.yaml")).set(&[
        ("GITHUB_TOKEN", "ghp_something"),
        ("GITHUB_OWNER", "example"),
        ("HOME", "/home/ann"),
    ]);
    let loaded = around.load().unwrap_or_else(|error| panic!("{error}"));
    let fresh = "facts are kept by commit id and never go stale; a changed repository is seen by its refs, at every run";
    assert_eq!(
        loaded.warnings,
        [
            "gitfleet.yaml:10:3: known but not acted on yet: github.fetch_pr_reviews (line 10), \
             github.rate_limit (line 11), jira.access_user (line 55), jira.access_token (line 56), \
             jira.base_url (line 57), jira_integration.enabled (line 59), jira_integration.story_point_fields (line 60), \
             reports.retention_days (line 79), cache.max_size_mb (line 88), processing.memory_limit_mb (line 91)"
                .to_owned(),
            "gitfleet.yaml:4:1: profile is not acted on, on purpose: a profile chooses how deep the original's \
             classifiers and branch heuristics look; gitfleet reads all there is"
                .to_owned(),
            format!("gitfleet.yaml:29:3: analysis.cache_ttl is not acted on, on purpose: {fresh}"),
            "gitfleet.yaml:35:5: analysis.exclude.message_patterns is not acted on, on purpose: the original never read it \
             either, and every commit counts"
                .to_owned(),
            "gitfleet.yaml:38:5: analysis.identity.similarity_threshold is not acted on, on purpose: names that are alike \
             are proposals for a person to decide (`gitfleet people suggest`), and never joined"
                .to_owned(),
            "gitfleet.yaml:45:3: analysis.branch_analysis is not acted on, on purpose: it limits which commits are \
             seen; gitfleet reads every commit, of one branch or, with analysis.all_branches, of all"
                .to_owned(),
            "gitfleet.yaml:47:3: analysis.ml_categorization is not acted on, on purpose: kinds of work will come \
             from rules a reader can check, and not from a trained model"
                .to_owned(),
            "gitfleet.yaml:50:3: analysis.llm_classification is not acted on, on purpose: gitfleet sends no commit \
             to a language model or any other service"
                .to_owned(),
            "gitfleet.yaml:72:1: activity_scoring is not acted on, on purpose: one number for a person's work \
             measures habits and not work; gitfleet reports each measure by itself"
                .to_owned(),
            format!("gitfleet.yaml:87:3: cache.ttl_hours is not acted on, on purpose: {fresh}"),
        ]
    );
    let settings = &loaded.settings;
    assert_eq!((settings.weeks, settings.slice_commits, settings.jobs), (Some(12), 500, Some(8)));
    assert_eq!(settings.formats, [Format::Csv, Format::Markdown]);
    assert_eq!(settings.output, Some(around.folder.path().join("reports")));
    assert_eq!(settings.credentials[0].host, "github.example.com");
    let places: Vec<&Location> =
        settings.repositories.iter().map(|repository| &repository.location).collect();
    assert_eq!(
        places,
        [
            &Location::Path("/home/ann/work/shop-web".into()),
            &Location::Path(around.folder.path().join("../shop-api")),
            &Location::Url("https://github.example.com/example/billing".to_owned()),
        ]
    );
}

#[test]
fn no_key_without_effect_is_accepted_in_silence() {
    for placed in keys::every().iter().filter(|placed| !placed.path.starts_with("github.repositories[]")) {
        let (why, words) = match placed.status {
            Status::NotYet => ("", "known but not acted on yet: "),
            Status::OnPurpose(why) => (why, "not acted on, on purpose: "),
            Status::Acted(_) | Status::Alias(_) | Status::Mixed | Status::Inherited => continue,
        };
        let warnings = sound(&yaml(placed, "some")).warnings;
        let named = named(placed);
        let told =
            |warning: &String| warning.contains(named) && warning.contains(words) && warning.ends_with(why);
        assert!(why.is_empty() || warnings.iter().any(told), "{}: {warnings:?}", placed.path);
        assert!(
            warnings.iter().any(|w| w.contains(named) && w.contains(words)),
            "{}: {warnings:?}",
            placed.path
        );
    }
}

/// Returns the path a warning names: of the section that is not acted on as a whole, which covers all its keys, or of
/// the key itself.
fn named(placed: &Placed) -> &'static str {
    let settled = |other: &&Placed| matches!(other.key.status, Status::NotYet | Status::OnPurpose(_));
    let above = |other: &&Placed| {
        let rest = placed.path.strip_prefix(other.path.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    let named = keys::every().iter().filter(settled).find(above);
    &named.expect("its status stands somewhere").path
}

#[test]
fn below_every_section_unknown_keys_are_errors() {
    for placed in keys::every().iter().filter(|placed| !placed.key.below().is_empty()) {
        let value = match placed.key.kind {
            Kind::Sections(_) => "[{no_such_key_anywhere: 1}]",
            _ => "{no_such_key_anywhere: 1}",
        };
        let error = wrong(yaml(placed, value));
        assert!(error.contains("unknown key: ") && error.contains("no_such_key_anywhere"), "{error}");
    }
}

/// Writes a file in which this key has this value and no other key has any.
fn yaml(placed: &Placed, value: &str) -> String {
    placed.path.split('.').rev().fold(value.to_owned(), |below, part| match part.strip_suffix("[]") {
        Some(list) => format!("{{{list}: [{below}]}}"),
        None => format!("{{{part}: {below}}}"),
    })
}

#[test]
fn the_users_own_words_are_no_keys_of_ours() {
    for yaml in [
        "analysis: {branch_mapping_rules: {SHOP: ['^shop/']}}",
        "pm: {linear: {api_key: x}}",
        "pm_integration: {platforms: {anything: {config: {a: b}}}}",
        "developer_aliases: [{name: a, aliases: [b]}]",
        "qualitative: {nlp: {anything: at all}}",
    ] {
        assert_eq!(sound(yaml).warnings.len(), 1, "{yaml}");
    }
    for yaml in [
        "jira_project_mappings: {ANY: feature}",
        "taxonomy_mapping: {change_type: {feature: New things}}",
        "analysis: {ticket_detection: {patterns: {mine: 'X-\\d+'}}}",
        "teams: [{name: a, members: [b]}]",
    ] {
        assert_eq!(sound(yaml).warnings, [""; 0], "{yaml}");
    }
}

#[test]
fn variables_nobody_set_matter_only_where_the_value_does() {
    assert_eq!(sound("jira: {access_token: '${NOBODY_SET_THIS}'}").warnings.len(), 1);
    assert!(wrong("github: {token: '${NOBODY_SET_THIS}'}").contains("NOBODY_SET_THIS is not set"));
}
