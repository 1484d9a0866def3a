//! Metrics: what is counted, told by definitions, and the handles that count. No globals: whoever counts is given its
//! handles, and whoever answers a scrape has the meter they are registered with.
//!
//! Definitions are data, so that the document of all metrics is read off them. What a label may say is fixed, or it is
//! said where its values come from and how many there can be: a label that anybody from outside can fill makes a
//! monitoring system fall over.

use prometheus::core::Collector;
pub use prometheus::{
    Counter, Gauge, GaugeVec, Histogram, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec,
};
use prometheus::{Encoder as _, HistogramOpts, Opts, Registry, TextEncoder};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Counter,
    Gauge,
    Histogram,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// One metric.
#[derive(Debug, Clone, Copy)]
pub struct Definition {
    pub name: &'static str,
    pub kind: Kind,
    /// At most one label has open values, and it is the only one then.
    pub labels: &'static [Label],
    /// A sentence without a full stop.
    pub about: &'static str,
}

#[derive(Debug, Clone, Copy)]
pub struct Label {
    pub name: &'static str,
    pub values: Values,
}

#[derive(Debug, Clone, Copy)]
pub enum Values {
    /// These and no others; each is there from the start, so that the first event is an increase.
    Fixed(&'static [&'static str]),
    /// In words: where they come from, and how many there can be.
    Open(&'static str),
}

impl Definition {
    pub const fn counter(name: &'static str, labels: &'static [Label], about: &'static str) -> Self {
        Self { name, kind: Kind::Counter, labels, about }
    }

    pub const fn gauge(name: &'static str, labels: &'static [Label], about: &'static str) -> Self {
        Self { name, kind: Kind::Gauge, labels, about }
    }

    pub const fn histogram(name: &'static str, labels: &'static [Label], about: &'static str) -> Self {
        Self { name, kind: Kind::Histogram, labels, about }
    }

    fn opts(&self) -> Opts {
        Opts::new(self.name, self.about)
    }

    fn label_names(&self) -> Vec<&'static str> {
        self.labels.iter().map(|label| label.name).collect()
    }

    /// Returns every combination of fixed label values; none where a label is open.
    fn combinations(&self) -> Vec<Vec<&'static str>> {
        let mut all: Vec<Vec<&'static str>> = vec![Vec::new()];
        for label in self.labels {
            let Values::Fixed(values) = label.values else { return Vec::new() };
            all = all
                .iter()
                .flat_map(|before| values.iter().map(|value| [before.as_slice(), &[*value]].concat()))
                .collect();
        }
        all
    }
}

impl Label {
    pub const fn fixed(name: &'static str, values: &'static [&'static str]) -> Self {
        Self { name, values: Values::Fixed(values) }
    }

    pub const fn open(name: &'static str, values: &'static str) -> Self {
        Self { name, values: Values::Open(values) }
    }
}

/// What every role tells of itself.
pub const BUILD_INFO: Definition = Definition::gauge(
    "gitfleet_build_info",
    &[Label::open("version", "the version of this program alone")],
    "1; the version is the label",
);
pub const DEPENDENCY_UP: Definition = Definition::gauge(
    "gitfleet_dependency_up",
    &[Label::open("dependency", "store, broker and cache; of a worker, broker and cache")],
    "1 where it answers, else 0",
);
pub const BROKER_BLOCKED: Definition = Definition::counter(
    "gitfleet_broker_blocked_seconds_total",
    &[],
    "For how long the broker took no messages of this process, because it was short of memory or disk",
);

/// Where the handles of one process are registered. Cheap to clone; all clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Meter {
    registry: Registry,
}

const WELL_FORMED: &str = "names and labels of the definitions are well formed";
const ONCE: &str = "a definition is registered once with a meter";

impl Meter {
    pub fn counter(&self, of: &Definition) -> IntCounter {
        self.add(IntCounter::with_opts(of.opts()).expect(WELL_FORMED))
    }

    /// Returns a counter of seconds.
    pub fn seconds(&self, of: &Definition) -> Counter {
        self.add(Counter::with_opts(of.opts()).expect(WELL_FORMED))
    }

