//! Where repositories come from, and how they are named.

use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use chrono_tz::Tz;
use serde_json::Value;

use crate::history;
use crate::judge;
use crate::repository::{Repository, git};
use crate::room::{Ended, Room};

fn names(report: &Value) -> Vec<&str> {
    report["repositories"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect()
}

#[test]
fn bare_linked_and_plain_repositories_give_the_same_numbers() {
    let (room, history) = (Room::new(), history::generate(51));
    let (bare, linked) = (room.text("bare.git"), room.text("linked"));
    history.git(&["clone", "--quiet", "--bare", ".", &bare]);
    history.git(&["worktree", "add", "--quiet", "--detach", &linked, "HEAD~5"]);
    for (source, name) in [(bare.as_str(), "bare"), (&linked, "linked")] {
        let report = room.report(&[source]);
        judge::assert_report(&report, Path::new(source), &["HEAD"], Tz::UTC);
        assert_eq!(names(&report), [name]);
        assert_eq!(report["repositories"][0]["head"], git(Path::new(source), &["rev-parse", "HEAD"]).trim());
    }
    // Named by the folder of git itself, it is the repository around it.
    let report = room.report(&[history.path().join(".git").to_str().unwrap()]);
    judge::assert_report(&report, history.path(), &["HEAD"], Tz::UTC);
    assert_eq!(names(&report), ["repository"]);
}

#[test]
fn a_url_is_fetched_again_at_every_run() {
    let room = Room::new();
    let upstream = room.repository("up stream");
    upstream.commit("a", 3, "2026-01-05T12:00:00Z");
    let url = format!("file://{}", upstream.text());
    let check = |branch: &str| {
        let report = room.report(&[&url]);
        judge::assert_report(&report, upstream.path(), &["HEAD"], Tz::UTC);
        let row = &report["repositories"][0];
        assert_eq!((&row["branch"], &row["head"]), (&branch.into(), &upstream.head().into()));
        assert_eq!(row["source"], url.as_str());
    };
    check("main");
    check("main");
    upstream.commit("b", 4, "2026-01-06T12:00:00Z");
    check("main");
    // Rewritten.
    upstream.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    upstream.commit("c", 5, "2026-01-07T12:00:00Z");
    check("main");
    // The default branch gets another name, and then the old name comes to mean something else.
    upstream.git(&["branch", "--move", "main", "trunk"]);
    upstream.commit("d", 6, "2026-01-08T12:00:00Z");
    check("trunk");
    upstream.git(&["branch", "main", "HEAD~2"]);
    check("trunk");
    let report = room.report(&[&url, "--branch", "main"]);
    judge::assert_report(&report, upstream.path(), &["main"], Tz::UTC);
    // A name of which the other is a part.
    upstream.git(&["branch", "--move", "main", "trunk2"]);
    upstream.git(&["branch", "--move", "trunk", "deep"]);
    upstream.git(&["branch", "--move", "deep", "trunk/deep"]);
    check("trunk/deep");
    let report = room.report(&[&url, "--all-branches"]);
    judge::assert_report(&report, upstream.path(), &["--branches"], Tz::UTC);

    std::fs::remove_dir_all(upstream.path()).unwrap();
    room.analyze(&[&url]).expect(8).says(&["failed"]);
    assert_eq!(room.json("out/report.json")["totals"]["commits"], 0, "what was fetched once is not now");
}

#[test]
fn a_url_to_nothing_fails_alone() {
    let room = Room::new();
    let url = format!("file://{}", room.text("gone"));
    room.analyze(&[&url]).expect(8);
    let failure = &room.json("out/report.json")["coverage"]["failures"][0];
    assert_eq!(failure["repository"], "gone");
    assert_eq!(failure["class"], "not_found", "{failure}");
    let empty = room.repository("empty");
    let report = room.report(&[&format!("file://{}", empty.text())]);
    assert_eq!(report["repositories"][0]["status"], "empty");
}

/// Three repositories below `tree`, one of them deep and bare, and other things beside them.
fn tree(room: &Room) -> [Repository; 2] {
    let made = [room.repository("tree/one"), room.repository("tree/deep/er/two")];
    made[0].commit("a", 1, "2026-01-05T12:00:00Z");
    made[1].commit("b", 2, "2026-01-06T12:00:00Z");
    made[1].git(&["clone", "--quiet", "--bare", ".", &room.text("tree/three.git")]);
    room.write("tree/notes/readme", "no repository");
    std::os::unix::fs::symlink(room.path("tree"), room.path("tree/notes/loop")).unwrap();
    made
}

#[test]
fn every_repository_below_a_folder() {
    let room = Room::new();
    tree(&room);
    let report = room.report(&["--scan", &room.text("tree")]);
    assert_eq!(names(&report), ["one", "three", "two"]);
    assert_eq!(report["totals"]["additions"], 3);
    let more = room.repository("more");
    more.commit("c", 4, "2026-01-07T12:00:00Z");
    let report = room.report(&[more.text(), "--scan", &room.text("tree"), "--scan", &room.text("tree/deep")]);
    assert_eq!(names(&report), ["more", "one", "three", "two"], "found twice is there once");
    assert_eq!(report["totals"]["additions"], 7);

    std::fs::create_dir(room.path("bare ground")).unwrap();
    room.analyze(&["--scan", &room.text("bare ground")]).expect(2).says(&["no repository", "hint"]);
    room.analyze(&["--scan", "/nope"]).expect(3).says(&["/nope"]);
    room.analyze(&[]).expect(2).says(&["hint"]);
}

#[test]
fn only_some_of_them_by_name() {
    let room = Room::new();
    tree(&room);
    let folder = room.text("tree");
    let report = room.report(&["--scan", &folder, "--repositories", "two,one"]);
    assert_eq!(names(&report), ["one", "two"]);
    assert_eq!(report["coverage"]["repositories_requested"], 2);
    let ended = room.analyze(&["--scan", &folder, "--repositories", "one,four"]).expect(3);
    ended.says(&["four", "hint", "one, three, two"]);
}

#[test]
fn two_of_the_same_name_are_told_apart() {
    let room = Room::new();
    for name in ["a/tools", "b/tools"] {
        room.repository(name).commit(&name.replace('/', "-"), 1, "2026-01-05T12:00:00Z");
    }
    let report = room.report(&[&room.text("a/tools"), &room.text("b/tools")]);
    assert_eq!(names(&report), ["a/tools", "b/tools"]);
    assert_eq!(report["totals"]["commits"], 2);
}

#[test]
fn the_same_source_twice_is_refused() {
    let room = Room::new();
    let repository = room.repository("r");
    repository.commit("a", 1, "2026-01-05T12:00:00Z");
    let slash = format!("{}/", repository.text());
    for again in [repository.text(), &slash, "../r"] {
        room.analyze(&[repository.text(), again]).expect(2).says(&["r"]);
    }
    let url = format!("file://{}", repository.text());
    room.analyze(&[&url, &url]).expect(2);
    assert!(!room.path("out").exists() && !room.path("data").exists(), "nothing was begun");
}

#[test]
fn an_address_with_a_secret_is_refused_and_not_repeated() {
    let room = Room::new();
    let secret = "hunter2hunter2";
    for url in [
        format!("https://ann:{secret}@git.example/o/n"),
        format!("ssh://ann:{secret}@git.example/o/n"),
        format!("ann:{secret}@git.example:o/n"),
        format!("https://{}@git.example/o/n", secret.repeat(3)),
    ] {
        for command in [&["facts", &url][..], &["analyze", &url], &["analyze", &url, "--validate-only"]] {
            let ended = room.gitfleet(command).expect(2).says(&["github.token"]);
            assert!(!ended.stderr.contains(secret), "{}", ended.stderr);
            assert_eq!(ended.text(), "");
        }
    }
    assert_eq!(room.everything(), [""; 0].map(std::path::PathBuf::from), "nothing was written");
}

#[test]
fn an_address_that_anybody_on_the_way_could_change_is_refused() {
    let room = Room::new();
    for url in ["http://git.example/o/n", "git://git.example/o/n", "gopher://git.example/n"] {
        room.analyze(&[url]).expect(2);
    }
    assert!(!room.path("out").exists() && !room.path("data").exists());
}

#[test]
fn an_address_is_never_a_command() {
    let room = Room::new();
    let touched = room.path("touched");
    for url in [
        format!("ext::touch {}", touched.display()),
        format!("ext::sh -c touch% {}", touched.display()),
        format!("--upload-pack=touch {}", touched.display()),
        format!("-oProxyCommand=touch {}:x", touched.display()),
        format!("ssh://-oProxyCommand=touch%20{}/x", touched.display()),
        format!("file://{}/;touch {}", room.text("x"), touched.display()),
    ] {
        let mut command = room.analyze_command(&["--", &url]);
        let ended = Ended::of(command.env("GIT_ALLOW_PROTOCOL", "ext:ssh:file").output().unwrap());
        assert!(matches!(ended.code, Some(2 | 3 | 8)), "{url}: {:?} {}", ended.code, ended.stderr);
        assert!(!touched.exists(), "{url}");
    }
}

#[test]
fn a_relative_path_is_relative_to_where_one_stands() {
    let room = Room::new();
    let repository = room.repository("desk/r");
    repository.commit("a", 1, "2026-01-05T12:00:00Z");
    for source in ["r", "./r", "../desk/r", "r/"] {
        assert_eq!(names(&room.report(&[source])), ["r"]);
    }
    let mut command = room.analyze_command(&["."]);
    Ended::of(command.current_dir(repository.path()).output().unwrap()).expect(0);
    assert_eq!(names(&room.json("out/report.json")), ["r"]);
}

#[test]
fn a_path_need_not_be_text() {
    let room = Room::new();
    let path = room.path("").join(std::ffi::OsStr::from_bytes(b"caf\xe9"));
    let repository = Repository::init(&path);
    repository.commit("a", 3, "2026-01-05T12:00:00Z");
    let mut facts = room.command();
    let facts = Ended::of(facts.arg("facts").arg(&path).output().unwrap()).expect(0);
    assert!(facts.text().ends_with("\t3\t0\ta\n"), "{}", facts.text());
    // A job names its source in text; until it can do otherwise, the refusal says what is wrong and what helps.
    for arguments in [&[path.as_os_str()][..], &["--scan".as_ref(), room.path("").as_os_str()]] {
        let mut analyze = room.analyze_command(&[]);
        Ended::of(analyze.args(arguments).output().unwrap()).expect(2).says(&["is not UTF-8"]);
    }
}

#[test]
fn an_address_that_is_not_public_takes_saying_so() {
    let room = Room::new();
    for url in ["https://127.1:1/a", "https://localhost:1/a", "git@0x7f.1:a", "ssh://git@2130706433/a"] {
        room.analyze(&[url]).expect(8);
        let failure = &room.json("out/report.json")["coverage"]["failures"][0];
        assert_eq!(failure["class"], "address_not_allowed", "{url}: {failure}");
        room.gitfleet(&["facts", url]).expect(3).says(&["sources.private_addresses"]);
    }
    // Allowed, it is connected to, and by nobody in between.
    let proxy = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let place = format!("http://{}", proxy.local_addr().unwrap());
    let mut allowed = room.analyze_command(&["https://127.1:1/a"]);
    allowed.env("GITFLEET_SOURCE_PRIVATE_ADDRESSES", "127.0.0.0/8");
    allowed.envs(["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"].map(|name| (name, &place)));
    Ended::of(allowed.output().unwrap()).expect(8);
    assert_eq!(room.json("out/report.json")["coverage"]["failures"][0]["class"], "fetch_failed");
    proxy.set_nonblocking(true).unwrap();
    assert!(proxy.accept().is_err(), "a proxy of the environment was asked");
}

#[test]
fn schemes_can_be_left_out() {
    let room = Room::new();
    let repository = room.repository("r");
    repository.commit("a", 1, "2026-01-05T12:00:00Z");
    room.write("desk/gitfleet.yaml", "sources: {schemes: [https]}\n");
    for source in [repository.text().to_owned(), format!("file://{}", repository.text())] {
        room.analyze(&[&source]).expect(8);
        let failure = &room.json("out/report.json")["coverage"]["failures"][0];
        assert_eq!(failure["class"], "address_not_allowed", "{source}: {failure}");
        room.gitfleet(&["facts", &source]).expect(3).says(&["sources.schemes"]);
    }
}

#[test]
fn a_credential_that_nobody_names_need_not_be_here() {
    let room = Room::new();
    let repository = room.repository("r");
    repository.commit("a", 1, "2026-01-05T12:00:00Z");
    let named = "credentials: [{name: corp, host: git.example, token_file: nowhere}]\n";
    room.write("desk/gitfleet.yaml", named);
    room.report(&[repository.text()]);
    room.analyze(&["https://git.example/a", "--credential", "corp"]).expect(78).says(&["nowhere"]);
    room.write("desk/gitfleet.yaml", "credentials: [{name: corp, host: git.example}]\n");
    room.analyze(&["https://git.example/a", "--credential", "corp"]).expect(78).says(&["corp has no secret"]);
    room.write("desk/gitfleet.yaml", "version: 1\n");
    room.analyze(&["https://140.82.121.3/a", "--credential", "corp"]).expect(8);
    let failure = &room.json("out/report.json")["coverage"]["failures"][0];
    assert_eq!(failure["class"], "authentication_failed", "{failure}");
    assert!(failure["message"].as_str().unwrap().contains("no credential named corp"), "{failure}");
}

/// What stands for ssh: says how it would connect, notes how it is called, and runs what is to be run elsewhere here.
const SSH: &str = r#"#!/bin/sh
for word in "$@"; do
  if [ "$word" = -G ]; then
    if [ -n "$SSH_LED_ON" ]; then echo "proxyjump bastion"; fi
    echo "hostname localhost"
    echo "port 2222"
    exit 0
  fi
done
printf '%s\n' "$@" >"$HOME/called"
while [ $# -gt 2 ]; do shift; done
eval "exec $1 $2"
"#;

#[test]
fn ssh_is_told_the_address_and_checks_the_key_of_the_name() {
    use std::os::unix::fs::PermissionsExt as _;
    let room = Room::new();
    let upstream = room.repository("upstream");
    upstream.commit("a", 3, "2026-01-05T12:00:00Z");
    room.write("programs/ssh", SSH);
    std::fs::set_permissions(room.path("programs/ssh"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = std::env::var_os("PATH").unwrap().into_string().unwrap();
    let path = format!("{}:{path}", room.text("programs"));
    let run = |url: &str, settings: &[(&str, &str)]| {
        let mut command = room.analyze_command(&["--no-cache", url]);
        command.env("PATH", &path).envs(settings.iter().copied());
        Ended::of(command.output().unwrap())
    };
    let allowed = ("GITFLEET_SOURCE_PRIVATE_ADDRESSES", "127.0.0.0/8, ::1");
    // What ssh is configured to call work is at an address that is not public.
    run(&format!("git@work:{}", upstream.text()), &[]).expect(8);
    let failure = &room.json("out/report.json")["coverage"]["failures"][0];
    assert_eq!(failure["class"], "address_not_allowed", "{failure}");
    assert!(!room.path("home/called").exists());
    for url in [format!("git@work:{}", upstream.text()), format!("ssh://git@work:2222{}", upstream.text())] {
        run(&url, &[allowed]).expect(0);
        judge::assert_report(&room.json("out/report.json"), upstream.path(), &["HEAD"], Tz::UTC);
        let called = room.read("home/called");
        let words: Vec<&str> = called.lines().collect();
        assert!(words.contains(&"BatchMode=yes"), "{called}");
        assert!(words.contains(&"HostKeyAlias=[localhost]:2222"), "{called}");
        let address = words.iter().find_map(|word| word.strip_prefix("HostName=")).expect("it is told");
        assert!(address.parse::<std::net::IpAddr>().unwrap().is_loopback(), "{called}");
        assert!(words.contains(&"git@work"), "{called}");
    }
    // Through another host that one finds the way, and nothing is told of addresses.
    run(&format!("git@work:{}", upstream.text()), &[("SSH_LED_ON", "yes")]).expect(0);
    assert!(!room.read("home/called").contains("HostName="), "{}", room.read("home/called"));
}
