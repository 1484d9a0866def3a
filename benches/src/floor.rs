//! The floor under the facts of a history: the least work that any program has to do for them, done and timed.
//!
//! Each object that is needed is inflated once and its delta applied once, with its base already in memory; each
//! pair of different trees and of different contents is compared once. Not in it: finding objects, choosing what is
//! needed, renames, attributes, output, and whatever a program decodes twice because it cannot keep everything.

mod decode;
mod needs;

use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use gitfleet_worker::contents::Bytes;
use gitfleet_worker::lines::Differ;
use gitfleet_worker::objects::Objects;
use gitfleet_worker::{lines, repository};
use serde_json::{Map, Value};

use crate::args::Setting;
use crate::bench::{self, Bench};
use crate::cost::{MAX_BLOB_BYTES, limits};
use crate::cpu;
use crate::facts::{Renames, ask_git};
use crate::git;
use crate::run;
use crate::samples::{Samples, median};
use crate::table::{self, Table, number, ratio, seconds};
use needs::{Needs, Pair};

/// Contents that are fetched before they are compared: few enough that the clock is seldom asked, and that they are
/// still near when it runs.
const BATCH_BYTES: usize = 1 << 20;

/// Compares git, gitfleet and the floor on the repository at `path`. Returns true: there is nothing to agree on.
pub(crate) fn all(path: &Path, setting: &Setting) -> anyhow::Result<bool> {
    let bench = Bench::new(setting)?;
    let path = bench::absolute(path)?;
    let name = bench::name(&path);
    let head = git::commit(&path, "HEAD")?;
    let (mut git, mut one_job, mut jobs) = (Samples::default(), Samples::default(), Samples::default());
    let mut floors: Vec<Map<String, Value>> = Vec::new();
    for round in 0..=bench.runs {
        table::talk(&format!("{name}: round {round} of {}", bench.runs));
        let folder = bench.folder()?;
        let stdout = folder.path().join("stdout");
        let ask = |jobs| {
            let mut command = bench.facts(&path, &head, jobs);
            command.arg("--renames");
            command
        };
        let git_spent = run::run(&ask_git(&path, &head, Renames::Followed), &stdout)?;
        let one_spent = run::run(&ask(1), &stdout)?;
        let jobs_spent = run::run(&ask(bench.jobs), &stdout)?;
        let mut floor = Command::new(std::env::current_exe()?);
        run::run(floor.arg("floor-once").arg(&path).arg(&head), &stdout)?;
        if round > 0 {
            git.push(git_spent);
            one_job.push(one_spent);
            jobs.push(jobs_spent);
            floors.push(serde_json::from_slice(&std::fs::read(stdout)?)?);
        }
    }

    bench.introduce()?;
    let figure = |key: &str| median(floors.iter().filter_map(|floor| floor.get(key)?.as_f64()).collect());
    let mut steps = Table::new(2, &["step of the floor", "of what", "how many", "MB", "CPU"]);
    for (step, what, count, bytes, cpu) in [
        ("inflate", "objects", "objects", "inflated_bytes", "inflate_seconds"),
        ("apply deltas", "deltas", "deltas", "decoded_bytes", "delta_seconds"),
        ("compare trees", "pairs", "tree_pairs", "tree_bytes", "tree_seconds"),
        ("compare contents", "pairs", "content_pairs", "content_bytes", "content_seconds"),
        ("count lines of one side", "contents", "sides", "side_bytes", "side_seconds"),
        ("(outside: find objects)", "objects", "objects", "pack_bytes", "find_seconds"),
    ] {
        let megabytes = format!("{:.1}", figure(bytes) / 1e6);
        steps.row([step.to_owned(), what.to_owned(), number(figure(count)), megabytes, seconds(figure(cpu))]);
    }
    steps.print(&format!("{name}: the floor under facts"));
    table::say(&format!(
        "MB: after inflating; after deltas; of both sides. {} of the objects are needed as bases only, {} objects \
         are in no pack and left out, {} lines were compared.",
        number(figure("bases")),
        number(figure("loose")),
        number(figure("lines")),
    ));
    let cpu = ["inflate", "delta", "tree", "content", "side"];
    let floor: f64 = cpu.iter().map(|step| figure(&format!("{step}_seconds"))).sum();
    let mut table = Table::new(1, &["program", "CPU", "CPU, floor = 1", "CPU, git = 1"]);
    let with_jobs = format!("gitfleet facts --renames, {} jobs", bench.jobs);
    for (program, cpu) in [
        ("floor", floor),
        ("gitfleet facts --renames, 1 job", one_job.cpu()),
        (&*with_jobs, jobs.cpu()),
        ("git log -M --numstat", git.cpu()),
    ] {
        table.row([program.to_owned(), seconds(cpu), ratio(cpu, floor), ratio(cpu, git.cpu())]);
    }
    table.print(&format!("{name}: distance to the floor"));
    Ok(true)
}

