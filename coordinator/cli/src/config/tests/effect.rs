//! Every key that is accepted without a warning changes something, and this is where it is seen to.

use std::collections::BTreeSet;

use secrecy::ExposeSecret;

use super::{Around, sound};
use crate::config::key::Status;
use crate::config::keys;
use crate::config::{Branches, Format, Location};

/// The path of the key, a file that sets it, and what can then be read in the settings and could not before.
const EFFECTS: &[(&str, &str, &str)] = &[
    ("repositories", "repositories: [{path: x}]", "Path(\"DIR/x\")"),
    ("repositories[].name", "repositories: [{name: shop, path: x}]", "name: \"shop\""),
    ("repositories[].path", "repositories: [{path: ../x}]", "Path(\"DIR/../x\")"),
    ("repositories[].local_path", "repositories: [{local_path: ./x}]", "Path(\"DIR/x\")"),
    ("repositories[].url", "repositories: [{url: 'git@host:o/x.git'}]", "Url(\"git@host:o/x.git\")"),
    ("repositories[].github_repo", "repositories: [{github_repo: o/x}]", "Url(\"https://github.com/o/x\")"),
    ("repositories[].owner", "repositories: [{name: x, owner: o}]", "Url(\"https://github.com/o/x\")"),
    ("repositories[].project_key", "repositories: [{path: x, project_key: K}]", "project_key: \"K\""),
    ("repositories[].branch", "repositories: [{path: x, branch: b}]", "branches: Named(\"b\")"),
    ("github.repositories", "github: {repositories: [{path: x}]}", "Path(\"DIR/x\")"),
    ("github.owner", "github: {owner: o}\nrepositories: [{github_repo: x}]", "https://github.com/o/x"),
    (
        "github.api_url",
        "github: {api_url: 'https://ghe.example/api/v3'}\nrepositories: [{github_repo: o/x}]",
        "https://ghe.example/o/x",
    ),
    (
        "github.base_url",
        "github: {base_url: 'https://ghe.example/api/v3'}\nrepositories: [{github_repo: o/x}]",
        "https://ghe.example/o/x",
    ),
    ("github.token", "github: {token: t}", "host: \"github.com\""),
    (
        "github.tokens",
        "github: {tokens: 't, u'}",
        "tokens: [Held { secret: SecretBox<str>([REDACTED]), file: None }, Held { secret: SecretBox<str>([REDACTED]), file: None }]",
    ),
    ("github.organization", "github: {organization: acme}", "organization: Some(\"acme\")"),
    ("github.user", "github: {user: ann}", "user: Some(\"ann\")"),
    ("github.include", "github: {user: ann, include: ['web*']}", "include: [\"web*\"]"),
    ("github.exclude", "github: {user: ann, exclude: ['*-old']}", "exclude: [\"*-old\"]"),
    ("github.archived", "github: {user: ann, archived: true}", "archived: true"),
    ("github.forks", "github: {user: ann, forks: true}", "forks: true"),
    ("analysis.weeks", "analysis: {weeks: 8}", "weeks: Some(8)"),
    ("analysis.weeks_back", "analysis: {weeks_back: 8}", "weeks: Some(8)"),
    ("analysis.time_zone", "analysis: {time_zone: Europe/Berlin}", "time_zone: Europe/Berlin"),
    ("analysis.include_current_week", "analysis: {include_current_week: yes}", "include_current: true"),
    ("analysis.all_branches", "repositories: [{path: x}]\nanalysis: {all_branches: true}", "branches: All"),
    ("analysis.batch_size", "analysis: {batch_size: 7}", "slice_commits: 7"),
    ("processing.batch_size", "processing: {batch_size: 7}", "slice_commits: 7"),
    ("analysis.jobs", "analysis: {jobs: 3}", "jobs: Some(3)"),
    ("processing.max_workers", "processing: {max_workers: 3}", "jobs: Some(3)"),
    ("analysis.memory_mib", "analysis: {memory_mib: 2}", "memory_bytes: 2097152"),
    ("analysis.max_blob_bytes", "analysis: {max_blob_bytes: 5}", "max_blob_bytes: 5"),
    ("analysis.line_history", "analysis: {line_history: no}", "line_history: false"),
    ("cache.directory", "cache: {directory: c}", "data_dir: Some(\"DIR/c\")"),
    ("output.directory", "output: {directory: /o}", "output: Some(\"/o\")"),
    ("reports.output_directory", "reports: {output_directory: o}", "output: Some(\"DIR/o\")"),
    ("output.formats", "output: {formats: [json, md]}", "formats: [Json, Markdown]"),
    ("reports.formats", "reports: {formats: csv}", "formats: [Csv]"),
    ("people.mailmap_file", "people: {mailmap_file: gitfleet.yaml}", "mailmap: \"people: {mailmap_file"),
    (
        "people.mappings",
        "people: {mappings: [{name: Ann, primary_email: ann@x, aliases: [a@y]}]}",
        "aliases: [\"a@y\"]",
    ),
    (
        "analysis.identity.manual_mappings",
        "analysis: {identity: {manual_mappings: [{canonical_email: ann@x, aliases: [a@y], github_username: ann}]}}",
        "Mapping { name: \"ann\", primary_email: \"ann@x\", aliases: [\"a@y\"], login: Some(\"ann\") }",
    ),
    (
        "analysis.manual_identity_mappings",
        "analysis: {manual_identity_mappings: [{primary_name: Ann, canonical_id: ann@x, emails: [a@y], confidence: 1}]}",
        "Mapping { name: \"Ann\", primary_email: \"ann@x\"",
    ),
    ("people.bots", "people: {bots: ['ci-*']}", "bots: [\"ci-*\"]"),
    ("analysis.exclude.authors", "analysis: {exclude: {authors: [robot]}}", "bots: [\"robot\"]"),
    ("people.humans", "people: {humans: [Ann Bot]}", "humans: [\"Ann Bot\"]"),
    ("people.name_stop_list", "people: {name_stop_list: [The Team]}", "name_stop_list: [\"The Team\"]"),
    ("people.erasure_key", "people: {erasure_key: k}", "erasure_key: Some("),
    ("people.plus_tag_domains", "people: {plus_tag_domains: [x.org]}", "plus_tag_domains: [\"x.org\"]"),
    (
        "teams",
        "teams: {teams: [{name: A, lead: z, members: [{person: ann@x, from: 2026-01-01}], pods: [{name: P, members: [b@x]}]}]}",
        "Team { name: \"A/P\", members: [Membership { person: \"b@x\", from: None, until: None }] }",
    ),
    ("tickets.platforms", "tickets: {platforms: [clickup]}", "platforms: [\"clickup\"]"),
    ("analysis.ticket_platforms", "analysis: {ticket_platforms: [clickup]}", "platforms: [\"clickup\"]"),
    ("tickets.project_keys", "tickets: {project_keys: [SHOP]}", "jira_keys: [\"SHOP\"]"),
    ("jira.project_keys", "jira: {project_keys: [SHOP]}", "jira_keys: [\"SHOP\"]"),
    ("jira_integration.project_keys", "jira_integration: {project_keys: [SHOP]}", "jira_keys: [\"SHOP\"]"),
    ("tickets.linear_keys", "tickets: {linear_keys: [ENG]}", "linear_keys: [\"ENG\"]"),
    ("tickets.patterns", "tickets: {patterns: {jira: 'X-\\d+'}}", "patterns: {\"jira\": [\"X-\\\\d+\"]}"),
    (
        "analysis.ticket_detection.patterns",
        "analysis: {ticket_detection: {patterns: {jira: ['X-\\d+']}}}",
        "patterns: {\"jira\": [\"X-\\\\d+\"]}",
    ),
    ("tickets.exclude_patterns", "tickets: {exclude_patterns: ['A,B']}", "exclude_patterns: [\"A,B\"]"),
    (
        "analysis.ticket_detection.exclude_patterns",
        "analysis: {ticket_detection: {exclude_patterns: ['A,B']}}",
        "exclude_patterns: [\"A,B\"]",
    ),
    ("tickets.position", "tickets: {position: start}", "position: Start"),
    (
        "analysis.ticket_detection.position",
        "analysis: {ticket_detection: {position: start}}",
        "position: Start",
    ),
    (
        "work.categories",
        "work: {categories: [{name: pay, patterns: ['^pay'], kind: adaptive}]}",
        "CategoryConfig { name: \"pay\", patterns: [\"^pay\"], kind: Some(Adaptive) }",
    ),
    (
        "work.conventional_types",
        "work: {conventional_types: {wip: chore}}",
        "extra_types: {\"wip\": \"chore\"}",
    ),
    (
        "work.project_kinds",
        "work: {project_kinds: {ADV: feature}}",
        "project_key_kinds: {\"ADV\": \"feature\"}",
    ),
    (
        "jira_project_mappings",
        "jira_project_mappings: {ADV: feature}",
        "project_key_kinds: {\"ADV\": \"feature\"}",
    ),
    ("work.words", "work: {words: {fix: Repair}}", "taxonomy: {\"fix\": \"Repair\"}"),
    ("taxonomy_mapping", "taxonomy_mapping: {fix: Repair}", "taxonomy: {\"fix\": \"Repair\"}"),
    (
        "work.story_point_patterns",
        "work: {story_point_patterns: ['p=(\\d+)']}",
        "story_points: [\"p=(\\\\d+)\"]",
    ),
    (
        "analysis.story_point_patterns",
        "analysis: {story_point_patterns: ['p=(\\d+)']}",
        "story_points: [\"p=(\\\\d+)\"]",
    ),
    (
        "releases.tag_pattern",
        "releases: {tag_pattern: '^r(?<version>\\d+)$$'}",
        "release_tags: Some(\"^r(?<version>\\\\d+)$\")",
    ),
    ("source.exclude", "source: {exclude: [gen/**]}", "exclude_paths: [\"gen/**\"]"),
    ("analysis.exclude.paths", "analysis: {exclude: {paths: [gen/**]}}", "exclude_paths: [\"gen/**\"]"),
    (
        "analysis.exclude_file_patterns",
        "analysis: {exclude_file_patterns: [gen/**]}",
        "exclude_paths: [\"gen/**\"]",
    ),
    ("reports.anonymize", "reports: {anonymize: true}", "names: Pseudonyms {"),
    ("output.anonymization.enabled", "output: {anonymization: {enabled: true}}", "names: Pseudonyms {"),
    (
        "reports.pseudonym_key",
        "reports: {anonymize: true, pseudonym_key: k}",
        "names: Pseudonyms { key: [92, 188, 176, 206",
    ),
    ("reports.public", "reports: {public: true}", "names: Withheld"),
    ("reports.working_hours", "reports: {working_hours: true}", "working_hours: true"),
    (
        "logging.level",
        "logging: {level: 'INFO,gitfleet_worker=debug'}",
        "level: Some(LevelFilter::INFO), targets: [(\"gitfleet_worker\"",
    ),
    ("logging.format", "logging: {format: json}", "json: true"),
    (
        "logging.targets",
        "logging: {targets: {gitfleet_worker: WARNING}}",
        "(\"gitfleet_worker\", LevelFilter::WARN)",
    ),
    (
        "logging.file",
        "logging: {file: {path: l/x, max_mib: 2, keep: 0}}",
        "LogFile { path: \"DIR/l/x\", max_bytes: 2097152, keep: 0 }",
    ),
    ("logging.syslog", "logging: {syslog: true}", "syslog: Some(\"/dev/log\")"),
    (
        "logging.handlers",
        "logging: {handlers: {file: {filename: app.log, max_size: 10MB, backup_count: 3}, syslog: {facility: local0}}}",
        "LogFile { path: \"DIR/app.log\", max_bytes: 10485760, keep: 3 }), syslog: Some(\"/dev/log\")",
    ),
    (
        "telemetry.otlp_endpoint",
        "telemetry: {otlp_endpoint: 'http://o:4318'}",
        "endpoint: Some(\"http://o:4318\")",
    ),
    ("telemetry.sample_ratio", "telemetry: {sample_ratio: 0.25}", "sample_ratio: 0.25"),
    ("fleet.server", "fleet: {server: 'http://c:1'}", "server: \"http://c:1\""),
    ("fleet.token", "fleet: {token: t}", "token: Some("),
    ("fleet.listen", "fleet: {listen: '0.0.0.0:1'}", "listen: \"0.0.0.0:1\""),
    ("cache.encryption_keys_file", "cache: {encryption_keys_file: k}", "cache_keys_file: Some(\"DIR/k\")"),
    ("fleet.tls_cert_file", "fleet: {tls_cert_file: c.pem}", "tls_cert_file: Some(\"DIR/c.pem\")"),
    ("fleet.tls_key_file", "fleet: {tls_key_file: k.pem}", "tls_key_file: Some(\"DIR/k.pem\")"),
    (
        "fleet.trusted_proxies",
        "fleet: {trusted_proxies: '10.0.0.0/8'}",
        "Network { address: 10.0.0.0, bits: 8 }",
    ),
    ("fleet.requests_per_minute", "fleet: {requests_per_minute: 7}", "requests_per_minute: 7,"),
    ("fleet.dev", "fleet: {dev: true}", "dev: true"),
    ("fleet.database_url", "fleet: {database_url: x}", "database_url: Some("),
    ("fleet.database_schema", "fleet: {database_schema: s}", "database_schema: \"s\""),
    ("fleet.broker_url", "fleet: {broker_url: x}", "broker_url: Some("),
    ("fleet.cache_url", "fleet: {cache_url: x}", "cache_url: Some("),
    ("fleet.prefix", "fleet: {prefix: p}", "prefix: \"p\""),
    ("fleet.ca_file", "fleet: {ca_file: ca.pem}", "ca_file: Some(\"DIR/ca.pem\")"),
    ("fleet.cache_ttl_seconds", "fleet: {cache_ttl_seconds: 60}", "cache_ttl: 60s"),
    ("fleet.consumer_timeout_seconds", "fleet: {consumer_timeout_seconds: 120}", "consumer_timeout: 120s"),
    ("fleet.job_seconds", "fleet: {job_seconds: 10}", "job_time: 10s"),
    ("fleet.grace_seconds", "fleet: {grace_seconds: 3}", "grace: 3s"),
    ("fleet.lease_seconds", "fleet: {lease_seconds: 5}", "lease: 5s"),
    ("fleet.batch_days", "fleet: {batch_days: 2}", "batches: 172800s"),
    ("retention.batch_days", "retention: {batch_days: 3}", "batches: 259200s"),
    ("reports.retention_days", "reports: {retention_days: 4}", "batches: 345600s"),
    ("retention.attempt_days", "retention: {attempt_days: 5}", "attempts: 432000s"),
    ("retention.dead_letter_days", "retention: {dead_letter_days: 6}", "dead_letters: 518400s"),
    ("retention.worker_days", "retention: {worker_days: 8}", "workers: 691200s"),
    ("retention.token_days", "retention: {token_days: 9}", "tokens: 777600s"),
    ("retention.audit_days", "retention: {audit_days: 10}", "audit: 864000s"),
    (
        "fleet.metrics_listen",
        "fleet: {metrics_listen: '0.0.0.0:9464'}",
        "metrics_listen: Some(\"0.0.0.0:9464\")",
    ),
    ("fleet.metrics_token", "fleet: {metrics_token: t}", "metrics_token: Some("),
    ("fleet.target_drain_seconds", "fleet: {target_drain_seconds: 60}", "target_drain_seconds: 60"),
    ("fleet.min_workers", "fleet: {min_workers: 2}", "min_workers: 2"),
    ("fleet.max_workers", "fleet: {max_workers: 5}", "max_workers: 5"),
    ("fleet.mirror_mib", "fleet: {mirror_mib: 1}", "mirror_bytes: Some(1048576)"),
    ("sources.schemes", "sources: {schemes: [https, file]}", "schemes: Some([Https, File])"),
    ("sources.hosts", "sources: {hosts: ['*.corp.example']}", "name: \"corp.example\", below: true"),
    (
        "sources.private_addresses",
        "sources: {private_addresses: [10.0.0.0/8, 192.168.1.9]}",
        "private: [Network { address: 10.0.0.0, bits: 8 }, Network { address: 192.168.1.9, bits: 32 }]",
    ),
    ("sources.proxy", "sources: {proxy: 'http://proxy:3128'}", "proxy: Some(Held { secret: "),
    ("credentials", "credentials: [{name: corp, host: git.example}]", "NamedCredential { name: \"corp\""),
    ("credentials[].name", "credentials: [{name: shop, host: git.example}]", "name: \"shop\""),
    (
        "credentials[].host",
        "credentials: [{name: corp, host: 'git.example:8443/group'}]",
        "host: \"git.example:8443\", path: \"group\"",
    ),
    ("credentials[].user", "credentials: [{name: corp, host: git.example, user: bot}]", "user: \"bot\""),
    (
        "credentials[].token",
        "credentials: [{name: corp, host: git.example, token: t}]",
        "token: Some(SecretBox<str>([REDACTED]))",
    ),
    (
        "credentials[].token_file",
        "credentials: [{name: corp, host: git.example, token_file: corp}]",
        "token_file: Some(\"DIR/corp\")",
    ),
    (
        "credentials[].teams",
        "credentials: [{name: corp, host: git.example, teams: [a, b]}]",
        "teams: [\"a\", \"b\"]",
    ),
    (
        "credentials[].projects",
        "credentials: [{name: corp, host: git.example, projects: [K]}]",
        "projects: [\"K\"]",
    ),
    (
        "repositories[].credential",
        "repositories: [{url: 'https://git.example/a', credential: corp}]",
        "credential: Some(\"corp\")",
    ),
];

