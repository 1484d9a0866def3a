//! The names gitfleet claims in the environment. A mistyped one would be ignored without a word, as environments do,
//! so every other `GITFLEET_` name is worth a warning.

use super::key::{Kind, Status};
use super::keys;
use super::nearest::nearest;
use super::variables::Variables;

/// Names the configuration file, as `-c` does.
pub(super) const CONFIG: &str = "GITFLEET_CONFIG";

const PREFIX: &str = "GITFLEET_";

/// What is added to the name of a secret's variable for that of the file it is in.
pub(super) const FILE: &str = "_FILE";

/// Lists the variables that set something, with the path of what they set.
pub(crate) fn settings() -> impl Iterator<Item = (&'static str, &'static str)> {
    keys::every().iter().filter_map(|placed| match placed.status {
        Status::Acted(reach) => Some((reach.variable?, placed.path.as_str())),
        _ => None,
    })
}

/// Lists the variables that name a file with a secret in it.
pub(crate) fn secret_files() -> impl Iterator<Item = String> {
    keys::every().iter().filter_map(|placed| match (placed.status, placed.key.kind) {
        (Status::Acted(reach), Kind::Secret) => Some(format!("{}{FILE}", reach.variable?)),
        _ => None,
    })
}

/// Returns a warning for every variable that looks like ours and is not.
pub(super) fn unknown(variables: &Variables<'_>) -> Vec<String> {
    let files: Vec<String> = secret_files().collect();
    let known: Vec<&str> =
        settings().map(|(name, _)| name).chain([CONFIG]).chain(files.iter().map(String::as_str)).collect();
    let unknown = variables.names(PREFIX).into_iter().filter(|name| !known.contains(name));
    let warn = |name: &str| match nearest(name, known.iter().copied()) {
        Some(meant) => format!("environment: {name} is not a variable of gitfleet; did you mean {meant}?"),
        None => format!("environment: {name} is not a variable of gitfleet and has no effect"),
    };
    unknown.map(warn).collect()
}
