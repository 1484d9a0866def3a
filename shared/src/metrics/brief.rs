//! What the metrics read of one commit: its facts with the changed files summed up.
//!
//! A brief is a pure function of facts and of the table of languages. It is a tenth as large as the facts, so a store
//! keeps briefs beside them, and a report need not read every path of a history.

use serde::{Deserialize, Serialize};

use super::language;
use super::sums::LineSums;
use crate::facts::{CommitFacts, Lines, UnknownReason};
use crate::object_id::ObjectId;

/// Version of the briefs. It grows by one whenever the same facts would yield another brief, by a new language too;
/// kept briefs of another version are made again.
pub const BRIEF_VERSION: u16 = 1;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brief {
    pub id: ObjectId,
    pub is_merge: bool,
    /// UTC seconds, as [`ClaimedTime`](crate::facts::ClaimedTime) has them.
    pub authored: Option<i64>,
    pub committed: Option<i64>,
    pub files: FileSums,
}

/// The changed files of a commit, summed up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileSums {
    pub lines: LineSums,
    pub without_renames: LineSums,
    /// Ascending by language.
    #[serde(with = "language::numbered")]
    pub languages: Vec<(&'static str, LineSums)>,
    pub binary_changes: u64,
    /// Text lines that joined or left the repository because a file turned from binary or to it.
    pub binary_flip_lines: i64,
    /// Ascending by reason.
    pub unknown_changes: Vec<(UnknownReason, u64)>,
}

impl Brief {
    pub fn of(facts: &CommitFacts) -> Self {
        let mut files = FileSums::default();
        for file in &facts.files {
            files.lines.add(file.lines);
            for change in file.without_renames() {
                files.without_renames.add(change.lines);
            }
            entry(&mut files.languages, language::of_path(&file.path)).add(file.lines);
            match file.lines {
                Lines::Counted { .. } => {}
                Lines::Binary { net_text_lines } => {
                    files.binary_changes += 1;
                    files.binary_flip_lines += i64::from(net_text_lines);
                }
                Lines::Unknown(reason) => *entry(&mut files.unknown_changes, reason) += 1,
            }
        }
        Self {
            id: facts.id,
            is_merge: facts.is_merge(),
            authored: facts.authored.seconds,
            committed: facts.committed.seconds,
            files,
        }
    }
}

/// Returns the value of `key` in a list that is sorted by keys and short.
fn entry<K: Ord + Copy, V: Default>(list: &mut Vec<(K, V)>, key: K) -> &mut V {
    let position = list.binary_search_by_key(&key, |(known, _)| *known).unwrap_or_else(|position| {
        list.insert(position, (key, V::default()));
        position
    });
    &mut list[position].1
}
