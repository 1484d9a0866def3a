//! Every refusal has its exit code, names what it is about, and says what to do next.

use crate::fleet::{Ended, Fleet, idle};

const NOBODY: &str = "0198ffff-ffff-7fff-bfff-ffffffffffff";

/// Runs a command with other settings.
fn with(fleet: &Fleet, arguments: &[&str], settings: &[(&str, &str)]) -> Ended {
    let mut command = fleet.command(arguments);
    for (name, value) in settings {
        command.env_remove(format!("{name}_FILE")).env(name, value);
    }
    Ended::of(command.output().unwrap())
}

#[test]
fn what_is_not_there_is_named() {
    let fleet = idle();
    for noun in ["batch", "job"] {
        for verb in ["show", "retry"] {
            for id in [NOBODY, "0198ffff", "no-id", "-", "../../status", "%2e"] {
                let ended = fleet.run(&[noun, verb, "--", id]).expect(3);
                ended.says(&["error: ", id, "hint: ", &format!("gitfleet {noun} ls")]);
            }
        }
    }
    for (arguments, list) in [
        (&["batch", "watch", NOBODY][..], "gitfleet batch ls"),
        (&["batch", "cancel", NOBODY], "gitfleet batch ls"),
        (&["batch", "pause", NOBODY], "gitfleet batch ls"),
        (&["batch", "resume", NOBODY], "gitfleet batch ls"),
        (&["batch", "diff", NOBODY, NOBODY], "gitfleet batch ls"),
        (&["job", "explain", NOBODY], "gitfleet job ls"),
        (&["job", "ls", "--batch", NOBODY], "gitfleet batch ls"),
        (&["report", "show", NOBODY], "gitfleet batch ls"),
        (&["report", "export", NOBODY], "gitfleet batch ls"),
        (&["worker", "show", "nobody"], "gitfleet worker ls"),
        (&["worker", "drain", "nobody"], "gitfleet worker ls"),
        (&["dead", "show", "99999"], "gitfleet dead ls"),
        (&["repo", "show", "99999"], "gitfleet repo ls"),
        (&["repo", "rm", "99999"], "gitfleet repo ls"),
    ] {
        let ended = fleet.run(arguments).expect(3).says(&[arguments.last().unwrap(), "hint: ", list]);
        assert_eq!(ended.stdout, "", "{arguments:?}");
    }
}

#[test]
fn a_beginning_that_several_ids_have_names_none() {
    let fleet = idle();
    let repository = fleet.repository("twice", 41);
    let batches = [fleet.submit(&[&repository]), fleet.submit(&[&repository])];
    let alike = batches[0].bytes().zip(batches[1].bytes()).take_while(|(a, b)| a == b).count();
    let ended = fleet.run(&["batch", "cancel", &batches[0][..alike]]).expect(6);
    ended.says(&["more than one batch", "give more of the id"]);
    for batch in &batches {
        assert_eq!(fleet.state(batch), "running");
        assert_eq!(fleet.state(&batch[..=alike]), "running");
    }
}

#[test]
fn a_state_that_does_not_exist_is_no_empty_list() {
    let fleet = idle();
    fleet.run(&["batch", "ls", "--state", "done"]).expect(2).says(&["done", "finished"]);
    fleet.run(&["job", "ls", "--state", "finished"]).expect(2).says(&["finished", "queued"]);
}

#[test]
fn nobody_who_answers_is_69_and_nobody_who_knows_us_is_4() {
    // Failures count, and would lock out the other tests.
    let fleet = &Fleet::start(0);
    for arguments in [
        &["batch", "ls"][..],
        &["batch", "watch", NOBODY],
        &["job", "ls"],
        &["worker", "ls"],
        &["queue", "ls"],
        &["dead", "ls"],
        &["repo", "ls"],
        &["report", "ls"],
        &["cache", "stats"],
        &["status"],
        &["submit", "/tmp"],
    ] {
        let away = with(fleet, arguments, &[("GITFLEET_SERVER", "http://127.0.0.1:1")]).expect(69);
        away.says(&["http://127.0.0.1:1", "hint", "gitfleet coordinator", "gitfleet doctor"]);
        let ended = with(fleet, arguments, &[("GITFLEET_API_TOKEN", "")]).expect(4);
        ended.says(&["token", "hint", "GITFLEET_API_TOKEN_FILE"]);
    }
    for token in ["hush", "hushtoke", "hushtokens"] {
        let ended = with(fleet, &["batch", "ls"], &[("GITFLEET_API_TOKEN", token)]).expect(4);
        ended.says(&["token", "hint", "GITFLEET_API_TOKEN_FILE"]);
    }
    let wrong = with(fleet, &["batch", "ls"], &[("GITFLEET_SERVER", "127.0.0.1:7171")]).expect(2);
    wrong.says(&["127.0.0.1:7171", "http://host:7171"]);
}

#[test]
fn each_of_several_tokens_opens_the_door() {
    let fleet = &Fleet::start(0);
    let ask = |token: &str| with(fleet, &["batch", "ls"], &[("GITFLEET_API_TOKEN", token)]);
    for token in
        ["hushtoken", "hushother", "hushother,hushtoken", "hushtoken, unknown", "\nhushother\nunknown\n"]
    {
        ask(token).expect(0);
    }
    // The first is shown, and no other is tried.
    for token in ["unknown,hushtoken", "hushtokenhushother", ","] {
        ask(token).expect(4).says(&["token", "hint"]);
    }
    let none = with(fleet, &["coordinator"], &[("GITFLEET_API_TOKEN", " , ")]).expect(78);
    none.says(&["holds no token", "GITFLEET_API_TOKEN_FILE"]);
}

#[test]
fn a_login_that_everybody_knows_is_for_this_machine_alone() {
    let fleet = idle();
    for role in ["coordinator", "worker"] {
        let url = ("GITFLEET_BROKER_URL", "amqp://guest:guest@broker.invalid:5672/%2f");
        let ended = with(fleet, &[role, "--dev"], &[url]).expect(78);
        ended.says(&["broker.invalid", "every RabbitMQ comes with", "hint", "add_user"]);
    }
}

#[test]
fn a_role_that_cannot_work_does_not_begin() {
    let fleet = idle();
    let token = ("GITFLEET_API_TOKEN", "");
    let open = with(fleet, &["coordinator", "--listen", "0.0.0.0:0"], &[token]).expect(78);
    open.says(&["0.0.0.0", "GITFLEET_API_TOKEN_FILE"]);
    for (role, variable) in [
        ("coordinator", "GITFLEET_DATABASE_URL"),
        ("coordinator", "GITFLEET_BROKER_URL"),
        ("worker", "GITFLEET_BROKER_URL"),
    ] {
        let ended = with(fleet, &[role], &[(variable, "")]).expect(78);
        ended.says(&[variable, "hint"]);
    }
    with(fleet, &["worker"], &[("GITFLEET_JOB_SECONDS", "900")]).expect(78).says(&["1800", "hint"]);
    let behind = with(fleet, &["coordinator"], &[("GITFLEET_DATABASE_SCHEMA", "nothing_yet")]).expect(78);
    behind.says(&["gitfleet migrate up"]);
    with(fleet, &["worker"], &[("GITFLEET_BROKER_URL", "amqp://op:hushbrokers@")]).expect(78);
    let other =
        with(fleet, &["coordinator"], &[("GITFLEET_DATABASE_URL", "mysql://op@127.0.0.1/x")]).expect(78);
    other.says(&["postgres://", "GITFLEET_DATABASE_URL"]);
}
