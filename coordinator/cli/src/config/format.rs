//! The forms in which a report is written.

use std::fmt;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Format {
    Csv,
    Json,
    Markdown,
    Html,
    Parquet,
}

impl Format {
    /// Written where nobody asks for others. Parquet is for those who know that they want it.
    pub(crate) const DEFAULTS: [Self; 4] = [Self::Csv, Self::Json, Self::Markdown, Self::Html];

    /// Returns the format of that name, `md` being short for `markdown`.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "csv" => Some(Self::Csv),
            "json" => Some(Self::Json),
            "markdown" | "md" => Some(Self::Markdown),
            "html" => Some(Self::Html),
            "parquet" => Some(Self::Parquet),
            _ => None,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Markdown => "markdown",
            Self::Html => "html",
            Self::Parquet => "parquet",
        })
    }
}
