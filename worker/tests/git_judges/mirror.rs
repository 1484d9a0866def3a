//! Mirrors of `file://` remotes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::SystemTime;

use gitfleet_shared::contract::{Failure, FailureClass, Revisions};
use gitfleet_shared::sources::{Policy, Scheme};
use gitfleet_worker::credentials::Credentials;
use gitfleet_worker::gate::Gate;
use gitfleet_worker::mirror::Mirrors;
use gitfleet_worker::{listing, repository, survey, tags};

use crate::fixture::{Fixture, file, run};
use crate::generated;
use crate::judge::{NO_LIMIT, facts};

/// Lets through what is on this disk.
fn gate() -> Gate {
    Gate::new(Policy { schemes: vec![Scheme::File], ..Policy::default() })
}

fn mirrors(source: &Fixture) -> Mirrors {
    Mirrors::new(source.room().join("mirrors"), gate(), Credentials::default(), None)
}

fn url(source: &Fixture) -> String {
    format!("file://{}", source.path().display())
}

fn fetch(source: &Fixture) -> Result<PathBuf, Failure> {
    mirrors(source).fetch(&url(source), None, &AtomicBool::new(false))
}

/// Fetches, and compares the branches and HEAD of the mirror with those of the source.
fn check_fetch(source: &Fixture) -> PathBuf {
    let before = contents(source.path());
    let path = fetch(source).unwrap();
    assert_eq!(contents(source.path()), before, "the source was touched");
    assert_eq!(refs(&path), refs(source.path()));
    assert_eq!(head(&path), head(source.path()));
    run(&path, &["fsck", "--connectivity-only"], b"");
    let names: Vec<_> =
        std::fs::read_dir(path.parent().unwrap()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, [path.file_name().unwrap()], "something lies beside the mirror");
    path
}

fn refs(path: &Path) -> String {
    String::from_utf8(run(
        path,
        &["for-each-ref", "--format=%(refname) %(objectname)", "refs/heads", "refs/tags"],
        b"",
    ))
    .unwrap()
}

fn head(path: &Path) -> String {
    String::from_utf8(run(path, &["rev-parse", "--symbolic-full-name", "HEAD"], b"")).unwrap()
}

/// Returns every file below `path` with its time and content.
fn contents(path: &Path) -> BTreeMap<PathBuf, (SystemTime, Vec<u8>)> {
    let mut contents = BTreeMap::new();
    let mut directories = vec![path.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                directories.push(entry.path());
            } else {
                let changed = entry.metadata().unwrap().modified().unwrap();
                contents.insert(entry.path(), (changed, std::fs::read(entry.path()).unwrap()));
            }
        }
    }
    contents
}

#[test]
fn a_mirror_has_the_branches_of_its_source() {
    let source = Fixture::new();
    source.commit(&[file("a", "a\n")]);
    source.commit_on("side/way", &["main"], &[file("b", "b\n")]);
    source.git(&["update-ref", "refs/pull/1/head", "main"]);
    source.git(&["tag", "light"]);
    source.git(&["-c", "user.name=T", "-c", "user.email=t@x", "tag", "-a", "-m", "m", "heavy", "side/way"]);
    let path = check_fetch(&source);
    assert_eq!(path, mirrors(&source).path(&url(&source)));
    assert_eq!(facts(&path, "HEAD", NO_LIMIT), facts(source.path(), "HEAD", NO_LIMIT));
}

#[test]
fn a_generated_history_arrives_whole() {
    let source = Fixture::new();
    generated::history(&source, 31, 30);
    let path = check_fetch(&source);
    assert_eq!(facts(&path, "HEAD", NO_LIMIT), facts(source.path(), "HEAD", NO_LIMIT));
}

#[test]
fn a_mirror_grows_with_its_source() {
    let source = Fixture::new();
    source.commit(&[file("a", "a\n")]);
    check_fetch(&source);
    source.commit(&[file("a", "b\n")]);
    source.commit_on("new", &["main"], &[file("c", "c\n")]);
    check_fetch(&source);
    check_fetch(&source);
}

#[test]
fn a_force_push_is_followed() {
    let source = Fixture::new();
    source.commit(&[file("a", "a\n")]);
    check_fetch(&source);
    source.commit_on("main", &[], &[file("z", "z\n")]);
    check_fetch(&source);
}

#[test]
fn head_follows_a_renamed_default_branch() {
    let source = Fixture::new();
    source.commit(&[file("a", "a\n")]);
    check_fetch(&source);
    source.git(&["branch", "-m", "main", "trunk"]);
    source.git(&["symbolic-ref", "HEAD", "refs/heads/trunk"]);
    let path = check_fetch(&source);
    assert_eq!(head(&path), "refs/heads/trunk\n");
}

