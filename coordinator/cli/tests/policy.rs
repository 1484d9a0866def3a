//! The walls of the house and the dependency policy, asked of cargo, offline.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Edges that must not exist, direct or through others.
const FORBIDDEN: &[(&str, &str, &str)] = &[
    ("gitfleet-worker", "sqlx-core", "the worker knows no SQL"),
    ("gitfleet-worker", "gitfleet-coordinator", "the worker does not know who asks"),
    ("gitfleet-coordinator", "gix", "the coordinator knows no git"),
    ("gitfleet-coordinator", "gitfleet-worker", "the coordinator does not know who works"),
    ("gitfleet-shared", "gix", "the shared language knows no git"),
    ("gitfleet-shared", "sqlx-core", "the shared language knows no SQL"),
    ("gitfleet-shared", "gitfleet-worker", "dependencies point one way"),
    ("gitfleet-shared", "gitfleet-coordinator", "dependencies point one way"),
];

/// Modules that are adapters, and the one file beside themselves that may name them.
const ADAPTERS: &[&str] =
    &["queue::in_process", "cache::embedded", "store::sqlite", "store::postgres", "NoCache"];
const WIRING: &str = "coordinator/cli/src/wiring.rs";

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).canonicalize().unwrap().leak()
}

fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--offline", "--locked", "--format-version", "1", "--filter-platform"])
        .arg("x86_64-unknown-linux-gnu")
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Names and versions by package id, and the edges that end up in binaries.
struct Graph {
    names: HashMap<String, (String, String)>,
    edges: HashMap<String, Vec<String>>,
}

impl Graph {
    fn read(metadata: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let names = metadata["packages"].as_array().unwrap().iter();
        let names = names.map(|p| (text(&p["id"]), (text(&p["name"]), text(&p["version"])))).collect();
        let mut edges: HashMap<String, Vec<String>> = HashMap::new();
        for node in metadata["resolve"]["nodes"].as_array().unwrap() {
            for dependency in node["deps"].as_array().unwrap() {
                let kinds = dependency["dep_kinds"].as_array().unwrap();
                if kinds.iter().any(|kind| kind["kind"].is_null()) {
                    edges.entry(text(&node["id"])).or_default().push(text(&dependency["pkg"]));
                }
            }
        }
        Self { names, edges }
    }

    fn id(&self, name: &str) -> &str {
        self.names.iter().find(|(_, (known, _))| known == name).map(|(id, _)| id).unwrap()
    }

    /// Ids of everything `name` is built from.
    fn below(&self, name: &str) -> BTreeSet<&str> {
        let mut seen = BTreeSet::new();
        let mut waiting = vec![self.id(name)];
        while let Some(id) = waiting.pop() {
            if seen.insert(id) {
                waiting.extend(self.edges.get(id).into_iter().flatten().map(String::as_str));
            }
        }
        seen
    }
}

/// A feature of our own that lets a process be told to fail.
const FAULTS: &str = "faults";

#[test]
fn no_build_for_users_can_be_told_to_fail() {
    let metadata = metadata();
    let mut with_it = Vec::new();
    for package in metadata["packages"].as_array().unwrap() {
        let (name, features) = (package["name"].as_str().unwrap(), package["features"].as_object().unwrap());
        if !name.starts_with("gitfleet") || !features.contains_key(FAULTS) {
            continue;
        }
        with_it.push(name);
        // No other feature brings it, `default` not to be forgotten.
        for (feature, brings) in features {
            let brings = brings.as_array().unwrap().iter().map(|brought| brought.as_str().unwrap());
            let faulty = brings.into_iter().any(|brought| brought.split('/').next_back() == Some(FAULTS));
            assert!(!faulty || feature == FAULTS, "{name}: the feature {feature} brings {FAULTS}");
        }
        // Nor does a dependency on it.
        for dependency in package["dependencies"].as_array().unwrap() {
            let asked = dependency["features"].as_array().unwrap();
            assert!(!asked.iter().any(|feature| feature == FAULTS), "{name} always has {FAULTS}");
        }
    }
    with_it.sort_unstable();
    assert_eq!(with_it, ["gitfleet", "gitfleet-coordinator", "gitfleet-shared", "gitfleet-worker"]);
    // What a plain build of everything resolves to, which is what is released.
    for node in metadata["resolve"]["nodes"].as_array().unwrap() {
        let features = node["features"].as_array().unwrap();
        let ours = node["id"].as_str().unwrap().starts_with("path+");
        assert!(!ours || !features.iter().any(|feature| feature == FAULTS), "{} has {FAULTS}", node["id"]);
    }
}

fn policy() -> toml::Table {
    std::fs::read_to_string(root().join("deny.toml")).unwrap().parse().unwrap()
}

