//! Schedules: when each fires, and what became of it.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::{Html, Redirect};

use super::face::{button, facts, link, maybe_time, page, segment, state, table, time};
use super::trouble::{Shown, then};
use crate::access::{Caller, Role};
use crate::api::Api;
use crate::api::schedules::{self, CountQuery, RunView, ScheduleView};
use crate::report::escape::html;

const PLACE: &str = "/ui/schedules";

fn of(schedule: &ScheduleView, verb: &str) -> String {
    format!("{PLACE}/{}/{verb}", schedule.id)
}

fn actions(caller: &Caller, schedule: &ScheduleView) -> String {
    let button = |verb: &str, name: &str| button(caller, Role::Operator, &of(schedule, verb), name);
    let rest = match schedule.state.as_str() {
        "paused" => button("resume", "Resume"),
        "active" => button("pause", "Pause"),
        _ => String::new(),
    };
    format!("<div class=\"actions\">{}{rest}</div>", button("trigger", "Run now"))
}

fn run_state(run: &RunView) -> String {
    state(run.state.name())
}

fn run_batch(run: &RunView) -> String {
    run.batch.as_deref().map_or_else(|| "–".to_owned(), |batch| link("batches", batch))
}

pub(super) async fn list(api: State<Api>, caller: Caller) -> Shown<Html<String>> {
    let Json(found) = schedules::list(api, caller.clone()).await?;
    let row = |schedule: &ScheduleView| {
        let last = schedule.last.as_ref();
        vec![
            format!("<a href=\"{PLACE}/{}\">{}</a>", schedule.id, html(&schedule.name)),
            schedule.owner.as_deref().map(html).map(|owner| owner.to_string()).unwrap_or_default(),
            format!("<code>{}</code> {}", html(&schedule.cron), html(&schedule.zone)),
            state(&schedule.state),
            maybe_time(schedule.next_due.as_deref()),
            last.map(run_state).unwrap_or_default(),
            last.map_or_else(|| "–".to_owned(), run_batch),
            actions(&caller, schedule),
        ]
    };
    let rows: Vec<_> = found.iter().map(row).collect();
    let heads = ["Schedule", "Whose", "When", "State", "Next", "Last run", "Batch", "Do"];
    let nothing = "There is none: <code>gitfleet schedule add</code> makes one.";
    Ok(page(&caller, PLACE, "Schedules", &table("Schedules", &heads, &rows, nothing)))
}

pub(super) async fn show(
    State(api): State<Api>,
    caller: Caller,
    Path(name): Path<String>,
) -> Shown<Html<String>> {
    let (api, path) = (|| State(api.clone()), || Path(name.clone()));
    let Json(schedule) = schedules::show(api(), caller.clone(), path()).await?;
    let few = || Query(CountQuery::default());
    let Json(runs) = schedules::runs(api(), caller.clone(), path(), few()).await?;
    let Json(next) = schedules::next(api(), caller.clone(), path(), few()).await?;
    let meant = match (&schedule.selector, schedule.repositories) {
        (Some(_), 0) => "what GitHub lists at each run".to_owned(),
        (Some(_), named) => format!("{named}, and what GitHub lists at each run"),
        (None, named) => named.to_string(),
    };
    let pairs = [
        ("State", state(&schedule.state)),
        ("When", format!("<code>{}</code> in {}", html(&schedule.cron), html(&schedule.zone))),
        ("Hours", schedule.hours.as_deref().map_or("any".into(), |hours| html(hours).to_string())),
        ("Whose", schedule.owner.as_deref().map_or("everybody’s".into(), |owner| html(owner).to_string())),
        ("Repositories", meant),
        ("Window", html(&schedule.window).to_string()),
        ("Report", html(&schedule.report).to_string()),
        ("Priority", schedule.priority.to_string()),
        ("Missed runs", format!("catch up: {}", schedule.catch_up.name())),
        ("Made by", html(&schedule.created_by).to_string()),
    ];
    let row = |run: &RunView| {
        vec![
            time(&run.due_at),
            run_state(run),
            if run.manual { "asked for" } else { "due" }.to_owned(),
            run_batch(run),
            run.note.as_deref().map(html).map(|note| note.to_string()).unwrap_or_default(),
        ]
    };
    let rows: Vec<_> = runs.iter().map(row).collect();
    let next: String = next.iter().map(|at| format!("<li>{}</li>\n", html(at))).collect();
    let content = format!(
        "{}{}<h2>Its last runs</h2>\n{}<h2>Its next runs</h2>\n<ul>\n{next}</ul>\n",
        actions(&caller, &schedule),
        facts(&pairs),
        table("Runs", &["Due", "State", "Why", "Batch", "Note"], &rows, "It has not run yet."),
    );
    Ok(page(&caller, PLACE, &format!("Schedule {}", schedule.name), &content))
}

fn back(name: &str) -> String {
    format!("{PLACE}/{}", segment(name))
}

pub(super) async fn pause(api: State<Api>, caller: Caller, Path(name): Path<String>) -> Shown<Redirect> {
    let place = back(&name);
    then(schedules::pause(api, caller, Path(name)).await, &place)
}

pub(super) async fn resume(api: State<Api>, caller: Caller, Path(name): Path<String>) -> Shown<Redirect> {
    let place = back(&name);
    then(schedules::resume(api, caller, Path(name)).await, &place)
}

pub(super) async fn trigger(api: State<Api>, caller: Caller, Path(name): Path<String>) -> Shown<Redirect> {
    let place = back(&name);
    then(schedules::trigger(api, caller, Path(name)).await, &place)
}
