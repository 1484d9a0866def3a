//! The settings of a run, after every voice has been heard. Values only: what they mean is decided by the parts that
//! receive them.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chrono_tz::Tz;
use gitfleet_coordinator::api::Proxies;
use gitfleet_coordinator::lead::Kept;
use gitfleet_coordinator::lens::Lens;
use gitfleet_coordinator::scale::Limits;
use secrecy::{ExposeSecret as _, SecretString};

use super::format::Format;
use super::github::{self, Credential, GitHub};
use super::keys;
use super::lens;
use super::logging;
use super::merge::{Held, Merge};
use super::origin::Origin;
use super::problem::{Problem, ProblemKind};
use super::repository::{Branches, Context, RepositorySetting, repositories};
use super::sources::{self, NamedCredential, Sources};
use super::telemetry;
use crate::render::log::Logging;
use crate::telemetry::Telemetry;

const SLICE_COMMITS: u64 = 1000;
const MAX_BLOB_BYTES: u64 = 100 << 20;
const MEMORY_MIB: u64 = 768;

#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) repositories: Vec<RepositorySetting>,
    /// How many complete weeks the report covers; `None` is all history.
    pub(crate) weeks: Option<u32>,
    pub(crate) time_zone: Tz,
    pub(crate) include_current: bool,
    pub(crate) slice_commits: u32,
    /// Units of work done at the same time; `None` is one per core.
    pub(crate) jobs: Option<usize>,
    pub(crate) max_blob_bytes: u64,
    pub(crate) line_history: bool,
    pub(crate) memory_bytes: u64,
    pub(crate) data_dir: Option<PathBuf>,
    pub(crate) output: Option<PathBuf>,
    /// Never empty, no format twice.
    pub(crate) formats: Vec<Format>,
    pub(crate) credentials: Vec<Credential>,
    pub(crate) sources: Sources,
    pub(crate) named_credentials: Vec<NamedCredential>,
    /// How reports read facts.
    pub(crate) lens: Arc<Lens>,
    /// By which those are known who were erased.
    pub(crate) erasure_key: Option<SecretString>,
    pub(crate) github: GitHub,
    pub(crate) logging: Logging,
    pub(crate) telemetry: Telemetry,
    pub(crate) fleet: Fleet,
}

/// The servers of a fleet, and how they are treated.
#[derive(Debug, Clone)]
pub(crate) struct Fleet {
    pub(crate) server: String,
    pub(crate) token: Option<Held>,
    pub(crate) listen: String,
    pub(crate) tls_cert_file: Option<PathBuf>,
    pub(crate) tls_key_file: Option<PathBuf>,
    pub(crate) trusted_proxies: Proxies,
    pub(crate) requests_per_minute: u32,
    pub(crate) dev: bool,
    pub(crate) database_url: Option<Held>,
    pub(crate) database_schema: String,
    pub(crate) broker_url: Option<Held>,
    pub(crate) cache_url: Option<Held>,
    pub(crate) prefix: String,
    /// Of the cache; it need not be that of a fleet.
    pub(crate) cache_keys_file: Option<PathBuf>,
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) cache_ttl: Duration,
    pub(crate) consumer_timeout: Duration,
    pub(crate) job_time: Duration,
    pub(crate) grace: Duration,
    pub(crate) lease: Duration,
    pub(crate) kept: Kept,
    pub(crate) mirror_bytes: Option<u64>,
    pub(crate) metrics_listen: Option<String>,
    pub(crate) metrics_token: Option<Held>,
    pub(crate) scaling: Limits,
}

