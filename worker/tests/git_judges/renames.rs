//! Which files continue which, as `-M` says.

use crate::fixture::{Change, Fixture, all_gone, executable, file, gone, submodule, symlink};
use crate::judge::{NO_LIMIT, check, facts, has_renames, judge};

/// A text of `lines` different lines that begin with `word`.
fn text(word: &str, lines: std::ops::Range<usize>) -> String {
    lines.map(|line| format!("{word} says {line}\n")).collect()
}

fn check_two_commits(before: &[Change], after: &[Change], lines: &[&str]) {
    let repo = Fixture::new();
    repo.commit(before);
    repo.commit(after);
    check(&repo, lines);
}

#[test]
fn an_exact_rename_changes_no_line() {
    check_two_commits(&[file("old", "text\n")], &[gone("old"), file("new", "text\n")], &["0\t0\told => new"]);
}

#[test]
fn a_rename_with_edits_counts_the_edits() {
    let edited = format!("{}more\n", text("a", 0..20));
    check_two_commits(
        &[file("d/old", text("a", 0..20))],
        &[gone("d/old"), file("d/new", edited)],
        &["1\t0\td/{old => new}"],
    );
}

#[test]
fn half_alike_is_enough_and_less_is_not() {
    for kept in 7..=13 {
        let repo = Fixture::new();
        repo.commit(&[file("old", text("a", 10..30))]);
        let changed = [text("a", 10..10 + kept), text("b", 10 + kept..30)].concat();
        repo.commit(&[gone("old"), file("new", changed)]);
        judge(&repo);
        assert_eq!(has_renames(&facts(repo.path(), "HEAD", NO_LIMIT)), kept >= 10, "{kept}");
    }
}

#[test]
fn sizes_far_apart_exclude_each_other() {
    for extra in [18, 19, 20, 21, 22] {
        let repo = Fixture::new();
        repo.commit(&[file("old", text("a", 10..30))]);
        repo.commit(&[gone("old"), file("new", text("a", 10..30 + extra))]);
        judge(&repo);
    }
}

#[test]
fn a_moved_directory_moves_its_files() {
    let names = ["a", "deep/b", "deep/er/c"];
    let at = |directory: &str| -> Vec<Change> {
        let content = |name: &&str| file(format!("{directory}/{name}"), text(name, 0..9));
        names.iter().map(content).collect()
    };
    let mut after = vec![all_gone()];
    after.extend(at("to/here"));
    check_two_commits(&at("from"), &after, &["0\t0\t{from => to/here}/deep/er/c"]);
}

#[test]
fn a_file_may_move_into_a_directory_of_its_old_name() {
    check_two_commits(&[file("a", "text\n")], &[gone("a"), file("a/x", "text\n")], &["0\t0\ta => a/x"]);
}

#[test]
fn a_file_may_move_out_to_the_name_of_its_directory() {
    check_two_commits(
        &[file("d/a/x", "text\n")],
        &[gone("d/a/x"), file("d/a", "text\n")],
        &["0\t0\td/{a/x => a}"],
    );
}

#[test]
fn swapped_names_are_two_edits() {
    let (a, b) = (text("a", 0..5), text("b", 0..7));
    check_two_commits(
        &[file("a", &a), file("b", &b)],
        &[file("a", &b), file("b", &a)],
        &["7\t5\ta", "5\t7\tb"],
    );
}

#[test]
fn a_path_that_stays_taken_is_no_part_of_a_rename() {
    let contents = [text("a", 0..9), text("b", 0..9), text("c", 0..9)];
    check_two_commits(
        &[file("1", &contents[0]), file("2", &contents[1]), file("3", &contents[2])],
        &[gone("1"), file("2", &contents[0]), file("3", &contents[1]), file("4", &contents[2])],
        &["9\t9\t2", "9\t9\t3", "0\t9\t1", "9\t0\t4"],
    );
}

#[test]
fn of_many_candidates_of_one_content_the_name_decides() {
    let at = |directory: &str, names: &[&str]| -> Vec<Change> {
        names.iter().map(|name| file(format!("{directory}/{name}"), "the same\n")).collect()
    };
    let mut after = vec![all_gone()];
    after.extend(at("y", &["e", "c", "a", "q"]));
    check_two_commits(&at("x", &["a", "b", "c", "d", "e"]), &after, &["0\t0\t{x => y}/e"]);
}

#[test]
fn hundreds_of_files_of_one_content_move() {
    // Git looks at about a hundred candidates for each.
    for (n_old, n_new) in [(90, 95), (101, 101), (102, 103), (105, 100), (250, 250), (300, 150)] {
        let repo = Fixture::new();
        let old: Vec<Change> = (0..n_old).map(|n| file(format!("old/{n:03}"), "the same\n")).collect();
        repo.commit(&old);
        let mut new: Vec<Change> = (0..n_new).map(|n| file(format!("new/n{n:03}"), "the same\n")).collect();
        new.push(gone("old"));
        repo.commit(&new);
        judge(&repo);
    }
}

