//! Who is let in, and what they see and may do: by role, by team, and from two coordinators at once.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use gitfleet_coordinator::access::{Reach, Role};
use gitfleet_coordinator::api::grants;
use gitfleet_testkit::server::Server;
use gitfleet_testkit::{certificate, port};
use serde_json::Value;

use crate::fleet::{CANARIES, Ended, Fleet, document, wait};

const NOBODY: &str = "0198ffff-ffff-7fff-bfff-ffffffffffff";

/// What a coordinator answers.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

/// Asks for `path`; names the headers and the body that are sent.
pub(crate) fn ask(server: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let address = server.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if !headers.iter().any(|(name, _)| *name == "Content-Type") {
        head.push_str("Content-Type: application/json\r\n");
    }
    head.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
    // Who is refused early may not read all of it.
    let _ = stream.write_all(format!("{head}{body}").as_bytes());
    read(stream)
}

fn read(mut stream: TcpStream) -> Answer {
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).unwrap_or(0);
    let headers = lines.filter_map(|line| line.split_once(": "));
    let headers = headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
    Answer { status, headers, body: body.to_owned() }
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

impl Fleet {
    /// Makes a token with these flags and returns it.
    pub(crate) fn token(&self, name: &str, flags: &[&str]) -> String {
        let ended = self.run(&[&["token", "create", name], flags].concat()).expect(0);
        assert!(ended.stderr.contains("not shown again"), "{}", ended.stderr);
        ended.stdout.trim().to_owned()
    }

    /// Runs a command with another token.
    pub(crate) fn with_token(&self, token: &str, arguments: &[&str]) -> Ended {
        let mut command = self.command(arguments);
        command.env_remove("GITFLEET_API_TOKEN_FILE").env("GITFLEET_API_TOKEN", token);
        Ended::of(command.output().unwrap())
    }

    /// Starts another coordinator of this fleet, and returns it with where it answers.
    pub(crate) fn another(&self, settings: &[(&str, &str)]) -> (Server, String) {
        let listen = format!("127.0.0.1:{}", port::free());
        let server = format!("http://{listen}");
        let mut more = vec![("GITFLEET_LISTEN", listen.as_str())];
        more.extend(settings);
        let address = server.clone();
        let is_ready = move || TcpStream::connect(address.strip_prefix("http://").unwrap()).is_ok();
        (self.process(&["coordinator", "-vvv"], &more, Box::new(is_ready)), server)
    }
}

