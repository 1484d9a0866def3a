//! Where reports and caches go, and how much of the machine is used: `output`, `reports`, `cache`, `processing`, and
//! the names for the same that only example files of the original use.

use super::analysis::FRESH;
use super::{Key, Kind, Reach};

const FORMATS: &[&str] = &["csv", "json", "markdown", "html", "md", "parquet"];

pub(super) const OUTPUT: Key = Key::mixed("output", OUTPUT_KEYS, "The report");

const OUTPUT_KEYS: &[Key] = &[
    Key::acted(
        "directory",
        Kind::Path,
        Reach::default("chosen by the command").variable("GITFLEET_OUTPUT").flag("--output"),
        "Folder the report is written to, relative to this file",
    ),
    Key::acted(
        "formats",
        Kind::Choices(FORMATS),
        Reach::default("csv, json, markdown, html").variable("GITFLEET_FORMAT").flag("--format"),
        "Forms of the report",
    ),
    Key::not_yet(
        "csv",
        Kind::Section(&[
            Key::inner("delimiter", Kind::Text, "Character between two columns"),
            Key::inner("encoding", Kind::Text, "Character encoding"),
            Key::inner("include_headers", Kind::Switch, "Whether the first line names the columns"),
        ]),
        "Details of CSV files",
    ),
    Key::mixed(
        "anonymization",
        &[
            Key::alias("enabled", Kind::Switch, "reports.anonymize"),
            Key::never("fields", Kind::Texts, EVERYTHING, "What is replaced"),
            Key::never(
                "method",
                Kind::Choice(&["hash", "random", "sequential"]),
                EVERYTHING,
                "How other names are made",
            ),
        ],
        "Reports without the names of people",
    ),
];

/// Why there is no choice of what is hidden, and how.
const EVERYTHING: &str = "every name and address is replaced, by a keyed hash; anything less leaks";

pub(super) const REPORTS: Key =
    Key::mixed("reports", REPORTS_KEYS, "The report, in the enterprise form of the keys");

const REPORTS_KEYS: &[Key] = &[
    Key::alias("output_directory", Kind::Path, "output.directory"),
    Key::alias("formats", Kind::Choices(FORMATS), "output.formats"),
    Key::not_yet("retention_days", Kind::Integer(0, 1_000_000), "Days a report is kept"),
    Key::acted(
        "anonymize",
        Kind::Switch,
        Reach::default("false").variable("GITFLEET_ANONYMIZE").flag("--anonymize"),
        "Pseudonyms in the place of names and addresses, in every form of the report, the same at every run",
    ),
    Key::acted(
        "pseudonym_key",
        Kind::Secret,
        Reach::default("none").variable("GITFLEET_PSEUDONYM_KEY"),
        "What pseudonyms are made with; whoever has it can tell whose they are, and another one makes others",
    ),
    Key::acted(
        "public",
        Kind::Switch,
        Reach::default("false").variable("GITFLEET_PUBLIC").flag("--public"),
        "Reports for everybody: no names, no pseudonyms, no tables of people",
    ),
    Key::acted(
        "working_hours",
        Kind::Switch,
        Reach::default("false"),
        "When teams of five people or more commit; agree on it with those concerned first",
    ),
    Key::not_yet("filename_template", Kind::Text, "Pattern of file names"),
    Key::not_yet("date_format", Kind::Text, "Form of dates in file names"),
    Key::not_yet("include_untracked_analysis", Kind::Switch, "Whether commits without a ticket are listed"),
    Key::not_yet("include_detailed_metrics", Kind::Switch, "Whether metrics are broken down"),
    Key::not_yet("include_charts", Kind::Switch, "Whether charts are drawn"),
    Key::not_yet(
        "templates",
        Kind::Section(&[
            Key::inner("narrative", Kind::Map, "Parts of the narrative report"),
            Key::inner("csv", Kind::Map, "CSV files to write"),
        ]),
        "Which parts of the report are written",
    ),
];

pub(super) const CACHE: Key = Key::mixed("cache", CACHE_KEYS, "What is kept between runs");

const CACHE_KEYS: &[Key] = &[
    Key::acted(
        "directory",
        Kind::Path,
        Reach::default("chosen by the command").variable("GITFLEET_DATA_DIR").flag("--data-dir"),
        "Folder of gitfleet's own data, relative to this file",
    ),
    Key::not_yet("max_size_mb", Kind::Integer(0, 1 << 40), "Size the cache may grow to"),
    Key::not_yet("auto_cleanup", Kind::Switch, "Whether old entries are removed"),
    Key::not_yet("cleanup_older_than_days", Kind::Integer(0, 1_000_000), "Age at which entries are removed"),
    Key::never("ttl_hours", Kind::Number, FRESH, "Hours before the original forgets what it cached"),
    Key::never("commit_cache_ttl", Kind::Number, FRESH, "Seconds before commits are read again"),
    Key::never("identity_cache_ttl", Kind::Number, FRESH, "Seconds before people are matched again"),
    Key::never("ml_cache_ttl", Kind::Number, FRESH, "Seconds before commits are classified again"),
];

pub(super) const PROCESSING: Key =
    Key::mixed("processing", PROCESSING_KEYS, "How much of the machine is used");

const PROCESSING_KEYS: &[Key] = &[
    Key::alias("max_workers", Kind::Integer(1, 4096), "analysis.jobs"),
    Key::alias("batch_size", Kind::Integer(1, 100_000), "analysis.batch_size"),
    Key::not_yet("memory_limit_mb", Kind::Integer(0, 1 << 40), "Memory to stay under"),
    Key::not_yet("git_timeout", Kind::Number, "Seconds a repository may take"),
    Key::not_yet("api_timeout", Kind::Number, "Seconds an API request may take"),
];

pub(super) const EXPORT: Key = Key::never(
    "export",
    Kind::Section(&[
        Key::inner("formats", Kind::Texts, "Forms of the report"),
        Key::inner("include_untracked", Kind::Switch, "Whether commits without a ticket are listed"),
    ]),
    "the original never read it either; use output.formats",
    "An early form of output",
);

pub(super) const CACHE_DIRECTORY: Key = Key::never(
    "cache_directory",
    Kind::Path,
    "the original never read it either; use cache.directory",
    "An early form of cache.directory",
);

pub(super) const REPORTS_DIRECTORY: Key = Key::never(
    "reports_directory",
    Kind::Path,
    "the original never read it either; use output.directory",
    "An early form of output.directory",
);

pub(super) const LAUNCHER: Key = Key::never(
    "launcher",
    Kind::Section(&[
        Key::inner("last_selected_repos", Kind::Texts, "Repositories chosen last"),
        Key::inner("default_weeks", Kind::Integer(0, 10_000), "Weeks offered"),
        Key::inner("auto_clear_cache", Kind::Switch, "Whether the cache is emptied"),
        Key::inner("skip_identity_analysis", Kind::Switch, "Whether people are matched"),
        Key::inner("last_run", Kind::Text, "Time of the last run"),
    ]),
    "it remembers the answers given to the original's dialogue, and gitfleet asks no questions",
    "The original's interactive start",
);

pub(super) const ADVANCED: Key = Key::never(
    "advanced",
    Kind::Any,
    "the original never read it either",
    "An early form of parts of analysis",
);
