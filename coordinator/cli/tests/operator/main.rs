//! The operator's commands, asked of the real binary as an operator would: against a fleet of real processes on real
//! servers of its own, started once for all of these tests.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod access;
mod backups;
mod dead;
mod fleet;
#[expect(dead_code, reason = "what it was asked is looked at in the tests of one binary")]
#[path = "../github/mod.rs"]
mod github;
#[path = "../history/mod.rs"]
mod history;
mod looking;
mod observing;
mod person;
mod refusals;
mod reports;
mod scheduling;
#[path = "../schema/mod.rs"]
mod schema;
mod secrets;
mod sources;
mod steering;
mod submitting;
mod tracing;
mod web;
