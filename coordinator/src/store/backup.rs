//! What a backup of a store consists of. The store writes and reads the files; whoever keeps them says what they hash to.

use serde::{Deserialize, Serialize};

/// One table of a backup, in a file of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    pub name: String,
    /// In the order of the file.
    pub columns: Vec<String>,
    pub rows: u64,
}

impl Table {
    /// Returns the name of the file its rows are in.
    pub fn file(&self) -> String {
        format!("{}.copy", self.name)
    }
}

/// What was saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved {
    /// The last step that the schema had taken.
    pub schema: i64,
    /// Empty where the store is one file.
    pub tables: Vec<Table>,
}

/// Whether something was brought back, and if not, why not: then nothing was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restored {
    Done,
    /// The store holds something, and nobody said that it may go.
    NotEmpty,
    /// A coordinator works with it.
    InUse,
    /// The store's schema, or that of the backup, was made by a program that is newer or another one.
    OtherSchema,
}
