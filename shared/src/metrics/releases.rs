//! Releases, read from tags: which component, which version, in the order of versions and not of dates.
//!
//! Maintenance lines interleave in time (2.50.1 comes out after 2.51.0), so only the order of versions says which
//! release a commit was first in.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;

use super::definition::{Chapter, Definition};
use super::durations::Durations;
use crate::graph::Node;

pub const DEFINITION: Definition = Definition {
    name: "release_cadence",
    title: "Release cadence",
    chapter: Chapter::Flow,
    unit: "releases; days between releases; commits per release",
    formula: "A release is a tag that names a version without pre-release part (or matches releases.tag_pattern) and \
              points to a commit of the analysed history. Time is the tagger's for annotated tags, the commit's for \
              lightweight ones. Releases belong to a component by the text before the version. Days between \
              consecutive releases of a component: median and quartiles (percentile_cont).",
    edges: "Several tags of one component on one commit are one release. Without a release everything is null.",
    source: "Semantic Versioning 2.0.0; CHAOSS Release Frequency",
    parts: "Releases of all repositories are one multiset; percentiles come from all of them.",
    caution: "A library's release is not a deployment.",
};

/// Which tags are releases.
#[derive(Debug, Clone)]
pub struct Rules {
    pattern: Regex,
}

#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    #[error("{pattern:?} is no regular expression: {reason}")]
    Pattern { pattern: String, reason: String },
    #[error(
        "{pattern:?} has no group named \"version\"; write (?<version>...), and (?<component>...) if you like"
    )]
    NoVersion { pattern: String },
}

/// Version numbers after an optional component; words such as `final` end a version, others make it a pre-release.
static USUAL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?i)^(?:(?<component>.*?)[-_/@ ])??(?:v|version[-_ ]?|release[-_ ]?|rel[-_ ]?)?(?<version>\d+(?:[._]\d+){1,3})(?:[.-](?:final|ga|release))?(?:\+[0-9a-z.-]+)?$",
    )
    .expect("a regular expression that the tests use")
});

impl Default for Rules {
    fn default() -> Self {
        Self { pattern: USUAL.clone() }
    }
}

impl Rules {
    /// # Errors
    ///
    /// Where `pattern` is no regular expression, or has no group named `version`.
    pub fn new(pattern: Option<&str>) -> Result<Self, RulesError> {
        let Some(text) = pattern else { return Ok(Self::default()) };
        let pattern = Regex::new(text)
            .map_err(|error| RulesError::Pattern { pattern: text.to_owned(), reason: error.to_string() })?;
        if !pattern.capture_names().flatten().any(|name| name == "version") {
            return Err(RulesError::NoVersion { pattern: text.to_owned() });
        }
        Ok(Self { pattern })
    }

    /// Returns component and version of a tag, or `None` where it is no release.
    pub fn read(&self, tag: &str) -> Option<(String, Version)> {
        let found = self.pattern.captures(tag)?;
        let version = Version::parse(found.name("version")?.as_str())?;
        let component = found.name("component").map_or("", |found| found.as_str());
        // "release-1.2" names no component.
        let is_generic = ["", "v", "release", "releases", "rel", "version", "tag", "tags"]
            .contains(&component.to_ascii_lowercase().as_str());
        Some((if is_generic { String::new() } else { component.to_owned() }, version))
    }
}

/// The numbers of a version, most significant first, without zeros at the end beyond three.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(Vec<u64>);

impl Version {
    /// Reads `1.2`, `1.2.3`, `1_2_3`; shorter ones are filled with zeros.
    pub fn parse(text: &str) -> Option<Self> {
        let mut numbers: Vec<u64> =
            text.split(['.', '_']).map(|part| part.parse().ok()).collect::<Option<_>>()?;
        while numbers.len() < 3 {
            numbers.push(0);
        }
        while numbers.len() > 3 && numbers.last() == Some(&0) {
            numbers.pop();
        }
        Some(Self(numbers))
    }

    /// Returns what a line of maintenance shares: all but the numbers from the third on.
    pub fn line(&self) -> &[u64] {
        &self.0[..2]
    }

