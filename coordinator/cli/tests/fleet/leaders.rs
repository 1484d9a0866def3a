//! Two coordinators of which the one that leads is frozen for longer than its term, and goes on.

use std::time::Duration;

use gitfleet_testkit::unique;

use crate::fleet::{Fleet, PATIENCE};
use crate::oracle::{Findings, Oracle, close, judge};
use crate::sample::Sample;
use crate::servers::Servers;

/// Notes who changes jobs, in which term.
const AUDIT: &str = "CREATE TABLE witness (term bigint, who text);
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO witness SELECT term, session_user FROM leadership WHERE id = 1;
        RETURN NULL;
    END $$;
    CREATE TRIGGER note AFTER UPDATE ON job FOR EACH STATEMENT EXECUTE FUNCTION note();";

/// Lets the leader be frozen while outcomes are on their way to it.
pub(crate) fn frozen(sabotage: Option<&str>) -> Findings {
    let (servers, sample) = (Servers::shared(), Sample::shared());
    let mut fleet = Fleet::new(servers).sabotage(sabotage);
    // Each has a name of its own at the store, by which it is told apart there. The names go with the server.
    let users = [unique::name("old"), unique::name("new")];
    for user in &users {
        fleet.run(&format!("CREATE ROLE {user} SUPERUSER LOGIN"));
    }
    let urls = users.each_ref().map(|user| fleet.database_url_of(user));
    // It is slow to notice that it leads no more, so all depends on the fence.
    let broken = ["notice", sabotage.unwrap_or_default()].join(",");
    let environment = [("GITFLEET_DATABASE_URL", urls[0].as_str()), ("GITFLEET_SABOTAGE", &broken)];
    let old = fleet.coordinator("old", &environment);
    fleet.until("the first one leads", || fleet.count("SELECT count(*) FROM leadership WHERE term = 1") == 1);
    let new = fleet.coordinator("new", &[("GITFLEET_DATABASE_URL", &urls[1])]);
    fleet.run(AUDIT);
    let worker = fleet.worker("worker", 1, &[]);
    let batch = fleet.submit(&sample.sources, 5);
    fleet.until_done(&batch, 5);
    old.signal("STOP");
    fleet.until("the other one leads", || fleet.count("SELECT count(*) FROM leadership WHERE term = 2") == 1);
    // The new one has recorded something, so the old one is behind in everything it knows.
    let by_new = format!("SELECT count(*) FROM witness WHERE term = 2 AND who = '{}'", users[1]);
    fleet.until("the other one records", || fleet.count(&by_new) > 0);
    old.signal("CONT");
    let mut findings = judge(&fleet, &batch, sample, PATIENCE, "leader frozen for longer than its term");
    let late = fleet.count(&format!("SELECT count(*) FROM witness WHERE term = 2 AND who = '{}'", users[0]));
    findings.demand(Oracle::Fence, late == 0, || format!("{late} changes by one that leads no more"));
    findings.append(close(&fleet, vec![worker], vec![new, old]));
    findings
}

#[test]
fn a_leader_that_was_frozen_changes_nothing() {
    frozen(None).none();
}

#[test]
fn another_one_leads_when_the_leader_is_killed_or_ends() {
    let (servers, sample) = (Servers::shared(), Sample::shared());
    let mut fleet = Fleet::new(servers);
    let mut first = fleet.coordinator("first", &[]);
    fleet.until("the first one leads", || fleet.count("SELECT count(*) FROM leadership WHERE term = 1") == 1);
    let mut second = fleet.coordinator("second", &[]);
    let worker = fleet.worker("worker", 1, &[]);
    let batch = fleet.submit(&sample.sources, 20);
    fleet.until_done(&batch, 3);
    first.kill();
    judge(&fleet, &batch, sample, Duration::from_secs(40), "leader killed").none();

    let third = fleet.coordinator("third", &[]);
    let batch = fleet.submit_with(&sample.sources, 20, &["--max-blob-bytes", "50000000"]);
    fleet.until_done(&batch, 3);
    // One that ends in order lets go at once: nobody has to wait for the end of its term.
    assert_eq!(second.terminate(), Some(0));
    judge(&fleet, &batch, sample, Duration::from_secs(20), "leader told to end").none();
    close(&fleet, vec![worker], vec![third]).none();
}