#[test]
fn every_acted_key_has_an_effect() {
    for (path, yaml, effect) in EFFECTS {
        let around = Around::new(yaml.as_bytes());
        let loaded = around.load().unwrap_or_else(|error| panic!("{path}: {error}"));
        let settings = around.redact(&format!("{:?}", loaded.settings));
        assert!(settings.contains(effect), "{path}: no {effect} in {settings}");
        assert_eq!(loaded.warnings, [""; 0], "{path}");
        let before = format!("{:?}", sound("version: 1").settings);
        assert!(!before.contains(effect), "{path}: {effect} is there without it");
    }
}

#[test]
fn no_acted_key_is_without_a_test_of_its_effect() {
    let tested: BTreeSet<&str> = EFFECTS.iter().map(|(path, ..)| *path).collect();
    for placed in keys::every() {
        let acted = matches!(placed.status, Status::Acted(_) | Status::Alias(_));
        // The keys of the second list are those of the first; the version's effect is to be refused.
        let elsewhere = placed.path.starts_with("github.repositories[]") || placed.path == "version";
        assert!(!acted || elsewhere || tested.contains(placed.path.as_str()), "{} has no test", placed.path);
    }
}

#[test]
fn without_anything_the_defaults_hold() {
    let settings = sound("version: \"1.0\"").settings;
    let shown = format!("{settings:?}");
    let (local, fleet) = shown.split_once(", fleet: ").expect("a fleet's settings come last");
    assert_eq!(
        local,
        "Settings { repositories: [], weeks: None, time_zone: UTC, include_current: false, \
         slice_commits: 1000, jobs: None, max_blob_bytes: 104857600, line_history: true, memory_bytes: 805306368, data_dir: None, \
         output: None, formats: [Csv, Json, Markdown, Html], credentials: [], \
         sources: Sources { schemes: None, hosts: [], private: [], proxy: None }, named_credentials: [], \
         lens: Lens { people: PeopleLens { mailmap: \"\", mappings: [], settings: Settings { plus_tag_domains: [], \
         name_stop_list: [], bots: Lists { bots: [], humans: [] } } }, teams: [], work: RulesConfig { custom: [], \
         extra_types: {}, project_key_kinds: {}, taxonomy: {} }, tickets: TicketsConfig { platforms: [], jira_keys: [], \
         linear_keys: [], patterns: {}, exclude_patterns: [], position: Anywhere }, story_points: [], \
         release_tags: None, exclude_paths: [], working_hours: false, names: Shown }, erasure_key: None, \
         github: GitHub { api_url: \"https://api.github.com\", cloned_from: \"github.com\", tokens: [], selector: None }, \
         logging: Logging { level: None, targets: [], json: false, file: None, syslog: None }, \
         telemetry: Telemetry { endpoint: None, sample_ratio: 1.0 }"
    );
    assert_eq!(
        fleet,
        "Fleet { server: \"http://127.0.0.1:7171\", token: None, listen: \"127.0.0.1:7171\", tls_cert_file: None, \
         tls_key_file: None, trusted_proxies: Proxies([]), requests_per_minute: 6000, dev: false, database_url: None, \
         database_schema: \"public\", broker_url: None, cache_url: None, prefix: \"gitfleet\", cache_keys_file: None, ca_file: None, \
         cache_ttl: 2592000s, consumer_timeout: 1800s, job_time: 840s, grace: 25s, lease: 60s, kept: Kept { batches: 34560000s, attempts: 2592000s, \
         dead_letters: 1209600s, workers: 604800s, tokens: 7776000s, audit: 34560000s }, mirror_bytes: None, \
         metrics_listen: None, metrics_token: None, \
         scaling: Limits { target_drain_seconds: 900, min_workers: 0, max_workers: 64 } } }"
    );
}

