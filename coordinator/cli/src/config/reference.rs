//! The table of keys as text for people: the reference in the documentation is this, printed.

use std::fmt::Write;

use super::environment;
use super::key::Status;
use super::keys;
use super::schema::description;

/// Returns the reference of all keys and variables, as Markdown.
pub(crate) fn reference() -> String {
    let mut out = String::from("# Configuration keys\n\n");
    part(&mut out, "Acted on", |status| {
        matches!(status, Status::Acted(_) | Status::Alias(_) | Status::Mixed)
    });
    part(&mut out, "Known, not acted on yet", |status| matches!(status, Status::NotYet));
    part(&mut out, "Known, not acted on, on purpose", |status| matches!(status, Status::OnPurpose(_)));
    out.push_str("## Environment\n\n");
    for (variable, path) in environment::settings() {
        let _ = writeln!(out, "- `{variable}`: {path}");
    }
    let _ = writeln!(out, "- `{}`: the configuration file, as -c", environment::CONFIG);
    out
}

fn part(out: &mut String, title: &str, belongs: impl Fn(Status) -> bool) {
    let _ = writeln!(out, "## {title}\n");
    for placed in keys::every().iter().filter(|placed| belongs(placed.status)) {
        // The second list of repositories has the keys of the first.
        if !placed.path.starts_with("github.repositories[]") {
            let _ = writeln!(out, "- `{}`: {}", placed.path, description(&placed.path, placed.key));
        }
    }
    out.push('\n');
}