#[test]
fn a_detached_head_is_followed() {
    let source = Fixture::new();
    let first = source.commit(&[file("a", "a\n")]);
    source.commit(&[file("a", "b\n")]);
    source.git(&["update-ref", "--no-deref", "HEAD", &first]);
    let path = fetch(&source).unwrap();
    assert_eq!(String::from_utf8(run(&path, &["rev-parse", "HEAD"], b"")).unwrap().trim_end(), first);
}

#[test]
fn a_vanished_branch_goes() {
    let source = Fixture::new();
    source.commit(&[file("a", "a\n")]);
    source.commit_on("side", &["main"], &[file("b", "b\n")]);
    check_fetch(&source);
    source.git(&["tag", "one", "side"]);
    source.git(&["tag", "two", "main"]);
    check_fetch(&source);
    source.git(&["tag", "-d", "one"]);
    source.git(&["tag", "-f", "two", "side"]);
    check_fetch(&source);
    source.git(&["update-ref", "-d", "refs/heads/side"]);
    check_fetch(&source);
}

#[test]
fn a_branch_may_become_a_directory_of_branches() {
    let source = Fixture::new();
    source.commit(&[file("a", "a\n")]);
    source.commit_on("topic", &["main"], &[file("b", "b\n")]);
    check_fetch(&source);
    source.git(&["branch", "-m", "topic", "topic/one"]);
    check_fetch(&source);
    source.git(&["branch", "-m", "topic/one", "topic"]);
    check_fetch(&source);
}

#[test]
fn a_remote_may_be_empty_and_fill_later() {
    let source = Fixture::new();
    let path = fetch(&source).unwrap();
    let opened = repository::open(&path, NO_LIMIT).unwrap().to_thread_local();
    assert!(survey::pin(&opened, &Revisions::Head).unwrap().is_none());
    source.commit(&[file("a", "a\n")]);
    check_fetch(&source);
}

#[test]
fn a_remote_may_lose_all_its_branches() {
    let source = Fixture::new();
    source.commit(&[file("a", "a\n")]);
    check_fetch(&source);
    source.git(&["update-ref", "-d", "refs/heads/main"]);
    let path = fetch(&source).unwrap();
    assert_eq!(refs(&path), "");
}

#[test]
fn a_missing_remote_is_not_found() {
    let source = Fixture::new();
    source.commit(&[file("a", "a\n")]);
    let path = check_fetch(&source);
    let missing = format!("file://{}/missing.git", source.room().display());
    let failure = mirrors(&source).fetch(&missing, None, &AtomicBool::new(false)).unwrap_err();
    assert_eq!(failure.class, FailureClass::NotFound, "{}", failure.message);
    assert!(!mirrors(&source).path(&missing).exists());
    // One that was there and is gone leaves its mirror as it was.
    let before = refs(&path);
    std::fs::rename(source.path(), source.room().join("away.git")).unwrap();
    let failure = fetch(&source).unwrap_err();
    assert_eq!(failure.class, FailureClass::NotFound, "{}", failure.message);
    assert_eq!(refs(&path), before);
}

#[test]
fn a_half_made_mirror_is_replaced() {
    let source = Fixture::new();
    source.commit(&[file("a", "a\n")]);
    let path = mirrors(&source).path(&url(&source));
    let name = format!("unfinished-{}", path.file_name().unwrap().to_str().unwrap());
    let unfinished = path.with_file_name(name);
    std::fs::create_dir_all(unfinished.join("objects")).unwrap();
    std::fs::write(unfinished.join("HEAD"), "half").unwrap();
    check_fetch(&source);
}

#[test]
fn an_interrupted_fetch_leaves_nothing() {
    let source = Fixture::new();
    generated::history(&source, 32, 10);
    let failure = mirrors(&source).fetch(&url(&source), None, &AtomicBool::new(true)).unwrap_err();
    assert_eq!(failure.class, FailureClass::FetchFailed, "{}", failure.message);
    assert_eq!(std::fs::read_dir(source.room().join("mirrors")).unwrap().count(), 0);
    check_fetch(&source);
}

