//! `gitfleet doctor`: asks everything a fleet needs, from here, and says how to mend it.

use std::path::Path;
use std::time::Duration;

use gitfleet_coordinator::store::ledger::Ledger as _;
use gitfleet_coordinator::store::migrations::{Fit, check as fit};
use gitfleet_coordinator::view::{DependencyView, StatusView};
use gitfleet_shared::cache::Cache as _;
use gitfleet_shared::cache::redis::Redis;
use gitfleet_shared::queue::Queue as _;
use gitfleet_shared::queue::Topic;
use gitfleet_shared::queue::rabbitmq::{ConnectError, RabbitMq};

use super::Surroundings;
use super::ask::of;
use crate::args::Doctor;
use crate::config::{Fleet, Loaded, Overrides};
use crate::exit::{Exit, Refusal};
use crate::render::wrap::wrap;
use crate::render::{data, talk};
use crate::wiring::{DEFAULT_LOGIN_HINT, broker_config, cache_config, connect_store};

/// What a worker should have on its disk at least.
const LEAST_FREE_BYTES: u64 = 2 << 30;
/// How far two clocks may be apart before leases and times mislead.
const MOST_SKEW: Duration = Duration::from_secs(5);

pub(super) fn run(args: Doctor) -> anyhow::Result<Exit> {
    let surroundings = Surroundings::read()?;
    let overrides = Overrides {
        server: args.ask.server.clone(),
        data_dir: args.data_dir.clone(),
        ..Overrides::default()
    };
    let loaded = surroundings.configuration(args.ask.config.as_deref(), overrides, true)?;
    let mut found = vec![disk(&surroundings.data_dir(&loaded)?), timeouts(&loaded.settings.fleet)];
    found.push(coordinator(&loaded));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    found.extend(runtime.block_on(servers(&loaded.settings.fleet)));
    runtime.shutdown_background();
    let well = found.iter().all(|one| one.ok);
    if args.ask.json {
        data::print(&format!("{}\n", serde_json::to_string_pretty(&found)?))?;
    } else {
        data::print(&text(&found))?;
    }
    Ok(if well { Exit::Done } else { Exit::Differs })
}

pub(super) fn text(found: &[DependencyView]) -> String {
    let mut text = String::new();
    for one in found {
        let mark = if one.ok { "ok  " } else { "BAD " };
        text.push_str(&wrap(&format!("{mark} {:<12} ", one.name), &one.detail));
        if let Some(hint) = &one.hint {
            text.push_str(&wrap(&format!("     {:<12} hint: ", ""), hint));
        }
    }
    talk::harmless(&text)
}

pub(super) fn good(name: &str, detail: impl Into<String>) -> DependencyView {
    DependencyView { name: name.to_owned(), ok: true, detail: detail.into(), hint: None }
}

pub(super) fn bad(name: &str, detail: impl Into<String>, hint: &str) -> DependencyView {
    DependencyView { name: name.to_owned(), ok: false, detail: detail.into(), hint: Some(hint.to_owned()) }
}

fn disk(data_dir: &Path) -> DependencyView {
    // The nearest folder that is there says where it would be.
    let there = data_dir.ancestors().find(|path| path.exists()).unwrap_or(Path::new("/"));
    match rustix::fs::statvfs(there) {
        Err(error) => {
            bad("disk", format!("{}: {error}", there.display()), "name another folder with --data-dir")
        }
        Ok(found) => {
            let free = found.f_bavail * found.f_frsize;
            let detail = format!("{} MiB free for {}", free >> 20, data_dir.display());
            if free < LEAST_FREE_BYTES {
                bad("disk", detail, "mirrors need room: free some, or name another folder with --data-dir")
            } else {
                good("disk", detail)
            }
        }
    }
}

fn timeouts(fleet: &Fleet) -> DependencyView {
    let longest = (fleet.job_time + fleet.grace).as_secs();
    let half = fleet.consumer_timeout.as_secs() / 2;
    let detail =
        format!("a job and its grace period take {longest} s at most, half the consumer timeout is {half} s");
    if longest < half {
        good("timeouts", detail)
    } else {
        bad("timeouts", detail, "make fleet.job_seconds smaller, or the broker's consumer_timeout larger")
    }
}

fn coordinator(loaded: &Loaded) -> DependencyView {
    let asked = of(loaded).and_then(|client| client.get::<StatusView>("/status", &[]));
    match asked {
        Err(error) => bad("coordinator", error.to_string(), "start one with `gitfleet coordinator`"),
        Ok(status) if status.version != env!("CARGO_PKG_VERSION") => bad(
            "coordinator",
            format!("it is version {}, and this is {}", status.version, env!("CARGO_PKG_VERSION")),
            "let all parts of a fleet be of one version once an update is through",
        ),
        Ok(status) => match status.leader {
            None => bad(
                "coordinator",
                "it answers, and nobody leads",
                "look at its log: what does not answer it?",
            ),
            Some(leader) if status.workers == 0 => bad(
                "coordinator",
                format!("{leader} leads, and there is no worker"),
                "start some with `gitfleet worker`",
            ),
            Some(leader) => good("coordinator", format!("{leader} leads {} workers", status.workers)),
        },
    }
}

