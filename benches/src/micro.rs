//! The parts of an analysis one by one, on a real repository: what an operation costs, and how many bytes pass.
//!
//! Each part is run once to warm up and then counted `runs` times, in CPU time of this process, because that is what
//! a busy machine disturbs least.

use std::hint::black_box;
use std::path::Path;

use anyhow::Context as _;
use chrono_tz::Tz;
use gitfleet_shared::cache::embedded::Embedded;
use gitfleet_shared::cache::{Cache as _, Key};
use gitfleet_shared::codec::{self, Kind};
use gitfleet_shared::facts::{CommitFacts, FACTS_VERSION};
use gitfleet_shared::metrics::brief::Brief;
use gitfleet_shared::metrics::language::Languages;
use gitfleet_shared::metrics::people::People;
use gitfleet_shared::metrics::quality::Quality;
use gitfleet_shared::metrics::sums::Sums;
use gitfleet_shared::metrics::weeks::Weeks;
use gitfleet_shared::metrics::{Observation, PersonId};
use gitfleet_shared::window::Window;
use gitfleet_worker::contents::Bytes;
use gitfleet_worker::facts::{Depth, Engine};
use gitfleet_worker::lines::Differ;
use gitfleet_worker::objects::Objects;
use gitfleet_worker::tree::{self, Change};
use gitfleet_worker::walk::Walker;
use gitfleet_worker::{commit, lines, repository};
use gix::hashtable::HashSet;

use crate::args::Setting;
use crate::bench;
use crate::cost::{MAX_BLOB_BYTES, limits};
use crate::cpu;
use crate::samples::median;
use crate::table::{Table, count, number};

/// Contents that are held in memory at once for the comparison of lines.
const CONTENT_BYTES: usize = 256 << 20;
/// Commits that go to the cache and come back at once, as in a slice.
const BLOCK: usize = 128;

/// What one part is done on.
struct Amount {
    operations: usize,
    /// `None` where bytes say nothing.
    bytes: Option<usize>,
}

struct Micro {
    runs: usize,
    table: Table,
}

impl Micro {
    /// Measures `work`, which is given what `prepare` returns; preparing is not counted.
    fn part<T>(
        &mut self,
        name: &str,
        operation: &str,
        amount: &Amount,
        mut prepare: impl FnMut() -> anyhow::Result<T>,
        mut work: impl FnMut(T) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let mut seconds = Vec::new();
        for round in 0..=self.runs {
            let given = prepare()?;
            let (done, spent) = cpu::of(|| work(given));
            done.with_context(|| format!("{name} failed"))?;
            if round > 0 {
                seconds.push(spent.as_secs_f64());
            }
        }
        let seconds = median(seconds);
        self.table.row([
            name.to_owned(),
            operation.to_owned(),
            count(amount.operations),
            number(seconds * 1e9 / amount.operations as f64),
            amount.bytes.map_or(String::new(), |bytes| format!("{:.1}", bytes as f64 / 1e6)),
            amount.bytes.map_or(String::new(), |bytes| number(bytes as f64 / 1e6 / seconds)),
        ]);
        Ok(())
    }
}

/// A pair of contents under one path.
struct Pair {
    old: Bytes,
    new: Bytes,
}