fn texts(value: &toml::Value) -> BTreeSet<String> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_walls_stand() {
    let graph = Graph::read(&metadata());
    for (from, to, why) in FORBIDDEN {
        // A name that nobody has would make the wall a picture of a wall.
        let to_id = graph.id(to);
        assert!(!graph.below(from).contains(to_id), "{from} reaches {to}: {why}");
    }
    assert!(graph.below("gitfleet").contains(graph.id("gix")), "the question itself works");
}

#[test]
fn only_the_wiring_names_adapters() {
    let mut waiting = vec![root().join("shared/src"), root().join("worker/src"), root().join("coordinator")];
    let mut named = 0;
    while let Some(path) = waiting.pop() {
        if path.is_dir() && path.file_name().is_none_or(|name| name != "tests") {
            waiting.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let file = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
        let source = std::fs::read_to_string(&path).unwrap();
        for adapter in ADAPTERS {
            let own_file = file.contains(&adapter.replace("::", "/")) || file == "shared/src/cache.rs";
            if source.contains(adapter) && !own_file {
                assert_eq!(file, WIRING, "{file} names the adapter {adapter}");
                named += 1;
            }
        }
    }
    assert_eq!(named, ADAPTERS.len(), "the wiring names them all, so the search finds them");
}

#[test]
fn licences_are_among_the_allowed() {
    let metadata = metadata();
    let graph = Graph::read(&metadata);
    let built = graph.below("gitfleet");
    let allowed = texts(&policy()["licenses"]["allow"]);
    let mut wrong = Vec::new();
    for package in metadata["packages"].as_array().unwrap() {
        if !built.contains(package["id"].as_str().unwrap()) {
            continue;
        }
        let licence = package["license"].as_str().unwrap_or_default();
        if !satisfied(licence, &allowed) {
            wrong.push(format!("{} {}: {licence:?}", package["name"], package["version"]));
        }
    }
    assert!(wrong.is_empty(), "licences outside deny.toml:\n{}", wrong.join("\n"));
}

/// Whether an SPDX expression can be met with the allowed licences. `/` is how old manifests write OR.
fn satisfied(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let expression = expression.trim();
    if allowed.contains(expression) {
        return true;
    }
    let whole = |text: &str| text.starts_with('(') && text.find(')') == Some(text.len() - 1);
    if whole(expression) {
        return satisfied(&expression[1..expression.len() - 1], allowed);
    }
    if let Some(parts) = split(expression, " AND ") {
        return parts.iter().all(|part| satisfied(part, allowed));
    }
    for or in [" OR ", "/"] {
        if let Some(parts) = split(expression, or) {
            return parts.iter().any(|part| satisfied(part, allowed));
        }
    }
    false
}

/// Splits at `by` outside brackets; `None` where it does not stand there.
fn split<'a>(text: &'a str, by: &str) -> Option<Vec<&'a str>> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0, 0);
    for (position, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ if depth == 0 && text[position..].starts_with(by) && position >= start => {
                parts.push(&text[start..position]);
                start = position + by.len();
            }
            _ => {}
        }
    }
    (!parts.is_empty()).then(|| {
        parts.push(&text[start..]);
        parts
    })
}

#[test]
fn expressions_are_read() {
    let allowed: BTreeSet<String> = ["MIT".to_owned(), "Zlib".to_owned()].into();
    for (expression, expect) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("GPL-3.0 OR MIT", true),
        ("GPL-3.0/MIT", true),
        ("MIT AND GPL-3.0", false),
        ("(MIT OR GPL-3.0) AND Zlib", true),
        ("(MIT OR Zlib) AND GPL-3.0", false),
        ("", false),
    ] {
        assert_eq!(satisfied(expression, &allowed), expect, "{expression}");
    }
}

#[test]
fn no_crate_is_banned_or_there_twice() {
    let graph = Graph::read(&metadata());
    let policy = policy();
    let built: Vec<&(String, String)> =
        graph.below("gitfleet").into_iter().map(|id| &graph.names[id]).collect();
    for banned in policy["bans"]["deny"].as_array().unwrap() {
        let name = banned["crate"].as_str().unwrap();
        let instead = banned["use-instead"].as_str().unwrap();
        assert!(built.iter().all(|(built, _)| built != name), "{name} is banned; use {instead}");
    }
    let skipped: BTreeSet<String> = policy["bans"]["skip"]
        .as_array()
        .unwrap()
        .iter()
        .map(|skip| skip["crate"].as_str().unwrap().to_owned())
        .collect();
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, version) in built {
        versions.entry(name).or_default().push(version);
    }
    let twice: BTreeMap<&str, Vec<&str>> =
        versions.into_iter().filter(|(_, versions)| versions.len() > 1).collect();
    let unexpected: Vec<_> = twice.iter().filter(|(name, _)| !skipped.contains(**name)).collect();
    assert!(unexpected.is_empty(), "several versions of: {unexpected:?}");
    let outdated: Vec<_> = skipped.iter().filter(|name| !twice.contains_key(name.as_str())).collect();
    assert!(outdated.is_empty(), "deny.toml skips what is there once: {outdated:?}");
}
