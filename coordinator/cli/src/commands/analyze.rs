//! `gitfleet analyze`: the coordinator's and the worker's loops in one process, one batch, one report.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use gitfleet_coordinator::batch::{self, End};
use gitfleet_coordinator::conclude::{Concluded, conclude};
use gitfleet_coordinator::manifest::{Run, manifest};
use gitfleet_coordinator::store::{self, RepositoryState};
use gitfleet_coordinator::submit::{Requested, Submission, submit};
use gitfleet_coordinator::terms::Terms;
use gitfleet_shared::contract::{Identity, Revisions, Source};
use gitfleet_shared::window::Window;
use gitfleet_worker::meters::Meters;
use gitfleet_worker::objects::Limits;
use gitfleet_worker::worker::{Config as WorkerConfig, JOB_TIME, SLICE_CHANGES, SLICE_TIME, Worker};
use tokio::sync::watch;
use tracing::Instrument as _;

use super::discover::add_found;
use super::report::PUBLISHED;
use super::scan::scan;
use super::write::write;
use super::{Surroundings, stop};
use crate::args::{Analyze, History, Sources, WindowArgs};
use crate::config::{Asker, Branches, Loaded, Location, Overrides, RepositorySetting, Settings, show};
use crate::exit::{Exit, Refusal};
use crate::render::plan::Plan;
use crate::render::progress::Display;
use crate::render::summary::summary;
use crate::render::{data, talk};
use crate::wiring::{Embedded, Keep, Unfinished, credentials, gate};

/// Jobs on the queue at a time, in multiples of the slots: enough that no slot waits, few enough to bound memory.
const JOBS_PER_SLOT: usize = 4;
/// In one process a job goes silent only by a defect; the lease is long so that a slow block is not done twice.
const LEASE: Duration = Duration::from_secs(15 * 60);
/// A progress bar is not watched more closely than this.
const PULSE: Duration = Duration::from_millis(100);
/// Batches kept in the local store.
const KEPT_BATCHES: u32 = 20;
/// Where the report goes when nobody says.
pub(super) const OUTPUT: &str = "gitfleet-report";

/// Everything that is settled before anything is done.
struct Request {
    settings: Settings,
    /// The merged configuration as it is recorded; secrets masked.
    config: String,
    repositories: Vec<Requested>,
    window: Window,
    now: DateTime<Utc>,
    data_dir: PathBuf,
    output: PathBuf,
    slots: usize,
    keep: Keep,
}

