//! The fleet as a monitoring system and an autoscaler see it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::fleet::{CANARIES, Ended, Fleet, METRICS_TOKEN, document, get, get_with, wait, working};
use crate::schema::assert_valid;

/// What everybody who watches a fleet relies on.
const OF_COORDINATORS: [&str; 29] = [
    "gitfleet_backlog_work_seconds",
    "gitfleet_batch_seconds",
    "gitfleet_batches_running",
    "gitfleet_broker_blocked_seconds_total",
    "gitfleet_build_info",
    "gitfleet_config_warnings",
    "gitfleet_dead_letters",
    "gitfleet_dependency_up",
    "gitfleet_desired_workers",
    "gitfleet_duplicate_deliveries_total",
    "gitfleet_errors_total",
    "gitfleet_http_requests_total",
    "gitfleet_http_seconds",
    "gitfleet_jobs_lost_total",
    "gitfleet_jobs_total",
    "gitfleet_leader",
    "gitfleet_lease_expiries_total",
    "gitfleet_queue_messages",
    "gitfleet_queue_oldest_seconds",
    "gitfleet_report_timestamp_seconds",
    "gitfleet_repositories_total",
    "gitfleet_running_jobs",
    "gitfleet_store_bytes",
    "gitfleet_store_seconds",
    "gitfleet_workers",
    "process_cpu_seconds_total",
    "process_open_fds",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
];
const OF_WORKERS: [&str; 17] = [
    "gitfleet_broker_blocked_seconds_total",
    "gitfleet_build_info",
    "gitfleet_cache_hits_total",
    "gitfleet_cache_misses_total",
    "gitfleet_cache_seconds",
    "gitfleet_config_warnings",
    "gitfleet_dependency_up",
    "gitfleet_errors_total",
    "gitfleet_job_seconds",
    "gitfleet_slots",
    "gitfleet_slots_busy",
    "gitfleet_storage_bytes",
    "gitfleet_storage_free_bytes",
    "process_cpu_seconds_total",
    "process_open_fds",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
];

/// One scrape: its text, the metrics in it, and each series with its value.
pub(crate) struct Scrape {
    text: String,
    names: BTreeSet<String>,
    series: BTreeMap<String, f64>,
}

impl Scrape {
    #[track_caller]
    pub(crate) fn of(server: &str) -> Self {
        let answer = get_with(server, "/metrics", Some(METRICS_TOKEN)).expect("metrics are told");
        let (head, text) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200 ") && head.contains("text/plain; version=0.0.4"), "{head}");
        let typed = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next());
        let told = text.lines().filter(|line| !line.starts_with('#')).map(|line| {
            let (series, value) = line.rsplit_once(' ').unwrap();
            (series.to_owned(), value.parse().unwrap())
        });
        for canary in CANARIES.into_iter().chain([METRICS_TOKEN]) {
            assert!(!text.contains(canary));
        }
        Self { names: typed.map(str::to_owned).collect(), series: told.collect(), text: text.to_owned() }
    }

    #[track_caller]
    pub(crate) fn value(&self, series: &str) -> f64 {
        *self.series.get(series).unwrap_or_else(|| panic!("no {series} in\n{}", self.text))
    }

    /// Sums up all series of a metric.
    fn sum(&self, metric: &str) -> f64 {
        let of = |series: &str| series == metric || series.starts_with(&format!("{metric}{{"));
        self.series.iter().filter(|(series, _)| of(series)).map(|(_, value)| value).sum()
    }
}

/// Returns the JSON in an answer, and its status.
fn json(answer: &str) -> (u16, Value) {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head[9..12].parse().unwrap(), serde_json::from_str(body).unwrap())
}

fn analysed(fleet: &Fleet, seed: u64, name: &str) {
    let repository = fleet.repository(&format!("seen-{seed}"), seed);
    let batch = fleet.submit(&[&repository, &fleet.text("not-there-either"), "--name", name]);
    fleet.run(&["batch", "watch", &batch]).expect(8);
}

/// Waits until the coordinator tells when the report was published.
fn published(fleet: &Fleet, name: &str) {
    let series = format!("gitfleet_report_timestamp_seconds{{name=\"{name}\"}}");
    wait("a publication", || Scrape::of(&fleet.metrics[0]).series.contains_key(&series).then_some(()));
}

#[test]
fn every_metric_that_is_agreed_is_told_and_no_other() {
    let fleet = working();
    analysed(fleet, 31, "scraped");
    // A look at the store is good for a moment.
    published(fleet, "scraped");
    let help = fleet.run(&["help", "observability"]).expect(0).stdout;
    let (coordinator, worker) = help.split_once("## Of a worker").unwrap();
    for (server, part, agreed) in
        [(&fleet.metrics[0], coordinator, &OF_COORDINATORS[..]), (&fleet.metrics[1], worker, &OF_WORKERS)]
    {
        let documented: BTreeSet<String> = part
            .lines()
            .filter_map(|line| Some(line.strip_prefix("| `")?.split_once('`')?.0.to_owned()))
            .collect();
        // What GitHub says of tokens is told once it was asked, which `scheduling.rs` does.
        let is_told = |name: &String| !name.starts_with('/') && !name.starts_with("gitfleet_github_");
        let documented: BTreeSet<String> = documented.into_iter().filter(is_told).collect();
        let told = Scrape::of(server);
        assert_eq!(told.names, documented);
        assert_eq!(told.names.iter().map(String::as_str).collect::<Vec<_>>(), agreed);
        check_with_promtool(&told.text);
    }
}

