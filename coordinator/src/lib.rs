//! Batches, plans and sums. Knows the store; knows no git.
//!
//! The way of a batch: [`submit`] writes it down, [`dispatch`] rings for its jobs, [`collect`] records what workers
//! say and asks [`plan`] what follows, [`rescue`] rings again, [`aggregate`] sums up, [`report`] renders. [`batch`]
//! is the loop around them.

pub mod aggregate;
pub mod batch;
pub mod collect;
pub mod dispatch;
pub mod manifest;
pub mod plan;
pub mod report;
pub mod rescue;
pub mod store;
pub mod submit;
