//! The words, by what they say. Each list is written in base forms; words are compared by their stems.
//!
//! A leading verb says most: `Add`, `Fix`, `Rename`. Its object can turn it: who adds a test or fixes a typo neither
//! brings a feature nor repairs a fault. Elsewhere a word counts less, and symptoms (`fails`, `wrong`) count most.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::Kind::{self, Adaptive, Corrective, Perfective};
use super::tokens::stem;

/// What a word says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sense {
    pub word: &'static str,
    pub kind: Kind,
    pub category: &'static str,
    pub weight: i32,
}

/// Words of one weight and meaning, separated by blanks.
struct Group(&'static str, Kind, &'static str, i32);

/// Verbs, and nouns used as such, at the head of a subject.
const LEAD: &[Group] = &[
    Group("fix fixup bugfix hotfix bug fixe quickfix fixs", Corrective, "fix", 11),
    Group("correct repair resolve solve prevent revert rollback undo restore", Corrective, "fix", 9),
    Group(
        "avoid handle ensure guard protect workaround patch catch recover forget forgot",
        Corrective,
        "fix",
        7,
    ),
    Group(
        "escape sanitize sanitise tolerate respect honor honour preserve retry stop dont",
        Corrective,
        "fix",
        6,
    ),
    Group("properly correctly actually never npe crash exception fail", Corrective, "fix", 7),
    Group("check validate verify ignore skip synchronize close flush reset treat", Corrective, "fix", 4),
    Group("implement impl support introduce", Adaptive, "feature", 11),
    Group("add", Adaptive, "feature", 9),
    Group("allow enable expose permit initial create provide integrate", Adaptive, "feature", 9),
    Group("new extend adapt accept port offer configurable ability option", Adaptive, "feature", 7),
    Group(
        "include register show display start begin basic propagate define publish preliminary",
        Adaptive,
        "feature",
        5,
    ),
    Group("first send let emit print return parse generate", Adaptive, "feature", 4),
    Group(
        "refactor refactoring rename move extract inline simplify restructure reorganize reorganise rework",
        Perfective,
        "refactor",
        10,
    ),
    Group(
        "rewrite rewrote convert unify consolidate encapsulate decouple isolate rearrange reorder generify",
        Perfective,
        "refactor",
        9,
    ),
    Group(
        "remove delete drop eliminate rid removal unused deprecate deprecation dead obsolete",
        Perfective,
        "refactor",
        9,
    ),
    Group(
        "replace migrate switch migration reuse factor separate split hide merge pull push deduplicate",
        Perfective,
        "refactor",
        7,
    ),
    Group(
        "clean cleanup cleanups cleaner tidy polish cosmetic cosmetics nit nits cleaning",
        Perfective,
        "chore",
        10,
    ),
    Group(
        "format reformat formatting indent indentation whitespace checkstyle style import imports warning warnings",
        Perfective,
        "style",
        9,
    ),
    Group(
        "document documentation doc docs javadoc javadocs comment readme clarify typo typos copyright license",
        Perfective,
        "docs",
        10,
    ),
    Group("changelog spelling wording reword", Perfective, "docs", 10),
    Group("test tests testcase unittest cover coverage testing", Perfective, "test", 9),
    Group(
        "optimize optimise optimization optimizations speed performance faster perf cache",
        Perfective,
        "perf",
        9,
    ),
    Group(
        "improve improvement improvements enhance enhancement tweak better minimize reduce lazy lazily",
        Perfective,
        "refactor",
        7,
    ),
    Group("upgrade bump", Perfective, "dependency", 8),
    Group("update", Perfective, "chore", 6),
    Group("release prepare version", Perfective, "release", 7),
    Group("use using prefer apply rely unignore suppress annotate", Perfective, "refactor", 6),
    Group(
        "change modify adjust align set make turn put get mark increase decrease minor misc various shorten sort",
        Perfective,
        "chore",
        4,
    ),
    Group(
        "disable pass keep call delegate store expand note bring finish more further temporary temporarily",
        Perfective,
        "chore",
        3,
    ),
    Group("build gradle maven pom travis ci", Perfective, "build", 6),
    Group("log logging debug", Perfective, "chore", 5),
    Group(
        "todo notnull nullable nullability diagnostic diagnostics intention final",
        Perfective,
        "refactor",
        6,
    ),
];

