//! `github`: where repositories on GitHub are cloned from, and all that is asked of its API.

use super::{Key, Kind, Reach, repositories};

pub(super) const KEY: Key = Key::mixed("github", KEYS, "GitHub, or a GitHub Enterprise server");

const KEYS: &[Key] = &[
    Key::acted(
        "token",
        Kind::Secret,
        Reach::default("none").variable("GITFLEET_GITHUB_TOKEN"),
        "Token for this GitHub, for its API and for clones over https, sent to no other host; best written as ${GITHUB_TOKEN}",
    ),
    Key::acted(
        "owner",
        Kind::Text,
        Reach::default("none").variable("GITFLEET_GITHUB_OWNER"),
        "Owner of every github_repo that names none",
    ),
    Key::acted(
        "api_url",
        Kind::Text,
        Reach::default("https://api.github.com").variable("GITFLEET_GITHUB_API_URL"),
        "API address of the GitHub Enterprise server; clones come from its host",
    ),
    Key::alias("base_url", Kind::Text, ".api_url"),
    Key {
        name: "repositories",
        kind: Kind::Sections(repositories::KEYS),
        status: super::Status::Alias("repositories"),
        about: "Another name",
    },
    Key::acted(
        "tokens",
        Kind::Secret,
        Reach::default("none").variable("GITFLEET_GITHUB_TOKENS"),
        "More tokens to list repositories with, one a line or between commas: where one is used up, the next is taken",
    ),
    Key::acted(
        "organization",
        Kind::Text,
        Reach::default("none").variable("GITFLEET_GITHUB_ORGANIZATION"),
        "Organization whose repositories are listed and analysed beside those of `repositories`",
    ),
    Key::acted(
        "user",
        Kind::Text,
        Reach::default("none").variable("GITFLEET_GITHUB_USER"),
        "User whose own repositories are listed and analysed",
    ),
    Key::acted(
        "include",
        Kind::Texts,
        Reach::default("all"),
        "Patterns with * and ?, of names or of OWNER/NAME: only listed repositories that one of them matches",
    ),
    Key::acted(
        "exclude",
        Kind::Texts,
        Reach::default("none"),
        "Patterns of listed repositories to pass over, whatever include says",
    ),
    Key::acted(
        "archived",
        Kind::Switch,
        Reach::default("false"),
        "Whether listed repositories are analysed that are archived",
    ),
    Key::acted(
        "forks",
        Kind::Switch,
        Reach::default("false"),
        "Whether listed repositories are analysed that are forks",
    ),
    Key::not_yet("fetch_pr_reviews", Kind::Switch, "Whether reviews of pull requests are collected"),
    Key::not_yet(
        "rate_limit",
        Kind::Section(&[
            Key::inner("max_retries", Kind::Integer(0, 1000), "Attempts after a refusal"),
            Key::inner("backoff_factor", Kind::Number, "Growth of the pause between attempts"),
        ]),
        "What to do when the API asks to slow down",
    ),
    Key::not_yet("max_retries", Kind::Integer(0, 1000), "Attempts after a refused API request"),
    Key::not_yet("backoff_factor", Kind::Number, "Growth of the pause between attempts"),
    Key::not_yet("retry_attempts", Kind::Integer(0, 1000), "Attempts after a failed API request"),
    Key::not_yet("timeout", Kind::Number, "Seconds an API request may take"),
    Key::not_yet("rate_limit_buffer", Kind::Integer(0, 1_000_000), "API requests to leave for others"),
    Key::not_yet(
        "open_pr_refresh_ttl_hours",
        Kind::Number,
        "Hours before an open pull request is asked for again",
    ),
    Key::not_yet(
        "full_scan_ttl_hours",
        Kind::Number,
        "Hours before a repository's pull requests are listed again",
    ),
];