#[test]
fn every_route_answers_as_its_role_and_scope_say() {
    let fleet = Fleet::start(0);
    let repository = fleet.repository("matrix", 61);
    let of_x = fleet.submit(&[&repository, "--label", "team=x"]);
    let job =
        fleet.json(&["job", "ls", "--batch", &of_x], "get", "/jobs")[0]["id"].as_str().unwrap().to_owned();
    let mut callers = vec![("nobody".to_owned(), None, String::new(), None)];
    for role in Role::ALL {
        let scopes: &[Option<&str>] =
            if role == Role::Admin { &[None] } else { &[None, Some("x"), Some("y")] };
        for scope in scopes {
            let name = format!("{role} of {}", scope.unwrap_or("all"));
            let mut flags = vec!["--role", role.name()];
            flags.extend(scope.iter().flat_map(|team| ["--team", team]));
            callers.push((name.clone(), Some(role), fleet.token(&name, &flags), *scope));
        }
    }
    let documented: BTreeSet<(String, String)> = document()["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, item)| {
            item.as_object().unwrap().keys().map(move |method| (method.to_uppercase(), path.clone()))
        })
        .collect();
    let granted: BTreeSet<_> = grants().into_iter().map(|(method, path, _)| (method, path)).collect();
    assert_eq!(granted, documented, "what is documented is what is let in to");
    // What is looked at goes first, what ends the batch last.
    let mut routes = grants();
    routes
        .sort_by_key(|(method, path, _)| (method != "GET", path.contains("cancel"), path.contains("purge")));
    for (method, path, grant) in &routes {
        for (name, role, token, scope) in &callers {
            let of = |batch: &str, job: &str| {
                let id = if path.contains("/jobs") { job } else { batch };
                let known = path.contains("/batches") || path.contains("/jobs");
                path.replace("{id}", if known { id } else { "99999" }).replace("{name}", "nobody")
            };
            let authorization = bearer(token);
            let shown: Vec<_> = role.iter().map(|_| ("Authorization", authorization.as_str())).collect();
            let got = ask(&fleet.server, method, &of(&of_x, &job), &shown, "");
            let what = format!("{method} {path} by {name}: {} {}", got.status, got.body);
            match role {
                None => assert_eq!(got.status, 401, "{what}"),
                Some(role) if *role < grant.role => assert_eq!(got.status, 403, "{what}"),
                Some(_) if grant.reach == Reach::Fleet && scope.is_some() => {
                    assert_eq!(got.status, 403, "{what}");
                }
                Some(_) => {
                    assert!(![401, 403, 429].contains(&got.status) && got.status < 500, "{what}");
                    if *scope == Some("y") && path.contains("{id}") {
                        let missing = ask(&fleet.server, method, &of(NOBODY, NOBODY), &shown, "");
                        let body = got.body.replace(&of_x, NOBODY).replace(&job, NOBODY);
                        assert_eq!(
                            (got.status, body),
                            (404, missing.body.clone()),
                            "{what}: {}",
                            missing.body
                        );
                    }
                }
            }
            assert_eq!(got.headers.get("x-request-id").map(String::len), Some(36), "{what}");
        }
    }
    for (name, _, token, scope) in callers.iter().skip(1) {
        let listed = fleet.with_token(token, &["batch", "ls"]).expect(0).stdout;
        assert_eq!(listed.contains(&of_x[..8]), *scope != Some("y"), "{name}: {listed}");
    }
}

#[test]
fn a_team_submits_what_is_its_own_and_sees_no_other() {
    let fleet = Fleet::start(0);
    let repository = fleet.repository("teams", 62);
    let [x, y] = ["x", "y"].map(|team| fleet.token(team, &["--role", "operator", "--team", team]));
    let project = fleet.token("project", &["--role", "operator", "--project", "TEAMS"]);
    let submit =
        |token: &str, flags: &[&str]| fleet.with_token(token, &[&["submit", &repository], flags].concat());
    let of_x = submit(&x, &[]).expect(0).stdout.trim().to_owned();
    let shown = fleet.json(&["batch", "show", &of_x], "get", "/batches/{id}");
    assert_eq!(shown["labels"]["team"], "x");
    submit(&x, &["--label", "team=y"]).expect(5).says(&["team=y", "team x"]);
    let of_project = submit(&project, &[]).expect(0).stdout.trim().to_owned();
    for (token, own, foreign) in [(&x, &of_x, &of_project), (&project, &of_project, &of_x)] {
        fleet.with_token(token, &["batch", "show", own]).expect(0);
        fleet.with_token(token, &["batch", "show", foreign]).expect(3);
        let listed = fleet.with_token(token, &["batch", "ls"]).expect(0).stdout;
        assert!(listed.contains(&own[..13]) && !listed.contains(&foreign[..13]), "{listed}");
    }
    fleet.with_token(&y, &["batch", "cancel", &of_x]).expect(3).says(&["there is no batch"]);
    assert_eq!(fleet.state(&of_x), "running");
    // The beginning of an id that two have, of which one is seen, names that one.
    let alike = of_x.bytes().zip(of_project.bytes()).take_while(|(a, b)| a == b).count();
    fleet.with_token(&x, &["batch", "show", &of_x[..alike]]).expect(0);
    fleet.with_token(&x, &["worker", "ls"]).expect(5).says(&["whole fleet"]);
    fleet.with_token(&x, &["batch", "cancel", &of_x]).expect(0);
    assert_eq!(fleet.state(&of_x), "cancelled");
    assert_eq!(fleet.state(&of_project), "running");
}

