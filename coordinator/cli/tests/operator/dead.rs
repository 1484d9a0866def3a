//! Messages that nobody can use.

use gitfleet_shared::queue::rabbitmq::{Config, RabbitMq};
use gitfleet_shared::queue::{Queue as _, Topic};

use crate::fleet::{servers, wait, working};

/// Returns the id and the time of arrival of the dead letter with these bytes.
fn letter(body: &[u8]) -> Option<(String, String)> {
    let fleet = working();
    let hexadecimal: String = body.iter().map(|byte| format!("{byte:02x}")).collect();
    let letters = fleet.json(&["dead", "ls"], "get", "/dead");
    letters.as_array().unwrap().iter().find_map(|letter| {
        let id = letter["id"].to_string();
        let shown = fleet.run(&["dead", "show", &id]).expect(0).stdout;
        shown.contains(&hexadecimal).then(|| (id, letter["arrived_at"].to_string()))
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_is_shown_replayed_and_dropped() {
    let fleet = working();
    let config = Config { prefix: fleet.prefix.clone(), ..Config::new(servers().rabbitmq.url().to_owned()) };
    let queue = RabbitMq::connect(config).await.unwrap();
    let body = b"\x1b]0;this is no job\x07";
    queue.publish(Topic::Jobs, body.to_vec()).await.unwrap();
    queue.close();
    let (id, arrived_at) = wait("a dead letter", || letter(body));
    let listed = fleet.listing(&["dead", "ls"]);
    assert!(listed.contains("jobs"), "{listed}");
    fleet.json(&["dead", "show", &id], "get", "/dead/{id}");
    assert!(fleet.json(&["status"], "get", "/status")["dead_letters"].as_i64().unwrap() > 0);
    // Nobody can use it the second time either, and it is not lost by that.
    fleet.run(&["dead", "replay", &id]).expect(0).shows(&["back where it came from"]);
    let (id, _) = wait("it again", || letter(body).filter(|(_, again)| *again != arrived_at));
    assert_eq!(fleet.json(&["dead", "drop", &id], "delete", "/dead/{id}")["changed"], true);
    assert_eq!(letter(body), None);
    for command in ["show", "replay", "drop"] {
        fleet.run(&["dead", command, &id]).expect(3).says(&[&id, "gitfleet dead ls"]);
    }
}
