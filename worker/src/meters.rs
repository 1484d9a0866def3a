//! What a worker counts.

use gitfleet_shared::contract::FailureClass;
use gitfleet_shared::meter::{
    Definition, Gauge, HistogramVec, IntCounter, IntCounterVec, Label, MOMENTS, Meter, STRETCHES,
};

const KIND: Label = Label::fixed("kind", &["survey", "slice", "tip"]);

const JOB_SECONDS: Definition = Definition::histogram(
    "gitfleet_job_seconds",
    &[KIND],
    "How long jobs took that came to an outcome, from being taken to having one",
);
const ERRORS: Definition = Definition::counter(
    "gitfleet_errors_total",
    &[Label::fixed("class", &FailureClass::NAMES)],
    "Jobs that failed here, by the class of the failure; one that is tried again counts each time",
);
const CACHE_SECONDS: Definition = Definition::histogram(
    "gitfleet_cache_seconds",
    &[Label::fixed("operation", &["get", "put"])],
    "How long the cache took to be asked for, or to be given, a block of commits",
);
const CACHE_HITS: Definition =
    Definition::counter("gitfleet_cache_hits_total", &[], "Values that were in the cache, and whole");
const CACHE_MISSES: Definition = Definition::counter(
    "gitfleet_cache_misses_total",
    &[],
    "Values that had to be computed, for whatever reason the cache had none",
);
const SLOTS: Definition =
    Definition::gauge("gitfleet_slots", &[], "Jobs that this worker does at the same time at most");
const SLOTS_BUSY: Definition =
    Definition::gauge("gitfleet_slots_busy", &[], "Jobs that this worker has in hand");

/// All of them.
pub const ALL: &[Definition] =
    &[JOB_SECONDS, ERRORS, CACHE_SECONDS, CACHE_HITS, CACHE_MISSES, SLOTS, SLOTS_BUSY];

/// The handles.
#[derive(Debug, Clone)]
pub struct Meters {
    pub(crate) job_seconds: HistogramVec,
    pub(crate) errors: IntCounterVec,
    pub(crate) cache_seconds: HistogramVec,
    pub(crate) cache_hits: IntCounter,
    pub(crate) cache_misses: IntCounter,
    pub(crate) slots: Gauge,
    slots_busy: Gauge,
}

impl Meters {
    pub fn new(meter: &Meter) -> Self {
        Self {
            job_seconds: meter.histograms(&JOB_SECONDS, STRETCHES),
            errors: meter.counters(&ERRORS),
            cache_seconds: meter.histograms(&CACHE_SECONDS, MOMENTS),
            cache_hits: meter.counter(&CACHE_HITS),
            cache_misses: meter.counter(&CACHE_MISSES),
            slots: meter.gauge(&SLOTS),
            slots_busy: meter.gauge(&SLOTS_BUSY),
        }
    }

    /// Returns the handles for a worker whose process is a coordinator, too: failures are counted there, by repository.
    pub fn beside_a_coordinator(meter: &Meter) -> Self {
        Self {
            job_seconds: meter.histograms(&JOB_SECONDS, STRETCHES),
            errors: Meter::default().counters(&ERRORS),
            cache_seconds: meter.histograms(&CACHE_SECONDS, MOMENTS),
            cache_hits: meter.counter(&CACHE_HITS),
            cache_misses: meter.counter(&CACHE_MISSES),
            slots: meter.gauge(&SLOTS),
            slots_busy: meter.gauge(&SLOTS_BUSY),
        }
    }

    /// Counts a slot as busy until what is returned is dropped.
    pub(crate) fn busy(&self) -> Busy {
        self.slots_busy.inc();
        Busy(self.slots_busy.clone())
    }
}

impl Default for Meters {
    /// Returns handles that nobody will ask.
    fn default() -> Self {
        Self::new(&Meter::default())
    }
}

pub(crate) struct Busy(Gauge);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.dec();
    }
}
