//! Batches, plans and sums. Knows the store; knows no git.
//!
//! The way of a batch: [`submit`] writes it down, [`dispatch`] rings for its jobs, [`collect`] records what workers
//! say and asks [`plan`] what follows, [`rescue`] rings again, [`aggregate`] sums up, [`report`] renders, [`conclude`]
//! publishes. [`batch`] is the loop around them for one batch in one process, [`lead`] that of the coordinator who
//! leads a fleet.

pub mod access;
pub mod aggregate;
pub mod api;
pub mod batch;
pub mod collect;
pub mod conclude;
pub mod dispatch;
pub mod explain;
pub mod gauges;
pub mod github;
pub mod lead;
pub mod lens;
pub mod manifest;
pub mod meters;
pub mod person;
pub mod plan;
mod redact;
pub mod report;
pub mod rescue;
pub mod scale;
pub mod schedule;
pub mod store;
pub mod submit;
pub mod terms;
pub mod view;
pub mod vital;
