//! What is a line, and what is binary by its content.

use crate::fixture::{Fixture, file, gone};
use crate::judge::check;

/// Commits each content under one name, one after the other.
fn check_contents(contents: &[&[u8]], lines: &[&str]) {
    let repo = Fixture::new();
    for content in contents {
        repo.commit(&[file("f", content)]);
    }
    repo.commit(&[gone("f")]);
    check(&repo, lines);
}

#[test]
fn a_last_line_without_newline_is_a_line() {
    check_contents(
        &[b"a\nb", b"a\nb\n", b"a\nb\nc", b"a\nb", b"b", b"b\n\n"],
        &["2\t0\tf", "1\t1\tf", "1\t0\tf"],
    );
}

#[test]
fn line_ends_are_part_of_the_line() {
    check_contents(
        &[b"a\r\nb\r\n", b"a\nb\r\n", b"a\rb\r\n", b"a\nb\n", b"\r", b"\r\n"],
        &["1\t1\tf", "2\t1\tf"],
    );
}

#[test]
fn an_empty_file_has_no_line() {
    check_contents(&[b"", b"\n", b"", b"a"], &["0\t0\tf", "1\t0\tf", "0\t1\tf"]);
}

#[test]
fn a_nul_among_the_first_8000_bytes_makes_a_binary() {
    for position in [0, 1, 4_000, 7_998, 7_999, 8_000, 8_001, 20_000] {
        let mut content = b"line\n".repeat(5_000);
        content[position] = 0;
        let mut edited = content.clone();
        edited.extend_from_slice(b"more\n");
        let expect = if position < 8_000 { "-\t-\tf" } else { "1\t0\tf" };
        check_contents(&[&content, &edited], &[expect]);
    }
}

#[test]
fn a_text_that_becomes_binary_is_binary() {
    check_contents(&[b"a\nb\n", b"a\n\0b\n", b"a\nb\n", b"\0", b""], &["-\t-\tf", "2\t0\tf", "0\t0\tf"]);
}

#[test]
fn other_control_characters_are_text() {
    check_contents(&[b"\x01\x02\n\xff\xfe\n", b"\x01\x02\n\xff\xfe\n\x7f"], &["2\t0\tf", "1\t0\tf"]);
    // UTF-16 is full of NULs.
    check_contents(&[b"\xff\xfea\0\n\0", b"\xff\xfea\0\n\0b\0\n\0"], &["-\t-\tf"]);
}

#[test]
fn ends_in_common_are_cut_at_lines() {
    check_contents(
        &[
            b"same\nabc\nxyz\nsame\n",
            b"same\nabd\nwyz\nsame\n",
            b"same\nabd\nabd\nwyz\nsame\n",
            b"me\nabd\nwyz\nsame",
            b"me\nme\nabd\nwyz\nsame",
            b"xme\nme\nme",
            b"me\nxme",
        ],
        &["2\t2\tf", "1\t0\tf"],
    );
}

#[test]
fn very_long_lines_are_lines() {
    let long = vec![b'x'; 300_000];
    let mut longer = long.clone();
    longer.extend_from_slice(b"y\nshort\n");
    check_contents(&[&long, &longer, &long], &["1\t0\tf", "2\t1\tf"]);
}
