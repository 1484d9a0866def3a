//! The survey: what a snapshot holds, and how it differs from an earlier one.

use std::collections::BTreeSet;

use gitfleet_shared::contract::{Base, Changed, FailureClass, Revisions, SurveyResult};
use gitfleet_shared::object_id::ObjectId;
use gitfleet_worker::facts::Depth;
use gitfleet_worker::objects::Objects;
use gitfleet_worker::walk::{Growth, Walker};
use gitfleet_worker::{repository, survey};

use crate::fixture::{Fixture, file, gone, symlink};
use crate::generated::Random;
use crate::judge::{NO_LIMIT, id, limits};

fn open(repo: &Fixture) -> gix::Repository {
    repository::open(repo.path(), NO_LIMIT).unwrap().to_thread_local()
}

fn survey(repo: &Fixture, revisions: &Revisions, base: Option<&Base>) -> SurveyResult {
    survey::survey(&open(repo), revisions, base, limits(NO_LIMIT), Depth::Counts).unwrap()
}

/// Surveys, and compares with git all that git can say of a snapshot.
fn changed(repo: &Fixture, revisions: &Revisions, base: Option<&Base>) -> Changed {
    let SurveyResult::Changed(changed) = survey(repo, revisions, base) else { panic!("nothing changed") };
    let changed = *changed;
    let tips: Vec<String> = hex(&changed.snapshot.tips);
    let head = changed.snapshot.head.map(|head| head.to_string()).unwrap();
    let mut arguments = vec!["rev-list"];
    arguments.extend(tips.iter().map(String::as_str));
    let old_tips = base.map(|base| hex(&base.tips)).unwrap_or_default();
    if changed.since_base {
        arguments.push("--not");
        arguments.extend(old_tips.iter().map(String::as_str));
    }
    assert_eq!(sorted(&changed.added), repo.git_lines(&arguments), "added");
    let mut chain = vec!["rev-list", "--first-parent", &head];
    let until = base.and_then(|base| base.head).map(|head| format!("^{head}"));
    if changed.mainline.continues_base {
        chain.push(until.as_deref().unwrap());
    }
    let printed = repo.git(&chain);
    assert_eq!(hex(&changed.mainline.commits), printed.lines().collect::<Vec<_>>(), "mainline");
    chain.push("--merges");
    let printed = repo.git(&chain);
    assert_eq!(hex(&changed.mainline.merges), printed.lines().collect::<Vec<_>>(), "merges");
    changed
}

fn base(changed: &Changed) -> Base {
    let snapshot = &changed.snapshot;
    Base { refs: snapshot.refs, tips: snapshot.tips.clone(), head: snapshot.head }
}

fn hex(ids: &[ObjectId]) -> Vec<String> {
    ids.iter().map(ObjectId::to_string).collect()
}

fn sorted(ids: &[ObjectId]) -> Vec<String> {
    let mut ids = hex(ids);
    ids.sort_unstable();
    ids
}

/// A line of commits with a merge in it.
fn history() -> Fixture {
    let repo = Fixture::new();
    let first = repo.commit(&[file("a", "1\n")]);
    let side = repo.commit_on("side", &[&first], &[file("s", "1\n")]);
    let second = repo.commit(&[file("a", "2\n")]);
    repo.commit_on("main", &[&second, &side], &[file("s", "1\n")]);
    repo.commit(&[file("a", "3\n")]);
    repo
}

#[test]
fn without_a_base_everything_is_new() {
    let repo = history();
    let changed = changed(&repo, &Revisions::Head, None);
    assert!(!changed.since_base && !changed.mainline.continues_base);
    assert_eq!(
        (changed.added.len(), changed.mainline.commits.len(), changed.mainline.merges.len()),
        (5, 4, 1)
    );
    assert_eq!(changed.snapshot.branch.as_deref(), Some("main"));
    assert!(!changed.snapshot.shallow);
}