/// Prometheus' own tool, where it is there, finds nothing to complain about; `./test deploy` brings it.
fn check_with_promtool(text: &str) {
    let tool = std::env::var_os("GITFLEET_PROMTOOL").filter(|tool| !tool.is_empty());
    let is_brought = tool.is_some();
    let checking = Command::new(tool.unwrap_or_else(|| "promtool".into()))
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut checking) = checking else {
        assert!(!is_brought && std::env::var_os("CI").is_none(), "./test deploy brings promtool");
        return;
    };
    checking.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let checked = checking.wait_with_output().unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}

#[test]
fn counters_move_with_a_batch() {
    let fleet = working();
    let scrape = || fleet.metrics.iter().map(|server| Scrape::of(server)).collect::<Vec<_>>();
    let of_workers =
        |scrapes: &[Scrape], metric: &str| -> f64 { scrapes[1..].iter().map(|one| one.sum(metric)).sum() };
    let before = scrape();
    analysed(fleet, 32, "counted");
    published(fleet, "counted");
    let after = scrape();
    let (then, now) = (&before[0], &after[0]);
    let rose = |series: &str| now.value(series) - then.value(series);
    for series in [
        "gitfleet_repositories_total{outcome=\"analysed\"}",
        "gitfleet_repositories_total{outcome=\"failed\"}",
        "gitfleet_errors_total{class=\"not_found\"}",
        "gitfleet_jobs_total{kind=\"survey\",outcome=\"done\"}",
        "gitfleet_jobs_total{kind=\"survey\",outcome=\"failed\"}",
        "gitfleet_jobs_total{kind=\"slice\",outcome=\"done\"}",
        "gitfleet_jobs_total{kind=\"tip\",outcome=\"done\"}",
        "gitfleet_batch_seconds_count",
        "gitfleet_http_requests_total{method=\"POST\",route=\"/api/v1/batches\",status=\"201\"}",
        "gitfleet_store_seconds_count{operation=\"record\"}",
        "gitfleet_store_seconds_count{operation=\"submit\"}",
    ] {
        let rose = if then.series.contains_key(series) { rose(series) } else { now.value(series) };
        assert!(rose >= 1.0, "{series} rose by {rose}");
    }
    for (series, expect) in [
        ("gitfleet_leader", 1.0),
        ("gitfleet_dependency_up{dependency=\"store\"}", 1.0),
        ("gitfleet_dependency_up{dependency=\"broker\"}", 1.0),
        ("gitfleet_dependency_up{dependency=\"cache\"}", 1.0),
        ("gitfleet_build_info{version=\"0.1.0\"}", 1.0),
    ] {
        assert_eq!(now.value(series), expect, "{series}");
    }
    assert!(now.value("gitfleet_store_bytes") > 1e6);
    assert!(now.value("gitfleet_report_timestamp_seconds{name=\"counted\"}") > 1.6e9);
    for metric in
        ["gitfleet_job_seconds_count", "gitfleet_cache_misses_total", "gitfleet_cache_seconds_count"]
    {
        assert!(of_workers(&after, metric) > of_workers(&before, metric), "{metric}");
    }
    assert_eq!(after[1].value("gitfleet_slots"), 1.0);
    assert!(after[1].value("gitfleet_storage_free_bytes") <= after[1].value("gitfleet_storage_bytes"));
    // The same again comes from the store and needs no slice; what comes from nobody's path is no label.
    for path in ["/no-such-route", "/api/v1/no/such", "/api/v1/jobs/x%22%0a"] {
        get_with(&fleet.server, path, Some(CANARIES[3])).unwrap();
    }
    let text = Scrape::of(&fleet.metrics[0]).text;
    assert!(text.contains("route=\"none\"") && text.contains("route=\"/api/v1/jobs/{id}\""), "{text}");
    assert!(!text.contains("no-such-route") && !text.contains("x%22"), "{text}");
}

#[test]
fn metrics_want_their_token_and_probes_want_none() {
    let fleet = working();
    for server in &fleet.metrics {
        for token in [None, Some(""), Some("hushmetric"), Some("hushtoken")] {
            let refused = get_with(server, "/metrics", token).unwrap();
            assert!(refused.starts_with("HTTP/1.1 401 ") && !refused.contains("gitfleet_"), "{refused}");
        }
        for path in ["/livez", "/readyz"] {
            assert!(get(server, path).unwrap().starts_with("HTTP/1.1 200 "), "{path}");
        }
        assert!(get(server, "/api/v1/status").unwrap().starts_with("HTTP/1.1 404 "));
    }
    // The token of the one is not that of the other.
    assert!(get_with(&fleet.server, "/api/v1/status", Some(METRICS_TOKEN)).unwrap().contains(" 401 "));
}