pub(super) fn run(args: Analyze, quiet: bool) -> anyhow::Result<Exit> {
    let surroundings = Surroundings::read()?;
    let request = settle(&args, &surroundings, quiet)?;
    if args.validate_only {
        let repositories = match request.repositories.len() {
            1 => "1 repository".to_owned(),
            count => format!("{count} repositories"),
        };
        let listed = match &request.settings.github.selector {
            Some(selector) => {
                let accounts: Vec<String> = selector.accounts().iter().map(ToString::to_string).collect();
                format!(" and those of {}", accounts.join(" and "))
            }
            None => String::new(),
        };
        let repositories = repositories + &listed;
        data::print(&format!("configuration is valid: {repositories}, window {}\n", request.window))?;
        return Ok(Exit::Done);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        // Analysis runs on threads of its own; these only pass messages.
        .worker_threads(2)
        .max_blocking_threads(request.slots + 8)
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let exit = runtime.block_on(carry_out(&args, request, quiet));
    // Whatever still computes is of no use any more.
    runtime.shutdown_background();
    exit
}

fn settle(args: &Analyze, surroundings: &Surroundings, quiet: bool) -> anyhow::Result<Request> {
    let sources = sources(surroundings, &args.sources, quiet)?;
    let scanned_nothing = !args.sources.scan.is_empty() && sources.is_empty();
    let mut loaded =
        surroundings.configuration(args.common.config.as_deref(), overrides(args, sources), quiet)?;
    let config = show(&loaded);
    let data_dir = surroundings.data_dir(&loaded)?;
    let listed = loaded.settings.github.selector.is_some() && !scanned_nothing;
    if listed && !args.validate_only {
        add_found(&mut loaded, (!args.no_cache).then(|| data_dir.clone()), quiet)?;
    }
    let Loaded { settings, .. } = loaded;
    let now = Utc::now();
    let window = window(&args.history.window, &settings, now)?;
    let configured = if scanned_nothing { &[] } else { settings.repositories.as_slice() };
    // Which names there will be is not known before they are listed.
    let names = if listed && args.validate_only { &[] } else { args.sources.repositories.as_slice() };
    let repositories = limit(configured, names)?;
    if repositories.is_empty() && !(listed && args.validate_only) {
        return Err(Refusal::new(Exit::Usage, "there is no repository to analyse")
            .hint(
                "name some (`gitfleet analyze .`), scan a folder (--scan DIR), or list them in gitfleet.yaml",
            )
            .into());
    }
    let output = settings.output.clone().unwrap_or_else(|| surroundings.directory.join(OUTPUT));
    if output.exists() && !output.is_dir() {
        return Err(Refusal::new(Exit::Usage, format!("{} is not a directory", output.display()))
            .hint("name a directory for the report with --output")
            .into());
    }
    let slots =
        settings.jobs.or_else(|| std::thread::available_parallelism().ok().map(Into::into)).unwrap_or(1);
    Ok(Request {
        config,
        repositories: repositories.into_iter().map(requested).collect::<anyhow::Result<_>>()?,
        window,
        now,
        data_dir,
        output,
        slots,
        keep: if args.no_cache { Keep::Nothing } else { Keep::Everything },
        settings,
    })
}

/// Returns what was named and what was found below the folders to scan, each once.
pub(super) fn sources(
    surroundings: &Surroundings,
    asked: &Sources,
    quiet: bool,
) -> anyhow::Result<Vec<OsString>> {
    let mut sources = asked.sources.clone();
    // What is found twice, or was named, is meant once; who names the same twice is told.
    let real = |path: &Path| surroundings.directory.join(path).canonicalize().ok();
    let mut met: BTreeSet<PathBuf> = sources.iter().filter_map(|source| real(Path::new(source))).collect();
    for folder in &asked.scan {
        let found = scan(&surroundings.directory.join(folder))?;
        if found.is_empty() && !quiet {
            talk::warning(&format!("there is no repository below {}", folder.display()));
        }
        let new = found.into_iter().filter(|path| real(path).is_none_or(|path| met.insert(path)));
        sources.extend(new.map(Into::into));
    }
    Ok(sources)
}

/// Returns what `sources` and `history` have to say against the configuration.
pub(super) fn asked(sources: Vec<OsString>, history: &History) -> Overrides {
    let on = |flag: bool| flag.then_some(true);
    Overrides {
        sources,
        branch: history.branch.clone(),
        all_branches: on(history.all_branches),
        weeks: history.window.weeks,
        time_zone: history.window.time_zone.clone(),
        include_current: on(history.window.include_current),
        anonymize: on(history.anonymize),
        public: on(history.public),
        ..Overrides::default()
    }
}

fn overrides(args: &Analyze, sources: Vec<OsString>) -> Overrides {
    Overrides {
        slice_commits: args.batch_size,
        jobs: args.common.jobs,
        max_blob_bytes: args.common.max_blob_bytes,
        line_history: args.no_line_history.then_some(false),
        memory_mib: args.common.memory_mib,
        data_dir: args.common.data_dir.clone(),
        output: args.output.clone(),
        formats: (!args.format.is_empty()).then(|| args.format.clone()),
        credential: args.sources.credential.clone(),
        ..asked(sources, &args.history)
    }
}

/// Returns the one window of the run: by flags first, then by `analysis.weeks`, all history otherwise.
pub(super) fn window(args: &WindowArgs, settings: &Settings, now: DateTime<Utc>) -> anyhow::Result<Window> {
    let zone = settings.time_zone;
    let window = if let Some(week) = &args.week {
        week.parse().and_then(|week| Window::weeks(zone, week, week))
    } else if let (Some(from), Some(to)) = (&args.from, &args.to) {
        from.parse().and_then(|from| to.parse().and_then(|to| Window::weeks(zone, from, to)))
    } else if args.since.is_some() || args.until.is_some() {
        Window::between(zone, args.since.as_deref(), args.until.as_deref())
    } else if let Some(weeks) = settings.weeks {
        Window::last_weeks(zone, weeks, settings.include_current, now)
    } else {
        Ok(Window::all_history(zone))
    };
    window.map_err(|error| Refusal::new(Exit::Usage, error.to_string()).into())
}

/// Returns the repositories that `names` lists, or all where it lists none.
pub(super) fn limit<'a>(
    all: &'a [RepositorySetting],
    names: &[String],
) -> anyhow::Result<Vec<&'a RepositorySetting>> {
    if names.is_empty() {
        return Ok(all.iter().collect());
    }
    let known: BTreeSet<&str> = all.iter().map(|repository| repository.name.as_str()).collect();
    if let Some(unknown) = names.iter().find(|name| !known.contains(name.as_str())) {
        let known = known.into_iter().take(20).collect::<Vec<_>>().join(", ");
        return Err(Refusal::new(Exit::NotFound, format!("there is no repository named {unknown}"))
            .hint(format!("the names are: {known}"))
            .into());
    }
    Ok(all.iter().filter(|repository| names.contains(&repository.name)).collect())
}