/// Measures the parts on the newest `limit` commits without merges of the repository at `path`.
pub(crate) fn all(path: &Path, limit: usize, setting: &Setting) -> anyhow::Result<()> {
    let path = bench::absolute(path)?;
    let opened =
        repository::open(&path, MAX_BLOB_BYTES).map_err(|failure| anyhow::anyhow!(failure.message))?;
    let repository = opened.to_thread_local();
    let head = repository.head_id().context("no HEAD")?.detach();
    let objects = || Objects::new(opened.to_thread_local(), limits(1));
    let columns = ["part", "operation", "operations", "ns / operation", "MB", "MB / s"];
    let mut micro = Micro { runs: setting.runs.max(1), table: Table::new(2, &columns) };

    let walked = Walker::new(&objects(), HashSet::default()).all(&[head])?;
    micro.part(
        "walk",
        "commit",
        &Amount { operations: walked.len(), bytes: None },
        || Ok(objects()),
        |objects| {
            black_box(Walker::new(&objects, HashSet::default()).all(&[head])?);
            Ok(())
        },
    )?;

    let newest = walked.iter().filter(|commit| !commit.is_merge()).take(limit);
    let commits: Vec<gix::ObjectId> = newest.map(|commit| commit.id).collect();
    let trees: Vec<(Option<gix::ObjectId>, gix::ObjectId)> = trees(&objects(), &commits)?;
    let changes: Vec<Change> = {
        let objects = objects();
        trees.iter().flat_map(|(old, new)| tree::diff(&objects, *old, Some(*new)).changes).collect()
    };
    micro.part(
        "tree diff",
        "commit",
        &Amount { operations: trees.len(), bytes: None },
        || Ok(objects()),
        |objects| {
            for (old, new) in &trees {
                black_box(tree::diff(&objects, *old, Some(*new)));
            }
            Ok(())
        },
    )?;

    let blobs = blobs(&changes);
    let sizes: usize = {
        let objects = objects();
        blobs.iter().map(|id| objects.blob(id).map_or(0, |content| content.len())).sum()
    };
    micro.part(
        "inflate and delta resolution",
        "blob",
        &Amount { operations: blobs.len(), bytes: Some(sizes) },
        || Ok(objects()),
        |objects| {
            for id in &blobs {
                // Missing ones are skipped, as they were when sizes were summed.
                black_box(objects.blob(id).is_ok());
            }
            Ok(())
        },
    )?;

    let pairs = pairs(&objects(), &changes);
    let bytes = pairs.iter().map(|pair| pair.old.len() + pair.new.len()).sum();
    micro.part(
        "blob diff",
        "pair",
        &Amount { operations: pairs.len(), bytes: Some(bytes) },
        || Ok(Differ::default()),
        |mut differ| {
            for pair in &pairs {
                black_box(differ.diff(&pair.old, &pair.new));
            }
            Ok(())
        },
    )?;
    drop(pairs);

    let mut engine = Engine::new(opened.to_thread_local(), head, limits(1), Depth::Hunks)?;
    let digest = engine.digest();
    let facts: Vec<CommitFacts> = commits.iter().map(|id| engine.facts(*id)).collect::<Result<_, _>>()?;
    drop(engine);
    encoding(&mut micro, &facts)?;
    let keys = facts.iter().map(|facts| Key::facts(&digest, MAX_BLOB_BYTES, &facts.id)).collect();
    cache(&mut micro, &facts, keys)?;
    aggregation(&mut micro, &facts)?;

    micro.table.print(&format!(
        "{}: parts of an analysis, newest {} commits without merges, CPU time, medians of {}",
        bench::name(&path),
        count(commits.len()),
        micro.runs
    ));
    Ok(())
}

/// Returns for each commit the tree of its parent and its own.
fn trees(
    objects: &Objects,
    commits: &[gix::ObjectId],
) -> anyhow::Result<Vec<(Option<gix::ObjectId>, gix::ObjectId)>> {
    let links = |id: &gix::ObjectId| {
        commit::links(&objects.commit(id)?).with_context(|| format!("commit {id} cannot be parsed"))
    };
    let mut trees = Vec::new();
    for id in commits {
        let own = links(id)?;
        let parent = own.parents.first().map(links).transpose()?;
        trees.push((parent.map(|parent| parent.tree), own.tree));
    }
    Ok(trees)
}

/// Returns the blobs on either side of `changes`, each once, in the order in which they are met.
fn blobs(changes: &[Change]) -> Vec<gix::ObjectId> {
    let mut met = HashSet::default();
    let sides = changes.iter().flat_map(|change| [change.old, change.new]).flatten();
    sides.filter(|side| side.mode.is_regular() && met.insert(side.id)).map(|side| side.id).collect()
}

