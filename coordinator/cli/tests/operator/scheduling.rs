//! Schedules, as an operator makes and watches them.

use serde_json::Value;

use crate::fleet::{Ended, Fleet, METRICS_TOKEN, get_with, idle, wait, working};
use crate::github::{GitHub, repository};

/// Makes a schedule due at a moment of the past, as a fleet finds it that was away.
fn was_due(fleet: &Fleet, name: &str, millis_ago: i64) {
    let sql = format!(
        "UPDATE fleet.schedule SET next_due = (extract(epoch FROM clock_timestamp()) * 1000)::bigint - {millis_ago} \
         WHERE name = '{name}'"
    );
    let ended = std::process::Command::new("psql")
        .args(["--no-psqlrc", "--set", "ON_ERROR_STOP=1", "--command", &sql, fleet.database.url()])
        .output()
        .unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
}

fn show(fleet: &Fleet, name: &str) -> Value {
    fleet.json(&["schedule", "show", name], "get", "/schedules/{name}")
}

/// Waits until the last firing is in a state, and returns it.
fn last(fleet: &Fleet, name: &str, state: &str) -> Value {
    wait(state, || Some(show(fleet, name)["last"].clone()).filter(|last| last["state"] == state))
}

fn batches(fleet: &Fleet, name: &str) -> Vec<Value> {
    let label = format!("schedule={name}");
    let listed = fleet.json(&["batch", "ls", "--label", &label], "get", "/batches");
    listed.as_array().unwrap().clone()
}

#[test]
fn a_schedule_fires_by_hand_and_by_clock() {
    let fleet = working();
    let repository = fleet.repository("scheduled", 71);
    let add =
        ["schedule", "add", "nightly", "--cron", "0 2 * * 1-5", "--zone", "Europe/Berlin", "--weeks", "4"];
    let added = fleet.json(
        &[&add[..], &[&repository, "--label", "pace=slow", "--priority", "3"]].concat(),
        "post",
        "/schedules",
    );
    assert_eq!((&added["state"], &added["repositories"]), (&"active".into(), &1.into()), "{added}");
    assert_eq!(added["window"], "the last 4 complete weeks");
    fleet.run(&[&add[..], &[&repository]].concat()).expect(6).says(&["nightly already", "schedule rm"]);
    let next = fleet.run(&["schedule", "next", "nightly", "-n", "3"]).expect(0).stdout;
    assert_eq!(next.lines().count(), 3);
    assert!(next.lines().all(|line| line.contains("T02:00:00+0")), "{next}");

    let ended = fleet.run(&["schedule", "trigger", "nightly"]).expect(0).says(&["gitfleet batch watch"]);
    let batch = ended.stdout.trim().to_owned();
    fleet.run(&["batch", "watch", &batch, "--quiet"]).expect(0);
    let shown = fleet.json(&["batch", "show", &batch], "get", "/batches/{id}");
    assert_eq!(shown["labels"]["schedule"], "nightly");
    assert_eq!((&shown["labels"]["pace"], &shown["name"]), (&"slow".into(), &"nightly".into()));
    assert!(shown["window"].as_str().unwrap().contains(" to "), "{shown}");

    // As if a coordinator came a minute late: that is still in time.
    was_due(fleet, "nightly", 60_000);
    let second = wait("a firing", || {
        let last = show(fleet, "nightly")["last"].clone();
        Some(last).filter(|last| last["state"] == "submitted" && last["batch"] != batch.as_str())
    });
    assert_eq!(second["manual"], false);
    fleet.run(&["batch", "watch", second["batch"].as_str().unwrap(), "--quiet"]).expect(0);
    assert_eq!(batches(fleet, "nightly").len(), 2);
    let shown = fleet.listing(&["schedule", "show", "nightly"]);
    assert!(
        shown.contains("by hand")
            && shown.contains("by clock")
            && shown.contains("0 2 * * 1-5 in Europe/Berlin")
    );
    let listed = fleet.listing(&["schedule", "ls"]);
    assert!(listed.contains("nightly") && listed.contains("submitted"), "{listed}");
    fleet.run(&["schedule", "rm", "nightly"]).expect(0).shows(&["reports stay"]);
    fleet.run(&["schedule", "show", "nightly"]).expect(3).says(&["there is no schedule", "schedule ls"]);
    assert_eq!(fleet.state(&batch), "finished");
}

