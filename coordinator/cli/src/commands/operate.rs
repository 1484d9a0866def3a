//! The small commands of an operator: workers, queue, dead letters, repositories, cache, status.

use gitfleet_coordinator::api::{Acted, Purged};
use gitfleet_coordinator::view::{CacheView, DeadView, QueueView, SourceView, StatusView, WorkerView};

use super::ask::{answer, client, segment};
use crate::args::{
    Ask, Cache, CacheCommand, Dead, DeadCommand, Queue, QueueCommand, Repo, RepoCommand, Status,
    WorkerCommand,
};
use crate::exit::Exit;
use crate::render::table::table;
use crate::render::talk;
use crate::render::wrap::wrap;

pub(super) fn worker(command: WorkerCommand) -> anyhow::Result<Exit> {
    match command {
        WorkerCommand::Ls { all, ask } => {
            let mut workers: Vec<WorkerView> = client(&ask)?.get("/workers", &[])?;
            workers.retain(|worker| all || worker.state != "gone");
            answer(&ask, &workers, |workers| {
                let row = |worker: &WorkerView| {
                    [
                        worker.name.clone(),
                        worker.state.clone(),
                        format!("{}/{}", worker.running, worker.slots),
                        worker.version.clone(),
                        worker.heard_at.clone(),
                    ]
                };
                let rows: Vec<_> = workers.iter().map(row).collect();
                table(["NAME", "STATE", "BUSY", "VERSION", "HEARD AT"], &rows)
            })
        }
        WorkerCommand::Show { name, ask } => {
            let worker: WorkerView = client(&ask)?.get(&format!("/workers/{}", segment(&name)), &[])?;
            answer(&ask, &worker, |worker| {
                let mut text = format!(
                    "worker   {}\nhost     {}\nversion  {}\nstate    {}, {} of {} slots busy\nstarted  {}\nheard    {}\n",
                    worker.name,
                    worker.host,
                    worker.version,
                    worker.state,
                    worker.running,
                    worker.slots,
                    worker.started_at,
                    worker.heard_at
                );
                for job in &worker.jobs {
                    text.push_str(&format!("job      {job}\n"));
                }
                talk::harmless(&text)
            })
        }
        WorkerCommand::Drain { name, undo, ask } => {
            let verb = if undo { "undrain" } else { "drain" };
            let acted: Acted = client(&ask)?.post(&format!("/workers/{}/{verb}", segment(&name)))?;
            answer(&ask, &acted, |acted| {
                let words = match (undo, acted.changed) {
                    (false, true) => "takes no more jobs; those in hand end",
                    (false, false) => "was draining already",
                    (true, true) => "takes jobs again",
                    (true, false) => "was not draining",
                };
                talk::harmless(&format!("worker {name} {words}\n"))
            })
        }
    }
}

pub(super) fn queue(args: Queue) -> anyhow::Result<Exit> {
    let QueueCommand::Ls { ask } = args.command;
    let queues: Vec<QueueView> = client(&ask)?.get("/queues", &[])?;
    answer(&ask, &queues, |queues| waiting(queues))
}

fn waiting(queues: &[QueueView]) -> String {
    let row = |queue: &QueueView| {
        let waiting = queue.waiting.map_or("does not answer".to_owned(), |waiting| waiting.to_string());
        [queue.topic.clone(), waiting]
    };
    let rows: Vec<_> = queues.iter().map(row).collect();
    table(["TOPIC", "WAITING"], &rows)
}

pub(super) fn dead(args: Dead) -> anyhow::Result<Exit> {
    let act = |ask: &Ask,
               id: i64,
               done: &str,
               ask_for: fn(&crate::client::Client, i64) -> anyhow::Result<Acted>| {
        let acted = ask_for(&client(ask)?, id)?;
        answer(ask, &acted, |_| format!("dead letter {id} {done}\n"))
    };
    match args.command {
        DeadCommand::Ls { limit, ask } => {
            let letters: Vec<DeadView> = client(&ask)?.get("/dead", &[("limit", limit.to_string())])?;
            answer(&ask, &letters, |letters| {
                let row = |letter: &DeadView| {
                    [
                        letter.id.to_string(),
                        letter.topic.clone(),
                        letter.bytes.to_string(),
                        letter.arrived_at.clone(),
                        letter.cause.clone(),
                    ]
                };
                let rows: Vec<_> = letters.iter().map(row).collect();
                table(["ID", "TOPIC", "BYTES", "ARRIVED", "CAUSE"], &rows)
            })
        }
        DeadCommand::Show { id, ask } => {
            let letter: DeadView = client(&ask)?.get(&format!("/dead/{id}"), &[])?;
            answer(&ask, &letter, |letter| {
                let text = format!(
                    "letter   {}\ntopic    {}\ncause    {}\narrived  {}\nbytes    {}\n{}\n",
                    letter.id,
                    letter.topic,
                    letter.cause,
                    letter.arrived_at,
                    letter.bytes,
                    letter.body.as_deref().unwrap_or_default()
                );
                talk::harmless(&text)
            })
        }
        DeadCommand::Replay { id, ask } => act(&ask, id, "is back where it came from", |client, id| {
            client.post(&format!("/dead/{id}/replay"))
        }),
        DeadCommand::Drop { id, ask } => {
            act(&ask, id, "is thrown away", |client, id| client.delete(&format!("/dead/{id}")))
        }
    }
}

