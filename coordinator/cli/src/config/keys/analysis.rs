//! `analysis`: the window, the work, and what the original lets its users say about commits.

use super::classification::{
    CHATGPT, COMMIT_CLASSIFICATION, LLM_CLASSIFICATION, ML_CATEGORIZATION, QUALITATIVE,
};
use super::{Key, Kind, Reach, people};

pub(super) const KEY: Key = Key::mixed("analysis", KEYS, "What is analysed, and how");

const KEYS: &[Key] = &[
    Key::acted(
        "weeks",
        Kind::Integer(1, 10_000),
        Reach::default("all history").variable("GITFLEET_WEEKS").flag("--weeks"),
        "How many complete ISO weeks before now the report covers",
    ),
    Key::alias("weeks_back", Kind::Integer(1, 10_000), ".weeks"),
    Key::acted(
        "time_zone",
        Kind::Zone,
        Reach::default("UTC").variable("GITFLEET_TIME_ZONE").flag("--time-zone"),
        "IANA time zone in which days and weeks begin",
    ),
    Key::acted(
        "include_current_week",
        Kind::Switch,
        Reach::default("false").variable("GITFLEET_INCLUDE_CURRENT_WEEK").flag("--include-current"),
        "Whether the week that is not over yet is part of the report",
    ),
    Key::acted(
        "all_branches",
        Kind::Switch,
        Reach::default("false").variable("GITFLEET_ALL_BRANCHES").flag("--all-branches"),
        "Whether every branch is analysed and not the default one alone",
    ),
    Key::acted(
        "batch_size",
        Kind::Integer(1, 100_000),
        Reach::default("1000").variable("GITFLEET_BATCH_SIZE").flag("--batch-size"),
        "Commits in one unit of work; no number in a report depends on it",
    ),
    Key::acted(
        "jobs",
        Kind::Integer(1, 4096),
        Reach::default("one per core").variable("GITFLEET_JOBS").flag("--jobs"),
        "Units of work done at the same time",
    ),
    Key::acted(
        "memory_mib",
        Kind::Integer(1, 1 << 20),
        Reach::default("768").variable("GITFLEET_MEMORY_MIB").flag("--memory-mib"),
        "MiB of memory that all jobs together are to get by with; what is kept of decoded objects is sized from it",
    ),
    Key::acted(
        "max_blob_bytes",
        Kind::Integer(1, 1 << 40),
        Reach::default("104857600").variable("GITFLEET_MAX_BLOB_BYTES").flag("--max-blob-bytes"),
        "Size above which the lines of a file are reported as unknown and not counted",
    ),
    Key::acted(
        "line_history",
        Kind::Switch,
        Reach::default("true").variable("GITFLEET_LINE_HISTORY").flag("--no-line-history"),
        "Whether the history of each line is analysed: age, survival, ownership and rework are made of it",
    ),
    Key::never("cache_ttl", Kind::Number, FRESH, "Seconds before the original forgets what it cached"),
    Key::never("include_weekends", Kind::Switch, EVERY_DAY, "Whether Saturdays and Sundays count"),
    Key::not_yet("branch_patterns", Kind::Texts, "Patterns of the branches to analyse"),
    Key::not_yet("include_file_patterns", Kind::Texts, "Patterns of the only files to count"),
    Key::alias("exclude_file_patterns", Kind::Texts, "source.exclude"),
    Key::never("exclude_merge_commits", Kind::Switch, MERGES, "Whether the lines of merges are left out"),
    Key::never("include_merge_commits", Kind::Switch, MERGES, "Whether the lines of merges are counted"),
    Key::never("include_merges", Kind::Switch, MERGES, "Whether the lines of merges are counted"),
    Key::not_yet(
        "min_commits_per_author",
        Kind::Integer(0, 1_000_000),
        "Commits below which an author is left out",
    ),
    Key::never(
        "exclude_bots",
        Kind::Switch,
        "bots are in no number about people, and always shown apart",
        "Whether automatic authors are left out",
    ),
    Key::mixed(
        "exclude",
        &[
            Key::alias("authors", Kind::Texts, "people.bots"),
            Key::alias("paths", Kind::Texts, "source.exclude"),
            Key::never(
                "message_patterns",
                Kind::Texts,
                "the original never read it either, and every commit counts",
                "Patterns of messages whose commits are left out",
            ),
        ],
        "What is left out of the report",
    ),
    people::IDENTITY,
    Key::not_yet("similarity_threshold", Kind::Number, "How alike two names have to be to count as one"),
    Key::alias("manual_identity_mappings", Kind::Any, "people.mappings"),
    Key::not_yet("aliases_file", Kind::Path, "Older place of analysis.identity.aliases_file"),
    Key::not_yet("auto_identity_analysis", Kind::Switch, "Older name of analysis.identity.auto_analysis"),
    Key::alias("story_point_patterns", Kind::Any, "work.story_point_patterns"),
    Key::alias("ticket_platforms", Kind::Texts, "tickets.platforms"),
    Key::not_yet("default_ticket_platform", Kind::Text, "Tracker of a ticket that could be of several"),
    Key::mixed("ticket_detection", TICKET_DETECTION, "How tickets are found in messages"),
    Key::not_yet(
        "untracked_analysis",
        Kind::Section(&[
            Key::inner(
                "file_threshold",
                Kind::Integer(0, 1_000_000),
                "Files below which a commit needs no ticket",
            ),
            Key::inner("acceptable_categories", Kind::Texts, "Kinds of work that need no ticket"),
        ]),
        "Which commits should have named a ticket",
    ),
    Key::not_yet(
        "untracked_file_threshold",
        Kind::Integer(0, 1_000_000),
        "Files below which a commit needs no ticket",
    ),
    Key::not_yet("branch_mapping_rules", Kind::Map, "Patterns of branch names by project key"),
    Key::never(
        "branch_analysis",
        Kind::Section(BRANCH_ANALYSIS),
        SAMPLING,
        "Which branches the original looks at",
    ),
    Key::never("branch_strategy", Kind::Text, SAMPLING, "Which branches the original looks at"),
    Key::never(
        "max_branches",
        Kind::Integer(0, 1_000_000),
        SAMPLING,
        "How many branches the original looks at",
    ),
    Key::never(
        "security",
        Kind::Any,
        "gitfleet counts and does not judge code; scanners for secrets and dependencies do that better",
        "The original's scanners",
    ),
    Key { name: "ml_categorization", ..ML_CATEGORIZATION },
    COMMIT_CLASSIFICATION,
    LLM_CLASSIFICATION,
    QUALITATIVE,
    CHATGPT,
];