#[test]
fn defaults_in_the_table_are_the_defaults_in_force() {
    let lines = sound("version: 1").lines;
    let default =
        |path: &str| lines.iter().find(|line| line.path == path).and_then(|line| line.value.clone());
    let settings = sound("version: 1").settings;
    assert_eq!(default("analysis.batch_size"), Some(settings.slice_commits.to_string()));
    assert_eq!(default("analysis.memory_mib"), Some((settings.memory_bytes >> 20).to_string()));
    assert_eq!(default("analysis.max_blob_bytes"), Some(settings.max_blob_bytes.to_string()));
    assert_eq!(default("analysis.line_history"), Some(settings.line_history.to_string()));
    assert_eq!(default("analysis.time_zone"), Some(settings.time_zone.name().to_owned()));
    let formats: Vec<String> = settings.formats.iter().map(Format::to_string).collect();
    assert_eq!(default("output.formats"), Some(formats.join(", ")));
}

#[test]
fn a_token_belongs_to_one_host() {
    for (api, host) in [
        ("", "github.com"),
        ("api_url: https://api.github.com", "github.com"),
        ("base_url: https://ghe.example/api/v3", "ghe.example"),
    ] {
        let yaml = format!("github:\n  token: s3cret\n  {api}\n");
        let credentials = sound(&yaml).settings.credentials;
        assert_eq!(credentials.len(), 1);
        assert_eq!(credentials[0].host, host);
        assert_eq!(credentials[0].token.secret.expose_secret(), "s3cret");
    }
}