pub(super) fn requested(setting: &RepositorySetting) -> anyhow::Result<Requested> {
    let source = match (&setting.location, &setting.remote) {
        (Location::Url(url), _) => Source::Remote { url: url.clone() },
        // Configured with both, and not checked out here: it can still be fetched.
        (Location::Path(path), Some(url)) if !path.exists() => Source::Remote { url: url.clone() },
        (Location::Path(path), _) => match path.to_str() {
            Some(text) => Source::Local { path: text.to_owned() },
            None => {
                return Err(Refusal::new(Exit::Usage, format!("{} is not UTF-8", path.display()))
                    .hint("reach the repository by another path, a link for example")
                    .into());
            }
        },
    };
    let revisions = match &setting.branches {
        Branches::Default => Revisions::Head,
        Branches::Named(name) => Revisions::Branch(name.clone()),
        Branches::All => Revisions::AllBranches,
    };
    // A path that is here needs none.
    let credential = setting.credential.clone().filter(|_| matches!(source, Source::Remote { .. }));
    let (name, project_key) = (setting.name.clone(), setting.project_key.clone());
    Ok(Requested { name, project_key, source, revisions, credential })
}

async fn carry_out(args: &Analyze, request: Request, quiet: bool) -> anyhow::Result<Exit> {
    let started = Instant::now();
    let signals = stop::Signals::listen().context("cannot listen for signals")?;
    let parts = Embedded::open(
        &request.data_dir,
        request.keep,
        Unfinished::Abandon,
        request.settings.fleet.cache_keys_file.as_deref(),
        request.settings.erasure_key.as_ref(),
    )
    .await?;
    // The beginning of the trace, where anybody collects one.
    let span = tracing::info_span!("analyze", otel.name = "analyze", otel.kind = "internal");
    let exit = analyse(args, &request, &parts, (started, signals), quiet).instrument(span).await;
    parts.close_queue();
    parts.close().await;
    exit
}

