//! Issue trackers, wikis and project management.

use super::{Key, Kind, Status};

const ADDRESS: Key = Key::inner("base_url", Kind::Text, "Address of the server");
const ENABLED: Key = Key::inner("enabled", Kind::Switch, "Whether it is asked");
const RETRIES: Key = Key::inner("max_retries", Kind::Integer(0, 1000), "Attempts after a failure");
const BACKOFF: Key = Key::inner("backoff_factor", Kind::Number, "Growth of the pause between attempts");
const DNS: Key = Key::inner("dns_timeout", Kind::Number, "Seconds to find the server");
const CONNECTION: Key = Key::inner("connection_timeout", Kind::Number, "Seconds to reach the server");
const USER: Key = Key::inner("username", Kind::Text, "User name");
const TOKEN: Key = Key::inner("api_token", Kind::Secret, "Token");
const ACCESS_USER: Key = Key::inner("access_user", Kind::Text, "User name");
const ACCESS_TOKEN: Key = Key::inner("access_token", Kind::Secret, "Token");
const POINTS: Key = Key::inner("story_point_fields", Kind::Texts, "Fields that hold story points");
const FETCH_POINTS: Key =
    Key::inner("fetch_story_points", Kind::Switch, "Whether story points are asked for");
const PROXY: Key = Key::inner("enable_proxy", Kind::Switch, "Whether a proxy is used");
const PROXY_URL: Key = Key::inner("proxy_url", Kind::Text, "Address of the proxy");

/// A key that is not acted on by itself yet.
const fn later(key: Key) -> Key {
    Key { status: Status::NotYet, ..key }
}

pub(super) const JIRA: Key = Key::mixed(
    "jira",
    &[
        later(ENABLED),
        later(ADDRESS),
        later(ACCESS_USER),
        later(ACCESS_TOKEN),
        Key::not_yet("server_url", Kind::Text, "Address of the server"),
        later(USER),
        later(TOKEN),
        Key::alias("project_keys", Kind::Texts, "tickets.project_keys"),
        later(POINTS),
        later(FETCH_POINTS),
        Key::not_yet("story_point_field", Kind::Text, "Field that holds story points"),
        Key::not_yet("epic_link_field", Kind::Text, "Field that holds the epic"),
        Key::not_yet("issue_types", Kind::Texts, "Kinds of issues to look at"),
        Key::not_yet("timeout", Kind::Number, "Seconds a request may take"),
        Key::not_yet("retry_attempts", Kind::Integer(0, 1000), "Attempts after a failure"),
        later(RETRIES),
        later(BACKOFF),
        later(DNS),
        later(CONNECTION),
        later(PROXY),
        later(PROXY_URL),
    ],
    "Jira server",
);

pub(super) const JIRA_INTEGRATION: Key = Key::mixed(
    "jira_integration",
    &[
        later(ENABLED),
        later(FETCH_POINTS),
        Key::alias("project_keys", Kind::Texts, "tickets.project_keys"),
        later(POINTS),
        later(DNS),
        later(CONNECTION),
        later(RETRIES),
        later(BACKOFF),
        later(PROXY),
        later(PROXY_URL),
        Key::not_yet("rate_limit_delay", Kind::Number, "Seconds between requests"),
        Key::not_yet("batch_size", Kind::Integer(0, 100_000), "Issues per request"),
    ],
    "What is asked of Jira",
);

pub(super) const PM: Key = Key::not_yet("pm", Kind::Map, "Settings by tracker: any tracker may stand here");

pub(super) const PM_INTEGRATION: Key = Key::not_yet(
    "pm_integration",
    Kind::Section(&[
        ENABLED,
        Key::inner("primary_platform", Kind::Text, "Tracker that wins"),
        Key::inner(
            "correlation",
            Kind::Section(&[
                Key::inner("fuzzy_matching", Kind::Switch, "Whether titles are compared"),
                Key::inner("temporal_window_hours", Kind::Number, "Hours between ticket and commit"),
                Key::inner("confidence_threshold", Kind::Number, "How sure the match has to be"),
                Key::inner("ticket_reference_patterns", Kind::Texts, "Patterns of tickets"),
            ]),
            "How tickets and commits are matched",
        ),
        Key::inner("platforms", Kind::Map, "Settings by tracker: any tracker may stand here"),
    ]),
    "Project management",
);

pub(super) const GITHUB_ISSUES: Key = Key::not_yet(
    "github_issues",
    Kind::Section(&[
        ENABLED,
        Key::inner("fetch_comments", Kind::Switch, "Whether comments are counted"),
        Key::inner("allowed_repos", Kind::Texts, "Repositories to look at"),
        Key::inner("issue_state", Kind::Choice(&["open", "closed", "all"]), "Issues to look at"),
        Key::inner("max_issues_per_repo", Kind::Integer(0, 1_000_000), "Issues per repository"),
    ]),
    "Activity in GitHub issues",
);

pub(super) const CONFLUENCE: Key = Key::not_yet(
    "confluence",
    Kind::Section(&[
        ENABLED,
        ADDRESS,
        USER,
        TOKEN,
        Key::inner("spaces", Kind::Texts, "Spaces to look at"),
        Key::inner("fetch_page_history", Kind::Switch, "Whether every edit is counted"),
        DNS,
        CONNECTION,
        RETRIES,
        BACKOFF,
    ]),
    "Activity in Confluence",
);

pub(super) const CLICKUP: Key = Key::not_yet(
    "clickup",
    Kind::Section(&[
        Key::inner("token", Kind::Secret, "Token"),
        TOKEN,
        Key::inner("workspace_url", Kind::Text, "Address of the workspace"),
    ]),
    "ClickUp",
);

pub(super) const LINEAR: Key = Key::not_yet(
    "linear",
    Kind::Section(&[
        Key::inner("api_key", Kind::Secret, "Key"),
        Key::inner("team_ids", Kind::Texts, "Teams to look at"),
    ]),
    "Linear",
);

pub(super) const BRANCH_MAPPING: Key = Key::never(
    "branch_mapping",
    Kind::Any,
    "the original never read it either; a repository's project_key names its project",
    "An early form of analysis.branch_mapping_rules",
);
