//! Logins that everybody knows: taken on a machine where nobody else is, and only where that was said.

use secrecy::ExposeSecret as _;

use crate::config::{Fleet, Held};
use crate::exit::{Exit, Refusal};

/// Refuses a broker, a cache or a database that anybody can log in to.
pub(super) fn check(fleet: &Fleet) -> anyhow::Result<()> {
    if fleet.dev {
        return Ok(());
    }
    let of = |url: &Option<Held>, is_known: fn(&str, &str) -> bool| {
        url.as_ref().is_some_and(|url| {
            let (user, password) = login(url.secret.expose_secret());
            is_known(user, password)
        })
    };
    let found = [
        (
            "broker_url",
            "guest, which every RabbitMQ has",
            of(&fleet.broker_url, |user, password| password == "guest" && user == "guest" || user.is_empty()),
        ),
        (
            "cache_url",
            "nobody, who needs no password",
            of(&fleet.cache_url, |_, password| password.is_empty()),
        ),
        (
            "database_url",
            "a password that is the user's name",
            of(&fleet.database_url, |user, password| !password.is_empty() && password == user),
        ),
    ];
    match found.into_iter().find(|(.., found)| *found) {
        None => Ok(()),
        Some((key, who, _)) => Err(Refusal::new(
            Exit::Configuration,
            format!("fleet.{key} logs in as {who}"),
        )
        .hint("make a login of its own and write it there; on a machine where nobody else is, --dev (GITFLEET_DEV) takes this one")
        .into()),
    }
}

/// Returns user and password of an address, as far as they are in it.
fn login(url: &str) -> (&str, &str) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let login = authority.rsplit_once('@').map_or("", |(login, _)| login);
    login.split_once(':').unwrap_or((login, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_read_off_an_address() {
        assert_eq!(login("amqp://guest:guest@host:5672/%2f"), ("guest", "guest"));
        assert_eq!(login("redis://:hush@host/0"), ("", "hush"));
        assert_eq!(login("redis://host:6379/0?x=a:b@c"), ("", ""));
        assert_eq!(login("postgres://ann@host/db"), ("ann", ""));
        assert_eq!(login("postgres://ann:a@b@host/db"), ("ann", "a@b"));
    }
}