/// Asks for every setting in the order in which `config show` lists them.
pub(super) fn settle(merge: &mut Merge<'_>) -> Settings {
    merge.text("version");
    let weeks = merge.integer("analysis.weeks").map(narrow);
    let time_zone = merge.zone("analysis.time_zone").unwrap_or(Tz::UTC);
    let include_current = merge.switch("analysis.include_current_week").is_some_and(|(on, _)| on);
    let (branches, branches_origin) = branches(merge);
    let slice_commits = narrow(merge.integer("analysis.batch_size").unwrap_or(SLICE_COMMITS));
    let jobs = merge.integer("analysis.jobs").map(narrow);
    let memory_bytes = merge.integer("analysis.memory_mib").unwrap_or(MEMORY_MIB) << 20;
    let max_blob_bytes = merge.integer("analysis.max_blob_bytes").unwrap_or(MAX_BLOB_BYTES);
    let line_history = merge.switch("analysis.line_history").is_none_or(|(on, _)| on);
    let data_dir = merge.path("cache.directory");
    let cache_keys_file = merge.path("cache.encryption_keys_file");
    let output = merge.path("output.directory");
    let formats = formats(merge.many("output.formats"));
    let (api_url, host) = host(merge);
    let owner = merge.text("github.owner").map(|(owner, _)| owner);
    let token = merge.held("github.token");
    let mut github = github::settle(merge, api_url, host.clone(), token.as_ref());
    // Who has tokens for listing alone clones with the first of them.
    let token = token
        .filter(|held| !held.secret.expose_secret().is_empty())
        .or_else(|| github.tokens.first().cloned());
    let credentials = token.map(|token| Credential { host: host.clone(), token }).into_iter().collect();
    let (lens, erasure_key) = lens::settle(merge);
    let logging = logging::settle(merge);
    let telemetry = telemetry::settle(merge);
    let kept = kept(merge);
    let sources = sources::settle(merge);
    let named_credentials = sources::credentials(merge);
    let fleet = fleet(merge, kept, cache_keys_file);
    let context = Context { host, owner, branches, branches_origin };
    let (repositories, typed) = repositories(merge, &context);
    if typed {
        // What was named in the place of the whole list is all that is meant.
        github.selector = None;
    }
    if let Some(selector) = &mut github.selector {
        match &context.branches {
            Branches::Default => {}
            Branches::Named(branch) => selector.branch = Some(branch.clone()),
            Branches::All => selector.all_branches = true,
        }
    }
    Settings {
        repositories,
        weeks,
        time_zone,
        include_current,
        slice_commits,
        jobs,
        max_blob_bytes,
        line_history,
        memory_bytes,
        data_dir,
        output,
        formats,
        credentials,
        sources,
        named_credentials,
        lens,
        erasure_key,
        github,
        logging,
        telemetry,
        fleet,
    }
}

fn fleet(merge: &mut Merge<'_>, kept: Kept, cache_keys_file: Option<PathBuf>) -> Fleet {
    let mut text =
        |path, default: &str| merge.text(path).map_or_else(|| default.to_owned(), |(text, _)| text);
    let server = text("fleet.server", "http://127.0.0.1:7171");
    let listen = text("fleet.listen", "127.0.0.1:7171");
    let (tls_cert_file, tls_key_file) = (merge.path("fleet.tls_cert_file"), merge.path("fleet.tls_key_file"));
    let trusted_proxies = proxies(merge);
    let requests_per_minute = narrow(merge.integer("fleet.requests_per_minute").unwrap_or(6_000));
    let dev = merge.switch("fleet.dev").is_some_and(|(on, _)| on);
    let mut text =
        |path, default: &str| merge.text(path).map_or_else(|| default.to_owned(), |(text, _)| text);
    let database_schema = text("fleet.database_schema", "public");
    let prefix = text("fleet.prefix", "gitfleet");
    let mut seconds = |path, default| Duration::from_secs(merge.integer(path).unwrap_or(default));
    let cache_ttl = seconds("fleet.cache_ttl_seconds", 30 * 24 * 60 * 60);
    let consumer_timeout = seconds("fleet.consumer_timeout_seconds", 1_800);
    let job_time = seconds("fleet.job_seconds", 840);
    let grace = seconds("fleet.grace_seconds", 25);
    let lease = seconds("fleet.lease_seconds", 60);
    let kept = Kept { batches: days(merge, "fleet.batch_days", kept.batches), ..kept };
    Fleet {
        server,
        token: merge.held("fleet.token"),
        listen,
        tls_cert_file,
        tls_key_file,
        trusted_proxies,
        requests_per_minute,
        dev,
        database_url: merge.held("fleet.database_url"),
        database_schema,
        broker_url: merge.held("fleet.broker_url"),
        cache_url: merge.held("fleet.cache_url"),
        prefix,
        cache_keys_file,
        ca_file: merge.path("fleet.ca_file"),
        cache_ttl,
        consumer_timeout,
        job_time,
        grace,
        lease,
        kept,
        mirror_bytes: merge.integer("fleet.mirror_mib").map(|mib| mib << 20),
        metrics_listen: merge.text("fleet.metrics_listen").map(|(address, _)| address),
        metrics_token: merge.held("fleet.metrics_token"),
        scaling: scaling(merge),
    }
}

