//! A person is erased from a fleet: store, cache, what workers do from then on, and what is saved.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

use gitfleet_shared::codec;
use serde_json::{Value, json};

use crate::access::ask;
use crate::fleet::{CANARIES, Fleet, files, idle, servers};

/// What nothing may say once he is erased, in lower case.
const HIS: [&str; 3] = ["quentin canary", "quentin@canary.example", "canary.example"];
const KEY: (&str, &str) = ("GITFLEET_ERASURE_KEY", "the key of this fleet is long enough");

fn git(path: &str, arguments: &[&str]) {
    let done = Command::new("git")
        .current_dir(path)
        .args(arguments)
        .envs([("GIT_AUTHOR_NAME", "Quentin Canary"), ("GIT_AUTHOR_EMAIL", "quentin@canary.example")])
        .envs([("GIT_COMMITTER_NAME", "C"), ("GIT_COMMITTER_EMAIL", "c@example")])
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

fn commit(path: &str, file: &str) {
    std::fs::write(Path::new(path).join(file), file.repeat(20)).unwrap();
    git(path, &["add", "--", file]);
    git(path, &["commit", "--quiet", "--message", "by Quentin Canary himself"]);
}

#[track_caller]
fn assert_gone(place: &str, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes).to_lowercase();
    for one in HIS {
        assert!(!text.contains(one), "{one} is in {place}");
    }
}

/// Returns every value of the fleet's cache, as a worker decodes it.
fn cached(fleet: &Fleet) -> Vec<Vec<u8>> {
    let mut stream = TcpStream::connect(("127.0.0.1", servers().redis.port())).unwrap();
    let mut answers = BufReader::new(stream.try_clone().unwrap());
    let mut send = |words: &[&[u8]]| {
        let mut command = format!("*{}\r\n", words.len()).into_bytes();
        for word in words {
            command.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
            command.extend_from_slice(word);
            command.extend_from_slice(b"\r\n");
        }
        stream.write_all(&command).unwrap();
    };
    let mut line = || {
        let mut line = String::new();
        answers.read_line(&mut line).unwrap();
        let text = line.trim_end().to_owned();
        let mut bulk = Vec::new();
        if let Some(length) = text.strip_prefix('$').and_then(|length| length.parse::<usize>().ok()) {
            bulk = vec![0; length + 2];
            answers.read_exact(&mut bulk).unwrap();
            bulk.truncate(length);
        }
        (text, bulk)
    };
    send(&[b"AUTH", b"op", CANARIES[2].as_bytes()]);
    assert_eq!(line().0, "+OK");
    send(&[b"KEYS", format!("*{}*", fleet.prefix).as_bytes()]);
    let count: usize = line().0.trim_start_matches('*').parse().unwrap();
    let keys: Vec<Vec<u8>> = (0..count).map(|_| line().1).collect();
    let mut values = Vec::new();
    for key in keys {
        send(&[b"GET", &key]);
        let (_, value) = line();
        values.extend(codec::inside(&value));
    }
    values
}

fn dumped(fleet: &Fleet) -> Vec<u8> {
    let dump =
        Command::new("pg_dump").args(["--inserts", "--dbname", fleet.database.url()]).output().unwrap();
    assert!(dump.status.success(), "{}", String::from_utf8_lossy(&dump.stderr));
    dump.stdout
}

/// Whether a dump says one of `words`, in a text or in bytes, which it has in hexadecimal.
fn says(dump: &[u8], words: &[&str]) -> bool {
    let text = String::from_utf8_lossy(dump).to_lowercase();
    words.iter().any(|word| {
        let forms = [word.to_string(), "Quentin Canary".to_owned()];
        let hexadecimal = |form: &String| form.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
        text.contains(word) || forms.iter().any(|form| text.contains(&hexadecimal(form)))
    })
}

