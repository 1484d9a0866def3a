//! Every object comes out as git itself gives it, however it is stored, and as nothing but what it is.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use gitfleet_worker::objects::{Objects, ReadError};
use gitfleet_worker::pack::Packs;
use gitfleet_worker::repository;
use gix::object::Kind;

use crate::fixture::{Fixture, file, run};
use crate::generated::history;
use crate::judge::{NO_LIMIT, limits};

type All = BTreeMap<gix::ObjectId, (Kind, Vec<u8>)>;

/// Returns all objects that git finds.
fn all(path: &Path) -> All {
    let check = ["cat-file", "--batch-all-objects", "--batch-check=%(objectname)"];
    let ids = run(path, &check, b"");
    let printed = run(path, &["cat-file", "--batch"], &ids);
    let mut rest = printed.as_slice();
    let mut all = All::new();
    while !rest.is_empty() {
        let end = rest.iter().position(|byte| *byte == b'\n').unwrap();
        let head: Vec<&str> = std::str::from_utf8(&rest[..end]).unwrap().split(' ').collect();
        let bytes: usize = head[2].parse().unwrap();
        let content = rest[end + 1..][..bytes].to_vec();
        rest = &rest[end + 1 + bytes + 1..];
        let id = gix::ObjectId::from_hex(head[0].as_bytes()).unwrap();
        all.insert(id, (Kind::from_bytes(head[1].as_bytes()).unwrap(), content));
    }
    all
}

fn read(objects: &Objects, id: &gix::oid, kind: Kind) -> Result<Vec<u8>, ReadError> {
    let content = match kind {
        Kind::Blob => objects.blob(id),
        Kind::Tree => objects.tree(id),
        Kind::Commit => objects.commit(id),
        Kind::Tag => unreachable!("nobody reads tags"),
    };
    content.map(|content| content.to_vec())
}

/// Reads everything of `expected` in several orders, each with caches of its own: what is read first is a base at
/// times, and what is built on it at others.
fn check(path: &Path, expected: &All) {
    assert!(expected.len() > 300, "{} objects are too few", expected.len());
    let opened = repository::open(path, NO_LIMIT).unwrap();
    let mut order: Vec<_> = expected.iter().collect();
    for turn in 0..3 {
        let objects = Objects::new(opened.to_thread_local(), limits(NO_LIMIT));
        match turn {
            0 => {}
            1 => order.reverse(),
            _ => order.sort_by_key(|(_, (_, content))| content.len()),
        }
        for (id, (kind, content)) in &order {
            for asked in [Kind::Blob, Kind::Tree, Kind::Commit, *kind] {
                if asked == Kind::Tag {
                    continue;
                }
                let said = read(&objects, id, asked);
                if asked == *kind {
                    assert!(said.as_ref() == Ok(content), "{kind} {id}: {said:?}");
                } else {
                    assert_eq!(said, Err(ReadError::Corrupt((*id).to_owned())), "{kind} {id} as {asked}");
                }
            }
        }
    }
}

/// Checks all that git finds at `path`, and returns how many objects our own reader gave and how many it left to gix.
fn check_all(path: &Path) -> (usize, usize) {
    let expected = all(path);
    check(path, &expected);
    by_ourselves(path, &expected)
}

fn by_ourselves(path: &Path, expected: &All) -> (usize, usize) {
    let opened = repository::open(path, NO_LIMIT).unwrap().to_thread_local();
    let mut packs = Packs::open(&path.join("objects"), opened.object_hash(), 1 << 20, NO_LIMIT);
    let (mut ours, mut left) = (0, 0);
    for (id, (kind, content)) in expected.iter().filter(|(_, (kind, _))| *kind != Kind::Tag) {
        match packs.read(id, *kind) {
            Some(said) => {
                assert!(said.is_ok_and(|said| *said == *content), "{kind} {id}");
                ours += 1;
            }
            None => left += 1,
        }
    }
    (ours, left)
}

/// A generated history with tags, and with contents of all sizes.
fn repository_of(options: &[&str]) -> Fixture {
    let repo = Fixture::with(options);
    history(&repo, 21, 60);
    let large: Vec<u8> = (0..3_000_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let mut edited = large.clone();
    edited[1_000_000] ^= 1;
    repo.commit(&[file("large", &large), file("empty", ""), file("one", "1")]);
    repo.commit(&[file("large", edited), file("one", "1\n")]);
    repo.git(&["-c", "user.name=a", "-c", "user.email=b", "tag", "-a", "-m", "of a commit", "one", "HEAD"]);
    repo.git(&["-c", "user.name=a", "-c", "user.email=b", "tag", "-a", "-m", "of a tag", "two", "one"]);
    repo
}

fn repack(repo: &Fixture, options: &[&str]) {
    // Several threads would make other chains each time.
    repo.git(&[&["-c", "pack.threads=1", "repack", "-q"], options].concat());
}

fn files(repo: &Fixture, extension: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(repo.path().join("objects/pack")).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|found| found == extension));
    paths
}

/// Returns the longest delta chain of all packs.
fn longest_chain(repo: &Fixture) -> usize {
    let mut longest = 0;
    for index in files(repo, "idx") {
        let said = repo.git(&["verify-pack", "-v", index.to_str().unwrap()]);
        let depths = said.lines().filter_map(|line| line.split_ascii_whitespace().nth(5)?.parse().ok());
        longest = depths.fold(longest, usize::max);
    }
    longest
}

