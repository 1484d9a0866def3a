//! Languages, by file name: a first picture that needs no content.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use super::definition::{Chapter, Definition};
use super::sums::LineSums;
use super::{Observation, Partial};

pub const BY_CHANGE: Definition = Definition {
    name: "languages_by_change",
    title: "Languages by change",
    chapter: Chapter::Activity,
    unit: "commits; lines",
    formula: "Changed files and lines of non-merge commits by the language of the file's name at that commit.",
    edges: "Names and extensions that are not known are Other; of an extension of several languages the most used one.",
    source: "extensions as github-linguist has them",
    parts: "Sums add up.",
    caution: "Says what was written on, and not what there is.",
};

pub const AT_TIP: Definition = Definition {
    name: "languages_at_tip",
    title: "Languages at the tip",
    chapter: Chapter::Activity,
    unit: "bytes",
    formula: "Bytes of source files at the tip by language; vendored, generated and documentation files, data and prose are \
              left out; .gitattributes (linguist-*) decide where they say something.",
    edges: "By name and extension: what linguist tells by content (two languages of one extension) is one here.",
    source: "github-linguist",
    parts: "Bytes add up.",
    caution: "Generated files that nobody marks weigh most.",
};

/// What stands for files of no known language.
pub const OTHER: &str = "Other";

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Languages(pub BTreeMap<&'static str, LanguageSums>);

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LanguageSums {
    /// Non-merge commits that touch the language.
    pub commits: u64,
    pub lines: LineSums,
}

impl Languages {
    pub fn observe(&mut self, seen: &Observation) {
        if seen.commit.is_merge {
            return;
        }
        for (language, lines) in &seen.commit.files.languages {
            let sums = self.0.entry(language).or_default();
            sums.commits += 1;
            sums.lines.merge(*lines);
        }
    }
}

impl Partial for Languages {
    fn merge(&mut self, other: Self) {
        for (language, sums) in other.0 {
            let mine = self.0.entry(language).or_default();
            mine.commits += sums.commits;
            mine.lines.merge(sums.lines);
        }
    }
}

/// Returns the language of a file by its name or extension, or [`OTHER`].
pub fn of_path(path: &[u8]) -> &'static str {
    let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    let Ok(name) = std::str::from_utf8(name) else { return OTHER };
    if let Some((_, language)) = NAMES.iter().find(|(known, _)| *known == name) {
        return language;
    }
    let Some((_, extension)) = name.rsplit_once('.') else { return OTHER };
    let extension = extension.to_ascii_lowercase();
    EXTENSIONS
        .binary_search_by_key(&extension.as_str(), |(known, _)| known)
        .map_or(OTHER, |index| EXTENSIONS[index].1)
}

/// Whether a language is one of programs or markup, which linguist counts, and not of data or prose.
pub fn is_code(language: &str) -> bool {
    const DATA_AND_PROSE: [&str; 13] = [
        "AsciiDoc",
        "CSV",
        "Gettext Catalog",
        "INI",
        "JSON",
        "Jupyter Notebook",
        "Markdown",
        OTHER,
        "SVG",
        "TOML",
        "Text",
        "XML",
        "YAML",
    ];
    language != "reStructuredText" && !DATA_AND_PROSE.contains(&language)
}

/// All languages, ascending. A kept brief names one by its place here; the version of briefs pins the table.
static ALL: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let known = NAMES.iter().chain(EXTENSIONS).map(|(_, language)| *language).chain([OTHER]);
    known.collect::<BTreeSet<_>>().into_iter().collect()
});

