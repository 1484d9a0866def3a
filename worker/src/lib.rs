//! One job in, one outcome out. Knows git; knows no SQL.
//!
//! The way of a job: [`job`] takes it, [`fetch`] brings the repository, [`survey`] pins its snapshot and walks it,
//! [`facts`] compares trees and contents, and an outcome leaves.

pub mod attributes;
pub mod commit;
pub mod door;
pub mod facts;
pub mod lines;
pub mod numstat;
pub mod objects;
pub mod rename;
pub mod repository;
pub mod similarity;
pub mod survey;
pub mod tree;
pub mod walk;