#[test]
fn one_runs_at_a_time_and_what_comes_meanwhile_is_skipped() {
    let fleet = idle();
    let repository = fleet.repository("one-at-a-time", 72);
    fleet
        .run(&["schedule", "add", "slow", "--cron", "0 3 * * *", &repository])
        .expect(0)
        .shows(&["fires next at"]);
    let batch = fleet.run(&["schedule", "trigger", "slow"]).expect(0).stdout.trim().to_owned();
    fleet.run(&["schedule", "trigger", "slow"]).expect(6).says(&[&batch, "one runs at a time"]);
    was_due(fleet, "slow", 1_000);
    let skipped = last(fleet, "slow", "skipped");
    assert!(skipped["note"].as_str().unwrap().contains(&batch), "{skipped}");
    fleet.run(&["batch", "cancel", &batch]).expect(0);
    fleet.run(&["schedule", "pause", "slow"]).expect(0).shows(&["rests"]);
    fleet.run(&["schedule", "pause", "slow"]).expect(0).shows(&["rested already"]);
    assert_eq!(show(fleet, "slow")["state"], "paused");
    assert_eq!(show(fleet, "slow")["next_due"], Value::Null);
    fleet.run(&["schedule", "resume", "slow"]).expect(0).shows(&["goes on"]);
    let view = show(fleet, "slow");
    assert!(view["state"] == "active" && view["next_due"].as_str().unwrap().contains("T03:00"), "{view}");
    fleet.run(&["schedule", "rm", "slow"]).expect(0);
    assert_eq!(batches(fleet, "slow").len(), 1);
}

#[test]
fn what_nobody_was_there_for_is_made_up_as_it_was_asked() {
    let fleet = idle();
    let repository = fleet.repository("away", 73);
    const HOURS: i64 = 60 * 60 * 1_000;
    // Every hour, and half an hour from now: what is a few minutes late was not missed.
    let minutes = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs() / 60;
    let hourly = format!("{} * * * *", (minutes + 30) % 60);
    for (name, policy) in [("makes-up", "one"), ("lets-go", "none")] {
        let add = ["schedule", "add", name, "--cron", &hourly, "--catch-up", policy, &repository];
        fleet.run(&add).expect(0);
        was_due(fleet, name, 50 * HOURS);
    }
    let made_up = last(fleet, "makes-up", "submitted");
    let runs = fleet.run(&["schedule", "show", "makes-up"]).expect(0).stdout;
    assert!(runs.contains("missed") && runs.contains("made up"), "{runs}");
    assert_eq!(batches(fleet, "makes-up").len(), 1);
    fleet.run(&["batch", "cancel", made_up["batch"].as_str().unwrap()]).expect(0);
    let runs = wait("a decision", || {
        let shown = fleet.run(&["schedule", "show", "lets-go"]).expect(0).stdout;
        shown.contains("missed").then_some(shown)
    });
    assert!(!runs.contains("made up for by"), "{runs}");
    for name in ["makes-up", "lets-go"] {
        fleet.run(&["schedule", "rm", name]).expect(0);
    }
}

#[test]
fn what_is_no_schedule_is_refused_with_its_reason() {
    let fleet = idle();
    let repository = fleet.repository("no-schedule", 74);
    for (arguments, words) in [
        (&["1st", "--cron", "0 2 * * *"][..], "begins with a letter"),
        (&["a b", "--cron", "0 2 * * *"], "name of a schedule"),
        (&["a", "--cron", "0 2 * *"], "minute hour day month weekday"),
        (&["a", "--cron", "0 0 31 2 *"], "ever comes"),
        (&["a", "--cron", "0 2 * * *", "--zone", "Nowhere"], "IANA"),
        (&["a", "--cron", "0 2 * * *", "--window", "8-9"], "20:00-06:00"),
    ] {
        fleet.run(&[&["schedule", "add"], arguments, &[&repository]].concat()).expect(2).says(&[words]);
    }
    fleet.run(&["schedule", "add", "a", "--cron", "0 2 * * *"]).expect(2).says(&["no repository"]);
    fleet.run(&["schedule", "trigger", "nobody"]).expect(3).says(&["there is no schedule nobody"]);
}

