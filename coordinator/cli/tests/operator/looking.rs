//! Listings and their JSON: what fits a terminal, and what fits the published schema.

use crate::fleet::{document, idle, servers, wait, working};

#[test]
fn every_listing_fits_a_terminal_and_its_schema() {
    let fleet = working();
    let long = format!("a-rather-long-name-{}", "of-a-repository-".repeat(6));
    let repository = fleet.repository(&long, 21);
    let batch = fleet.submit(&[&repository, &fleet.text("not-there"), "--name", "the-name-of-a-report"]);
    fleet.run(&["batch", "watch", &batch]).expect(8);
    let job = fleet.json(&["job", "ls", "--batch", &batch], "get", "/jobs")[0]["id"].clone();
    let worker = fleet.json(&["worker", "ls"], "get", "/workers")[0]["name"].clone();
    let sources = fleet.json(&["repo", "ls"], "get", "/repositories");
    let of = |one: &&serde_json::Value| one["source"] == repository.as_str();
    let source = sources.as_array().unwrap().iter().find(of).unwrap()["id"].to_string();
    let (job, worker) = (job.as_str().unwrap(), worker.as_str().unwrap());
    for (arguments, path) in [
        (&["batch", "ls"][..], "/batches"),
        (&["batch", "ls", "--state", "finished"], "/batches"),
        (&["job", "ls", "--batch", &batch], "/jobs"),
        (&["worker", "ls", "--all"], "/workers"),
        (&["queue", "ls"], "/queues"),
        (&["dead", "ls"], "/dead"),
        (&["repo", "ls"], "/repositories"),
        (&["report", "ls"], "/reports"),
        (&["status"], "/status"),
        (&["cache", "stats"], "/cache"),
        (&["worker", "show", worker], "/workers/{name}"),
    ] {
        let text = fleet.listing(arguments);
        assert!(text.lines().count() > 1 || text.starts_with("ID"), "{arguments:?}: {text}");
        fleet.json(arguments, "get", path);
    }
    for (arguments, path) in [
        (&["batch", "show", &batch][..], "/batches/{id}"),
        (&["job", "show", job], "/jobs/{id}"),
        (&["job", "explain", job], "/jobs/{id}/explanation"),
        (&["repo", "show", &source], "/repositories/{id}"),
    ] {
        fleet.run(arguments).expect(0).shows(&["\n"]);
        fleet.json(arguments, "get", path);
    }
}

#[test]
fn the_schema_of_the_store_is_listed_and_checked() {
    let fleet = working();
    let schema = serde_json::json!({"type": "array", "items": {"$ref": "#/components/schemas/StepView"}});
    let steps = fleet.json_as(&["migrate", "status"], &schema);
    assert!(steps.as_array().unwrap().iter().all(|step| step["state"] == "applied"), "{steps}");
    assert_eq!(fleet.listing(&["migrate", "status"]).lines().count(), steps.as_array().unwrap().len() + 1);
    fleet.run(&["migrate", "check"]).expect(0).shows(&["up to date"]);
    fleet.run(&["migrate", "up"]).expect(0).shows(&["up to date"]);
    // A schema that nobody has made yet is behind.
    let mut other = fleet.command(&["migrate", "check"]);
    let other = crate::fleet::Ended::of(other.env("GITFLEET_DATABASE_SCHEMA", "elsewhere").output().unwrap());
    other.expect(7).says(&["gitfleet migrate up"]);
}

