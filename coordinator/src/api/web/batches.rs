//! Batches, and one of them as it goes on.

use axum::extract::{Path, Query, State};
use axum::http::HeaderName;
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use super::face::{button, facts, link, maybe_time, page, segment, state, table, time};
use super::live::{DONE, region};
use super::trouble::{Shown, then};
use crate::access::{Caller, Role};
use crate::api::{Api, Problem, batches, named};
use crate::report::escape::html;
use crate::store::ledger::BatchFilter;
use crate::view::{BatchView, RepositoryView};

const PAGE: u32 = 50;
/// Repositories that a page shows; the command lists all.
const MOST_REPOSITORIES: usize = 500;

pub(super) const HEADS: &[&str] = &["Batch", "Name", "State", "Repositories", "Failed", "Submitted", "Ended"];

#[derive(Debug, Default, Deserialize)]
pub(super) struct Which {
    state: Option<String>,
    before: Option<String>,
}

pub(super) fn rows(batches: &[BatchView]) -> Vec<Vec<String>> {
    let row = |batch: &BatchView| {
        let shown = if batch.paused { "paused" } else { &batch.state };
        vec![
            link("batches", &batch.id),
            html(&batch.name).to_string(),
            state(shown),
            format!("{} of {}", batch.repositories.ended(), batch.repositories.total),
            batch.repositories.failed.to_string(),
            time(&batch.created_at),
            maybe_time(batch.finished_at.as_deref()),
        ]
    };
    batches.iter().map(row).collect()
}

pub(super) async fn list(
    State(api): State<Api>,
    caller: Caller,
    Query(which): Query<Which>,
) -> Shown<Html<String>> {
    let asked = which.state.as_deref().filter(|state| !state.is_empty());
    Problem::check_state(asked, &BatchFilter::STATES)?;
    let before = match &which.before {
        Some(before) => Some(named::batch(&api, &caller, before).await?),
        None => None,
    };
    let filter = BatchFilter {
        state: asked.map(str::to_owned),
        before,
        scope: caller.scope.clone(),
        limit: PAGE,
        ..BatchFilter::default()
    };
    let found = api.store.batches(&filter).await?;
    let mut content = choice("/ui/batches", "State", &BatchFilter::STATES, asked);
    content.push_str(&table("Batches", HEADS, &rows(&found), "There is no such batch."));
    if let Some(last) = found.last().filter(|_| found.len() == PAGE as usize) {
        let state = asked.map(|state| format!("&amp;state={state}")).unwrap_or_default();
        content
            .push_str(&format!("<p><a href=\"/ui/batches?before={}{state}\">Older ones</a></p>\n", last.id));
    }
    Ok(page(&caller, "/ui/batches", "Batches", &content))
}

/// Returns a form that chooses one of some words.
pub(super) fn choice(action: &str, name: &str, words: &[&str], chosen: Option<&str>) -> String {
    let mut options = "<option value=\"\">all</option>".to_owned();
    for word in words {
        let selected = if chosen == Some(word) { " selected" } else { "" };
        options.push_str(&format!("<option{selected}>{word}</option>"));
    }
    format!(
        "<form class=\"choice\" method=\"get\" action=\"{action}\"><label>{name} <select name=\"state\">{options}</select></label> \
         <button>Show</button></form>\n"
    )
}