#[test]
fn new_commits_continue_the_base() {
    let repo = history();
    let old = base(&changed(&repo, &Revisions::Head, None));
    repo.commit(&[file("a", "4\n")]);
    repo.commit(&[file("a", "5\n")]);
    let changed = changed(&repo, &Revisions::Head, Some(&old));
    assert!(changed.since_base && changed.mainline.continues_base);
    assert_eq!(changed.added.len(), 2);
}

#[test]
fn unchanged_refs_are_recognised() {
    let repo = history();
    for revisions in [Revisions::Head, Revisions::Branch("side".into()), Revisions::AllBranches] {
        let old = base(&changed(&repo, &revisions, None));
        assert_eq!(survey(&repo, &revisions, Some(&old)), SurveyResult::Unchanged, "{revisions}");
    }
    // A ref that was not asked for may come and go.
    let old = base(&changed(&repo, &Revisions::Head, None));
    repo.commit_on("other", &[], &[file("o", "o\n")]);
    assert_eq!(survey(&repo, &Revisions::Head, Some(&old)), SurveyResult::Unchanged);
}

#[test]
fn an_old_side_branch_that_is_merged_late_is_found() {
    let repo = Fixture::new();
    let root = repo.commit_at(1_600_000_000, "main", &[], &[file("a", "1\n")]);
    let old_side = repo.commit_at(1_500_000_000, "side", &[&root], &[file("s", "1\n")]);
    let older_side = repo.commit_at(1_400_000_000, "side", &[&old_side], &[file("s", "2\n")]);
    for n in 0..5 {
        repo.commit(&[file("a", format!("{n}\n"))]);
    }
    let old = base(&changed(&repo, &Revisions::Head, None));
    let tip = repo.git(&["rev-parse", "main"]);
    repo.commit_on("main", &[&tip, &older_side], &[file("s", "2\n")]);
    let grown = changed(&repo, &Revisions::Head, Some(&old));
    assert!(grown.since_base && grown.mainline.continues_base);
    assert_eq!(grown.added.len(), 3);
}

#[test]
fn the_base_may_become_the_side_of_a_merge() {
    let repo = history();
    let old = base(&changed(&repo, &Revisions::Head, None));
    let tip = repo.git(&["rev-parse", "main"]);
    let other = repo.commit_on("other", &["side"], &[file("o", "o\n")]);
    repo.commit_on("main", &[&other, &tip], &[]);
    let grown = changed(&repo, &Revisions::Head, Some(&old));
    assert!(grown.since_base);
    assert!(!grown.mainline.continues_base, "the first-parent chain no longer holds the base");
}

#[test]
fn a_force_push_lists_everything() {
    let repo = history();
    let old = base(&changed(&repo, &Revisions::Head, None));
    repo.commit_on("main", &["main~2"], &[file("a", "other\n")]);
    let rewritten = changed(&repo, &Revisions::Head, Some(&old));
    assert!(!rewritten.since_base && !rewritten.mainline.continues_base);
    repo.point("main", "main~1");
    assert!(!changed(&repo, &Revisions::Head, Some(&old)).since_base);
}

#[test]
fn a_base_whose_commits_are_gone_lists_everything() {
    let repo = history();
    let mut old = base(&changed(&repo, &Revisions::Head, None));
    let lost = ObjectId::try_from([7; 20].as_slice()).unwrap();
    old = Base { tips: vec![lost], head: Some(lost), ..old };
    repo.commit(&[file("a", "4\n")]);
    assert!(!changed(&repo, &Revisions::Head, Some(&old)).since_base);
}

#[test]
fn a_missing_branch_is_named() {
    let repo = history();
    let failure = survey::survey(
        &open(&repo),
        &Revisions::Branch("nowhere".into()),
        None,
        limits(NO_LIMIT),
        Depth::Counts,
    )
    .unwrap_err();
    assert_eq!(failure.class, FailureClass::BranchNotFound);
    assert!(failure.message.contains("nowhere"), "{}", failure.message);
}

