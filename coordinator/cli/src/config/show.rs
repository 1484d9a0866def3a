//! `gitfleet config show`: the merged configuration, every value with its origin, in a form that can be read back.

use std::fmt::Write;

use super::Loaded;
use super::key::Kind;
use super::keys;
use super::merge::Line;
use super::origin::Origin;

/// The column of the origins, where the values leave room.
const REMARK_COLUMN: usize = 44;

/// Returns the merged settings as YAML. Secrets are masked.
pub(crate) fn show(loaded: &Loaded) -> String {
    let mut out = String::new();
    if !loaded.lines.iter().any(|line| line.path.starts_with("repositories")) {
        out.push_str("# no repositories are configured\n");
    }
    let mut current = "";
    for line in &loaded.lines {
        let (section, key) = line.path.rsplit_once('.').unwrap_or(("", &line.path));
        let begins_section = section != current;
        let (list, member) = section.split_once('[').map_or((section, false), |(list, _)| (list, true));
        if begins_section && !section.is_empty() && current.split('[').next() != Some(list) {
            let _ = writeln!(out, "{list}:");
        }
        current = section;
        let indent = match (section.is_empty(), member, begins_section) {
            (true, _, _) => "",
            (false, false, _) => "  ",
            (false, true, true) => "  - ",
            (false, true, false) => "    ",
        };
        let shown = format!("{indent}{key}: {}", value(line));
        let _ = writeln!(out, "{shown:<REMARK_COLUMN$} # {}", one_line(&remark(line)));
    }
    out
}

fn value(line: &Line) -> String {
    let Some(value) = &line.value else { return "null".to_owned() };
    if line.path == "output.formats" {
        return format!("[{value}]");
    }
    if matches!(keys::kind(&line.path), Some(Kind::Map | Kind::Any)) {
        // What is a tree in JSON is one in YAML. A dollar is read as a variable's.
        return value.replace('$', "$$");
    }
    let safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | '+' | '@');
    let word = value.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '/') && value.chars().all(safe);
    // A word that YAML would take for something else keeps its quotes, and so does a version.
    let special =
        matches!(value.as_str(), "null" | "true" | "false" | "yes" | "no" | "on" | "off" | "1.0" | "1");
    let kind_is_text = !matches!(keys::kind(&line.path), Some(Kind::Switch));
    if word && !(special && kind_is_text) {
        return value.clone();
    }
    // A string of JSON is one of YAML.
    serde_json::Value::from(value.as_str()).to_string()
}

/// Names the origin, and for a default that is no value what it means.
fn remark(line: &Line) -> String {
    match (&line.value, &line.origin) {
        (None, Origin::Default) => format!("default: {}", keys::acted(&line.path).1.default),
        (_, origin) => origin.to_string(),
    }
}

/// Keeps a strange file name from ending the comment it stands in.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
