//! `gitfleet smoke`: the way of a batch from its submission to its report, asked of a fleet that was just deployed.

use std::time::{Duration, Instant};

use chrono::Utc;
use gitfleet_coordinator::api::{BatchRequest, RepositoryRequest, Submission};
use gitfleet_coordinator::report::model::Report;
use gitfleet_coordinator::terms::Terms;
use gitfleet_coordinator::view::{DependencyView, RepositoryView, StatusView};
use gitfleet_shared::window::Window;

use super::ask::{answer, client, segment};
use super::doctor::{bad, good, text};
use super::watch::{Say, watch};
use super::{Surroundings, batch};
use crate::args::Smoke;
use crate::client::Client;
use crate::config::Overrides;
use crate::exit::Exit;

/// What its report is published as.
const NAME: &str = "smoke";

pub(super) fn run(args: &Smoke) -> anyhow::Result<Exit> {
    let client = client(&args.ask)?;
    let status: StatusView = client.get("/status", &[])?;
    let mut found = ready(&status);
    if found.iter().all(|one| one.ok) {
        found.extend(work(args, &client)?);
    }
    let well = found.iter().all(|one| one.ok);
    answer(&args.ask, &found, |found| text(found))?;
    Ok(if well { Exit::Done } else { Exit::Differs })
}

/// Says whether there is everybody it takes.
fn ready(status: &StatusView) -> Vec<DependencyView> {
    let mut found = status.dependencies.clone();
    found.push(match &status.leader {
        Some(leader) => good("leader", leader.as_str()),
        None => bad("leader", "nobody leads", "a coordinator takes the lead within seconds; see its log"),
    });
    found.push(match status.slots {
        0 => bad("workers", "there is no worker", "start one with `gitfleet worker`"),
        slots => good("workers", format!("{} with {slots} slots", status.workers)),
    });
    found
}

fn work(args: &Smoke, client: &Client) -> anyhow::Result<Vec<DependencyView>> {
    let begun = Instant::now();
    let request = serde_json::to_string(&request(args)?)?;
    // Each time is a batch of its own: that one was well once says nothing of now.
    let key = uuid::Uuid::new_v4().to_string();
    let submitted: Submission = client.submit("/batches", &key, request)?;
    let id = submitted.batch;
    let back = batch::back(&id, &args.ask);
    let exit = watch(client, &id, Some(Duration::from_secs(args.timeout)), Say::Nothing, &back)?;
    let repositories: Vec<RepositoryView> =
        client.get(&format!("/batches/{}/repositories", segment(&id)), &[])?;
    let one = repositories.first();
    let seconds = begun.elapsed().as_secs();
    let done = match (exit, one) {
        (Exit::Done, Some(one)) if one.commits_seen > 0 => {
            good("work", format!("{} commits in {seconds} s, as batch {id}", one.commits_seen))
        }
        (Exit::TimedOut, _) => {
            bad("work", format!("batch {id} has not ended after {seconds} s"), &format!("see `{back}`"))
        }
        (_, Some(one)) => {
            let why = one.failure_message.as_deref().unwrap_or("it holds no commit");
            bad("work", format!("{}: {why}", args.repository), "name another repository with --repository")
        }
        (_, None) => bad("work", format!("batch {id} was ended by somebody"), "run it again"),
    };
    if !done.ok {
        return Ok(vec![done]);
    }
    let report = client.text(&format!("/batches/{}/report", segment(&id)), &[])?;
    let read = match serde_json::from_str::<Report>(&report) {
        Ok(_) => good("report", format!("{} bytes; `gitfleet report export {id}` writes it", report.len())),
        Err(error) => bad("report", error.to_string(), "is the coordinator of this version?"),
    };
    Ok(vec![done, read])
}

fn request(args: &Smoke) -> anyhow::Result<BatchRequest> {
    let surroundings = Surroundings::read()?;
    // What is configured shapes reports; here it only has to be taken.
    let loaded = surroundings.configuration(args.ask.config.as_deref(), Overrides::default(), true)?;
    let settings = &loaded.settings;
    let is_path = args.repository.starts_with('/');
    let source = || Some(args.repository.clone());
    Ok(BatchRequest {
        name: NAME.to_owned(),
        repositories: vec![RepositoryRequest {
            name: NAME.to_owned(),
            project_key: NAME.to_uppercase(),
            url: if is_path { None } else { source() },
            path: if is_path { source() } else { None },
            branch: None,
            all_branches: false,
            credential: None,
        }],
        // Nobody should have to wait for it behind a night's work.
        priority: 100,
        labels: Default::default(),
        terms: Terms {
            window: Window::all_history(settings.time_zone),
            as_of_seconds: Utc::now().timestamp(),
            max_blob_bytes: settings.max_blob_bytes,
            line_history: settings.line_history,
            slice_commits: settings.slice_commits as usize,
            lens: std::sync::Arc::clone(&settings.lens),
            dry_run: false,
        },
        config: String::new(),
    })
}
