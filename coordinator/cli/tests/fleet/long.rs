//! Everything at once, for as long as one likes: processes and servers are killed, frozen and cut off at random while
//! batch after batch is analysed. In the short form it is a few faults.

use std::time::{Duration, Instant};

use gitfleet_shared::queue::Topic;

use crate::fleet::{Fleet, within};
use crate::oracle::{close, judge};
use crate::process::Process;
use crate::random::{Random, seed};
use crate::sample::Sample;
use crate::servers::Servers;

/// After the last fault of a batch; leases, terms and the pauses of all who connect again are shorter.
const BOUND: Duration = Duration::from_secs(120);

/// Returns for how long things are broken.
fn duration() -> Duration {
    let variable = |name| std::env::var(name).unwrap_or_default();
    let given = variable("GITFLEET_FAULT_SECONDS").parse().ok().map(Duration::from_secs);
    match variable("GITFLEET_FAULTS").as_str() {
        "long" => given.unwrap_or(Duration::from_secs(30 * 60)),
        _ => Duration::from_secs(20),
    }
}

struct Crew {
    coordinators: Vec<Process>,
    workers: Vec<Process>,
    ports: [u16; 2],
}

const WORKERS: [&str; 3] = ["a", "b", "c"];
const COORDINATORS: [&str; 2] = ["one", "two"];

#[test]
fn whatever_breaks_at_random_the_report_is_the_same() {
    let (servers, sample) = (Servers::victims(), Sample::shared());
    let mut random = Random::new(seed());
    let mut fleet = Fleet::wired(&servers);
    fleet.tell("GITFLEET_LEASE_SECONDS", "5");
    let ports = [gitfleet_testkit::port::free(), gitfleet_testkit::port::free()];
    let coordinators = (0..2).map(|number| fleet.coordinator_at(COORDINATORS[number], ports[number], &[]));
    let coordinators: Vec<Process> = coordinators.collect();
    fleet.server = format!("http://127.0.0.1:{}", ports[0]);
    let workers = WORKERS.iter().map(|name| fleet.worker(name, 1, &[])).collect();
    let mut crew = Crew { coordinators, workers, ports };
    // RabbitMQ 3.10 loses a quorum queue for good if it is killed in the second in which it was declared.
    std::thread::sleep(Duration::from_secs(5));
    let (begun, lasts) = (Instant::now(), duration());
    let (mut batches, mut faults) = (0u64, 0u64);
    while begun.elapsed() < lasts {
        batches += 1;
        // A key makes it one batch, however often it has to be asked for.
        let (key, limit) = (format!("{}-{batches}", fleet.prefix), (60_000_000 + batches).to_string());
        let slice = [3, 7, 20, 1_000][usize::try_from(random.below(4)).unwrap()];
        let batch = submit(&fleet, sample, slice, &key, &limit);
        for _ in 0..=random.below(3) {
            // When the next one comes is part of what is random.
            std::thread::sleep(Duration::from_millis(random.below(1_500)));
            let fault = disturb(&mut random, &servers, &fleet, &mut crew);
            faults += 1;
            eprintln!("{:>6.1} s  batch {batches}: {fault}", begun.elapsed().as_secs_f64());
        }
        let findings = judge(&fleet, &batch, sample, BOUND, &format!("batch {batches} in slices of {slice}"));
        assert!(findings.is_empty(), "batch {batches} ({batch}):\n{findings}");
    }
    eprintln!(
        "{batches} batches, {faults} faults in {:.0} s: all oracles hold",
        begun.elapsed().as_secs_f64()
    );
    let dead = fleet.count("SELECT count(*) FROM job WHERE state IN ('dead', 'failed')");
    assert_eq!(dead, 0, "nobody's job is given up");
    close(&fleet, crew.workers, crew.coordinators).none();
}

fn submit(fleet: &Fleet, sample: &Sample, slice: u32, key: &str, limit: &str) -> String {
    let slice = slice.to_string();
    let sources: Vec<&str> = sample.sources.iter().map(String::as_str).collect();
    let words =
        ["submit", "--quiet", "--batch-size", &slice, "--idempotency-key", key, "--max-blob-bytes", limit];
    let (mut batch, mut said) = (String::new(), String::new());
    let taken = within(BOUND, || {
        let output = fleet.ask(&[&words[..], &sources].concat());
        batch = String::from_utf8(output.stdout).unwrap().trim().to_owned();
        said = String::from_utf8(output.stderr).unwrap();
        output.status.success()
    });
    assert!(taken, "nobody takes a batch: {said}");
    batch
}

/// Breaks something, mends it, and says what it was.
fn disturb(random: &mut Random, servers: &Servers, fleet: &Fleet, crew: &mut Crew) -> String {
    let pause = Duration::from_millis(random.below(3_000));
    let worker = usize::try_from(random.below(3)).unwrap();
    let coordinator = usize::try_from(random.below(2)).unwrap();
    let (wire_name, wire) = fleet.wires.as_ref().unwrap().all()[usize::try_from(random.below(3)).unwrap()];
    // The outages themselves.
    let rest = || std::thread::sleep(pause);
    let millis = pause.as_millis();
    match random.below(14) {
        0..=2 => {
            crew.workers[worker].kill();
            crew.workers[worker] = fleet.worker(WORKERS[worker], 1, &[]);
            format!("worker {} killed", WORKERS[worker])
        }
        3 => {
            crew.workers[worker].signal("STOP");
            rest();
            crew.workers[worker].signal("CONT");
            format!("worker {} frozen for {millis} ms", WORKERS[worker])
        }
        4 => {
            assert_eq!(crew.workers[worker].terminate(), Some(0));
            crew.workers[worker] = fleet.worker(WORKERS[worker], 1, &[]);
            format!("worker {} told to end", WORKERS[worker])
        }
        5 | 6 => {
            crew.coordinators[coordinator].kill();
            crew.coordinators[coordinator] =
                fleet.coordinator_at(COORDINATORS[coordinator], crew.ports[coordinator], &[]);
            format!("coordinator {} killed", COORDINATORS[coordinator])
        }
        7 => {
            let long = Duration::from_secs(12);
            crew.coordinators[coordinator].signal("STOP");
            std::thread::sleep(long);
            crew.coordinators[coordinator].signal("CONT");
            format!("coordinator {} frozen for {} s", COORDINATORS[coordinator], long.as_secs())
        }
        8 => {
            servers.rabbitmq.server().restart();
            "broker killed".to_owned()
        }
        9 => {
            servers.postgres.server().kill();
            rest();
            servers.postgres.server().run();
            format!("store killed and away for {millis} ms")
        }
        10 => {
            servers.redis.server().kill();
            rest();
            servers.redis.server().run();
            format!("cache killed and away for {millis} ms")
        }
        11 => {
            let topic = if random.below(2) == 0 { Topic::Jobs } else { Topic::Outcomes };
            fleet.purge(topic);
            format!("{} purged", topic.name())
        }
        12 => {
            wire.swallow();
            rest();
            wire.heal();
            format!("link to {wire_name} swallowed for {millis} ms")
        }
        _ => {
            wire.refuse();
            rest();
            wire.heal();
            format!("link to {wire_name} refused for {millis} ms")
        }
    }
}