    /// Whether it is a later one of its line: its third number, or one behind it, is not 0.
    pub fn is_patch(&self) -> bool {
        self.0[2..].iter().any(|number| *number > 0)
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let numbers: Vec<String> = self.0.iter().map(u64::to_string).collect();
        f.write_str(&numbers.join("."))
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// Empty where the tag names none.
    pub component: String,
    pub version: Version,
    pub tag: String,
    pub node: Node,
    /// UTC seconds.
    pub released: Option<i64>,
}

/// Sorts releases by component, and returns those of each in the order of versions; one per commit.
pub fn by_component(releases: Vec<Release>) -> BTreeMap<String, Vec<Release>> {
    let mut components: BTreeMap<String, Vec<Release>> = BTreeMap::new();
    for release in releases {
        components.entry(release.component.clone()).or_default().push(release);
    }
    for releases in components.values_mut() {
        releases.sort_by(|a, b| (&a.version, &a.tag).cmp(&(&b.version, &b.tag)));
        let mut nodes = std::collections::HashSet::new();
        releases.retain(|release| nodes.insert(release.node));
    }
    components
}

/// Returns the spans between consecutive releases of one component, in the order of their times.
pub fn gaps(releases: &[Release]) -> Durations {
    let mut times: Vec<i64> = releases.iter().filter_map(|release| release.released).collect();
    times.sort_unstable();
    let mut gaps = Durations::default();
    times.windows(2).for_each(|pair| gaps.between(Some(pair[0]), Some(pair[1])));
    gaps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(tag: &str, expect: Option<(&str, &str)>) {
        let found = Rules::default().read(tag);
        let found = found.as_ref().map(|(component, version)| (component.as_str(), version.to_string()));
        assert_eq!(found, expect.map(|(component, version)| (component, version.to_owned())), "{tag}");
    }

    #[test]
    fn tags_of_the_wild() {
        check("v2.51.0", Some(("", "2.51.0")));
        check("v2.51.0-rc1", None);
        check("1.0", Some(("", "1.0.0")));
        check("v1.0.0+build.5", Some(("", "1.0.0")));
        check("v1.26.0.dev0", None);
        check("v1.0b1", None);
        check("tokio-util-0.7.11", Some(("tokio-util", "0.7.11")));
        check("gix-v0.66.1", Some(("gix", "0.66.1")));
        check("@scope/package@1.2.3", Some(("@scope/package", "1.2.3")));
        check("release-1.2.3", Some(("", "1.2.3")));
        check("REL_15_2", Some(("", "15.2.0")));
        check("5.4.0.Final", Some(("", "5.4.0")));
        check("4.0.9.2", Some(("", "4.0.9.2")));
        check("nightly-2026-01-01", None);
        check("v99999999999999999999999.1", None);
        check("latest", None);
    }

    #[test]
    fn versions_are_ordered_by_number() {
        let order = |texts: &[&str]| {
            let mut versions: Vec<Version> = texts.iter().filter_map(|text| Version::parse(text)).collect();
            versions.sort();
            versions.iter().map(Version::to_string).collect::<Vec<_>>()
        };
        assert_eq!(order(&["1.10.0", "1.9.1", "1.9"]), ["1.9.0", "1.9.1", "1.10.0"]);
        assert!(Version::parse("2.50.1").unwrap().is_patch());
        assert!(!Version::parse("2.50").unwrap().is_patch());
        assert_eq!(Version::parse("2.50.1").unwrap().line(), [2, 50]);
    }

    #[test]
    fn a_configured_pattern_takes_the_place_of_the_usual_one() {
        let rules = Rules::new(Some(r"^deploy/(?<component>\w+)/(?<version>\d+\.\d+)$")).unwrap();
        assert_eq!(rules.read("deploy/shop/1.2").unwrap().0, "shop");
        assert_eq!(rules.read("v1.2.3"), None);
        assert!(matches!(Rules::new(Some("v.*")), Err(RulesError::NoVersion { .. })));
        assert!(matches!(Rules::new(Some("(")), Err(RulesError::Pattern { .. })));
    }

    #[test]
    fn one_release_per_commit_and_component() {
        let release = |tag: &str, node| {
            let (component, version) = Rules::default().read(tag).unwrap();
            Release { component, version, tag: tag.to_owned(), node, released: Some(i64::from(node)) }
        };
        let found = by_component(vec![
            release("v1.0.1", 2),
            release("a-1.0.0", 2),
            release("v1.0", 1),
            release("1.0.0", 1),
        ]);
        let tags: Vec<Vec<&str>> =
            found.values().map(|list| list.iter().map(|one| one.tag.as_str()).collect()).collect();
        assert_eq!(tags, [vec!["1.0.0", "v1.0.1"], vec!["a-1.0.0"]]);
        assert_eq!(gaps(&found[""]).median(), Some(1));
    }
}