#[test]
fn a_person_is_erased_from_a_fleet() {
    let fleet = Fleet::start_with(1, &[KEY]);
    let repository = fleet.repository("erased", 91);
    commit(&repository, "one");
    commit(&repository, "two");
    let batch = fleet.submit(&[&repository]);
    fleet.run(&["batch", "watch", &batch, "--quiet"]).expect(0);
    let before: Value =
        serde_json::from_str(&fleet.run(&["report", "show", &batch]).expect(0).stdout).unwrap();
    assert!(says(&dumped(&fleet), &HIS));
    let named = |values: &[Vec<u8>]| {
        values.iter().filter(|value| String::from_utf8_lossy(value).contains("Quentin")).count()
    };
    assert!(named(&cached(&fleet)) > 0);

    // Only who rules the fleet, and never by a path.
    let export = json!({"identities": ["quentin@canary.example"]}).to_string();
    for path in ["/api/v1/people/export", "/api/v1/people/erase"] {
        assert_eq!(ask(&fleet.server, "POST", path, &[], &export).status, 401);
    }
    let server = fleet.server.clone();
    let held = fleet.run(&["person", "export", "quentin@canary.example", "--server", &server]).expect(0);
    let held: Value = serde_json::from_str(&held.stdout).unwrap();
    assert_eq!(held["commits"].as_array().unwrap().len(), 2);
    assert_eq!(held["reports"][0]["batch"], Value::from(batch.clone()));
    fleet
        .run(&["person", "erase", "quentin@canary.example", "--server", &server])
        .expect(2)
        .says(&["--yes"])
        .shows(&["Quentin Canary"]);
    assert!(named(&cached(&fleet)) > 0);
    fleet
        .run(&["person", "erase", "nobody@canary.example", "--server", &server, "--yes"])
        .expect(3)
        .says(&["hint"]);

    let arguments =
        ["person", "erase", "Quentin Canary <quentin@canary.example>", "--server", &server, "--yes"];
    let erased = fleet.json(&arguments, "post", "/people/erase");
    let name = erased["replaced"]["name"].as_str().unwrap().to_owned();
    let request = erased["replaced"]["request"].as_str().unwrap().to_owned();
    assert_eq!(named(&cached(&fleet)), 0);
    let dump = dumped(&fleet);
    assert!(!says(&dump, &HIS));
    // The log names the request and nothing of him; what was sent is there as a hash.
    let audit = fleet.run(&["audit", "ls", "--json"]).expect(0).stdout;
    assert!(audit.contains(&request) && audit.contains("/api/v1/people/erase"), "{audit}");
    assert_gone("the audit log", audit.as_bytes());
    fleet.run(&["audit", "verify"]).expect(0);
    assert_gone("the log", &std::fs::read(fleet.coordinator.folder().join("log")).unwrap());

    // The same numbers from the batch that comes, and what he commits stays his pseudonym's.
    let again = fleet.submit(&[&repository]);
    fleet.run(&["batch", "watch", &again, "--quiet"]).expect(0);
    let after: Value =
        serde_json::from_str(&fleet.run(&["report", "show", &again]).expect(0).stdout).unwrap();
    for table in ["totals", "weeks", "languages"] {
        assert_eq!(after[table], before[table], "{table}");
    }
    commit(&repository, "three");
    // A history that nobody knows: the worker computes it, and fills the cache.
    let copy = fleet.text("copy");
    git(&repository, &["clone", "--quiet", ".", &copy]);
    let more = fleet.submit(&[&repository, &copy]);
    fleet.run(&["batch", "watch", &more, "--quiet"]).expect(0);
    let shown = fleet.run(&["report", "show", &more]).expect(0).stdout;
    assert!(shown.contains(&name));
    assert_gone("the report", shown.as_bytes());
    assert!(!says(&dumped(&fleet), &HIS));
    let values = cached(&fleet);
    assert!(values.iter().any(|value| String::from_utf8_lossy(value).contains(&name)), "{}", values.len());
    assert_eq!(named(&values), 0);
    // The worker did it, and the coordinator had nothing to mend.
    let log = std::fs::read_to_string(fleet.coordinator.folder().join("log")).unwrap();
    assert!(!log.contains("the cache is purged"), "a worker that knows the list redacts by it");
    let backup = fleet.text("backup");
    fleet.run(&["backup", "--output", &backup]).expect(0);
    let saved: Vec<u8> =
        files(Path::new(&backup)).iter().flat_map(|file| std::fs::read(file).unwrap()).collect();
    assert!(saved.len() > 10_000 && !says(&saved, &HIS));
    fleet
        .run(&["person", "erase", "quentin@canary.example", "--server", &server, "--yes"])
        .expect(0)
        .shows(&["nothing was left", &name]);
}

