//! Jobs, and the story of one.

use axum::extract::{Path, Query, State};
use axum::response::{Html, Redirect};
use serde::Deserialize;

use super::batches::choice;
use super::face::{button, facts, link, maybe_time, page, segment, state, table, time};
use super::trouble::{Shown, then};
use crate::access::{Caller, Role};
use crate::api::{Api, Problem, jobs, named};
use crate::report::escape::html;
use crate::store::ledger::JobFilter;
use crate::view::{AttemptView, JobView};

const PAGE: u32 = 100;

#[derive(Debug, Deserialize)]
pub(super) struct Which {
    batch: Option<String>,
    state: Option<String>,
    after: Option<String>,
}

pub(super) async fn list(
    State(api): State<Api>,
    caller: Caller,
    Query(which): Query<Which>,
) -> Shown<Html<String>> {
    let asked = which.state.as_deref().filter(|state| !state.is_empty());
    Problem::check_state(asked, &JobFilter::STATES)?;
    let (mut batch, mut after) = (None, None);
    if let Some(id) = &which.batch {
        batch = Some(named::batch(&api, &caller, id).await?);
    }
    if let Some(id) = &which.after {
        after = Some(named::job(&api, &caller, id).await?);
    }
    let filter =
        JobFilter { batch, state: asked.map(str::to_owned), after, scope: caller.scope.clone(), limit: PAGE };
    let found = api.store.jobs(&filter, (api.now)()).await?;
    let of_batch = batch.map(|batch| format!("batch={batch}&amp;")).unwrap_or_default();
    let mut content = match batch {
        Some(batch) => format!("<p>Those of batch {}.</p>\n", link("batches", &batch.to_string())),
        None => choice("/ui/jobs", "State", &JobFilter::STATES, asked),
    };
    let row = |job: &JobView| {
        vec![
            link("jobs", &job.id),
            html(&job.repository).to_string(),
            html(&job.work).to_string(),
            job.units.to_string(),
            state(&job.state),
            job.losses.to_string(),
        ]
    };
    let rows: Vec<_> = found.iter().map(row).collect();
    let heads = ["Job", "Repository", "Work", "Commits", "State", "Losses"];
    content.push_str(&table("Jobs", &heads, &rows, "There is no such job."));
    if let Some(last) = found.last().filter(|_| found.len() == PAGE as usize) {
        let state = asked.map(|state| format!("&amp;state={state}")).unwrap_or_default();
        content
            .push_str(&format!("<p><a href=\"/ui/jobs?{of_batch}after={}{state}\">More</a></p>\n", last.id));
    }
    Ok(page(&caller, "/ui/jobs", "Jobs", &content))
}

pub(super) async fn show(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Shown<Html<String>> {
    let history = jobs::show(State(api.clone()), caller.clone(), Path(id.clone())).await?.0;
    let explained = jobs::explain(State(api), caller.clone(), Path(id)).await?.0;
    let job = &history.job;
    let hint = explained.hint.as_deref().map(|hint| format!(" {}.", html(hint))).unwrap_or_default();
    let mut content = format!(
        "<p class=\"lead\">It is {}: {}.{hint}</p>\n",
        state(&job.state),
        html(&explained.explanation)
    );
    if matches!(job.state.as_str(), "failed" | "dead") {
        let action = format!("/ui/jobs/{}/retry", job.id);
        content.push_str(&format!(
            "<div class=\"actions\">{}</div>\n",
            button(&caller, Role::Operator, &action, "Retry its repository")
        ));
    }
    content.push_str(&facts(&[
        ("Id", format!("<code>{}</code>", html(&job.id))),
        ("Batch", link("batches", &job.batch)),
        ("Repository", html(&job.repository).to_string()),
        ("Work", html(&job.work).to_string()),
        ("Commits", job.units.to_string()),
        ("Sent", maybe_time(job.sent_at.as_deref())),
        ("Rests until", maybe_time(job.held_until.as_deref())),
        ("Workers lost with it", job.losses.to_string()),
    ]));
    if let Some(message) = &job.failure_message {
        let class = job.failure_class.as_deref().unwrap_or("unknown");
        content.push_str(&format!(
            "<p class=\"alarm\"><strong>{}:</strong> {}</p>\n",
            html(class),
            html(message)
        ));
    }
    let row = |attempt: &AttemptView| {
        vec![
            attempt.number.to_string(),
            attempt.worker.as_deref().map_or_else(|| "–".to_owned(), |worker| html(worker).to_string()),
            time(&attempt.started_at),
            maybe_time(attempt.ended_at.as_deref()),
            attempt.done.to_string(),
            state(attempt.ending.as_deref().unwrap_or("running")),
            attempt.message.as_deref().map(|message| html(message).to_string()).unwrap_or_default(),
        ]
    };
    let rows: Vec<_> = history.attempts.iter().map(row).collect();
    content.push_str("<h2>Attempts</h2>\n");
    let heads = ["Number", "Worker", "Began", "Ended", "Done", "Ending", "Why"];
    content.push_str(&table("Attempts", &heads, &rows, "Nobody has begun it yet."));
    Ok(page(&caller, "/ui/jobs", &format!("Job of {}", job.repository), &content))
}

pub(super) async fn retry(State(api): State<Api>, caller: Caller, Path(id): Path<String>) -> Shown<Redirect> {
    let place = format!("/ui/jobs/{}", segment(&id));
    then(jobs::retry(State(api), caller, Path(id)).await, &place)
}
