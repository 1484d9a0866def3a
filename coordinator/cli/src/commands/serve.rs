//! `gitfleet serve`: coordinator and worker in one process that goes on, over the adapters of `analyze`.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use chrono::Utc;
use gitfleet_coordinator::api::{self, Api};
use gitfleet_coordinator::lead::{self, Bell};
use gitfleet_coordinator::meters::Meters;
use gitfleet_coordinator::vital::Vital;
use gitfleet_shared::contract::Identity;
use gitfleet_shared::meter::Meter;
use gitfleet_worker::meters::Meters as WorkerMeters;
use gitfleet_worker::worker::{Config as WorkerConfig, Worker};
use tokio::sync::watch;

use super::coordinator::leading;
use super::front::Front;
use super::{Surroundings, secrets, stop, worker};
use crate::args::Serve;
use crate::config::{Asker, Overrides, Settings};
use crate::exit::Exit;
use crate::exposition::{self, Exposed};
use crate::wiring::{Embedded, Keep, Unfinished, lending};

/// How long what is being asked may take when we are told to end.
const ENDING: Duration = Duration::from_secs(10);

pub(super) fn run(args: Serve, quiet: bool) -> anyhow::Result<Exit> {
    let surroundings = Surroundings::read()?;
    let common = &args.common;
    let overrides = Overrides {
        listen: args.listen.clone(),
        metrics_listen: args.metrics_listen.clone(),
        jobs: common.jobs,
        max_blob_bytes: common.max_blob_bytes,
        memory_mib: common.memory_mib,
        data_dir: common.data_dir.clone(),
        ..Overrides::default()
    };
    let loaded = surroundings.configuration(common.config.as_deref(), overrides, quiet)?;
    let data_dir = surroundings.data_dir(&loaded)?;
    secrets::look_at(&loaded);
    let front = Front::of(&loaded.settings.fleet)?;
    let slots = worker::slots(&loaded.settings);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .max_blocking_threads(slots + 8)
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let keys = loaded.settings.fleet.cache_keys_file.as_deref();
    let erasure_key = loaded.settings.erasure_key.as_ref();
    let exit = runtime.block_on(async {
        let parts =
            Embedded::open(&data_dir, Keep::Everything, Unfinished::Resume, keys, erasure_key).await?;
        let identity = Identity { name: "embedded".to_owned(), host: surroundings.host(), ..worker::ours() };
        let meter = Meter::default();
        let mut config = worker::config(&loaded.settings, identity, slots, parts.mirrors.clone())?;
        config.meters = WorkerMeters::beside_a_coordinator(&meter);
        config.erasure_key = parts.store.erasure_key();
        let seen = Seen { meter, warnings: loaded.warnings.len(), data_dir: data_dir.clone() };
        let exit = serve(&loaded.settings, front, config, &parts, surroundings.process_name(), seen).await;
        parts.close_queue();
        parts.close().await;
        exit
    });
    // Whatever still computes is of no use any more.
    runtime.shutdown_background();
    exit
}

/// What metrics are made of beside what is counted.
struct Seen {
    meter: Meter,
    warnings: usize,
    data_dir: PathBuf,
}

async fn serve(
    settings: &Settings,
    front: Front,
    worker: WorkerConfig,
    parts: &Embedded,
    name: String,
    seen: Seen,
) -> anyhow::Result<Exit> {
    let metrics = exposition::Listener::open(&settings.fleet).await?;
    let Seen { meter, warnings, data_dir } = seen;
    let meters = Meters::new(&meter);
    let signals = stop::Signals::listen().context("cannot listen for signals")?;
    let (stopper, stopped) = watch::channel(None);
    tokio::spawn(signals.watch(stopper));
    front.check_closed(&*parts.access).await?;
    let listener = front.listen().await?;
    let address = listener.local_addr()?;
    let (bell, now): (Bell, fn() -> i64) = (Bell::default(), || Utc::now().timestamp_millis());
    let vital = Arc::new(Vital::new(parts.store.clone(), settings.fleet.scaling, now));
    let api = Api {
        store: parts.store.clone(),
        access: parts.access.clone(),
        queue: parts.queue.clone(),
        cache: parts.cache.clone(),
        bell: bell.clone(),
        meters: meters.clone(),
        vital,
        door: front.door,
        sources: Arc::new(settings.sources.policy(Asker::Others)),
        lending: Arc::new(lending(settings)),
        now,
    };
    let scheme = if front.tls.is_some() { "https" } else { "http" };
    tracing::info!(
        slots = worker.slots,
        version = env!("CARGO_PKG_VERSION"),
        "it answers at {scheme}://{address}/"
    );
    if let Some(metrics) = metrics {
        let refresh = exposition::gauges(&meter, &api);
        let exposed = Exposed::new(meter, warnings, Some(data_dir), refresh);
        tokio::spawn(metrics.serve(exposed, api::probes(api.clone()), stop::stopped(stopped.clone())));
    }
    let config = leading(settings, name, &api)?;
    let answering = tokio::spawn(api::serve(listener, api, front.tls, stop::stopped(stopped.clone())));
    let working = Worker::new(parts.queue.clone(), parts.cache.clone(), worker);
    let working = tokio::spawn(working.run(stop::stopped(stopped.clone())));
    // What the worker hands back at its end is recorded, so the worker ends first.
    let (ended, worker_ended) = watch::channel(false);
    let ending = async move {
        let mut worker_ended = worker_ended;
        // The sender is dropped where the worker ended early, which ends everything.
        let _ = worker_ended.wait_for(|ended| *ended).await;
    };
    let leading =
        tokio::spawn(lead::lead(parts.queue.clone(), Arc::clone(&parts.store), config, bell, ending));
    let worked = working.await;
    let _ = ended.send(true);
    let led = leading.await;
    let _ = tokio::time::timeout(ENDING, answering).await;
    worked?.context("the worker ended early")?;
    led??;
    // Whoever is told to end and does so has done what it should.
    Ok(Exit::Done)
}
