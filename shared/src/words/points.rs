//! Story points that stand in a message, in hundredths.
//!
//! Unit: hundredths of a point, 0 to 10,000. Only what is said counts; a ticket's points are summed once per ticket by
//! whoever sums, never per commit and never per person. Source: the forms trackers and teams write, `SP: 3` and
//! `[3 sp]`, and SPACE (Forsgren et al. 2021) on why activity of a person is no measure.

use std::sync::LazyLock;

use regex::Regex;

use super::patterns::{BadPattern, compile_all, meant, own};

static SAID: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    vec![
        own(r"(?i)\b(?:story[ _-]?points?|sp)\s*[:=]\s*(\d+(?:\.\d+)?)\b"),
        own(r"(?i)\[\s*(\d+(?:\.\d+)?)\s*sp\s*\]"),
    ]
});

/// More than this is no estimate but another number.
const MOST_HUNDREDTHS: u32 = 10_000;

/// Where points are looked for.
#[derive(Debug, Clone)]
pub struct Points {
    patterns: Option<Vec<Regex>>,
}

impl Points {
    /// Compiles configured patterns, which take the place of the built-in ones; an empty list leaves those.
    pub fn compile(patterns: &[String]) -> Result<Self, BadPattern> {
        let compiled = compile_all("story_point_patterns", patterns)?;
        Ok(Self { patterns: (!compiled.is_empty()).then_some(compiled) })
    }

    /// Returns the first number that a pattern finds, patterns in order. `None` is not zero: nothing was said.
    pub fn find(&self, text: &str) -> Option<u32> {
        let patterns = self.patterns.as_deref().unwrap_or(&SAID);
        patterns.iter().find_map(|pattern| {
            pattern.captures_iter(text).find_map(|captures| hundredths(meant(&captures).as_str()))
        })
    }
}

/// Reads a decimal number, rounding its third decimal half up.
fn hundredths(number: &str) -> Option<u32> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let whole: u32 = whole.parse().ok()?;
    let digit = |at: usize| fraction.as_bytes().get(at).map_or(0, |byte| u32::from(byte - b'0'));
    let part = digit(0) * 10 + digit(1) + u32::from(digit(2) >= 5);
    whole.checked_mul(100)?.checked_add(part).filter(|points| *points <= MOST_HUNDREDTHS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: Option<u32>) {
        assert_eq!(Points::compile(&[]).unwrap().find(text), expect, "{text}");
    }

    #[test]
    fn the_built_in_forms() {
        check("Add login [3 SP]", Some(300));
        check("Add login\n\nStory points: 2.5", Some(250));
        check("sp=0.125", Some(13));
        check("storypoint : 8", Some(800));
        check("SP: 0", Some(0));
    }

    #[test]
    fn what_says_nothing() {
        for text in ["wasp: 3", "SP 3", "step: 3", "SP: 101", "SP: 99999999999", "[sp]", ""] {
            check(text, None);
        }
    }

    #[test]
    fn configured_patterns_take_their_place() {
        let points = Points::compile(&[r"estimate (\d+)".to_owned()]).unwrap();
        assert_eq!(points.find("SP: 3, estimate 5"), Some(500));
        assert_eq!(points.find("SP: 3"), None);
        let error = Points::compile(&["ok".to_owned(), "(".to_owned()]).unwrap_err();
        assert_eq!(error.to_string(), "story_point_patterns[1]: \"(\" is no regular expression");
    }
}