#[test]
fn a_source_may_be_shallow_or_have_a_working_tree() {
    let source = Fixture::new();
    source.commit(&[file("a", "a\n")]);
    source.commit(&[file("a", "b\n")]);
    source.commit(&[file("a", "c\n")]);
    for (name, depth) in [("whole", "100"), ("cut", "2")] {
        let clone = source.room().join(name);
        source.git(&["clone", "--quiet", "--depth", depth, &url(&source), clone.to_str().unwrap()]);
        let remote = format!("file://{}", clone.display());
        let path = mirrors(&source).fetch(&remote, None, &AtomicBool::new(false)).unwrap();
        assert_eq!(facts(&path, "HEAD", NO_LIMIT), facts(&clone, "HEAD", NO_LIMIT), "{name}");
    }
}

/// What is listed says as much as what is fetched, for every choice of revisions.
#[test]
fn a_listing_pins_what_the_mirror_pins() {
    let whole = Fixture::new();
    whole.commit(&[file("a", "a\n")]);
    whole.commit_on("side/way", &["main"], &[file("b", "b\n")]);
    whole.git(&["tag", "light", "side/way"]);
    whole.git(&["-c", "user.name=T", "-c", "user.email=t@x", "tag", "-a", "-m", "m", "heavy"]);
    let renamed = Fixture::new();
    renamed.commit(&[file("a", "a\n")]);
    renamed.git(&["branch", "-m", "main", "trunk"]);
    renamed.git(&["symbolic-ref", "HEAD", "refs/heads/trunk"]);
    let detached = Fixture::new();
    detached.commit(&[file("a", "a\n")]);
    detached.commit_on("side", &["main"], &[file("b", "b\n")]);
    let side = String::from_utf8(run(detached.path(), &["rev-parse", "side"], b"")).unwrap();
    std::fs::write(detached.path().join("HEAD"), side).unwrap();
    let unborn = Fixture::new();
    unborn.commit(&[file("a", "a\n")]);
    unborn.git(&["symbolic-ref", "HEAD", "refs/heads/nowhere"]);
    for (name, source) in [("whole", whole), ("renamed", renamed), ("detached", detached), ("unborn", unborn)]
    {
        let listed = mirrors(&source).list(&url(&source), None).unwrap();
        let path = fetch(&source).unwrap();
        let mirror = repository::open(&path, NO_LIMIT).unwrap().to_thread_local();
        assert_eq!(tags::listed(&listed), tags::refs(&mirror), "{name}");
        let branches = ["main", "trunk", "side", "side/way"].map(|branch| Revisions::Branch(branch.into()));
        for revisions in [Revisions::Head, Revisions::AllBranches].iter().chain(&branches) {
            let fields = |pinned: &survey::Pinned| (pinned.head, pinned.branch.clone(), pinned.tips.clone());
            let listed = listing::pin(&listed, revisions);
            match survey::pin(&mirror, revisions) {
                Ok(pinned) => {
                    let listed = listed.expect("a plain listing says it all");
                    let (listed, pinned) = (listed.as_ref().map(fields), pinned.as_ref().map(fields));
                    assert_eq!(listed, pinned, "{name}: {revisions}");
                }
                Err(_) => assert!(listed.is_none(), "{name}: {revisions}"),
            }
        }
    }
}

#[test]
fn mirrors_that_were_not_wanted_for_longest_make_room_and_those_in_use_stay() {
    let room = Fixture::new();
    let sources: Vec<Fixture> = (0..3)
        .map(|number| {
            let source = Fixture::new();
            source.commit(&[file("a", format!("{number}\n"))]);
            source
        })
        .collect();
    let folder = room.room().join("mirrors");
    let fetch = |limit: Option<u64>, number: usize| {
        let mirrors = Mirrors::new(folder.clone(), gate(), Credentials::default(), limit);
        mirrors.fetch(&url(&sources[number]), None, &AtomicBool::new(false)).unwrap()
    };
    let (first, second) = (fetch(None, 0), fetch(None, 1));
    // Wanted long ago, and longer ago.
    for (path, seconds) in [(&first, 2_000), (&second, 1_000)] {
        let wanted = std::fs::File::create(path.join("gitfleet-wanted")).unwrap();
        wanted.set_modified(SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(seconds)).unwrap();
    }
    let mirrors = Mirrors::new(folder.clone(), gate(), Credentials::default(), Some(1));
    let held = mirrors.hold(&url(&sources[0]));
    let third = mirrors.fetch(&url(&sources[2]), None, &AtomicBool::new(false)).unwrap();
    assert!(first.exists(), "it is read");
    assert!(!second.exists(), "nobody reads it");
    assert!(!third.exists(), "a limit of one byte has room for none that nobody holds");
    drop(held);
    std::fs::create_dir(folder.join("unfinished-x.git")).unwrap();
    mirrors.tidy().unwrap();
    let left: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(left, [first]);
}
