//! `gitfleet report`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use chrono::Utc;
use gitfleet_coordinator::conclude::{self, Concluded, conclude};
use gitfleet_coordinator::lens::Names;
use gitfleet_coordinator::manifest::{Manifest, Run, manifest};
use gitfleet_coordinator::report::difference::{self, Side};
use gitfleet_coordinator::report::{facts, json, parquet, reference};
use gitfleet_coordinator::store::{Finished, Store};
use gitfleet_coordinator::terms::Terms;
use gitfleet_coordinator::view::ReportView;

use gitfleet_shared::contract::Scope;
use gitfleet_shared::ids::BatchId;

use crate::args::{Ask, Report, ReportCommand, WindowArgs};
use crate::config::{Format, Overrides, show};
use crate::exit::{Exit, Refusal};
use crate::render::id::short;
use crate::render::summary::summary;
use crate::render::table::table;
use crate::render::{data, talk};
use crate::wiring::{STORE, open_store};

use super::Surroundings;
use super::analyze::OUTPUT;
use super::ask::{answer, client, segment};
use super::write::write;

pub(super) fn nothing_published() -> anyhow::Error {
    Refusal::new(Exit::NotFound, "no report was published yet").hint("run `gitfleet analyze` first").into()
}

/// The name under which `analyze` publishes.
pub(super) const PUBLISHED: &str = "analyze";

pub(super) fn run(args: Report, quiet: bool) -> anyhow::Result<Exit> {
    let text = match args.command {
        ReportCommand::Columns => reference::columns(),
        ReportCommand::Schema => format!("{}\n", serde_json::to_string_pretty(&json::schema())?),
        ReportCommand::Show { batch: Some(batch), common, server } => {
            let ask = Ask { server, config: common.config, json: true };
            client(&ask)?.text(&format!("/batches/{}/report", segment(&batch)), &[])?
        }
        ReportCommand::Make { output, format, anonymize, public, window, common, json } => {
            let overrides = Overrides {
                output,
                formats: (!format.is_empty()).then_some(format),
                anonymize: anonymize.then_some(true),
                public: public.then_some(true),
                weeks: window.weeks,
                time_zone: window.time_zone.clone(),
                include_current: window.include_current.then_some(true),
                data_dir: common.data_dir.clone(),
                ..Overrides::default()
            };
            return make(overrides, &window, common.config.as_deref(), json, quiet);
        }
        ReportCommand::Facts { output, common } => {
            let overrides = Overrides { output, data_dir: common.data_dir, ..Overrides::default() };
            return write_facts(overrides, common.config.as_deref(), quiet);
        }
        ReportCommand::Diff { a, b, json } => difference(&a, &b, json)?,
        ReportCommand::Ls { ask } => {
            let reports: Vec<ReportView> = client(&ask)?.get("/reports", &[])?;
            return answer(&ask, &reports, |reports| list(reports));
        }
        ReportCommand::Export { batch, output, format, ask } => {
            return export(&batch, output, &format, &ask, quiet);
        }
        ReportCommand::Show { batch: None, common, server: _ } => {
            let surroundings = Surroundings::read()?;
            let overrides = Overrides { data_dir: common.data_dir, ..Overrides::default() };
            let loaded = surroundings.configuration(common.config.as_deref(), overrides, true)?;
            let data_dir = surroundings.data_dir(&loaded)?;
            tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
                if !data_dir.join(STORE).exists() {
                    return Err(nothing_published());
                }
                let store = open_store(&data_dir, loaded.settings.erasure_key.as_ref()).await?;
                let published = store.published(PUBLISHED).await?;
                store.close().await;
                let (report, _) = published.ok_or_else(nothing_published)?;
                anyhow::Ok(report)
            })?
        }
    };
    data::print(&text)?;
    Ok(Exit::Done)
}

/// Returns the batch whose report was published last.
async fn last_batch(store: &dyn Store) -> anyhow::Result<BatchId> {
    let (_, published) = store.published(PUBLISHED).await?.ok_or_else(nothing_published)?;
    let published: Manifest = serde_json::from_str(&published)?;
    Ok(uuid::Uuid::parse_str(&published.batch).map(BatchId::from_uuid)?)
}

