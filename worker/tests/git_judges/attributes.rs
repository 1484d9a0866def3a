//! What is binary by attribute, taken from the tree of the tip.

use crate::fixture::{Fixture, executable, file, gone, symlink};
use crate::judge::{NO_LIMIT, check, engine, judge};

const TEXT: &str = "a\nb\n";
const NUL: &str = "a\0\nb\n";

/// Files of all kinds of names, once text and once with a NUL, under these `.gitattributes`.
fn repository(attributes: &[(&str, &str)]) -> Fixture {
    let names = [
        "a.txt",
        "a.bin",
        "b.dat",
        "A.TXT",
        "sp ace.txt",
        "q\"uote.txt",
        "d/a.txt",
        "d/a.bin",
        "d/e/a.txt",
        "d/e/f/a.bin",
        "d/e/f/g.txt",
        "other/d/a.txt",
        "[x].txt",
        "x.txt",
        "#hash.txt",
        "!bang.txt",
    ];
    let repo = Fixture::new();
    let put = |content: &str| -> Vec<_> {
        let texts = names.iter().map(|name| file(name, content));
        let binaries = names.iter().map(|name| file(format!("nul/{name}"), format!("{NUL}{content}")));
        texts.chain(binaries).collect()
    };
    repo.commit(&put(TEXT));
    repo.commit(&put("a\nb\nc\n"));
    repo.commit(&attributes.iter().map(|(path, content)| file(path, content)).collect::<Vec<_>>());
    repo
}

fn check_rules(rules: &str, lines: &[&str]) {
    check(&repository(&[(".gitattributes", rules)]), lines);
}

#[test]
fn binary_and_unset_diff_make_binaries() {
    check_rules("*.txt binary\n", &["-\t-\td/e/a.txt", "1\t0\ta.bin"]);
    check_rules("*.txt -diff\n", &["-\t-\td/e/a.txt", "1\t0\ta.bin"]);
}

#[test]
fn set_diff_makes_text() {
    check_rules("*.txt diff\n", &["1\t0\tnul/a.txt", "-\t-\tnul/a.bin"]);
}

#[test]
fn a_driver_leaves_it_to_the_content() {
    for driver in ["python", "no-such-driver", "default", ""] {
        check_rules(&format!("*.txt diff={driver}\n"), &["1\t0\ta.txt", "-\t-\tnul/a.txt"]);
    }
}

#[test]
fn unspecified_diff_takes_back_what_was_said() {
    check_rules("*.txt binary\na.txt !diff\n", &["1\t0\td/a.txt", "-\t-\tx.txt", "-\t-\tnul/a.txt"]);
}

#[test]
fn the_last_rule_of_a_file_wins() {
    check_rules("*.txt -diff\n*.txt diff\n", &["1\t0\tnul/a.txt"]);
    check_rules("*.txt diff -diff\n", &["-\t-\ta.txt"]);
    check_rules("*.txt -diff diff\n", &["1\t0\tnul/a.txt"]);
}

#[test]
fn other_attributes_say_nothing() {
    check_rules("* text=auto eol=lf\n*.txt -text -merge filter=lfs\n", &["1\t0\ta.txt", "-\t-\tnul/a.txt"]);
}

#[test]
fn the_lfs_rule_makes_no_binary() {
    check_rules("*.bin filter=lfs diff=lfs merge=lfs -text\n", &["1\t0\ta.bin", "-\t-\tnul/a.bin"]);
}

#[test]
fn macros_expand() {
    check_rules("[attr]blob -diff\n*.txt blob\n", &["-\t-\ta.txt"]);
    check_rules("[attr]blob binary\n*.txt blob\n", &["-\t-\ta.txt"]);
    check_rules("[attr]prose diff\n*.txt binary prose\n", &["1\t0\tnul/a.txt"]);
    check_rules("[attr]prose diff\n*.txt prose binary\n", &["-\t-\ta.txt"]);
}

#[test]
fn a_macro_may_be_used_before_it_is_defined() {
    check_rules("*.txt blob\n[attr]blob -diff\n", &["-\t-\ta.txt"]);
    check_rules("*.txt outer\n[attr]outer inner\n[attr]inner -diff\n", &["-\t-\ta.txt"]);
}

#[test]
fn a_macro_expands_only_where_it_is_set() {
    check_rules("*.txt -binary\n", &["1\t0\ta.txt"]);
    check_rules("*.txt !binary\n", &["1\t0\ta.txt"]);
    check_rules("*.txt binary=yes\n", &["1\t0\ta.txt"]);
    check_rules("*.txt binary\na.txt -binary\n", &["-\t-\tx.txt"]);
    check_rules("*.txt binary\na.txt !binary\n", &["-\t-\tx.txt"]);
}

