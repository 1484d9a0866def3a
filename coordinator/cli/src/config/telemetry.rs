//! Where traces go, as the configuration says it.

use super::merge::Merge;
use super::problem::{Problem, ProblemKind, quote};
use crate::telemetry::Telemetry;

pub(super) fn settle(merge: &mut Merge<'_>) -> Telemetry {
    let mut telemetry = Telemetry { endpoint: None, sample_ratio: 1.0 };
    if let Some((endpoint, origin)) = merge.text("telemetry.otlp_endpoint") {
        let host = endpoint.strip_prefix("http://").or_else(|| endpoint.strip_prefix("https://"));
        match host {
            Some(host) if !host.is_empty() && !host.contains('@') => telemetry.endpoint = Some(endpoint),
            _ => {
                // It may hold a password, so it is not repeated.
                let wrong = "this is not the address of a collector, as http://127.0.0.1:4318";
                let key = "telemetry.otlp_endpoint";
                merge.problems.push(Problem::new(ProblemKind::Value, origin, key, wrong.to_owned()));
            }
        }
    }
    if let Some((text, origin)) = merge.text("telemetry.sample_ratio") {
        match text.trim().parse::<f64>() {
            Ok(ratio) if (0.0..=1.0).contains(&ratio) => telemetry.sample_ratio = ratio,
            _ => {
                let wrong = format!("{} is not a number from 0 to 1", quote(&text));
                merge.problems.push(Problem::new(
                    ProblemKind::Value,
                    origin,
                    "telemetry.sample_ratio",
                    wrong,
                ));
            }
        }
    }
    telemetry
}
