//! The configuration file, the environment and the flags, as they take effect.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::repository::Repository;
use crate::room::{Ended, Room, contents};

const CANARY: &str = "ghp_canaryCANARYcanary0123456789abcd";

/// A room whose desk has a repository `r` and this configuration file.
fn configured(file: &str) -> (Room, Repository) {
    let room = Room::new();
    let repository = room.repository("desk/r");
    repository.commit("a.rs", 3, "2026-01-05T12:00:00Z");
    room.write("desk/gitfleet.yaml", file);
    (room, repository)
}

fn run(command: &mut Command) -> Ended {
    Ended::of(command.output().unwrap())
}

/// Returns the line of `config show` for a key, with single spaces.
#[track_caller]
fn shown(room: &Room, key: &str, environment: &[(&str, &str)]) -> String {
    let ended = run(room.command().args(["config", "show"]).envs(environment.iter().copied())).expect(0);
    let lines = ended.text().lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    let mut lines = lines.filter(|line| line.starts_with(&format!("{key}:")));
    lines.next().unwrap_or_else(|| panic!("no {key} in {}", ended.text()))
}

#[test]
fn flags_beat_the_environment_which_beats_the_file() {
    let (room, _) = configured("analysis:\n  time_zone: UTC\n");
    assert!(shown(&room, "weeks", &[]).starts_with("weeks: null # default: all history"));
    room.write(
        "desk/gitfleet.yaml",
        "repositories: [{path: r}]\nanalysis:\n  weeks: 4\noutput:\n  directory: from-file\n  formats: [json, csv]\n",
    );
    let environment = [("GITFLEET_WEEKS", "6"), ("GITFLEET_OUTPUT", "from-env"), ("GITFLEET_FORMAT", "json")];
    assert_eq!(shown(&room, "weeks", &[]), "weeks: 4 # gitfleet.yaml:3:10");
    assert_eq!(shown(&room, "weeks", &environment), "weeks: 6 # environment GITFLEET_WEEKS");
    assert!(shown(&room, "directory", &environment).ends_with("# default: chosen by the command"));
    assert_eq!(shown(&room, "formats", &[]), "formats: [json, csv] # gitfleet.yaml:6:12");
    assert_eq!(shown(&room, "formats", &environment), "formats: [json] # environment GITFLEET_FORMAT");
    assert!(shown(&room, "jobs", &[]).ends_with("default: one per core"));

    let weeks =
        |output: &str| room.json(&format!("desk/{output}/report.json"))["weeks"].as_array().unwrap().len();
    let data = room.text("data");
    let analyze = |environment: &[(&str, &str)], arguments: &[&str]| {
        let mut command = room.command();
        command.args(["analyze", "--data-dir", &data]).args(arguments).envs(environment.iter().copied());
        run(&mut command).expect(0);
    };
    analyze(&[], &[]);
    assert_eq!(weeks("from-file"), 4);
    assert!(room.path("desk/from-file/weeks.csv").exists());
    assert!(!room.path("desk/from-file/report.html").exists());
    analyze(&environment, &[]);
    assert_eq!(weeks("from-env"), 6);
    assert!(!room.path("desk/from-env/weeks.csv").exists());
    analyze(&environment, &["--weeks", "8", "--output", "from-flag", "--format", "json,html"]);
    assert_eq!(weeks("from-flag"), 8);
    assert!(room.path("desk/from-flag/report.html").exists());
    // A window of another kind is typed for this run; the weeks of the file do not stand against it.
    analyze(&[], &["--since", "2026-01-01"]);
    assert_eq!(weeks("from-file"), 1);
}

