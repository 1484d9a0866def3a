//! The private servers start, obey and leave nothing behind.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use gitfleet_testkit::postgres::{Fsync, Postgres};
use gitfleet_testkit::proxy::Proxy;
use gitfleet_testkit::rabbitmq::RabbitMq;
use gitfleet_testkit::redis::{Options, Redis};

/// Processes whose arguments or environment name `folder`.
fn processes_of(folder: &std::path::Path) -> Vec<String> {
    let folder = folder.to_str().unwrap();
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let read = |name: &str| std::fs::read(entry.path().join(name)).unwrap_or_default();
        let text = String::from_utf8_lossy(&[read("cmdline"), read("environ")].concat()).replace('\0', " ");
        if text.contains(folder) {
            found.push(text);
        }
    }
    found
}

#[test]
fn a_dropped_server_leaves_neither_process_nor_folder() {
    let redis = Redis::start(&Options::default());
    let folder = redis.server().folder().to_owned();
    assert!(folder.exists() && !processes_of(&folder).is_empty(), "the question itself works");
    drop(redis);
    assert!(!folder.exists());
    assert_eq!(processes_of(&folder), Vec::<String>::new());
}

#[test]
fn a_killed_server_is_gone_and_comes_back_where_it_was() {
    let redis = Redis::start(&Options { password: Some("secret".into()), ..Options::default() });
    redis.server().kill();
    assert!(TcpStream::connect(("127.0.0.1", redis.port())).is_err());
    redis.server().run();
    assert!(TcpStream::connect(("127.0.0.1", redis.port())).is_ok());
}

#[test]
fn a_frozen_server_takes_connections_and_says_nothing() {
    let redis = Redis::start(&Options::default());
    let ask = || {
        let mut stream = TcpStream::connect(("127.0.0.1", redis.port())).unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        stream.write_all(b"PING\r\n").unwrap();
        stream.read(&mut [0; 8])
    };
    redis.server().stop();
    assert!(ask().is_err());
    redis.server().resume();
    assert!(ask().is_ok());
}

#[test]
fn postgres_makes_databases_and_survives_a_kill() {
    let postgres = Postgres::start(Fsync::On);
    let folder = postgres.server().folder().to_owned();
    let database = postgres.database();
    assert!(database.url().contains("/test_"));
    postgres.server().restart();
    drop(database);
    drop(postgres);
    assert_eq!(processes_of(&folder), Vec::<String>::new());
    assert!(!folder.exists());
}

#[test]
fn rabbitmq_runs_apart_from_the_machines_own() {
    let rabbitmq = RabbitMq::start(&Default::default());
    let folder = rabbitmq.server().folder().to_owned();
    assert!(rabbitmq.control(&["status"]).contains("RabbitMQ version"));
    drop(rabbitmq);
    assert_eq!(processes_of(&folder), Vec::<String>::new());
    assert!(!folder.exists());
}

#[tokio::test]
async fn the_proxy_forwards_swallows_refuses_and_heals() {
    let redis = Redis::start(&Options::default());
    let proxy = Proxy::to(redis.port()).await;
    let port = proxy.port();
    let ask = move || {
        tokio::task::spawn_blocking(move || {
            let mut stream = TcpStream::connect(("127.0.0.1", port))?;
            stream.set_read_timeout(Some(Duration::from_millis(200)))?;
            stream.write_all(b"PING\r\n")?;
            let mut answer = [0; 5];
            stream.read_exact(&mut answer)?;
            std::io::Result::Ok(answer)
        })
    };
    let error = |asked: Result<std::io::Result<[u8; 5]>, _>| asked.unwrap().unwrap_err().kind();
    assert_eq!(&ask().await.unwrap().unwrap(), b"+PONG");
    proxy.swallow();
    assert_eq!(error(ask().await), std::io::ErrorKind::WouldBlock);
    proxy.heal();
    assert_eq!(&ask().await.unwrap().unwrap(), b"+PONG");
    proxy.refuse();
    // The port is closed by a task of its own.
    while TcpStream::connect(("127.0.0.1", port)).is_ok() {
        tokio::task::yield_now().await;
    }
    assert_eq!(error(ask().await), std::io::ErrorKind::ConnectionRefused);
    proxy.heal();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        tokio::task::yield_now().await;
    }
    assert_eq!(&ask().await.unwrap().unwrap(), b"+PONG");
}

/// Not a test: what the next one kills.
#[test]
#[ignore = "waits for ever"]
fn hold_a_server() {
    let redis = Redis::start(&Options::default());
    println!("folder {}", redis.server().folder().display());
    std::thread::park();
}

#[test]
fn a_test_process_that_is_killed_leaves_nothing() {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "hold_a_server", "--nocapture"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let folder = lines.find_map(|line| Some(PathBuf::from(line.split_once("folder ")?.1))).unwrap();
    assert!(folder.exists());
    child.kill().unwrap();
    child.wait().unwrap();
    let begun = std::time::Instant::now();
    while folder.exists() || !processes_of(&folder).is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", processes_of(&folder));
        std::thread::yield_now();
    }
}
