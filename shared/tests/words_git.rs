//! Trailers, as git itself finds them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use gitfleet_shared::words::trailers::split;
use proptest::prelude::*;

/// What `git interpret-trailers` prints for a message.
fn by_git(message: &str) -> String {
    let mut git = Command::new("git")
        .args(["-c", "core.commentChar=#", "interpret-trailers", "--parse", "--no-divider"])
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    git.stdin.take().unwrap().write_all(message.as_bytes()).unwrap();
    String::from_utf8(git.wait_with_output().unwrap().stdout).unwrap()
}

fn by_us(message: &str) -> String {
    let mut lines = String::new();
    for trailer in split(message).trailers {
        writeln!(lines, "{}: {}", trailer.key, trailer.value).unwrap();
    }
    lines
}

fn line() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "",
        "",
        " ",
        "prose without end",
        "Acked-by: Ann <ann@example.org>",
        "Co-authored-by: Bob <bob@example.org>",
        "Signed-off-by: Ann <ann@example.org>",
        "(cherry picked from commit 1234567)",
        "Key : value",
        "two words: value",
        " folded",
        "\tfolded: too",
        "# comment",
        "---",
        "Empty:",
        ": no key",
        "Conflicts:",
        "\tpath/of/conflict",
        "https://example.org/x",
    ])
}

/// Lines in paragraphs, the last of which is often one that git has written into.
fn message() -> impl Strategy<Value = String> {
    let block = prop::sample::select(vec![
        "prose",
        "prose: not two",
        "Key: value",
        "Signed-off-by: Ann <ann@example.org>",
        " folded",
    ]);
    let lines = prop::collection::vec(line(), 0..8);
    (
        lines,
        prop::collection::vec(block, 0..9),
        prop::sample::select(vec!["\n", "\n\n", "", "\n# c\n", "\n \n\n"]),
    )
        .prop_map(|(lines, block, end)| format!("subject\n{}\n\n{}{end}", lines.join("\n"), block.join("\n")))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(800))]
    #[test]
    fn trailers_are_those_of_git(message in message()) {
        prop_assert_eq!(by_us(&message), by_git(&message), "{}", message);
    }
}