fn days(merge: &mut Merge<'_>, path: &str, default: Duration) -> Duration {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    merge.integer(path).map_or(default, |days| DAY * narrow::<u32>(days))
}

fn kept(merge: &mut Merge<'_>) -> Kept {
    let default = Kept::default();
    Kept {
        attempts: days(merge, "retention.attempt_days", default.attempts),
        dead_letters: days(merge, "retention.dead_letter_days", default.dead_letters),
        workers: days(merge, "retention.worker_days", default.workers),
        tokens: days(merge, "retention.token_days", default.tokens),
        audit: days(merge, "retention.audit_days", default.audit),
        ..default
    }
}

fn scaling(merge: &mut Merge<'_>) -> Limits {
    let mut number = |path, default| merge.integer(path).unwrap_or(default);
    let default = Limits::default();
    Limits {
        target_drain_seconds: number("fleet.target_drain_seconds", default.target_drain_seconds),
        min_workers: number("fleet.min_workers", default.min_workers),
        max_workers: number("fleet.max_workers", default.max_workers),
    }
}

fn proxies(merge: &mut Merge<'_>) -> Proxies {
    let Some((text, origin)) = merge.text("fleet.trusted_proxies") else { return Proxies::default() };
    Proxies::read(&text).unwrap_or_else(|wrong| {
        let wrong = format!("{wrong} is neither an address nor a network");
        let problem = Problem::new(ProblemKind::Value, origin, "fleet.trusted_proxies", wrong);
        merge.problems.push(problem.hint("write them as 127.0.0.1, 10.0.0.0/8"));
        Proxies::default()
    })
}

fn narrow<N: TryFrom<u64>>(number: u64) -> N {
    N::try_from(number).ok().expect("the table bounds every number below what its setting holds")
}

/// Returns the branches to look at where a repository says nothing, and who said so if the file's repositories have
/// no say: who types `--all-branches` means all of all.
fn branches(merge: &mut Merge<'_>) -> (Branches, Option<Origin>) {
    let all = merge.switch("analysis.all_branches");
    if let Some(branch) = merge.overrides.branch.clone() {
        return (Branches::Named(branch), keys::acted("repositories[].branch").1.flag.map(Origin::Flag));
    }
    match all {
        Some((true, Origin::File { .. })) => (Branches::All, None),
        Some((true, origin)) => (Branches::All, Some(origin)),
        Some((false, _)) | None => (Branches::Default, None),
    }
}

fn formats(words: Option<Vec<String>>) -> Vec<Format> {
    let mut formats = Vec::new();
    for format in words.iter().flatten().filter_map(|word| Format::named(word)) {
        if !formats.contains(&format) {
            formats.push(format);
        }
    }
    if formats.is_empty() { Format::DEFAULTS.to_vec() } else { formats }
}

/// Returns the address of the API, and the host that repositories are cloned from.
fn host(merge: &mut Merge<'_>) -> (String, String) {
    let public = || ("https://api.github.com".to_owned(), "github.com".to_owned());
    let Some((api_url, origin)) = merge.text("github.api_url") else { return public() };
    match github::host(&api_url) {
        Ok(host) => (api_url, host),
        Err(wrong) => {
            let problem = Problem::new(ProblemKind::Value, origin, "github.api_url", wrong);
            merge.problems.push(problem.hint("write the whole address, as https://ghe.example.com/api/v3"));
            public()
        }
    }
}
