//! Each link cut, refused, swallowed or slow for a while, and healed.

use std::time::Duration;

use gitfleet_testkit::proxy::Proxy;

use crate::fleet::Fleet;
use crate::oracle::{close, judge};
use crate::sample::Sample;
use crate::servers::Servers;

/// Its name, how it is made, and for how many seconds it stays.
type Break = (&'static str, fn(&Proxy), u64);

#[test]
fn links_that_break_and_heal_lose_nothing() {
    let (servers, sample) = (Servers::shared(), Sample::shared());
    let mut fleet = Fleet::wired(servers);
    let coordinator = fleet.coordinator("coordinator", &[]);
    let workers = vec![fleet.worker("one", 1, &[]), fleet.worker("two", 1, &[])];
    let slow = |proxy: &Proxy| proxy.slow(Duration::from_millis(40));
    let breaks: [Break; 4] = [
        ("cut", Proxy::cut, 0),
        ("refused", Proxy::refuse, 2),
        ("swallowed", Proxy::swallow, 3),
        ("slow", slow, 5),
    ];
    let mut number = 0;
    for (how, apply, seconds) in breaks {
        for link in 0..3 {
            let limit = (50_000_000 + number).to_string();
            number += 1;
            let batch = fleet.submit_with(&sample.sources, 20, &["--max-blob-bytes", &limit]);
            fleet.until_done(&batch, 3);
            let (name, proxy) = fleet.wires.as_ref().unwrap().all()[link];
            apply(proxy);
            // The outage itself.
            std::thread::sleep(Duration::from_secs(seconds));
            proxy.heal();
            judge(&fleet, &batch, sample, Duration::from_secs(45), &format!("link to {name} {how}")).none();
        }
    }
    close(&fleet, workers, vec![coordinator]).none();
}