#[test]
fn a_branch_is_found_here_or_with_the_origin() {
    let repo = history();
    repo.git(&["update-ref", "refs/remotes/origin/far", "side"]);
    repo.git(&["update-ref", "refs/heads/with/slash", "side"]);
    for name in ["side", "far", "with/slash"] {
        let changed = changed(&repo, &Revisions::Branch(name.into()), None);
        assert_eq!(changed.added.len(), 2);
        assert_eq!(changed.snapshot.branch.as_deref(), Some(name));
    }
}

#[test]
fn all_branches_are_all_branches() {
    let repo = history();
    repo.commit_on("orphan", &[], &[file("o", "o\n")]);
    repo.commit_on("ahead", &["main"], &[file("h", "h\n")]);
    repo.git(&["update-ref", "refs/remotes/origin/far", "ahead"]);
    repo.git(&["symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/far"]);
    repo.git(&["pack-refs", "--all"]);
    repo.commit_on("ahead", &["ahead"], &[file("h", "h2\n")]);
    repo.git(&["update-ref", "refs/tags/no-branch", "orphan"]);
    let changed = changed(&repo, &Revisions::AllBranches, None);
    assert_eq!(sorted(&changed.added), repo.git_lines(&["rev-list", "--branches", "--remotes"]));
    assert_eq!(changed.snapshot.head.unwrap().to_string(), repo.git(&["rev-parse", "main"]));
}

#[test]
fn a_branch_that_caught_up_is_growth() {
    let repo = history();
    let old = base(&changed(&repo, &Revisions::AllBranches, None));
    // Side moves on to where main is: its old tip is still reachable, through the old tip of main.
    let tip = repo.commit(&[file("a", "4\n")]);
    repo.point("side", &tip);
    let grown = changed(&repo, &Revisions::AllBranches, Some(&old));
    assert!(grown.since_base, "all old commits are still reachable");
    assert_eq!(grown.added.len(), 1);
}

#[test]
fn a_merged_branch_that_is_deleted_is_growth() {
    let repo = history();
    let old = base(&changed(&repo, &Revisions::AllBranches, None));
    repo.commit(&[file("a", "4\n")]);
    repo.git(&["update-ref", "-d", "refs/heads/side"]);
    let grown = changed(&repo, &Revisions::AllBranches, Some(&old));
    assert!(grown.since_base, "all old commits are still reachable");
    assert_eq!(grown.added.len(), 1);
}

#[test]
fn a_detached_head_has_no_branch() {
    let repo = history();
    repo.git(&["update-ref", "--no-deref", "HEAD", "main~1"]);
    assert_eq!(changed(&repo, &Revisions::Head, None).snapshot.branch, None);
}

#[test]
fn head_on_an_unborn_branch_is_no_commit_though_others_have_some() {
    let repo = history();
    repo.git(&["symbolic-ref", "HEAD", "refs/heads/unborn"]);
    let SurveyResult::Changed(nothing) = survey(&repo, &Revisions::Head, None) else { panic!() };
    assert_eq!((nothing.snapshot.head, nothing.added.len()), (None, 0));
    let old = Base { refs: nothing.snapshot.refs, tips: Vec::new(), head: None };
    assert_eq!(survey(&repo, &Revisions::Head, Some(&old)), SurveyResult::Unchanged);
    repo.git(&["symbolic-ref", "HEAD", "refs/heads/main"]);
    assert_eq!(changed(&repo, &Revisions::Head, Some(&old)).added.len(), 5);
}

