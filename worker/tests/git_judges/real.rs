//! Real histories, for whoever has some: `GITFLEET_JUDGED=/path/to/a.git:/path/to/b.git cargo test --release --test
//! git_judges -- --ignored --nocapture real`.

use std::path::PathBuf;

use crate::blame;
use crate::fixture::run;
use crate::judge::{NO_LIMIT, facts, judge_at};

/// Files of each that are compared with blame, which takes its time.
const FILES: usize = 300;

/// Returns the repositories that the environment names, each with its head.
fn repositories() -> Vec<(PathBuf, String)> {
    let named = std::env::var_os("GITFLEET_JUDGED").unwrap_or_default();
    std::env::split_paths(&named)
        .filter(|path| !path.as_os_str().is_empty())
        .map(|path| {
            let head = String::from_utf8(run(&path, &["rev-parse", "HEAD"], b"")).unwrap();
            (path, head.trim_end().to_owned())
        })
        .collect()
}

#[test]
#[ignore = "takes repositories from the environment"]
fn real_histories_are_what_git_says() {
    for (path, head) in repositories() {
        let lines = judge_at(&path, &head);
        assert!(!lines.is_empty(), "{} has a history", path.display());
    }
}

#[test]
#[ignore = "takes repositories from the environment"]
fn real_lines_are_whose_git_says() {
    for (path, head) in repositories() {
        let facts = facts(&path, &head, NO_LIMIT);
        let (lines, differing) = blame::differing(&path, &head, &facts, FILES);
        let shown = differing[..differing.len().min(40)].join("\n");
        println!("{}: {} of {lines} lines differ\n{shown}", path.display(), differing.len());
    }
}

/// Says what the history of lines costs: facts with and without it, by one thread, and the fold.
#[test]
#[ignore = "takes repositories from the environment"]
fn real_costs_of_lines() {
    use gitfleet_shared::lines::LineHistory;
    use gitfleet_shared::object_id::ObjectId;
    use gitfleet_worker::door::{self, Part};
    use gitfleet_worker::facts::Depth;
    use gitfleet_worker::objects::Limits;

    for (path, head) in repositories() {
        let limits = Limits { max_blob_bytes: NO_LIMIT, cache_bytes: 256 << 20 };
        let mut all = Vec::new();
        for depth in [Depth::Counts, Depth::Hunks, Depth::Counts, Depth::Hunks] {
            let begun = std::time::Instant::now();
            all.clear();
            door::facts(&path, &head, 1, limits, depth, Part::WHOLE, |facts| {
                all.push(facts);
                Ok(())
            })
            .unwrap();
            println!("{}: {depth:?} {:?}", path.display(), begun.elapsed());
        }
        let id = ObjectId::try_from(crate::judge::id(&head).as_bytes()).unwrap();
        let begun = std::time::Instant::now();
        let history = LineHistory::of(&all, &id);
        let changes: usize = all.iter().map(|commit| commit.files.len() + commit.merged.len()).sum();
        let (elapsed, deaths) = (begun.elapsed(), history.deaths.len());
        println!(
            "fold of {changes} changes in {elapsed:?}: {:.0} a second, {deaths} deaths, {} births",
            changes as f64 / elapsed.as_secs_f64(),
            history.births.len()
        );
    }
}