/// Words anywhere in a subject, and with less weight in a body.
const ANYWHERE: &[Group] = &[
    Group("fix hotfix bugfix fixup", Corrective, "fix", 7),
    Group(
        "bug npe crash deadlock hang regression stuck stackoverflow ioobe aioobe soe cce oom",
        Corrective,
        "fix",
        8,
    ),
    Group("incorrect incorrectly wrong wrongly broken corrupt corruption defect leak", Corrective, "fix", 8),
    Group("fail failure race cannot cant doesnt isnt arent wont didnt wasnt lost lose", Corrective, "fix", 6),
    Group("break problem break broke infinite flaky unable improperly inconsistent", Corrective, "fix", 6),
    Group("missing missed forgotten unexpected invalid workaround prevent avoid", Corrective, "fix", 4),
    Group(
        "exception error issue overflow illegal dont properly stale timeout mistake mistakenly",
        Corrective,
        "fix",
        4,
    ),
    Group(
        "should correctly ensure null hung glitch blink interrupted unnecessarily needless",
        Corrective,
        "fix",
        3,
    ),
    Group("not never resolve handle correct without too", Corrective, "fix", 2),
    Group("support ability", Adaptive, "feature", 6),
    Group("implement implementation feature functionality introduce", Adaptive, "feature", 5),
    Group(
        "allow enable add configurable option new initial custom pluggable provide",
        Adaptive,
        "feature",
        3,
    ),
    Group("able now extension api", Adaptive, "feature", 2),
    Group(
        "refactor refactoring cleanup unused redundant typo javadoc readme changelog copyright formatting",
        Perfective,
        "refactor",
        7,
    ),
    Group(
        "simplify unnecessary obsolete rename documentation optimization performance checkstyle whitespace",
        Perfective,
        "refactor",
        5,
    ),
    Group(
        "remove clean move extract license deprecated warning comment style naming coverage",
        Perfective,
        "refactor",
        4,
    ),
    Group(
        "improve improvement optimize test simplification polish inline reuse duplication minor notnull",
        Perfective,
        "refactor",
        3,
    ),
    Group("doc version instead update internal todo code", Perfective, "chore", 2),
];

/// Word groups, anywhere, in lower case, compared with the text whose signs are blanks.
pub(super) const PHRASES: &[(&str, Kind, &str, i32)] = &[
    ("does not", Corrective, "fix", 5),
    ("do not", Corrective, "fix", 4),
    ("did not", Corrective, "fix", 5),
    ("is not", Corrective, "fix", 4),
    ("are not", Corrective, "fix", 4),
    ("was not", Corrective, "fix", 5),
    ("not being", Corrective, "fix", 5),
    ("not work", Corrective, "fix", 6),
    ("doesn t", Corrective, "fix", 6),
    ("don t", Corrective, "fix", 5),
    ("can t", Corrective, "fix", 6),
    ("isn t", Corrective, "fix", 6),
    ("didn t", Corrective, "fix", 6),
    ("could not", Corrective, "fix", 5),
    ("can not", Corrective, "fix", 5),
    ("should not", Corrective, "fix", 4),
    ("must not", Corrective, "fix", 4),
    ("no longer", Corrective, "fix", 2),
    ("make sure", Corrective, "fix", 6),
    ("null pointer", Corrective, "fix", 8),
    ("out of memory", Corrective, "fix", 7),
    ("memory leak", Corrective, "fix", 4),
    ("data loss", Corrective, "fix", 7),
    ("null check", Corrective, "fix", 7),
    ("dead lock", Corrective, "fix", 8),
    ("regression in", Corrective, "fix", 3),
    ("even if", Corrective, "fix", 2),
    ("add support", Adaptive, "feature", 4),
    ("ability to", Adaptive, "feature", 3),
    ("possibility to", Adaptive, "feature", 6),
    ("possible to", Adaptive, "feature", 4),
    ("first version", Adaptive, "feature", 6),
    ("first cut", Adaptive, "feature", 6),
    ("initial implementation", Adaptive, "feature", 6),
    ("work in progress", Adaptive, "feature", 2),
    ("instead of", Perfective, "refactor", 2),
    ("in favor of", Perfective, "refactor", 4),
    ("no functional change", Perfective, "refactor", 12),
    ("get rid of", Perfective, "refactor", 7),
    ("dead code", Perfective, "refactor", 6),
    ("code review", Perfective, "refactor", 3),
    ("clean up", Perfective, "refactor", 5),
    ("speed up", Perfective, "perf", 6),
    ("release notes", Perfective, "docs", 8),
    ("error message", Perfective, "refactor", 3),
    ("unit test", Perfective, "test", 2),
    ("move to", Perfective, "refactor", 1),
    ("public api", Perfective, "refactor", 1),
];

