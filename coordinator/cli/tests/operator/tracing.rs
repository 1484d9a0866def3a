//! One trace from the command through API, store, queue, worker and cache, as a collector receives it.

use std::collections::{BTreeSet, HashMap};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use prost::Message as _;

use crate::fleet::{CANARIES, Fleet, METRICS_TOKEN, get_with, wait};

/// A span as it was received.
#[derive(Debug, Clone)]
struct Span {
    service: String,
    name: String,
    kind: SpanKind,
    trace: Vec<u8>,
    id: Vec<u8>,
    parent: Vec<u8>,
    attributes: HashMap<String, String>,
}

/// A collector that keeps what it is sent.
struct Collector {
    endpoint: String,
    bodies: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Collector {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let bodies: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
        let kept = bodies.clone();
        // It ends with the test's process.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let kept = kept.clone();
                std::thread::spawn(move || {
                    let received = receive(stream);
                    kept.lock().unwrap().push(received);
                });
            }
        });
        Self { endpoint, bodies }
    }

    /// Returns all that was sent, which holds no secret.
    #[track_caller]
    fn spans(&self) -> Vec<Span> {
        let bodies = self.bodies.lock().unwrap();
        for secret in CANARIES.into_iter().chain([METRICS_TOKEN, HUSHED]) {
            let found = |body: &Vec<u8>| body.windows(secret.len()).any(|bytes| bytes == secret.as_bytes());
            assert!(!bodies.iter().any(found), "{secret} is in a trace");
        }
        bodies.iter().flat_map(|body| decode(body)).collect()
    }
}

/// Part of addresses that nobody reaches.
const HUSHED: &str = "hushaddress";

/// Answers one request and returns what was sent.
fn receive(stream: TcpStream) -> Vec<u8> {
    let mut reader = BufReader::new(stream);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line.trim().is_empty() {
            break;
        }
        head.push(line.trim().to_ascii_lowercase());
    }
    assert!(head[0].starts_with("post /v1/traces "), "{head:?}");
    assert!(head.contains(&"content-type: application/x-protobuf".to_owned()), "{head:?}");
    let length = head.iter().find_map(|line| line.strip_prefix("content-length: ")).unwrap().parse().unwrap();
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let answer = "HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    reader.get_mut().write_all(answer.as_bytes()).unwrap();
    body
}

fn decode(body: &[u8]) -> Vec<Span> {
    let request = ExportTraceServiceRequest::decode(body).unwrap();
    let mut spans = Vec::new();
    for of_service in request.resource_spans {
        let resource = attributes(&of_service.resource.unwrap().attributes);
        for span in of_service.scope_spans.into_iter().flat_map(|scope| scope.spans) {
            spans.push(Span {
                service: resource["service.name"].clone(),
                kind: span.kind(),
                attributes: attributes(&span.attributes),
                name: span.name,
                trace: span.trace_id,
                id: span.span_id,
                parent: span.parent_span_id,
            });
        }
    }
    spans
}

fn attributes(of: &[opentelemetry_proto::tonic::common::v1::KeyValue]) -> HashMap<String, String> {
    let text = |value: Option<&Value>| match value {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    };
    of.iter()
        .map(|one| (one.key.clone(), text(one.value.as_ref().and_then(|value| value.value.as_ref()))))
        .collect()
}

/// The service, its span, and the span that it follows from.
const WAY: [(&str, &str, SpanKind, &[&str]); 9] = [
    ("gitfleet", "submit", SpanKind::Client, &[]),
    ("gitfleet-coordinator", "POST /api/v1/batches", SpanKind::Server, &["submit"]),
    ("gitfleet-coordinator", "store submit", SpanKind::Client, &["POST /api/v1/batches"]),
    ("gitfleet-coordinator", "send jobs", SpanKind::Producer, &["POST /api/v1/batches"]),
    ("gitfleet-worker", "process survey", SpanKind::Consumer, &["send jobs"]),
    ("gitfleet-worker", "process slice", SpanKind::Consumer, &["send jobs"]),
    ("gitfleet-worker", "cache get", SpanKind::Client, &["process slice"]),
    (
        "gitfleet-coordinator",
        "process outcomes",
        SpanKind::Consumer,
        &["process survey", "process slice", "process tip"],
    ),
    ("gitfleet-coordinator", "store record", SpanKind::Client, &["process outcomes"]),
];