    pub fn counters(&self, of: &Definition) -> IntCounterVec {
        let counters = self.add(IntCounterVec::new(of.opts(), &of.label_names()).expect(WELL_FORMED));
        for values in of.combinations() {
            counters.with_label_values(&values);
        }
        counters
    }

    pub fn gauge(&self, of: &Definition) -> Gauge {
        self.add(Gauge::with_opts(of.opts()).expect(WELL_FORMED))
    }

    pub fn gauges(&self, of: &Definition) -> GaugeVec {
        let gauges = self.add(GaugeVec::new(of.opts(), &of.label_names()).expect(WELL_FORMED));
        for values in of.combinations() {
            gauges.with_label_values(&values);
        }
        gauges
    }

    pub fn histogram(&self, of: &Definition, buckets: &[f64]) -> Histogram {
        let opts = HistogramOpts::new(of.name, of.about).buckets(buckets.to_vec());
        self.add(Histogram::with_opts(opts).expect(WELL_FORMED))
    }

    pub fn histograms(&self, of: &Definition, buckets: &[f64]) -> HistogramVec {
        let opts = HistogramOpts::new(of.name, of.about).buckets(buckets.to_vec());
        let histograms = self.add(HistogramVec::new(opts, &of.label_names()).expect(WELL_FORMED));
        for values in of.combinations() {
            histograms.with_label_values(&values);
        }
        histograms
    }

    fn add<C: Collector + Clone + 'static>(&self, collector: C) -> C {
        self.registry.register(Box::new(collector.clone())).expect(ONCE);
        collector
    }

    /// Returns everything in the text format of Prometheus.
    pub fn text(&self) -> String {
        let mut text = Vec::new();
        let encoded = TextEncoder::new().encode(&self.registry.gather(), &mut text);
        encoded.expect("a vector takes every byte, and no family is without a name");
        String::from_utf8(text).expect("names, helps and label values are text")
    }
}

/// The media type of [`Meter::text`].
pub const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Lets a counter that mirrors one kept elsewhere catch up with it. One that was set back stays where it is.
pub fn catch_up(counter: &Counter, now: f64) {
    let behind = now - counter.get();
    if behind > 0.0 {
        counter.inc_by(behind);
    }
}

/// Buckets in seconds for what takes a moment: a request, a statement, a look into the cache.
pub const MOMENTS: &[f64] =
    &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
/// Buckets in seconds for what takes its time: a job, a batch.
pub const STRETCHES: &[f64] = &[
    0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 14400.0,
    43200.0,
];

#[cfg(test)]
mod tests {
    use super::*;

    const SIDES: Label = Label::fixed("side", &["left", "right"]);
    const WAYS: Label = Label::fixed("way", &["in", "out"]);

    #[test]
    fn what_can_be_counted_is_there_before_anything_is() {
        let meter = Meter::default();
        let doors = meter.counters(&Definition::counter("doors_total", &[SIDES, WAYS], "Doors"));
        const NAME: Label = Label::open("name", "few");
        let names = meter.gauges(&Definition::gauge("names", &[NAME], "Names"));
        doors.with_label_values(&["left", "out"]).inc();
        let text = meter.text();
        for line in [
            "# HELP doors_total Doors",
            "# TYPE doors_total counter",
            "doors_total{side=\"left\",way=\"out\"} 1",
            "doors_total{side=\"right\",way=\"in\"} 0",
        ] {
            assert!(text.lines().any(|one| one == line), "{line} in\n{text}");
        }
        assert!(!text.contains("names"), "{text}");
        names.with_label_values(&["a\"b\nc\\"]).set(2.0);
        assert!(meter.text().contains("names{name=\"a\\\"b\\nc\\\\\"} 2"), "{}", meter.text());
    }

    #[test]
    fn a_mirrored_counter_never_falls() {
        let seconds = Meter::default().seconds(&Definition::counter("seconds_total", &[], "Seconds"));
        for (now, expect) in [(1.5, 1.5), (1.0, 1.5), (4.0, 4.0)] {
            catch_up(&seconds, now);
            assert_eq!(seconds.get(), expect);
        }
    }
}