async fn analyse(
    args: &Analyze,
    request: &Request,
    parts: &Embedded,
    (started, signals): (Instant, stop::Signals),
    quiet: bool,
) -> anyhow::Result<Exit> {
    let Request { settings, now, slots, .. } = request;
    let terms = Terms {
        window: request.window,
        as_of_seconds: now.timestamp(),
        max_blob_bytes: settings.max_blob_bytes,
        line_history: settings.line_history,
        slice_commits: settings.slice_commits as usize,
        dry_run: args.dry_run,
        lens: Arc::clone(&settings.lens),
    };
    let submission = Submission {
        repositories: request.repositories.clone(),
        name: PUBLISHED.to_owned(),
        priority: 0,
        labels: BTreeMap::new(),
        terms: terms.clone(),
        request: None,
        config: request.config.clone(),
        submitted_at: now.timestamp_millis(),
    };
    let (batch, _) = submit(&*parts.store, submission).await?;

    let (stopper, stopped) = watch::channel(None);
    let signals = tokio::spawn(signals.watch(stopper));
    let worker = Worker::new(
        parts.queue.clone(),
        parts.cache.clone(),
        WorkerConfig {
            identity: Identity { name: "embedded".to_owned(), ..Identity::default() },
            slots: *slots,
            mirrors: parts.mirrors.clone(),
            mirror_bytes: None,
            gate: gate(settings, Asker::Oneself)?,
            credentials: credentials(settings, Asker::Oneself)?,
            slice_changes: SLICE_CHANGES,
            slice_time: SLICE_TIME,
            job_time: JOB_TIME,
            // Who stops goes on later from the commits that are done.
            grace: Duration::ZERO,
            pulse: PULSE,
            cache_bytes: Limits::share(settings.max_blob_bytes, settings.memory_bytes, *slots).cache_bytes,
            meters: Meters::default(),
            erasure_key: parts.store.erasure_key(),
        },
    );
    let working = tokio::spawn({
        let (work, queue) = (worker.run(stop::stopped(stopped.clone())), parts.queue_closer());
        let told = stopped.clone();
        async move {
            let worked = work.await;
            // Without a worker the coordinator would wait for ever. One that was told to stop was told so, too.
            if told.borrow().is_none() {
                queue.close();
            }
            worked
        }
    });
    let config = batch::Config {
        purpose: terms.purpose(),
        window: JOBS_PER_SLOT * slots,
        lease: LEASE,
        now: || Utc::now().timestamp_millis(),
    };
    let mut display = Display::new(quiet, std::io::stderr().is_terminal());
    let show = |progress: &batch::Progress| display.show(progress);
    let ended = batch::run(
        parts.queue.clone(),
        parts.store.clone(),
        batch,
        config,
        show,
        stop::stopped(stopped.clone()),
    )
    .await;
    display.end();
    parts.close_queue();
    signals.abort();
    if working.is_finished() || ended.is_ok() {
        // The slots end with the queue, or were told to stop; what ended them early is what went wrong.
        working.await?.context("the worker ended early")?;
    } else {
        // Nobody will record what they still compute.
        working.abort();
    }
    if ended? == End::Stopped {
        parts.store.abandon(batch).await?;
        talk::line(match request.keep {
            Keep::Everything => "stopped; what was analysed is kept, and the same command goes on from there",
            Keep::Nothing => "stopped; nothing is kept",
        });
        let exit = *stopped.borrow();
        return Ok(exit.unwrap_or(Exit::Interrupted));
    }
    let repositories = parts.store.repositories(batch).await?;
    if args.dry_run {
        parts.store.abandon(batch).await?;
        let plan = Plan::of(&repositories, *slots);
        let text =
            if args.json { format!("{}\n", serde_json::to_string_pretty(&plan)?) } else { plan.text() };
        data::print(&text)?;
        return Ok(if plan.has_failures() { Exit::FinishedWithFailures } else { Exit::Done });
    }

    let finished = conclude(&*parts.store, batch, &terms).await?;
    let run = Run {
        batch,
        started_at: now.to_rfc3339(),
        finished_at: Utc::now().to_rfc3339(),
        elapsed_millis: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        worker_slots: *slots,
        config: request.config.clone(),
    };
    let manifest = serde_json::to_string_pretty(&manifest(run, &repositories, &finished.report))?;
    let files = write(&request.output, &finished, &manifest, &settings.formats)?;
    let kept = store::Finished {
        batch,
        report: &finished.json,
        manifest: &manifest,
        inputs: finished.inputs,
        as_of_seconds: terms.as_of_seconds,
        finished_at: Utc::now().timestamp_millis(),
    };
    parts.store.publish(PUBLISHED, &kept).await?;
    parts.store.prune(KEPT_BATCHES).await?;
    tell(args, &finished, &request.output, &files)?;
    let failed = repositories.iter().any(|repository| repository.state == RepositoryState::Failed);
    Ok(if failed { Exit::FinishedWithFailures } else { Exit::Done })
}

fn tell(args: &Analyze, finished: &Concluded, output: &Path, files: &[String]) -> anyhow::Result<()> {
    if args.json {
        return Ok(data::print(&finished.json)?);
    }
    Ok(data::print(&summary(&finished.report, output, files))?)
}
