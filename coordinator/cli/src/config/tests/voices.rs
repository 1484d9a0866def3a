//! Who is heard: flags before the environment, the environment before the file, the file before defaults; and what
//! is told of it.

use std::path::Path;

use secrecy::ExposeSecret;

use super::{Around, sound};
use crate::config::environment;
use crate::config::{Branches, Location, Overrides, Request, load, show};

fn origin(around: &Around, path: &str) -> String {
    let loaded = around.load().unwrap_or_else(|error| panic!("{error}"));
    let line = loaded.lines.iter().find(|line| line.path == path).unwrap_or_else(|| panic!("no line {path}"));
    format!("{} from {}", around.redact(line.value.as_deref().unwrap_or("nothing")), line.origin)
}

#[test]
fn the_stronger_voice_wins_and_is_named() {
    let mut around = Around::new(b"version: 1");
    assert_eq!(origin(&around, "analysis.weeks"), "nothing from default");
    around.write("gitfleet.yaml", b"analysis:\n  weeks: 4\n");
    assert_eq!(origin(&around, "analysis.weeks"), "4 from gitfleet.yaml:2:10");
    around.write(".env", b"# ours\nGITFLEET_WEEKS=5\n");
    assert_eq!(origin(&around, "analysis.weeks"), "5 from .env:2 GITFLEET_WEEKS");
    around = around.set(&[("GITFLEET_WEEKS", "6")]);
    assert_eq!(origin(&around, "analysis.weeks"), "6 from environment GITFLEET_WEEKS");
    around.overrides.weeks = Some(7);
    assert_eq!(origin(&around, "analysis.weeks"), "7 from flag --weeks");
    assert_eq!(around.load().map(|loaded| loaded.settings.weeks), Ok(Some(7)));
}

#[test]
fn an_empty_variable_says_nothing() {
    let around = Around::new(b"analysis: {weeks: 4}").set(&[("GITFLEET_WEEKS", "")]);
    assert_eq!(origin(&around, "analysis.weeks"), "4 from gitfleet.yaml:1:19");
}

#[test]
fn every_variable_has_an_effect() {
    let value = |name: &str| match name {
        "GITFLEET_SOURCES" => "a, git@host:o/b.git",
        "GITFLEET_TIME_ZONE" => "Asia/Tokyo",
        "GITFLEET_INCLUDE_CURRENT_WEEK" | "GITFLEET_ALL_BRANCHES" => "true",
        "GITFLEET_LINE_HISTORY" => "false",
        "GITFLEET_ANONYMIZE" | "GITFLEET_PUBLIC" | "GITFLEET_DEV" => "true",
        "GITFLEET_FORMAT" => "html,csv",
        "GITFLEET_TRUSTED_PROXIES" | "GITFLEET_SOURCE_PRIVATE_ADDRESSES" => "10.0.0.0/8",
        "GITFLEET_SOURCE_SCHEMES" => "file,ssh",
        "GITFLEET_ERASURE_KEY" => "sixteen bytes or more",
        "GITFLEET_LOG" => "debug",
        "GITFLEET_OTLP_ENDPOINT" => "http://127.0.0.1:4318",
        "GITFLEET_TRACE_SAMPLE_RATIO" => "0.5",
        "GITFLEET_LOG_FORMAT" => "json",
        "GITFLEET_GITHUB_API_URL" => "https://ghe.example",
        "GITFLEET_OUTPUT" | "GITFLEET_DATA_DIR" | "GITFLEET_GITHUB_TOKEN" | "GITFLEET_GITHUB_OWNER" => "some",
        name if name.ends_with("_SECONDS") => "300",
        _ => "3",
    };
    for (name, path) in environment::settings() {
        let loaded =
            Around::new(b"version: 1").set(&[(name, value(name))]).load().expect("the values are sound");
        assert_eq!(loaded.warnings, [""; 0], "{name}");
        let wanted = format!("environment {name}");
        let lines: Vec<_> = loaded.lines.iter().filter(|line| line.origin.to_string() == wanted).collect();
        assert!(lines.iter().any(|line| line.path.starts_with(path)), "{name} sets no {path}");
        let before = format!("{:?}", sound("version: 1").settings);
        // These show in repositories alone, and there are none here.
        let of_repositories = ["GITFLEET_GITHUB_OWNER", "GITFLEET_GITHUB_API_URL", "GITFLEET_ALL_BRANCHES"].contains(&name)
                // What pseudonyms are made with matters where there are any.
                || name == "GITFLEET_PSEUDONYM_KEY";
        assert!(of_repositories || { format!("{:?}", loaded.settings) != before });
    }
}

