use super::*;

fn tickets(config: &TicketsConfig, text: &str, parents: usize, forge: Forge) -> References {
    Tickets::compile(config).unwrap().of(&Message::of(text), parents, forge)
}

fn configured() -> TicketsConfig {
    TicketsConfig {
        jira_keys: vec!["KEY".into()],
        linear_keys: vec!["ENG".into()],
        ..TicketsConfig::default()
    }
}

/// Checks the references, written `system:key`.
fn check(text: &str, expect: &[&str]) -> References {
    check_at(text, 1, Forge::GitHub, expect)
}

fn check_at(text: &str, parents: usize, forge: Forge, expect: &[&str]) -> References {
    let references = tickets(&configured(), text, parents, forge);
    let found: Vec<_> = references.tickets.iter().map(|t| format!("{}:{}", t.system.name(), t.key)).collect();
    assert_eq!(found, expect, "{text}");
    references
}

#[test]
fn keys_count_where_they_are_configured() {
    check("KEY-12 and ENG-3: x", &["jira:KEY-12", "linear:ENG-3"]);
    check("[KEY-12] x (KEY-13)", &["jira:KEY-12", "jira:KEY-13"]);
    check("MYKEY-12 KEY-12-3 KEY-0 KEY-12a KEY-12345678", &[]);
    let other = check("ABC-1 UTF-8 SHA-1 CVE-2024-1 RUSTSEC-2026 PEP-8", &[]);
    assert_eq!(other.candidates, ["ABC"]);
}

#[test]
fn numbers_are_issues_and_a_squash_ends_in_its_request() {
    let squash = check("Add x (#12)", &[]);
    assert!(squash.pr_only());
    assert_eq!(squash.requests, [12]);
    check_at("Add x (#12)", 2, Forge::GitHub, &["github:#12"]);
    let closes =
        check("Add x (#12)\n\nCloses #11, see o/r#4 and GH-9", &["github:#11", "github:#9", "github:o/r#4"]);
    assert_eq!(closes.closing, [Ticket { system: System::GitHub, key: "#11".into() }]);
    check("&#39; x#1 #12ab ##3 #0 colour #123456789a", &[]);
    check("Fix #1234567890", &[]);
}

#[test]
fn other_systems_have_their_forms() {
    check("AB#12 ab#13", &["azure_boards:AB#12", "azure_boards:AB#13"]);
    check("CU-86a1b2c x", &["clickup:CU-86a1b2c"]);
    check("#86a1b2c", &[]);
    let named = TicketsConfig { platforms: vec!["clickup".into()], ..TicketsConfig::default() };
    assert_eq!(tickets(&named, "#86a1b2c #include #1234567 #12", 1, Forge::GitHub).tickets.len(), 1);
    let gitlab =
        check_at("x #1 &4 g/p#2\n\nSee !7", 1, Forge::GitLab, &["gitlab:#1", "gitlab:&4", "gitlab:g/p#2"]);
    assert_eq!(gitlab.requests, [7]);
}

#[test]
fn addresses_lead_to_tickets() {
    check("x\n\nhttps://github.com/o/r/issues/12#issuecomment-3", &["github:o/r#12"]);
    assert_eq!(check("x https://github.com/o/r/pull/12/files.", &[]).requests, [12]);
    check("x\n\nhttps://gitlab.example/g/p/-/issues/5", &["gitlab:g/p#5"]);
    check("x https://a.atlassian.net/browse/KEY-7", &["jira:KEY-7"]);
    check("x https://a.example/jira/projects/KEY/issues/KEY-7", &["jira:KEY-7"]);
    check("x https://a.atlassian.net/browse/OTHER-7", &[]);
    check("x https://linear.app/team/issue/ENG-7/some-words", &["linear:ENG-7"]);
    check("x https://dev.azure.com/o/p/_workitems/edit/9", &["azure_boards:AB#9"]);
    check("x https://app.clickup.com/t/86a1b2c", &["clickup:CU-86a1b2c"]);
    check("x https://example.org/page#12 and https://example.org/KEY-12", &[]);
}

#[test]
fn code_and_people_name_no_tickets() {
    check("x `KEY-1`\n\n```\nKEY-2\n```\n\nSigned-off-by: Ann <KEY-3@x>\nChange-Id: KEY-4\n", &[]);
    check("x\n\nRefs: KEY-1\nReviewed-by: Ann <a@x>\n", &["jira:KEY-1"]);
}

#[test]
fn merges_name_branches() {
    check_at("Merge branch 'feature/KEY-12-login' into main", 2, Forge::GitHub, &["jira:KEY-12"]);
    check_at("Merge branch 'key-12-login'", 2, Forge::GitHub, &["jira:KEY-12"]);
    let pull = check_at("Merge pull request #5 from o/KEY-12", 2, Forge::GitHub, &["jira:KEY-12"]);
    assert_eq!(pull.requests, [5]);
    let bitbucket = check_at("Merged in KEY-3-x (pull request #8)", 2, Forge::Other, &["jira:KEY-3"]);
    assert_eq!(bitbucket.requests, [8]);
}

#[test]
fn settings_of_gitflow_analytics_hold() {
    let config = TicketsConfig {
        patterns: BTreeMap::from([
            ("github".into(), vec![r"(?i)(?:closes|fixes) #(\d+)".into()]),
            ("redmine".into(), vec![r"RM(\d+)".into()]),
        ]),
        exclude_patterns: vec![r"\d{3,}".into()],
        ..TicketsConfig::default()
    };
    let found = tickets(&config, "x #1, fixes #2, fixes #300, RM7", 1, Forge::GitHub);
    let keys: Vec<_> = found.tickets.iter().map(|t| format!("{}:{}", t.system.name(), t.key)).collect();
    assert_eq!(keys, ["github:#2", "redmine:7"]);

    let start = TicketsConfig { position: Position::Start, ..configured() };
    assert_eq!(tickets(&start, "[KEY-1] x KEY-2\n\nKEY-3", 1, Forge::GitHub).tickets.len(), 1);
    assert_eq!(tickets(&start, "x KEY-2", 1, Forge::GitHub).tickets, []);
}

#[test]
fn a_bad_pattern_is_named() {
    let config = TicketsConfig { exclude_patterns: vec!["a".into(), "[".into()], ..TicketsConfig::default() };
    let error = Tickets::compile(&config).unwrap_err();
    assert_eq!(error.to_string(), "exclude_patterns[1]: \"[\" is no regular expression");
}
