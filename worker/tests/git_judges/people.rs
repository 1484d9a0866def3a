//! Authors, committers, their times and what they wrote, from commits of any make.

use gitfleet_shared::facts::CommitFacts;

use crate::fixture::{Fixture, file, run};
use crate::judge::{NO_LIMIT, facts, judge};

const GOOD: &str = "A U Thor <a@example.com> 1700000000 +0200";

/// Commits with these header lines after the tree (each ends in a newline, the last of them in two).
fn commit(repo: &Fixture, rest: &[u8]) {
    let tree = repo.git(&["rev-parse", "main^{tree}"]);
    let id = repo.object("commit", &[format!("tree {tree}\n").as_bytes(), rest].concat());
    repo.point("main", &id);
}

/// Judges a commit of the given author line and encoding.
fn check_author(line: &[u8], encoding: Option<&str>) {
    let repo = Fixture::new();
    repo.commit(&[file("a", "a\n")]);
    let encoding = encoding.map(|label| format!("encoding {label}\n")).unwrap_or_default();
    let rest = [
        b"author ".as_slice(),
        line,
        b"\ncommitter ",
        line,
        b"\n",
        encoding.as_bytes(),
        b"\nsubject\n\nbody\n",
    ];
    commit(&repo, &rest.concat());
    judge(&repo);
    judge_people(&repo);
}

#[derive(Debug, PartialEq, Eq)]
struct Said {
    parents: usize,
    people: [String; 4],
    times: [Option<i64>; 2],
    message: String,
}

/// Compares people, times and messages with what git says of them.
fn judge_people(repo: &Fixture) {
    // %at and %ct are the digits of the commit, or nothing where there are none that git would read.
    let format = "--format=%H%x00%P%x00%an%x00%ae%x00%cn%x00%ce%x00%at%x00%ct%x00%B";
    let printed = run(repo.path(), &["log", "-z", "--encoding=UTF-8", format, "HEAD"], b"");
    let mut fields: Vec<&[u8]> = printed.split(|byte| *byte == 0).collect();
    fields.pop();
    let facts = facts(repo.path(), "HEAD", NO_LIMIT);
    assert_eq!(fields.len(), 9 * facts.len());
    for theirs in fields.chunks(9) {
        let text = |field: usize| theirs[field].escape_ascii().to_string();
        let number = |field: usize| std::str::from_utf8(theirs[field]).ok()?.parse().ok();
        let said = Said {
            parents: theirs[1].split(|byte| *byte == b' ').filter(|id| !id.is_empty()).count(),
            people: [2, 3, 4, 5].map(text),
            times: [6, 7].map(number),
            message: text(8),
        };
        let ours = facts.iter().find(|facts| facts.id.to_string().as_bytes() == theirs[0]).unwrap();
        assert_eq!(ours_as_said(ours), said, "gitfleet on the left, git on the right");
    }
}

fn ours_as_said(facts: &CommitFacts) -> Said {
    let text = |bytes: &[u8]| bytes.escape_ascii().to_string();
    Said {
        parents: facts.parents.len(),
        people: [&facts.author.name, &facts.author.email, &facts.committer.name, &facts.committer.email]
            .map(|bytes| text(bytes)),
        times: [facts.authored.seconds, facts.committed.seconds],
        message: text(&facts.message),
    }
}

#[test]
fn names_are_taken_as_they_are() {
    for line in [
        GOOD.as_bytes(),
        b"Ren\xc3\xa9 <r@example.com> 1 +0000",
        b"Ren\xe9 <r\xe9@example.com> 1 +0000",
        b"\xff\xfe\xfd <> 1 +0000",
        b" <a@b> 1 +0000",
        b"<a@b> 1 +0000",
        b"A  B   C <a@b> 1 +0000",
        b"A <a@b>> 1 +0000",
        b"A < a b > 1 +0000",
        b"A <a@b 1 +0000>",
        b"A <a <b@c> 1 +0000",
        b"A > B <a@b> 1 +0000",
        b"A\t<a@b>\t1\t+0000",
    ] {
        check_author(line, None);
    }
}

#[test]
fn a_name_keeps_blanks_before_it() {
    check_author(b"  A <a@b> 1 +0000", None);
}

#[test]
fn a_name_keeps_blanks_that_are_not_ascii() {
    check_author("A\u{a0} <a@b> 1 +0000".as_bytes(), None);
    check_author("\u{3000}A\u{3000} <a@b> 1 +0000".as_bytes(), None);
}

#[test]
fn a_name_keeps_a_vertical_tab() {
    check_author(b"A\x0b <a@b> 1 +0000", None);
}

#[test]
fn a_line_without_an_address_has_no_person() {
    check_author(b"nobody at all", None);
    check_author(b"nobody at all 1700000000 +0000", None);
    check_author(b"nobody <at all 1700000000 +0000", None);
    check_author(b"", None);
}

#[test]
fn times_are_read_as_git_reads_them() {
    for time in [
        "0 +0000",
        "1 -0000",
        "1700000000 +0200",
        "1700000000 -1400",
        "1700000000 +9999",
        "0001700000000 +0000",
        "2147483648 +0000",
        "4294967296 +0000",
        "253402300800 +0000",
        "9223372036854775807 +0000",
        "-1 +0000",
        "+5 +0000",
        "17e8 +0000",
        "tomorrow",
        "",
        "  1700000000   +0200  ",
    ] {
        check_author(format!("A <a@b> {time}").as_bytes(), None);
    }
}

#[test]
fn times_too_large_for_any_number_are_unknown() {
    for time in ["9223372036854775808 +0000", "18446744073709551615 +0000", "99999999999999999999999 +0000"] {
        check_author(format!("A <a@b> {time}").as_bytes(), None);
    }
}

