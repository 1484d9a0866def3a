//! One job in, one outcome out. Knows git; knows no SQL.
//!
//! The way of a job: [`worker`] has slots; in one of them [`job`] takes it, [`mirror`] fetches the repository, [`survey`] pins its snapshot and walks it,
//! [`facts`] compares trees and contents, [`disposition`] decides what becomes of the message.

pub mod attributes;
mod blocks;
pub mod commit;
pub mod common;
pub mod compact;
mod composition;
pub mod contents;
pub mod cost;
pub mod credentials;
pub mod disposition;
pub mod door;
pub mod encoding;
pub mod facts;
pub mod gate;
pub mod greedy;
pub mod job;
pub mod lane;
pub mod lines;
pub mod listing;
mod measure;
pub mod meters;
pub mod mirror;
pub mod myers;
pub mod numstat;
pub mod objects;
pub mod pack;
mod pack_file;
mod pages;
pub mod pulse;
pub mod rename;
pub mod repository;
pub mod similarity;
pub mod survey;
pub mod tags;
pub mod tree;
pub mod walk;
pub mod wishes;
pub mod worker;
