//! The groups that numbers are told for.

use std::collections::BTreeMap;

use gitfleet_shared::metrics::Partial;
use gitfleet_shared::metrics::age::{Ages, Lives};
use gitfleet_shared::metrics::burndown::Burndown;
use gitfleet_shared::metrics::deployments::Dora;
use gitfleet_shared::metrics::durations::Durations;
use gitfleet_shared::metrics::hours::Hours;
use gitfleet_shared::metrics::knowledge::Holdings;
use gitfleet_shared::metrics::tally::Group;

/// Everything, or one repository, project or team.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Subject {
    Organisation,
    Project(String),
    Team(String),
    Repository(String),
}

impl Subject {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Organisation => "organisation",
            Self::Project(_) => "project",
            Self::Team(_) => "team",
            Self::Repository(_) => "repository",
        }
    }

    pub(super) fn subject(&self) -> &str {
        match self {
            Self::Organisation => "",
            Self::Project(name) | Self::Team(name) | Self::Repository(name) => name,
        }
    }
}

/// What is summed for a scope.
#[derive(Default)]
pub(super) struct SubjectSums {
    pub(super) group: Group,
    pub(super) cycle: Durations,
    pub(super) dora: Dora,
    pub(super) hours: Hours,
    pub(super) lines: Option<LineSums>,
    /// Source files that the truck factor is asked of, by place in the list of all.
    pub(super) files: Vec<usize>,
}

/// What line history says of a scope.
#[derive(Debug, Clone, Default)]
pub(super) struct LineSums {
    pub(super) ages: Ages,
    pub(super) lives: Lives,
    pub(super) holdings: Holdings,
    pub(super) burndown: Burndown,
}

impl Partial for LineSums {
    fn merge(&mut self, other: Self) {
        self.ages.merge(other.ages);
        self.lives.merge(other.lives);
        self.holdings.merge(other.holdings);
        self.burndown.merge(other.burndown);
    }
}

pub(super) type Subjects = BTreeMap<Subject, SubjectSums>;
