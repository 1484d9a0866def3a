//! No secret is anywhere but where it was put.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;

use gitfleet_shared::contract::Job;
use gitfleet_shared::queue::rabbitmq::{Config, RabbitMq};
use gitfleet_shared::queue::{Queue as _, Topic};

use crate::fleet::{CANARIES, Fleet, files, servers};

#[track_caller]
fn assert_hushed(where_: &str, bytes: &[u8]) {
    for canary in CANARIES {
        let hexadecimal: String = canary.bytes().map(|byte| format!("{byte:02x}")).collect();
        for form in [canary, &hexadecimal] {
            let found = bytes.windows(form.len()).any(|window| window == form.as_bytes());
            assert!(!found, "{canary} is in {where_}");
        }
    }
}

/// Has Redis write down all it has, as it is.
fn saved() -> Vec<u8> {
    let redis = &servers().redis;
    let mut stream = TcpStream::connect(("127.0.0.1", redis.port())).unwrap();
    let words = ["CONFIG SET rdbcompression no", "SAVE", "QUIT"].join("\r\n");
    write!(stream, "AUTH op {}\r\n{words}\r\n", CANARIES[2]).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "+OK\r\n".repeat(4));
    std::fs::read(redis.server().folder().join("dump.rdb")).unwrap()
}

#[test]
fn secrets_stay_where_they_are() {
    let fleet = Fleet::start(1);
    let repository = fleet.repository("secret", 51);
    let url = format!("file://{repository}");
    let mut child = fleet.command(&["submit", &url, &fleet.text("absent"), "--watch"]).spawn().unwrap();
    let (mut commands, mut running) = (0, true);
    while running {
        running = child.try_wait().unwrap().is_none();
        for process in std::fs::read_dir("/proc").unwrap() {
            // A process may end meanwhile.
            let line = std::fs::read(process.unwrap().path().join("cmdline")).unwrap_or_default();
            assert_hushed("a command line", &line);
            commands += usize::from(line.windows(8).any(|window| window == b"gitfleet"));
        }
    }
    assert!(commands > 3, "the search finds processes of ours: {commands}");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(8));
    assert_hushed("what is said", &[output.stdout, output.stderr].concat());
    // What the fleet does not reach is said without the address it was told.
    let mut doctor = fleet.command(&["doctor", "-vvv"]);
    for (name, url) in [
        ("DATABASE", "postgres://op:hushdatabase@127.0.0.1:1/x"),
        ("BROKER", "amqp://op:hushbroker@127.0.0.1:1/x"),
        ("CACHE", "redis://op:hushcache@127.0.0.1:1/0"),
    ] {
        doctor.env_remove(format!("GITFLEET_{name}_URL_FILE")).env(format!("GITFLEET_{name}_URL"), url);
    }
    let output = doctor.output().unwrap();
    assert_eq!(output.status.code(), Some(7));
    assert_hushed("what the doctor says", &[output.stdout, output.stderr].concat());
    let shown = fleet.run(&["config", "show"]).expect(0);
    assert!(shown.stdout.contains("broker_url"), "{}", shown.stdout);

    let mut logs = 0;
    for server in std::iter::once(&fleet.coordinator).chain(&fleet.workers) {
        let log = std::fs::read(server.folder().join("log")).unwrap();
        assert_hushed("a log", &log);
        logs += log.len();
    }
    assert!(logs > 1_000, "they say what they do: {logs}");
    let mut mirrored = 0;
    for file in files(&fleet.coordinator.folder().join("data")) {
        assert_hushed(&file.display().to_string(), &std::fs::read(&file).unwrap());
        mirrored += usize::from(file.ends_with("config"));
    }
    assert!(mirrored > 0, "there is a mirror");
    let dump =
        Command::new("pg_dump").args(["--inserts", "--dbname", fleet.database.url()]).output().unwrap();
    assert!(dump.status.success(), "{}", String::from_utf8_lossy(&dump.stderr));
    let text = String::from_utf8_lossy(&dump.stdout);
    assert!(
        text.contains("INSERT INTO fleet.batch ") && text.contains("broker_url"),
        "the dump has our batch"
    );
    assert_hushed("the store", &dump.stdout);
    let saved = saved();
    assert!(saved.windows(fleet.prefix.len()).any(|window| window == fleet.prefix.as_bytes()));
    assert_hushed("the cache", &saved);
    for file in files(servers().rabbitmq.server().folder()) {
        assert_hushed(&file.display().to_string(), &std::fs::read(&file).unwrap_or_default());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_hold_no_secret() {
    let fleet = Fleet::start(0);
    let repository = fleet.repository("sent", 52);
    fleet.submit(&[&repository]);
    let config = Config { prefix: fleet.prefix.clone(), ..Config::new(servers().rabbitmq.url().to_owned()) };
    let queue = RabbitMq::connect(config).await.unwrap();
    let mut consumer = queue.consume(Topic::Jobs).await.unwrap();
    let delivery = consumer.next().await.unwrap();
    assert_hushed("a message", delivery.body());
    // Bodies are compressed: what is meant has to be read, too.
    let job = format!("{:?}", Job::decode(delivery.body()).unwrap());
    assert!(job.contains(&repository), "{job}");
    assert_hushed("a job", job.as_bytes());
    queue.close();
}
