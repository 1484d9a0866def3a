//! What is asked of pull and merge requests that git alone shows.

use super::definition::{Chapter, Definition};

pub const CYCLE_TIME: Definition = Definition {
    name: "cycle_time",
    title: "Cycle time of requests",
    chapter: Chapter::Flow,
    unit: "seconds",
    formula: "From the earliest author time of the commits that a merged request brought onto the mainline to the commit \
              time of the merge; median, 75th and 90th percentile (percentile_cont) over requests merged in the window.",
    edges: "Squashed requests show one commit, and nothing of the time before: they have no cycle time here. Rebased ones \
            leave no trace. Negative spans are left out. No merge: null.",
    source: "CHAOSS Change Requests Duration, from the first commit instead of the opening, which git does not know",
    parts: "A request is one merge commit; spans of all repositories are one multiset.",
    caution: "Small requests win: read it beside their size.",
};

pub const REQUESTS: Definition = Definition {
    name: "requests",
    title: "Merged pull and merge requests",
    chapter: Chapter::Work,
    unit: "requests",
    formula: "Commits of the first-parent chain that say they merge a request: in the words of GitHub, GitLab, Bitbucket, \
              Azure, Gerrit, bors or Phabricator, or a number in brackets at the end of a squashed subject.",
    edges: "Rebase merges leave no trace: where nothing is found, requests are not observable, which is not the same as none.",
    source: "the messages that the forges write",
    parts: "Per repository, along its first-parent chain; counts add up.",
    caution: "A count of habits of merging.",
};
