//! Traces: spans of this process, sent to a collector over OTLP (http/protobuf), where one is configured.

use anyhow::Context as _;
use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{Protocol, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider};

/// Where traces go, and how many of them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Telemetry {
    /// The collector, as `http://host:4318`; `None` sends nothing and measures nothing.
    pub(crate) endpoint: Option<String>,
    /// Of the traces that begin here, the share that is sent: from 0 to 1. One that began elsewhere is sent where it
    /// was said to be there.
    pub(crate) sample_ratio: f64,
}

/// What sends spans, until [`end`](Self::end).
#[derive(Debug, Clone)]
pub(crate) struct Traces(SdkTracerProvider);

impl Traces {
    /// Begins to send spans, if a collector is configured; as `service`.
    ///
    /// # Errors
    ///
    /// Where the address of the collector is none.
    pub(crate) fn begin(telemetry: &Telemetry, service: &str) -> anyhow::Result<Option<Self>> {
        let Some(endpoint) = &telemetry.endpoint else { return Ok(None) };
        let exporter = opentelemetry_otlp::SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
            .build()
            .context("traces cannot be sent")?;
        let resource = Resource::builder_empty()
            .with_attributes([
                KeyValue::new("service.namespace", "gitfleet"),
                KeyValue::new("service.name", service.to_owned()),
                KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
                KeyValue::new("service.instance.id", uuid::Uuid::new_v4().to_string()),
            ])
            .build();
        let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(telemetry.sample_ratio)));
        let provider = SdkTracerProvider::builder()
            .with_resource(resource)
            .with_sampler(sampler)
            .with_batch_exporter(exporter)
            .build();
        Ok(Some(Self(provider)))
    }

    pub(crate) fn tracer(&self) -> SdkTracer {
        self.0.tracer("gitfleet")
    }

    /// Sends what is still here, for a moment: a collector that is away holds nobody up.
    pub(crate) fn end(&self) {
        let _ = self.0.shutdown_with_timeout(ENDING);
    }
}

/// How long the last spans may take.
const ENDING: std::time::Duration = std::time::Duration::from_secs(2);
