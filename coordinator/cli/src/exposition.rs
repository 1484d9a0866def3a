//! The listener that metrics and probes are asked at, apart from the API: a monitoring system has another token, and
//! another network, than people have.

mod dependencies;
mod process;
mod reference;
mod storage;

use std::net::ToSocketAddrs as _;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use gitfleet_coordinator::api::Api;
use gitfleet_coordinator::gauges::Gauges;
use gitfleet_shared::meter::{BUILD_INFO, Definition, Meter, TEXT_FORMAT};
use gitfleet_shared::secret::{Secret, words};
use tokio::net::TcpListener;

use crate::config::Fleet;
use crate::exit::{Exit, Refusal};
use crate::wiring::secret;

pub(crate) use dependencies::Dependencies;
pub(crate) use reference::reference;

const CONFIG_WARNINGS: Definition = Definition::gauge(
    "gitfleet_config_warnings",
    &[],
    "Warnings about the configuration that this process began with",
);

/// Brings gauges up to date that are asked for and not counted.
pub(crate) type Refresh = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// Returns what brings the gauges of a coordinator up to date, by asking whom its API asks.
pub(crate) fn gauges(meter: &Meter, api: &Api) -> Refresh {
    let Api { meters, vital, store, queue, cache, .. } = api.clone();
    let gauges = Arc::new(Gauges::new(meter, meters, vital, store, queue, cache));
    Arc::new(move || {
        let gauges = gauges.clone();
        Box::pin(async move { gauges.refresh().await })
    })
}

/// An address that is listened on, and what must be shown there.
pub(crate) struct Listener {
    listener: TcpListener,
    token: Option<Secret>,
}

impl Listener {
    /// Listens where the configuration says, if it does.
    ///
    /// # Errors
    ///
    /// Where the address is none, is taken, or is open to other machines without a token.
    pub(crate) async fn open(fleet: &Fleet) -> anyhow::Result<Option<Self>> {
        let Some(address) = &fleet.metrics_listen else { return Ok(None) };
        let token = fleet.metrics_token.as_ref().map(secret).transpose()?;
        if token.as_ref().is_some_and(|token| words(&token.now()).next().is_none()) {
            return Err(Refusal::new(Exit::Configuration, "fleet.metrics_token is set, and holds no token")
                .hint("write it into the file that GITFLEET_METRICS_TOKEN_FILE names, or none at all")
                .into());
        }
        let resolved = address.to_socket_addrs().map_err(|error| {
            Refusal::new(Exit::Configuration, format!("cannot listen on {address}: {error}"))
                .hint("write fleet.metrics_listen as address:port")
        })?;
        let is_open = resolved.into_iter().any(|address| !address.ip().is_loopback());
        if is_open && token.is_none() && !fleet.dev {
            return Err(Refusal::new(
                Exit::Configuration,
                format!("{address} is open to other machines, and metrics have no token"),
            )
            .hint("set fleet.metrics_token (GITFLEET_METRICS_TOKEN_FILE), or listen on 127.0.0.1")
            .into());
        }
        let listener = TcpListener::bind(address).await.map_err(|error| {
            Refusal::new(Exit::Unavailable, format!("cannot listen on {address}: {error}"))
                .hint("is another process there? Give this one another --metrics-listen")
        })?;
        Ok(Some(Self { listener, token }))
    }

    /// Answers until `shutdown` ends: /metrics to whoever shows the token, and `probes` to everybody.
    pub(crate) async fn serve(
        self,
        exposed: Exposed,
        probes: Router,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> std::io::Result<()> {
        tracing::info!(address = %self.listener.local_addr()?, "metrics are told");
        let metrics = Router::new()
            .route("/metrics", axum::routing::get(metrics))
            .layer(axum::middleware::from_fn_with_state(self.token, guard))
            .with_state(exposed);
        axum::serve(self.listener, metrics.merge(probes)).with_graceful_shutdown(shutdown).await
    }
}

/// What is told.
#[derive(Clone)]
pub(crate) struct Exposed {
    meter: Meter,
    refresh: Refresh,
    process: process::Process,
    storage: Option<storage::Storage>,
}

impl Exposed {
    /// Tells what is registered with `meter`, and of the process itself; of the disk, where the process keeps things at
    /// `storage`.
    pub(crate) fn new(meter: Meter, warnings: usize, storage: Option<PathBuf>, refresh: Refresh) -> Self {
        meter.gauges(&BUILD_INFO).with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1.0);
        let config_warnings = meter.gauge(&CONFIG_WARNINGS);
        config_warnings.set(warnings as f64);
        Self {
            process: process::Process::new(&meter),
            storage: storage.map(|path| storage::Storage::new(&meter, path)),
            meter,
            refresh,
        }
    }
}

async fn guard(State(token): State<Option<Secret>>, request: Request, next: Next) -> Response {
    let shown = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let shown = shown.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    let shown = blake3::hash(shown.as_bytes());
    // Hashes of this library compare in constant time. There may be several, so that one can be changed without a gap.
    let is_one = |token: Secret| words(&token.now()).any(|one| blake3::hash(one.as_bytes()) == shown);
    if token.is_some_and(|token| !is_one(token)) {
        let wanted = [(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))];
        return (StatusCode::UNAUTHORIZED, wanted, "the metrics token is wanted\n").into_response();
    }
    next.run(request).await
}

async fn metrics(State(exposed): State<Exposed>) -> Response {
    (exposed.refresh)().await;
    exposed.process.refresh();
    if let Some(storage) = &exposed.storage {
        storage.refresh();
    }
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(TEXT_FORMAT)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    (headers, exposed.meter.text()).into_response()
}