#[test]
fn the_mailmap_is_that_of_the_tip() {
    let repo = Fixture::new();
    let mailmap = |repo: &Fixture| changed(repo, &Revisions::Head, None).snapshot.mailmap;
    repo.commit(&[file("a", "a\n")]);
    assert_eq!(mailmap(&repo), None);
    let bytes = b"Ren\xe9 <r@x> <s@x>\r\n\0";
    repo.commit(&[file(".mailmap", bytes), file("d/.mailmap", "no\n")]);
    assert_eq!(mailmap(&repo).as_deref(), Some(bytes.as_slice()));
    repo.commit(&[symlink(".mailmap", "d/.mailmap")]);
    assert_eq!(mailmap(&repo), None);
    repo.commit(&[gone(".mailmap"), file(".mailmap/f", "f\n")]);
    assert_eq!(mailmap(&repo), None);
}

#[test]
fn a_shallow_clone_says_so() {
    let repo = history();
    let target = repo.room().join("clone");
    let url = format!("file://{}", repo.path().display());
    repo.git(&["clone", "--quiet", "--depth=2", &url, target.to_str().unwrap()]);
    let opened = repository::open(&target, NO_LIMIT).unwrap().to_thread_local();
    let SurveyResult::Changed(cut) =
        survey::survey(&opened, &Revisions::Head, None, limits(NO_LIMIT), Depth::Counts).unwrap()
    else {
        panic!()
    };
    assert!(cut.snapshot.shallow);
    assert_eq!(cut.added.len(), 2);
    // Deepening changes what the commits at the edge say, though no ref moves.
    let old = base(&cut);
    let unshallow = ["fetch", "--quiet", "--unshallow"];
    crate::fixture::run(&target, &unshallow, b"");
    let opened = repository::open(&target, NO_LIMIT).unwrap().to_thread_local();
    let SurveyResult::Changed(whole) =
        survey::survey(&opened, &Revisions::Head, Some(&old), limits(NO_LIMIT), Depth::Counts).unwrap()
    else {
        panic!()
    };
    assert_ne!(whole.snapshot.attributes, cut.snapshot.attributes);
    assert!(!whole.snapshot.shallow);
}

#[test]
fn a_clock_that_runs_backwards_hides_nothing() {
    let repo = Fixture::new();
    let tips: Vec<String> = (0..10)
        .map(|n| {
            let parent = if n == 0 { vec![] } else { vec!["main"] };
            repo.commit_at(1_700_000_000 - 1_000 * n, "main", &parent, &[file("a", format!("{n}\n"))])
        })
        .collect();
    assert_eq!(changed(&repo, &Revisions::Head, None).added.len(), 10);
    repo.point("main", &tips[3]);
    let old = base(&changed(&repo, &Revisions::Head, None));
    repo.point("main", &tips[9]);
    assert_eq!(changed(&repo, &Revisions::Head, Some(&old)).added.len(), 6);
}

/// Random graphs with clocks that are right, off by some, or any.
#[test]
fn walks_of_random_graphs_are_what_rev_list_says() {
    let mut random = Random::new(21);
    for skew in [0, 5_000, 1_000_000] {
        let repo = Fixture::new();
        let marks = repo.stream(|stream| {
            let mut marks = Vec::new();
            for n in 0..60usize {
                let n_parents = [1, 1, 1, 2, 2, 3, 0][random.below(7)].min(n);
                let parents: BTreeSet<usize> =
                    (0..n_parents).map(|_| n - 1 - random.below(n.min(8))).collect();
                let parents: Vec<_> = parents.into_iter().rev().map(|parent| marks[parent]).collect();
                let seconds = 1_700_000_000 + 1_000 * n as i64 + random.below(skew + 1) as i64;
                let change = file(format!("f{}", n % 5), format!("{n}\n"));
                marks.push(stream.commit_at(seconds, &format!("b{n}"), &parents, &[change]));
            }
            marks
        });
        let ids: Vec<String> =
            (0..marks.len()).map(|n| repo.git(&["rev-parse", &format!("refs/heads/b{n}")])).collect();
        let objects = Objects::new(open(&repo), limits(NO_LIMIT));
        let mut walker = Walker::new(&objects, gix::hashtable::HashSet::default());
        for _ in 0..40 {
            let some = |random: &mut Random, reach: usize| -> Vec<String> {
                (0..1 + random.below(3)).map(|_| ids[random.below(reach)].clone()).collect()
            };
            let (new, old) = (some(&mut random, 60), some(&mut random, 45));
            check_walks(&repo, &mut walker, &new, &old);
        }
    }
}

