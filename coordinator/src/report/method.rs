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
        (
            "identity",
            "the .mailmap of the tip as gitmailmap(5) says, then the organisation's mailmap, configured mappings and \
             decisions, addresses that forges make up, the same e-mail, the same full name; nobody is joined for being alike",
        ),
        ("bots", "bots and agents by their author's name or e-mail are in commits and lines, and in no number about people"),
        ("languages", "by file name and extension at the time of the change; at the tip by bytes of source files"),
        (
            "source",
            "not vendored, generated or documentation by rules after github-linguist and the .gitattributes of the tip, not \
             excluded by the configuration, and of a language of programs or markup",
        ),
        (
            "lines' history",
            "whose line it is as git blame says, without -w, -M and -C; births and deaths on the first-parent chain",
        ),
        (
            "releases",
            "tags that name a version without pre-release part; a commit belongs to the first release, in version order, that \
             reaches it; what follows from them is a proxy for deployments",
        ),
        (
            "kinds of work",
            "Conventional Commits 1.0.0, configured categories, then rules on words; right for about three of four commits",
        ),
        ("leaving", "no commit in any repository of the report for 180 days at the as-of time"),
        ("replacements", "replace refs and grafts are not followed; a shallow clone is counted from where it is cut"),
    ]
    .into_iter()
    .map(|(topic, rule)| Convention { topic: topic.to_owned(), rule: rule.to_owned() })
    .collect()
}
