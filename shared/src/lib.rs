//! The language both sides of gitfleet speak: ids, facts, versioned messages, mergeable metrics, and the ports for
//! queue and cache with their adapters.
//!
//! Nothing in here knows git or SQL, reads the environment, prints, or asks the clock.

pub mod cache;
pub mod codec;
pub mod contract;
pub mod facts;
#[cfg(feature = "faults")]
pub mod faults;
pub mod graph;
pub mod ids;
pub mod lines;
pub mod mailmap;
pub mod meter;
pub mod metrics;
pub mod network;
pub mod object_id;
pub mod paths;
pub mod people;
pub mod queue;
pub mod reread;
pub mod secret;
pub mod slices;
pub mod sources;
pub mod trace;
pub mod window;
pub mod words;

/// A place at which a process can be told to die.
#[cfg(feature = "faults")]
#[macro_export]
macro_rules! point {
    ($place:expr) => {
        $crate::faults::pass($place)
    };
    ($place:expr, $when:expr) => {
        if $when {
            $crate::faults::pass($place)
        }
    };
}

/// A place at which a process can be told to die, in builds that can be told.
#[cfg(not(feature = "faults"))]
#[macro_export]
macro_rules! point {
    ($place:expr) => {};
    ($place:expr, $when:expr) => {};
}

/// Whether the process was told to break a promise.
#[cfg(feature = "faults")]
#[macro_export]
macro_rules! sabotaged {
    ($promise:expr) => {
        $crate::faults::breaks($promise)
    };
}

/// Whether the process was told to break a promise, in builds that can be told.
#[cfg(not(feature = "faults"))]
#[macro_export]
macro_rules! sabotaged {
    ($promise:expr) => {
        false
    };
}
