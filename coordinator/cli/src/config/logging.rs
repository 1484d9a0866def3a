//! The log, as the configuration says it; the handlers of GitFlow Analytics are read where they mean the same.

use std::path::Path;

use serde_json::Value;
use tracing_subscriber::filter::LevelFilter;

use super::merge::Merge;
use super::origin::Origin;
use super::problem::{Problem, ProblemKind};
use crate::render::log::{LogFile, Logging, levels};

const MAX_MIB: u64 = 100;
const KEEP: u64 = 5;
/// Where the system's log listens.
const SYSTEM: &str = "/dev/log";

pub(super) fn settle(merge: &mut Merge<'_>) -> Logging {
    let mut logging = Logging::default();
    if let Some((text, origin)) = merge.text("logging.level") {
        match levels(&text) {
            Ok((level, targets)) => (logging.level, logging.targets) = (level, targets),
            Err(word) => no_level(merge, origin, "logging.level", &word),
        }
    }
    if let Some((text, origin)) = merge.text("logging.format") {
        match text.as_str() {
            "json" => logging.json = true,
            "text" => {}
            // A pattern of the original is for eyes, and so is our text.
            pattern if pattern.contains("%(") => {}
            other => {
                let wrong = format!("{} is not one of text, json", super::problem::quote(other));
                merge.problems.push(Problem::new(ProblemKind::Value, origin, "logging.format", wrong));
            }
        }
    }
    if let Some((tree, origin)) = merge.tree("logging.targets") {
        logging.targets.extend(targets(merge, &tree, &origin));
    }
    if let Some((tree, origin)) = merge.tree("logging.file") {
        file(merge, &tree, &origin, "logging.file", &mut logging);
    }
    if let Some((text, origin)) = merge.text("logging.syslog") {
        logging.syslog = match text.to_ascii_lowercase().as_str() {
            "false" | "no" | "off" | "none" => None,
            "true" | "yes" | "on" => Some(SYSTEM.into()),
            _ => merge.absolute(Path::new(&text), &origin, "logging.syslog"),
        };
    }
    if let Some((tree, origin)) = merge.tree("logging.handlers") {
        handlers(merge, &tree, &origin, &mut logging);
    }
    logging
}

fn targets(merge: &mut Merge<'_>, tree: &Value, origin: &Origin) -> Vec<(String, LevelFilter)> {
    let Some(map) = tree.as_object() else {
        wrong(merge, origin, "logging.targets", "this is not a mapping from part to level");
        return Vec::new();
    };
    let mut targets = Vec::new();
    for (target, level) in map {
        match levels(level.as_str().unwrap_or_default()) {
            Ok((Some(level), none)) if none.is_empty() => targets.push((target.clone(), level)),
            _ => no_level(merge, origin.clone(), "logging.targets", &level.to_string()),
        }
    }
    targets
}

/// Reads handlers as a mapping from kind to settings, or as a list of settings with a `type`.
fn handlers(merge: &mut Merge<'_>, tree: &Value, origin: &Origin, logging: &mut Logging) {
    let listed: Vec<(String, &Value)> = match tree {
        Value::Object(map) => map.iter().map(|(kind, of)| (kind.clone(), of)).collect(),
        Value::Array(list) => list
            .iter()
            .map(|of| {
                (of.get("type").or(Some(of)).and_then(Value::as_str).unwrap_or_default().to_owned(), of)
            })
            .collect(),
        other => vec![(other.as_str().unwrap_or_default().to_owned(), &Value::Null)],
    };
    for (kind, of) in listed {
        match kind.to_ascii_lowercase().as_str() {
            "file" => file(merge, of, origin, "logging.handlers", logging),
            "syslog" => logging.syslog = logging.syslog.take().or_else(|| Some(SYSTEM.into())),
            // stderr is written to in any case.
            "console" | "stream" | "stderr" => {}
            _ => {
                let said = format!("{} is no handler", super::problem::quote(&kind));
                wrong(
                    merge,
                    origin,
                    "logging.handlers",
                    &format!("{said}; there are file, syslog and console"),
                );
            }
        }
    }
}

/// Reads a file with its size and the number of full ones, in our words or in those of the original.
fn file(merge: &mut Merge<'_>, of: &Value, origin: &Origin, key: &str, logging: &mut Logging) {
    let field = |names: &[&str]| names.iter().find_map(|name| of.get(name));
    let Some(path) = field(&["path", "filename", "file"]).and_then(Value::as_str) else {
        wrong(merge, origin, key, "this names no file: write {path: gitfleet.log, max_mib: 100, keep: 5}");
        return;
    };
    let Some(path) = merge.absolute(Path::new(path), origin, key) else { return };
    let mib = |value: &Value| number(value).and_then(|mib| mib.checked_mul(1 << 20));
    let max_bytes = match (field(&["max_mib"]), field(&["max_size", "maxBytes", "max_bytes"])) {
        (Some(size), _) => mib(size),
        (None, Some(size)) => bytes(size),
        (None, None) => Some(MAX_MIB << 20),
    };
    let keep = field(&["keep", "backup_count", "backupCount"]).map_or(Some(KEEP), number);
    match (max_bytes.filter(|bytes| *bytes > 0), keep.and_then(|keep| u32::try_from(keep).ok())) {
        (Some(max_bytes), Some(keep)) if logging.file.is_none() => {
            logging.file = Some(LogFile { path, max_bytes, keep });
        }
        (Some(_), Some(_)) => wrong(merge, origin, key, "logging.file names a file already"),
        _ => wrong(merge, origin, key, "a size is as 10MB, or max_mib: 10, and a count is a whole number"),
    }
}

fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())
}

/// Reads a size as a number of bytes, or with a unit as `10MB`, `10 MiB`, `1G`; units are of 1,024.
fn bytes(value: &Value) -> Option<u64> {
    if let Some(bytes) = number(value) {
        return Some(bytes);
    }
    let text = value.as_str()?.trim().to_ascii_lowercase();
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (count, unit) = text.split_at(digits);
    let shift = match unit.trim().trim_end_matches('b').trim_end_matches('i') {
        "" => 0,
        "k" => 10,
        "m" => 20,
        "g" => 30,
        _ => return None,
    };
    count.parse::<u64>().ok()?.checked_mul(1 << shift)
}

fn no_level(merge: &mut Merge<'_>, origin: Origin, key: &str, word: &str) {
    let wrong = format!("{} is no level", super::problem::quote(word));
    let problem = Problem::new(ProblemKind::Value, origin, key, wrong);
    merge.problems.push(problem.hint("there are off, error, warn, info, debug and trace"));
}

fn wrong(merge: &mut Merge<'_>, origin: &Origin, key: &str, wrong: &str) {
    merge.problems.push(Problem::new(ProblemKind::Value, origin.clone(), key, wrong.to_owned()));
}
