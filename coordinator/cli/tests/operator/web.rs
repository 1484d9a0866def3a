//! The web face: who is let in, what is refused, and how it is for people, in a real browser.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use gitfleet_shared::queue::rabbitmq::{Config, RabbitMq};
use gitfleet_shared::queue::{Queue as _, Topic};
use serde_json::json;

use crate::access::ask;
use crate::fleet::{CANARIES, Fleet, get_with, servers, wait};
use crate::observing::Scrape;

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
    // What only admins see is nowhere for others.
    let admin = sign_in(&fleet, CANARIES[3]);
    for page in ["/ui/tokens", "/ui/audit"] {
        assert_eq!((get(page, &viewer).status, get(page, &cookies[1]).status), (403, 403), "{page}");
        assert!(!get("/ui", &viewer).body.contains(page) && get("/ui", &admin).body.contains(page));
    }
    let audit = get("/ui/audit", &admin).body;
    assert!(audit.contains(&format!("/ui/batches/{batch}/cancel")) && audit.contains("303"), "{audit}");
    let first = get("/ui/audit?before=3", &admin).body;
    assert!(first.contains("<td>2</td>") && first.contains("<td>1</td>") && !first.contains("<td>3</td>"));
    assert_eq!(get("/ui/audit?before=-9", &admin).status, 200);
    // Teams see and steer their own schedules.
    for (token, name) in tokens.iter().zip(["of-x", "of-y"]) {
        let add = ["schedule", "add", name, "--cron", "0 2 * * *", &repository];
        let mut command = fleet.command(&add);
        let ended = command.env("GITFLEET_API_TOKEN", token).env_remove("GITFLEET_API_TOKEN_FILE").output();
        assert!(ended.unwrap().status.success());
    }
    let list = get("/ui/schedules", &cookies[0]).body;
    assert!(list.contains("of-x") && !list.contains("of-y"), "{list}");
    let page = get("/ui/schedules/of-x", &cookies[0]).body;
    assert!(page.contains("0 2 * * *") && page.contains("T02:00:00+00:00"), "{page}");
    assert_eq!(get("/ui/schedules/of-y", &cookies[0]).status, 404);
    assert_eq!(post("/ui/schedules/of-x/pause", &[("Cookie", &viewer), OURS]).status, 403);
    assert_eq!(post("/ui/schedules/of-x/pause", &[cookie, OURS]).status, 303);
    assert!(get("/ui/schedules", &cookies[0]).body.contains("paused"));
    assert_eq!(post("/ui/schedules/of-x/resume", &[cookie, OURS]).status, 303);
    assert_eq!(post("/ui/schedules/of-x/trigger", &[cookie, OURS]).status, 303);
    assert_eq!(post("/ui/schedules/of-x/trigger", &[cookie, OURS]).status, 409, "one runs at a time");
    // A token is revoked where it is listed, and opens nothing from then on.
    let listed = get("/ui/tokens", &admin).body;
    assert!(
        listed.contains("team x") && listed.contains("looks") && !listed.contains(&tokens[0]),
        "{listed}"
    );
    let id = tokens[1].split('_').nth(1).unwrap();
    assert_eq!(post(&format!("/ui/tokens/{id}/revoke"), &[("Cookie", &admin), OURS]).status, 303);
    assert_eq!(get("/ui", &cookies[1]).status, 303);
    // The session goes with its token, and with whoever leaves.
    fleet.run(&["token", "revoke", tokens[0].split('_').nth(1).unwrap()]).expect(0);
    assert_eq!(get("/ui", &cookies[0]).status, 303);
    assert_eq!(post("/ui/sign-out", &[("Cookie", &viewer), OURS]).status, 303);
    assert_eq!(get("/ui", &viewer).status, 303);
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
    fleet.run(&["schedule", "add", "nightly", "--cron", "0 2 * * *", &repository]).expect(0);
    fleet.token("to be revoked", &[]);
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
        "schedule": "nightly",
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
    let metrics = format!("127.0.0.1:{}", gitfleet_testkit::port::free());
    let start = || {
        let ready = {
            let server = server.clone();
            move || crate::fleet::get(&server, "/readyz").is_some_and(|answer| answer.contains(" 200 "))
        };
        let arguments =
            ["serve", "--listen", &listen, "--metrics-listen", &metrics, "--data-dir", &data, "-j", "1"];
        fleet.process(&arguments, &[], Box::new(ready))
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
    // It is measured elsewhere, as both that it is.
    let measured = format!("http://{metrics}");
    let done = || Scrape::of(&measured).value("gitfleet_repositories_total{outcome=\"analysed\"}");
    let before = done();
    let again = run(&["submit", &fleet.repository("served-too", 74)]).expect(0).stdout.trim().to_owned();
    run(&["batch", "watch", &again]).expect(0);
    assert_eq!(done() - before, 1.0);
    let told = Scrape::of(&measured);
    assert_eq!((told.value("gitfleet_leader"), told.value("gitfleet_slots")), (1.0, 1.0));
    assert!(get_with(&measured, "/metrics", None).unwrap().contains(" 401 "));
    assert!(get_with(&server, "/metrics", Some(CANARIES[3])).unwrap().contains(" 404 "));
    second.terminate();
    drop(second);
    fleet.run(&["analyze", &repository, "--data-dir", &data]).expect(0);
}
