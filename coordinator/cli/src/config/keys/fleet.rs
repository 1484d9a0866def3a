//! `fleet`: the servers that coordinators and workers share, and how they treat them.

use super::{Key, Kind, Reach};

pub(super) const KEY: Key =
    Key::mixed("fleet", KEYS, "The fleet: coordinators, workers and the servers they share");

const KEYS: &[Key] = &[
    Key::acted(
        "server",
        Kind::Text,
        Reach::default("http://127.0.0.1:7171").variable("GITFLEET_SERVER").flag("--server"),
        "Where the operator's commands find a coordinator",
    ),
    Key::acted(
        "token",
        Kind::Secret,
        Reach::default("none").variable("GITFLEET_API_TOKEN"),
        "What the coordinator's API wants to be shown; needed where it listens to more than this machine. Of several, one a \
         line or between commas, a coordinator takes each, and a command shows the first",
    ),
    Key::acted(
        "listen",
        Kind::Text,
        Reach::default("127.0.0.1:7171").variable("GITFLEET_LISTEN").flag("--listen"),
        "Address and port on which the coordinator answers",
    ),
    Key::acted(
        "metrics_listen",
        Kind::Text,
        Reach::default("none").variable("GITFLEET_METRICS_LISTEN").flag("--metrics-listen"),
        "Address and port on which coordinator and worker tell metrics and answer probes",
    ),
    Key::acted(
        "metrics_token",
        Kind::Secret,
        Reach::default("none").variable("GITFLEET_METRICS_TOKEN"),
        "What /metrics wants to be shown; needed where it listens to more than this machine",
    ),
    Key::acted(
        "tls_cert_file",
        Kind::Path,
        Reach::default("none").variable("GITFLEET_TLS_CERT_FILE"),
        "Certificate with its chain (PEM) that the coordinator answers with; read again when it changes",
    ),
    Key::acted(
        "tls_key_file",
        Kind::Path,
        Reach::default("none").variable("GITFLEET_TLS_KEY_FILE"),
        "Private key of that certificate (PEM)",
    ),
    Key::acted(
        "trusted_proxies",
        Kind::Text,
        Reach::default("none").variable("GITFLEET_TRUSTED_PROXIES"),
        "Addresses and networks, as 10.0.0.0/8, of proxies that say truly where a request comes from (X-Forwarded-For)",
    ),
    Key::acted(
        "requests_per_minute",
        Kind::Integer(1, 60_000),
        Reach::default("6000").variable("GITFLEET_REQUESTS_PER_MINUTE"),
        "How often each token, and each address, may ask all coordinators together",
    ),
    Key::acted(
        "dev",
        Kind::Switch,
        Reach::default("false").variable("GITFLEET_DEV").flag("--dev"),
        "Whether what is only for a machine where nobody else is is allowed: logins that everybody knows, metrics without a token",
    ),
    Key::acted(
        "database_url",
        Kind::Secret,
        Reach::default("none").variable("GITFLEET_DATABASE_URL"),
        "PostgreSQL, as postgres://user:password@host:port/database",
    ),
    Key::acted(
        "database_schema",
        Kind::Text,
        Reach::default("public").variable("GITFLEET_DATABASE_SCHEMA"),
        "The schema of the database that holds the store",
    ),
    Key::acted(
        "broker_url",
        Kind::Secret,
        Reach::default("none").variable("GITFLEET_BROKER_URL"),
        "RabbitMQ, as amqps://user:password@host:port/vhost",
    ),
    Key::acted(
        "cache_url",
        Kind::Secret,
        Reach::default("none").variable("GITFLEET_CACHE_URL"),
        "Redis, as rediss://user:password@host:port/0; without it workers share no cache",
    ),
    Key::acted(
        "prefix",
        Kind::Text,
        Reach::default("gitfleet").variable("GITFLEET_PREFIX"),
        "What the names of queues and cache keys begin with; fleets that share servers have different ones",
    ),
    Key::acted(
        "ca_file",
        Kind::Path,
        Reach::default("none").variable("GITFLEET_CA_FILE"),
        "Certificates (PEM) to trust beside the system's, for broker, cache, coordinator, the API of GitHub and https sources",
    ),
    Key::acted(
        "cache_ttl_seconds",
        Kind::Integer(60, 1 << 32),
        Reach::default("2592000").variable("GITFLEET_CACHE_TTL_SECONDS"),
        "How long the cache keeps what nobody wrote again",
    ),
    Key::acted(
        "consumer_timeout_seconds",
        Kind::Integer(120, 1 << 32),
        Reach::default("1800").variable("GITFLEET_CONSUMER_TIMEOUT_SECONDS"),
        "After how long the broker takes back a message that is not acknowledged, as it is configured there",
    ),
    Key::acted(
        "job_seconds",
        Kind::Integer(10, 1 << 32),
        Reach::default("840").variable("GITFLEET_JOB_SECONDS"),
        "How long a job may take; with the grace period less than half of the broker's consumer timeout",
    ),
    Key::acted(
        "grace_seconds",
        Kind::Integer(0, 3600),
        Reach::default("25").variable("GITFLEET_GRACE_SECONDS"),
        "How long jobs in hand may go on when a worker is told to end; then they are handed back",
    ),
    Key::acted(
        "lease_seconds",
        Kind::Integer(2, 3600),
        Reach::default("60").variable("GITFLEET_LEASE_SECONDS"),
        "After how long a job that is not heard of is sent again",
    ),
    Key::acted(
        "batch_days",
        Kind::Integer(1, 100_000),
        Reach::default("400").variable("GITFLEET_BATCH_DAYS"),
        "How many days a batch and its report are kept after its end; what is published and facts stay longer",
    ),
    Key::acted(
        "mirror_mib",
        Kind::Integer(1, 1 << 30),
        Reach::default("no limit").variable("GITFLEET_MIRROR_MIB"),
        "MiB that a worker's mirrors of repositories may take before those unused for longest go",
    ),
    Key::acted(
        "target_drain_seconds",
        Kind::Integer(1, 1 << 32),
        Reach::default("900").variable("GITFLEET_TARGET_DRAIN_SECONDS"),
        "In how many seconds the backlog is to be worked off; autoscaling asks for that many workers",
    ),
    Key::acted(
        "min_workers",
        Kind::Integer(0, 1 << 20),
        Reach::default("0").variable("GITFLEET_MIN_WORKERS"),
        "Workers that autoscaling asks for at least",
    ),
    Key::acted(
        "max_workers",
        Kind::Integer(1, 1 << 20),
        Reach::default("64").variable("GITFLEET_MAX_WORKERS"),
        "Workers that autoscaling asks for at most",
    ),
];
