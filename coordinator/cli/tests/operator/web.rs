//! The web face: who is let in, what is refused, and how it is for people, in a real browser.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use gitfleet_shared::queue::rabbitmq::{Config, RabbitMq};
use gitfleet_shared::queue::{Queue as _, Topic};
use serde_json::json;

use crate::access::ask;
use crate::fleet::{CANARIES, Fleet, servers, wait};

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");
const OURS: (&str, &str) = ("Sec-Fetch-Site", "same-origin");

/// Signs in and returns the cookie.
fn sign_in(fleet: &Fleet, token: &str) -> String {
    let answer =
        ask(&fleet.server, "POST", "/ui/sign-in", &[FORM, OURS], &format!("token={token}&next=/ui/jobs"));
    assert_eq!((answer.status, answer.headers["location"].as_str()), (303, "/ui/jobs"), "{}", answer.body);
    let cookie = &answer.headers["set-cookie"];
    for word in ["HttpOnly", "SameSite=Strict", "Path=/ui", "Max-Age=28800"] {
        assert!(cookie.contains(word), "{cookie}");
    }
    assert!(!cookie.contains(token) && !cookie.contains("Secure"), "{cookie}");
    cookie.split(';').next().unwrap().to_owned()
}

#[test]
fn a_session_is_as_good_as_its_token_and_no_longer() {
    let fleet = Fleet::start(0);
    let repository = fleet.repository("faced", 71);
    let batch = fleet.submit(&[&repository, "--label", "team=x"]);
    let get = |path: &str, cookie: &str| ask(&fleet.server, "GET", path, &[("Cookie", cookie)], "");
    let post = |path: &str, headers: &[(&str, &str)]| ask(&fleet.server, "POST", path, headers, "");
    for (path, place) in [("/", "/ui"), ("/monitoring", "/ui/monitoring")] {
        assert_eq!(get(path, "").headers["location"], place);
    }
    let outside = get("/ui/batches?state=running", "");
    assert_eq!(
        (outside.status, outside.headers["location"].as_str()),
        (303, "/ui/sign-in?next=%2Fui%2Fbatches%3Fstate%3Drunning")
    );
    // A token in an address or a header opens no page, and a cookie no route of the API.
    let tokens = ["x", "y"].map(|team| fleet.token(team, &["--role", "operator", "--team", team]));
    let cookies = [&tokens[0], &tokens[1]].map(|token| sign_in(&fleet, token));
    assert_eq!(ask(&fleet.server, "GET", "/api/v1/batches", &[("Cookie", &cookies[0])], "").status, 401);
    let page = format!("/ui/batches/{batch}");
    assert!(get(&page, &cookies[0]).body.contains("Batch default"));
    let (foreign, missing) = (
        get(&page, &cookies[1]),
        get(&page.replace(&batch, "0198ffff-ffff-7fff-bfff-ffffffffffff"), &cookies[1]),
    );
    assert_eq!(
        (foreign.status, foreign.body.replace(&batch, "0198ffff-ffff-7fff-bfff-ffffffffffff")),
        (404, missing.body)
    );
    for method in ["GET", "HEAD"] {
        let refused = ask(&fleet.server, method, "/ui/workers", &[("Cookie", &cookies[0])], "");
        assert_eq!(refused.status, 403, "{method}");
    }
    assert!(!get("/ui", &cookies[0]).body.contains("/ui/workers"));
    // What changes anything comes from our own pages.
    let cancel = format!("{page}/cancel");
    let cookie = ("Cookie", cookies[0].as_str());
    for strange in [
        &[cookie][..],
        &[cookie, ("Sec-Fetch-Site", "cross-site")],
        &[cookie, ("Origin", "http://evil.example")],
    ] {
        assert_eq!(post(&cancel, strange).status, 403);
    }
    assert_eq!(fleet.state(&batch), "running");
    assert_eq!(post(&cancel, &[("Cookie", &cookies[1]), OURS]).status, 404);
    assert_eq!(post(&cancel, &[cookie, OURS]).status, 303);
    assert_eq!(fleet.state(&batch), "cancelled");
    let viewer = sign_in(&fleet, &fleet.token("looks", &[]));
    assert_eq!(post(&cancel, &[("Cookie", &viewer), OURS]).status, 403);
    assert!(!get(&page, &viewer).body.contains("<button>Retry"));
    let log = fleet.run(&["audit", "export"]).expect(0).stdout;
    assert!(log.contains("/cancel") && log.contains("303") && log.contains("403"), "{log}");
    fleet.run(&["audit", "verify"]).expect(0);
    // The session goes with its token, and with whoever leaves.
    fleet.run(&["token", "revoke", tokens[0].split('_').nth(1).unwrap()]).expect(0);
    assert_eq!(get("/ui", &cookies[0]).status, 303);
    assert_eq!(post("/ui/sign-out", &[("Cookie", &cookies[1]), OURS]).status, 303);
    assert_eq!(get("/ui", &cookies[1]).status, 303);
    for wrong in ["", "gft_wrong"] {
        let answer = ask(&fleet.server, "POST", "/ui/sign-in", &[FORM, OURS], &format!("token={wrong}"));
        assert_eq!(answer.status, 401);
        assert!(answer.body.contains("role=\"alert\"") && !answer.headers.contains_key("set-cookie"));
    }
    let page = get("/ui/sign-in?next=%22%3E%3Cscript%3E", "");
    assert!(page.body.contains("&quot;&gt;&lt;script&gt;"), "{}", page.body);
    assert!(
        page.headers["content-security-policy"]
            .contains("default-src 'none'; img-src data:; style-src 'self'")
    );
    // Text from outside is text: the name of a batch, and of what failed in it.
    let hostile = fleet.submit(&["--name", "<script>alert(1)</script>", &repository]);
    let shown = get(&format!("/ui/batches/{hostile}"), &sign_in(&fleet, CANARIES[3])).body;
    assert!(shown.contains("&lt;script&gt;") && !shown.contains("<script>alert"), "{shown}");
}

