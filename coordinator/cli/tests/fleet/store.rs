//! A PostgreSQL that is killed, away for a while, or frozen: nothing is acknowledged that it has not.

use std::time::Duration;

use crate::fleet::Fleet;
use crate::oracle::{close, judge};
use crate::sample::Sample;
use crate::servers::Servers;

#[test]
fn a_store_that_is_killed_away_or_frozen_loses_nothing() {
    let (servers, sample) = (Servers::victims(), Sample::shared());
    let postgres = servers.postgres.server();
    let mut fleet = Fleet::new(&servers);
    let coordinator = fleet.coordinator("coordinator", &[]);
    let workers = vec![fleet.worker("one", 1, &[]), fleet.worker("two", 1, &[])];
    let away = |seconds| {
        postgres.kill();
        // The outage itself.
        std::thread::sleep(Duration::from_secs(seconds));
        postgres.run();
    };
    let frozen = || {
        postgres.stop();
        std::thread::sleep(Duration::from_secs(5));
        postgres.resume();
    };
    let faults: [(&str, &dyn Fn()); 3] = [
        ("store killed", &|| away(0)),
        ("store away for 8 s", &|| away(8)),
        ("store frozen for 5 s", &frozen),
    ];
    for (number, (fault, apply)) in faults.into_iter().enumerate() {
        let limit = (50_000_000 + number).to_string();
        let batch = fleet.submit_with(&sample.sources, 5, &["--max-blob-bytes", &limit]);
        fleet.until_done(&batch, 10);
        apply();
        judge(&fleet, &batch, sample, Duration::from_secs(45), fault).none();
    }
    close(&fleet, workers, vec![coordinator]).none();
}