pub(super) async fn show(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Shown<Html<String>> {
    let (batch, repositories) = found(&api, &caller, &id).await?;
    let mut content = String::new();
    let action = |verb: &str| format!("/ui/batches/{}/{verb}", batch.id);
    content.push_str("<div class=\"actions\">\n");
    if batch.state == "running" {
        let (verb, name) = if batch.paused { ("resume", "Resume") } else { ("pause", "Pause") };
        content.push_str(&button(&caller, Role::Operator, &action(verb), name));
        content.push_str(&button(&caller, Role::Operator, &action("cancel"), "Cancel"));
    }
    if batch.repositories.failed > 0 && matches!(batch.state.as_str(), "running" | "finished") {
        content.push_str(&button(&caller, Role::Operator, &action("retry"), "Retry what failed"));
    }
    content.push_str(&format!("<a href=\"/ui/jobs?batch={}\">Its jobs</a>\n", batch.id));
    if batch.state == "finished" {
        content.push_str(&format!("<a href=\"/ui/reports/{}\">Its report</a>\n", batch.id));
    }
    content.push_str("</div>\n");
    let fragment = progress_of(&batch, &repositories);
    let url = format!("/ui/batches/{}/progress", batch.id);
    content.push_str(&region(&url, batch.state == "running", &fragment));
    Ok(page(&caller, "/ui/batches", &format!("Batch {}", batch.name), &content))
}

/// Returns what changes while a batch runs, for the script to put in its place.
pub(super) async fn progress(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Shown<Response> {
    let (batch, repositories) = found(&api, &caller, &id).await?;
    let mut response = Html(progress_of(&batch, &repositories)).into_response();
    if batch.state != "running" {
        response
            .headers_mut()
            .insert(HeaderName::from_static(DONE), axum::http::HeaderValue::from_static("true"));
    }
    Ok(response)
}

async fn found(api: &Api, caller: &Caller, id: &str) -> Shown<(BatchView, Vec<RepositoryView>)> {
    let batch = batches::show(State(api.clone()), caller.clone(), Path(id.to_owned())).await?.0;
    let repositories =
        batches::repositories(State(api.clone()), caller.clone(), Path(batch.id.clone())).await?.0;
    Ok((batch, repositories))
}

fn progress_of(batch: &BatchView, repositories: &[RepositoryView]) -> String {
    let (counts, jobs) = (batch.repositories, batch.jobs);
    let shown = if batch.paused && batch.state == "running" { "paused" } else { &batch.state };
    let labels: Vec<String> =
        batch.labels.iter().map(|(key, value)| format!("{}={}", html(key), html(value))).collect();
    let mut text = facts(&[
        ("State", state(shown)),
        ("Id", format!("<code>{}</code>", html(&batch.id))),
        ("Window", html(&batch.window).to_string()),
        ("Labels", if labels.is_empty() { "–".to_owned() } else { labels.join(", ") }),
        ("Submitted", time(&batch.created_at)),
        ("Ended", maybe_time(batch.finished_at.as_deref())),
        (
            "Jobs",
            format!("{} wait, {} sent, {} run, {} done", jobs.waiting, jobs.sent, jobs.running, jobs.done),
        ),
    ]);
    text.push_str(&meter("Repositories", counts.ended(), counts.total));
    text.push_str(&meter("Commits", batch.commits_done, batch.commits_new));
    if let Some(last) = &batch.last_failure {
        let classes: Vec<String> = batch
            .failures
            .iter()
            .map(|failure| format!("{} × {}", failure.repositories, html(&failure.class)))
            .collect();
        text.push_str(&format!(
            "<p class=\"alarm\"><strong>{} failed:</strong> {}. The last one was {}: {}</p>\n",
            counts.failed,
            classes.join(", "),
            html(&last.repository),
            html(&last.message)
        ));
    }
    let row = |one: &RepositoryView| {
        vec![
            html(&one.name).to_string(),
            state(&one.state),
            one.commits_seen.to_string(),
            one.commits_new.to_string(),
            one.failure_message.as_deref().map(|message| html(message).to_string()).unwrap_or_default(),
        ]
    };
    // What failed is looked for first.
    let mut ordered: Vec<&RepositoryView> = repositories.iter().collect();
    ordered.sort_by_key(|one| one.state != "failed");
    let rows: Vec<_> = ordered.iter().take(MOST_REPOSITORIES).map(|one| row(one)).collect();
    text.push_str("<h2>Repositories</h2>\n");
    text.push_str(&table(
        "Repositories",
        &["Name", "State", "Commits", "New", "Why"],
        &rows,
        "There is none.",
    ));
    if repositories.len() > MOST_REPOSITORIES {
        let rest = repositories.len() - MOST_REPOSITORIES;
        text.push_str(&format!("<p>{rest} more: <code>gitfleet batch show {} --json</code></p>\n", batch.id));
    }
    text
}

/// Returns how much of something is done.
pub(super) fn meter(name: &str, done: i64, total: i64) -> String {
    let (done, most) = (done.clamp(0, total.max(0)), total.max(1));
    format!(
        "<p class=\"meter\"><label>{name} <progress max=\"{most}\" value=\"{done}\">{done} of {total}</progress></label> \
         <span>{done} of {total}</span></p>\n"
    )
}

fn place(id: &str) -> String {
    format!("/ui/batches/{}", segment(id))
}

pub(super) async fn cancel(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Shown<Redirect> {
    let place = place(&id);
    then(batches::cancel(State(api), caller, Path(id)).await, &place)
}

pub(super) async fn pause(State(api): State<Api>, caller: Caller, Path(id): Path<String>) -> Shown<Redirect> {
    let place = place(&id);
    then(batches::pause(State(api), caller, Path(id)).await, &place)
}

pub(super) async fn resume(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Shown<Redirect> {
    let place = place(&id);
    then(batches::resume(State(api), caller, Path(id)).await, &place)
}

pub(super) async fn retry(State(api): State<Api>, caller: Caller, Path(id): Path<String>) -> Shown<Redirect> {
    let place = place(&id);
    then(batches::retry(State(api), caller, Path(id)).await, &place)
}
