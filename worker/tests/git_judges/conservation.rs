//! The conservation law: what came and went along the first-parent chain is what is there at its end.

use gitfleet_shared::contract::TipResult;
use gitfleet_shared::facts::{CommitFacts, Lines};

use crate::fixture::{Fixture, file, gone, submodule, symlink};
use crate::generated;
use crate::judge::{NO_LIMIT, engine, id};

fn check_conserved(repo: &Fixture) {
    let mut engine = engine(repo.path(), NO_LIMIT);
    let mut sum = 0;
    for hex in repo.git(&["rev-list", "--first-parent", "HEAD"]).lines() {
        let facts = engine.facts(id(hex)).unwrap();
        sum += if facts.is_merge() {
            let net = engine.mainline_net(id(hex)).unwrap();
            assert_eq!(net.unknown_files, 0, "{hex}");
            net.net_lines + net.binary_flip_lines
        } else {
            let net = engine.mainline_net(id(hex)).unwrap();
            assert_eq!(net_lines(&facts), net.net_lines + net.binary_flip_lines, "{hex}");
            net_lines(&facts)
        };
    }
    let tip = id(&repo.git(&["rev-parse", "HEAD"]));
    let TipResult { lines, unknown_files, .. } = engine.tip(tip, || true).unwrap().unwrap();
    assert_eq!((sum, 0), (i64::try_from(lines).unwrap(), unknown_files));
    assert_eq!(engine.tip(tip, || false).unwrap(), None);
}

/// Returns the net lines, which must be the same whether renames are followed or not.
fn net_lines(facts: &CommitFacts) -> i64 {
    let net = |lines: Lines| match lines {
        Lines::Counted { added, deleted } => i64::from(added) - i64::from(deleted),
        Lines::Binary { net_text_lines } => i64::from(net_text_lines),
        Lines::Unknown(_) => panic!("{}: a line is unknown", facts.id),
    };
    let followed: i64 = facts.files.iter().map(|file| net(file.lines)).sum();
    let plain = facts.files.iter().flat_map(|file| file.without_renames()).map(|change| net(change.lines));
    assert_eq!(plain.sum::<i64>(), followed, "{}", facts.id);
    followed
}

#[test]
fn lines_are_conserved_over_generated_histories() {
    for seed in [11, 12] {
        let repo = Fixture::new();
        generated::history(&repo, seed, 80);
        check_conserved(&repo);
    }
}

#[test]
fn lines_are_conserved_over_every_kind_of_entry() {
    let repo = Fixture::new();
    let one = "1".repeat(40);
    repo.commit(&[file("a", "a\nb"), file("b", "a\0\n"), symlink("l", "target"), submodule("s", &one)]);
    let base =
        repo.commit(&[file("a", "\0"), file("b", "a\nb\nc\n"), symlink("b.x", "x"), file("x.bin", "x\ny\n")]);
    let side = repo.commit_on(
        "side",
        &[&base],
        &[gone("l"), file("s", "no submodule\nany more\n"), file("b", "\0")],
    );
    let main = repo.commit_on(
        "main",
        &[&base],
        &[file("a", "text\nagain\n"), file(".gitattributes", "*.bin -diff\n")],
    );
    repo.commit_on("main", &[&main, &side], &[file("b", "merged\n"), gone("l"), file("x.bin", "z\n")]);
    repo.commit(&[file("b", "\0"), symlink("a", "b")]);
    check_conserved(&repo);
}
