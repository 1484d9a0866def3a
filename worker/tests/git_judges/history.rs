//! Shapes of history.

use crate::fixture::{Fixture, file, gone};
use crate::judge::{NO_LIMIT, check, facts, judge};

#[test]
fn an_empty_commit_has_no_line() {
    let repo = Fixture::new();
    repo.commit(&[]);
    repo.commit(&[file("a", "a\n")]);
    repo.commit(&[]);
    assert_eq!(judge(&repo).len(), 1);
    assert_eq!(facts(repo.path(), "HEAD", NO_LIMIT).len(), 3);
}

#[test]
fn every_root_adds_all_it_has() {
    let repo = Fixture::new();
    let one = repo.commit_on("one", &[], &[file("a", "a\n")]);
    let two = repo.commit_on("two", &[], &[file("b", "b\nb\n")]);
    let three = repo.commit_on("three", &[&two], &[gone("b"), file("c", "c\n")]);
    repo.commit_on("main", &[&one, &three], &[file("c", "c\n")]);
    check(&repo, &["1\t0\ta", "2\t0\tb", "0\t2\tb"]);
}

#[test]
fn an_octopus_merge_has_no_line() {
    let repo = Fixture::new();
    let base = repo.commit(&[file("a", "a\n")]);
    let sides: Vec<String> = ["x", "y", "z"]
        .iter()
        .map(|side| repo.commit_on(side, &[&base], &[file(side, format!("{side}\n"))]))
        .collect();
    let parents = [&base, &sides[0], &sides[1], &sides[2]].map(String::as_str);
    repo.commit_on(
        "main",
        &parents,
        &[file("x", "x\n"), file("y", "y\n"), file("z", "z\n"), file("evil", "e\n")],
    );
    assert_eq!(judge(&repo).len(), 4);
}

#[test]
fn criss_cross_merges_are_walked_once() {
    let repo = Fixture::new();
    let base = repo.commit(&[file("a", "a\n"), file("b", "b\n")]);
    let mut left = repo.commit_on("left", &[&base], &[file("a", "a\nl\n")]);
    let mut right = repo.commit_on("right", &[&base], &[file("b", "b\nr\n")]);
    for round in 0..5 {
        let merged_left = repo.commit_on("left", &[&left, &right], &[file("b", "b\nr\n")]);
        right = repo.commit_on("right", &[&right, &left], &[file("a", "a\nl\n")]);
        left = merged_left;
        left = repo.commit_on("left", &[&left], &[file("l", format!("{round}\n"))]);
    }
    repo.commit_on("main", &[&left, &right], &[]);
    judge(&repo);
    let n_commits: usize = repo.git(&["rev-list", "--count", "HEAD"]).parse().unwrap();
    assert_eq!(facts(repo.path(), "HEAD", NO_LIMIT).len(), n_commits);
}

#[test]
fn a_commit_that_names_its_parent_twice_is_a_merge() {
    let repo = Fixture::new();
    let first = repo.commit(&[file("a", "a\n")]);
    let tree = repo.git(&["rev-parse", "HEAD^{tree}"]);
    repo.commit(&[file("b", "b\n")]);
    repo.commit_tree(&tree, &[&first, &first]);
    assert_eq!(judge(&repo).len(), 1);
}

#[test]
fn replacements_have_no_say() {
    let repo = Fixture::new();
    let first = repo.commit(&[file("a", "a\n")]);
    let second = repo.commit(&[file("b", "b\n")]);
    repo.git(&["replace", &second, &first]);
    let files: usize = facts(repo.path(), "HEAD", NO_LIMIT).iter().map(|facts| facts.files.len()).sum();
    assert_eq!(files, 2);
}

#[test]
fn a_tag_is_followed_to_its_commit() {
    let repo = Fixture::new();
    repo.commit(&[file("a", "a\n")]);
    repo.git(&["-c", "user.name=T", "-c", "user.email=t@x", "tag", "--annotate", "--message=of a tag", "v1"]);
    repo.git(&[
        "-c",
        "user.name=T",
        "-c",
        "user.email=t@x",
        "tag",
        "--annotate",
        "--message=of a tag",
        "v2",
        "v1",
    ]);
    repo.commit(&[file("b", "b\n")]);
    crate::judge::judge_at(repo.path(), "v2");
    assert_eq!(facts(repo.path(), "v2", NO_LIMIT).len(), 1);
}