fn check_walks(repo: &Fixture, walker: &mut Walker, new: &[String], old: &[String]) {
    let list = |tips: &[String], not: &[String]| -> BTreeSet<String> {
        let mut arguments = vec!["rev-list"];
        arguments.extend(tips.iter().map(String::as_str));
        arguments.push("--not");
        arguments.extend(not.iter().map(String::as_str));
        repo.git_lines(&arguments).into_iter().collect()
    };
    let ids = |hex: &[String]| -> Vec<gix::ObjectId> { hex.iter().map(|hex| id(hex)).collect() };
    let visited = |walked: &[gitfleet_worker::walk::Visited]| -> BTreeSet<String> {
        let set: BTreeSet<String> = walked.iter().map(|commit| commit.id.to_string()).collect();
        assert_eq!(set.len(), walked.len(), "a commit was visited twice");
        set
    };
    assert_eq!(visited(&walker.all(&ids(new)).unwrap()), list(new, &[]));
    let still_reachable = list(old, new).is_empty();
    match walker.since(&ids(new), &ids(old)).unwrap() {
        Growth::Grown(grown) => {
            assert!(still_reachable, "new {new:?} old {old:?}: old commits went, and it was not seen");
            let (grown, expected) = (visited(&grown), list(new, old));
            assert!(grown.is_superset(&expected), "new {new:?} old {old:?}: a new commit was not found");
            // What is there beyond was known before; its reader drops it.
            assert!(grown.difference(&expected).all(|id| list(old, &[]).contains(id)));
        }
        Growth::Rewritten => {
            assert!(!still_reachable, "new {new:?} old {old:?}: everything old is still reachable");
        }
    }
}

/// What git says of tags: name, commit, time with its zone, and whether the tag is an object.
fn git_tags(repo: &Fixture) -> Vec<String> {
    let format = "--format=%(refname:lstrip=2) %(if)%(*objectname)%(then)%(*objectname) %(*objecttype)%(else)\
                  %(objectname) %(objecttype)%(end) %(creatordate:raw) %(objecttype)";
    let printed = repo.git(&["for-each-ref", "--sort=refname", format, "refs/tags"]);
    printed.lines().filter(|line| line.contains(" commit ")).map(str::to_owned).collect()
}

