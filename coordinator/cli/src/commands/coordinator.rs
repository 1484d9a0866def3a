//! `gitfleet coordinator`: the API, and the loops of whoever leads.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use chrono::Utc;
use gitfleet_coordinator::api::{self, Api};
use gitfleet_coordinator::lead::{self, Bell, Purged};
use gitfleet_coordinator::meters::Meters;
use gitfleet_coordinator::store::ledger::Ledger;
use gitfleet_coordinator::vital::Vital;
use gitfleet_shared::meter::Meter;
use tokio::sync::watch;

use super::front::Front;
use super::{Surroundings, logins, secrets, stop};
use crate::args::Coordinator;
use crate::config::{Asker, Overrides, Settings};
use crate::exit::Exit;
use crate::exposition::{self, Exposed};
use crate::wiring::{Servers, lending, lister, open_fleet_store};

/// How long what is being asked may take when the coordinator is told to end.
const ENDING: Duration = Duration::from_secs(10);

pub(super) fn run(args: Coordinator, quiet: bool) -> anyhow::Result<Exit> {
    let surroundings = Surroundings::read()?;
    let overrides = Overrides {
        listen: args.listen.clone(),
        metrics_listen: args.metrics_listen.clone(),
        dev: args.dev.then_some(true),
        ..Overrides::default()
    };
    let loaded = surroundings.configuration(args.config.as_deref(), overrides, quiet)?;
    let warnings = loaded.warnings.len();
    secrets::look_at(&loaded);
    let settings = loaded.settings;
    let fleet = settings.fleet.clone();
    logins::check(&fleet)?;
    let front = Front::of(&fleet)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let exit = runtime.block_on(serve(&settings, front, args.migrate, surroundings.process_name(), warnings));
    runtime.shutdown_timeout(ENDING);
    exit
}

async fn serve(
    settings: &Settings,
    front: Front,
    migrate: bool,
    name: String,
    warnings: usize,
) -> anyhow::Result<Exit> {
    let fleet = &settings.fleet;
    let metrics = exposition::Listener::open(fleet).await?;
    let meter = Meter::default();
    let meters = Meters::new(&meter);
    let signals = stop::Signals::listen().context("cannot listen for signals")?;
    let (stopper, stopped) = watch::channel(None);
    tokio::spawn(signals.watch(stopper));
    let store = tokio::select! {
        () = stop::stopped(stopped.clone()) => return Ok(stopped.borrow().unwrap_or(Exit::Terminated)),
        store = open_fleet_store(fleet, migrate, settings.erasure_key.as_ref()) => store?,
    };
    let watching = meters.clone();
    let store = store.observed(Arc::new(move |operation, took| watching.stored(operation, took)));
    front.check_closed(&store).await?;
    let servers = Servers::reach(fleet, &name).await?;
    let listener = front.listen().await?;
    let address = listener.local_addr()?;
    let (bell, now): (Bell, fn() -> i64) = (Bell::default(), || Utc::now().timestamp_millis());
    let ledger: Arc<dyn Ledger> = Arc::new(store.clone());
    let vital = Arc::new(Vital::new(ledger.clone(), fleet.scaling, now));
    let api = Api {
        store: ledger.clone(),
        access: Arc::new(store.clone()),
        queue: servers.queue.clone(),
        cache: servers.cache.clone(),
        bell: bell.clone(),
        meters: meters.clone(),
        vital,
        door: front.door,
        sources: Arc::new(settings.sources.policy(Asker::Others)),
        lending: Arc::new(lending(settings)),
        now,
    };
    tracing::info!(%address, name, tls = front.tls.is_some(), version = env!("CARGO_PKG_VERSION"), "the coordinator answers");
    let config = leading(settings, name, &api)?;
    if let Some(metrics) = metrics {
        let refresh = exposition::gauges(&meter, &api);
        let exposed = Exposed::new(meter, warnings, None, refresh);
        tokio::spawn(metrics.serve(exposed, api::probes(api.clone()), stop::stopped(stopped.clone())));
    }
    let answering = tokio::spawn(api::serve(listener, api, front.tls, stop::stopped(stopped.clone())));
    let led = lead::lead(servers.queue.clone(), ledger, config, bell, stop::stopped(stopped.clone())).await;
    let answered = tokio::time::timeout(ENDING, answering).await;
    servers.close().await;
    store.close().await;
    led?;
    if let Ok(joined) = answered {
        joined.context("the API ended early")?;
    }
    // Whoever is told to end and does so has done what it should.
    Ok(Exit::Done)
}

/// Returns how a coordinator leads whose API is `api`.
pub(super) fn leading(settings: &Settings, holder: String, api: &Api) -> anyhow::Result<lead::Config> {
    let lister = lister(settings, api.store.clone(), Asker::Others, api.meters.clone(), api.now)?;
    Ok(lead::Config {
        holder,
        lease: settings.fleet.lease,
        kept: settings.fleet.kept,
        sources: (*api.sources).clone(),
        meters: api.meters.clone(),
        cache: Some(Purged(api.cache.clone())),
        lister: Some(lister),
        now: api.now,
        ..lead::Config::default()
    })
}
