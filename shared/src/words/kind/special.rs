//! Subjects that say all in one form: releases, version bumps, dependency updates, reverts, first commits, merges.

use std::sync::LazyLock;

use regex::Regex;

use super::{Kind, Message, Verdict};
use crate::words::patterns::own;

struct Form {
    pattern: Regex,
    kind: Kind,
    category: &'static str,
    rule: &'static str,
}

static FORMS: LazyLock<Vec<Form>> = LazyLock::new(|| {
    let form = |pattern: &str, kind, category, rule| Form { pattern: own(pattern), kind, category, rule };
    vec![
        form(r#"(?i)^(?:revert|reapply)(?:s|ed|ing)?\b"#, Kind::Corrective, "revert", "form.revert"),
        form(r"(?i)^\[maven-release-plugin\]", Kind::Perfective, "release", "form.release-plugin"),
        form(
            r"(?i)^(?:[\w.-]+[ @-])?v?\d+\.\d+(?:\.\d+)*(?:[.-]?(?:final|ga|rc|alpha|beta|m|snapshot|release)[.-]?\d*)?[.!]?$",
            Kind::Perfective,
            "release",
            "form.version",
        ),
        form(
            r"(?i)\bnext development (?:iteration|version|cycle)\b|^(?:prepar\w+|start\w*|cut|tag\w*|begin\w*) (?:for |the |of |a |new )*(?:next |release|v?\d+\.\d+)|^(?:release|releasing|released)\b(?: of| version)?[ :]*[\w.-]*\d|\b(?:bump|bumped|bumping|increment|set|change|update|upgrade)(?:ed|ing|d|s)?(?: \w+){0,3} (?:the )?versions? (?:number )?(?:to|for|from)\b|\bversion bump|\bbump(?:ed|ing|s)? (?:the )?version",
            Kind::Perfective,
            "release",
            "form.release",
        ),
        form(
            r"(?i)^(?:\W*\w+\W+){0,3}?(?:bump|bumps|bumped|upgrade|upgrades|upgraded|upgrading|update|updates|updated|updating) (?:\S+ ){1,6}(?:from \S*\d\S* )?to (?:version |v|\S+ )?\d+(?:\.\d+|\b)",
            Kind::Perfective,
            "dependency",
            "form.dependency",
        ),
        form(
            r"(?i)^(?:initial|first)(?: \w+)? (?:commit|import|check-?in|version|revision|drop|implementation|cut|draft|prototype|support|release)\b",
            Kind::Adaptive,
            "feature",
            "form.initial",
        ),
        form(
            r"(?i)^\W*(?:security|cve)\b[^:]*:|\bCVE-\d{4}-\d+",
            Kind::Corrective,
            "security",
            "form.security",
        ),
    ]
});

static MERGE: LazyLock<Regex> = LazyLock::new(|| {
    own(
        r"^(?:Auto merge of #\d+(?: - \S+,)?(?: r=\S+)?|Merged? (?:pull request #\d+ (?:from|in) \S+|(?:remote-tracking )?branch(?:es)? .*|remote .*|PR \d+:|#\d+|in \S+ \(pull request #\d+\)|commit .*|tag .*|from .*|with .*|.* into \S+$))\s*",
    )
});

/// Returns what a subject says by its form alone.
pub(super) fn of(message: &Message) -> Option<Verdict> {
    let subject = message.subject.trim();
    let form = FORMS.iter().find(|form| form.pattern.is_match(subject))?;
    Some(Verdict::new(form.kind, form.category, 850, form.rule))
}

/// Takes the words of a merge off a subject.
pub(super) fn without_merge(subject: &str) -> &str {
    MERGE.find(subject).map_or(subject, |merge| &subject[merge.end()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_known() {
        let rule = |subject: &str| of(&Message::of(subject)).map(|verdict| verdict.rule);
        for (subject, expect) in [
            ("Revert \"Add x\"", "form.revert"),
            ("[maven-release-plugin] prepare release x-1.2", "form.release-plugin"),
            ("0.1.10", "form.version"),
            ("grep-cli-0.1.6", "form.version"),
            ("Prepare for 0.12.1", "form.release"),
            ("Version bump", "form.release"),
            ("Bump a:b from 1.0 to 1.1", "form.dependency"),
            ("Update dependency a.b:c to v13.8.0", "form.dependency"),
            ("Initial import", "form.initial"),
            ("Fix CVE-2020-1234 in x", "form.security"),
        ] {
            assert_eq!(rule(subject).as_deref(), Some(expect), "{subject}");
        }
        assert_eq!(rule("Release the lock"), None);
        assert_eq!(rule("Fix x"), None);
    }

    #[test]
    fn merges_lose_their_words() {
        assert_eq!(without_merge("Merge pull request #5 from o/fix-x Fix x"), "Fix x");
        assert_eq!(without_merge("Merge branch 'fix-x' into main"), "");
        assert_eq!(without_merge("Merge sort is faster"), "Merge sort is faster");
    }
}
