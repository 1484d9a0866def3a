//! Which sources are asked, with which credentials, and secrets that change while everybody goes on.

use std::path::Path;

use gitfleet_testkit::certificate;
use gitfleet_testkit::git::{GitServer, Manner};
use gitfleet_testkit::server::Server;
use serde_json::{Value, json};

use crate::access::{Answer, ask};
use crate::fleet::{CANARIES, Fleet, wait};

/// Asks as the fleet's own token.
fn post(server: &str, path: &str, body: &Value) -> Answer {
    let shown = format!("Bearer {}", CANARIES[3]);
    ask(server, "POST", path, &[("Authorization", &shown), ("Idempotency-Key", "one")], &body.to_string())
}

/// Starts a worker of `fleet` with other settings.
fn worker(fleet: &Fleet, settings: &[(&str, &str)]) -> Server {
    let worker = fleet.process(&["worker", "-j", "1", "-vvv"], settings, Box::new(|| true));
    let log = worker.folder().join("log");
    wait("a worker", || {
        std::fs::read_to_string(&log).unwrap_or_default().contains("takes jobs").then_some(())
    });
    worker
}

fn said(server: &Server) -> String {
    std::fs::read_to_string(server.folder().join("log")).unwrap_or_default()
}

/// Returns how often it was said that others can read `file`.
fn warnings(server: &Server, file: &str) -> usize {
    said(server).lines().filter(|line| line.contains("open to others") && line.contains(file)).count()
}

/// Submits with `arguments` and returns the first repository when the batch has ended.
fn done(fleet: &Fleet, arguments: &[&str]) -> Value {
    let ended = fleet.run(&[&["submit", "--wait", "--timeout", "60", "--json"], arguments].concat());
    let batch: Value = serde_json::from_str(&ended.stdout).unwrap_or_else(|_| panic!("{}", ended.stderr));
    let path = format!("/api/v1/batches/{}/repositories", batch["id"].as_str().unwrap());
    let shown = format!("Bearer {}", CANARIES[3]);
    let answer = ask(&fleet.server, "GET", &path, &[("Authorization", &shown)], "");
    serde_json::from_str::<Value>(&answer.body).unwrap()[0].clone()
}

#[test]
fn what_may_not_be_asked_is_refused_at_once_with_its_place() {
    let fleet = Fleet::start(0);
    let (_strict, server) = fleet.another(&[("GITFLEET_SOURCE_SCHEMES", "")]);
    let terms = json!({
        "window": { "zone": "UTC", "extent": "AllHistory" },
        "as_of_seconds": 0, "max_blob_bytes": 1, "line_history": true, "slice_commits": 1, "dry_run": false
    });
    let refuse = |repository: Value, words: &[&str]| {
        let batch = json!({ "name": "n", "repositories": [repository], "terms": terms });
        let answer = post(&server, "/api/v1/batches", &batch);
        assert_eq!(answer.status, 400, "{}", answer.body);
        let problem: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(problem["type"], "urn:gitfleet:problem:source_not_allowed", "{problem}");
        assert!(problem["hint"].as_str().unwrap().contains("sources."), "{problem}");
        for word in ["repositories[0]"].iter().chain(words) {
            assert!(problem["detail"].as_str().unwrap().contains(word), "{problem}");
        }
    };
    refuse(json!({ "name": "a", "path": "/srv/a" }), &["file sources", "/srv/a"]);
    refuse(json!({ "name": "a", "url": "file:///srv/a" }), &["file sources"]);
    for host in
        ["127.0.0.1", "127.1", "0x7f.1", "2130706433", "localhost", "[::ffff:127.0.0.1]", "169.254.169.254"]
    {
        refuse(json!({ "name": "a", "url": format!("https://{host}/a") }), &["may not be asked"]);
        refuse(json!({ "name": "a", "url": format!("git@{host}:a") }), &["may not be asked"]);
    }
    // The command says it in the same words, and a schedule is refused as its batches would be.
    let submit = ["submit", "https://127.0.0.1/a", "--server", &server];
    fleet.run(&submit).expect(2).says(&["may not be asked", "sources.private_addresses"]);
    let schedule = ["schedule", "add", "nightly", "--cron", "0 2 * * *", "/srv/a", "--server", &server];
    fleet.run(&schedule).expect(2).says(&["file sources", "sources.schemes"]);
    let (_narrow, server) = fleet.another(&[("GITFLEET_SOURCE_HOSTS", "git.example, *.corp.example")]);
    let submit = ["submit", "https://elsewhere.example/a", "--server", &server];
    fleet.run(&submit).expect(2).says(&["the host elsewhere.example", "sources.hosts"]);
}