#[test]
fn every_flag_has_an_effect() {
    let overrides = Overrides {
        memory_mib: Some(77),
        sources: vec!["./a".into(), "https://host/o/b.git".into()],
        credential: Some("corp".to_owned()),
        branch: Some("main".to_owned()),
        all_branches: None,
        weeks: Some(2),
        time_zone: Some("Asia/Tokyo".to_owned()),
        include_current: Some(true),
        slice_commits: Some(3),
        jobs: Some(4),
        max_blob_bytes: Some(5),
        line_history: Some(false),
        anonymize: Some(true),
        public: Some(true),
        data_dir: Some("data".into()),
        output: Some("out".into()),
        formats: Some(vec!["md".to_owned(), "markdown".to_owned(), "csv".to_owned()]),
        server: Some("http://c:1".to_owned()),
        listen: Some("[::1]:2".to_owned()),
        metrics_listen: Some("[::1]:3".to_owned()),
        dev: Some(true),
    };
    let mut around = Around::new(b"repositories: [{path: x}]");
    around.overrides = overrides;
    assert_eq!(origin(&around, "repositories[1].branch"), "main from flag --branch");
    assert_eq!(origin(&around, "repositories[1].url"), "https://host/o/b.git from flag SOURCES");
    let settings = around.load().expect("the flags are sound").settings;
    let shown = around.redact(&format!("{settings:?}"));
    let (local, fleet) = shown.split_once(", fleet: ").unwrap();
    assert!(fleet.starts_with("Fleet { server: \"http://c:1\", token: None, listen: \"[::1]:2\""), "{fleet}");
    assert!(fleet.contains("metrics_listen: Some(\"[::1]:3\"), metrics_token: None"), "{fleet}");
    assert_eq!(
        local,
        "Settings { repositories: [RepositorySetting { name: \"a\", location: Path(\"DIR/a\"), remote: None, \
         project_key: \"A\", branches: Named(\"main\"), credential: None }, RepositorySetting { name: \"b\", location: \
         Url(\"https://host/o/b.git\"), remote: None, project_key: \"B\", branches: Named(\"main\"), credential: Some(\"corp\") }], \
         weeks: Some(2), time_zone: Asia/Tokyo, include_current: true, slice_commits: 3, \
         jobs: Some(4), max_blob_bytes: 5, line_history: false, memory_bytes: 80740352, data_dir: Some(\"DIR/data\"), output: Some(\"DIR/out\"), \
         formats: [Markdown, Csv], credentials: [], \
         sources: Sources { schemes: None, hosts: [], private: [], proxy: None }, named_credentials: [], \
         lens: Lens { people: PeopleLens { mailmap: \"\", mappings: [], settings: Settings { plus_tag_domains: [], \
         name_stop_list: [], bots: Lists { bots: [], humans: [] } } }, teams: [], work: RulesConfig { custom: [], \
         extra_types: {}, project_key_kinds: {}, taxonomy: {} }, tickets: TicketsConfig { platforms: [], jira_keys: [], \
         linear_keys: [], patterns: {}, exclude_patterns: [], position: Anywhere }, story_points: [], \
         release_tags: None, exclude_paths: [], working_hours: false, names: Withheld }, erasure_key: None, \
         github: GitHub { api_url: \"https://api.github.com\", cloned_from: \"github.com\", tokens: [], selector: None }, \
         logging: Logging { level: None, targets: [], json: false, file: None, syslog: None }, \
         telemetry: Telemetry { endpoint: None, sample_ratio: 1.0 }"
    );
}

