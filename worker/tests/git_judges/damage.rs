//! Objects that are missing, damaged, too large or made to hurt: lines become unknown, never zero, and nothing fails.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use gitfleet_shared::facts::{CommitFacts, Lines, UnknownReason};

use crate::fixture::{Fixture, all_gone, file, gone, run};
use crate::judge::{NO_LIMIT, engine, facts, id, judge, limits};

/// Lines by commit and path, renames not followed.
type ByChange = BTreeMap<(String, Vec<u8>), Lines>;

fn by_change(facts: &[CommitFacts]) -> ByChange {
    let mut changes = BTreeMap::new();
    for facts in facts {
        for file in &facts.files {
            for change in file.without_renames() {
                changes.insert((facts.id.to_string(), change.path.to_vec()), change.lines);
            }
        }
    }
    changes
}

/// Returns what git says, with the changes that need one of `blobs` unknown for `reason`.
fn expected(repo: &Fixture, blobs: &[&str], reason: UnknownReason) -> ByChange {
    let mut expected = ByChange::new();
    for commit in repo.git(&["rev-list", "--no-merges", "HEAD"]).lines() {
        let with = |format| {
            let source = "--attr-source=HEAD";
            repo.git(&[
                source,
                "diff-tree",
                "--root",
                "-r",
                "--no-commit-id",
                "--no-renames",
                format,
                "--no-abbrev",
                commit,
            ])
        };
        let raw = with("--raw");
        for (raw, numstat) in raw.lines().zip(with("--numstat").lines()) {
            let mut words = numstat.split('\t');
            let (added, deleted, path) =
                (words.next().unwrap(), words.next().unwrap(), words.next().unwrap());
            let lines = if blobs.iter().any(|blob| raw.contains(blob)) {
                Lines::Unknown(reason)
            } else {
                Lines::Counted { added: added.parse().unwrap(), deleted: deleted.parse().unwrap() }
            };
            expected.insert((commit.to_owned(), path.as_bytes().to_vec()), lines);
        }
    }
    assert!(expected.values().any(|lines| matches!(lines, Lines::Unknown(_))));
    expected
}

/// Commits where `b` passes through contents 1, 2, 3 beside other changes.
fn history() -> Fixture {
    let repo = Fixture::new();
    let text = |n: usize| format!("{}{n}\n", "line\n".repeat(300));
    repo.commit(&[file("a", "a\n"), file("b", text(1)), file("d/c", "c\n")]);
    repo.commit(&[file("b", text(2)), file("d/c", "c\nc\n")]);
    repo.commit(&[file("b", text(3))]);
    repo.commit(&[gone("b"), file("e", text(4)), file("a", "b\n")]);
    repo.commit(&[file("d/c", "x\n")]);
    judge(&repo);
    repo
}

fn blob(repo: &Fixture, revision: &str) -> String {
    repo.git(&["rev-parse", revision])
}

fn make_writable(path: &Path) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn a_missing_blob_leaves_only_its_changes_unknown() {
    for revision in ["HEAD~4:b", "HEAD~3:b", "HEAD~2:b", "HEAD:e", "HEAD:d/c"] {
        let repo = history();
        let lost = blob(&repo, revision);
        let expected = expected(&repo, &[&lost], UnknownReason::MissingObject);
        std::fs::remove_file(repo.loose(&lost)).unwrap();
        assert_eq!(by_change(&facts(repo.path(), "HEAD", NO_LIMIT)), expected, "{revision}");
    }
}

#[test]
fn a_blob_missing_on_one_side_makes_no_rename() {
    let repo = history();
    std::fs::remove_file(repo.loose(&blob(&repo, "HEAD~2:b"))).unwrap();
    let all = facts(repo.path(), "HEAD~1", NO_LIMIT);
    let paths: Vec<&[u8]> = all[0].files.iter().map(|file| file.path.as_slice()).collect();
    assert_eq!(paths, [b"a", b"b", b"e"]);
}