#[test]
fn loose_objects() {
    let repo = repository_of(&[]);
    let aside = repo.room().join("aside.pack");
    for pack in files(&repo, "pack") {
        std::fs::rename(&pack, &aside).unwrap();
        std::fs::remove_file(pack.with_extension("idx")).unwrap();
        run(repo.path(), &["unpack-objects", "-q"], &std::fs::read(&aside).unwrap());
    }
    let (ours, left) = check_all(repo.path());
    assert!(ours == 0 && left > 0);
}

#[test]
fn one_pack_of_deep_chains() {
    for (depth, window) in [("50", "50"), ("250", "50")] {
        let repo = repository_of(&[]);
        repack(&repo, &["-adf", &format!("--depth={depth}"), &format!("--window={window}")]);
        assert!(longest_chain(&repo) > 3);
        let (ours, left) = check_all(repo.path());
        assert!(ours > 300 && left == 0);
    }
}

#[test]
fn a_chain_as_long_as_git_makes_them() {
    let repo = Fixture::new();
    let mut lines: Vec<String> = (0..40u32).map(|n| format!("{}\n", n.wrapping_mul(2_654_435_761))).collect();
    repo.stream(|stream| {
        let mut tip = Vec::new();
        for n in 0..300 {
            lines[n % 40].insert(0, 'x');
            tip = vec![stream.commit("main", &tip, &[file("a", lines.concat())])];
        }
    });
    repack(&repo, &["-adf", "--depth=4095", "--window=10"]);
    assert!(longest_chain(&repo) > 100, "{}", longest_chain(&repo));
    assert_eq!(check_all(repo.path()).1, 0);
}

#[test]
fn several_packs_and_loose_objects() {
    let repo = repository_of(&[]);
    for n in 0..3 {
        repack(&repo, &["-d"]);
        repo.commit(&[file(format!("more{n}"), "more\n".repeat(n + 1))]);
    }
    assert!(files(&repo, "pack").len() > 2);
    let (ours, left) = check_all(repo.path());
    assert!(ours > 300 && left > 0);
}

#[test]
fn alternates() {
    let repo = repository_of(&[]);
    repack(&repo, &["-ad"]);
    let shared = repo.room().join("shared.git");
    repo.git(&["clone", "--quiet", "--bare", "--shared", ".", shared.to_str().unwrap()]);
    run(&shared, &["hash-object", "-w", "--stdin"], b"only here\n");
    assert!(shared.join("objects/info/alternates").exists());
    check_all(&shared);
}

#[test]
fn a_multi_pack_index() {
    let repo = repository_of(&[]);
    repack(&repo, &["-d"]);
    repo.commit(&[file("more", "more\n")]);
    repack(&repo, &["-d"]);
    repo.git(&["multi-pack-index", "write"]);
    let expected = all(repo.path());
    check_all(repo.path());
    // Objects can then be found by the one index only, by which git itself would find none.
    for index in files(&repo, "idx") {
        std::fs::remove_file(index).unwrap();
    }
    check(repo.path(), &expected);
}

#[test]
fn deltas_that_name_their_base_by_id() {
    let repo = repository_of(&[]);
    repo.git(&["config", "repack.useDeltaBaseOffset", "false"]);
    repack(&repo, &["-adf", "--depth=100", "--window=20"]);
    assert!(longest_chain(&repo) > 3);
    assert_eq!(check_all(repo.path()).1, 0);
}

#[test]
fn sha_256() {
    let repo = repository_of(&["--object-format=sha256"]);
    check_all(repo.path());
    for by_offset in ["true", "false"] {
        repo.git(&["config", "repack.useDeltaBaseOffset", by_offset]);
        repack(&repo, &["-adf"]);
        assert_eq!(check_all(repo.path()).1, 0);
    }
}

#[test]
fn indexes_of_other_forms() {
    // The old one; and one that has most offsets in the table for packs above two gigabytes.
    for form in ["--index-version=1", "--index-version=2,0x40"] {
        let repo = repository_of(&[]);
        repack(&repo, &["-ad"]);
        for pack in files(&repo, "pack") {
            let index = pack.with_extension("idx");
            let before = std::fs::read(&index).unwrap();
            std::fs::remove_file(&index).unwrap();
            repo.git(&["index-pack", form, pack.to_str().unwrap()]);
            assert_ne!(std::fs::read(&index).unwrap().len(), before.len());
        }
        assert_eq!(check_all(repo.path()).1, 0, "{form}");
    }
}

#[test]
fn a_partial_clone() {
    let repo = repository_of(&[]);
    repo.git(&["config", "uploadpack.allowFilter", "true"]);
    let partial = repo.room().join("partial.git");
    let url = format!("file://{}", repo.path().display());
    repo.git(&["clone", "--quiet", "--bare", "--filter=blob:limit=1k", &url, partial.to_str().unwrap()]);
    check_all(&partial);
    let (whole, there) = (all(repo.path()), all(&partial));
    let opened = repository::open(&partial, NO_LIMIT).unwrap().to_thread_local();
    let objects = Objects::new(opened, limits(NO_LIMIT));
    let missing: Vec<_> = whole.iter().filter(|(id, _)| !there.contains_key(*id)).collect();
    assert!(missing.len() > 20);
    for (id, (kind, _)) in missing {
        assert_eq!(read(&objects, id, *kind), Err(ReadError::Missing(*id)));
    }
}