#[test]
fn a_time_without_a_sound_zone_is_none() {
    for time in ["1700000000", "1700000000 ", "1700000000 0200", "1700000000 UTC", "1700000000 +"] {
        check_author(format!("A <a@b> {time}").as_bytes(), None);
    }
}

#[test]
fn a_named_encoding_is_brought_to_utf8() {
    check_author(b"Ren\xe9 <r@example.com> 1 +0000", Some("ISO-8859-1"));
    check_author(b"Ren\xe9 <r@example.com> 1 +0000", Some("iso8859-1"));
    check_author(b"Ren\xe9 <r@example.com> 1 +0000", Some("latin1"));
    check_author(b"\xb1\xe6 <r@example.com> 1 +0000", Some("ISO-8859-2"));
    check_author(b"\xa4 <r@example.com> 1 +0000", Some("ISO-8859-15"));
    check_author(b"\x80\x99 <r@example.com> 1 +0000", Some("CP1252"));
    check_author(b"\xc9\xd7\xc1\xce <r@example.com> 1 +0000", Some("KOI8-R"));
    check_author(b"\x93\xfa\x96{ <r@example.com> 1 +0000", Some("SHIFT-JIS"));
    check_author(b"\xc6\xfc\xcb\xdc <r@example.com> 1 +0000", Some("EUC-JP"));
    check_author(b"\xd6\xd0 <r@example.com> 1 +0000", Some("GB18030"));
    check_author(b"\xd6\xd0 <r@example.com> 1 +0000", Some("GBK"));
    check_author(b"\xc7\xd1 <r@example.com> 1 +0000", Some("EUC-KR"));
    check_author(b"\xa4\xa4 <r@example.com> 1 +0000", Some("BIG5"));
}

#[test]
fn an_encoding_that_cannot_be_followed_leaves_the_bytes() {
    check_author(b"Ren\xe9 <r@example.com> 1 +0000", Some("no-such-encoding"));
    check_author(b"Ren\xe9 <r@example.com> 1 +0000", Some("UTF-8"));
    check_author(b"Ren\xe9 <r@example.com> 1 +0000", Some("utf8"));
    check_author(b"\xff\xff <r@example.com> 1 +0000", Some("EUC-JP"));
}

#[test]
fn latin_1_may_be_written_with_a_dash() {
    check_author(b"Ren\xe9 <r@example.com> 1 +0000", Some("latin-1"));
}

#[test]
fn code_pages_go_by_their_numbers() {
    check_author(b"\xc0 <r@example.com> 1 +0000", Some("CP1251"));
    check_author(b"\x93\xfa\x96{ <r@example.com> 1 +0000", Some("CP932"));
}

#[test]
fn latin_1_has_control_characters_where_windows_has_letters() {
    check_author(b"Ren\x80 <r@example.com> 1 +0000", Some("ISO-8859-1"));
}

#[test]
fn a_message_that_cannot_be_decoded_leaves_the_names_too() {
    let repo = Fixture::new();
    repo.commit(&[file("a", "a\n")]);
    let who = b"\xc6\xfc\xcb\xdc <r@example.com> 1 +0000\n";
    let rest = [b"author ".as_slice(), who, b"committer ", who, b"encoding EUC-JP\n\n\xff\xff\n"];
    commit(&repo, &rest.concat());
    judge_people(&repo);
}

#[test]
fn other_headers_are_passed_over() {
    let repo = Fixture::new();
    repo.commit(&[file("a", "a\n")]);
    let good = format!("author {GOOD}\ncommitter {GOOD}\n");
    for rest in [
        "gpgsig -----BEGIN\n encoding no\n author no\n parent no\n -----END\n\nsigned\n",
        "mergetag object 1\n type commit\n tagger no\n \n of a tag\n\nmerged\n",
        "HG:extra x\nempty\n\nstrange\n",
        "\n",
        "\n\n\nblank lines before\n",
        "\nno newline at the end",
    ] {
        commit(&repo, format!("{good}{rest}").as_bytes());
        judge_people(&repo);
    }
}

#[test]
fn a_commit_may_lack_people() {
    for rest in
        ["\nnobody\n", "author A <a@b> 1 +0000\n\nno committer\n", "committer A <a@b> 1 +0000\n\nno author\n"]
    {
        let repo = Fixture::new();
        repo.commit(&[file("a", "a\n")]);
        commit(&repo, rest.as_bytes());
        judge(&repo);
        judge_people(&repo);
    }
}

#[test]
fn only_parents_before_the_people_are_parents() {
    let repo = Fixture::new();
    let first = repo.commit(&[file("a", "a\n")]);
    repo.commit(&[file("b", "b\n")]);
    commit(&repo, format!("author {GOOD}\nparent {first}\ncommitter {GOOD}\n\nodd\n").as_bytes());
    judge(&repo);
}

#[test]
fn odd_people_are_walked_past() {
    let repo = Fixture::new();
    let tree = repo.tree(&[("100644", "a", &repo.object("blob", b"a\n"))]);
    let mut parent = String::new();
    for time in ["-1 +0000", "99999999999999999999 +0000", "", "12 +0000", "no time"] {
        let who = format!("A <a@b> {time}\n");
        let content = format!("tree {tree}\n{parent}author {who}committer {who}\n{time}\n");
        let id = repo.object("commit", content.as_bytes());
        repo.point("main", &id);
        parent = format!("parent {id}\n");
    }
    judge(&repo);
    assert_eq!(facts(repo.path(), "HEAD", NO_LIMIT).len(), 5);
}
