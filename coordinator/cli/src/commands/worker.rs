//! `gitfleet worker`: takes jobs until it is told to end.

use anyhow::Context as _;
use gitfleet_shared::contract::Identity;
use gitfleet_shared::meter::Meter;
use gitfleet_worker::meters::Meters;
use gitfleet_worker::objects::Limits;
use gitfleet_worker::worker::{Config, SLICE_CHANGES, SLICE_TIME, Worker};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

use super::{Surroundings, logins, operate, secrets, stop};
use crate::args;
use crate::config::{Asker, Fleet, Overrides, Settings};
use crate::exit::{Exit, Refusal};
use crate::exposition::{self, Dependencies, Exposed, Refresh};
use crate::wiring::{DataDir, Servers, credentials, erasure_key, gate};

/// How often a worker is heard of while its jobs get further.
const PULSE: Duration = Duration::from_secs(1);

pub(super) fn run(args: args::Worker, quiet: bool) -> anyhow::Result<Exit> {
    if let Some(command) = args.command {
        return operate::worker(command);
    }
    let surroundings = Surroundings::read()?;
    let common = &args.common;
    let overrides = Overrides {
        jobs: common.jobs,
        max_blob_bytes: common.max_blob_bytes,
        memory_mib: common.memory_mib,
        data_dir: common.data_dir.clone(),
        metrics_listen: args.metrics_listen.clone(),
        dev: args.dev.then_some(true),
        ..Overrides::default()
    };
    let loaded = surroundings.configuration(common.config.as_deref(), overrides, quiet)?;
    let settings = &loaded.settings;
    check(&settings.fleet)?;
    logins::check(&settings.fleet)?;
    secrets::look_at(&loaded);
    let meter = Meter::default();
    let data_dir = DataDir::open_free(&surroundings.data_dir(&loaded)?)?;
    let slots = slots(settings);
    let host = surroundings.host();
    let name = match &args.name {
        Some(name) => surroundings.named(name),
        None => surroundings.process_name(),
    };
    let mut config =
        config(settings, Identity { name: name.clone(), host, ..ours() }, slots, data_dir.mirrors())?;
    config.meters = Meters::new(&meter);
    config.erasure_key = erasure_key(settings.erasure_key.as_ref())?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        // Analysis runs on threads of its own; these only pass messages.
        .worker_threads(2)
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let exit = runtime.block_on(work(&settings.fleet, config, &name, meter, loaded.warnings.len()));
    // Whatever still computes is of no use any more.
    runtime.shutdown_background();
    drop(data_dir);
    exit
}

/// Returns who we are, but for the name.
pub(super) fn ours() -> Identity {
    Identity { version: env!("CARGO_PKG_VERSION").to_owned(), ..Identity::default() }
}

/// Returns how a worker works under these settings.
pub(super) fn config(
    settings: &Settings,
    identity: Identity,
    slots: usize,
    mirrors: PathBuf,
) -> anyhow::Result<Config> {
    Ok(Config {
        identity,
        slots,
        mirrors,
        mirror_bytes: settings.fleet.mirror_bytes,
        gate: gate(settings, Asker::Others)?,
        credentials: credentials(settings, Asker::Others)?,
        slice_changes: SLICE_CHANGES,
        slice_time: SLICE_TIME.min(settings.fleet.job_time / 2),
        job_time: settings.fleet.job_time,
        grace: settings.fleet.grace,
        pulse: PULSE,
        cache_bytes: Limits::share(settings.max_blob_bytes, settings.memory_bytes, slots).cache_bytes,
        meters: Meters::default(),
        erasure_key: None,
    })
}

/// Returns how many jobs are done at the same time.
pub(super) fn slots(settings: &Settings) -> usize {
    settings.jobs.or_else(|| std::thread::available_parallelism().ok().map(Into::into)).unwrap_or(1)
}

/// A job that the broker takes back while it runs would be done for nothing, again and again.
fn check(fleet: &Fleet) -> anyhow::Result<()> {
    let (longest, allowed) = (fleet.job_time + fleet.grace, fleet.consumer_timeout / 2);
    if longest < allowed {
        return Ok(());
    }
    Err(Refusal::new(
        Exit::Configuration,
        format!(
            "a job may take {} s with its grace period, and that is not less than half of the broker's consumer \
             timeout of {} s",
            longest.as_secs(),
            fleet.consumer_timeout.as_secs()
        ),
    )
    .hint("make fleet.job_seconds smaller, or consumer_timeout larger at the broker and in fleet.consumer_timeout_seconds")
    .into())
}

async fn work(
    fleet: &Fleet,
    config: Config,
    name: &str,
    meter: Meter,
    warnings: usize,
) -> anyhow::Result<Exit> {
    let metrics = exposition::Listener::open(fleet).await?;
    let signals = stop::Signals::listen().context("cannot listen for signals")?;
    let (stopper, stopped) = watch::channel(None);
    tokio::spawn(signals.watch(stopper));
    let servers = tokio::select! {
        () = stop::stopped(stopped.clone()) => return Ok(Exit::Done),
        servers = Servers::reach(fleet, name) => servers?,
    };
    if let Some(metrics) = metrics {
        let (queue, cache) = (servers.queue.clone(), servers.cache.clone());
        let dependencies = Arc::new(Dependencies::new(&meter, queue.clone(), cache));
        let refresh: Refresh = Arc::new(move || {
            let dependencies = dependencies.clone();
            Box::pin(async move { dependencies.refresh().await })
        });
        let exposed = Exposed::new(meter, warnings, config.mirrors.parent().map(Into::into), refresh);
        tokio::spawn(metrics.serve(exposed, Dependencies::probes(queue), stop::stopped(stopped.clone())));
    }
    tracing::info!(name, slots = config.slots, version = env!("CARGO_PKG_VERSION"), "the worker takes jobs");
    let worker = Worker::new(servers.queue.clone(), servers.cache.clone(), config);
    let worked = worker.run(stop::stopped(stopped)).await.context("the worker ended early");
    servers.close().await;
    worked?;
    tracing::info!(name, "the worker has ended");
    Ok(Exit::Done)
}
