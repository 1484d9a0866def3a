//! The language both sides of gitfleet speak: ids, facts, versioned messages, mergeable metrics, and the ports for
//! queue and cache with their adapters.
//!
//! Nothing in here knows git or SQL, reads the environment, prints, or asks the clock.

pub mod cache;
pub mod codec;
pub mod contract;
pub mod facts;
pub mod ids;
pub mod mailmap;
pub mod metrics;
pub mod object_id;
pub mod queue;
pub mod slices;
pub mod window;
