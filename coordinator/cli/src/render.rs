//! What people see on a terminal. stdout is data, stderr is talk; nothing else in the program writes to either.

pub(crate) mod data;
pub(crate) mod id;
pub(crate) mod log;
pub(crate) mod plan;
pub(crate) mod progress;
pub(crate) mod summary;
pub(crate) mod table;
pub(crate) mod talk;
pub(crate) mod watch;
pub(crate) mod wrap;
