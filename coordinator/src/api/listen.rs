//! Answers connections, within limits: how many there are, how large a head may be, and how long it may take to come.

use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

use super::origin::Peer;
use super::{Api, Tls, router};

/// Connections at most; who comes then waits in the system's queue.
const CONNECTIONS: usize = 1_000;
/// The head of a request at most, and how long it may take.
const HEAD_BYTES: usize = 32 << 10;
const HEAD_TIME: Duration = Duration::from_secs(10);
/// What a listener rests that the system gave no connection: there are none left, perhaps.
const PAUSE: Duration = Duration::from_millis(100);

/// Answers on `listener` until `shutdown` ends, and then what is being asked.
pub async fn serve(
    listener: TcpListener,
    api: Api,
    tls: Option<Arc<Tls>>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) {
    let (router, graceful) = (router(api), GracefulShutdown::new());
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let place = room.clone().acquire_owned().await.expect("nobody closes it");
        let (stream, peer) = tokio::select! {
            () = &mut shutdown => break,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be taken");
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            },
        };
        let (router, watcher) = (router.clone(), graceful.watcher());
        let tls = tls.as_ref().map(|tls| tls.config());
        tokio::spawn(async move {
            match tls {
                None => answer(stream, Peer { address: peer, is_encrypted: false }, router, watcher).await,
                Some(config) => {
                    let accepted = TlsAcceptor::from(config).accept(stream);
                    // Who does not finish the handshake, or cannot, hears nothing more.
                    if let Ok(Ok(stream)) = tokio::time::timeout(HEAD_TIME, accepted).await {
                        answer(stream, Peer { address: peer, is_encrypted: true }, router, watcher).await;
                    }
                }
            }
            drop(place);
        });
    }
    drop(listener);
    graceful.shutdown().await;
}

async fn answer<S>(
    stream: S,
    peer: Peer,
    router: axum::Router,
    watcher: hyper_util::server::graceful::Watcher,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = TowerToHyperService::new(router.layer(axum::Extension(peer)));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = watcher.watch(connection).await {
        // A client that goes away in the middle is nothing of ours.
        tracing::debug!(%error, "a connection ended early");
    }
}
