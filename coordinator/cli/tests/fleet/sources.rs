//! Repositories that are the trouble: poison, gone or rewritten while they are analysed.

use std::time::Duration;

use crate::fleet::{Fleet, PATIENCE, is, within};
use crate::history;
use crate::oracle::{Findings, Oracle, close, jobs, judge};
use crate::sample::{Sample, embedded, repository};
use crate::servers::Servers;

/// Lets a repository kill every worker that takes it.
pub(crate) fn poison(sabotage: Option<&str>) -> Findings {
    let (servers, sample) = (Servers::shared(), Sample::shared());
    let mut fleet = Fleet::new(servers).sabotage(sabotage);
    let coordinator = fleet.coordinator("coordinator", &[]);
    let bait = repository(fleet.folder(), "poison", 7).to_str().unwrap().to_owned();
    let sources = [&[bait], &sample.sources[..]].concat();
    let batch = fleet.submit(&sources, 50);
    let mut findings = Findings::default();
    let mut dead = Vec::new();
    let ended = |patience| fleet.ended(&batch, patience).is_some();
    // One after the other, so that it is known how many it takes.
    for number in 0..4 {
        let mut worker = fleet.worker(&format!("worker{number}"), 1, &[("GITFLEET_CRASH_AT", "poison")]);
        let died = within(PATIENCE, || !worker.is_alive() || ended(Duration::ZERO));
        assert!(died, "neither does the worker die nor the batch end");
        if worker.is_alive() {
            findings.append(close(&fleet, vec![worker], vec![coordinator]));
            break;
        }
        worker.crashed();
        dead.push(worker.name.clone());
        if number == 3 {
            findings.add(Oracle::Poison, format!("{} workers died of one job", dead.len()));
            return findings;
        }
    }
    findings.demand(Oracle::Poison, dead.len() == 3, || format!("{} workers died of one job", dead.len()));
    findings.append(jobs(&fleet, &batch));
    let of = is(&batch, "batch_id");
    let poisoned = format!(
        "SELECT failure_message FROM job WHERE {of} AND state = 'dead' AND failure_class = 'poisoned'"
    );
    let reasons = fleet.texts(&poisoned);
    findings.demand(
        Oracle::Poison,
        reasons.len() == 1 && dead.iter().all(|name| reasons[0].contains(name)),
        || format!("the reason names other workers than {dead:?}: {reasons:?}"),
    );
    let others = format!("SELECT count(*) FROM batch_repository WHERE {of} AND state = 'analysed'");
    let analysed = fleet.count(&others);
    findings.demand(Oracle::Ended, analysed == sample.sources.len() as i64, || {
        format!("{analysed} of the other repositories were analysed")
    });
    findings
}

#[test]
fn a_poison_repository_kills_three_workers_and_no_more() {
    poison(None).none();
}

#[test]
fn a_repository_that_is_gone_or_rewritten_meanwhile_fails_alone() {
    let (servers, sample) = (Servers::shared(), Sample::shared());
    let mut fleet = Fleet::new(servers);
    let coordinator = fleet.coordinator("coordinator", &[]);
    let (gone, rewritten) = (history::generate(21), history::generate(22));
    let url = |history: &history::History| format!("file://{}", history.path().to_str().unwrap());
    let troubled = [url(&gone), url(&rewritten)];
    let sources = [&troubled[..], &sample.sources[..]].concat();
    // The surveys are done by one worker, and the slices by another one, which has no mirrors.
    let mut surveyor = fleet.worker("surveyor", 1, &[("GITFLEET_CRASH_AT", "W1:6")]);
    let batch = fleet.submit(&sources, 50);
    surveyor.crashed();
    std::fs::rename(gone.path(), gone.path().with_extension("away")).unwrap();
    rewritten.git(&["checkout", "--quiet", "--orphan", "other"]);
    rewritten.commit("only.txt", "one\n", "2020-01-01T00:00:00Z");
    rewritten.git(&["branch", "--quiet", "-M", "other", "main"]);
    rewritten.git(&["-c", "gc.reflogExpire=now", "reflog", "expire", "--expire=now", "--all"]);
    rewritten.git(&["prune", "--expire=now"]);
    rewritten.git(&["repack", "-adq"]);
    let worker = fleet.worker("worker", 2, &[]);
    fleet.ended(&batch, PATIENCE).expect("the batch ends");
    jobs(&fleet, &batch).none();
    let of = is(&batch, "batch_id");
    let classes =
        fleet.texts(&format!("SELECT failure_class FROM batch_repository WHERE {of} ORDER BY position"));
    let expect: Vec<&str> = [&["not_found", "commit_gone"][..], &vec![""; sample.sources.len()]].concat();
    assert_eq!(classes, expect);

    // Mended, it is analysed as if nothing had been.
    std::fs::rename(gone.path().with_extension("away"), gone.path()).unwrap();
    let whole = Sample { sha256: embedded(fleet.folder(), &sources), sources };
    fleet.told(&["batch", "retry", &batch]);
    judge(&fleet, &batch, &whole, PATIENCE, "repositories back, and tried again").none();
    close(&fleet, vec![worker], vec![coordinator]).none();
}

#[test]
fn what_a_killed_fetch_leaves_is_no_trouble() {
    let servers = Servers::shared();
    let mut fleet = Fleet::new(servers);
    let coordinator = fleet.coordinator("coordinator", &[]);
    let history = history::generate(23);
    let source = format!("file://{}", history.path().to_str().unwrap());
    let mut worker = fleet.worker("worker", 1, &[]);
    let sources = vec![source];
    let batch = fleet.submit(&sources, 50);
    fleet.ended(&batch, PATIENCE).expect("the batch ends");
    worker.kill();
    // As git leaves them when it dies with them open.
    let mirrors = fleet.data_of("worker").join("worker-1/mirrors");
    let mirror = std::fs::read_dir(mirrors).unwrap().next().unwrap().unwrap().path();
    for left in
        ["packed-refs.lock", "HEAD.lock", "shallow.lock", "objects/pack/tmp_pack_x", "objects/pack/.tmpx"]
    {
        std::fs::write(mirror.join(left), []).unwrap();
    }
    history.commit("late.txt", "one\n", "2021-01-01T00:00:00Z");
    let worker = fleet.worker("worker", 1, &[]);
    let batch = fleet.submit(&sources, 50);
    let whole = Sample { sha256: embedded(fleet.folder(), &sources), sources };
    judge(&fleet, &batch, &whole, Duration::from_secs(30), "killed in a fetch").none();
    close(&fleet, vec![worker], vec![coordinator]).none();
}