#[test]
fn a_team_has_schedules_of_its_own() {
    let fleet = idle();
    let repository = fleet.repository("of-teams", 75);
    let with = |token: &str, arguments: &[&str]| {
        let mut command = fleet.command(arguments);
        command.env_remove("GITFLEET_API_TOKEN_FILE").env("GITFLEET_API_TOKEN", token);
        Ended::of(command.output().unwrap())
    };
    let [x, y] = ["x", "y"].map(|team| {
        let create = ["token", "create", team, "--role", "operator", "--team", team];
        fleet.run(&create).expect(0).stdout.trim().to_owned()
    });
    let add = ["schedule", "add", "weekly", "--cron", "@weekly", &repository];
    with(&x, &add).expect(0);
    with(&y, &["schedule", "show", "weekly"]).expect(3).says(&["there is no schedule weekly"]);
    // A name that another team has taken is free.
    with(&y, &add).expect(0);
    with(&y, &add).expect(6).says(&["already"]);
    with(&x, &[&add[..], &["--label", "team=y"]].concat()).expect(5).says(&["team=y"]);
    let own = with(&x, &["schedule", "ls", "--json"]).expect(0).stdout;
    let own: Value = serde_json::from_str(&own).unwrap();
    assert_eq!((own.as_array().unwrap().len(), &own[0]["owner"]), (1, &"team=x".into()));
    // Who sees both has to say which.
    fleet.run(&["schedule", "show", "weekly"]).expect(6).says(&["team=x", "team=y", "number"]);
    let number = own[0]["id"].to_string();
    fleet.run(&["schedule", "show", &number]).expect(0).shows(&["team=x"]);
    with(&y, &["schedule", "rm", &number]).expect(3);
    let batch = with(&x, &["schedule", "trigger", "weekly"]).expect(0).stdout.trim().to_owned();
    with(&x, &["batch", "show", &batch]).expect(0);
    with(&y, &["batch", "show", &batch]).expect(3);
    with(&x, &["batch", "cancel", &batch]).expect(0);
    for token in [&x, &y] {
        with(token, &["schedule", "rm", "weekly"]).expect(0);
    }
}

