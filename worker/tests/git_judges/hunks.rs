//! Where changed lines stand: our hunks beside those of `git log -p -U0`.

use std::collections::BTreeMap;
use std::path::Path;

use gitfleet_shared::facts::{ChangeKind, CommitFacts, Hunk, Lines};
use gitfleet_worker::numstat;

use crate::fixture::run;

/// Commit and path, with the hunks as git writes them.
pub(crate) type Hunks = BTreeMap<(String, Vec<u8>), Vec<String>>;

/// Compares all hunks of `facts`, which are those of `revision`.
pub(crate) fn compare(path: &Path, revision: &str, facts: &[CommitFacts]) {
    let (ours, mut theirs) = (said_by_us(facts), said_by_git(path, revision));
    // Where a binary file becomes another kind of thing, git shows the lines of the side that is text.
    for (commit, file) in facts.iter().flat_map(|commit| commit.files.iter().map(move |file| (commit, file)))
    {
        if matches!(file.lines, Lines::Binary { .. }) {
            theirs.remove(&(commit.id.to_string(), numstat::quote(&file.path)));
        }
    }
    let differing = differing(&ours, &theirs);
    assert!(
        differing.is_empty(),
        "{} files differ:\n{}",
        differing.len(),
        differing[..differing.len().min(20)].join("\n")
    );
}

/// Returns the files whose hunks are not the same.
pub(crate) fn differing(ours: &Hunks, theirs: &Hunks) -> Vec<String> {
    let mut files: Vec<_> = ours.keys().chain(theirs.keys()).collect();
    files.sort_unstable();
    files.dedup();
    let name = |(commit, path): &(String, Vec<u8>)| format!("{commit} {}", String::from_utf8_lossy(path));
    files
        .into_iter()
        .filter(|file| ours.get(*file) != theirs.get(*file))
        .map(|file| format!("{}\n  git  {:?}\n  ours {:?}", name(file), theirs.get(file), ours.get(file)))
        .collect()
}

pub(crate) fn said_by_us(facts: &[CommitFacts]) -> Hunks {
    let mut all = Hunks::new();
    for commit in facts {
        for file in &commit.files {
            let Lines::Counted { added, deleted } = file.lines else { continue };
            let whole = Hunk { old_start: 0, old_lines: deleted, new_start: 0, new_lines: added };
            let hunks = match file.kind {
                ChangeKind::Added | ChangeKind::Deleted => {
                    assert!(file.hunks.is_empty(), "{}: a whole file has hunks", commit.id);
                    vec![whole]
                }
                ChangeKind::Modified | ChangeKind::Renamed { .. } => file.hunks.clone(),
            };
            let shown: Vec<String> =
                hunks.iter().filter(|hunk| hunk.old_lines + hunk.new_lines > 0).map(show).collect();
            if !shown.is_empty() {
                all.insert((commit.id.to_string(), numstat::quote(&file.path)), shown);
            }
        }
    }
    all
}

fn show(hunk: &Hunk) -> String {
    let side = |start: u32, lines: u32| match lines {
        0 => format!("{start},0"),
        1 => format!("{}", start + 1),
        lines => format!("{},{lines}", start + 1),
    };
    format!("-{} +{}", side(hunk.old_start, hunk.old_lines), side(hunk.new_start, hunk.new_lines))
}

pub(crate) fn said_by_git(path: &Path, revision: &str) -> Hunks {
    let source = format!("--attr-source={revision}");
    let arguments = [
        &source,
        "-c",
        "diff.noprefix=true",
        "log",
        revision,
        "--no-merges",
        "-M",
        "-p",
        "-U0",
        "--no-textconv",
        "--no-ext-diff",
        "--full-index",
        "--submodule=short",
        "--format=%x00%H",
        "--",
    ];
    let printed = run(path, &arguments, b"");
    let mut hunks = Hunks::new();
    let (mut commit, mut file, mut left) = (String::new(), Vec::new(), 0);
    let mut deleted = Vec::new();
    for line in printed.split(|byte| *byte == b'\n') {
        if left > 0 {
            // A line of a hunk, or the note that the last one has no end.
            left -= usize::from(!line.starts_with(b"\\"));
        } else if let Some(id) = line.strip_prefix(b"\0") {
            commit = String::from_utf8(id.to_vec()).unwrap();
        } else if let Some(path) = line.strip_prefix(b"--- ") {
            deleted = path.to_vec();
        } else if let Some(path) = line.strip_prefix(b"+++ ") {
            // git ends a path with a space in it by a tab.
            let path = if path == b"/dev/null" { &deleted } else { path };
            file = path.strip_suffix(b"\t").unwrap_or(path).to_vec();
        } else if let Some(rest) = line.strip_prefix(b"@@ ") {
            let head = String::from_utf8(rest.to_vec())
                .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
            let head = head.split(" @@").next().unwrap().to_owned();
            left = head.split(' ').map(count).sum();
            hunks.entry((commit.clone(), file.clone())).or_default().push(head);
        }
    }
    for heads in hunks.values_mut() {
        merge_replaced(heads);
    }
    hunks
}

/// Returns the lines of one side of a hunk's head.
fn count(side: &str) -> usize {
    side.split_once(',').map_or(1, |(_, lines)| lines.parse().unwrap())
}

/// A file that became another kind of thing is shown as gone and as new; we say both in one hunk.
fn merge_replaced(heads: &mut Vec<String>) {
    if let [gone, new] = heads.as_slice()
        && let (Some(old), Some(new)) = (gone.strip_suffix(" +0,0"), new.strip_prefix("-0,0 "))
    {
        *heads = vec![format!("{old} {new}")];
    }
}
