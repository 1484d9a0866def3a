//! A lens, made ready for use.

use std::collections::BTreeSet;

use gitfleet_shared::metrics::releases;
use gitfleet_shared::words::kind;
use gitfleet_shared::words::points::Points;
use gitfleet_shared::words::tickets::Tickets;

use crate::lens::{BadLens, Lens};

/// What is asked of every message and tag.
pub(crate) struct Reading {
    pub(super) kinds: kind::Rules,
    pub(super) conventional_types: BTreeSet<String>,
    pub(super) tickets: Tickets,
    pub(super) points: Points,
    pub(super) releases: releases::Rules,
    /// Whether the lens says which tickets there are.
    pub(super) names_ticket_systems: bool,
}

impl Reading {
    /// # Errors
    ///
    /// Where a pattern of the lens is none, with its place.
    pub(crate) fn of(lens: &Lens) -> Result<Self, BadLens> {
        Ok(Self {
            kinds: kind::Rules::compile(&lens.work)
                .map_err(|error| BadLens::at("work.categories", &error))?,
            conventional_types: lens.work.extra_types.keys().map(|word| word.to_lowercase()).collect(),
            tickets: Tickets::compile(&lens.tickets)
                .map_err(|error| BadLens::at("tickets.patterns", &error))?,
            points: Points::compile(&lens.story_points)
                .map_err(|error| BadLens::at("work.story_point_patterns", &error))?,
            releases: releases::Rules::new(lens.release_tags.as_deref())?,
            names_ticket_systems: lens.tickets != Default::default(),
        })
    }
}