/// Why nothing that says how long a cache is good is acted on.
pub(super) const FRESH: &str =
    "facts are kept by commit id and never go stale; a changed repository is seen by its refs, at every run";

const EVERY_DAY: &str = "the original never read it either, and every day of a week counts";

const MERGES: &str =
    "merges are counted as commits and their lines never, because each line is counted where it was written";

const SAMPLING: &str = "it limits which commits are seen; gitfleet reads every commit, of one branch or, with analysis.all_branches, of all";

const TICKET_DETECTION: &[Key] = &[
    Key::not_yet(
        "commit_filter",
        Kind::Choice(&["all", "squash_merges_only", "merge_commits"]),
        "Commits to look at",
    ),
    Key::not_yet("target_branches", Kind::Texts, "Branches merged into"),
    Key::alias("position", Kind::Choice(&["anywhere", "start"]), "tickets.position"),
    Key::alias("patterns", Kind::Map, "tickets.patterns"),
    Key::alias("exclude_patterns", Kind::Any, "tickets.exclude_patterns"),
    Key::not_yet("exclude_repos", Kind::Texts, "Repositories not to look at"),
    Key::not_yet("exclude_authors", Kind::Texts, "Authors not to look at"),
];

const BRANCH_ANALYSIS: &[Key] = &[
    Key::inner("strategy", Kind::Choice(&["smart", "all", "main_only"]), "How branches are chosen"),
    Key::inner("max_branches_per_repo", Kind::Integer(0, 1_000_000), "Branches per repository"),
    Key::inner("active_days_threshold", Kind::Integer(0, 1_000_000), "Days after which a branch is asleep"),
    Key::inner("include_main_branches", Kind::Switch, "Whether main branches are always looked at"),
    Key::inner("always_include_patterns", Kind::Texts, "Branches always looked at"),
    Key::inner("always_exclude_patterns", Kind::Texts, "Branches never looked at"),
    Key::inner("enable_progress_logging", Kind::Switch, "Whether progress is logged"),
    Key::inner("branch_commit_limit", Kind::Integer(0, 1_000_000_000), "Commits per branch"),
];
