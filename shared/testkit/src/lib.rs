//! Real servers for tests, each private to the test process that started it: ports, folders and processes are its
//! own, and all are gone when it ends, however it ends.
//!
//! Where `DATABASE_URL`, `REDIS_URL` or `AMQP_URL` is set, `shared()` means that server, and what a test does there
//! goes under a name of its own. Nothing in here is ever part of a binary.

#![expect(
    clippy::disallowed_methods,
    reason = "which servers tests use is told by the environment, and this package is for tests alone"
)]

pub mod certificate;
pub mod git;
pub mod port;
pub mod postgres;
pub mod program;
pub mod proxy;
pub mod rabbitmq;
pub mod redis;
pub mod server;
pub mod unique;

/// Returns the address in `variable`, if a server is named there.
fn given(variable: &str) -> Option<String> {
    std::env::var(variable).ok().filter(|url| !url.is_empty())
}