#[test]
fn a_partial_clone_lacks_its_blobs_and_fetches_none() {
    let repo = history();
    repo.git(&["config", "uploadpack.allowFilter", "true"]);
    let partial = repo.room().join("partial.git");
    let url = format!("file://{}", repo.path().display());
    repo.git(&["clone", "--quiet", "--bare", "--filter=blob:none", &url, partial.to_str().unwrap()]);
    let count = || run(&partial, &["count-objects", "-v"], b"");
    let before = count();
    let expected = by_change(&facts(repo.path(), "HEAD", NO_LIMIT));
    let unknown = Lines::Unknown(UnknownReason::MissingObject);
    let expected: ByChange = expected.into_keys().map(|change| (change, unknown)).collect();
    assert_eq!(by_change(&facts(&partial, "HEAD", NO_LIMIT)), expected);
    assert_eq!(count(), before);
}

#[test]
fn an_exact_rename_of_a_missing_blob_has_unknown_lines() {
    let repo = Fixture::new();
    repo.commit(&[file("a", "text\n")]);
    repo.commit(&[gone("a"), file("b", "text\n")]);
    std::fs::remove_file(repo.loose(&blob(&repo, "HEAD:b"))).unwrap();
    let all = facts(repo.path(), "HEAD", NO_LIMIT);
    assert!(all.iter().flat_map(|facts| &facts.files).all(|file| {
        file.without_renames().all(|change| change.lines == Lines::Unknown(UnknownReason::MissingObject))
    }));
}

#[test]
fn a_missing_tree_leaves_its_directory_unknown() {
    let repo = history();
    let before = by_change(&facts(repo.path(), "HEAD", NO_LIMIT));
    let lost = blob(&repo, "HEAD~3:d");
    std::fs::remove_file(repo.loose(&lost)).unwrap();
    let after = by_change(&facts(repo.path(), "HEAD", NO_LIMIT));
    let unknown = Lines::Unknown(UnknownReason::MissingObject);
    let mut expected = before;
    // The tree came with one commit and stayed until the last changed it.
    for revision in ["HEAD~3", "HEAD"] {
        let commit = blob(&repo, revision);
        expected.remove(&(commit.clone(), b"d/c".to_vec()));
        expected.insert((commit, b"d".to_vec()), unknown);
    }
    assert_eq!(after, expected);
}

#[test]
fn a_missing_root_leaves_its_commits_unknown() {
    let repo = history();
    let mut expected = by_change(&facts(repo.path(), "HEAD", NO_LIMIT));
    std::fs::remove_file(repo.loose(&blob(&repo, "HEAD~2^{tree}"))).unwrap();
    for revision in ["HEAD~2", "HEAD~1"] {
        let commit = blob(&repo, revision);
        expected.retain(|(other, _), _| *other != commit);
        expected.insert((commit, Vec::new()), Lines::Unknown(UnknownReason::MissingObject));
    }
    assert_eq!(by_change(&facts(repo.path(), "HEAD", NO_LIMIT)), expected);
}

#[test]
fn a_missing_commit_is_a_classified_failure() {
    use gitfleet_shared::contract::{FailureClass, Revisions};
    use gitfleet_worker::facts::Depth;

    let repo = history();
    std::fs::remove_file(repo.loose(&blob(&repo, "HEAD~2"))).unwrap();
    let opened = gitfleet_worker::repository::open(repo.path(), NO_LIMIT).unwrap().to_thread_local();
    let failure =
        gitfleet_worker::survey::survey(&opened, &Revisions::Head, None, limits(NO_LIMIT), Depth::Counts)
            .unwrap_err();
    assert_eq!(failure.class, FailureClass::Corrupt);
}

