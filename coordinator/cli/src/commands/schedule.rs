//! `gitfleet schedule`.

use std::time::{Duration, Instant};

use gitfleet_coordinator::api::{Acted, RunView, ScheduleRequest, ScheduleView};
use gitfleet_coordinator::schedule::{CatchUp, Planned, RunState};

use super::Surroundings;
use super::analyze::{asked, sources};
use super::ask::{again, answer, client, of, segment};
use super::submit::{Wanted, request};
use crate::args::{Ask, Schedule, ScheduleAdd, ScheduleCommand};
use crate::client::Client;
use crate::config::Overrides;
use crate::exit::{Exit, Refusal};
use crate::render::table::table;
use crate::render::talk;

pub(super) fn run(args: Schedule, quiet: bool) -> anyhow::Result<Exit> {
    match args.command {
        ScheduleCommand::Add(args) => add(*args, quiet),
        ScheduleCommand::Ls { ask } => {
            let schedules: Vec<ScheduleView> = client(&ask)?.get("/schedules", &[])?;
            answer(&ask, &schedules, |schedules| list(schedules))
        }
        ScheduleCommand::Show { name, ask } => show(&name, &ask),
        ScheduleCommand::Pause { name, ask } => {
            act(&ask, &name, "pause", ["rests; a batch that runs goes on", "rested already"])
        }
        ScheduleCommand::Resume { name, ask } => act(&ask, &name, "resume", ["goes on", "did not rest"]),
        ScheduleCommand::Trigger { name, timeout, ask } => trigger(&name, timeout, &ask, quiet),
        ScheduleCommand::Next { name, n, ask } => {
            let path = format!("/schedules/{}/next", segment(&name));
            let times: Vec<String> = client(&ask)?.get(&path, &[("limit", n.to_string())])?;
            answer(&ask, &times, |times| times.iter().map(|time| format!("{time}\n")).collect())
        }
        ScheduleCommand::Rm { name, ask } => {
            let acted: Acted = client(&ask)?.delete(&format!("/schedules/{}", segment(&name)))?;
            answer(&ask, &acted, |_| {
                talk::harmless(&format!("schedule {name} is removed; its batches and reports stay\n"))
            })
        }
    }
}

fn add(args: ScheduleAdd, quiet: bool) -> anyhow::Result<Exit> {
    let surroundings = Surroundings::read()?;
    let found = sources(&surroundings, &args.sources, quiet)?;
    let scanned_nothing = !args.sources.scan.is_empty() && found.is_empty();
    let overrides = Overrides {
        slice_commits: args.batch_size,
        max_blob_bytes: args.max_blob_bytes,
        line_history: args.no_line_history.then_some(false),
        server: args.ask.server.clone(),
        credential: args.sources.credential.clone(),
        ..asked(found, &args.history)
    };
    let loaded = surroundings.configuration(args.ask.config.as_deref(), overrides, quiet)?;
    let selector = loaded.settings.github.selector.clone().filter(|_| !scanned_nothing);
    if selector.is_some() && !args.sources.repositories.is_empty() {
        return Err(Refusal::new(
            Exit::Usage,
            "which names will be listed is not known yet, so --repositories cannot choose",
        )
        .hint("choose with github.include and github.exclude")
        .into());
    }
    let wanted = Wanted {
        name: args.report.as_deref().unwrap_or(&args.name),
        sources: &args.sources,
        window: &args.history.window,
        priority: args.priority,
        labels: &args.label,
        dry_run: false,
        scanned_nothing,
        selects: selector.is_some(),
    };
    let window = &args.history.window;
    let is_fixed =
        window.week.is_some() || window.from.is_some() || window.since.is_some() || window.until.is_some();
    let settings = &loaded.settings;
    let request = ScheduleRequest {
        name: args.name.clone(),
        cron: args.cron.clone(),
        zone: args.zone.clone().unwrap_or_else(|| settings.time_zone.name().to_owned()),
        hours: args.window.clone(),
        catch_up: CatchUp::named(&args.catch_up).expect("the command line takes no other"),
        planned: Planned {
            batch: request(&wanted, &loaded)?,
            weeks: settings.weeks.filter(|_| !is_fixed),
            include_current: settings.include_current,
            selector,
        },
    };
    let view: ScheduleView = of(&loaded)?.post_body("/schedules", serde_json::to_string(&request)?)?;
    answer(&args.ask, &view, |view| {
        let next = view.next_due.as_deref().unwrap_or("never");
        talk::harmless(&format!("schedule {} is added and fires next at {next}\n", view.name))
    })
}

fn act(ask: &Ask, name: &str, verb: &str, words: [&str; 2]) -> anyhow::Result<Exit> {
    let acted: Acted = client(ask)?.post(&format!("/schedules/{}/{verb}", segment(name)))?;
    answer(ask, &acted, |acted| {
        talk::harmless(&format!("schedule {name} {}\n", words[usize::from(!acted.changed)]))
    })
}