#[test]
fn what_is_listed_is_as_configured_unless_sources_are_named() {
    let yaml = "github: {organization: acme, token: '', tokens: \"a\\nb\"}\nanalysis: {all_branches: true}\n";
    let settings = sound(yaml).settings;
    let selector = settings.github.selector.expect("an organization is named");
    assert!(selector.all_branches && selector.branch.is_none());
    assert_eq!(selector.api_url, "https://api.github.com");
    // An empty token is none, and clones are made with the first there is.
    assert_eq!(settings.github.tokens.len(), 2);
    assert_eq!(settings.credentials[0].token.secret.expose_secret(), "a");
    let around = Around::new(yaml.as_bytes()).set(&[("GITFLEET_SOURCES", "/srv/x")]);
    assert!(around.load().expect("it is sound").settings.github.selector.is_none());
    assert!(sound("github: {organization: '', include: [x]}").settings.github.selector.is_none());
}

#[test]
fn a_path_beats_where_it_could_be_cloned_from() {
    let settings = sound("github: {owner: o}\nrepositories: [{name: n, path: x, github_repo: r}]").settings;
    assert!(matches!(settings.repositories[0].location, Location::Path(_)));
    assert_eq!(settings.repositories[0].remote.as_deref(), Some("https://github.com/o/r"));
}