#[test]
fn of_hundreds_of_files_of_one_content_some_keep_their_name() {
    let repo = Fixture::new();
    repo.commit(&(0..250).map(|n| file(format!("old/{n:03}"), "the same\n")).collect::<Vec<_>>());
    let mut new: Vec<Change> =
        (0..250).rev().step_by(3).map(|n| file(format!("new/{n:03}"), "the same\n")).collect();
    new.push(gone("old"));
    repo.commit(&new);
    judge(&repo);
}

#[test]
fn empty_files_are_renamed_when_exact() {
    check_two_commits(
        &[file("a/empty", ""), file("b", "")],
        &[all_gone(), file("c/empty", ""), file("d", "")],
        &["0\t0\t{a => c}/empty", "0\t0\tb => d"],
    );
}

#[test]
fn a_unique_basename_wins_at_three_quarters_alike() {
    // `other` is more alike than `name`, which wins from 75 % on because it has the same name.
    for kept in 12..=18 {
        let repo = Fixture::new();
        repo.commit(&[file("x/name", text("a", 10..30))]);
        let named = [text("a", 10..10 + kept), text("b", 10 + kept..30)].concat();
        let other = [text("a", 10..29), text("b", 29..30)].concat();
        repo.commit(&[gone("x/name"), file("y/name", named), file("y/other", other)]);
        judge(&repo);
    }
}

#[test]
fn a_basename_that_is_not_unique_decides_nothing_early() {
    let named = |kept: usize| [text("a", 10..10 + kept), text("b", 10 + kept..30)].concat();
    check_two_commits(
        &[file("x/name", text("a", 10..30)), file("w/name", text("c", 10..30))],
        &[all_gone(), file("y/name", named(17)), file("z/name", named(18)), file("y/other", named(19))],
        &["1\t1\tx/name => y/other"],
    );
}

#[test]
fn of_equal_scores_the_same_basename_wins() {
    let content = text("a", 10..30);
    let edited = [text("a", 10..24), text("b", 24..30)].concat();
    check_two_commits(
        &[file("1/x", &content), file("2/y", &content), file("3/y", text("z", 0..3))],
        &[all_gone(), file("4/y", &edited), file("5/y", text("q", 0..30))],
        &["6\t6\t{2 => 4}/y"],
    );
}

#[test]
fn more_than_four_sources_compete_for_a_target() {
    let variant =
        |word: &str, kept: usize| [text("a", 100..100 + kept), text(word, 100 + kept..130)].concat();
    let mut before = Vec::new();
    let mut after = vec![all_gone()];
    for n in 0..8 {
        before.push(file(format!("old{n}"), variant(&format!("s{n}"), 20 + n)));
        after.push(file(format!("new{n}"), variant(&format!("t{n}"), 27 - n)));
    }
    let repo = Fixture::new();
    repo.commit(&before);
    repo.commit(&after);
    judge(&repo);
    assert!(has_renames(&facts(repo.path(), "HEAD", NO_LIMIT)));
}

#[test]
fn within_the_limit_a_thousand_by_a_thousand_are_compared() {
    check_limit(1_000, true);
}

#[test]
fn beyond_the_limit_only_exact_and_same_name_renames_are_found() {
    check_limit(1_001, false);
}

/// One pair of the crowd is alike; it is found where the limit lets it be looked for.
fn check_limit(n_sources: usize, found: bool) {
    let repo = Fixture::new();
    let twin = |word: &str| format!("{}{word}\n", text("twin", 0..9));
    let mut before = vec![file("old/twin", twin("one")), file("old/exact", "exact\n")];
    before.push(file("old/named", twin("named")));
    // Sizes differ so much that most pairs need no content.
    before.extend((1..n_sources).map(|n| file(format!("old/s{n}"), format!("{n}\n"))));
    let mut after = vec![all_gone(), file("new/twain", twin("two")), file("new/precise", "exact\n")];
    after.push(file("new/named", twin("names")));
    after.extend(
        (1..1_000).map(|n| file(format!("new/t{n}"), format!("{n} is a number of no meaning at all\n"))),
    );
    repo.commit(&before);
    repo.commit(&after);
    let judged = judge(&repo);
    assert!(judged.iter().any(|line| line == "0\t0\told/exact => new/precise"));
    assert!(judged.iter().any(|line| line == "1\t1\t{old => new}/named"));
    assert_eq!(judged.iter().any(|line| line == "1\t1\told/twin => new/twain"), found);
}