#[test]
fn who_types_all_branches_means_all_of_all() {
    let mut around = Around::new(b"repositories: [{path: x, branch: b}]");
    around.overrides.all_branches = Some(true);
    assert_eq!(
        around.load().map(|loaded| loaded.settings.repositories[0].branches.clone()),
        Ok(Branches::All)
    );
}

#[test]
fn paths_belong_to_who_says_them() {
    let around = Around::new(b"").set(&[("HOME", "/home/ann"), ("GITFLEET_DATA_DIR", "data")]);
    std::fs::create_dir(around.folder.path().join("etc")).expect("the folder is ours");
    around.write("etc/team.yaml", b"output: {directory: ./out}\nrepositories: [{path: ~/x}, {path: ../y}]");
    let file = Some(Path::new("etc/team.yaml"));
    let (directory, environment) = (around.folder.path(), &around.environment);
    let request = Request { file, directory, overrides: Overrides::default(), environment };
    let loaded = load(&request).expect("the file is sound");
    assert_eq!(loaded.settings.output, Some(directory.join("etc/out")));
    assert_eq!(loaded.settings.data_dir, Some(directory.join("data")));
    let places: Vec<&Location> =
        loaded.settings.repositories.iter().map(|repository| &repository.location).collect();
    assert_eq!(places, [&Location::Path("/home/ann/x".into()), &Location::Path(directory.join("etc/../y"))]);
}

#[test]
fn without_a_file_the_others_are_heard() {
    let folder = tempfile::tempdir().expect("the machine has room for a folder");
    std::fs::write(folder.path().join(".env"), "GITFLEET_WEEKS=9").expect("the folder is ours");
    let environment = [("GITFLEET_JOBS".to_owned(), "2".to_owned())].into();
    let request = Request {
        file: None,
        directory: folder.path(),
        overrides: Overrides::default(),
        environment: &environment,
    };
    let loaded = load(&request).expect("no file is no mistake");
    // A stray .env is nobody's configuration: it counts beside a file only.
    assert_eq!((loaded.settings.jobs, loaded.settings.weeks), (Some(2), None));

    let missing = Request { file: Some(Path::new("absent.yaml")), ..request };
    let error = load(&missing).expect_err("a file that is named has to be there").to_string();
    assert!(error.contains("cannot read absent.yaml"), "{error}");
}

#[test]
fn the_environment_can_name_the_file() {
    let around = Around::new(b"analysis: {weeks: 1}").set(&[("GITFLEET_CONFIG", "other.yaml")]);
    around.write("other.yaml", b"analysis: {weeks: 2}");
    assert_eq!(origin(&around, "analysis.weeks"), "2 from other.yaml:1:19");
}

#[test]
fn variables_fill_values_and_are_named() {
    let around = Around::new(
        b"github:\n  token: ${TOKEN}\n  owner: \"${OWNER:-acme}\"\nanalysis:\n  weeks: ${WEEKS}\n  jobs: '$JOBS'\n\
          repositories:\n  - path: ${ROOT}/shop$$1\n  - github_repo: web\n    branch: ${NONE:-}\n",
    )
    .set(&[("TOKEN", "from-environment"), ("WEEKS", "12"), ("ROOT", "/srv"), ("JOBS", "2")]);
    around.write(".env", b"TOKEN=from-file\nOWNER='umbrella'\n");
    let settings = around.load().expect("all variables are set").settings;
    assert_eq!(settings.credentials[0].token.secret.expose_secret(), "from-environment");
    assert_eq!((settings.weeks, settings.jobs), (Some(12), Some(2)));
    assert_eq!(settings.repositories[0].location, Location::Path("/srv/shop$1".into()));
    assert_eq!(
        settings.repositories[1].location,
        Location::Url("https://github.com/umbrella/web".to_owned())
    );
    assert_eq!(settings.repositories[1].branches, Branches::Default);
    assert_eq!(origin(&around, "github.owner"), "umbrella from gitfleet.yaml:3:10, OWNER from .env");
    assert_eq!(origin(&around, "github.token"), "*** from gitfleet.yaml:2:10, TOKEN from the environment");
}