#[test]
fn a_token_opens_until_it_is_revoked_and_is_kept_nowhere() {
    let fleet = Fleet::start(0);
    let (second, other) = fleet.another(&[]);
    let file = fleet.text("new-token");
    fleet.run(&["token", "create", "by file", "--role", "admin", "--to-file", &file]).expect(0);
    let token = std::fs::read_to_string(&file).unwrap().trim().to_owned();
    let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(&file).unwrap());
    assert_eq!(mode & 0o777, 0o600);
    fleet.run(&["token", "create", "again", "--to-file", &file]).expect(1).says(&["cannot create", &file]);
    let id = token.split('_').nth(1).unwrap();
    assert!(token.starts_with("gft_") && token.len() == 87, "{}", token.len());
    let authorization = bearer(&token);
    let shown = [("Authorization", authorization.as_str())];
    for server in [&fleet.server, &other] {
        assert_eq!(ask(server, "GET", "/api/v1/tokens", &shown, "").status, 200);
    }
    let listed = fleet.listing(&["token", "ls"]);
    assert!(listed.contains(id) && listed.contains("by file") && listed.contains("everything"), "{listed}");
    fleet.run(&["token", "revoke", id]).expect(0).shows(&["opens nothing any more"]);
    for server in [&fleet.server, &other] {
        assert_eq!(ask(server, "GET", "/api/v1/tokens", &shown, "").status, 401);
    }
    fleet.run(&["token", "revoke", id]).expect(0).shows(&["revoked already"]);
    fleet.run(&["token", "revoke", "nobody"]).expect(3).says(&["gitfleet token ls"]);
    assert!(!fleet.listing(&["token", "ls"]).contains(id));
    assert!(fleet.listing(&["token", "ls", "--all"]).contains("revoked"));
    for (flags, words) in [
        (&["--role", "admin", "--team", "x"][..], "an admin sees everything"),
        (&["--team", " "], "none of them empty"),
        (&["--project", "a\u{1b}"], "control character"),
    ] {
        fleet.run(&[&["token", "create", "wrong"], flags].concat()).expect(2).says(&[words]);
    }
    // Neither the token nor its secret part is anywhere but in the file.
    let secret = token.rsplit('_').next().unwrap();
    let dump =
        std::process::Command::new("pg_dump").args(["--inserts", "--dbname", fleet.database.url()]).output();
    let dump = String::from_utf8_lossy(&dump.unwrap().stdout).into_owned();
    assert!(dump.contains("INSERT INTO fleet.api_token ") && dump.contains(id));
    let logs = [&fleet.coordinator, &second]
        .map(|server| std::fs::read_to_string(server.folder().join("log")).unwrap());
    for text in logs.iter().chain([&dump]) {
        assert!(!text.contains(&secret[..16]), "the secret is somewhere");
    }
}

