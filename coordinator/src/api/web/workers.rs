//! Workers, and what they have in hand.

use axum::extract::{Path, State};
use axum::response::{Html, Redirect};

use super::face::{button, link, page, segment, state, table, time};
use super::trouble::{Shown, then};
use crate::access::{Caller, Role};
use crate::api::{Api, fleet};
use crate::report::escape::html;
use crate::view::WorkerView;

pub(super) async fn list(State(api): State<Api>, caller: Caller) -> Shown<Html<String>> {
    let workers = api.store.workers().await?;
    let row = |worker: &WorkerView| {
        let jobs: Vec<String> = worker.jobs.iter().map(|job| link("jobs", job)).collect();
        let action = |verb: &str| format!("/ui/workers/{}/{verb}", segment(&worker.name));
        let button = match worker.state.as_str() {
            "gone" => String::new(),
            "draining" | "drained" => button(&caller, Role::Operator, &action("undrain"), "Let it take jobs"),
            _ => button(&caller, Role::Operator, &action("drain"), "Drain"),
        };
        vec![
            html(&worker.name).to_string(),
            state(&worker.state),
            format!("{} of {}", worker.running, worker.slots),
            jobs.join(" "),
            html(&worker.version).to_string(),
            time(&worker.heard_at),
            button,
        ]
    };
    let rows: Vec<_> = workers.iter().map(row).collect();
    let heads = ["Name", "State", "Slots", "In hand", "Version", "Heard of", "Do"];
    let nothing = "There is no worker: <code>gitfleet worker</code> starts one.";
    let content = table("Workers", &heads, &rows, nothing);
    Ok(page(&caller, "/ui/workers", "Workers", &content))
}

pub(super) async fn drain(State(api): State<Api>, Path(name): Path<String>) -> Shown<Redirect> {
    then(fleet::drain(State(api), Path(name)).await, "/ui/workers")
}

pub(super) async fn undrain(State(api): State<Api>, Path(name): Path<String>) -> Shown<Redirect> {
    then(fleet::undrain(State(api), Path(name)).await, "/ui/workers")
}
