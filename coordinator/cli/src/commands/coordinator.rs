//! `gitfleet coordinator`: the API, and the loops of whoever leads.

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use chrono::Utc;
use gitfleet_coordinator::access::{Lockout, Pace};
use gitfleet_coordinator::api::{self, Api, Door, Tls, Tokens};
use gitfleet_coordinator::lead::{self, Bell, Kept};
use gitfleet_coordinator::store::access::Access;
use gitfleet_coordinator::store::ledger::Ledger;
use secrecy::ExposeSecret as _;
use tokio::sync::watch;

use super::{Surroundings, logins, stop};
use crate::args::Coordinator;
use crate::config::{Fleet, Overrides, Settings};
use crate::exit::{Exit, Refusal};
use crate::wiring::{Servers, lister, open_fleet_store};

/// How long what is being asked may take when the coordinator is told to end.
const ENDING: Duration = Duration::from_secs(10);

pub(super) fn run(args: Coordinator, quiet: bool) -> anyhow::Result<Exit> {
    let surroundings = Surroundings::read()?;
    let overrides =
        Overrides { listen: args.listen.clone(), dev: args.dev.then_some(true), ..Overrides::default() };
    let loaded = surroundings.configuration(args.config.as_deref(), overrides, quiet)?;
    let settings = loaded.settings;
    let fleet = settings.fleet.clone();
    logins::check(&fleet)?;
    let addresses = addresses(&fleet)?;
    let (tokens, tls) = (tokens(&fleet)?, tls(&fleet)?);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let door = Door {
        tokens,
        pace: Pace::per_minute(fleet.requests_per_minute),
        lockout: Lockout::default(),
        proxies: fleet.trusted_proxies.clone(),
    };
    let is_open = addresses.iter().any(|address| !address.ip().is_loopback());
    let front = Front { door, tls, is_open };
    let exit = runtime.block_on(serve(&settings, front, args.migrate, surroundings.process_name()));
    runtime.shutdown_timeout(ENDING);
    exit
}

/// What is turned to whoever asks.
struct Front {
    door: Door,
    tls: Option<Arc<Tls>>,
    /// Whether other machines can ask.
    is_open: bool,
}

/// Returns where to listen, and refuses what would be found out too late.
fn addresses(fleet: &Fleet) -> anyhow::Result<Vec<SocketAddr>> {
    let addresses = fleet.listen.to_socket_addrs().map_err(|error| {
        Refusal::new(Exit::Configuration, format!("cannot listen on {}: {error}", fleet.listen))
            .hint("write fleet.listen as address:port")
    })?;
    Ok(addresses.collect())
}

fn tls(fleet: &Fleet) -> anyhow::Result<Option<Arc<Tls>>> {
    let refuse = |what: String| {
        Refusal::new(Exit::Configuration, what)
            .hint("set fleet.tls_cert_file (PEM, with its chain) and fleet.tls_key_file (PEM), or neither")
    };
    match (&fleet.tls_cert_file, &fleet.tls_key_file) {
        (None, None) => Ok(None),
        (Some(certificate), Some(key)) => {
            let tls = Tls::open(certificate, key).map_err(|error| refuse(error.to_string()))?;
            Ok(Some(Arc::new(tls)))
        }
        // Without TLS, which was meant, a token would go over the wire for all to see.
        _ => Err(refuse("TLS takes a certificate and a key, and only one of them is set".to_owned()).into()),
    }
}

/// Returns the tokens of the configuration.
fn tokens(fleet: &Fleet) -> anyhow::Result<Option<Tokens>> {
    let Some(secret) = &fleet.token else { return Ok(None) };
    let tokens = Tokens::new(secret.expose_secret()).ok_or_else(|| {
        Refusal::new(Exit::Configuration, "fleet.token is set, and holds no token")
            .hint("write one a line into the file that GITFLEET_API_TOKEN_FILE names, or none at all")
    })?;
    Ok(Some(tokens))
}

/// Refuses to be open to other machines without a token.
async fn check_closed(fleet: &Fleet, front: &Front, access: &dyn Access) -> anyhow::Result<()> {
    if front.is_open && front.door.tokens.is_none() && !access.has_tokens().await? {
        return Err(Refusal::new(
            Exit::Configuration,
            format!("{} is open to other machines, and the API has no token", fleet.listen),
        )
        .hint("set fleet.token (GITFLEET_API_TOKEN_FILE); or listen on 127.0.0.1, where the first one can be made with `gitfleet token create`")
        .into());
    }
    Ok(())
}

async fn serve(settings: &Settings, front: Front, migrate: bool, name: String) -> anyhow::Result<Exit> {
    let fleet = &settings.fleet;
    let signals = stop::Signals::listen().context("cannot listen for signals")?;
    let (stopper, stopped) = watch::channel(None);
    tokio::spawn(signals.watch(stopper));
    let store = tokio::select! {
        () = stop::stopped(stopped.clone()) => return Ok(stopped.borrow().unwrap_or(Exit::Terminated)),
        store = open_fleet_store(fleet, migrate) => store?,
    };
    check_closed(fleet, &front, &store).await?;
    let servers = Servers::reach(fleet, &name).await?;
    let listener = tokio::net::TcpListener::bind(&fleet.listen).await.map_err(|error| {
        Refusal::new(Exit::Unavailable, format!("cannot listen on {}: {error}", fleet.listen))
            .hint("is another coordinator there? Give this one another --listen")
    })?;
    let address = listener.local_addr()?;
    let (bell, now): (Bell, fn() -> i64) = (Bell::default(), || Utc::now().timestamp_millis());
    let ledger: Arc<dyn Ledger> = Arc::new(store.clone());
    let api = Api {
        store: ledger.clone(),
        access: Arc::new(store.clone()),
        queue: servers.queue.clone(),
        cache: servers.cache.clone(),
        bell: bell.clone(),
        door: front.door,
        now,
    };
    tracing::info!(%address, name, tls = front.tls.is_some(), version = env!("CARGO_PKG_VERSION"), "the coordinator answers");
    let kept = Kept { batches: fleet.kept_batches, ..Kept::default() };
    let lister = Some(lister(settings, Arc::new(store.clone()), now)?);
    let config =
        lead::Config { holder: name, lease: fleet.lease, kept, lister, now, ..lead::Config::default() };
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