#[test]
fn a_corrupt_blob_leaves_only_its_changes_unknown() {
    // Cut off, emptied, no longer deflated, deflated with a flipped bit.
    let damages: [fn(&mut Vec<u8>); 4] = [
        |bytes| bytes.truncate(bytes.len() / 2),
        Vec::clear,
        |bytes| bytes.fill(b'x'),
        |bytes| {
            let last = bytes.len() - 1;
            bytes[last] ^= 0xff;
        },
    ];
    for (n, damage) in damages.iter().enumerate() {
        let repo = history();
        let hurt = blob(&repo, "HEAD~3:b");
        let expected = expected(&repo, &[&hurt], UnknownReason::CorruptObject);
        let path = repo.loose(&hurt);
        make_writable(&path);
        let mut bytes = std::fs::read(&path).unwrap();
        damage(&mut bytes);
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(by_change(&facts(repo.path(), "HEAD", NO_LIMIT)), expected, "damage {n}");
    }
}

#[test]
fn a_tree_where_a_blob_should_be_is_corrupt() {
    let repo = Fixture::new();
    let blob = repo.object("blob", b"a\n");
    let inner = repo.tree(&[("100644", "f", &blob)]);
    let tree = repo.tree(&[("100644", "a", &blob), ("100644", "b", &inner), ("40000", "c", &blob)]);
    let commit = repo.commit_tree(&tree, &[]);
    let corrupt = Lines::Unknown(UnknownReason::CorruptObject);
    let expected = [("a", Lines::Counted { added: 1, deleted: 0 }), ("b", corrupt), ("c", corrupt)];
    let expected = expected.map(|(path, lines)| ((commit.clone(), path.as_bytes().to_vec()), lines));
    assert_eq!(by_change(&facts(repo.path(), "HEAD", NO_LIMIT)), ByChange::from(expected));
}

#[test]
fn a_malformed_tree_is_corrupt() {
    for content in [
        "100644 cut\0short",
        "no mode\0",
        "100644",
        "100944 f\0aaaaaaaaaaaaaaaaaaaa",
        "f\0aaaaaaaaaaaaaaaaaaaa",
    ] {
        check_malformed(content);
    }
}

#[test]
fn an_entry_without_a_mode_is_malformed() {
    check_malformed(" f\0aaaaaaaaaaaaaaaaaaaa");
}

/// A tree that git refuses leaves its directory unknown, and what is beside it known.
fn check_malformed(content: &str) {
    let repo = Fixture::new();
    let broken = repo.object("tree", content.as_bytes());
    let tree = repo.tree(&[("100644", "a", &repo.object("blob", b"a\n")), ("40000", "d", &broken)]);
    let commit = repo.commit_tree(&tree, &[]);
    let lines =
        [("a", Lines::Counted { added: 1, deleted: 0 }), ("d", Lines::Unknown(UnknownReason::CorruptObject))];
    let expected = lines.map(|(path, lines)| ((commit.clone(), path.as_bytes().to_vec()), lines));
    assert_eq!(by_change(&facts(repo.path(), "HEAD", NO_LIMIT)), ByChange::from(expected), "{content:?}");
}

#[test]
fn a_file_over_the_limit_is_unknown_and_no_failure() {
    let repo = history();
    let large: Vec<String> =
        ["HEAD~4:b", "HEAD~3:b", "HEAD~2:b", "HEAD:e"].map(|at| blob(&repo, at)).to_vec();
    let large: Vec<&str> = large.iter().map(String::as_str).collect();
    let expected = expected(&repo, &large, UnknownReason::TooLarge);
    assert_eq!(by_change(&facts(repo.path(), "HEAD", 1_000)), expected);
    repo.git(&["repack", "-adq"]);
    assert_eq!(by_change(&facts(repo.path(), "HEAD", 1_000)), expected);
}

#[test]
fn a_file_of_just_the_limit_is_counted() {
    let repo = Fixture::new();
    repo.commit(&[file("limit", "x".repeat(1_000)), file("over", "x".repeat(1_001))]);
    let all = facts(repo.path(), "HEAD", 1_000);
    assert_eq!(all[0].files[0].lines, Lines::Counted { added: 1, deleted: 0 });
    assert_eq!(all[0].files[1].lines, Lines::Unknown(UnknownReason::TooLarge));
}

