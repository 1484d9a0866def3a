//! Schedules: what is submitted again and again, and at which times.

use std::collections::BTreeMap;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::batches::{Acted, RepositoryRequest, acted, allowed, lent, settle};
use super::text::printable;
use super::{Api, Problem};
use crate::access::{Caller, Scope};
use crate::github::Selector;
use crate::schedule::{CatchUp, Planned, Run, RunState, Schedule};
use crate::store::RequestKey;
use crate::store::schedules::Begun;
use crate::view::instant;

/// What is to be submitted, and when.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScheduleRequest {
    /// 1 to 100 letters, digits and `.`, `_`, `-`, of which the first is a letter.
    pub name: String,
    /// Five fields: minute, hour, day, month, weekday.
    pub cron: String,
    /// In whose clock the pattern is read, by IANA name.
    #[serde(default = "utc")]
    pub zone: String,
    /// Hours of the day in which it fires, such as 20:00-06:00; what is due outside waits for their begin.
    #[serde(default)]
    pub hours: Option<String>,
    /// What becomes of firings that nobody was there for.
    #[serde(default)]
    pub catch_up: CatchUp,
    pub planned: Planned,
}

fn utc() -> String {
    "UTC".to_owned()
}

/// A schedule, and what became of its last firing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ScheduleView {
    pub id: i64,
    pub name: String,
    /// Whose it is, where it is not everybody's: `team=NAME` or `projects=KEYS`.
    pub owner: Option<String>,
    pub cron: String,
    pub zone: String,
    pub hours: Option<String>,
    pub catch_up: CatchUp,
    /// active, paused, or ended where the pattern names no time any more.
    pub state: String,
    pub next_due: Option<String>,
    /// What its reports are published as.
    pub report: String,
    /// How many repositories it names.
    pub repositories: usize,
    /// Which others it lists anew at each firing.
    pub selector: Option<Selector>,
    pub priority: i64,
    pub labels: BTreeMap<String, String>,
    /// The window of its reports, in words.
    pub window: String,
    pub created_by: String,
    pub created_at: String,
    pub last: Option<RunView>,
}

/// One firing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RunView {
    pub due_at: String,
    pub state: RunState,
    pub fired_at: String,
    /// Whether somebody asked for it.
    pub manual: bool,
    pub batch: Option<String>,
    pub note: Option<String>,
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct CountQuery {
    /// At most so many, 10 unless said otherwise, 1000 at most.
    limit: Option<u32>,
}

impl CountQuery {
    fn limit(&self) -> u32 {
        self.limit.unwrap_or(10).clamp(1, 1_000)
    }
}

const LONGEST_NAME: usize = 100;

#[utoipa::path(
    post, path = "/schedules", tag = "schedules", request_body = ScheduleRequest,
    responses(
        (status = 201, body = ScheduleView), (status = 400, body = Problem), (status = 403, body = Problem),
        (status = 409, body = Problem)
    )
)]
pub(super) async fn add(
    State(api): State<Api>,
    caller: Caller,
    body: Bytes,
) -> Result<(StatusCode, Json<ScheduleView>), Problem> {
    let request: ScheduleRequest = serde_json::from_slice(&body)
        .map_err(|error| Problem::invalid(format!("the body is no schedule: {error}")))?;
    let now = (api.now)();
    let mut schedule = made(&api, request, &caller, now)?;
    match api.store.add_schedule(&schedule).await? {
        Some(id) => schedule.id = id,
        None => {
            return Err(Problem::conflict(format!("there is a schedule {} already", schedule.name))
                .hint("remove it before (`gitfleet schedule rm`), or give this one another name"));
        }
    }
    Ok((StatusCode::CREATED, Json(view(&schedule, None))))
}