#[test]
fn what_was_done_is_in_the_log_and_whoever_touches_it_is_found_out() {
    let fleet = Fleet::start(0);
    let repository = fleet.repository("audited", 63);
    let batch = fleet.submit(&[&repository]);
    fleet.run(&["batch", "pause", &batch]).expect(0);
    let viewer = fleet.token("just looking", &["--role", "viewer"]);
    fleet.with_token(&viewer, &["batch", "resume", &batch]).expect(5).says(&["operator", "viewer"]);
    fleet.with_token("gft_nobody", &["batch", "ls"]).expect(4);
    let entries = fleet.run(&["audit", "ls", "--json"]).expect(0);
    let entries: Vec<Value> = serde_json::from_str(&entries.stdout).unwrap();
    let story: Vec<String> = entries
        .iter()
        .map(|entry| {
            let text = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
            format!("{} {} {} {}", text("phase"), text("actor"), text("action"), entry["status"])
        })
        .collect();
    let id = viewer.split('_').nth(1).unwrap();
    let configured = "token 1 of the configuration";
    assert_eq!(
        story,
        [
            format!("asked {configured} POST /api/v1/batches null"),
            format!("answered {configured} POST /api/v1/batches 201"),
            format!("asked {configured} POST /api/v1/batches/{{id}}/pause null"),
            format!("answered {configured} POST /api/v1/batches/{{id}}/pause 200"),
            format!("asked {configured} POST /api/v1/tokens null"),
            format!("answered {configured} POST /api/v1/tokens 201"),
            format!("refused just looking ({id}) POST /api/v1/batches/{{id}}/resume 403"),
            "refused nobody GET /api/v1/batches 401".to_owned(),
        ]
    );
    assert_eq!(entries[2]["object"], format!("/api/v1/batches/{batch}/pause"));
    assert_eq!(entries[0]["body_sha256"].as_str().map(str::len), Some(64));
    fleet.listing(&["audit", "ls"]);
    let verified = fleet.run(&["audit", "verify"]).expect(0).stdout;
    let head = verified.trim().rsplit(' ').next().unwrap().to_owned();
    assert!(head.starts_with("8:"), "{verified}");
    let exported = fleet.text("log.jsonl");
    std::fs::write(&exported, fleet.run(&["audit", "export"]).expect(0).stdout).unwrap();
    fleet.run(&["audit", "verify", "--file", &exported, "--head", &head]).expect(0);
    let forged = fleet.text("forged.jsonl");
    let text = std::fs::read_to_string(&exported).unwrap();
    std::fs::write(&forged, text.replacen("just looking", "just lurking", 1)).unwrap();
    fleet.run(&["audit", "verify", "--file", &forged]).expect(7).says(&["entry 7 ", "hint"]);
    std::fs::write(&forged, text.lines().take(6).collect::<Vec<_>>().join("\n")).unwrap();
    fleet.run(&["audit", "verify", "--file", &forged]).expect(7).says(&["6 to 8", "missing"]);
    fleet.run(&["audit", "verify", "--file", "/dev/null"]).expect(2).says(&["no exported log"]);
    fleet.run(&["audit", "verify", "--head", "8"]).expect(2).says(&["SEQ:HASH"]);
    // Whoever has the database cuts the tail off, and makes the end look right.
    let psql = |statement: &str| {
        let statement = format!("SET search_path TO fleet; {statement}");
        let arguments = ["-qv", "ON_ERROR_STOP=1", "-d", fleet.database.url(), "-c", &statement];
        assert!(std::process::Command::new("psql").args(arguments).status().unwrap().success());
    };
    psql("ALTER TABLE audit DISABLE TRIGGER ALL; DELETE FROM audit WHERE seq > 6");
    fleet.run(&["audit", "verify"]).expect(7).says(&["missing at the end"]);
    psql("UPDATE audit_head SET (seq, hash) = (SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1)");
    fleet.run(&["audit", "verify"]).expect(0);
    fleet.run(&["audit", "verify", "--head", &head]).expect(7).says(&["were there and are missing"]);
}

#[test]
fn who_fails_too_often_waits_at_every_coordinator_and_nobody_else_does() {
    let fleet = Fleet::start(0);
    let (_second, other) = fleet.another(&[("GITFLEET_TRUSTED_PROXIES", "127.0.0.0/8")]);
    let good = bearer(CANARIES[3]);
    let from = |address: &str, token: &str| {
        ask(&other, "GET", "/api/v1/batches", &[("Authorization", token), ("X-Forwarded-For", address)], "")
    };
    for _ in 0..10 {
        assert_eq!(from("203.0.113.7", "Bearer wrong").status, 401);
    }
    let locked = from("203.0.113.7", &good);
    assert_eq!(locked.status, 429, "{}", locked.body);
    let wait: u64 = locked.headers["retry-after"].parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    assert_eq!(from("203.0.113.8", &good).status, 200);
    // Failures are counted in one place: five here and five there are ten.
    for (server, address) in [(&fleet.server, "127.0.0.1"), (&other, "127.0.0.1")] {
        for _ in 0..5 {
            let shown = [("Authorization", "Bearer wrong"), ("X-Forwarded-For", address)];
            assert_eq!(ask(server, "GET", "/api/v1/batches", &shown, "").status, 401);
        }
    }
    fleet.run(&["batch", "ls"]).expect(10).says(&["too many failures", "ask again in"]);
    assert_eq!(from("203.0.113.8", &good).status, 200);
}

