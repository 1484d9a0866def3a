//! What people see on a terminal. stdout is data, stderr is talk; nothing else in the program writes to either.

pub(crate) mod data;
pub(crate) mod log;
pub(crate) mod plan;
pub(crate) mod progress;
pub(crate) mod summary;
pub(crate) mod talk;