#[test]
fn the_doctor_finds_all_well_and_names_what_is_not() {
    let fleet = working();
    let schema =
        serde_json::json!({"type": "array", "items": {"$ref": "#/components/schemas/DependencyView"}});
    // Workers are heard of a moment after they have begun.
    wait("workers", || {
        let workers = fleet.json(&["worker", "ls"], "get", "/workers");
        (workers.as_array().unwrap().len() == 2).then_some(())
    });
    let well = fleet.listing(&["doctor"]);
    for part in ["disk", "timeouts", "coordinator", "store", "schema", "clock", "broker", "cache"] {
        assert!(well.contains(&format!("ok   {part}")), "{well}");
    }
    let found = fleet.json_as(&["doctor"], &schema);
    assert!(found.as_array().unwrap().iter().all(|one| one["ok"] == true), "{found}");
    let mut doctor = fleet.command(&["doctor"]);
    doctor.env_remove("GITFLEET_BROKER_URL_FILE").env("GITFLEET_BROKER_URL", servers().rabbitmq.url());
    let warned = crate::fleet::Ended::of(doctor.output().unwrap()).expect(0);
    warned.shows(&["ok   broker", "warning:", "hint: ", "add_user"]);
    for (variable, value, part) in [
        ("GITFLEET_BROKER_URL", "amqp://op:hushbroker@127.0.0.1:1/%2f", "broker"),
        ("GITFLEET_CACHE_URL", "redis://op:hushcache@127.0.0.1:1/0", "cache"),
        ("GITFLEET_DATABASE_URL", "postgres://op:hushdatabase@127.0.0.1:1/none", "store"),
        ("GITFLEET_SERVER", "http://127.0.0.1:1", "coordinator"),
        ("GITFLEET_CONSUMER_TIMEOUT_SECONDS", "1000", "timeouts"),
    ] {
        let mut doctor = fleet.command(&["doctor"]);
        doctor.env_remove(format!("{variable}_FILE")).env(variable, value);
        let ended = crate::fleet::Ended::of(doctor.output().unwrap()).expect(7);
        let ended = ended.shows(&[&format!("BAD  {part}"), "hint: "]);
        assert_eq!(ended.stdout.matches("BAD").count(), 1, "{}", ended.stdout);
        assert!(ended.stdout.lines().all(|line| line.chars().count() <= 80), "{}", ended.stdout);
    }
}

#[test]
fn completions_and_manual_are_made_of_the_commands() {
    let fleet = working();
    for (shell, check) in [
        ("bash", Some(("bash", "-n"))),
        ("zsh", None),
        ("fish", None),
        ("powershell", None),
        ("elvish", None),
    ] {
        let script =
            fleet.run(&["completion", shell]).expect(0).shows(&["submit", "drain", "idempotency-key"]);
        if let Some((program, flag)) = check {
            let file = fleet.path(shell);
            std::fs::write(&file, script.stdout).unwrap();
            assert!(std::process::Command::new(program).arg(flag).arg(&file).status().unwrap().success());
        }
    }
    fleet.run(&["man"]).expect(0).shows(&[".TH gitfleet 1", "submit"]);
    let pages = fleet.text("pages");
    fleet.run(&["man", "--directory", &pages]).expect(0);
    assert!(fleet.path("pages/gitfleet-batch-watch.1").exists());
    let help = fleet.run(&["help", "openapi"]).expect(0).stdout;
    assert_eq!(serde_json::from_str::<serde_json::Value>(&help).unwrap(), *document());
}

#[test]
fn smoke_says_whether_work_goes_all_the_way() {
    let fleet = working();
    let repository = fleet.repository("smoked", 81);
    let well = fleet.run(&["smoke", "--repository", &repository]).expect(0);
    well.shows(&["ok   store", "ok   leader", "ok   workers", "ok   work", "commits in", "ok   report"]);
    let absent = fleet.run(&["smoke", "--repository", &fleet.text("nothing-here")]).expect(7);
    absent.shows(&["BAD  work", "hint", "--repository"]);
    let idle = idle().run(&["smoke", "--repository", &repository]).expect(7);
    idle.shows(&["BAD  workers", "gitfleet worker"]);
    let late = fleet.run(&["smoke", "--repository", &repository, "--timeout", "0"]).expect(7);
    late.shows(&["has not ended", "gitfleet batch watch"]);
}