/// Checks a schedule through and through before it is written.
fn made(api: &Api, request: ScheduleRequest, caller: &Caller, now: i64) -> Result<Schedule, Problem> {
    let ScheduleRequest { name, cron, zone, hours, catch_up, mut planned } = request;
    let is_name = name.len() <= LONGEST_NAME
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.chars().all(|char| char.is_ascii_alphanumeric() || matches!(char, '.' | '_' | '-'));
    if !is_name {
        return Err(Problem::invalid(format!(
            "the name of a schedule has 1 to {LONGEST_NAME} letters, digits, dots, hyphens and underscores, and begins \
             with a letter"
        )));
    }
    for (field, text) in [("cron", &cron), ("zone", &zone), ("hours", hours.as_ref().unwrap_or(&zone))] {
        printable(field, text)?;
    }
    let projects = planned.batch.repositories.iter().map(|repository| repository.project_key.as_str());
    // Which projects a selector comes to nobody knows yet, so it is of no project's scope.
    let projects = projects.chain(planned.selector.iter().map(|_| ""));
    caller.scope.claim(&mut planned.batch.labels, projects).map_err(Problem::forbidden)?;
    allowed(&api.sources, &planned.batch.repositories)?;
    lent(&api.lending, &caller.scope, &planned.batch.labels, &planned.batch.repositories)?;
    let mut batch = planned.at(&name, now).map_err(Problem::invalid)?;
    if let Some(selector) = &planned.selector {
        selector.check().map_err(|why| Problem::invalid(format!("planned.selector: {why}")))?;
        batch.repositories.push(example());
    }
    // What cannot be submitted now is not going to be.
    settle(batch, RequestKey { key: String::new(), digest: [0; 32] }, now)?;
    let owner = Planned::owner(&planned.batch.labels, &caller.scope);
    let mut schedule = Schedule {
        id: 0,
        name,
        owner,
        cron,
        zone,
        hours,
        catch_up,
        planned,
        paused: false,
        next_due: None,
        created_by: caller.name.clone(),
        created_at: now,
    };
    schedule.next_due = schedule.timetable().map_err(Problem::invalid)?.after(now);
    Ok(schedule)
}

/// Returns what stands for all that a selector will come to, where the rest of a request is looked at.
fn example() -> RepositoryRequest {
    RepositoryRequest {
        name: "listed".to_owned(),
        project_key: String::new(),
        url: Some("https://github.com/o/n".to_owned()),
        path: None,
        branch: None,
        all_branches: false,
        credential: None,
    }
}

#[utoipa::path(
    get, path = "/schedules", tag = "schedules", responses((status = 200, body = Vec<ScheduleView>))
)]
pub(super) async fn list(State(api): State<Api>, caller: Caller) -> Result<Json<Vec<ScheduleView>>, Problem> {
    let mut views = Vec::new();
    for schedule in seen(&api, &caller.scope).await? {
        views.push(with_last(&api, &schedule).await?);
    }
    Ok(Json(views))
}

#[utoipa::path(
    get, path = "/schedules/{name}", tag = "schedules", params(("name" = String, Path)),
    responses((status = 200, body = ScheduleView), (status = 404, body = Problem), (status = 409, body = Problem))
)]
pub(super) async fn show(
    State(api): State<Api>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Json<ScheduleView>, Problem> {
    let schedule = named(&api, &caller, &name).await?;
    Ok(Json(with_last(&api, &schedule).await?))
}

#[utoipa::path(
    get, path = "/schedules/{name}/runs", tag = "schedules", params(("name" = String, Path), CountQuery),
    responses((status = 200, body = Vec<RunView>), (status = 404, body = Problem), (status = 409, body = Problem))
)]
pub(super) async fn runs(
    State(api): State<Api>,
    caller: Caller,
    Path(name): Path<String>,
    Query(query): Query<CountQuery>,
) -> Result<Json<Vec<RunView>>, Problem> {
    let schedule = named(&api, &caller, &name).await?;
    let runs = api.store.runs(schedule.id, query.limit()).await?;
    Ok(Json(runs.iter().map(run_view).collect()))
}

#[utoipa::path(
    get, path = "/schedules/{name}/next", tag = "schedules", params(("name" = String, Path), CountQuery),
    responses((status = 200, body = Vec<String>), (status = 404, body = Problem), (status = 409, body = Problem))
)]
pub(super) async fn next(
    State(api): State<Api>,
    caller: Caller,
    Path(name): Path<String>,
    Query(query): Query<CountQuery>,
) -> Result<Json<Vec<String>>, Problem> {
    let schedule = named(&api, &caller, &name).await?;
    let timetable = schedule.timetable().map_err(Problem::internal)?;
    let mut at = (api.now)();
    let mut times = Vec::new();
    while let Some(due) = timetable.after(at).filter(|_| times.len() < query.limit() as usize) {
        let time = chrono::DateTime::from_timestamp_millis(due).unwrap_or_default();
        times.push(time.with_timezone(&timetable.zone()).to_rfc3339());
        at = due;
    }
    Ok(Json(times))
}