#[test]
fn names_are_taken_from_places_and_made_distinct() {
    for (yaml, names) in [
        ("[{path: ../shop}, {github_repo: o/web-ui}]", "shop/SHOP web-ui/WEB_UI"),
        ("[{path: a/tools}, {path: b/tools}]", "a/tools/A_TOOLS b/tools/B_TOOLS"),
        ("[{path: b/tools}, {path: x}, {path: a/tools}]", "b/tools/B_TOOLS x/X a/tools/A_TOOLS"),
        ("[{path: a/t}, {url: 'https://h/b/t.git'}]", "a/t/A_T b/t/B_T"),
        ("[{name: t, path: x}, {path: a/t}]", "t/T a/t/A_T"),
        ("[{path: shop/.git}]", "shop/SHOP"),
    ] {
        let repositories = sound(&format!("repositories: {yaml}")).settings.repositories;
        let got: Vec<String> = repositories
            .iter()
            .map(|repository| format!("{}/{}", repository.name, repository.project_key))
            .collect();
        assert_eq!(got.join(" "), names, "{yaml}");
    }
}

#[test]
fn a_branch_of_a_repository_beats_the_branches_of_the_file() {
    let yaml = "analysis: {all_branches: true}\nrepositories: [{path: x, branch: b}, {path: y}]";
    let settings = sound(yaml).settings;
    assert_eq!(settings.repositories[0].branches, Branches::Named("b".to_owned()));
    assert_eq!(settings.repositories[1].branches, Branches::All);
}

