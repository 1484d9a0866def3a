//! The document of all metrics, made of their definitions.

use std::collections::BTreeMap;

use gitfleet_coordinator::meters as coordinator;
use gitfleet_shared::meter::{BROKER_BLOCKED, BUILD_INFO, DEPENDENCY_UP, Definition, Values};
use gitfleet_worker::meters as worker;

use super::{CONFIG_WARNINGS, process, storage};

/// What every role tells.
const COMMON: &[Definition] = &[BUILD_INFO, DEPENDENCY_UP, BROKER_BLOCKED, CONFIG_WARNINGS];

const HEAD: &str = "\
# Metrics

Coordinators and workers tell these at `/metrics` of the address that `--metrics-listen` names, in the text format of \
Prometheus. `gitfleet help observability` prints this page; it is made of the code, and a test compares the two.

A gauge of the coordinator is the store's truth, so every coordinator tells the same: take the maximum. A counter is \
what happened in one process: take the rate of each, and then the sum. Every series whose labels are listed here is \
there from the start.

";

const TAIL: &str = "
## Probes and health

| address | listener | answer |
|---|---|---|
| `/livez` | API and metrics | 200 while the process answers |
| `/readyz` | API and metrics | 200 while it has what it needs (coordinator: store and queue; worker: queue), else 503 |
| `/health` | API, open to everybody | `status`, `version`, `database`, `cache`, `queue`; 503 where the store is down |
| `/api/v1/health` | API, with a token | each dependency with version, latency and class of error; schema, leader, workers, oldest job |
| `/api/v1/scaling` | API, with a token | how many workers there should be, and why |
";

/// Returns the text of `gitfleet help observability`.
pub(crate) fn reference() -> String {
    let mut text = HEAD.to_owned();
    for (role, sets) in [
        ("coordinator", [coordinator::ALL, COMMON, process::ALL, &[]]),
        ("worker", [worker::ALL, COMMON, process::ALL, storage::ALL]),
    ] {
        let all: BTreeMap<&str, &Definition> =
            sets.into_iter().flatten().map(|definition| (definition.name, definition)).collect();
        text.push_str(&format!("{}## Of a {role}\n\n", if role == "worker" { "\n" } else { "" }));
        text.push_str("| metric | kind | labels | what it says |\n|---|---|---|---|\n");
        for (name, definition) in all {
            let labels: Vec<String> =
                definition.labels.iter().map(|label| values(label.name, label.values)).collect();
            let (kind, labels) = (definition.kind.name(), labels.join("; "));
            text.push_str(&format!("| `{name}` | {kind} | {labels} | {} |\n", definition.about));
        }
    }
    text.push_str(TAIL);
    text
}

fn values(name: &str, values: Values) -> String {
    match values {
        Values::Fixed(values) => format!("`{name}`: {}", values.join(", ")),
        Values::Open(values) => format!("`{name}`: {values}"),
    }
}
