//! What an entry of a tree is, and how it becomes something else.

use crate::fixture::{Fixture, executable, file, gone, submodule, symlink};
use crate::judge::check;

const ONE: &str = "1111111111111111111111111111111111111111";
const TWO: &str = "2222222222222222222222222222222222222222";

#[test]
fn a_mode_change_changes_no_line() {
    let repo = Fixture::new();
    repo.commit(&[file("text", "a\n"), file("binary", "\0")]);
    repo.commit(&[executable("text", "a\n"), executable("binary", "\0")]);
    repo.commit(&[file("text", "a\nb\n"), file("binary", "\0b")]);
    check(&repo, &["0\t0\ttext", "-\t-\tbinary", "1\t0\ttext"]);
}

#[test]
fn modes_of_old_trees_are_plain_files() {
    let repo = Fixture::new();
    let (a, b) = (repo.object("blob", b"a\n"), repo.object("blob", b"b\n"));
    let trees = [
        repo.tree(&[("100664", "f", &a), ("100775", "x", &a)]),
        // Only the names of the modes change here.
        repo.tree(&[("100644", "f", &a), ("100755", "x", &a)]),
        repo.tree(&[("100600", "f", &b), ("100711", "x", &b)]),
        repo.tree(&[("100744", "f", &b), ("100666", "x", &b)]),
        repo.tree(&[("0100644", "f", &b), ("100644", "x", &a)]),
    ];
    let mut tip = repo.commit_tree(&trees[0], &[]);
    for tree in &trees[1..] {
        tip = repo.commit_tree(tree, &[&tip]);
    }
    check(&repo, &["1\t1\tx", "0\t0\tf"]);
}

#[test]
fn directories_with_zeros_before_the_mode_are_directories() {
    let repo = Fixture::new();
    let blob = repo.object("blob", b"a\n");
    let inner = repo.tree(&[("100644", "f", &blob)]);
    let empty = repo.tree(&[]);
    let old = repo.tree(&[("040000", "d", &inner)]);
    let new = repo.tree(&[("40000", "d", &inner), ("40000", "e", &empty)]);
    let first = repo.commit_tree(&old, &[]);
    repo.commit_tree(&new, &[&first]);
    check(&repo, &["1\t0\td/f"]);
}

#[test]
fn a_symlink_is_its_target() {
    let repo = Fixture::new();
    repo.commit(&[symlink("l", "some/where")]);
    repo.commit(&[symlink("l", "else/where")]);
    repo.commit(&[gone("l")]);
    check(&repo, &["1\t0\tl", "1\t1\tl", "0\t1\tl"]);
}

#[test]
fn a_file_becomes_a_symlink_and_a_file_again() {
    let repo = Fixture::new();
    repo.commit(&[file("l", "target"), file("b", "\0")]);
    repo.commit(&[symlink("l", "target"), symlink("b", "target")]);
    repo.commit(&[file("l", "target\n"), file("b", "\0")]);
    check(&repo, &["0\t0\tl", "1\t1\tl", "-\t-\tb"]);
}

#[test]
fn a_submodule_is_one_line() {
    let repo = Fixture::new();
    repo.commit(&[submodule("s", ONE)]);
    repo.commit(&[submodule("s", TWO)]);
    repo.commit(&[gone("s")]);
    check(&repo, &["1\t0\ts", "1\t1\ts", "0\t1\ts"]);
}

#[test]
fn a_file_becomes_a_submodule_and_a_file_again() {
    let repo = Fixture::new();
    repo.commit(&[file("s", "a\nb\n")]);
    repo.commit(&[submodule("s", ONE)]);
    repo.commit(&[symlink("s", "target")]);
    repo.commit(&[submodule("s", ONE)]);
    repo.commit(&[file("s", format!("Subproject commit {ONE}\n"))]);
    check(&repo, &["1\t2\ts", "1\t1\ts", "0\t0\ts"]);
}

#[test]
fn a_directory_becomes_a_submodule_and_a_directory_again() {
    let repo = Fixture::new();
    repo.commit(&[file("s/a", "a\n"), file("s/b", "b\n"), file("s.c", "c\n"), file("s0", "0\n")]);
    repo.commit(&[gone("s"), submodule("s", ONE)]);
    repo.commit(&[gone("s"), file("s/a", "a\n")]);
    check(&repo, &["0\t1\ts/a", "1\t0\ts"]);
}

#[test]
fn what_gitmodules_ignores_is_still_a_change() {
    // Git passes over `ignore = all` where there is a working copy of .gitmodules, and only there.
    let repo = Fixture::new();
    let modules =
        |ignore: &str| format!("[submodule \"s\"]\n\tpath = s\n\turl = ../s\n\tignore = {ignore}\n");
    repo.commit(&[file(".gitmodules", modules("dirty")), submodule("s", ONE)]);
    repo.commit(&[submodule("s", TWO)]);
    repo.commit(&[file(".gitmodules", modules("all"))]);
    check(&repo, &["1\t1\t.gitmodules", "1\t1\ts"]);
}

#[test]
fn a_directory_becomes_a_file_and_a_directory_again() {
    let repo = Fixture::new();
    // Entries between `d` and `d/` in the order of trees.
    let neighbours = || ["d!", "d-x", "d.txt", "d0"].map(|name| file(name, format!("{name}\n")));
    repo.commit(&neighbours());
    repo.commit(&[file("d/a", "a\n"), file("d/b/c", "c\nc\n")]);
    repo.commit(&[gone("d"), file("d", "a\nb\n")]);
    repo.commit(&[gone("d"), file("d/b/c", "c\n"), gone("d.txt")]);
    repo.commit(&[gone("d"), symlink("d", "d0"), file("d.txt/x", "x\n")]);
    check(&repo, &["0\t2\td/b/c", "1\t0\td/a => d", "1\t0\td.txt/x"]);
}

#[test]
fn directories_may_be_deep() {
    let repo = Fixture::new();
    let deep = "d/".repeat(150);
    repo.commit(&[file(format!("{deep}f"), "a\n")]);
    repo.commit(&[file(format!("{deep}f"), "a\nb\n"), file("e/f/g/h/i", "i\n")]);
    repo.commit(&[gone("d")]);
    check(&repo, &["1\t0\te/f/g/h/i"]);
}
