//! Reports: the data, and the forms it is rendered in.

mod activity;
mod caution;
pub mod csv;
pub mod difference;
pub(crate) mod escape;
pub mod facts;
mod finding;
pub mod html;
pub mod json;
pub mod markdown;
pub mod method;
pub mod model;
pub mod number;
pub mod parquet;
pub mod reference;
pub mod row;
#[cfg(test)]
mod sample;
mod shown;
mod subjects;
pub mod tables;
mod timeline;
mod verdict;