#[utoipa::path(
    post, path = "/schedules/{name}/pause", tag = "schedules", params(("name" = String, Path)),
    responses((status = 200, body = Acted), (status = 404, body = Problem), (status = 409, body = Problem))
)]
pub(super) async fn pause(
    State(api): State<Api>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Json<Acted>, Problem> {
    let schedule = named(&api, &caller, &name).await?;
    let wish = api.store.set_schedule_paused(schedule.id, true, None).await?;
    acted(wish, || unknown(&name))
}

#[utoipa::path(
    post, path = "/schedules/{name}/resume", tag = "schedules", params(("name" = String, Path)),
    responses((status = 200, body = Acted), (status = 404, body = Problem), (status = 409, body = Problem))
)]
pub(super) async fn resume(
    State(api): State<Api>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Json<Acted>, Problem> {
    let schedule = named(&api, &caller, &name).await?;
    // What came while it rested is not made up for: it rested because somebody wanted it to.
    let next_due = schedule.timetable().map_err(Problem::internal)?.after((api.now)());
    let wish = api.store.set_schedule_paused(schedule.id, false, next_due).await?;
    acted(wish, || unknown(&name))
}

#[utoipa::path(
    post, path = "/schedules/{name}/trigger", tag = "schedules", params(("name" = String, Path)),
    responses((status = 202, body = RunView), (status = 404, body = Problem), (status = 409, body = Problem))
)]
pub(super) async fn trigger(
    State(api): State<Api>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<(StatusCode, Json<RunView>), Problem> {
    let schedule = named(&api, &caller, &name).await?;
    match api.store.begin_asked(schedule.id, (api.now)()).await? {
        Begun::Begun(run) => Ok((StatusCode::ACCEPTED, Json(run_view(&run)))),
        Begun::Busy(why) => Err(Problem::conflict(format!("schedule {name}: {why}"))
            .hint("one runs at a time: wait for it, or cancel its batch")),
        Begun::Gone => Err(unknown(&name)),
    }
}

#[utoipa::path(
    delete, path = "/schedules/{name}", tag = "schedules", params(("name" = String, Path)),
    responses((status = 200, body = Acted), (status = 404, body = Problem), (status = 409, body = Problem))
)]
pub(super) async fn remove(
    State(api): State<Api>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Json<Acted>, Problem> {
    let schedule = named(&api, &caller, &name).await?;
    Ok(Json(Acted { changed: api.store.remove_schedule(schedule.id).await? }))
}

async fn seen(api: &Api, scope: &Scope) -> Result<Vec<Schedule>, Problem> {
    let mut schedules = api.store.schedules().await?;
    schedules.retain(|schedule| schedule.planned.is_seen(scope));
    Ok(schedules)
}

/// Returns the schedule with this name or id, of those that the caller sees.
async fn named(api: &Api, caller: &Caller, name: &str) -> Result<Schedule, Problem> {
    let id: Option<i64> = name.parse().ok();
    let mut found = seen(api, &caller.scope).await?;
    found.retain(|schedule| schedule.name == name || Some(schedule.id) == id);
    if found.len() > 1 {
        let each: Vec<String> = found.iter().map(|one| format!("{} ({})", one.id, one.owner)).collect();
        return Err(Problem::conflict(format!("{name} is the name of several: {}", each.join(", ")))
            .hint("name it by its number"));
    }
    found.pop().ok_or_else(|| unknown(name))
}

fn unknown(name: &str) -> Problem {
    Problem::not_found("schedule", name).hint("`gitfleet schedule ls` lists them")
}

async fn with_last(api: &Api, schedule: &Schedule) -> Result<ScheduleView, Problem> {
    let last = api.store.runs(schedule.id, 1).await?;
    Ok(view(schedule, last.first()))
}

fn view(schedule: &Schedule, last: Option<&Run>) -> ScheduleView {
    let state = match (schedule.paused, schedule.next_due) {
        (true, _) => "paused",
        (false, Some(_)) => "active",
        (false, None) => "ended",
    };
    let Planned { batch, weeks, include_current, selector } = &schedule.planned;
    let window = match weeks {
        Some(weeks) if *include_current => format!("the last {weeks} weeks with the current one"),
        Some(weeks) => format!("the last {weeks} complete weeks"),
        None => batch.terms.window.to_string(),
    };
    ScheduleView {
        id: schedule.id,
        name: schedule.name.clone(),
        owner: Some(schedule.owner.clone()).filter(|owner| !owner.is_empty()),
        cron: schedule.cron.clone(),
        zone: schedule.zone.clone(),
        hours: schedule.hours.clone(),
        catch_up: schedule.catch_up,
        state: state.to_owned(),
        next_due: schedule.next_due.map(instant),
        report: batch.name.clone(),
        repositories: batch.repositories.len(),
        selector: selector.clone(),
        priority: batch.priority,
        labels: batch.labels.clone(),
        window,
        created_by: schedule.created_by.clone(),
        created_at: instant(schedule.created_at),
        last: last.map(run_view),
    }
}

fn run_view(run: &Run) -> RunView {
    RunView {
        due_at: instant(run.due_at),
        state: run.state,
        fired_at: instant(run.fired_at),
        manual: run.manual,
        batch: run.batch.clone(),
        note: run.note.clone(),
    }
}
