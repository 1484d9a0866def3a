//! `gitfleet job`.

use gitfleet_coordinator::api::{Explained, Retried};
use gitfleet_coordinator::view::{JobHistory, JobView};

use super::ask::{answer, client, segment};
use crate::args::{Job, JobCommand};
use crate::exit::Exit;
use crate::render::id::short;
use crate::render::table::table;
use crate::render::talk;

pub(super) fn run(args: Job) -> anyhow::Result<Exit> {
    match args.command {
        JobCommand::Ls { batch, state, limit, ask } => {
            let mut query = vec![("limit", limit.to_string())];
            query.extend(batch.map(|batch| ("batch", batch)));
            query.extend(state.map(|state| ("state", state)));
            let jobs: Vec<JobView> = client(&ask)?.get("/jobs", &query)?;
            answer(&ask, &jobs, |jobs| {
                let ids: Vec<&str> = jobs.iter().map(|job| job.id.as_str()).collect();
                let row = |(job, id): (&JobView, &str)| {
                    [
                        id.to_owned(),
                        job.repository.clone(),
                        job.work.clone(),
                        job.units.to_string(),
                        job.state.clone(),
                    ]
                };
                let rows: Vec<_> = jobs.iter().zip(short(&ids)).map(row).collect();
                table(["ID", "REPOSITORY", "WORK", "UNITS", "STATE"], &rows)
            })
        }
        JobCommand::Show { id, ask } => {
            let history: JobHistory = client(&ask)?.get(&format!("/jobs/{}", segment(&id)), &[])?;
            answer(&ask, &history, show)
        }
        JobCommand::Explain { id, ask } => {
            let explained: Explained =
                client(&ask)?.get(&format!("/jobs/{}/explanation", segment(&id)), &[])?;
            answer(&ask, &explained, |explained| {
                let mut text = format!("{}: {}\n", explained.state, explained.explanation);
                if let Some(hint) = &explained.hint {
                    text.push_str(&format!("  hint: {hint}\n"));
                }
                talk::harmless(&text)
            })
        }
        JobCommand::Retry { id, ask } => {
            let retried: Retried = client(&ask)?.post(&format!("/jobs/{}/retry", segment(&id)))?;
            answer(&ask, &retried, |_| format!("the repository of job {id} begins again\n"))
        }
    }
}

fn show(history: &JobHistory) -> String {
    let job = &history.job;
    let mut text = format!(
        "job         {}\nbatch       {}\nrepository  {}\nwork        {}, {} units\nstate       {}\n",
        job.id, job.batch, job.repository, job.work, job.units, job.state
    );
    for (name, value) in [
        ("sent", &job.sent_at),
        ("held until", &job.held_until),
        ("failure", &job.failure_class),
        ("why", &job.failure_message),
    ] {
        if let Some(value) = value {
            text.push_str(&format!("{name:<12}{value}\n"));
        }
    }
    let mut text = talk::harmless(&text);
    if !history.attempts.is_empty() {
        let rows: Vec<_> = history
            .attempts
            .iter()
            .map(|attempt| {
                [
                    attempt.number.to_string(),
                    attempt.worker.clone().unwrap_or_else(|| "unknown".to_owned()),
                    attempt.started_at.clone(),
                    attempt.done.to_string(),
                    attempt.ending.clone().unwrap_or_else(|| "running".to_owned()),
                ]
            })
            .collect();
        text.push('\n');
        text.push_str(&table(["#", "WORKER", "STARTED", "DONE", "ENDING"], &rows));
    }
    text
}
