//! `repositories`: what is analysed.

use super::{Key, Kind, Reach};

const LIST: Reach = Reach::default("none").variable("GITFLEET_SOURCES").flag("SOURCES");

pub(super) const KEY: Key = Key::acted(
    "repositories",
    Kind::Sections(KEYS),
    LIST,
    "The repositories to analyse; sources on the command line take the place of the whole list",
);

pub(super) const KEYS: &[Key] = &[
    Key::acted(
        "name",
        Kind::Text,
        Reach::default("the last part of path, url or github_repo"),
        "Name of the repository in reports",
    ),
    Key::acted(
        "path",
        Kind::Path,
        Reach::FILE,
        "Local repository, bare or not, relative to this file; it is read and never changed",
    ),
    Key::alias("local_path", Kind::Path, ".path"),
    Key::acted(
        "url",
        Kind::Text,
        Reach::FILE,
        "Where to clone from: https://, ssh://, file:// or user@host:path",
    ),
    Key::acted(
        "github_repo",
        Kind::Text,
        Reach::FILE,
        "OWNER/NAME on GitHub, or NAME of github.owner; cloned from there if no path is given",
    ),
    Key::acted(
        "owner",
        Kind::Text,
        Reach::default("github.owner"),
        "Owner on GitHub, for a github_repo or name without one",
    ),
    Key::acted(
        "project_key",
        Kind::Text,
        Reach::default("the name in capitals, - turned to _"),
        "Key of the project in reports",
    ),
    Key::acted(
        "branch",
        Kind::Text,
        Reach::default("the default branch").flag("--branch"),
        "The one branch to analyse",
    ),
    Key::acted(
        "credential",
        Kind::Text,
        Reach::default("what was given for the host").flag("--credential"),
        "Name of what is shown to the host of its https URL, as `credentials` has it",
    ),
];