#[test]
fn the_data_directory_is_where_it_is_said_to_be() {
    let (room, repository) = configured("cache:\n  directory: kept\n");
    let has = |name: &str| room.path(name).join("store.sqlite3").exists();
    room.gitfleet(&["analyze", "r"]).expect(0);
    assert!(has("desk/kept"));
    run(room.command().args(["analyze", "r"]).env("GITFLEET_DATA_DIR", "by-env")).expect(0);
    assert!(has("desk/by-env"));
    std::fs::remove_file(room.path("desk/gitfleet.yaml")).unwrap();
    room.gitfleet(&["analyze", repository.text()]).expect(0);
    assert!(has("home/.local/share/gitfleet"));
    run(room.command().args(["analyze", "r"]).env("XDG_DATA_HOME", room.path("xdg"))).expect(0);
    assert!(has("xdg/gitfleet"));
    // Names and e-mails are in it.
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(room.path("xdg/gitfleet")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    run(room.command().args(["analyze", "r"]).env_remove("HOME")).expect(2).says(&["--data-dir"]);
}

#[test]
fn sources_take_the_place_of_the_list() {
    let (room, _) =
        configured("repositories:\n  - path: r\n    name: mine\n    project_key: KEY\n  - path: gone\n");
    let other = room.repository("desk/other");
    other.commit("b", 1, "2026-01-05T12:00:00Z");
    room.analyze(&[]).expect(8);
    let report = room.json("out/report.json");
    assert_eq!(report["repositories"][1]["name"], "mine");
    assert_eq!(report["repositories"][1]["project_key"], "KEY");
    let report = room.report(&["--repositories", "mine"]);
    assert_eq!(report["coverage"]["repositories_requested"], 1);
    let report = room.report(&["other"]);
    assert_eq!(report["repositories"][0]["name"], "other");
    assert_eq!(report["repositories"][0]["project_key"], "OTHER");
    run(room.analyze_command(&[]).env("GITFLEET_SOURCES", "other, r")).expect(0);
    assert_eq!(room.json("out/report.json")["coverage"]["repositories_requested"], 2);
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    for (file, words) in [
        ("analysis:\n  wekks: 4\n", &["gitfleet.yaml:2:3", "analysis.wekks", "weeks"][..]),
        ("repositories:\n  - pth: r\n", &["gitfleet.yaml:2:5", "pth", "path"]),
        ("analysis:\n  weeks: some\n", &["gitfleet.yaml:2:10", "analysis.weeks"]),
        ("analysis: {weeks: 0}\n", &["gitfleet.yaml:1:19", "analysis.weeks"]),
        ("output:\n  formats: [pdf]\n", &["gitfleet.yaml:2:13", "pdf"]),
        ("a: [1\n", &["gitfleet.yaml:"]),
        ("analysis:\n  weeks: ${ABSENT}\n", &["gitfleet.yaml:2:10", "ABSENT"]),
        ("repositories: [{url: 'https://a:hunter2@x/y'}]\n", &["gitfleet.yaml:1:"]),
    ] {
        let (room, _) = configured(file);
        for arguments in [&["analyze", "r"][..], &["config", "show"], &["analyze", "r", "--validate-only"]] {
            let ended = room.gitfleet(arguments).expect(78).says(words);
            assert!(ended.text().is_empty(), "{file}");
            assert!(!ended.stderr.contains("hunter2"), "{}", ended.stderr);
        }
        assert!(!room.path("desk/gitfleet-report").exists() && !room.path("home/.local").exists());
    }
    // A list that is not used need not hold together, only make sense.
    let (room, _) = configured("repositories: [{path: r}, {path: r}]\n");
    room.gitfleet(&["analyze"]).expect(78).says(&["gitfleet.yaml:1:34", "gitfleet.yaml:1:23"]);
    room.gitfleet(&["analyze", "r"]).expect(0);
    let (room, _) = configured("version: '1.0'\n");
    room.gitfleet(&["analyze", "r", "-c", "absent.yaml"]).expect(78).says(&["absent.yaml"]);
    run(room.command().args(["config", "show"]).env("GITFLEET_CONFIG", "gone.yaml"))
        .expect(78)
        .says(&["gone.yaml"]);
    run(room.command().args(["config", "show"]).env("GITFLEET_WEEKS", "x"))
        .expect(78)
        .says(&["GITFLEET_WEEKS"]);
    run(room.command().args(["config", "show"]).env("GITFLEET_WEKS", "1"))
        .expect(0)
        .says(&["GITFLEET_WEEKS"]);
}

#[test]
fn a_secret_is_used_and_kept_nowhere() {
    let (room, repository) = configured(
        "github:\n  token: ${CANARY_TOKEN}\n  owner: someone\nrepositories:\n  - path: r\n  - path: r2\n    github_repo: r2\n",
    );
    repository.git(&["clone", "--quiet", ".", "../r2"]);
    let url = format!("file://{}", repository.text());
    let with = |arguments: &[&str]| {
        let mut command = room.command();
        command.args(arguments).env("CANARY_TOKEN", CANARY).env("GITFLEET_GITHUB_TOKEN", CANARY);
        run(&mut command)
    };
    let mut said = Vec::new();
    for arguments in [
        &["config", "show"][..],
        &["analyze", "-vvv"],
        &["analyze", "-vvv", &url],
        &["analyze", "--dry-run", "--json"],
        &["analyze", "--validate-only", "-vv"],
        &["facts", &url, "-vvv", "--format", "json"],
        &["report", "show"],
    ] {
        let ended = with(arguments).expect(0);
        said.extend([ended.text().to_owned(), ended.stderr.clone()]);
    }
    // Where the token is meant to go nothing answers, and the failure does not tell it.
    let ended = with(&["analyze", "https://localhost:1/o/n", "-vvv"]).expect(8);
    said.extend([ended.text().to_owned(), ended.stderr.clone()]);
    // Of a value that is wrong only the place is told.
    room.write("desk/wrong.yaml", "analysis:\n  weeks: ${CANARY_TOKEN}\nversion: ${CANARY_TOKEN}\n");
    let ended = with(&["config", "show", "-c", "wrong.yaml"]).expect(78);
    said.extend([ended.text().to_owned(), ended.stderr.clone()]);
    for text in &said {
        assert!(!text.contains(CANARY), "{text}");
    }
    assert!(said[0].contains("***"), "{}", said[0]);
    let written = contents(&room.path(""));
    assert!(written.keys().any(|path| path.ends_with("store.sqlite3")));
    for (path, bytes) in written {
        let found = bytes.windows(CANARY.len()).any(|window| window == CANARY.as_bytes());
        assert!(!found, "{}", path.display());
    }
}

#[test]
fn the_environment_file_beside_it_is_read() {
    let (room, _) = configured("analysis:\n  weeks: ${WEEKS:-5}\n");
    assert_eq!(shown(&room, "weeks", &[]), "weeks: 5 # gitfleet.yaml:2:10, default of WEEKS");
    room.write("desk/.env", "WEEKS=7\n");
    assert_eq!(shown(&room, "weeks", &[]), "weeks: 7 # gitfleet.yaml:2:10, WEEKS from .env");
    let environment = [("WEEKS", "8")];
    assert_eq!(
        shown(&room, "weeks", &environment),
        "weeks: 8 # gitfleet.yaml:2:10, WEEKS from the environment"
    );
}

#[test]
fn what_is_shown_can_be_read_back() {
    let (room, _) = configured("analysis: {weeks: 4, time_zone: Europe/Berlin}\nrepositories: [{path: r}]\n");
    let first = room.gitfleet(&["config", "show"]).expect(0);
    room.write("desk/again.yaml", first.text());
    let second = room.gitfleet(&["config", "show", "-c", "again.yaml"]).expect(0);
    let values = |text: &str| {
        text.lines().map(|line| line.split(" # ").next().unwrap().trim_end().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(values(first.text()), values(second.text()));
}

#[test]
fn checking_touches_nothing() {
    let (room, repository) = configured(
        "repositories:\n  - path: r\n  - path: not-there\n  - url: https://git.invalid/o/n\nanalysis:\n  weeks: 4\n",
    );
    let before: Vec<PathBuf> = room.everything();
    let ended = room.gitfleet(&["analyze", "--validate-only"]).expect(0);
    assert!(ended.text().contains("3 repositories"), "{}", ended.text());
    room.gitfleet(&["analyze", repository.text(), "--validate-only", "--week", "2026-W02"]).expect(0);
    room.analyze(&["--validate-only"]).expect(0);
    room.gitfleet(&["config", "show"]).expect(0);
    room.gitfleet(&["analyze", "--validate-only", "--week", "2026-W99"]).expect(2);
    assert_eq!(room.everything(), before);
    assert!(!room.path("data").exists() && !room.path("home/.local").exists());
}

#[test]
fn a_file_of_gitflow_analytics_works_as_it_is() {
    let room = Room::new();
    let shop = room.repository("work/shop-web");
    shop.commit("a.rs", 3, "2026-01-05T12:00:00Z");
    let billing = room.repository("work/billing");
    billing.git(&["switch", "--quiet", "--create", "release"]);
    billing.commit("b.py", 4, "2026-01-06T12:00:00Z");
    billing.git(&["switch", "--quiet", "--create", "other"]);
    billing.commit("c.py", 50, "2026-01-07T12:00:00Z");
    room.write("work/etc/.env", "GITHUB_TOKEN=unused\nGITHUB_OWNER=example\n");
    room.write(
        "work/etc/config.yaml",
        r#"version: "1.0"
profile: balanced
github:
  token: "${GITHUB_TOKEN}"
  owner: "${GITHUB_OWNER}"
repositories:
  - name: shop
    path: ../shop-web
    github_repo: example/shop-web
    project_key: SHOP
  - name: billing
    path: ../billing
    branch: release
analysis:
  batch_size: 500
  cache_ttl: 3600
  story_point_patterns: ["(?:sp|pts?)\\s*[:=]\\s*(\\d+)"]
  exclude:
    authors: ["dependabot[bot]"]
    paths: ["**/vendor/**"]
  identity:
    similarity_threshold: 0.85
    manual_mappings:
      - name: Ann
        primary_email: ann@example
        aliases: [ann@old.example]
jira:
  access_user: ${JIRA_USER:-}
  access_token: ${JIRA_TOKEN:-}
  base_url: https://example.atlassian.net
reports:
  output_directory: ./reports
  formats: [csv, markdown]
  retention_days: 90
cache:
  directory: .gitflow-cache
"#,
    );
    let file = room.text("work/etc/config.yaml");
    let ended = room.gitfleet(&["analyze", "-c", &file]).expect(0);
    let ended = ended.says(&["similarity_threshold", "jira.base_url", "cache_ttl"]);
    assert!(ended.text().contains("2\n"), "{}", ended.text());
    let summary = room.read("work/etc/reports/summary.csv");
    assert!(summary.contains("\nadditions,7\n") && summary.contains("\nrepositories,2\n"), "{summary}");
    assert!(room.path("work/etc/reports/report.md").exists());
    assert!(!room.path("work/etc/reports/report.html").exists());
    assert!(room.path("work/etc/.gitflow-cache/store.sqlite3").exists());
    let repositories = room.read("work/etc/reports/repositories.csv");
    assert!(repositories.contains(",SHOP,") && repositories.contains("\nbilling,"), "{repositories}");
    // Its quiet is quiet.
    let ended = room.gitfleet(&["analyze", "-c", &file, "--quiet", "--weeks", "4"]).expect(0);
    assert_eq!(ended.stderr, "");
}

fn project(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name)
}

#[test]
fn the_documents_say_what_the_program_says() {
    let room = Room::new();
    let reference = room.gitfleet(&["config", "reference"]).expect(0);
    let written = std::fs::read_to_string(project("docs/configuration.md")).unwrap();
    assert_eq!(reference.text(), written, "cargo run -- config reference > docs/configuration.md");
    let columns = room.gitfleet(&["report", "columns"]).expect(0);
    let written = std::fs::read_to_string(project("docs/report.md")).unwrap();
    assert_eq!(columns.text(), written, "cargo run -- report columns > docs/report.md");
    let api = room.gitfleet(&["help", "openapi"]).expect(0);
    let metrics = room.gitfleet(&["help", "observability"]).expect(0);
    let written = std::fs::read_to_string(project("docs/metrics.md")).unwrap();
    assert_eq!(metrics.text(), written, "cargo run -- help observability > docs/metrics.md");
    let errors = room.gitfleet(&["help", "errors"]).expect(0);
    let written = std::fs::read_to_string(project("docs/errors.md")).unwrap();
    assert_eq!(errors.text(), written, "cargo run -- help errors > docs/errors.md");
    let written = std::fs::read_to_string(project("docs/openapi.json")).unwrap();
    assert_eq!(api.text(), written, "cargo run -- help openapi > docs/openapi.json");
    let example = project("gitfleet.example.yaml");
    let ended = room.gitfleet(&["analyze", "-c", example.to_str().unwrap(), "--validate-only"]).expect(0);
    assert_eq!(ended.stderr, "", "the example has no warning");
}

#[test]
fn the_schema_is_one_and_knows_the_keys() {
    let room = Room::new();
    let schema: Value =
        serde_json::from_slice(&room.gitfleet(&["config", "schema"]).expect(0).stdout).unwrap();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    for section in ["repositories", "analysis", "output", "github", "cache"] {
        assert!(schema["properties"][section].is_object(), "{section}");
    }
    assert!(schema["properties"]["analysis"]["properties"]["weeks"].is_object());
}