#[test]
fn damage_is_counted_in_the_net_of_a_merge_and_at_the_tip() {
    let repo = history();
    let base = blob(&repo, "HEAD");
    let side = repo.commit_on("side", &[&base], &[file("s", "s\n"), file("t", "t\n")]);
    let merge = repo.commit_on("main", &[&base, &side], &[file("s", "s\n"), file("t", "t\n")]);
    std::fs::remove_file(repo.loose(&blob(&repo, "HEAD:s"))).unwrap();
    let mut engine = engine(repo.path(), NO_LIMIT);
    let net = engine.mainline_net(id(&merge)).unwrap();
    assert_eq!((net.net_lines, net.unknown_files), (1, 1));
    let tip = engine.tip(id(&merge), || true).unwrap().unwrap();
    let (lines, unknown_files) = (tip.lines, tip.unknown_files);
    assert_eq!((lines, unknown_files), (1 + 1 + 301 + 1, 1));
}

/// A tree of `levels` levels with ten entries each, all of them the same tree.
fn bomb(repo: &Fixture, levels: usize) -> String {
    let names: Vec<String> = (0..10).map(|n| format!("{n}")).collect();
    let blob = repo.object("blob", b"boom\n");
    let mut tree =
        repo.tree(&names.iter().map(|name| ("100644", name.as_str(), blob.as_str())).collect::<Vec<_>>());
    for _ in 1..levels {
        tree =
            repo.tree(&names.iter().map(|name| ("40000", name.as_str(), tree.as_str())).collect::<Vec<_>>());
    }
    tree
}

#[test]
fn a_tree_bomb_is_too_large() {
    let repo = Fixture::new();
    let first = repo.commit(&[file("a", "a\n")]);
    let bomb = bomb(&repo, 12);
    let boom = repo.commit_tree(&bomb, &[&first]);
    let after = repo.commit_on("main", &[&boom], &[all_gone(), file("a", "b\n")]);
    let too_large = Lines::Unknown(UnknownReason::TooLarge);
    let mut engine = engine(repo.path(), NO_LIMIT);
    for commit in [&boom, &after] {
        let files = engine.facts(id(commit)).unwrap().files;
        assert_eq!(
            files.iter().map(|file| (file.path.as_slice(), file.lines)).collect::<Vec<_>>(),
            [(b"".as_slice(), too_large)]
        );
    }
}

#[test]
fn a_tree_bomb_at_the_tip_is_too_large() {
    let repo = Fixture::new();
    let bomb = bomb(&repo, 12);
    let boom = repo.commit_tree(&bomb, &[]);
    let mut engine = engine(repo.path(), NO_LIMIT);
    let tip = engine.tip(id(&boom), || true).unwrap().unwrap();
    assert_eq!((tip.lines, tip.unknown_files), (0, 1));
}

/// A file below `levels` directories.
fn deep(levels: usize) -> Fixture {
    let repo = Fixture::new();
    // Written in this process: git would be started two thousand times.
    let objects = gix::open(repo.path()).unwrap();
    let mut oid = objects.write_blob(b"deep\n").unwrap().detach();
    let mut mode = gix::objs::tree::EntryKind::Blob;
    for _ in 0..levels {
        let entry = gix::objs::tree::Entry { mode: mode.into(), filename: "d".into(), oid };
        oid = objects.write_object(&gix::objs::Tree { entries: vec![entry] }).unwrap().detach();
        mode = gix::objs::tree::EntryKind::Tree;
    }
    let tree = oid.to_string();
    repo.commit_tree(&tree, &[]);
    repo
}

#[test]
fn a_very_deep_tree_costs_no_stack() {
    judge(&deep(1_100));
}

#[test]
fn a_tree_deeper_than_git_goes_is_too_large() {
    let all = facts(deep(2_060).path(), "HEAD", NO_LIMIT);
    assert_eq!(all[0].files[0].lines, Lines::Unknown(UnknownReason::TooLarge));
}
