//! What kind of file a path is: source, or something that is left out of "source" and why.

use std::collections::HashMap;

use gitfleet_shared::contract::{AttributesFile, TipFile};
use gitfleet_shared::facts::CommitFacts;
use gitfleet_shared::metrics::language;
use gitfleet_shared::paths::PathClass;
use gitfleet_shared::paths::attributes::Attributes;

/// Why a file is no source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Outside {
    Configured,
    Vendored,
    Generated,
    Documentation,
}

impl Outside {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Configured => "configured",
            Self::Vendored => "vendored",
            Self::Generated => "generated",
            Self::Documentation => "documentation",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Class {
    pub(super) outside: Option<Outside>,
    pub(super) is_documentation: bool,
    pub(super) is_test: bool,
    pub(super) language: String,
    /// Of a language that is written by people to be run or shown.
    is_code: bool,
}

impl Class {
    pub(super) fn is_source(&self) -> bool {
        self.outside.is_none() && self.is_code
    }
}

/// The classes of all paths of a repository.
pub(super) struct Classes {
    of: HashMap<Vec<u8>, Class>,
    unknown: Class,
}

/// What decides.
struct Rules {
    attributes: Attributes,
    excluded: Attributes,
}

impl Classes {
    pub(super) fn of_repository(
        attributes: &[AttributesFile],
        exclude: &[String],
        commits: &[CommitFacts],
        tip: &[TipFile],
    ) -> Self {
        let files = attributes.iter().map(|file| (file.directory.as_slice(), file.content.as_slice()));
        // A pattern of the configuration means what the same pattern means in .gitattributes.
        let lines: String = exclude.iter().map(|pattern| format!("{pattern} linguist-vendored\n")).collect();
        let rules = Rules {
            attributes: Attributes::of_files(files),
            excluded: Attributes::of_files([(&b""[..], lines.as_bytes())]),
        };
        let mut of = HashMap::new();
        // A file that says of itself that it is generated was so at the tip at least.
        for file in tip {
            of.entry(file.path.clone()).or_insert_with(|| rules.class(&file.path, file.head_says_generated));
        }
        let changed = commits.iter().flat_map(|commit| &commit.files).map(|change| &change.path);
        // A merge may bring a file that no other commit has.
        let merged = commits.iter().flat_map(|commit| &commit.merged).map(|merged| &merged.path);
        for path in changed.chain(merged) {
            if !of.contains_key(path) {
                of.insert(path.clone(), rules.class(path, false));
            }
        }
        Self { of, unknown: rules.class(b"", false) }
    }

    /// `path` is one of the repository's; any other is of no known language, and no source.
    pub(super) fn of(&self, path: &[u8]) -> &Class {
        self.of.get(path).unwrap_or(&self.unknown)
    }
}

impl Rules {
    fn class(&self, path: &[u8], says_generated: bool) -> Class {
        let said = self.attributes.said(path);
        let by_path = PathClass::of(path);
        let by_head = PathClass { generated: by_path.generated || says_generated, ..by_path };
        let class = by_head.overruled(&said);
        let outside = if self.excluded.said(path).vendored == Some(true) {
            Some(Outside::Configured)
        } else if class.vendored {
            Some(Outside::Vendored)
        } else if class.generated {
            Some(Outside::Generated)
        } else if class.documentation {
            Some(Outside::Documentation)
        } else {
            None
        };
        let language = said.language.unwrap_or_else(|| language::of_path(path).to_owned());
        Class {
            outside,
            is_documentation: class.documentation,
            is_test: class.test,
            is_code: said.detectable.unwrap_or_else(|| language::is_code(&language)),
            language,
        }
    }
}