async fn servers(fleet: &Fleet) -> Vec<DependencyView> {
    let mut found = store(fleet).await;
    found.push(broker(fleet).await);
    found.push(cache(fleet).await);
    found
}

async fn store(fleet: &Fleet) -> Vec<DependencyView> {
    let store = match connect_store(fleet).await {
        Ok(store) => store,
        Err(error) => {
            let known = error.downcast_ref::<Refusal>().and_then(|refusal| refusal.hint.as_deref());
            let hint =
                known.unwrap_or("is PostgreSQL up, and is fleet.database_url (GITFLEET_DATABASE_URL) right?");
            return vec![bad("store", format!("{error:#}"), hint)];
        }
    };
    let mut found = vec![match store.describe().await {
        Ok(version) => good("store", version),
        Err(error) => bad("store", error.to_string(), "may this user read in this database?"),
    }];
    let steps = match store.schema().await {
        Ok(mut schema) => schema.status().await,
        Err(error) => Err(error),
    };
    found.push(match steps.map(|steps| fit(&steps)) {
        Ok(Fit::UpToDate) => good("schema", "it is up to date"),
        Ok(Fit::Ahead) => good("schema", "it is newer than this program, which can still work with it"),
        Ok(Fit::Behind) => {
            bad("schema", "it is older than this program", "bring it up to date: gitfleet migrate up")
        }
        Ok(Fit::Differs) => {
            bad("schema", "a step of it is not the one this program knows", "gitfleet migrate status")
        }
        Err(error) => bad("schema", error.to_string(), "may this user read in this schema?"),
    });
    let here = chrono::Utc::now().timestamp_millis();
    found.push(match store.clock().await {
        Err(error) => bad("clock", error.to_string(), "is PostgreSQL well?"),
        Ok(there) => {
            let apart = here.abs_diff(there);
            let detail = format!("this machine and the store are {apart} ms apart");
            if u128::from(apart) > MOST_SKEW.as_millis() {
                bad("clock", detail, "let both keep time by NTP: leases and times depend on it")
            } else {
                good("clock", detail)
            }
        }
    });
    store.close().await;
    found
}

async fn broker(fleet: &Fleet) -> DependencyView {
    let hint = "is RabbitMQ up, and is fleet.broker_url (GITFLEET_BROKER_URL) right?";
    let config = match broker_config(fleet, "gitfleet-doctor") {
        Ok(config) => config,
        Err(error) => return bad("broker", error.to_string(), hint),
    };
    let default_login = match RabbitMq::has_default_login(&config) {
        Ok(default_login) => default_login,
        Err(error @ ConnectError::DefaultLogin { .. }) => {
            return bad("broker", causes(error), DEFAULT_LOGIN_HINT);
        }
        Err(error) => return bad("broker", causes(error), hint),
    };
    let version = match RabbitMq::greeting(&config).await {
        Ok(greeting) => format!("{} {}", greeting.product, greeting.version),
        Err(error) => return bad("broker", causes(error), hint),
    };
    // Permissions and topology: what is declared is what every process of the fleet declares.
    let queue = match RabbitMq::connect(config).await {
        Ok(queue) => queue,
        Err(error) => {
            return bad(
                "broker",
                format!("{version}: {}", causes(error)),
                "mend what is named; nothing was changed",
            );
        }
    };
    let waiting = queue.depth(Topic::Jobs).await;
    queue.close();
    match waiting {
        Ok(waiting) if default_login => DependencyView {
            hint: Some(DEFAULT_LOGIN_HINT.to_owned()),
            ..good(
                "broker",
                format!("{version}, {waiting} jobs wait; warning: anybody here can log in as guest"),
            )
        },
        Ok(waiting) => good("broker", format!("{version}, {waiting} jobs wait")),
        Err(error) => bad("broker", format!("{version}: {}", causes(error)), hint),
    }
}

async fn cache(fleet: &Fleet) -> DependencyView {
    let hint =
        "is Redis up, and is fleet.cache_url (GITFLEET_CACHE_URL) right? Without it work is only slower";
    match cache_config(fleet) {
        Err(error) => bad("cache", error.to_string(), hint),
        Ok(None) => good("cache", "none is configured: workers share no facts"),
        Ok(Some(config)) => match Redis::connect(config) {
            Err(error) => bad("cache", error.to_string(), hint),
            Ok(redis) => match redis.stats().await {
                Ok(stats) => good("cache", format!("{}, {} entries of ours", stats.backend, stats.entries)),
                Err(error) => bad("cache", error, hint),
            },
        },
    }
}

/// Returns an error with its causes in one line.
fn causes(error: impl std::error::Error + Send + Sync + 'static) -> String {
    format!("{:#}", anyhow::Error::new(error))
}
