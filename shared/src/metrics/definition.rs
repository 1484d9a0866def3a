//! What a number means, in the words that `gitfleet metrics show` prints.

/// The definition of one metric; it stands in the file that computes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Definition {
    /// As in reports and on the command line, such as `truck_factor`.
    pub name: &'static str,
    pub title: &'static str,
    /// One of the chapters of a report.
    pub chapter: Chapter,
    pub unit: &'static str,
    pub formula: &'static str,
    /// What happens at the edges: nothing there, unknown, ties.
    pub edges: &'static str,
    pub source: &'static str,
    /// How parts of a history add up to the whole.
    pub parts: &'static str,
    /// What it must not be used for.
    pub caution: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Chapter {
    Activity,
    People,
    Work,
    Flow,
    Risk,
    Community,
}

impl Chapter {
    pub fn name(self) -> &'static str {
        match self {
            Self::Activity => "activity",
            Self::People => "people",
            Self::Work => "work",
            Self::Flow => "flow",
            Self::Risk => "risk",
            Self::Community => "community",
        }
    }
}
