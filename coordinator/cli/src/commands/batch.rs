//! `gitfleet batch`.

use std::time::Duration;

use gitfleet_coordinator::api::{Acted, Retried};
use gitfleet_coordinator::report::model::Report;
use gitfleet_coordinator::view::{BatchView, DifferenceView, RepositoryView};

use super::ask::{again, answer, client, segment};
use super::watch::{Say, watch};
use crate::args::{Ask, Batch, BatchCommand};
use crate::client::Client;
use crate::exit::Exit;
use crate::render::id::short;
use crate::render::table::table;
use crate::render::{data, talk};

pub(super) fn run(args: Batch, quiet: bool) -> anyhow::Result<Exit> {
    match args.command {
        BatchCommand::Ls { state, label, limit, ask } => {
            let mut query = vec![("limit", limit.to_string())];
            query.extend(state.map(|state| ("state", state)));
            if !label.is_empty() {
                let labels: Vec<String> = label.iter().map(|(key, value)| format!("{key}={value}")).collect();
                query.push(("label", labels.join(",")));
            }
            let batches: Vec<BatchView> = client(&ask)?.get("/batches", &query)?;
            answer(&ask, &batches, |batches| list(batches))
        }
        BatchCommand::Show { id, ask } => {
            print(&client(&ask)?, &id, ask.json)?;
            Ok(Exit::Done)
        }
        BatchCommand::Watch { id, timeout, ask } => {
            let client = client(&ask)?;
            let say = if quiet { Say::Nothing } else { Say::Everything };
            // Who is not there, or means more than one batch, is not waited for.
            let BatchView { id, .. } = client.get(&format!("/batches/{}", segment(&id)), &[])?;
            let exit = watch(&client, &id, timeout.map(Duration::from_secs), say, &back(&id, &ask))?;
            if !matches!(exit, Exit::Interrupted | Exit::Terminated | Exit::TimedOut) {
                print(&client, &id, ask.json)?;
            }
            if say == Say::Everything {
                lead_on(&id, &ask, exit);
            }
            Ok(exit)
        }
        BatchCommand::Cancel { id, ask } => act(&ask, &id, "cancel", ["cancelled", "was cancelled already"]),
        BatchCommand::Pause { id, ask } => {
            act(&ask, &id, "pause", ["paused; jobs in hand end", "was paused already"])
        }
        BatchCommand::Resume { id, ask } => act(&ask, &id, "resume", ["goes on", "was not paused"]),
        BatchCommand::Retry { id, ask } => {
            let retried: Retried = client(&ask)?.post(&format!("/batches/{}/retry", segment(&id)))?;
            answer(&ask, &retried, |retried| match retried.repositories {
                0 => format!("batch {id} has no failed repository\n"),
                count => format!("{count} repositories of batch {id} begin again\n"),
            })
        }
        BatchCommand::Diff { first, second, ask } => diff(&ask, &first, &second),
    }
}

/// Returns the command that watches a batch.
pub(super) fn back(id: &str, ask: &Ask) -> String {
    format!("gitfleet batch watch {id}{}", again(ask))
}

/// Says where the report of a batch is that has ended so.
pub(super) fn lead_on(id: &str, ask: &Ask, exit: Exit) {
    if matches!(exit, Exit::Done | Exit::FinishedWithFailures) {
        talk::line(&format!("write its report with: gitfleet report export {id}{}", again(ask)));
    }
}

/// Prints a batch and its repositories.
pub(super) fn print(client: &Client, id: &str, json: bool) -> anyhow::Result<()> {
    let batch: BatchView = client.get(&format!("/batches/{}", segment(id)), &[])?;
    if json {
        return Ok(data::print(&format!("{}\n", serde_json::to_string_pretty(&batch)?))?);
    }
    let all: Vec<RepositoryView> = client.get(&format!("/batches/{}/repositories", segment(id)), &[])?;
    Ok(data::print(&format!("{}\n{}", show(&batch), repositories(&all)))?)
}

fn act(ask: &Ask, id: &str, verb: &str, words: [&str; 2]) -> anyhow::Result<Exit> {
    let acted: Acted = client(ask)?.post(&format!("/batches/{}/{verb}", segment(id)))?;
    answer(ask, &acted, |acted| format!("batch {id} {}\n", words[usize::from(!acted.changed)]))
}

fn list(batches: &[BatchView]) -> String {
    let ids: Vec<&str> = batches.iter().map(|batch| batch.id.as_str()).collect();
    let row = |(batch, id): (&BatchView, &str)| {
        let state = if batch.paused { "paused".to_owned() } else { batch.state.clone() };
        [
            id.to_owned(),
            batch.name.clone(),
            state,
            format!("{}/{}", batch.repositories.ended(), batch.repositories.total),
            batch.repositories.failed.to_string(),
            percent(batch.commits_done, batch.commits_new),
            // To the second.
            batch.created_at.split('.').next().unwrap_or_default().to_owned(),
        ]
    };
    let rows: Vec<_> = batches.iter().zip(short(&ids)).map(row).collect();
    table(["ID", "NAME", "STATE", "REPOS", "FAILED", "DONE", "SUBMITTED (UTC)"], &rows)
}

