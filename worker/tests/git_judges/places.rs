//! Where and how a repository is stored.

use std::path::PathBuf;

use gitfleet_shared::contract::{FailureClass, Revisions};
use gitfleet_worker::door::Part;
use gitfleet_worker::facts::Depth;
use gitfleet_worker::{repository, survey};

use crate::fixture::{Fixture, file, gone, run, submodule, symlink};
use crate::generated;
use crate::judge::{NO_LIMIT, facts, judge, judge_at, limits};

/// Clones `fixture` beside itself.
fn clone(fixture: &Fixture, options: &[&str]) -> PathBuf {
    let target = fixture.room().join("clone");
    let url = format!("file://{}", fixture.path().display());
    run(fixture.room(), &[&["clone", "--quiet"], options, &[&url, target.to_str().unwrap()]].concat(), b"");
    target
}

fn some_history(fixture: &Fixture) -> String {
    fixture.commit(&[file("a", "a\n"), file("b", "b\n"), file(".gitattributes", "*.bin binary\n")]);
    fixture.commit(&[file("a", "a\na\n"), file("x.bin", "text\n")]);
    fixture.commit(&[gone("a"), file("c", "a\na\n")]);
    fixture.commit(&[file("b", "c\n")])
}

#[test]
fn a_shallow_clone_begins_where_it_is_cut() {
    let repo = Fixture::new();
    some_history(&repo);
    let base = repo.git(&["rev-parse", "main"]);
    let side = repo.commit_on("side", &[&base], &[file("s", "s\n")]);
    let main = repo.commit(&[file("m", "m\n")]);
    repo.commit_on("main", &[&main, &side], &[file("s", "s\n")]);
    repo.commit(&[file("t", "t\n")]);
    for depth in ["1", "2", "3", "4", "5", "100"] {
        let shallow = clone(&repo, &["--depth", depth]);
        judge_at(&shallow, "HEAD");
        std::fs::remove_dir_all(shallow).unwrap();
    }
}

#[test]
fn a_working_tree_is_read_from_its_objects() {
    let repo = Fixture::new();
    some_history(&repo);
    let clone = clone(&repo, &[]);
    // Neither changed files nor changed rules of the working copy count.
    std::fs::write(clone.join(".gitattributes"), "* binary\n").unwrap();
    std::fs::write(clone.join("b"), "dirty\n").unwrap();
    judge_at(&clone, "HEAD");
    let head = facts(&clone, "HEAD", NO_LIMIT);
    assert_eq!(head, facts(&clone.join(".git"), "HEAD", NO_LIMIT));
    assert_eq!(head, facts(repo.path(), "HEAD", NO_LIMIT));
}

#[test]
fn a_linked_worktree_has_its_own_head() {
    let repo = Fixture::new();
    let tip = some_history(&repo);
    repo.commit_on("side", &[&tip], &[file("side", "s\n")]);
    let worktree = repo.room().join("worktree");
    repo.git(&["worktree", "add", "--quiet", worktree.to_str().unwrap(), "side"]);
    let lines = judge_at(&worktree, "HEAD");
    assert!(lines.iter().any(|line| line == "1\t0\tside"));
    assert!(judge(&repo).len() < lines.len());
}

#[test]
fn deltas_and_loose_objects_are_read_alike() {
    let repo = Fixture::new();
    generated::history(&repo, 1, 40);
    let loose = facts(repo.path(), "HEAD", NO_LIMIT);
    repo.git(&["repack", "-adfq", "--depth=50", "--window=20"]);
    assert_eq!(facts(repo.path(), "HEAD", NO_LIMIT), loose);
    repo.commit(&[file("loose", "l\n")]);
    judge(&repo);
    repo.git(&["repack", "-dq"]);
    repo.git(&["multi-pack-index", "write"]);
    repo.git(&["commit-graph", "write", "--reachable"]);
    repo.commit(&[file("later", "l\n")]);
    judge(&repo);
}

#[test]
fn objects_may_lie_with_an_alternate() {
    let repo = Fixture::new();
    some_history(&repo);
    let target = repo.room().join("borrower");
    run(repo.room(), &["clone", "--quiet", "--shared", "repository.git", "borrower"], b"");
    assert!(target.join(".git/objects/info/alternates").exists());
    judge_at(&target, "HEAD");
}

#[test]
fn sha256_repositories_are_read_like_others() {
    let repo = Fixture::with(&["--object-format=sha256"]);
    some_history(&repo);
    repo.commit(&[submodule("s", &"1".repeat(64)), symlink("l", "target")]);
    repo.commit(&[submodule("s", &"2".repeat(64))]);
    judge(&repo);
    repo.git(&["repack", "-adq"]);
    judge(&repo);
}

#[test]
fn refs_in_a_table_are_refused_by_name() {
    let repo = Fixture::new();
    // As `git init --ref-format=reftable` of newer gits writes it.
    repo.git(&["config", "core.repositoryFormatVersion", "1"]);
    repo.git(&["config", "extensions.refStorage", "reftable"]);
    let failure = repository::open(repo.path(), NO_LIMIT).map(drop).unwrap_err();
    assert_eq!(failure.class, FailureClass::UnsupportedFormat, "{}", failure.message);
}

#[test]
fn an_unknown_extension_is_refused_by_name() {
    let repo = Fixture::new();
    repo.git(&["config", "core.repositoryFormatVersion", "1"]);
    repo.git(&["config", "extensions.objectFormat", "sha512"]);
    let failure = repository::open(repo.path(), NO_LIMIT).map(drop).unwrap_err();
    assert_eq!(failure.class, FailureClass::UnsupportedFormat, "{}", failure.message);
}

#[test]
fn what_is_no_repository_is_refused_by_name() {
    let repo = Fixture::new();
    let check = |path: PathBuf, class| {
        assert_eq!(
            repository::open(&path, NO_LIMIT).map(drop).unwrap_err().class,
            class,
            "{}",
            path.display()
        );
    };
    check(repo.room().join("nowhere"), FailureClass::NotFound);
    check(repo.path().join("HEAD"), FailureClass::NotARepository);
    check(repo.room().to_owned(), FailureClass::NotARepository);
}

#[test]
fn an_empty_repository_has_no_snapshot() {
    let repo = Fixture::new();
    let opened = repository::open(repo.path(), NO_LIMIT).unwrap().to_thread_local();
    for revisions in [Revisions::Head, Revisions::AllBranches] {
        assert!(survey::pin(&opened, &revisions).unwrap().is_none(), "{revisions}");
    }
    assert!(
        gitfleet_worker::door::facts(
            repo.path(),
            "HEAD",
            1,
            limits(NO_LIMIT),
            Depth::Counts,
            Part::WHOLE,
            |_| Ok(())
        )
        .is_err()
    );
}
