//! Numbers as mergeable partials: each is a sum over commits that may be taken in any split and any order.
//!
//! Laws, held by property tests: merging is associative and commutative, the default is its identity, and observing
//! commits in parts and merging equals observing them at once. Whoever observes hands in each commit once: dropping
//! the duplicates of at-least-once delivery is the store's work, keyed by commit id.

pub mod age;
pub mod brief;
pub mod burndown;
pub mod catalog;
pub mod churn;
pub mod contributors;
pub mod coupling;
pub mod definition;
pub mod deployments;
pub mod durations;
pub mod entropy;
pub mod hotspots;
pub mod hours;
pub mod knowledge;
pub mod language;
pub mod lineage;
pub mod ownership;
pub mod people;
pub mod quality;
pub mod releases;
pub mod requests;
pub mod rework;
pub mod share;
pub mod sums;
pub mod tally;
pub mod truck_factor;
pub mod weeks;

use chrono::NaiveDate;

use self::brief::Brief;
use crate::window::{Week, Window};

/// Version of the definitions behind the numbers; part of every report.
pub const METHOD_VERSION: u32 = 2;

/// A state that can be summed up in parts.
pub trait Partial: Default {
    /// Adds what `other` has seen. The two have seen different commits.
    fn merge(&mut self, other: Self);
}

/// A person, as the caller numbers people after the mailmap.
pub type PersonId = u32;

/// A file of one repository, by number.
pub type FileId = u32;

/// One commit as the metrics see it: its brief, who wrote it, and where it falls in the window.
#[derive(Debug, Clone, Copy)]
pub struct Observation<'a> {
    pub commit: &'a Brief,
    pub author: PersonId,
    /// Whether the author is no person: the commit counts, and nobody did it.
    pub is_bot: bool,
    /// Day of the author time in the report's zone; `None` where no calendar holds it.
    pub day: Option<NaiveDate>,
}

impl<'a> Observation<'a> {
    /// Returns the commit as seen through `window`, or `None` where it is outside.
    pub fn in_window(commit: &'a Brief, author: PersonId, window: &Window) -> Option<Self> {
        let seconds = commit.authored;
        window.contains(seconds).then(|| Self {
            commit,
            author,
            is_bot: false,
            day: seconds.and_then(|seconds| window.day_of(seconds)),
        })
    }

    #[must_use]
    pub fn by_bot(self, is_bot: bool) -> Self {
        Self { is_bot, ..self }
    }

    pub fn week(&self) -> Option<Week> {
        self.day.map(Week::of)
    }
}
