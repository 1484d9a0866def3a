//! A RabbitMQ that is killed, purged, or comes back with nothing: the store is the truth, and the queue a bell.

use std::time::Duration;

use gitfleet_shared::queue::Topic;

use crate::fleet::Fleet;
use crate::oracle::{close, judge};
use crate::sample::Sample;
use crate::servers::Servers;

#[test]
fn a_broker_that_forgets_loses_nothing() {
    let (servers, sample) = (Servers::victims(), Sample::shared());
    let broker = servers.rabbitmq.server();
    let mut fleet = Fleet::new(&servers);
    // What was lost with the queue is found out after a lease, so it is short here.
    fleet.tell("GITFLEET_LEASE_SECONDS", "3");
    let coordinator = fleet.coordinator("coordinator", &[]);
    let workers = vec![fleet.worker("one", 1, &[]), fleet.worker("two", 1, &[])];
    // RabbitMQ 3.10 loses a quorum queue for good if it is killed in the second in which it was declared, and says
    // nothing to tell when that second is over.
    std::thread::sleep(Duration::from_secs(5));
    let purge = || {
        for topic in [Topic::Jobs, Topic::Outcomes] {
            fleet.purge(topic);
        }
    };
    let forget = || {
        broker.kill();
        std::fs::remove_dir_all(broker.folder().join("data")).unwrap();
        broker.run();
    };
    let faults: [(&str, &dyn Fn()); 3] = [
        ("broker killed", &|| broker.restart()),
        ("queues purged", &purge),
        ("broker's data deleted", &forget),
    ];
    for (number, (fault, apply)) in faults.into_iter().enumerate() {
        let limit = (50_000_000 + number).to_string();
        let batch = fleet.submit_with(&sample.sources, 5, &["--max-blob-bytes", &limit]);
        fleet.until_done(&batch, 10);
        apply();
        judge(&fleet, &batch, sample, Duration::from_secs(60), fault).none();
    }
    close(&fleet, workers, vec![coordinator]).none();
}