#[test]
fn a_worker_asks_no_more_than_it_may_whatever_was_submitted() {
    let fleet = Fleet::start(0);
    let _worker = worker(&fleet, &[("GITFLEET_SOURCE_SCHEMES", "https")]);
    let repository = fleet.repository("wider", 81);
    for source in [repository.clone(), format!("file://{repository}")] {
        let one = done(&fleet, &[&source]);
        assert_eq!(
            (&one["state"], &one["failure_class"]),
            (&"failed".into(), &"address_not_allowed".into()),
            "{one}"
        );
        assert!(one["failure_message"].as_str().unwrap().contains("sources.schemes"), "{one}");
    }
}

#[test]
fn a_firing_is_held_against_what_is_allowed_by_then() {
    // This one leads, and what another one takes it does not send.
    let fleet = Fleet::start_with(0, &[("GITFLEET_SOURCE_SCHEMES", "https")]);
    let (_wide, server) = fleet.another(&[("GITFLEET_SOURCE_SCHEMES", "https,ssh,file")]);
    let repository = fleet.repository("scheduled", 82);
    let add = ["schedule", "add", "nightly", "--cron", "0 2 * * *", &repository, "--server", &server];
    fleet.run(&add).expect(0);
    let triggered = fleet.run(&["schedule", "trigger", "nightly"]);
    assert_ne!(triggered.code, Some(0), "{}", triggered.stdout);
    triggered.says(&["file sources are not allowed here"]);
}

/// A fleet with a git server over https on this machine, and a configuration with a credential for it.
struct Corp {
    fleet: Fleet,
    server: GitServer,
    /// What all processes are told beside.
    settings: Vec<(String, String)>,
    url: String,
}

impl Corp {
    fn new(more: &str) -> Self {
        let fleet = Fleet::start(0);
        certificate::make(&fleet.path(""));
        let path = fleet.repository("corp", 83);
        let server = GitServer::start(
            [127, 0, 0, 1].into(),
            Path::new(&path).parent().unwrap(),
            Some(&fleet.path("")),
        );
        std::fs::write(fleet.path("git_token"), "hushold\n").unwrap();
        let credentials = format!(
            "credentials:\n  - name: corp\n    host: localhost:{}\n    user: bot\n    token_file: git_token\n{more}",
            server.port()
        );
        std::fs::write(fleet.path("workers.yaml"), &credentials).unwrap();
        let url = format!("https://localhost:{}/corp/.git", server.port());
        let asked = format!("repositories:\n  - name: corp\n    url: {url}\n    credential: corp\n");
        std::fs::write(fleet.path("asked.yaml"), asked).unwrap();
        let settings = [
            ("GITFLEET_CONFIG", fleet.text("workers.yaml")),
            ("GITFLEET_CA_FILE", fleet.text("cert.pem")),
            ("GITFLEET_SOURCE_PRIVATE_ADDRESSES", "127.0.0.0/8, ::1".to_owned()),
        ];
        let settings = settings.map(|(name, value)| (name.to_owned(), value)).to_vec();
        Self { fleet, server, settings, url }
    }

    fn settings(&self) -> Vec<(&str, &str)> {
        self.settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }
}