#[test]
fn anchors_and_merge_keys_are_followed() {
    let yaml = "repositories:\n- &base {path: x, branch: b, project_key: K}\n- {<<: *base, path: y}\n\
                - {<<: [{branch: c}, *base], path: z}\noutput: {formats: &f [csv]}\nreports: {formats: *f}\n";
    let repositories = sound(yaml).settings.repositories;
    let got: Vec<String> = repositories
        .iter()
        .map(|repository| format!("{} {:?} {}", repository.name, repository.branches, repository.project_key))
        .collect();
    assert_eq!(got, ["x Named(\"b\") K", "y Named(\"b\") K", "z Named(\"c\") K"]);
}

#[test]
fn files_are_read_as_editors_write_them() {
    for yaml in [
        "\u{feff}analysis:\n  weeks: 8\n",
        "analysis:\r\n  weeks: 8\r\n",
        "---\n# a note\nanalysis: {\"weeks\": \"8\"}\n...\n",
        "analysis:\n  weeks: !!int 8\n  jobs:\n  time_zone: ~\n",
        "%YAML 1.1\n---\nanalysis: {weeks: 8}",
    ] {
        let settings = sound(yaml).settings;
        assert_eq!((settings.weeks, settings.jobs), (Some(8), None), "{yaml}");
    }
}