/// How sums by language are kept.
pub(super) mod numbered {
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer, de::Error as _};

    use super::{ALL, LineSums};

    pub(in super::super) fn serialize<S: Serializer>(
        sums: &[(&'static str, LineSums)],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let number = |language| ALL.binary_search(&language).expect("languages come from the table");
        sums.iter()
            .map(|(language, sums)| (number(*language), *sums))
            .collect::<Vec<_>>()
            .serialize(serializer)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<(&'static str, LineSums)>, D::Error> {
        let named = |(number, sums): (usize, LineSums)| {
            Ok((*ALL.get(number).ok_or_else(|| D::Error::custom("an unknown language"))?, sums))
        };
        Vec::deserialize(deserializer)?.into_iter().map(named).collect()
    }
}

const NAMES: &[(&str, &str)] = &[
    ("BUILD", "Starlark"),
    ("BUILD.bazel", "Starlark"),
    ("CMakeLists.txt", "CMake"),
    ("Dockerfile", "Dockerfile"),
    ("Gemfile", "Ruby"),
    ("Jenkinsfile", "Groovy"),
    ("Makefile", "Makefile"),
    ("Rakefile", "Ruby"),
];

/// Ascending by extension. Where an extension belongs to several languages, the most used one stands.
const EXTENSIONS: &[(&str, &str)] = &[
    ("adoc", "AsciiDoc"),
    ("asm", "Assembly"),
    ("awk", "Awk"),
    ("bash", "Shell"),
    ("bat", "Batchfile"),
    ("bzl", "Starlark"),
    ("c", "C"),
    ("cc", "C++"),
    ("cfg", "INI"),
    ("cjs", "JavaScript"),
    ("clj", "Clojure"),
    ("cmake", "CMake"),
    ("cpp", "C++"),
    ("cs", "C#"),
    ("css", "CSS"),
    ("csv", "CSV"),
    ("cxx", "C++"),
    ("dart", "Dart"),
    ("el", "Emacs Lisp"),
    ("erl", "Erlang"),
    ("ex", "Elixir"),
    ("exs", "Elixir"),
    ("fs", "F#"),
    ("go", "Go"),
    ("gradle", "Gradle"),
    ("graphql", "GraphQL"),
    ("groovy", "Groovy"),
    ("h", "C"),
    ("hpp", "C++"),
    ("hrl", "Erlang"),
    ("hs", "Haskell"),
    ("htm", "HTML"),
    ("html", "HTML"),
    ("ini", "INI"),
    ("ipynb", "Jupyter Notebook"),
    ("java", "Java"),
    ("jl", "Julia"),
    ("js", "JavaScript"),
    ("json", "JSON"),
    ("jsx", "JavaScript"),
    ("kt", "Kotlin"),
    ("kts", "Kotlin"),
    ("less", "Less"),
    ("lua", "Lua"),
    ("m", "Objective-C"),
    ("md", "Markdown"),
    ("mjs", "JavaScript"),
    ("mk", "Makefile"),
    ("ml", "OCaml"),
    ("mli", "OCaml"),
    ("mm", "Objective-C++"),
    ("nix", "Nix"),
    ("php", "PHP"),
    ("pl", "Perl"),
    ("pm", "Perl"),
    ("po", "Gettext Catalog"),
    ("proto", "Protocol Buffer"),
    ("ps1", "PowerShell"),
    ("py", "Python"),
    ("pyi", "Python"),
    ("pyx", "Cython"),
    ("r", "R"),
    ("rb", "Ruby"),
    ("rs", "Rust"),
    ("rst", "reStructuredText"),
    ("s", "Assembly"),
    ("sass", "Sass"),
    ("scala", "Scala"),
    ("scss", "SCSS"),
    ("sh", "Shell"),
    ("sol", "Solidity"),
    ("sql", "SQL"),
    ("svelte", "Svelte"),
    ("svg", "SVG"),
    ("swift", "Swift"),
    ("tcl", "Tcl"),
    ("tf", "Terraform"),
    ("toml", "TOML"),
    ("ts", "TypeScript"),
    ("tsx", "TypeScript"),
    ("txt", "Text"),
    ("vim", "Vim Script"),
    ("vue", "Vue"),
    ("xml", "XML"),
    ("yaml", "YAML"),
    ("yml", "YAML"),
    ("zig", "Zig"),
    ("zsh", "Shell"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::brief::BRIEF_VERSION;

    #[test]
    fn another_table_needs_another_version_of_briefs() {
        let table = blake3::hash(format!("{NAMES:?}{EXTENSIONS:?}").as_bytes()).to_hex();
        assert_eq!((BRIEF_VERSION, &table[..16]), (1, "3382827831d7d16f"));
    }

    #[test]
    fn the_table_can_be_searched() {
        assert!(EXTENSIONS.is_sorted_by_key(|(extension, _)| extension));
    }

    #[test]
    fn names_before_extensions_before_other() {
        let check = |path: &str, language: &str| assert_eq!(of_path(path.as_bytes()), language, "{path}");
        check("src/main.rs", "Rust");
        check("SRC/MAIN.RS", "Rust");
        check("cmake/CMakeLists.txt", "CMake");
        check("notes.txt", "Text");
        check("LICENSE", OTHER);
        check(".gitignore", OTHER);
        assert_eq!(of_path(b"caf\xe9.rs\xff"), OTHER);
    }
}