pub(super) fn repo(args: Repo) -> anyhow::Result<Exit> {
    match args.command {
        RepoCommand::Ls { ask } => {
            let sources: Vec<SourceView> = client(&ask)?.get("/repositories", &[])?;
            answer(&ask, &sources, |sources| {
                let row = |source: &SourceView| {
                    let commits: i64 = source.snapshots.iter().map(|one| one.commits).max().unwrap_or(0);
                    [
                        source.id.to_string(),
                        source.source.clone(),
                        source.batches.to_string(),
                        commits.to_string(),
                    ]
                };
                let rows: Vec<_> = sources.iter().map(row).collect();
                table(["ID", "SOURCE", "BATCHES", "COMMITS"], &rows)
            })
        }
        RepoCommand::Show { id, ask } => {
            let source: SourceView = client(&ask)?.get(&format!("/repositories/{id}"), &[])?;
            answer(&ask, &source, |source| {
                let text = format!(
                    "id       {}\nsource   {}\nbatches  {}\n\n",
                    source.id, source.source, source.batches
                );
                let rows: Vec<_> = source
                    .snapshots
                    .iter()
                    .map(|one| {
                        let head =
                            one.head.as_deref().map_or(String::new(), |head| head.chars().take(12).collect());
                        [
                            one.revisions.clone(),
                            one.branch.clone().unwrap_or_default(),
                            head,
                            one.commits.to_string(),
                        ]
                    })
                    .collect();
                format!(
                    "{}{}",
                    talk::harmless(&text),
                    table(["REVISIONS", "BRANCH", "HEAD", "COMMITS"], &rows)
                )
            })
        }
        RepoCommand::Rm { id, ask } => {
            let acted: Acted = client(&ask)?.delete(&format!("/repositories/{id}"))?;
            answer(&ask, &acted, |_| {
                format!("what was published of repository {id}, and its facts, are forgotten\n")
            })
        }
    }
}

pub(super) fn cache(args: Cache) -> anyhow::Result<Exit> {
    match args.command {
        CacheCommand::Stats { ask } => {
            let stats: CacheView = client(&ask)?.get("/cache", &[])?;
            answer(&ask, &stats, |stats| {
                let bytes =
                    |bytes: Option<u64>| bytes.map_or("unknown".to_owned(), |bytes| bytes.to_string());
                let limit = stats.limit_bytes.map_or("none".to_owned(), |bytes| bytes.to_string());
                talk::harmless(&format!(
                    "cache    {}\nentries  {}\nbytes    {}\nlimit    {limit}\n",
                    stats.backend,
                    stats.entries,
                    bytes(stats.bytes)
                ))
            })
        }
        CacheCommand::Purge { ask } => {
            let purged: Purged = client(&ask)?.post("/cache/purge")?;
            answer(&ask, &purged, |purged| format!("{} entries are forgotten\n", purged.entries))
        }
    }
}

pub(super) fn status(args: Status) -> anyhow::Result<Exit> {
    let ask = args.ask;
    let status: StatusView = client(&ask)?.get("/status", &[])?;
    let well = status.dependencies.iter().all(|one| one.ok);
    answer(&ask, &status, |status| {
        let mut text = format!(
            "gitfleet {}\nleader   {}\nbatches  {} running\nworkers  {}, {} of {} slots busy\n",
            status.version,
            status.leader.as_deref().unwrap_or("nobody"),
            status.batches_running,
            status.workers,
            status.running,
            status.slots
        );
        for one in &status.dependencies {
            let state = if one.ok { "ok" } else { "does not answer" };
            text.push_str(&wrap(&format!("{:<9}", one.name), &format!("{state}: {}", one.detail)));
            if let Some(hint) = &one.hint {
                text.push_str(&wrap("         hint: ", hint));
            }
        }
        text.push_str(&format!("dead     {} letters\n\n", status.dead_letters));
        format!("{}{}", talk::harmless(&text), waiting(&status.queues))
    })?;
    Ok(if well { Exit::Done } else { Exit::Unavailable })
}
