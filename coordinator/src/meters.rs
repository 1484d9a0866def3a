//! What a coordinator counts, and what it tells of the store.

use gitfleet_shared::contract::FailureClass;
use gitfleet_shared::meter::{
    Definition, Gauge, GaugeVec, Histogram, HistogramVec, IntCounter, IntCounterVec, Label, MOMENTS, Meter,
    STRETCHES,
};

/// Of the topics of the queue, those on which messages wait.
pub(crate) const TOPICS: &[&str] = &["jobs", "outcomes", "heartbeats", "dead"];
const METHODS: &[&str] = &["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "other"];
const ROUTE: Label = Label::open(
    "route",
    "the routes of the API as they are declared, and `none` for what matches none of them",
);
const STATUS: Label = Label::open("status", "HTTP status codes");

const LEADER: Definition =
    Definition::gauge("gitfleet_leader", &[], "1 where this coordinator leads, else 0");
const REPOSITORIES: Definition = Definition::counter(
    "gitfleet_repositories_total",
    &[Label::fixed("outcome", &["analysed", "empty", "planned", "failed", "cancelled"])],
    "Repositories of batches that came to an end under this coordinator",
);
const JOBS: Definition = Definition::counter(
    "gitfleet_jobs_total",
    &[
        Label::fixed("kind", &["survey", "slice", "tip"]),
        Label::fixed("outcome", &["done", "failed", "dead"]),
    ],
    "Jobs that came to an end under this coordinator; dead ones were given up because workers were lost with them",
);
const BATCH_SECONDS: Definition = Definition::histogram(
    "gitfleet_batch_seconds",
    &[],
    "How long batches took from their submission to their publication",
);
const BATCHES_RUNNING: Definition =
    Definition::gauge("gitfleet_batches_running", &[], "Batches that have not come to their end");
const QUEUE_MESSAGES: Definition = Definition::gauge(
    "gitfleet_queue_messages",
    &[Label::fixed("topic", TOPICS)],
    "Messages that wait on the queue, those that somebody has in hand not counted",
);
const QUEUE_OLDEST: Definition = Definition::gauge(
    "gitfleet_queue_oldest_seconds",
    &[],
    "For how long the job waits that waits for longest, of batches that do not rest; 0 where none does",
);
const BACKLOG: Definition = Definition::gauge(
    "gitfleet_backlog_work_seconds",
    &[],
    "How long one worker slot would work for all that waits and runs, predicted from the last attempts",
);
const RUNNING_JOBS: Definition =
    Definition::gauge("gitfleet_running_jobs", &[], "Jobs that somebody has in hand");
const DESIRED_WORKERS: Definition = Definition::gauge(
    "gitfleet_desired_workers",
    &[],
    "How many workers there should be; never 0 while a job runs or a lease lives",
);
const WORKERS: Definition = Definition::gauge(
    "gitfleet_workers",
    &[Label::fixed("state", &["active", "draining", "gone"])],
    "Workers by state; those that are gone are forgotten after a week",
);
const REPORT_TIMESTAMP: Definition = Definition::gauge(
    "gitfleet_report_timestamp_seconds",
    &[Label::open("name", "the 200 batch names that were published last")],
    "When the report of the name was published last, in seconds of Unix time",
);
const DEAD_LETTERS: Definition = Definition::gauge(
    "gitfleet_dead_letters",
    &[],
    "Messages that nobody could use and that wait for a look",
);
const DUPLICATES: Definition = Definition::counter(
    "gitfleet_duplicate_deliveries_total",
    &[],
    "Outcomes of jobs that had ended before; they change nothing",
);
const LEASE_EXPIRIES: Definition = Definition::counter(
    "gitfleet_lease_expiries_total",
    &[],
    "Jobs that were sent again because nobody was heard of them",
);
const JOBS_LOST: Definition =
    Definition::counter("gitfleet_jobs_lost_total", &[], "Times that a worker was lost with a job in hand");
const STORE_SECONDS: Definition = Definition::histogram(
    "gitfleet_store_seconds",
    &[Label::open("operation", "the methods of the store port, about 60")],
    "How long the store took to be asked or told something, tries after collisions included",
);
const ERRORS: Definition = Definition::counter(
    "gitfleet_errors_total",
    &[Label::fixed("class", &FailureClass::NAMES)],
    "Repositories that failed under this coordinator, by the class of the failure",
);
const HTTP_REQUESTS: Definition = Definition::counter(
    "gitfleet_http_requests_total",
    &[ROUTE, Label::fixed("method", METHODS), STATUS],
    "Requests to the API that were answered",
);
const HTTP_SECONDS: Definition =
    Definition::histogram("gitfleet_http_seconds", &[ROUTE], "How long answers of the API took");
const STORE_BYTES: Definition =
    Definition::gauge("gitfleet_store_bytes", &[], "What the store takes on the disk of its database");

const TOKEN: Label = Label::open("token", "the tokens that are configured, each by a hash");
const GITHUB_REQUESTS: Definition = Definition::counter(
    "gitfleet_github_requests_total",
    &[STATUS],
    "Requests to GitHub's API that were answered",
);
const GITHUB_REMAINING: Definition = Definition::gauge(
    "gitfleet_github_budget_remaining",
    &[TOKEN],
    "Requests that a token may still make before its budget is set anew, as GitHub said last",
);
const GITHUB_LIMIT: Definition =
    Definition::gauge("gitfleet_github_budget_limit", &[TOKEN], "Requests that a token may make in all");
const GITHUB_RESET: Definition = Definition::gauge(
    "gitfleet_github_budget_reset_timestamp_seconds",
    &[TOKEN],
    "When the budget of a token is set anew, in seconds of Unix time",
);

/// All of them.
pub const ALL: &[Definition] = &[
    LEADER,
    REPOSITORIES,
    JOBS,
    BATCH_SECONDS,
    BATCHES_RUNNING,
    QUEUE_MESSAGES,
    QUEUE_OLDEST,
    BACKLOG,
    RUNNING_JOBS,
    DESIRED_WORKERS,
    WORKERS,
    REPORT_TIMESTAMP,
    DEAD_LETTERS,
    DUPLICATES,
    LEASE_EXPIRIES,
    JOBS_LOST,
    STORE_SECONDS,
    ERRORS,
    HTTP_REQUESTS,
    HTTP_SECONDS,
    STORE_BYTES,
    GITHUB_REQUESTS,
    GITHUB_REMAINING,
    GITHUB_LIMIT,
    GITHUB_RESET,
];

/// The handles. Cheap to clone; all clones count together.
#[derive(Debug, Clone)]
pub struct Meters {
    pub(crate) leader: Gauge,
    pub(crate) repositories: IntCounterVec,
    pub(crate) jobs: IntCounterVec,
    pub(crate) batch_seconds: Histogram,
    pub(crate) batches_running: Gauge,
    pub(crate) queue_messages: GaugeVec,
    pub(crate) queue_oldest: Gauge,
    pub(crate) backlog: Gauge,
    pub(crate) running_jobs: Gauge,
    pub(crate) desired_workers: Gauge,
    pub(crate) workers: GaugeVec,
    pub(crate) report_timestamp: GaugeVec,
    pub(crate) dead_letters: Gauge,
    pub(crate) duplicates: IntCounter,
    pub(crate) lease_expiries: IntCounter,
    pub(crate) jobs_lost: IntCounter,
    pub(crate) store_seconds: HistogramVec,
    pub(crate) errors: IntCounterVec,
    pub(crate) http_requests: IntCounterVec,
    pub(crate) http_seconds: HistogramVec,
    pub(crate) store_bytes: Gauge,
    pub(crate) github_requests: IntCounterVec,
    pub(crate) github_remaining: GaugeVec,
    pub(crate) github_limit: GaugeVec,
    pub(crate) github_reset: GaugeVec,
}

impl Meters {
    pub fn new(meter: &Meter) -> Self {
        Self {
            leader: meter.gauge(&LEADER),
            repositories: meter.counters(&REPOSITORIES),
            jobs: meter.counters(&JOBS),
            batch_seconds: meter.histogram(&BATCH_SECONDS, STRETCHES),
            batches_running: meter.gauge(&BATCHES_RUNNING),
            queue_messages: meter.gauges(&QUEUE_MESSAGES),
            queue_oldest: meter.gauge(&QUEUE_OLDEST),
            backlog: meter.gauge(&BACKLOG),
            running_jobs: meter.gauge(&RUNNING_JOBS),
            desired_workers: meter.gauge(&DESIRED_WORKERS),
            workers: meter.gauges(&WORKERS),
            report_timestamp: meter.gauges(&REPORT_TIMESTAMP),
            dead_letters: meter.gauge(&DEAD_LETTERS),
            duplicates: meter.counter(&DUPLICATES),
            lease_expiries: meter.counter(&LEASE_EXPIRIES),
            jobs_lost: meter.counter(&JOBS_LOST),
            store_seconds: meter.histograms(&STORE_SECONDS, MOMENTS),
            errors: meter.counters(&ERRORS),
            http_requests: meter.counters(&HTTP_REQUESTS),
            http_seconds: meter.histograms(&HTTP_SECONDS, MOMENTS),
            store_bytes: meter.gauge(&STORE_BYTES),
            github_requests: meter.counters(&GITHUB_REQUESTS),
            github_remaining: meter.gauges(&GITHUB_REMAINING),
            github_limit: meter.gauges(&GITHUB_LIMIT),
            github_reset: meter.gauges(&GITHUB_RESET),
        }
    }

    /// Returns the method as a label has it: clients may send any word.
    pub(crate) fn method(name: &str) -> &'static str {
        METHODS.iter().find(|known| **known == name).copied().unwrap_or("other")
    }

    /// Notes how long the store took for something.
    pub fn stored(&self, operation: &'static str, took: std::time::Duration) {
        self.store_seconds.with_label_values(&[operation]).observe(took.as_secs_f64());
    }
}

impl Default for Meters {
    /// Returns handles that nobody will ask.
    fn default() -> Self {
        Self::new(&Meter::default())
    }
}