fn show(batch: &BatchView) -> String {
    let (repositories, jobs) = (&batch.repositories, &batch.jobs);
    let mut text = format!("batch      {}\nname       {}\nstate      {}", batch.id, batch.name, batch.state);
    if batch.paused {
        text.push_str(", paused");
    }
    text.push_str(&format!("\nwindow     {}\nsubmitted  {}\n", batch.window, batch.created_at));
    if let Some(finished) = &batch.finished_at {
        text.push_str(&format!("ended      {finished}\n"));
    }
    if batch.priority != 0 {
        text.push_str(&format!("priority   {}\n", batch.priority));
    }
    if !batch.labels.is_empty() {
        let labels: Vec<String> = batch.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
        text.push_str(&format!("labels     {}\n", labels.join(", ")));
    }
    let parts = |counts: &[(i64, &str)]| {
        let parts: Vec<String> = counts
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, word)| format!("{count} {word}"))
            .collect();
        if parts.is_empty() { "none".to_owned() } else { parts.join(", ") }
    };
    text.push_str(&format!(
        "repos      {} in all: {}\njobs       {}\ncommits    {} of {} done\n",
        repositories.total,
        parts(&[
            (repositories.surveying, "surveying"),
            (repositories.analysing, "analysing"),
            (repositories.planned, "planned"),
            (repositories.analysed, "analysed"),
            (repositories.empty, "empty"),
            (repositories.failed, "failed"),
            (repositories.cancelled, "cancelled"),
        ]),
        parts(&[
            (jobs.waiting, "waiting"),
            (jobs.sent, "sent"),
            (jobs.running, "running"),
            (jobs.done, "done"),
            (jobs.failed, "failed"),
            (jobs.dead, "dead"),
            (jobs.cancelled, "cancelled"),
        ]),
        batch.commits_done,
        batch.commits_new
    ));
    talk::harmless(&text)
}

pub(super) fn repositories(repositories: &[RepositoryView]) -> String {
    let row = |repository: &RepositoryView| {
        let note = match (&repository.failure_class, &repository.failure_message) {
            (Some(class), Some(message)) => format!("{class}: {message}"),
            _ => String::new(),
        };
        [
            repository.name.clone(),
            repository.state.clone(),
            repository.commits_seen.to_string(),
            repository.commits_new.to_string(),
            note,
        ]
    };
    let rows: Vec<_> = repositories.iter().map(row).collect();
    table(["REPOSITORY", "STATE", "COMMITS", "NEW", "WHY"], &rows)
}

fn percent(done: i64, all: i64) -> String {
    match all {
        0 => "-".to_owned(),
        all => format!("{} %", done * 100 / all),
    }
}

/// What differs between two reports, line by line.
fn diff(ask: &Ask, first: &str, second: &str) -> anyhow::Result<Exit> {
    let client = client(ask)?;
    let report = |id: &str| client.text(&format!("/batches/{}/report", segment(id)), &[]);
    let (before, after) = (report(first)?, report(second)?);
    if before == after {
        data::print(if ask.json { "[]\n" } else { "the reports are the same, byte for byte\n" })?;
        return Ok(Exit::Done);
    }
    let (before, after): (Report, Report) = (serde_json::from_str(&before)?, serde_json::from_str(&after)?);
    let rows = differences(&before, &after);
    if ask.json {
        let values: Vec<_> =
            rows.into_iter().map(|[what, first, second]| DifferenceView { what, first, second }).collect();
        data::print(&format!("{}\n", serde_json::to_string_pretty(&values)?))?;
    } else {
        data::print(&table(["WHAT", "FIRST", "SECOND"], &rows))?;
    }
    Ok(Exit::Differs)
}

fn differences(before: &Report, after: &Report) -> Vec<[String; 3]> {
    let mut rows = Vec::new();
    let mut compare = |what: String, a: String, b: String| {
        if a != b {
            rows.push([what, a, b]);
        }
    };
    compare("window".to_owned(), before.window.label.clone(), after.window.label.clone());
    let (a, b) = (&before.totals, &after.totals);
    for (what, a, b) in [
        ("commits", a.commits, b.commits),
        ("merges", a.merges, b.merges),
        ("developers", a.developers, b.developers),
        ("additions", a.additions, b.additions),
        ("deletions", a.deletions, b.deletions),
        ("files changed", a.files_changed, b.files_changed),
    ] {
        compare(what.to_owned(), a.to_string(), b.to_string());
    }
    let names: std::collections::BTreeSet<&String> =
        before.repositories.iter().chain(&after.repositories).map(|row| &row.name).collect();
    for name in names {
        let of = |report: &Report| {
            report.repositories.iter().find(|row| row.name == *name).map_or("absent".to_owned(), |row| {
                let commits =
                    row.commits.map_or("unknown".to_owned(), |commits| format!("{commits} commits"));
                let head = row.head.as_deref().map_or("no head", |head| &head[..head.len().min(10)]);
                format!("{commits} at {head}")
            })
        };
        compare(name.clone(), of(before), of(after));
    }
    if rows.is_empty() {
        rows.push(["details".to_owned(), "differ".to_owned(), "differ".to_owned()]);
    }
    rows
}