#[test]
fn nobody_asks_more_often_than_agreed() {
    let fleet = Fleet::start(0);
    let slow = [("GITFLEET_REQUESTS_PER_MINUTE", "60")];
    let (_one, first) = fleet.another(&slow);
    let (_two, second) = fleet.another(&slow);
    let good = bearer(CANARIES[3]);
    let shown = [("Authorization", good.as_str())];
    let mut answers: BTreeMap<u16, usize> = BTreeMap::new();
    for number in 0..60 {
        let server = if number % 2 == 0 { &first } else { &second };
        let answer = ask(server, "GET", "/api/v1/batches?limit=1", &shown, "");
        *answers.entry(answer.status).or_default() += 1;
        if answer.status == 429 {
            assert!(answer.body.contains("too many requests"), "{}", answer.body);
            assert!(answer.headers.contains_key("retry-after"));
        }
    }
    // Ten at once, and one more for each second that it took.
    let taken = answers[&200];
    assert!((10..40).contains(&taken), "{answers:?}");
    assert_eq!(answers.values().sum::<usize>(), answers[&200] + answers[&429], "{answers:?}");
}

#[test]
fn every_answer_says_what_browsers_must_not_do() {
    let fleet = Fleet::start(0);
    let good = bearer(CANARIES[3]);
    let viewer = bearer(&fleet.token("looks", &[]));
    let large = "x".repeat(17 << 20);
    for (method, path, token, body, status) in [
        ("GET", "/livez", "", "", 200),
        ("GET", "/readyz", "", "", 200),
        ("GET", "/api/v1/openapi.json", "", "", 200),
        ("GET", "/api/v1/batches", good.as_str(), "", 200),
        ("GET", "/api/v1/batches", "", "", 401),
        ("POST", "/api/v1/cache/purge", viewer.as_str(), "", 403),
        ("GET", "/api/v1/nowhere", good.as_str(), "", 404),
        ("DELETE", "/api/v1/batches", good.as_str(), "", 405),
        ("POST", "/api/v1/batches", good.as_str(), "{", 400),
        ("POST", "/api/v1/tokens", good.as_str(), "[[[[", 400),
        ("POST", "/api/v1/batches", good.as_str(), large.as_str(), 413),
    ] {
        let answer = ask(&fleet.server, method, path, &[("Authorization", token)], body);
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.body);
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("cache-control", "no-store"),
            ("referrer-policy", "no-referrer"),
            ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
            ("strict-transport-security", "max-age=31536000"),
        ] {
            assert_eq!(answer.headers.get(name).map(String::as_str), Some(value), "{status} {name}");
        }
        assert!(!answer.headers.contains_key("server"));
        assert!(!answer.headers.contains_key("access-control-allow-origin"));
    }
    let long = "x".repeat(400 << 10);
    let refused = ask(&fleet.server, "GET", "/livez", &[("X-Long", &long)], "");
    assert_eq!(refused.status, 431);
    // Who does not finish a request is not waited for, and is in nobody's way.
    let mut slow = TcpStream::connect(fleet.server.strip_prefix("http://").unwrap()).unwrap();
    slow.write_all(b"GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow: ").unwrap();
    assert_eq!(ask(&fleet.server, "GET", "/livez", &[], "").status, 200);
    slow.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let ended = read(slow);
    assert!([0, 408].contains(&ended.status), "{}", ended.status);
}