/// Does the floor's work once and says what each step took, as JSON.
pub(crate) fn once(path: &Path, head: &str) -> anyhow::Result<()> {
    let opened =
        repository::open(path, MAX_BLOB_BYTES).map_err(|failure| anyhow::anyhow!(failure.message))?;
    let local = opened.to_thread_local();
    let objects = Objects::new(opened.to_thread_local(), limits(1));
    let head = gix::ObjectId::from_hex(head.as_bytes())?;
    let needs = Needs::of(&objects, head)?;

    let packs = decode::packs(&local)?;
    let (found, find) = cpu::of(|| decode::find(&packs, &needs.objects));
    let mut forest = found?;
    let decoded = decode::all(&packs, &mut forest, |_, _| ())?;
    drop((forest, packs));
    let compared = compare(&objects, &needs)?;

    let mut figures = Map::new();
    let mut tell = |key: &str, value: f64| drop(figures.insert(key.to_owned(), value.into()));
    tell("objects", decoded.objects as f64);
    tell("bases", decoded.bases as f64);
    tell("loose", decoded.loose as f64);
    tell("deltas", decoded.deltas as f64);
    tell("pack_bytes", decoded.pack_bytes as f64);
    tell("inflated_bytes", decoded.inflated_bytes as f64);
    tell("decoded_bytes", decoded.decoded_bytes as f64);
    tell("inflate_seconds", decoded.inflate.as_secs_f64());
    tell("delta_seconds", decoded.delta.as_secs_f64());
    tell("find_seconds", find.as_secs_f64());
    tell("lines", compared.lines as f64);
    for (step, part) in [("tree", compared.trees), ("content", compared.contents), ("side", compared.sides)] {
        tell(&format!("{step}_seconds"), part.cpu.as_secs_f64());
        tell(&format!("{step}_bytes"), part.bytes as f64);
        tell(
            if step == "side" { "sides".to_owned() } else { format!("{step}_pairs") }.as_str(),
            part.count as f64,
        );
    }
    table::say(&Value::from(figures).to_string());
    Ok(())
}

/// What one kind of comparison came to.
#[derive(Debug, Default, Clone, Copy)]
struct Part {
    count: usize,
    bytes: usize,
    cpu: Duration,
}

#[derive(Debug, Default)]
struct Compared {
    trees: Part,
    contents: Part,
    sides: Part,
    /// Of both contents of each pair.
    lines: u64,
}

/// Compares each pair once. Contents are fetched in the usual way and outside of the clock: decoding has been timed,
/// and all of it does not fit into memory.
fn compare(objects: &Objects, needs: &Needs) -> anyhow::Result<Compared> {
    let mut compared = Compared::default();
    let hash = objects.hash_kind();
    batches(
        &needs.trees,
        |id| objects.tree(id).ok(),
        &mut compared.trees,
        |old, new| {
            needs::different(old, new, hash, |_, _| ());
        },
    )?;
    let blob = |id: &gix::ObjectId| objects.blob(id).ok().filter(|content| !lines::looks_binary(content));
    let (pairs, sides): (Vec<Pair>, Vec<Pair>) =
        needs.blobs.iter().partition(|pair| pair.old.is_some() && pair.new.is_some());
    let mut differ = Differ::default();
    batches(&pairs, blob, &mut compared.contents, |old, new| {
        // The probe for binary contents is part of the work, too. Only what differs goes to the search: git's own
        // cost limits look at more of a file, which costs more and is not the least.
        let (old_middle, new_middle) = lines::without_common_ends(old, new);
        black_box((lines::looks_binary(old), lines::looks_binary(new), differ.diff(old_middle, new_middle)));
    })?;
    batches(&sides, blob, &mut compared.sides, |old, new| {
        black_box((lines::looks_binary(old), lines::looks_binary(new)));
        black_box(lines::count(old) + lines::count(new));
    })?;
    let mut uncounted = Part::default();
    let mut total = 0;
    batches(&pairs, blob, &mut uncounted, |old, new| {
        total += u64::from(lines::count(old)) + u64::from(lines::count(new));
    })?;
    compared.lines = total;
    Ok(compared)
}

/// Calls `work` with both sides of each pair that `read` can read, and adds to `part` what that took.
fn batches(
    pairs: &[Pair],
    read: impl Fn(&gix::ObjectId) -> Option<Bytes>,
    part: &mut Part,
    mut work: impl FnMut(&[u8], &[u8]),
) -> anyhow::Result<()> {
    let mut batch: Vec<(Bytes, Bytes)> = Vec::new();
    let mut bytes = 0;
    for (position, pair) in pairs.iter().enumerate() {
        let side = |id: Option<gix::ObjectId>| id.map_or(Some(Bytes::default()), |id| read(&id));
        if let (Some(old), Some(new)) = (side(pair.old), side(pair.new)) {
            bytes += old.len() + new.len();
            batch.push((old, new));
        }
        if bytes >= BATCH_BYTES || position + 1 == pairs.len() {
            let ((), spent) = cpu::of(|| batch.iter().for_each(|(old, new)| work(old, new)));
            part.cpu += spent;
            part.count += batch.len();
            part.bytes += bytes;
            batch.clear();
            bytes = 0;
        }
    }
    Ok(())
}