#[test]
fn whoever_has_no_key_erases_nobody_and_names_nobody() {
    let server = &idle().server;
    let erase = ["person", "erase", "quentin@canary.example", "--yes", "--server"];
    idle().run(&[&erase[..], &[server]].concat()).expect(6).says(&["key", "people.erasure_key"]);

    let fleet = Fleet::start_with(0, &[KEY]);
    let knowing = fleet.worker();
    let repository = fleet.repository("keyless", 92);
    commit(&repository, "one");
    let batch = fleet.submit(&[&repository]);
    fleet.run(&["batch", "watch", &batch, "--quiet"]).expect(0);
    fleet.run(&[&erase[..], &[&fleet.server]].concat()).expect(0).shows(&["Erased person"]);
    drop(knowing);
    // A worker without the key does nothing rather than name him.
    let _worker = fleet.process(&["worker", "-j", "1"], &[(KEY.0, "")], Box::new(|| true));
    commit(&repository, "two");
    let batch = fleet.submit(&[&repository]);
    fleet.run(&["batch", "watch", &batch, "--quiet"]).expect(8);
    let shown = fleet.run(&["report", "show", &batch]).expect(0).stdout;
    let report: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(report["coverage"]["failures"][0]["class"], "erasure_key", "{}", report["coverage"]);
    assert!(!says(&dumped(&fleet), &HIS));
    // A coordinator that has no key, or another one, does not begin.
    for (key, wrong) in [("", "no key"), ("another key that is long enough", "not the one")] {
        let listen = format!("127.0.0.1:{}", gitfleet_testkit::port::free());
        let mut command = fleet.command(&["coordinator"]);
        let output = command.env(KEY.0, key).env("GITFLEET_LISTEN", listen).output().unwrap();
        assert_eq!(output.status.code(), Some(78), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(String::from_utf8_lossy(&output.stderr).contains(wrong));
    }
}

#[test]
fn whoever_is_erased_from_one_server_is_gone_from_its_files() {
    let fleet = idle();
    let (listen, data) =
        (format!("127.0.0.1:{}", gitfleet_testkit::port::free()), fleet.text("served-person"));
    let server = format!("http://{listen}");
    let asked = server.clone();
    let ready = move || crate::fleet::get(&asked, "/readyz").is_some_and(|answer| answer.contains(" 200 "));
    let _serving =
        fleet.process(&["serve", "--listen", &listen, "--data-dir", &data, "-j", "1"], &[], Box::new(ready));
    let repository = fleet.repository("served-erased", 93);
    commit(&repository, "one");
    let batch = fleet.submit(&[&repository, "--server", &server]);
    fleet.run(&["batch", "watch", &batch, "--quiet", "--server", &server]).expect(0);
    let erase = ["person", "erase", "quentin@canary.example", "--yes", "--server", &server];
    fleet.run(&erase).expect(0).shows(&["Erased person"]);
    commit(&repository, "two");
    let batch = fleet.submit(&[&repository, "--server", &server]);
    fleet.run(&["batch", "watch", &batch, "--quiet", "--server", &server]).expect(0);
    assert!(Path::new(&data).join("erasure.key").exists());
    for file in files(Path::new(&data)) {
        assert_gone(&file.display().to_string(), &std::fs::read(&file).unwrap());
    }
}
