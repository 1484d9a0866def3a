//! How facts are read: everything in a configuration that changes a report and no fact.
//!
//! A batch keeps its lens as it was when it was submitted; another lens over the same facts is another report, and
//! needs no analysis.

use gitfleet_shared::metrics::releases;
use gitfleet_shared::people::teams::Team;
use gitfleet_shared::people::{Mapping, Settings};
use gitfleet_shared::words::kind::RulesConfig;
use gitfleet_shared::words::tickets::TicketsConfig;
use serde::{Deserialize, Serialize};

use crate::aggregate::reading::Reading;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Lens {
    pub people: PeopleLens,
    pub teams: Vec<Team>,
    pub work: RulesConfig,
    pub tickets: TicketsConfig,
    /// Patterns of story points; empty for the usual ones.
    pub story_points: Vec<String>,
    /// Pattern of tags that are releases, with a group `version` and perhaps `component`; `None` for the usual one.
    pub release_tags: Option<String>,
    /// Patterns of paths (as in .gitignore) that are no source, beside those that linguist's rules leave out.
    pub exclude_paths: Vec<String>,
    /// Whether the working hours of teams are shown.
    pub working_hours: bool,
    pub names: Names,
}

/// Who is who, as a configuration has it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PeopleLens {
    /// The organisation's mailmap, as gitmailmap(5) has it.
    pub mailmap: String,
    pub mappings: Vec<Mapping>,
    pub settings: Settings,
}

/// Whether a report says who people are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Names {
    #[default]
    Shown,
    /// Stable pseudonyms, made with this key.
    Pseudonyms { key: [u8; 32] },
    /// No names, and no tables of people.
    Withheld,
}

impl Lens {
    /// # Errors
    ///
    /// Where a pattern is none.
    pub fn check(&self) -> Result<(), BadLens> {
        Reading::of(self).map(drop)
    }
}

impl Names {
    /// Returns pseudonyms that are made with `secret`: stable, and another secret makes others.
    pub fn pseudonyms(secret: &str) -> Self {
        Self::Pseudonyms { key: *blake3::hash(secret.as_bytes()).as_bytes() }
    }
}

/// What makes a lens unusable: the place in the configuration, and why.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {reason}")]
pub struct BadLens {
    pub place: String,
    pub reason: String,
}

impl BadLens {
    pub(crate) fn at(place: &str, reason: &dyn std::fmt::Display) -> Self {
        Self { place: place.to_owned(), reason: reason.to_string() }
    }
}

impl From<releases::RulesError> for BadLens {
    fn from(error: releases::RulesError) -> Self {
        Self::at("releases.tag_pattern", &error)
    }
}
