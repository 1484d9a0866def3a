//! The history of lines: what our facts fold to beside what `git blame` says of every line at the tip.

use std::path::Path;
use std::sync::Mutex;

use gitfleet_shared::facts::CommitFacts;
use gitfleet_shared::lines::{LineHistory, TipRuns};
use gitfleet_shared::object_id::ObjectId;

use crate::fixture::{Fixture, file, gone, run};
use crate::generated::{Random, history_by};
use crate::judge::{NO_LIMIT, facts};

/// Compares up to `most` files at the tip with blame, all lines of each, and asks whether births less deaths are the
/// lines at the tip.
pub(crate) fn compare(path: &Path, revision: &str, facts: &[CommitFacts], most: usize) {
    let (lines, differing) = differing(path, revision, facts, most);
    assert!(
        differing.is_empty(),
        "{} of {lines} lines differ:\n{}",
        differing.len(),
        differing[..differing.len().min(20)].join("\n")
    );
}

/// Returns how many lines were compared, and those of which blame says something else.
pub(crate) fn differing(
    path: &Path,
    revision: &str,
    facts: &[CommitFacts],
    most: usize,
) -> (usize, Vec<String>) {
    let head = String::from_utf8(run(path, &["rev-parse", &format!("{revision}^{{commit}}")], b"")).unwrap();
    let head = ObjectId::try_from(crate::judge::id(head.trim_end()).as_bytes()).unwrap();
    let history = LineHistory::of(facts, &head);
    check_law(&history);
    let listed = run(path, &["ls-tree", "-r", "-z", "--full-tree", &head.to_string()], b"");
    let blobs: std::collections::HashSet<&[u8]> = listed
        .split(|byte| *byte == 0)
        .filter_map(|entry| {
            let tab = entry.iter().position(|byte| *byte == b'\t')?;
            entry[..tab].windows(6).any(|word| word == b" blob ").then_some(&entry[tab + 1..])
        })
        .collect();
    // What blame can be asked of; a submodule has one line, and no blame.
    let files: Vec<&TipRuns> = history
        .tip
        .iter()
        .filter(|file| blobs.contains(file.path.as_slice()) && is_plain(&file.path))
        .collect();
    // Spread over all of them.
    let step = files.len().div_ceil(most.min(files.len()).max(1)).max(1);
    let waiting: Mutex<Vec<&TipRuns>> = Mutex::new(files.into_iter().step_by(step).collect());
    let found = Mutex::new((0, Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let Some(file) = waiting.lock().unwrap().pop() else { return };
                    let (lines, differing) = compare_file(path, &head, file, &history);
                    let mut found = found.lock().unwrap();
                    found.0 += lines;
                    found.1.extend(differing);
                }
            });
        }
    });
    let (lines, mut differing) = found.into_inner().unwrap();
    differing.sort_unstable();
    (lines, differing)
}

fn compare_file(path: &Path, head: &ObjectId, file: &TipRuns, history: &LineHistory) -> (usize, Vec<String>) {
    let name = std::str::from_utf8(&file.path).unwrap();
    let said = run(path, &["blame", "-s", "-l", "--root", &head.to_string(), "--", name], b"");
    let theirs: Vec<String> = said
        .split_inclusive(|byte| *byte == b'\n')
        .map(|line| {
            String::from_utf8(line[..line.iter().position(|byte| *byte == b' ').unwrap()].to_vec()).unwrap()
        })
        .collect();
    let ours: Vec<String> = file
        .runs
        .iter()
        .flat_map(|run| vec![history.commits[run.origin as usize].to_string(); run.lines as usize])
        .collect();
    if theirs.len() != ours.len() {
        return (theirs.len(), vec![format!("{name}: blame has {} lines, we {}", theirs.len(), ours.len())]);
    }
    let differing = (1..).zip(theirs.iter().zip(&ours)).filter(|(_, (theirs, ours))| theirs != ours);
    let differing = differing.map(|(line, (theirs, ours))| format!("{name}:{line}: git {theirs}, we {ours}"));
    (theirs.len(), differing.collect())
}

/// Births less deaths are what is at the tip, by origin too.
fn check_law(history: &LineHistory) {
    if history.unknown_files + history.unknown_changes > 0 {
        return;
    }
    let mut left = std::collections::BTreeMap::<u32, i64>::new();
    for birth in &history.births {
        *left.entry(birth.origin).or_default() += i64::from(birth.lines);
    }
    for death in &history.deaths {
        *left.entry(death.origin).or_default() -= i64::from(death.lines);
    }
    left.retain(|_, lines| *lines != 0);
    let mut at_tip = std::collections::BTreeMap::<u32, i64>::new();
    for run in history.tip.iter().flat_map(|file| &file.runs) {
        *at_tip.entry(run.origin).or_default() += i64::from(run.lines);
    }
    assert_eq!(left, at_tip);
}

