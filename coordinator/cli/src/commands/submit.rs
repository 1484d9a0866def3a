//! `gitfleet submit`.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::Utc;
use gitfleet_coordinator::api::{BatchRequest, RepositoryRequest, Submission};
use gitfleet_coordinator::terms::Terms;
use gitfleet_coordinator::view::RepositoryView;
use gitfleet_shared::contract::{Revisions, Source};

use super::analyze::{asked, limit, requested, sources, window};
use super::ask::{of, segment};
use super::discover::add_found;
use super::watch::{Say, watch};
use super::{Surroundings, batch};
use crate::args::{Sources, Submit, WindowArgs};
use crate::client::Client;
use crate::config::{Loaded, Overrides, show};
use crate::exit::{Exit, Refusal};
use crate::render::{data, talk};

pub(super) fn run(args: Submit, quiet: bool) -> anyhow::Result<Exit> {
    let surroundings = Surroundings::read()?;
    let sources = sources(&surroundings, &args.sources, quiet)?;
    let scanned_nothing = !args.sources.scan.is_empty() && sources.is_empty();
    let overrides = Overrides {
        slice_commits: args.batch_size,
        max_blob_bytes: args.max_blob_bytes,
        line_history: args.no_line_history.then_some(false),
        server: args.ask.server.clone(),
        credential: args.sources.credential.clone(),
        ..asked(sources, &args.history)
    };
    let mut loaded = surroundings.configuration(args.ask.config.as_deref(), overrides, quiet)?;
    let client = of(&loaded)?;
    if !scanned_nothing {
        let keep = surroundings.data_dir(&loaded).ok();
        add_found(&mut loaded, keep, quiet)?;
    }
    let wanted = Wanted {
        name: &args.name,
        sources: &args.sources,
        window: &args.history.window,
        priority: args.priority,
        labels: &args.label,
        dry_run: args.dry_run,
        scanned_nothing,
        selects: false,
    };
    let request = request(&wanted, &loaded)?;
    let count = request.repositories.len();
    let key = args.idempotency_key.clone().unwrap_or_else(|| uuid::Uuid::new_v4().to_string());
    let submitted: Submission = client.submit("/batches", &key, serde_json::to_string(&request)?)?;
    let id = submitted.batch.clone();
    let back = batch::back(&id, &args.ask);
    if !(args.wait || args.watch || args.dry_run) {
        print(&submitted, args.ask.json)?;
        if !quiet {
            let again = if submitted.new { "" } else { " (it was there already)" };
            talk::line(&format!("{} submitted as batch {id}{again}", repositories(count)));
            talk::line(&format!("watch it with: {back}"));
        }
        return Ok(Exit::Done);
    }
    let say = if args.watch && !quiet { Say::Everything } else { Say::Nothing };
    if say == Say::Everything {
        talk::line(&format!("{} submitted as batch {id}", repositories(count)));
    }
    let exit = watch(&client, &id, args.timeout.map(Duration::from_secs), say, &back)?;
    if matches!(exit, Exit::Interrupted | Exit::Terminated | Exit::TimedOut) {
        // What was not waited for is at least named.
        print(&submitted, args.ask.json)?;
        return Ok(exit);
    }
    if args.dry_run && matches!(exit, Exit::Done | Exit::FinishedWithFailures) {
        return planned(&client, &id, args.ask.json).map(|()| exit);
    }
    batch::print(&client, &id, args.ask.json)?;
    if say == Say::Everything {
        batch::lead_on(&id, &args.ask, exit);
    }
    Ok(exit)
}

/// What is asked for beside the configuration.
pub(super) struct Wanted<'a> {
    pub(super) name: &'a str,
    pub(super) sources: &'a Sources,
    pub(super) window: &'a WindowArgs,
    pub(super) priority: i64,
    pub(super) labels: &'a [(String, String)],
    pub(super) dry_run: bool,
    /// Whether folders were scanned, and nothing is in them.
    pub(super) scanned_nothing: bool,
    /// Whether others are listed when their time has come.
    pub(super) selects: bool,
}

/// Returns the request as it is posted.
pub(super) fn request(wanted: &Wanted<'_>, loaded: &Loaded) -> anyhow::Result<BatchRequest> {
    let settings = &loaded.settings;
    let now = Utc::now();
    let configured = if wanted.scanned_nothing { &[] } else { settings.repositories.as_slice() };
    let repositories = limit(configured, &wanted.sources.repositories)?;
    if repositories.is_empty() && !wanted.selects {
        return Err(Refusal::new(Exit::Usage, "there is no repository to submit")
            .hint("name some (`gitfleet submit https://host/owner/name`), or list them in gitfleet.yaml")
            .into());
    }
    let repositories = repositories.into_iter().map(|setting| {
        let asked = requested(setting)?;
        let (url, path) = match asked.source {
            Source::Remote { url } => (Some(url), None),
            Source::Local { path } => (None, Some(path)),
        };
        let (branch, all_branches) = match asked.revisions {
            Revisions::Head => (None, false),
            Revisions::Branch(branch) => (Some(branch), false),
            Revisions::AllBranches => (None, true),
        };
        anyhow::Ok(RepositoryRequest {
            name: asked.name,
            project_key: asked.project_key,
            url,
            path,
            branch,
            all_branches,
            credential: asked.credential,
        })
    });
    Ok(BatchRequest {
        name: wanted.name.to_owned(),
        repositories: repositories.collect::<anyhow::Result<_>>()?,
        priority: wanted.priority,
        labels: wanted.labels.iter().cloned().collect::<BTreeMap<_, _>>(),
        terms: Terms {
            window: window(wanted.window, settings, now)?,
            as_of_seconds: now.timestamp(),
            max_blob_bytes: settings.max_blob_bytes,
            line_history: settings.line_history,
            slice_commits: settings.slice_commits as usize,
            lens: std::sync::Arc::clone(&settings.lens),
            dry_run: wanted.dry_run,
        },
        config: show(loaded),
    })
}

fn print(submitted: &Submission, json: bool) -> anyhow::Result<()> {
    if json {
        return Ok(data::print(&format!("{}\n", serde_json::to_string_pretty(submitted)?))?);
    }
    Ok(data::print(&format!("{}\n", submitted.batch))?)
}

fn repositories(count: usize) -> String {
    match count {
        1 => "1 repository".to_owned(),
        count => format!("{count} repositories"),
    }
}

fn planned(client: &Client, id: &str, json: bool) -> anyhow::Result<()> {
    let planned: Vec<RepositoryView> = client.get(&format!("/batches/{}/repositories", segment(id)), &[])?;
    if json {
        return Ok(data::print(&format!("{}\n", serde_json::to_string_pretty(&planned)?))?);
    }
    Ok(data::print(&batch::repositories(&planned))?)
}
