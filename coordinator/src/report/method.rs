//! The conventions behind the numbers. Most disagreement between tools comes from these, not from formulas.

use super::model::Convention;

/// Returns the conventions in the order they are printed. A change of any of them raises `METHOD_VERSION`.
pub fn conventions() -> Vec<Convention> {
    [
        ("population", "commits reachable from the pinned tip; each counted once, however many repositories hold it"),
        ("time", "author time decides day and week; ISO weeks, Monday to Sunday, in the report's zone"),
        ("merges", "two or more parents; counted apart; their line changes are no authored work"),
        ("lines", "as git log --numstat: Myers diff with git's default cost limits, no whitespace options"),
        (
            "renames",
            "as git log -M: 50 % similarity, no copies, rename limit 1,000; totals.without_renames is --no-renames",
        ),
        ("submodules", "a moved submodule is one line deleted and one added, as git prints it"),
        (
            "binary",
            "a NUL in the first 8,000 bytes, or the diff attribute in the .gitattributes of the tip; adds no lines",
        ),
        ("unknown", "missing, damaged or too large objects make lines unknown: they are in no sum, never zero"),
        ("identity", "author name and e-mail after the .mailmap of the tip, as gitmailmap(5) says; nothing guessed"),
        ("languages", "by file name and extension at the time of the change"),
        ("replacements", "replace refs and grafts are not followed; a shallow clone is counted from where it is cut"),
    ]
    .into_iter()
    .map(|(topic, rule)| Convention { topic: topic.to_owned(), rule: rule.to_owned() })
    .collect()
}