#[test]
fn lines_of_random_histories_are_whose_git_says() {
    for seed in 20..23 {
        let repo = Fixture::new();
        history_by(&repo, Random::of_text(seed), 150);
        let facts = facts(repo.path(), "HEAD", NO_LIMIT);
        assert!(facts.iter().any(|commit| commit.is_merge() && !commit.merged.is_empty()));
        compare(repo.path(), "HEAD", &facts, usize::MAX);
    }
}

#[test]
fn a_merge_has_each_line_of_the_first_parent_that_has_it() {
    let repo = Fixture::new();
    let base = repo.commit(&[file("a", "1\n2\n3\n4\n5\n"), file("d/b", "b\n"), file("d/c", "c\n")]);
    let left = repo.commit_on("left", &[&base], &[file("a", "one\n2\n3\n4\n5\n"), file("d/b", "B\n")]);
    // The same line is written on both sides, and a file goes and comes again.
    let gone = repo.commit_on("right", &[&base], &[file("a", "1\n2\n3\n4\nfive\n"), gone("d/c")]);
    let right =
        repo.commit_on("right", &[&gone], &[file("d/b", "B\n"), file("d/c", "c\n"), file("d/e", "e\n")]);
    let merge = repo.commit_on(
        "main",
        &[&left, &right],
        &[file("a", "one\n2\nthree\n4\nfive\n"), file("d/e", "e\n"), file("evil", "x\n")],
    );
    let facts = facts(repo.path(), "HEAD", NO_LIMIT);
    compare(repo.path(), "HEAD", &facts, usize::MAX);
    let head = ObjectId::try_from(crate::judge::id(&merge).as_bytes()).unwrap();
    let history = LineHistory::of(&facts, &head);
    let whose = |path: &[u8]| -> Vec<String> {
        let file = history.tip.iter().find(|file| file.path == path).unwrap();
        file.runs.iter().map(|run| history.commits[run.origin as usize].to_string()).collect()
    };
    assert_eq!(whose(b"a"), [&left, &base, &merge, &base, &gone].map(String::clone));
    assert_eq!(whose(b"d/b"), [left]);
    assert_eq!(whose(b"d/c"), [base]);
    assert_eq!(whose(b"d/e"), [right]);
    assert_eq!(whose(b"evil"), [merge]);
}

#[test]
fn a_merge_follows_renames_into_each_parent() {
    let text = |first: &str, last: &str| format!("{first}\n{}{last}\n", "the same\n".repeat(30));
    let repo = Fixture::new();
    let base = repo.commit(&[file("old", text("1", "2")), file("other", "o\n")]);
    let edited = repo.commit_on("left", &[&base], &[file("old", text("left", "2"))]);
    let moved = repo.commit_on("right", &[&base], &[gone("old"), file("new", text("1", "right"))]);
    repo.commit_on("main", &[&edited, &moved], &[gone("old"), file("new", text("left", "right"))]);
    compare(repo.path(), "HEAD", &facts(repo.path(), "HEAD", NO_LIMIT), usize::MAX);
    // A side that took the whole directory, and one that changed it and changed it back.
    let inside = repo.commit(&[file("d/a", "a\n"), file("d/b", "b\n")]);
    let here = repo.commit_on("left", &[&inside], &[file("d/a", "A\n")]);
    let here = repo.commit_on("left", &[&here], &[file("d/a", "a\n"), file("d/b", "B\n")]);
    let there = repo.commit_on("right", &[&inside], &[file("other", "O\n")]);
    repo.commit_on("main", &[&there, &here], &[file("d/b", "B\n")]);
    compare(repo.path(), "HEAD", &facts(repo.path(), "HEAD", NO_LIMIT), usize::MAX);
}

#[test]
fn several_files_continue_one() {
    let text = |name: &str| format!("{name}\n{}", "a licence\n".repeat(20));
    let repo = Fixture::new();
    repo.commit(&[file("LICENSE", text("all")), file("a", "a\n")]);
    repo.commit(&[
        gone("LICENSE"),
        file("x/LICENSE", text("all")),
        file("y/LICENSE", text("all")),
        file("z", text("z")),
    ]);
    compare(repo.path(), "HEAD", &facts(repo.path(), "HEAD", NO_LIMIT), usize::MAX);
}

/// Whether blame prints a path on one line.
fn is_plain(path: &[u8]) -> bool {
    !path.contains(&b'\n') && std::str::from_utf8(path).is_ok()
}
