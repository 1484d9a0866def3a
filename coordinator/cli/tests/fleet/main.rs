//! A whole fleet, broken in every way it is to survive: real processes of the binary under test on real servers that
//! belong to this test alone. After each case the [`oracle`] looks at the store, the queues and the report.
//!
//! `GITFLEET_FAULTS=long` lets [`long`] break things at random for `GITFLEET_FAULT_SECONDS`, from
//! `GITFLEET_FAULT_SEED`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::disallowed_methods, reason = "how long and from which seed is told by the environment")]
#![expect(clippy::print_stderr, reason = "seeds, faults and times are what a run is read for")]

mod broker;
mod cache;
mod cancel;
mod crashes;
mod erasure;
mod fleet;
#[path = "../history/mod.rs"]
mod history;
mod leaders;
mod long;
mod messages;
mod oracle;
mod process;
mod random;
mod sabotage;
mod sample;
mod schedules;
mod servers;
mod sources;
mod store;
mod wires;
mod workers;