#[test]
fn one_trace_leads_from_the_command_to_the_store() {
    let collector = Collector::start();
    let settings = [
        ("GITFLEET_OTLP_ENDPOINT", collector.endpoint.as_str()),
        ("GITFLEET_SOURCE_PRIVATE_ADDRESSES", "127.0.0.0/8"),
    ];
    let fleet = Fleet::start_with(1, &settings);
    let repository = fleet.repository("traced", 41);
    let batch = fleet.submit(&[&repository]);
    fleet.run(&["batch", "watch", &batch]).expect(0);
    let spans = wait("all spans", || {
        let spans = collector.spans();
        WAY.iter().all(|(_, name, ..)| spans.iter().any(|span| span.name == *name)).then_some(spans)
    });
    let traces: BTreeSet<&[u8]> = spans.iter().map(|span| span.trace.as_slice()).collect();
    assert_eq!(traces.len(), 1, "{spans:#?}");
    let by_id: HashMap<&[u8], &Span> = spans.iter().map(|span| (span.id.as_slice(), span)).collect();
    for (service, name, kind, parents) in WAY {
        for span in spans.iter().filter(|span| span.name == name) {
            assert_eq!((span.service.as_str(), span.kind), (service, kind), "{span:?}");
            // A parent may still be on its way to the collector; what is there is the right one.
            match by_id.get(span.parent.as_slice()) {
                Some(parent) => {
                    assert!(parents.contains(&parent.name.as_str()), "{span:?} follows {parent:?}");
                }
                None => assert!(!parents.is_empty() || span.parent.is_empty(), "{span:?}"),
            }
        }
        let found = spans.iter().filter(|span| span.name == name);
        let known = found.filter(|span| by_id.contains_key(span.parent.as_slice())).count();
        assert!(parents.is_empty() || known > 0, "{name} follows from nothing that is known");
    }
    let of = |name: &str| &spans.iter().find(|span| span.name == name).unwrap().attributes;
    assert_eq!(of("POST /api/v1/batches")["http.route"], "/api/v1/batches");
    assert_eq!(of("POST /api/v1/batches")["http.response.status_code"], "201");
    assert_eq!(of("process survey")["messaging.destination.name"], "jobs");
    assert_eq!(of("process survey")["messaging.operation.type"], "process");
    assert_eq!(of("process survey")["batch.id"], batch);
    assert_eq!(of("process slice")["vcs.repository.url.full"], repository);
    assert_eq!(of("store submit")["db.system.name"], "postgresql");
    // The log says which trace it was.
    let trace: String = spans[0].trace.iter().map(|byte| format!("{byte:02x}")).collect();
    let log = std::fs::read_to_string(fleet.workers[0].folder().join("log")).unwrap();
    let begun = log.lines().find(|line| line.contains("job begins")).unwrap();
    assert!(begun.contains(&format!("trace_id={trace}")), "{begun}");
    // What fails says why, and not with which words it was asked.
    let absent = format!("ssh://op@127.0.0.1:1/o/n?token={HUSHED}");
    let failing = fleet.submit(&[&absent, &fleet.text("absent")]);
    fleet.run(&["batch", "watch", &failing]).expect(8);
    wait("the spans of what failed", || {
        let spans = collector.spans();
        let of =
            |span: &&Span| span.attributes.get("batch.id") == Some(&failing) && span.name == "process survey";
        (spans.iter().filter(of).count() >= 2).then_some(())
    });
    // A client that says nothing of a trace begins none.
    let before = collector.spans().iter().filter(|span| span.name.starts_with("GET ")).count();
    get_with(&fleet.server, "/api/v1/status", Some(CANARIES[3])).unwrap();
    assert_eq!(before, 0);
}

#[test]
fn an_analysis_on_one_machine_is_one_trace() {
    let collector = Collector::start();
    let fleet = Fleet::start(0);
    let repository = fleet.repository("alone", 42);
    let (data, output) = (fleet.text("alone-data"), fleet.text("alone-report"));
    let mut command = fleet.command(&["analyze", &repository, "--data-dir", &data, "--output", &output]);
    let ended = command.env("GITFLEET_OTLP_ENDPOINT", &collector.endpoint).output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    // It sends what it has before it ends.
    let spans = collector.spans();
    let root = spans.iter().find(|span| span.name == "analyze").unwrap();
    assert!(root.parent.is_empty() && spans.iter().all(|span| span.trace == root.trace), "{spans:#?}");
    let ids: BTreeSet<&[u8]> = spans.iter().map(|span| span.id.as_slice()).collect();
    assert!(
        spans.iter().all(|span| span.parent.is_empty() || ids.contains(span.parent.as_slice())),
        "{spans:#?}"
    );
    for name in ["store submit", "process survey", "process slice", "cache get", "store record"] {
        assert!(spans.iter().any(|span| span.name == name), "no {name} in {spans:#?}");
    }
    assert!(spans.iter().all(|span| span.service == "gitfleet"));
}