#[test]
fn an_organization_is_listed_anew_at_each_firing() {
    let github = GitHub::start();
    const TOKEN: &str = "ghp_hushhush";
    github.token(TOKEN, 4_000, 3_600);
    let fleet =
        Fleet::start_with(1, &[("GITFLEET_GITHUB_API_URL", &github.url()), ("GITFLEET_GITHUB_TOKEN", TOKEN)]);
    let listed = |id: i64, name: &str| {
        repository(
            id,
            &format!("acme/{name}"),
            &format!("file://{}", fleet.repository(name, id.unsigned_abs())),
        )
    };
    let all = vec![listed(81, "one"), listed(82, "two"), listed(83, "not-this")];
    github.has("orgs/acme", all.clone());
    let file = fleet.text("organization.yaml");
    std::fs::write(&file, "github:\n  organization: acme\n  exclude: [not-*]\n").unwrap();

    // Submitted now, and by schedule.
    let batch = fleet.submit(&["-c", &file]);
    fleet.run(&["batch", "watch", &batch, "--quiet"]).expect(0).shows(&["2 analysed", "one", "two"]);
    github.has("orgs/acme", Vec::new());
    fleet.run(&["schedule", "add", "all", "--cron", "@weekly", "-c", &file]).expect(0);
    let shown = fleet.run(&["schedule", "show", "all"]).expect(0);
    shown.shows(&["what is listed of orgs/acme", "it has not fired yet"]);
    fleet.run(&["schedule", "trigger", "all"]).expect(1).says(&["1 to 10000 repositories"]);

    github.has("orgs/acme", all.clone());
    let fire = || fleet.run(&["schedule", "trigger", "all"]).expect(0).stdout.trim().to_owned();
    let first = fire();
    fleet.run(&["batch", "watch", &first, "--quiet"]).expect(0).shows(&["2 analysed"]);
    github.has("orgs/acme", [all, vec![listed(84, "three")]].concat());
    let second = fire();
    fleet.run(&["batch", "watch", &second, "--quiet"]).expect(0).shows(&["3 analysed", "three"]);
    assert_eq!(show(&fleet, "all")["last"]["note"], "3 of 4 listed repositories");
    github.state().accounts.get_mut("orgs/acme").unwrap().remove(0);
    let third = fire();
    fleet.run(&["batch", "watch", &third, "--quiet"]).expect(0).shows(&["2 analysed"]);
    let note = show(&fleet, "all")["last"]["note"].clone();
    assert_eq!(note, "2 of 3 listed repositories; not listed any more: acme/one");
    // What vanished is as it was.
    assert!(fleet.run(&["repo", "ls"]).expect(0).stdout.contains("/one"));

    // What was asked, and what may still be, is told to whoever watches, and by which token is not.
    let scraped = get_with(&fleet.metrics[0], "/metrics", Some(METRICS_TOKEN)).unwrap();
    for words in [
        "gitfleet_github_requests_total{status=\"200\"} ",
        "gitfleet_github_budget_remaining{token=\"",
        "gitfleet_github_budget_reset_timestamp_seconds{token=\"",
    ] {
        assert!(scraped.contains(words), "no {words}");
    }
    let limit = scraped.lines().find(|line| line.starts_with("gitfleet_github_budget_limit{")).unwrap();
    assert!(limit.ends_with(" 5000") && !scraped.contains(TOKEN), "{limit}");

    // A part of a listing is none: the firing waits, and says why.
    for _ in 0..4 {
        github.answers(2, 503, &[], "oops");
    }
    let waiting = fleet.run(&["schedule", "trigger", "all", "--timeout", "1"]);
    let noted = wait("a reason", || {
        let last = show(&fleet, "all")["last"].clone();
        last["note"].as_str().filter(|note| note.contains("not whole")).map(str::to_owned)
    });
    assert!(waiting.code == Some(75) && noted.contains("page 2 was answered 503"), "{noted}");
    assert_eq!(show(&fleet, "all")["last"]["state"], "begun");
    fleet.run(&["schedule", "rm", "all"]).expect(0);

    // What the coordinator is not configured for it does not ask.
    let elsewhere = GitHub::start();
    elsewhere.has("orgs/acme", Vec::new());
    std::fs::write(&file, format!("github:\n  organization: acme\n  api_url: {}\n", elsewhere.url()))
        .unwrap();
    let mut add = fleet.command(&["schedule", "add", "other", "--cron", "@weekly", "-c", &file]);
    add.env_remove("GITFLEET_GITHUB_API_URL");
    Ended::of(add.output().unwrap()).expect(0);
    fleet.run(&["schedule", "trigger", "other"]).expect(1).says(&["is configured, and"]);
    assert!(elsewhere.asked().is_empty());
    // A project's token cannot say what a listing will come to; a team's can.
    let token =
        fleet.run(&["token", "create", "p", "--role", "operator", "--project", "ONE"]).expect(0).stdout;
    std::fs::write(&file, "github:\n  organization: acme\n").unwrap();
    let mut add = fleet.command(&["schedule", "add", "mine", "--cron", "@weekly", "-c", &file]);
    add.env_remove("GITFLEET_API_TOKEN_FILE").env("GITFLEET_API_TOKEN", token.trim());
    Ended::of(add.output().unwrap()).expect(5);
}