/// Makes the last report anew. The facts are there; what may have changed is how they are read.
fn make(
    overrides: Overrides,
    window: &WindowArgs,
    config: Option<&Path>,
    json: bool,
    quiet: bool,
) -> anyhow::Result<Exit> {
    let surroundings = Surroundings::read()?;
    let started = Instant::now();
    let loaded = surroundings.configuration(config, overrides, quiet)?;
    let (data_dir, recorded) = (surroundings.data_dir(&loaded)?, show(&loaded));
    let settings = loaded.settings;
    let now = Utc::now();
    let terms = Terms {
        window: super::analyze::window(window, &settings, now)?,
        as_of_seconds: now.timestamp(),
        max_blob_bytes: settings.max_blob_bytes,
        line_history: settings.line_history,
        slice_commits: settings.slice_commits as usize,
        dry_run: false,
        lens: Arc::clone(&settings.lens),
    };
    let output = settings.output.clone().unwrap_or_else(|| surroundings.directory.join(OUTPUT));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        if !data_dir.join(STORE).exists() {
            return Err(nothing_published());
        }
        let store = open_store(&data_dir, settings.erasure_key.as_ref()).await?;
        let batch = last_batch(&store).await?;
        let concluded = conclude(&store, batch, &terms).await.map_err(|error| {
            Refusal::new(Exit::NotFound, format!("the facts of the last report cannot be read so: {error}"))
                .hint("`gitfleet analyze` brings what is missing, for example another max_blob_bytes")
        })?;
        let run = Run {
            batch,
            started_at: now.to_rfc3339(),
            finished_at: Utc::now().to_rfc3339(),
            elapsed_millis: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            worker_slots: 0,
            config: recorded,
        };
        let repositories = store.repositories(batch).await?;
        let manifest = serde_json::to_string_pretty(&manifest(run, &repositories, &concluded.report))?;
        let files = write(&output, &concluded, &manifest, &settings.formats)?;
        let finished = Finished {
            batch,
            report: &concluded.json,
            manifest: &manifest,
            inputs: concluded.inputs,
            as_of_seconds: terms.as_of_seconds,
            finished_at: Utc::now().timestamp_millis(),
        };
        store.publish(PUBLISHED, &finished).await?;
        store.close().await;
        if json {
            data::print(&concluded.json)?;
        } else {
            data::print(&summary(&concluded.report, &output, &files))?;
        }
        Ok(Exit::Done)
    })
}

/// Writes the facts of the last report. They hold names and addresses as the commits have them.
fn write_facts(overrides: Overrides, config: Option<&Path>, quiet: bool) -> anyhow::Result<Exit> {
    let surroundings = Surroundings::read()?;
    let loaded = surroundings.configuration(config, overrides, quiet)?;
    let data_dir = surroundings.data_dir(&loaded)?;
    let settings = loaded.settings;
    if settings.lens.names != Names::Shown {
        return Err(Refusal::new(
            Exit::Usage,
            "facts hold names and addresses, and the configuration hides them",
        )
        .hint("leave out reports.anonymize and reports.public for this, or do without the facts")
        .into());
    }
    let output = settings.output.clone().unwrap_or_else(|| surroundings.directory.join(OUTPUT));
    let scope = Scope { max_blob_bytes: settings.max_blob_bytes, line_history: settings.line_history };
    let files = tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        if !data_dir.join(STORE).exists() {
            return Err(nothing_published());
        }
        let store = open_store(&data_dir, settings.erasure_key.as_ref()).await?;
        let batch = last_batch(&store).await?;
        std::fs::create_dir_all(&output)?;
        // Each file is whole or not there.
        let mut files = Vec::new();
        for table in facts::tables("", &[]) {
            let file = parquet::File::new(tempfile::NamedTempFile::new_in(&output)?, &table)?;
            files.push((format!("{}.parquet", table.name), file));
        }
        conclude::facts(&store, batch, scope, |name, commits| -> anyhow::Result<()> {
            for ((_, file), table) in files.iter_mut().zip(facts::tables(name, commits)) {
                file.write(&table)?;
            }
            Ok(())
        })
        .await?;
        store.close().await;
        let mut names = Vec::new();
        for (name, file) in files {
            file.finish()?.persist(output.join(&name))?;
            names.push(name);
        }
        anyhow::Ok(names)
    })?;
    talk::line(&format!("{} in {}", files.join(" and "), output.display()));
    Ok(Exit::Done)
}