#[test]
fn a_credential_is_named_and_its_secret_changes_while_workers_go_on() {
    let corp = Corp::new("");
    let (coordinator, server) = corp.fleet.another(&corp.settings());
    let worker = worker(&corp.fleet, &corp.settings());
    let asked = corp.fleet.text("asked.yaml");
    let fetch = || done(&corp.fleet, &["-c", &asked, "--server", &server]);
    let wants =
        |token: &str| corp.server.behave(Manner { wants: Some(format!("bot:{token}")), ..Manner::default() });
    wants("hushold");
    let one = fetch();
    assert_eq!(one["state"], "analysed", "{one}");
    let shown: Vec<_> = corp.server.asked().into_iter().filter_map(|one| one.shown).collect();
    assert!(!shown.is_empty() && shown.iter().all(|shown| shown == "bot:hushold"), "{shown:?}");
    wants("hushnew");
    let one = fetch();
    assert_eq!(one["failure_class"], "authentication_failed", "{one}");
    // As Kubernetes does it: another file in its place.
    std::fs::write(corp.fleet.path("next"), "hushnew\n").unwrap();
    std::fs::rename(corp.fleet.path("next"), corp.fleet.path("git_token")).unwrap();
    let one = fetch();
    assert_eq!((&one["state"], &one["failure_class"]), (&"analysed".into(), &Value::Null), "{one}");
    // Gone for a moment, the last one stays.
    std::fs::remove_file(corp.fleet.path("git_token")).unwrap();
    assert_eq!(fetch()["state"], "analysed");
    // Without the name nothing is shown, and another name is nobody's.
    corp.server.asked();
    let one = done(&corp.fleet, &[&corp.url, "--server", &server]);
    assert_eq!(one["failure_class"], "authentication_failed", "{one}");
    assert!(corp.server.asked().iter().all(|one| one.shown.is_none()));
    let other = std::fs::read_to_string(&asked).unwrap().replace("credential: corp", "credential: other");
    std::fs::write(corp.fleet.path("other.yaml"), other).unwrap();
    let one = done(&corp.fleet, &["-c", &corp.fleet.text("other.yaml"), "--server", &server]);
    assert_eq!(one["failure_class"], "authentication_failed", "{one}");
    assert!(one["failure_message"].as_str().unwrap().contains("no credential named other"), "{one}");
    for said in [said(&coordinator), said(&worker)] {
        assert!(!said.contains("hushold") && !said.contains("hushnew"), "{said}");
    }
    // It can be read by everybody, which is said once.
    assert_eq!(warnings(&worker, &corp.fleet.text("git_token")), 1, "{}", said(&worker));
}

#[test]
fn who_sees_a_part_names_only_what_is_lent_to_it() {
    let corp = Corp::new("    teams: [search]\n");
    let (_coordinator, server) = corp.fleet.another(&corp.settings());
    let asked = corp.fleet.text("asked.yaml");
    let submit = |token: &str| corp.fleet.with_token(token, &["submit", "-c", &asked, "--server", &server]);
    let operator = |name: &str, team: &str| corp.fleet.token(name, &["--role", "operator", "--team", team]);
    submit(&operator("of search", "search")).expect(0);
    let refused = submit(&operator("of ads", "ads"));
    assert_ne!(refused.code, Some(0));
    refused.says(&["the credential corp is not lent to team ads", "`credentials`"]);
    let add = ["schedule", "add", "nightly", "--cron", "0 2 * * *", "-c", &asked, "--server", &server];
    let refused = corp.fleet.with_token(&operator("of ads too", "ads"), &add);
    assert_ne!(refused.code, Some(0));
    refused.says(&["is not lent"]);
}

#[test]
fn tokens_change_while_a_coordinator_answers() {
    let fleet = Fleet::start(0);
    let file = fleet.text("tokens");
    std::fs::write(&file, "hushfirst\n").unwrap();
    let (coordinator, server) = fleet.another(&[("GITFLEET_API_TOKEN_FILE", &file)]);
    let status = |token: &str| {
        let shown = format!("Bearer {token}");
        ask(&server, "GET", "/api/v1/status", &[("Authorization", &shown)], "").status
    };
    assert_eq!((status("hushfirst"), status("hushsecond")), (200, 401));
    std::fs::write(&file, "hushfirst\nhushsecond\n").unwrap();
    assert_eq!((status("hushfirst"), status("hushsecond")), (200, 200));
    std::fs::write(fleet.path("next"), "hushsecond\n").unwrap();
    std::fs::rename(fleet.path("next"), &file).unwrap();
    assert_eq!((status("hushfirst"), status("hushsecond")), (401, 200));
    // Nobody is locked out by a file that is away or empty for a moment, and nobody is let in.
    std::fs::write(&file, "").unwrap();
    assert_eq!((status("hushfirst"), status("hushsecond")), (401, 200));
    std::fs::remove_file(&file).unwrap();
    assert_eq!((status("hushfirst"), status("hushsecond")), (401, 200));
    let log = said(&coordinator);
    assert!(log.contains("the file of the API's tokens was read again"), "{log}");
    assert!(log.contains("the old one stays in use"), "{log}");
    assert_eq!(warnings(&coordinator, &file), 1, "{log}");
    assert!(!log.contains("hushfirst") && !log.contains("hushsecond"), "{log}");
}
