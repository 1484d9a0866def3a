//! What the program promises at its door, asked of the real binary in folders of its own. git itself is the judge of
//! every number.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod analyze;
mod backup;
mod chapters;
mod config;
mod deployment;
mod discover;
mod facts;
mod failures;
mod forms;
#[path = "../github/mod.rs"]
mod github;
mod help;
#[path = "../history/mod.rs"]
mod history;
mod incremental;
mod judge;
mod keys;
mod logging;
mod people;
mod person;
mod repository;
mod room;
#[path = "../schema/mod.rs"]
mod schema;
mod signals;
mod sources;
mod untouched;
mod windows;