/// Numbers that moved and are shown; JSON has all.
const MOST_MOVED: usize = 200;

fn difference(a: &Path, b: &Path, as_json: bool) -> anyhow::Result<String> {
    let found = difference::difference(&side(a)?, &side(b)?);
    if as_json {
        return Ok(format!("{}\n", serde_json::to_string_pretty(&found)?));
    }
    let causes: Vec<_> = found
        .causes
        .iter()
        .map(|one| [one.what.clone(), one.subject.clone(), one.from.clone(), one.to.clone()])
        .collect();
    let moved: Vec<_> = found
        .moved
        .iter()
        .take(MOST_MOVED)
        .map(|one| {
            let whose = format!("{} {}", one.scope, one.subject);
            [
                whose.trim_end().to_owned(),
                one.number.clone(),
                one.from.clone(),
                one.to.clone(),
                one.because.clone(),
            ]
        })
        .collect();
    let mut text = format!("{} of {} numbers moved\n", found.moved.len(), found.compared);
    if !causes.is_empty() {
        text.push_str(&format!("\n{}", table(["CHANGED", "OF", "FROM", "TO"], &causes)));
    }
    if !moved.is_empty() {
        text.push_str(&format!("\n{}", table(["WHOSE", "NUMBER", "FROM", "TO", "BECAUSE"], &moved)));
    }
    if found.moved.len() > MOST_MOVED {
        text.push_str(&format!("\nthe first {MOST_MOVED}; --json has all\n"));
    }
    Ok(text)
}

fn side(folder: &Path) -> anyhow::Result<Side> {
    Ok(Side { report: read(folder, "report.json")?, manifest: read(folder, "manifest.json")? })
}

fn read<T: serde::de::DeserializeOwned>(folder: &Path, name: &str) -> anyhow::Result<T> {
    let path = folder.join(name);
    let refuse = |exit: Exit, error: &dyn std::fmt::Display| {
        Refusal::new(exit, format!("cannot read {}: {error}", path.display())).hint(
            "name a folder that `gitfleet analyze` or `gitfleet report export` wrote, with its JSON form",
        )
    };
    let text = std::fs::read_to_string(&path).map_err(|error| refuse(Exit::NotFound, &error))?;
    Ok(serde_json::from_str(&text).map_err(|error| refuse(Exit::Usage, &error))?)
}

fn list(reports: &[ReportView]) -> String {
    let ids: Vec<&str> = reports.iter().map(|report| report.batch.as_str()).collect();
    let row = |(report, id): (&ReportView, &str)| {
        [
            id.to_owned(),
            report.name.clone(),
            if report.published { "published" } else { "kept" }.to_owned(),
            report.created_at.clone().unwrap_or_default(),
            report.bytes.to_string(),
        ]
    };
    let rows: Vec<_> = reports.iter().zip(short(&ids)).map(row).collect();
    table(["BATCH", "NAME", "STATE", "MADE", "BYTES"], &rows)
}

/// Writes the report of a batch as `analyze` would have.
fn export(
    batch: &str,
    output: Option<PathBuf>,
    format: &[String],
    ask: &Ask,
    quiet: bool,
) -> anyhow::Result<Exit> {
    let mut formats = Vec::new();
    for word in format {
        let known = Format::named(word).ok_or_else(|| {
            Refusal::new(Exit::Usage, format!("{word} is no form of a report"))
                .hint("csv, json, markdown, html or parquet")
        })?;
        formats.push(known);
    }
    if formats.is_empty() {
        formats = Format::DEFAULTS.to_vec();
    }
    let client = client(ask)?;
    let get = |part: &str| client.text(&format!("/batches/{}/{part}", segment(batch)), &[]);
    let (json, manifest) = (get("report")?, get("manifest")?);
    let report = serde_json::from_str(&json)?;
    let output = output.unwrap_or_else(|| PathBuf::from(OUTPUT));
    let concluded = Concluded { report, json, inputs: None };
    let files = write(&output, &concluded, &manifest, &formats)?;
    if ask.json {
        data::print(&concluded.json)?;
    } else if !quiet {
        data::print(&summary(&concluded.report, &output, &files))?;
    } else {
        talk::line(&format!("{} files in {}", files.len(), output.display()));
    }
    Ok(Exit::Done)
}