#[test]
fn a_metrics_token_is_changed_without_a_gap() {
    let fleet = Fleet::start(0);
    let file = fleet.text("metrics-token");
    std::fs::write(&file, METRICS_TOKEN).unwrap();
    let metrics = format!("127.0.0.1:{}", gitfleet_testkit::port::free());
    let server = format!("http://{metrics}");
    let ready = {
        let server = server.clone();
        move || get(&server, "/livez").is_some_and(|answer| answer.contains(" 200 "))
    };
    let arguments = ["worker", "--metrics-listen", &metrics, "-j", "1"];
    let settings = [("GITFLEET_METRICS_TOKEN_FILE", file.as_str())];
    let _worker = fleet.process(&arguments, &settings, Box::new(ready));
    let lets_in = |token: &str| get_with(&server, "/metrics", Some(token)).unwrap().contains(" 200 OK");
    let check = |content: &str, expect: [bool; 2]| {
        std::fs::write(&file, content).unwrap();
        assert_eq!([METRICS_TOKEN, "hushnewmetrics"].map(lets_in), expect, "{content}");
    };
    check(METRICS_TOKEN, [true, false]);
    check(&format!("{METRICS_TOKEN}\nhushnewmetrics\n"), [true, true]);
    check("hushnewmetrics\n", [false, true]);
}

#[test]
fn nobody_tells_metrics_to_other_machines_without_a_token() {
    let fleet = working();
    for role in ["coordinator", "worker"] {
        let mut command = fleet.command(&[role, "--metrics-listen", "0.0.0.0:0"]);
        let ended = Ended::of(command.env_remove("GITFLEET_METRICS_TOKEN_FILE").output().unwrap());
        ended.expect(78).says(&["0.0.0.0:0 is open to other machines", "GITFLEET_METRICS_TOKEN_FILE"]);
        let mut command = fleet.command(&[role, "--metrics-listen", "nowhere"]);
        Ended::of(command.output().unwrap()).expect(78).says(&["fleet.metrics_listen"]);
        let mut command = fleet.command(&[role, "--metrics-listen", &fleet.metrics[0]["http://".len()..]]);
        Ended::of(command.output().unwrap()).expect(69).says(&["--metrics-listen"]);
    }
}

#[test]
fn health_is_a_word_for_everybody_and_detail_for_whoever_may_see_it() {
    let fleet = working();
    let (status, health) = json(&get(&fleet.server, "/health").unwrap());
    let expect = serde_json::json!({
        "status": "ok", "version": env!("CARGO_PKG_VERSION"), "database": "ok", "cache": "ok", "queue": "ok",
    });
    assert_eq!((status, health), (200, expect));
    assert!(get(&fleet.server, "/api/v1/health").unwrap().starts_with("HTTP/1.1 401 "));
    let detail = || json(&get_with(&fleet.server, "/api/v1/health", Some(CANARIES[3])).unwrap());
    let (status, health) =
        wait("a leader", || Some(detail()).filter(|(_, health)| health["leader"].is_string()));
    assert_eq!(status, 200);
    assert_valid(document(), &schema("DetailedHealth"), &health);
    assert_eq!(health["schema"], "up_to_date", "{health}");
    let versions: Vec<&str> = health["dependencies"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["version"].as_str().unwrap())
        .collect();
    let begins = ["PostgreSQL ", "RabbitMQ ", "Redis "];
    assert!(versions.iter().zip(begins).all(|(version, begin)| version.starts_with(begin)), "{versions:?}");
}

#[test]
fn an_autoscaler_is_told_what_the_metrics_say() {
    let fleet = working();
    let scaling =
        |fleet: &Fleet| json(&get_with(&fleet.server, "/api/v1/scaling", Some(CANARIES[3])).unwrap());
    let (status, both) =
        wait("two workers", || Some(scaling(fleet)).filter(|(_, told)| told["workers"] == 2));
    assert_eq!(status, 200);
    assert_valid(document(), &schema("Scaling"), &both);
    // A fleet without workers has work that waits, and wants some.
    let idle = crate::fleet::idle();
    let waiting = idle.repository("waits", 33);
    idle.submit(&[&waiting]);
    let scrape = wait("a wish for workers", || {
        Some(Scrape::of(&idle.metrics[0])).filter(|scrape| scrape.value("gitfleet_desired_workers") >= 1.0)
    });
    assert!(scrape.value("gitfleet_backlog_work_seconds") > 0.0);
    assert_eq!(scrape.value("gitfleet_running_jobs"), 0.0);
    let (_, scaling) = scaling(idle);
    assert!(scaling["desired_workers"].as_u64().unwrap() >= 1 && scaling["workers"] == 0, "{scaling}");
    let older = |before: f64| {
        let oldest = Scrape::of(&idle.metrics[0]).value("gitfleet_queue_oldest_seconds");
        (oldest > before).then_some(oldest)
    };
    let first = wait("something that waits", || older(0.0));
    wait("it waits for longer", || older(first));
}

fn schema(name: &str) -> Value {
    serde_json::json!({ "$ref": format!("#/components/schemas/{name}") })
}