/// Tags in brackets or before a colon that say what a commit is.
const TAGS: &[Group] = &[
    Group("test tests testing", Perfective, "test", 12),
    Group("doc docs documentation javadoc readme changelog", Perfective, "docs", 12),
    Group("build ci travis gradle maven pom release packaging", Perfective, "build", 9),
    Group(
        "refactor refactoring cleanup clean style chore minor trivial polish improvement",
        Perfective,
        "refactor",
        10,
    ),
    Group("perf performance optimization", Perfective, "perf", 10),
    Group("bug bugfix fix fixed hotfix exception regression crash", Corrective, "fix", 9),
    Group("security", Corrective, "security", 9),
    Group("feature feat new", Adaptive, "feature", 7),
    Group("deps dependency dependencies", Perfective, "dependency", 10),
];

/// Objects that turn a verb: what is added, fixed or updated is no function.
const OBJECTS: &[Group] = &[
    Group(
        "javadoc doc docs documentation comment readme changelog typo copyright license licence spelling grammar",
        Perfective,
        "docs",
        14,
    ),
    Group(
        "wording manual guide tutorial website homepage faq description since author",
        Perfective,
        "docs",
        13,
    ),
    Group("test testcase unittest coverage benchmark assertion", Perfective, "test", 13),
    Group(
        "format indent indentation formatting whitespace spacing checkstyle style warning import lint pmd findbugs",
        Perfective,
        "style",
        14,
    ),
    Group("naming semicolon newline encoding inspection cleanup", Perfective, "style", 12),
    Group(
        "todo notnull nullable override annotation final generics serialversionuid gitignore",
        Perfective,
        "chore",
        12,
    ),
    Group("log logging debug trace logger diagnostic diagnostics", Perfective, "chore", 11),
    Group("travis jenkins ci pom dependency plugin profile", Perfective, "build", 10),
];

pub(super) type Senses = HashMap<String, Sense>;

fn table(groups: &'static [Group]) -> Senses {
    let mut table = HashMap::new();
    for Group(words, kind, category, weight) in groups {
        for word in words.split(' ') {
            // The first list a stem stands in holds: lists go from what says most to what says least.
            let sense = Sense { word, kind: *kind, category, weight: *weight };
            table.entry(stem(word)).or_insert(sense);
        }
    }
    table
}

pub(super) static LEADS: LazyLock<Senses> = LazyLock::new(|| table(LEAD));
pub(super) static WORDS: LazyLock<Senses> = LazyLock::new(|| table(ANYWHERE));
pub(super) static TAGGED: LazyLock<Senses> = LazyLock::new(|| table(TAGS));
pub(super) static TURNING: LazyLock<Senses> = LazyLock::new(|| table(OBJECTS));

/// Words before the verb that say nothing.
pub(super) const FILLERS: &[&str] = &[
    "a",
    "an",
    "the",
    "some",
    "small",
    "also",
    "just",
    "now",
    "we",
    "i",
    "it",
    "to",
    "quick",
    "another",
    "trying",
    "try",
    "attempt",
    "attempted",
    "and",
    "few",
    "little",
    "slight",
    "slightly",
    "minor",
    "trivial",
    "simple",
    "automatic",
    "automatically",
    "further",
    "finally",
    "really",
    "first",
    "completely",
    "please",
    "have",
    "has",
    "had",
    "do",
    "did",
    "one",
    "other",
    "several",
    "little",
    "many",
    "possible",
    "potential",
    "follow",
    "up",
    "followup",
    "wip",
    "more",
    "hopefully",
    "started",
    "temporarily",
];

/// Verbs that bring something, which their object can turn.
pub(super) const BRINGING: &str = "add create provide introduce implement new include initial more first";

/// Symptoms: who removes or reduces one repairs a fault.
pub(super) const SYMPTOMS: &str =
    "race deadlock leak bug npe exception error crash hang regression failure flakiness contention";

/// What makes a program fit for more.
pub(super) const CONFIGURABLE: &str = "configurable possible pluggable optional extensible customizable";

/// What costs without use: who avoids it makes the program faster.
pub(super) const WASTE: &str = "unnecessary redundant duplicate copy allocation boxing needless";

/// Words after which the object of a verb has ended.
pub(super) const PREPOSITIONS: &[&str] = &[
    "for", "to", "in", "of", "with", "from", "on", "when", "that", "which", "so", "by", "into", "if", "as",
    "and", "at", "after", "before", "during", "because", "since", "while", "via", "using", "but", "where",
];
