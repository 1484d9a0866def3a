//! Paths of all bytes.

use crate::fixture::{Fixture, file, gone};
use crate::judge::{check, judge};

#[test]
fn paths_are_quoted_where_git_quotes_them() {
    let repo = Fixture::new();
    repo.commit(&[
        file("tab\there", "a\n"),
        file("new\nline", "b\n"),
        file("q\"uote", "c\n"),
        file("back\\slash", "d\n"),
        file("caf\u{e9}", "e\n"),
        file(b"latin\xe9", "f\n"),
        file(" leading and trailing ", "g\n"),
        file("a => b", "h\n"),
        file("{a => b}/c", "i\n"),
    ]);
    check(&repo, &["1\t0\t\"tab\\there\"", "1\t0\t\"latin\\351\"", "1\t0\ta => b"]);
}

#[test]
fn every_byte_of_a_path_is_printed_as_git_prints_it() {
    let repo = Fixture::new();
    let bytes = || (1..=255u8).filter(|byte| *byte != b'/');
    repo.commit(&bytes().map(|byte| file([b'x', byte, b'y'], format!("{byte}\n"))).collect::<Vec<_>>());
    assert_eq!(judge(&repo).len(), 254);
    let mut moved: Vec<_> = bytes().map(|byte| file([b'z', byte, b'/', b'y'], format!("{byte}\n"))).collect();
    moved.extend(bytes().map(|byte| gone([b'x', byte, b'y'])));
    repo.commit(&moved);
    judge(&repo);
}

#[test]
fn names_sort_by_bytes_and_directories_by_their_slash() {
    let repo = Fixture::new();
    let names = ["a", "a-", "a-b/c", "a.b", "a/", "a0", "ab/", "ab-", "ab", "\u{e9}", "z"];
    for (round, _) in names.iter().enumerate() {
        let changes: Vec<_> = names
            .iter()
            .enumerate()
            .filter(|(n, name)| !name.ends_with('/') && (n + round) % 3 != 0)
            .map(|(n, name)| {
                let inside = if (n + round) % 2 == 0 { "" } else { "/f" };
                file(format!("{name}{inside}"), format!("{round} {n}\n"))
            })
            .collect();
        let mut all = vec![crate::fixture::all_gone()];
        all.extend(changes);
        repo.commit(&all);
    }
    judge(&repo);
}