#[test]
fn a_variable_that_looks_like_ours_is_pointed_out() {
    let around = Around::new(b"version: 1").set(&[("GITFLEET_WEKS", "3"), ("GITFLEET_NOTHING_LIKE_IT", "3")]);
    around.write(".env", b"GITFLEET_JBOS=1\nwhat is this\n");
    assert_eq!(
        around.load().map(|loaded| loaded.warnings),
        Ok(vec![
            ".env:2: this is not NAME=value and is ignored".to_owned(),
            "environment: GITFLEET_JBOS is not a variable of gitfleet; did you mean GITFLEET_JOBS?"
                .to_owned(),
            "environment: GITFLEET_NOTHING_LIKE_IT is not a variable of gitfleet and has no effect"
                .to_owned(),
            "environment: GITFLEET_WEKS is not a variable of gitfleet; did you mean GITFLEET_WEEKS?"
                .to_owned(),
        ])
    );
}

#[test]
fn wrong_flags_and_variables_are_named() {
    let mut around =
        Around::new(b"version: 1").set(&[("GITFLEET_FORMAT", "csv,htlm"), ("GITFLEET_JOBS", "0")]);
    around.overrides.weeks = Some(0);
    around.overrides.time_zone = Some("Europe/Berln".to_owned());
    around.overrides.sources = vec!["https://ann:hunter2@host/x".into()];
    let error = around.load().expect_err("nothing here is right").to_string();
    assert_eq!(
        error,
        "flag --weeks: wrong value: analysis.weeks: `0` is not a whole number from 1 to 10000\n\
         flag --time-zone: wrong value: analysis.time_zone: `Europe/Berln` is not a time zone of the IANA list, as \
         Europe/Berlin\n  did you mean Europe/Berlin?\n\
         environment GITFLEET_JOBS: wrong value: analysis.jobs: `0` is not a whole number from 1 to 4096\n\
         environment GITFLEET_FORMAT: wrong value: output.formats: `csv,htlm` is not some of csv, json, markdown, \
         html, md, parquet\n  did you mean html?\n\
         flag SOURCES: wrong value: the address holds a password or a token\n  an address looks like https://host/owner/name; \
         secrets belong in github.token or an ssh key"
    );
}