#[test]
fn without_a_token_only_this_machine_is_let_in_until_one_is_made() {
    let fleet = Fleet::start(0);
    let (_open, server) =
        fleet.another(&[("GITFLEET_API_TOKEN_FILE", ""), ("GITFLEET_TRUSTED_PROXIES", "127.0.0.1")]);
    let get = |headers: &[(&str, &str)]| ask(&server, "GET", "/api/v1/batches", headers, "").status;
    assert_eq!(get(&[]), 200);
    assert_eq!(get(&[("X-Forwarded-For", "203.0.113.7")]), 401);
    assert_eq!(get(&[("X-Forwarded-For", "127.0.0.1")]), 401);
    assert_eq!(get(&[("Forwarded", "for=127.0.0.1")]), 401);
    let address = server.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET /api/v1/batches HTTP/1.1\r\nHost: elsewhere.example\r\nConnection: close\r\n\r\n")
        .unwrap();
    assert_eq!(read(stream).status, 401);
    fleet.token("the first", &[]);
    assert_eq!(get(&[]), 401);
}

#[test]
fn over_tls_a_client_trusts_who_it_is_told_to_and_a_new_certificate_is_taken() {
    let fleet = Fleet::start(0);
    let renew = || certificate::make(&fleet.path(""));
    renew();
    let (certificate_text, key_text) = (fleet.text("cert.pem"), fleet.text("key.pem"));
    let half = fleet.command(&["coordinator"]).env("GITFLEET_TLS_CERT_FILE", &certificate_text).output();
    Ended::of(half.unwrap()).expect(78).says(&["only one of them", "tls_key_file"]);
    let swapped = [("GITFLEET_TLS_CERT_FILE", &key_text), ("GITFLEET_TLS_KEY_FILE", &certificate_text)];
    Ended::of(fleet.command(&["coordinator"]).envs(swapped).output().unwrap())
        .expect(78)
        .says(&["no certificate"]);
    let files =
        [("GITFLEET_TLS_CERT_FILE", certificate_text.as_str()), ("GITFLEET_TLS_KEY_FILE", key_text.as_str())];
    let (_secure, server) = fleet.another(&files);
    let server = server.replace("http://127.0.0.1", "https://localhost");
    let ask = |roots: Option<&str>| {
        let mut command = fleet.command(&["batch", "ls", "--server", &server]);
        command.envs(roots.map(|file| ("GITFLEET_CA_FILE", file)));
        Ended::of(command.output().unwrap())
    };
    wait("TLS", || (ask(Some(&certificate_text)).code == Some(0)).then_some(()));
    ask(None).expect(69).says(&["https://localhost"]);
    let old = fleet.text("old.crt");
    std::fs::copy(&certificate_text, &old).unwrap();
    renew();
    ask(Some(&certificate_text)).expect(0);
    ask(Some(&old)).expect(69);
    // Without TLS it does not answer.
    let plain = server.replace("https", "http");
    fleet.run(&["batch", "ls", "--server", &plain]).expect(69);
}

#[test]
fn a_login_that_everybody_knows_takes_saying_so() {
    let fleet = Fleet::start(0);
    for (role, name, url, words) in [
        ("coordinator", "BROKER", "amqp://guest:guest@127.0.0.1:1/%2f", "guest"),
        ("worker", "BROKER", "amqp://127.0.0.1:1/%2f", "guest"),
        ("worker", "CACHE", "redis://127.0.0.1:1/0", "no password"),
        ("coordinator", "DATABASE", "postgres://postgres:postgres@127.0.0.1:1/x", "the user's name"),
    ] {
        let mut command = fleet.command(&[role]);
        command.env_remove(format!("GITFLEET_{name}_URL_FILE")).env(format!("GITFLEET_{name}_URL"), url);
        Ended::of(command.output().unwrap()).expect(78).says(&[words, "--dev", "hint"]);
    }
}