#[test]
fn tags_are_those_of_git() {
    let repo = history();
    let head = repo.git(&["rev-parse", "main"]);
    let blob = repo.object("blob", b"a key\n");
    let annotate = |arguments: &[&str]| {
        let by = ["-c", "user.name=T", "-c", "user.email=t@x", "tag", "-a", "-m", "a release"];
        repo.git(&[&by[..], arguments].concat());
    };
    repo.git(&["tag", "light", "side"]);
    repo.git(&["tag", "of-a-blob", &blob]);
    annotate(&["v1.0", "main~1"]);
    annotate(&["v2/rc-1", "main"]);
    annotate(&["of-an-annotated-blob", &blob]);
    let changed = changed(&repo, &Revisions::Head, None);
    let ours: Vec<String> = changed
        .snapshot
        .tags
        .iter()
        .map(|tag| {
            let (name, minutes) = (String::from_utf8(tag.name.clone()).unwrap(), tag.time.offset_minutes);
            let kind = if tag.annotated { "tag" } else { "commit" };
            let zone = format!(
                "{}{:02}{:02}",
                if minutes < 0 { '-' } else { '+' },
                minutes.abs() / 60,
                minutes.abs() % 60
            );
            format!("{name} {} commit {} {zone} {kind}", tag.target, tag.time.seconds.unwrap())
        })
        .collect();
    assert_eq!(ours, git_tags(&repo));
    assert_eq!(ours.len(), 3);
    // A tag that moves makes another snapshot, and no commit is new.
    let old = base(&changed);
    assert_eq!(survey(&repo, &Revisions::Head, Some(&old)), SurveyResult::Unchanged);
    repo.git(&["tag", "-f", "light", &head]);
    let moved = self::changed(&repo, &Revisions::Head, Some(&old));
    assert!(moved.since_base && moved.added.is_empty() && moved.mainline.commits.is_empty());
    assert_eq!(moved.snapshot.tags[0].target.to_string(), head);
    assert_eq!(moved.snapshot.tips, changed.snapshot.tips);
    // One that names itself through others, and one that names nothing, are none.
    repo.git(&["tag", "-d", "light", "v1.0", "v2/rc-1"]);
    let missing = "1".repeat(40);
    let odd = repo.object("tag", format!("object {missing}\ntype commit\ntag odd\n\n").as_bytes());
    std::fs::write(repo.path().join("refs/tags/odd"), format!("{odd}\n")).unwrap();
    let old_style =
        repo.object("tag", format!("object {head}\ntype commit\ntag old\n\nno tagger\n").as_bytes());
    std::fs::write(repo.path().join("refs/tags/old"), format!("{old_style}\n")).unwrap();
    let tags = self::changed(&repo, &Revisions::Head, None).snapshot.tags;
    assert_eq!(tags.len(), 1);
    assert!(tags[0].annotated && tags[0].time.seconds.is_none() && tags[0].target.to_string() == head);
}

#[test]
fn what_linguist_is_told_is_in_the_snapshot() {
    let repo = Fixture::new();
    repo.commit(&[
        file(".gitattributes", "*.rs text\n# *.x linguist-vendored\nvendor/** linguist-vendored\n"),
        file("gen/.gitattributes", "* -linguist-generated=false text\n*.md diff"),
        file("plain/.gitattributes", "* text\n"),
    ]);
    let files = changed(&repo, &Revisions::Head, None).snapshot.attributes_files;
    let said: Vec<(&[u8], &[u8])> =
        files.iter().map(|file| (file.directory.as_slice(), file.content.as_slice())).collect();
    let expect: [(&[u8], &[u8]); 2] =
        [(b"", b"vendor/** linguist-vendored\n"), (b"gen/", b"* -linguist-generated=false text\n")];
    assert_eq!(said, expect);
}

#[test]
fn files_at_the_tip_are_those_of_git() {
    let repo = Fixture::new();
    repo.commit(&[
        file("a.rs", "fn a() {\n    b\n}\n\n"),
        file("d/empty", ""),
        file("d/binary", b"\0\n"),
        file("gen.go", "// Code generated by protoc. DO NOT EDIT.\npackage a\n"),
        symlink("link", "a.rs"),
    ]);
    let mut engine = crate::judge::engine(repo.path(), NO_LIMIT);
    let tip = engine.tip(id(&repo.git(&["rev-parse", "main"])), || true).unwrap().unwrap();
    let ours: Vec<String> = tip
        .files
        .iter()
        .map(|file| format!("{} {}", file.size_bytes, String::from_utf8_lossy(&file.path)))
        .collect();
    let git = repo.git(&["ls-tree", "-r", "--format=%(objectmode) %(objectsize) %(path)", "main"]);
    let theirs: Vec<&str> = git.lines().filter_map(|line| line.strip_prefix("100644 ")).collect();
    assert_eq!(ours, theirs);
    let lines: Vec<_> = tip.files.iter().map(|file| (file.lines, file.code_lines)).collect();
    assert_eq!(lines, [(Some(4), 3), (None, 0), (Some(0), 0), (Some(2), 2)]);
    assert_eq!(tip.files.iter().filter(|file| file.head_says_generated).count(), 1);
    // The symlink has a line, and is no file to be measured.
    assert_eq!((tip.lines, tip.unknown_files, tip.more_files), (7, 0, 0));
}
