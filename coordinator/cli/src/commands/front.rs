//! How a coordinator answers: where, over what, and whom.

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::sync::Arc;

use gitfleet_coordinator::access::{Lockout, Pace};
use gitfleet_coordinator::api::{Door, Tls, Tokens};
use gitfleet_coordinator::store::access::Access;
use secrecy::ExposeSecret as _;
use tokio::net::TcpListener;

use crate::config::{Fleet, Held};
use crate::exit::{Exit, Refusal};

/// What is turned to whoever asks.
pub(super) struct Front {
    pub(super) door: Door,
    pub(super) tls: Option<Arc<Tls>>,
    /// As it was configured.
    address: String,
    /// Whether other machines can ask.
    is_open: bool,
}

impl Front {
    /// Settles how to answer, and refuses what would be found out too late.
    pub(super) fn of(fleet: &Fleet) -> anyhow::Result<Self> {
        let is_open = addresses(fleet)?.iter().any(|address| !address.ip().is_loopback());
        let door = Door {
            tokens: tokens(fleet)?,
            pace: Pace::per_minute(fleet.requests_per_minute),
            lockout: Lockout::default(),
            proxies: fleet.trusted_proxies.clone(),
        };
        Ok(Self { door, tls: tls(fleet)?, address: fleet.listen.clone(), is_open })
    }

    /// Refuses to be open to other machines without a token.
    pub(super) async fn check_closed(&self, access: &dyn Access) -> anyhow::Result<()> {
        if self.is_open && self.door.tokens.is_none() && !access.has_tokens().await? {
            return Err(Refusal::new(
                Exit::Configuration,
                format!("{} is open to other machines, and the API has no token", self.address),
            )
            .hint(
                "set fleet.token (GITFLEET_API_TOKEN_FILE); or listen on 127.0.0.1, where the first one can be made with \
                 `gitfleet token create`",
            )
            .into());
        }
        Ok(())
    }

    pub(super) async fn listen(&self) -> anyhow::Result<TcpListener> {
        TcpListener::bind(&self.address).await.map_err(|error| {
            Refusal::new(Exit::Unavailable, format!("cannot listen on {}: {error}", self.address))
                .hint("is another coordinator there? Give this one another --listen")
                .into()
        })
    }
}

/// Returns where to listen.
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
    let Some(Held { secret, file }) = &fleet.token else { return Ok(None) };
    let refused = |what: String| {
        Refusal::new(Exit::Configuration, what)
            .hint("write one a line into the file that GITFLEET_API_TOKEN_FILE names, or none at all")
    };
    let none = || refused("fleet.token is set, and holds no token".to_owned());
    let given = Tokens::new(secret.expose_secret()).ok_or_else(none)?;
    match file {
        Some(file) => Ok(Some(Tokens::in_file(file).map_err(|error| refused(error.to_string()))?)),
        None => Ok(Some(given)),
    }
}