/// Returns the contents of text files that changed under the same path, as many as memory is set aside for.
fn pairs(objects: &Objects, changes: &[Change]) -> Vec<Pair> {
    let (mut pairs, mut bytes) = (Vec::new(), 0);
    for change in changes {
        let (Some(old), Some(new)) = (change.old, change.new) else { continue };
        if !old.mode.is_regular() || !new.mode.is_regular() || old.id == new.id {
            continue;
        }
        let (Ok(old), Ok(new)) = (objects.blob(&old.id), objects.blob(&new.id)) else { continue };
        let pair = Pair { old, new };
        if lines::looks_binary(&pair.old) || lines::looks_binary(&pair.new) {
            continue;
        }
        bytes += pair.old.len() + pair.new.len();
        if bytes > CONTENT_BYTES {
            break;
        }
        pairs.push(pair);
    }
    pairs
}

fn encode(facts: &CommitFacts) -> Vec<u8> {
    codec::encode(Kind::CommitFacts, FACTS_VERSION as u16, facts)
}

fn encoding(micro: &mut Micro, facts: &[CommitFacts]) -> anyhow::Result<()> {
    let frames: Vec<Vec<u8>> = facts.iter().map(encode).collect();
    let amount = Amount { operations: facts.len(), bytes: Some(frames.iter().map(Vec::len).sum()) };
    micro.part(
        "fact encoding",
        "commit",
        &amount,
        || Ok(()),
        |()| {
            facts.iter().for_each(|facts| drop(black_box(encode(facts))));
            Ok(())
        },
    )?;
    micro.part(
        "fact decoding",
        "commit",
        &amount,
        || Ok(()),
        |()| {
            for frame in &frames {
                let facts: CommitFacts = codec::decode(Kind::CommitFacts, FACTS_VERSION as u16, frame)?;
                black_box(facts);
            }
            Ok(())
        },
    )
}

/// Puts frames of facts into a new cache file and gets them back.
fn cache(micro: &mut Micro, facts: &[CommitFacts], keys: Vec<Key>) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build()?;
    let frames: Vec<(Key, Vec<u8>)> = keys.into_iter().zip(facts.iter().map(encode)).collect();
    let bytes = frames.iter().map(|(_, frame)| frame.len()).sum();
    micro.part(
        "cache round trip (embedded)",
        "commit",
        &Amount { operations: facts.len(), bytes: Some(bytes) },
        || {
            let folder = tempfile::Builder::new().prefix("bench-").tempdir()?;
            let cache = Embedded::open(&folder.path().join("cache"))?;
            Ok((folder, cache, frames.clone()))
        },
        |(folder, cache, mut frames)| {
            let mut held = 0;
            while !frames.is_empty() {
                let block = frames.split_off(frames.len().saturating_sub(BLOCK));
                let keys: Vec<Key> = block.iter().map(|(key, _)| key.clone()).collect();
                let found = runtime.block_on(async {
                    cache.put(block).await;
                    cache.get(&keys).await
                });
                held += found.iter().flatten().count();
            }
            anyhow::ensure!(held == facts.len(), "the cache held {held} of {}", facts.len());
            cache.flush();
            drop(folder);
            Ok(())
        },
    )
}

fn aggregation(micro: &mut Micro, facts: &[CommitFacts]) -> anyhow::Result<()> {
    let window = Window::all_history(Tz::UTC);
    let mut people = std::collections::HashMap::new();
    let authors: Vec<PersonId> = facts
        .iter()
        .map(|facts| {
            let next = people.len() as PersonId;
            *people.entry(&facts.author).or_insert(next)
        })
        .collect();
    micro.part(
        "aggregation",
        "commit",
        &Amount { operations: facts.len(), bytes: None },
        || Ok(()),
        |()| {
            let (mut sums, mut weeks, mut people) = (Sums::default(), Weeks::default(), People::default());
            let (mut languages, mut quality) = (Languages::default(), Quality::default());
            for (facts, author) in facts.iter().zip(&authors) {
                let brief = Brief::of(facts);
                let Some(seen) = Observation::in_window(&brief, *author, &window) else { continue };
                sums.observe(&seen);
                weeks.observe(&seen);
                people.observe(&seen);
                languages.observe(&seen);
                quality.observe(&seen, i64::MAX);
            }
            black_box((sums, weeks, people, languages, quality));
            Ok(())
        },
    )
}