#[test]
fn what_is_shown_names_origins_and_no_secret() {
    let around = Around::new(
        b"analysis:\n  weeks: 8\ngithub:\n  token: $TOKEN\nrepositories:\n  - path: /srv/shop\n    github_repo: o/shop\n    \
          branch: main\n  - url: git@host:o/web ui.git\noutput:\n  formats: [csv, md]\n",
    )
    .set(&[("TOKEN", "hunter2"), ("GITFLEET_JOBS", "2")]);
    let loaded = around.load().expect("the file is sound");
    let shown = show(&loaded);
    assert_eq!(
        shown,
        "\
version: \"1.0\"                               # default
analysis:
  weeks: 8                                   # gitfleet.yaml:2:10
  time_zone: UTC                             # default
  include_current_week: false                # default
  all_branches: false                        # default
  batch_size: 1000                           # default
  jobs: 2                                    # environment GITFLEET_JOBS
  memory_mib: 768                            # default
  max_blob_bytes: 104857600                  # default
  line_history: true                         # default
cache:
  directory: null                            # default: chosen by the command
  encryption_keys_file: null                 # default: none
output:
  directory: null                            # default: chosen by the command
  formats: [csv, md]                         # gitfleet.yaml:11:12
github:
  api_url: \"https://api.github.com\"          # default
  owner: null                                # default: none
  token: \"***\"                               # gitfleet.yaml:4:10, TOKEN from the environment
  tokens: null                               # default: none
  organization: null                         # default: none
  user: null                                 # default: none
  include: null                              # default: all
  exclude: null                              # default: none
  archived: false                            # default
  forks: false                               # default
people:
  mailmap_file: null                         # default: none
  mappings: null                             # default: none
  bots: null                                 # default: none
  humans: null                               # default: none
  name_stop_list: null                       # default: none
  plus_tag_domains: null                     # default: none
  erasure_key: null                          # default: none
teams: null                                  # default: none
tickets:
  platforms: null                            # default: all whose form cannot be mistaken
  project_keys: null                         # default: none
  linear_keys: null                          # default: none
  patterns: null                             # default: none
  exclude_patterns: null                     # default: none
  position: anywhere                         # default
work:
  categories: null                           # default: none
  conventional_types: null                   # default: those of the specification
  project_kinds: null                        # default: none
  words: null                                # default: none
  story_point_patterns: null                 # default: the usual forms
releases:
  tag_pattern: null                          # default: versions without pre-release part
source:
  exclude: null                              # default: none
reports:
  anonymize: false                           # default
  public: false                              # default
  pseudonym_key: null                        # default: none
  working_hours: false                       # default
logging:
  level: null                                # default: warn; info for coordinator and worker
  format: null                               # default: text
  targets: null                              # default: none
  file: null                                 # default: none
  syslog: null                               # default: false
  handlers: null                             # default: none
telemetry:
  otlp_endpoint: null                        # default: none
  sample_ratio: null                         # default: 1
retention:
  attempt_days: 30                           # default
  dead_letter_days: 14                       # default
  worker_days: 7                             # default
  token_days: 90                             # default
  audit_days: 400                            # default
sources:
  schemes: null                              # default: https and ssh; analyze and facts take file, too
  hosts: null                                # default: every host
  private_addresses: null                    # default: none
  proxy: null                                # default: none
fleet:
  server: \"http://127.0.0.1:7171\"            # default
  listen: null                               # default: 127.0.0.1:7171
  tls_cert_file: null                        # default: none
  tls_key_file: null                         # default: none
  trusted_proxies: null                      # default: none
  requests_per_minute: 6000                  # default
  dev: false                                 # default
  database_schema: null                      # default: public
  prefix: null                               # default: gitfleet
  cache_ttl_seconds: 2592000                 # default
  consumer_timeout_seconds: 1800             # default
  job_seconds: 840                           # default
  grace_seconds: 25                          # default
  lease_seconds: 60                          # default
  batch_days: 400                            # default
  token: null                                # default: none
  database_url: null                         # default: none
  broker_url: null                           # default: none
  cache_url: null                            # default: none
  ca_file: null                              # default: none
  mirror_mib: null                           # default: no limit
  metrics_listen: null                       # default: none
  metrics_token: null                        # default: none
  target_drain_seconds: 900                  # default
  min_workers: 0                             # default
  max_workers: 64                            # default
repositories:
  - name: shop                               # default
    path: /srv/shop                          # gitfleet.yaml:6:11
    github_repo: o/shop                      # gitfleet.yaml:7:18
    project_key: SHOP                        # default
    branch: main                             # gitfleet.yaml:8:13
  - name: \"web ui\"                           # default
    url: \"git@host:o/web ui.git\"             # gitfleet.yaml:9:10
    project_key: \"WEB UI\"                    # default
"
    );
    assert!(!format!("{loaded:?}").contains("hunter2"));
    // What is shown is a configuration: it means what was shown, but for the secret.
    let mut again = sound(&shown).settings;
    again.credentials.clone_from(&loaded.settings.credentials);
    assert_eq!(format!("{again:?}"), format!("{:?}", loaded.settings));
}
