//! Attributes, as `git check-attr` reads them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use gitfleet_shared::paths::attributes::{Attributes, NAMES, State};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

const FOLDERS: [&str; 4] = ["", "a", "a/b", "x y"];

const PATHS: [&str; 18] = [
    "f.js",
    "a/f.js",
    "a/b/f.js",
    "a/b/c/g.ts",
    "a/b/c/d/f.js",
    "x y/f.js",
    "x y/q\"t.js",
    "b/f.js",
    "a/b/[x].js",
    "a/x.js",
    "a/b/-.js",
    "A/F.JS",
    "a/b/\\.js",
    "#h.js",
    "!b.js",
    "a/tab\t.js",
    "a/é.js",
    "a/]x.js",
];

/// A path of the list with wildcards for some of its parts, or pieces in any order.
fn pattern() -> impl Strategy<Value = String> {
    let piece = select(vec![
        "*",
        "**",
        "/",
        "a",
        "b",
        "f",
        "x",
        ".js",
        "?",
        "[a-c]",
        "[!a]",
        "[^f]",
        "[[:alpha:]]",
        "[]x]",
        "[a-",
        "\\",
        "é",
        "a/b",
        "**/",
        "/**",
        "*.js",
        "[x\\]]",
        "-",
        "#",
        "!",
        "[[:x:]]",
        "[[:alpha]",
    ]);
    let like =
        (select(PATHS.to_vec()), vec(0..16usize, 5), select(vec!["", "", "/", "**/", "*/"]), 0..8usize);
    let like = like.prop_map(|(path, changes, before, from)| {
        let parts: Vec<_> = path.split('/').collect();
        let from = if from < parts.len() { from } else { 0 };
        let changed: Vec<_> =
            parts[from..].iter().zip(changes).map(|(part, change)| part_like(part, change)).collect();
        format!("{before}{}", changed.join("/")).replace([' ', '\t', '"'], "?")
    });
    let after = select(vec!["", "", "", "", "", "/", "/**", "/*"]);
    prop_oneof![
        6 => (like, after).prop_map(|(pattern, after)| format!("{pattern}{after}")),
        2 => vec(piece, 1..5).prop_map(|pieces| pieces.concat()),
        1 => select(vec!["\"x y/f.js\"", "\"a/tab\\t.js\"", "\"a/\\303\\251.js\"", "\"open.js", "\"q\\\"t.js\""])
            .prop_map(str::to_owned),
    ]
}

fn part_like(part: &str, change: usize) -> String {
    let tail: String = part.chars().skip(1).collect();
    match change {
        0 => "*".to_owned(),
        1 => "**".to_owned(),
        2 => format!("**{tail}"),
        3 => format!("?{tail}"),
        4 => format!("*{tail}"),
        5 => format!("[a-z]{tail}"),
        6 => format!("[![:upper:]]{tail}"),
        7 => "***".to_owned(),
        8 => "*.js".to_owned(),
        _ => part.to_owned(),
    }
}

fn line() -> impl Strategy<Value = String> {
    let good = select(vec![
        "linguist-vendored",
        "-linguist-vendored",
        "!linguist-vendored",
        "linguist-vendored=false",
        "linguist-generated=true",
        "linguist-language=C++",
        "linguist-language=",
        "-linguist-language=x",
        "linguist-documentation",
        "linguist-detectable",
        "text=auto",
    ]);
    let bad = select(vec!["bad+name", "--linguist-vendored", "builtin_x", "!", "="]);
    let state = prop_oneof![30 => good, 1 => bad];
    (pattern(), vec(state, 1..4), select(vec![" ", "\t", "  "]), select(vec!["", " ", "\r"]))
        .prop_map(|(pattern, states, blank, end)| format!("{pattern}{blank}{}{end}\n", states.join(blank)))
}

fn file() -> impl Strategy<Value = String> {
    let line = prop_oneof![12 => line(), 1 => Just("# comment linguist-vendored\n".to_owned()), 1 => Just("\n".to_owned())];
    (any::<bool>(), vec(line, 0..8))
        .prop_map(|(mark, lines)| format!("{}{}", if mark { "\u{feff}" } else { "" }, lines.concat()))
}

fn git(folder: &Path, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut git = Command::new("git")
        .args(arguments)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    git.stdin.take().unwrap().write_all(input).unwrap();
    let output = git.wait_with_output().unwrap();
    assert!(output.status.success(), "git {arguments:?}");
    output.stdout
}

fn by_git(folder: &Path) -> Vec<(String, String, Vec<u8>)> {
    let asked: Vec<u8> = PATHS.iter().flat_map(|path| [path.as_bytes(), b"\0"].concat()).collect();
    let mut arguments = vec!["check-attr", "--stdin", "-z"];
    arguments.extend(NAMES);
    let answer = git(folder, &arguments, &asked);
    let words: Vec<_> = answer.split(|byte| *byte == 0).collect();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    words.chunks_exact(3).map(|three| (text(three[0]), text(three[1]), three[2].to_vec())).collect()
}

fn by_us(files: &[(&str, String)]) -> Vec<(String, String, Vec<u8>)> {
    let attributes =
        Attributes::of_files(files.iter().map(|(folder, content)| (folder.as_bytes(), content.as_bytes())));
    let mut answer = Vec::new();
    for path in PATHS {
        for (name, state) in NAMES.iter().zip(attributes.states(path.as_bytes())) {
            let word = match state {
                State::Set => b"set".to_vec(),
                State::Unset => b"unset".to_vec(),
                State::Unspecified => b"unspecified".to_vec(),
                State::Value(value) => value,
            };
            answer.push((path.to_owned(), (*name).to_owned(), word));
        }
    }
    answer
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn attributes_are_those_of_git(contents in vec(file(), FOLDERS.len())) {
        let folder = tempfile::tempdir().unwrap();
        git(folder.path(), &["init", "-q"], b"");
        let files: Vec<_> = FOLDERS.into_iter().zip(contents).collect();
        for (inside, content) in &files {
            std::fs::create_dir_all(folder.path().join(inside)).unwrap();
            std::fs::write(folder.path().join(inside).join(".gitattributes"), content).unwrap();
        }
        prop_assert_eq!(by_us(&files), by_git(folder.path()), "{:?}", files);
    }
}
