use super::*;

fn classify(text: &str) -> Classification {
    Rules::default().classify(&Message::of(text), None)
}

fn check(text: &str, kind: Kind, category: &str) {
    let found = classify(text);
    assert_eq!((found.kind, found.category.as_str()), (kind, category), "{text}: {}", found.rule);
}

#[test]
fn the_leading_verb_decides() {
    check("Fixed #123 wrong order", Kind::Corrective, "fix");
    check("KEY-1234 Add support for x", Kind::Adaptive, "feature");
    check("[KEY-1] Rename x", Kind::Perfective, "refactor");
    check("net: add x", Kind::Adaptive, "feature");
}

#[test]
fn the_object_turns_the_verb() {
    check("Fix typo", Kind::Perfective, "docs");
    check("Added more javadoc", Kind::Perfective, "docs");
    check("Add unit tests for x", Kind::Perfective, "test");
    check("Add x and tests", Kind::Adaptive, "feature");
    check("Fix checkstyle warnings", Kind::Perfective, "style");
    check("Make sure x is closed", Kind::Corrective, "fix");
    check("Make x configurable", Kind::Adaptive, "feature");
    check("Remove race condition", Kind::Corrective, "fix");
}

#[test]
fn symptoms_tell_of_faults() {
    check("KEY-5 Server does not start when x is empty", Kind::Corrective, "fix");
    check("Parser throws NullPointerException on x", Kind::Corrective, "fix");
    check("EA-12345 - x", Kind::Corrective, "fix");
}

#[test]
fn conventional_types_come_before_words() {
    check("docs: fix crash on start", Kind::Perfective, "docs");
    check("feat!: remove x", Kind::Adaptive, "feature");
    check("chore(deps): fix x", Kind::Perfective, "dependency");
}

#[test]
fn squash_lists_and_quotes_say_nothing() {
    check("Add x (#12)\n\n* fix: a crash\n* fix: another crash\n* fix wrong bug", Kind::Adaptive, "feature");
    check("Rename \"fix bug\" button", Kind::Perfective, "refactor");
}

#[test]
fn files_break_ties_only() {
    let files = |files| Rules::default().classify(&Message::of("FooBar"), Some(files));
    assert_eq!(files(FileEvidence { tests: 2, ..FileEvidence::default() }).category, "test");
    let added = FileEvidence { source: 2, added_source: 2, ..FileEvidence::default() };
    assert_eq!(files(added).kind, Kind::Adaptive);
    assert_eq!(Rules::default().classify(&Message::of("Fix crash"), Some(added)).kind, Kind::Corrective);
}

#[test]
fn nothing_is_unknown_and_little_is_the_prior() {
    assert_eq!(classify("").kind, Kind::Unknown);
    let prior = classify("Zurich");
    assert_eq!(
        (prior.kind, prior.rule.as_str(), prior.confidence_permille),
        (Kind::Perfective, "prior", 340)
    );
}

#[test]
fn the_configuration_comes_first() {
    let config = RulesConfig {
        custom: vec![CategoryConfig {
            name: "payments".into(),
            patterns: vec!["(?i)invoice".into()],
            kind: None,
        }],
        extra_types: BTreeMap::from([("hotfix".into(), "fix".into())]),
        project_key_kinds: BTreeMap::from([("adv".into(), "feature".into())]),
        taxonomy: BTreeMap::from([("feature".into(), "Grow".into())]),
    };
    let rules = Rules::compile(&config).unwrap();
    let of = |text: &str| rules.classify(&Message::of(text), None);
    let custom = of("fix: invoice total is wrong");
    assert_eq!(
        (custom.kind, custom.category.as_str(), custom.rule.as_str()),
        (Kind::Corrective, "payments", "custom.payments")
    );
    assert_eq!(of("hotfix: x").rule, "conventional.hotfix");
    let project = of("ADV-7 fix x");
    assert_eq!(
        (project.kind, project.word.as_str(), project.rule.as_str()),
        (Kind::Adaptive, "Grow", "project.ADV")
    );
    assert_eq!(of("add y").word, "Grow");
    let bad = RulesConfig {
        custom: vec![CategoryConfig { name: "x".into(), patterns: vec!["(".into()], kind: None }],
        ..RulesConfig::default()
    };
    let error = Rules::compile(&bad).unwrap_err().to_string();
    assert_eq!(error, "categories.x.patterns[0]: \"(\" is no regular expression");
}
