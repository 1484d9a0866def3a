//! The words for what came of a repository, the same in every form.

use crate::report::model::{Conservation, RepositoryStatus};

/// Returns the word of a status, as JSON has it.
pub(super) fn status(status: RepositoryStatus) -> &'static str {
    match status {
        RepositoryStatus::Analysed => "analysed",
        RepositoryStatus::Empty => "empty",
        RepositoryStatus::Failed => "failed",
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LineCheck {
    NotChecked,
    Holds,
    /// Some file could not be counted, so the law says nothing.
    NotCheckable,
    Broken,
}

/// Returns what the conservation law of a repository came to.
pub(super) fn line_check(conservation: Option<Conservation>) -> LineCheck {
    match conservation {
        None => LineCheck::NotChecked,
        Some(law) if law.holds => LineCheck::Holds,
        Some(law) if law.unknown_files > 0 => LineCheck::NotCheckable,
        Some(_) => LineCheck::Broken,
    }
}

impl LineCheck {
    pub(super) fn word(self) -> &'static str {
        match self {
            LineCheck::NotChecked => "not checked",
            LineCheck::Holds => "holds",
            LineCheck::NotCheckable => "not checkable",
            LineCheck::Broken => "broken",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_law_speaks_only_where_all_lines_are_known() {
        fn check(holds: bool, unknown_files: u64, expect: LineCheck) {
            let law = Conservation {
                mainline_net_lines: 1,
                binary_flip_lines: 0,
                tip_lines: 1,
                unknown_files,
                holds,
            };
            assert_eq!(line_check(Some(law)), expect);
        }
        check(true, 0, LineCheck::Holds);
        check(false, 0, LineCheck::Broken);
        check(false, 2, LineCheck::NotCheckable);
        assert_eq!(line_check(None), LineCheck::NotChecked);
    }
}