/// Returns the first of `names` that is a program.
fn program(names: &[&str]) -> Option<PathBuf> {
    let folders: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH")?).collect();
    names.iter().find_map(|name| folders.iter().map(|folder| folder.join(name)).find(|file| file.is_file()))
}

/// Returns node, a browser, and the folder with what drives it; `./test browser` fetches that.
fn tools() -> Option<(PathBuf, PathBuf, PathBuf)> {
    let modules = PathBuf::from(std::env::var_os("GITFLEET_BROWSER_MODULES")?);
    let browser = program(&["chromium", "chromium-browser", "google-chrome"])?;
    Some((program(&["node"])?, browser, modules))
}

#[tokio::test(flavor = "multi_thread")]
async fn people_use_it_in_a_browser() {
    let Some((node, browser, modules)) = tools() else {
        assert!(std::env::var_os("CI").is_none(), "./test browser brings what this needs");
        eprintln!("skipped: ./test browser brings what this needs");
        return;
    };
    let fleet = Fleet::start(0);
    let repository = fleet.repository("browsed", 72);
    let batch = fleet.submit(&[&repository]);
    let config = Config { prefix: fleet.prefix.clone(), ..Config::new(servers().rabbitmq.url().to_owned()) };
    let queue = RabbitMq::connect(config).await.unwrap();
    // Nobody takes jobs yet, so these become dead letters by the outcomes' topic.
    for body in [b"no outcome", b"neither is"] {
        queue.publish(Topic::Outcomes, body.to_vec()).await.unwrap();
    }
    queue.close();
    wait("two dead letters", || {
        let letters = fleet.json(&["dead", "ls"], "get", "/dead");
        (letters.as_array().unwrap().len() == 2).then_some(())
    });
    let told = json!({
        "modules": modules, "chromium": browser, "server": fleet.server, "token": CANARIES[3], "batch": batch,
    });
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/look.mjs");
    let mut looking = std::process::Command::new(node)
        .arg(script)
        .arg(told.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    BufReader::new(looking.stdout.take().unwrap()).read_line(&mut said).unwrap();
    let worker = (said.trim() == "watching").then(|| fleet.worker());
    let ended = looking.wait_with_output().unwrap();
    assert!(ended.status.success(), "{said}{}", String::from_utf8_lossy(&ended.stderr));
    assert!(worker.is_some());
}

#[test]
fn a_team_is_served_from_one_process_that_may_be_killed() {
    let fleet = Fleet::start(0);
    let repository = fleet.repository("served", 73);
    let data = fleet.text("served-data");
    let listen = format!("127.0.0.1:{}", gitfleet_testkit::port::free());
    let server = format!("http://{listen}");
    let start = || {
        let ready = {
            let server = server.clone();
            move || crate::fleet::get(&server, "/readyz").is_some_and(|answer| answer.contains(" 200 "))
        };
        fleet.process(&["serve", "--listen", &listen, "--data-dir", &data, "-j", "1"], &[], Box::new(ready))
    };
    let run = |arguments: &[&str]| fleet.run(&[arguments, &["--server", &server]].concat());
    let first = start();
    let paused = run(&["submit", &repository, "--name", "kept"]).expect(0).stdout.trim().to_owned();
    run(&["batch", "pause", &paused]);
    fleet.run(&["analyze", &repository, "--data-dir", &data]).expect(6).says(&["another gitfleet is using"]);
    first.kill();
    drop(first);
    // Killed and started again, it goes on with what was submitted, and knows what was done.
    let second = start();
    run(&["batch", "resume", &paused]);
    run(&["batch", "watch", &paused]).expect(0);
    let report = run(&["report", "show", &paused]).expect(0).stdout;
    let analyzed = fleet.text("analyzed");
    fleet
        .run(&[
            "analyze",
            &repository,
            "--data-dir",
            &fleet.text("other"),
            "--output",
            &analyzed,
            "--format",
            "json",
        ])
        .expect(0);
    let expected = std::fs::read_to_string(Path::new(&analyzed).join("report.json")).unwrap();
    assert_eq!(report, expected, "as analyze makes it");
    let page = ask(&server, "GET", "/ui", &[], "");
    assert!(page.status == 303, "the token of the configuration counts here, too: {}", page.status);
    let status = run(&["status"]).expect(0).stdout;
    assert!(status.contains("SQLite") && !status.contains("nobody"), "{status}");
    second.terminate();
    drop(second);
    fleet.run(&["analyze", &repository, "--data-dir", &data]).expect(0);
}
