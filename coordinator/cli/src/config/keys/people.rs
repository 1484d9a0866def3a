//! Who is who, who belongs where, and what is said about people.

use super::{Key, Kind};

pub(super) const IDENTITY: Key = Key::mixed(
    "identity",
    &[
        Key::alias("manual_mappings", Kind::Any, "people.mappings"),
        Key::never(
            "similarity_threshold",
            Kind::Number,
            PROPOSALS,
            "How alike two names have to be to count as one",
        ),
        Key::never(
            "fuzzy_threshold",
            Kind::Number,
            PROPOSALS,
            "How alike two names have to be to count as one",
        ),
        Key::never("auto_analysis", Kind::Switch, PROPOSALS, "Whether people are matched by themselves"),
        Key::not_yet("aliases_file", Kind::Path, "File with people and their addresses"),
        Key::not_yet("strip_suffixes", Kind::Texts, "Ends of addresses to ignore"),
        Key::never(
            "cache_ttl_days",
            Kind::Number,
            "who is who is found anew for every report",
            "Days before people are matched again",
        ),
    ],
    "Which addresses are one person",
);

/// Why nobody is joined for being alike.
const PROPOSALS: &str =
    "names that are alike are proposals for a person to decide (`gitfleet people suggest`), and never joined";

pub(super) const DEVELOPER_ALIASES: Key =
    Key::not_yet("developer_aliases", Kind::Any, "Oldest form of analysis.identity.manual_mappings");

pub(super) const ACTIVITY_SCORING: Key = Key::never(
    "activity_scoring",
    Kind::Section(&[
        Key::inner("commits_weight", Kind::Number, "Weight of commits"),
        Key::inner("prs_weight", Kind::Number, "Weight of pull requests"),
        Key::inner("code_impact_weight", Kind::Number, "Weight of changed lines"),
        Key::inner("complexity_weight", Kind::Number, "Weight of touched files"),
        Key::inner("ticketing_weight", Kind::Number, "Weight of tickets"),
    ]),
    "one number for a person's work measures habits and not work; gitfleet reports each measure by itself",
    "Composite scores of developers",
);

pub(super) const VELOCITY: Key = Key::not_yet(
    "velocity",
    Kind::Section(&[
        Key::inner("enabled", Kind::Switch, "Whether it is reported"),
        Key::inner(
            "cycle_time_outlier_min_hrs",
            Kind::Number,
            "Hours below which a pull request is no sample",
        ),
        Key::inner(
            "cycle_time_outlier_max_hrs",
            Kind::Number,
            "Hours above which a pull request is no sample",
        ),
        Key::inner("top_n", Kind::Integer(0, 1_000_000), "How many are listed"),
    ]),
    "Time that pull requests take",
);

pub(super) const QUALITY_REPORT: Key = Key::not_yet(
    "quality_report",
    Kind::Section(&[
        Key::inner("enabled", Kind::Switch, "Whether it is written"),
        Key::inner("revert_detection_patterns", Kind::Switch, "Whether reverts are counted"),
        Key::inner("risk_profile", Kind::Switch, "Whether risk is summed up"),
        Key::inner("code_review_signals", Kind::Switch, "Whether reviews are counted"),
        Key::inner("quality_score", Kind::Switch, "Whether one score is made of it"),
    ]),
    "Reverts, reviews and risk",
);

pub(super) const BOILERPLATE_FILTER: Key = Key::not_yet(
    "boilerplate_filter",
    Kind::Section(&[
        Key::inner("enabled", Kind::Switch, "Whether it is used"),
        Key::inner(
            "avg_lines_per_commit_threshold",
            Kind::Integer(0, 1 << 40),
            "Lines per commit that are suspect",
        ),
        Key::inner("total_lines_threshold", Kind::Integer(0, 1 << 40), "Lines in all that are suspect"),
        Key::inner(
            "action",
            Kind::Choice(&["flag", "exclude_from_averages", "exclude"]),
            "What is done about it",
        ),
        Key::inner("flag_label", Kind::Text, "Word used for it"),
    ]),
    "Authors whose lines are generated",
);

pub(super) const AI_DETECTION: Key = Key::not_yet(
    "ai_detection",
    Kind::Section(&[
        Key::inner("enabled", Kind::Switch, "Whether it is used"),
        Key::inner("pattern_matching", Kind::Switch, "Whether trailers of tools are counted"),
        Key::inner("nlp_message_scoring", Kind::Switch, "Whether the style of a message is judged"),
        Key::inner("confidence_threshold", Kind::Number, "How sure the match has to be"),
    ]),
    "Commits that name an AI tool",
);