#[test]
fn a_builtin_macro_may_be_redefined() {
    check_rules("[attr]binary diff\n*.txt binary\n", &["1\t0\tnul/a.txt"]);
    check_rules("[attr]blob -diff\n[attr]blob diff\n*.txt blob\n", &["1\t0\tnul/a.txt"]);
}

#[test]
fn macros_of_nested_files_are_none() {
    let files = [("d/.gitattributes", "[attr]blob -diff\n*.txt blob\n")];
    check(&repository(&files), &["1\t0\td/a.txt"]);
}

#[test]
fn macros_of_the_root_reach_nested_files() {
    let files = [(".gitattributes", "[attr]blob -diff\n"), ("d/.gitattributes", "*.txt blob\n")];
    check(&repository(&files), &["-\t-\td/a.txt", "1\t0\ta.txt"]);
}

#[test]
fn nested_files_override_those_above() {
    let files = [
        (".gitattributes", "*.txt binary\nd/e/a.txt diff\n"),
        ("d/.gitattributes", "*.txt !diff\n/a.bin -diff\n"),
        ("d/e/.gitattributes", "a.txt -diff\nf/*.txt diff\n"),
    ];
    check(&repository(&files), &["-\t-\ta.txt", "1\t0\td/a.txt", "-\t-\td/e/a.txt", "-\t-\td/a.bin"]);
}

#[test]
fn patterns_match_as_git_matches() {
    for pattern in [
        "*",
        "a.txt",
        "/a.txt",
        "d/a.txt",
        "/d/a.txt",
        "d/",
        "d",
        "d/*",
        "d/**",
        "**/a.txt",
        "**/e/*",
        "d/**/g.txt",
        "**",
        "/*",
        "*/a.txt",
        "d/*/a.txt",
        "[ab].txt",
        "[!a].txt",
        "[^a].txt",
        "?.txt",
        "\\[x\\].txt",
        "[x].txt",
        "[[:alpha:]].txt",
        "*.[tb]*",
        "A.txt",
        "!a.txt",
        "\\!bang.txt",
        "\\#hash.txt",
        "#hash.txt",
        "a.txt/",
        "./a.txt",
        "d//a.txt",
        "nul/**/f/*",
        "*.t?t",
        "a*",
        "**a.txt",
        "d/**a.txt",
        "\\a.txt",
        "[a-c].*",
        "[",
        "a[",
        "\"sp ace.txt\"",
        "\"sp\\040ace.txt\"",
        "\"q\\\"uote.txt\"",
        "\"a.txt\"",
        "sp?ace.txt",
        "sp[[:space:]]ace.txt",
        "/nul/",
        "nul/d/e/",
        "***/a.txt",
        "d/***",
        "*.{txt,bin}",
    ] {
        let lines =
            judge(&repository(&[(".gitattributes", &format!("{pattern} -diff\nnul/{pattern} diff\n"))]));
        assert!(!lines.is_empty(), "{pattern}");
    }
}

#[test]
fn lines_are_parsed_as_git_parses_them() {
    for rules in [
        "*.txt -diff",
        "*.txt -diff\r\n*.bin -diff\r\n",
        "  *.txt \t -diff  \n",
        "# *.txt -diff\n",
        " # *.txt -diff\n",
        "*.txt # -diff\n",
        "*.txt --diff\n",
        "*.txt -!diff\n",
        "*.txt +diff\n",
        "*.txt -diff=yes\n",
        "*.txt diff= -diff\n",
        "*.txt =diff -diff\n",
        "*.txt -bad@name -diff\n",
        "*.txt bad@name -diff\n",
        "*.txt -diff bad@name\n",
        "*.txt\n*.bin -diff\n",
        "*.txt -text,-diff\n",
        "\n\n*.txt -diff\n\n",
        "*.txt -diff\u{b}\n",
        "*.txt\u{c}-diff\n",
        "*.txt\u{a0}-diff\n",
        "[attr]\n*.txt -diff\n",
        "[attr]bad@name -diff\n*.txt bad@name\n*.bin -diff\n",
        "[attr] blob -diff\n*.txt blob\n",
        "[attr]-blob -diff\n*.txt blob\n",
        "\"*.txt -diff\n*.bin -diff\n",
        "\"*.txt\"-diff\n*.bin -diff\n",
        "!*.txt -diff\n*.bin -diff\n",
        "[attr]a b\n[attr]b a -diff\n*.txt a\n",
        "*.txt builtin_objectmode -diff\n",
        "*.txt diff=set\n*.bin diff=unset\n",
    ] {
        judge(&repository(&[(".gitattributes", rules)]));
    }
}

