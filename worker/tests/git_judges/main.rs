//! Git itself is the judge: repositories are made by git, and what the worker says of them is compared with what git
//! says. One program, so that everything is linked once.

#![expect(clippy::unwrap_used, reason = "a fixture that cannot be made fails the test that asked for it")]

mod attributes;
mod blame;
mod conservation;
mod contents;
mod damage;
mod fixture;
mod generated;
mod history;
mod hostile;
mod hunks;
mod judge;
mod kinds;
mod mirror;
mod own_history;
mod packs;
mod paths;
mod people;
mod places;
mod reach;
mod real;
mod renames;
mod survey;