#[test]
fn copies_are_not_followed() {
    let content = text("a", 0..9);
    check_two_commits(&[file("a", &content)], &[file("b", &content)], &["9\t0\tb"]);
    let edited = format!("{content}more\n");
    check_two_commits(
        &[file("a", &content)],
        &[file("a", edited), file("b", &content)],
        &["9\t0\tb", "1\t0\ta"],
    );
}

#[test]
fn one_source_has_one_continuation() {
    let content = text("a", 0..9);
    check_two_commits(
        &[file("a", &content)],
        &[gone("a"), file("b", &content), file("c", &content)],
        &["0\t0\ta => b", "9\t0\tc"],
    );
}

#[test]
fn a_rename_may_change_the_mode() {
    check_two_commits(&[file("a", "text\n")], &[gone("a"), executable("b", "text\n")], &["0\t0\ta => b"]);
    let edited = format!("{}more\n", text("a", 0..9));
    check_two_commits(
        &[executable("a", text("a", 0..9))],
        &[gone("a"), file("b", edited)],
        &["1\t0\ta => b"],
    );
}

#[test]
fn symlinks_and_submodules_are_renamed_only_when_exact() {
    let id = "1".repeat(40);
    check_two_commits(
        &[symlink("l", "some/where"), submodule("s", &id)],
        &[gone("l"), gone("s"), symlink("m", "some/where"), submodule("t", &id)],
        &["0\t0\tl => m", "0\t0\ts => t"],
    );
    check_two_commits(
        &[symlink("l", "some/where/far/away"), symlink("k", "text")],
        &[gone("l"), gone("k"), symlink("m", "some/where/far/away/"), file("t", "text")],
        &["1\t0\tm", "0\t1\tl", "0\t1\tk", "1\t0\tt"],
    );
}

#[test]
fn binaries_are_renamed_by_content_too() {
    let bytes = |last: u8| -> Vec<u8> {
        let mut bytes: Vec<u8> = (0..2_000u32).map(|n| (n * n / 7) as u8).collect();
        bytes.push(last);
        bytes
    };
    check_two_commits(&[file("a", bytes(1))], &[gone("a"), file("b", bytes(2))], &["-\t-\ta => b"]);
}

#[test]
fn line_ends_do_not_count_in_the_likeness_of_texts() {
    let unix = text("a", 0..20);
    let dos = unix.replace('\n', "\r\n");
    check_two_commits(&[file("a", &unix)], &[gone("a"), file("b", &dos)], &["20\t20\ta => b"]);
    // In a binary they do.
    let (unix, dos) = (format!("\0{}", "ab\n".repeat(50)), format!("\0{}", "ab\r\n".repeat(50)));
    check_two_commits(&[file("a", &unix)], &[gone("a"), file("b", &dos)], &["-\t-\ta", "-\t-\tb"]);
}

#[test]
fn long_lines_are_compared_in_pieces() {
    let line: String = (0..400).map(|n| format!("{n},")).collect();
    let repo = Fixture::new();
    repo.commit(&[file("a", &line)]);
    repo.commit(&[gone("a"), file("b", format!("{line}x"))]);
    repo.commit(&[gone("b"), file("c", format!("x{line}"))]);
    judge(&repo);
}

#[test]
fn a_type_change_is_no_source_of_a_rename() {
    check_two_commits(
        &[file("a", text("a", 0..9))],
        &[symlink("a", "elsewhere"), file("b", text("a", 0..9))],
        &["1\t9\ta", "9\t0\tb"],
    );
}

#[test]
fn renames_share_the_directories_they_print() {
    let repo = Fixture::new();
    let moves = [
        ("a/b/c/f", "a/c/f"),
        ("a/b/f", "a/b/b/f"),
        ("x/x/x/g", "x/x/g"),
        ("top", "d/top"),
        ("d/e/low", "low"),
        ("sp ace/h", "sp  ace/h"),
        ("br{ace/i", "br}ace/i"),
        ("caf\u{e9}/j", "cafe/j"),
        ("k/tab\there", "k/tab"),
        ("aa/n", "ba/n"),
    ];
    let put = |n: usize, path: &str| file(path, text(&format!("file {n}"), 0..9));
    repo.commit(&moves.iter().enumerate().map(|(n, (old, _))| put(n, old)).collect::<Vec<_>>());
    let mut after = vec![all_gone()];
    after.extend(moves.iter().enumerate().map(|(n, (_, new))| put(n, new)));
    repo.commit(&after);
    check(&repo, &["0\t0\ta/{b => }/c/f", "0\t0\tx/x/{x => }/g", "0\t0\ttop => d/top"]);
}