#[test]
fn a_line_may_be_long() {
    check_rules(&line_of(2_047), &["-\t-\ta.txt", "-\t-\ta.bin"]);
}

#[test]
fn a_line_that_is_too_long_is_passed_over() {
    check_rules(&line_of(2_048), &["1\t0\ta.txt", "-\t-\ta.bin"]);
}

/// A rule of `length` bytes, and another.
fn line_of(length: usize) -> String {
    format!("*.txt {} -diff\n*.bin -diff\n", "x".repeat(length - "*.txt  -diff".len()))
}

#[test]
fn a_byte_order_mark_belongs_to_the_pattern() {
    // So git takes files from a tree; in a working tree it skips the mark.
    check_rules("\u{feff}*.txt -diff\n*.bin -diff\n", &["1\t0\ta.txt", "-\t-\ta.bin"]);
}

#[test]
fn rules_hold_for_the_path_each_side_has() {
    let repo = Fixture::new();
    let text = "line\n".repeat(20);
    repo.commit(&[file("a.txt", &text), file("b.bin", &text)]);
    repo.commit(&[
        gone("a.txt"),
        gone("b.bin"),
        file("a.bin", format!("{text}a\n")),
        file("b.txt", format!("{text}b\n")),
    ]);
    repo.commit(&[file(".gitattributes", "*.bin binary\n")]);
    check(&repo, &["-\t-\ta.txt => a.bin"]);
}

#[test]
fn rules_of_the_tip_hold_for_all_history() {
    let repo = Fixture::new();
    repo.commit(&[file(".gitattributes", "*.txt binary\n"), file("a.txt", TEXT)]);
    repo.commit(&[file("a.txt", NUL)]);
    repo.commit(&[file(".gitattributes", "*.txt diff\n")]);
    check(&repo, &["2\t0\ta.txt", "1\t1\ta.txt"]);
    repo.commit(&[gone(".gitattributes")]);
    check(&repo, &["2\t0\ta.txt", "-\t-\ta.txt"]);
}

#[test]
fn rules_say_nothing_of_symlinks() {
    let repo = Fixture::new();
    repo.commit(&[symlink("l.txt", "target"), executable("x.txt", TEXT)]);
    repo.commit(&[file("l.txt", TEXT), file(".gitattributes", "*.txt binary\n")]);
    repo.commit(&[symlink("l.txt", "other")]);
    check(&repo, &["1\t0\tl.txt", "-\t-\tl.txt", "-\t-\tx.txt"]);
}

#[test]
fn rules_that_are_no_file_are_none() {
    let repo = Fixture::new();
    repo.commit(&[file("a.txt", TEXT), symlink(".gitattributes", "rules"), file("rules", "*.txt binary\n")]);
    check(&repo, &["2\t0\ta.txt"]);
    let repo = Fixture::new();
    repo.commit(&[file("a.txt", TEXT), file(".gitattributes/rules", "*.txt binary\n")]);
    check(&repo, &["2\t0\ta.txt"]);
}

#[test]
fn paths_that_are_not_utf8_are_matched_by_bytes() {
    let repo = Fixture::new();
    repo.commit(&[file(b"caf\xe9.txt", TEXT), file("caf\u{e9}.txt", TEXT), file(b"d\xff/a", TEXT)]);
    repo.commit(&[
        file(b".gitattributes", b"caf\xe9.txt -diff\n"),
        file(b"d\xff/.gitattributes", "a -diff\n"),
    ]);
    check(&repo, &["-\t-\t\"caf\\351.txt\"", "2\t0\t\"caf\\303\\251.txt\"", "-\t-\t\"d\\377/a\""]);
}

#[test]
fn the_digest_changes_with_the_rules_that_matter() {
    let digest = |rules: &str| {
        let repo = repository(&[(".gitattributes", rules)]);
        engine(repo.path(), NO_LIMIT).digest()
    };
    let distinct = |one: &str, other: &str| {
        assert_ne!(digest(one), digest(other), "{one:?} {other:?}");
    };
    distinct("*.txt -diff\n", "*.bin -diff\n");
    distinct("*.txt -diff\n", "*.txt diff\n");
    assert_eq!(digest("*.txt text\n"), digest("*.bin eol=lf\n"));
}

#[test]
fn the_digest_knows_macros_that_are_defined_later() {
    let digest = |rules: &str| {
        let repo = repository(&[(".gitattributes", rules)]);
        check(&repo, &["-\t-\ta.bin"]);
        engine(repo.path(), NO_LIMIT).digest()
    };
    assert_ne!(digest("*.bin blob\n[attr]blob -diff\n"), digest("* blob\n[attr]blob -diff\n"));
}