/// How often is looked whether a firing was submitted.
const LOOK_EVERY: Duration = Duration::from_millis(200);

fn trigger(name: &str, timeout: u64, ask: &Ask, quiet: bool) -> anyhow::Result<Exit> {
    let (client, path) = (client(ask)?, format!("/schedules/{}", segment(name)));
    let begun: RunView = client.post(&format!("{path}/trigger"))?;
    let deadline = Instant::now() + Duration::from_secs(timeout);
    let run = loop {
        let run = find(&client, &path, &begun)?;
        if run.state != RunState::Begun {
            break run;
        }
        if Instant::now() >= deadline {
            let why = run.note.unwrap_or_else(|| "nobody leads".to_owned());
            return Err(Refusal::new(
                Exit::TimedOut,
                format!("schedule {name} fired and is not submitted yet: {why}"),
            )
            .hint(format!("it goes on by itself: `gitfleet schedule show {name}{}`", again(ask)))
            .into());
        }
        std::thread::sleep(LOOK_EVERY);
    };
    match &run.batch {
        Some(batch) => {
            answer(ask, &run, |_| format!("{batch}\n"))?;
            if !quiet {
                talk::line(&format!("watch it with: {}", super::batch::back(batch, ask)));
            }
            Ok(Exit::Done)
        }
        None => {
            let why = run.note.unwrap_or_default();
            Err(Refusal::new(Exit::Failed, format!("schedule {name} cannot be submitted: {why}")).into())
        }
    }
}

fn find(client: &Client, path: &str, begun: &RunView) -> anyhow::Result<RunView> {
    let runs: Vec<RunView> = client.get(&format!("{path}/runs"), &[("limit", "100".to_owned())])?;
    let run = runs.into_iter().find(|run| run.due_at == begun.due_at);
    run.ok_or_else(|| Refusal::new(Exit::NotFound, "the schedule was removed meanwhile").into())
}

fn list(schedules: &[ScheduleView]) -> String {
    let row = |one: &ScheduleView| {
        [
            one.id.to_string(),
            one.name.clone(),
            one.cron.clone(),
            one.state.clone(),
            one.next_due.as_deref().map_or("-".to_owned(), minute),
            one.last.as_ref().map_or("-".to_owned(), |last| last.state.name().to_owned()),
        ]
    };
    table(
        ["ID", "NAME", "CRON", "STATE", "NEXT (UTC)", "LAST"],
        &schedules.iter().map(row).collect::<Vec<_>>(),
    )
}

fn show(name: &str, ask: &Ask) -> anyhow::Result<Exit> {
    let (client, path) = (client(ask)?, format!("/schedules/{}", segment(name)));
    let view: ScheduleView = client.get(&path, &[])?;
    let runs: Vec<RunView> = match ask.json {
        true => Vec::new(),
        false => client.get(&format!("{path}/runs"), &[])?,
    };
    answer(ask, &view, |view| {
        let mut text = format!(
            "schedule   {}, number {}\nstate      {}\ncron       {} in {}\n",
            view.name, view.id, view.state, view.cron, view.zone
        );
        let labels: Vec<String> = view.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let mut named: Vec<String> = match view.repositories {
            0 => Vec::new(),
            1 => vec!["1 repository".to_owned()],
            count => vec![format!("{count} repositories")],
        };
        if let Some(selector) = &view.selector {
            named.extend(selector.accounts().iter().map(|account| format!("what is listed of {account}")));
        }
        let lines = [
            ("hours", view.hours.clone()),
            ("catch up", Some(view.catch_up.name().to_owned())),
            ("next", view.next_due.clone()),
            ("submits", Some(named.join(", "))),
            ("window", Some(view.window.clone())),
            ("report", Some(view.report.clone())),
            ("owner", view.owner.clone()),
            ("labels", Some(labels.join(", ")).filter(|labels| !labels.is_empty())),
            ("added by", Some(format!("{}, {}", view.created_by, minute(&view.created_at)))),
        ];
        for (name, value) in lines {
            if let Some(value) = value {
                text.push_str(&format!("{name:<10} {value}\n"));
            }
        }
        let row = |run: &RunView| {
            let what = match (&run.batch, &run.note) {
                (Some(batch), _) => batch.clone(),
                (None, note) => note.clone().unwrap_or_default(),
            };
            let how = if run.manual { "by hand" } else { "by clock" };
            [minute(&run.due_at), how.to_owned(), run.state.name().to_owned(), what]
        };
        let rows: Vec<_> = runs.iter().map(row).collect();
        let head = ["DUE (UTC)", "FIRED", "STATE", "BATCH OR REASON"];
        let runs = if rows.is_empty() { "it has not fired yet\n".to_owned() } else { table(head, &rows) };
        format!("{}\n{runs}", talk::harmless(&text))
    })
}

/// Returns a time to the minute.
fn minute(time: &str) -> String {
    time.get(..16).unwrap_or(time).to_owned()
}
