//! How reports read facts: who is who, teams, tickets, kinds of work, releases, what is source. Nothing here changes
//! facts, so a change needs a new report and no analysis.

use super::{Key, Kind, Reach};

pub(super) const PEOPLE: Key = Key::mixed(
    "people",
    &[
        Key::acted(
            "mailmap_file",
            Kind::Path,
            Reach::default("none"),
            "The organisation's mailmap, in the form of gitmailmap(5), relative to this file; .mailmap files of \
             repositories come first",
        ),
        Key::acted(
            "mappings",
            Kind::Any,
            Reach::default("none"),
            "People and their addresses: a list of {name, primary_email, aliases: [names or e-mails], login}",
        ),
        Key::acted(
            "bots",
            Kind::Texts,
            Reach::default("none"),
            "Names or e-mails that are bots beside those that are known; * stands for anything",
        ),
        Key::acted("humans", Kind::Texts, Reach::default("none"), "People who look like bots and are none"),
        Key::acted(
            "name_stop_list",
            Kind::Texts,
            Reach::default("none"),
            "Full names that say nothing of who somebody is, beside those that are known",
        ),
        Key::acted(
            "plus_tag_domains",
            Kind::Texts,
            Reach::default("none"),
            "Domains at which ann+anything@ is ann@",
        ),
        Key::acted(
            "erasure_key",
            Kind::Secret,
            Reach::default("none").variable("GITFLEET_ERASURE_KEY"),
            "What digests are made with by which those are known who were erased, 16 bytes or more: the same for coordinators \
             and workers, and for as long as anybody is. Without it, a file in the data directory holds one on one machine",
        ),
    ],
    "Who is who",
);

pub(super) const TEAMS: Key = Key::acted(
    "teams",
    Kind::Any,
    Reach::default("none"),
    "Teams: a list of {name, members: [e-mail or name, or {person, from, until} with days]}, or that list under teams.teams",
);

pub(super) const TICKETS: Key = Key::mixed(
    "tickets",
    &[
        Key::acted(
            "platforms",
            Kind::Texts,
            Reach::default("all whose form cannot be mistaken"),
            "Trackers in use: jira, linear, github, gitlab, azure_boards, clickup",
        ),
        Key::acted(
            "project_keys",
            Kind::Texts,
            Reach::default("none"),
            "Keys of Jira projects; without them SHA-256 would be a ticket, so none is one",
        ),
        Key::acted("linear_keys", Kind::Texts, Reach::default("none"), "Keys of Linear teams"),
        Key::acted(
            "patterns",
            Kind::Map,
            Reach::default("none"),
            "Regular expressions of tickets by platform, in the place of the built-in forms of that platform",
        ),
        Key::acted(
            "exclude_patterns",
            Kind::Any,
            Reach::default("none"),
            "Regular expressions of what only looks like a ticket",
        ),
        Key::acted(
            "position",
            Kind::Choice(&["anywhere", "start"]),
            Reach::default("anywhere"),
            "Where in a message a ticket counts",
        ),
    ],
    "Ticket references in messages",
);

pub(super) const WORK: Key = Key::mixed(
    "work",
    &[
        Key::acted(
            "categories",
            Kind::Any,
            Reach::default("none"),
            "Categories of your own, first match wins: a list of {name, patterns: [regular expressions], kind: corrective, \
             adaptive or perfective}",
        ),
        Key::acted(
            "conventional_types",
            Kind::Map,
            Reach::default("those of the specification"),
            "Further types of Conventional Commits, with the category of each",
        ),
        Key::acted("project_kinds", Kind::Map, Reach::default("none"), "Category by ticket project key"),
        Key::acted("words", Kind::Map, Reach::default("none"), "Your words for categories"),
        Key::acted(
            "story_point_patterns",
            Kind::Any,
            Reach::default("the usual forms"),
            "Regular expressions of story points, with the number as first group",
        ),
    ],
    "Kinds of work",
);

pub(super) const RELEASES: Key = Key::mixed(
    "releases",
    &[Key::acted(
        "tag_pattern",
        Kind::Text,
        Reach::default("versions without pre-release part"),
        "Regular expression of tags that are releases, with a group named version and perhaps one named component",
    )],
    "Which tags are releases",
);

pub(super) const SOURCE: Key = Key::mixed(
    "source",
    &[Key::acted(
        "exclude",
        Kind::Texts,
        Reach::default("none"),
        "Patterns, as in .gitattributes, of files that are no source beside vendored, generated and documentation ones; \
         totals tell all files and source files side by side",
    )],
    "Which files are source",
);

pub(super) const JIRA_PROJECT_MAPPINGS: Key =
    Key::alias("jira_project_mappings", Kind::Map, "work.project_kinds");

pub(super) const TAXONOMY_MAPPING: Key = Key::alias("taxonomy_mapping", Kind::Map, "work.words");
