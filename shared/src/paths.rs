//! What a path is: somebody else's code, generated, documentation, a test, data.
//!
//! After the published behaviour of github-linguist (docs/overrides.md and how-linguist-works.md: vendored, generated and
//! documentation files, and files of data or prose, are in no language statistics), in lists of our own. We differ where
//! linguist's habit drops real code: `cache/` and a nested `dist/` are nobody else's here. `.gitattributes` have the last
//! word (see [`attributes`]); content is asked by [`generated`]. Tests and data are ours: linguist knows no such classes.

use std::collections::BTreeSet;

pub mod attributes;
pub mod generated;
mod pattern;

use attributes::Said;

/// What a path is. A path can be several.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PathClass {
    pub vendored: bool,
    pub generated: bool,
    /// Documentation by its place or name, and prose.
    pub documentation: bool,
    pub test: bool,
    /// By [`DATA_EXTENSIONS`], or by those of the configuration.
    pub data: bool,
}

/// Files of these are data unless the configuration has a list of its own.
pub const DATA_EXTENSIONS: &[&str] =
    &["csv", "dat", "geojson", "json", "jsonl", "ndjson", "parquet", "snap", "svg", "tsv", "xlsx"];

/// Directories of other people's code, wherever they are.
const VENDORED: &[&str] = &[
    "node_modules",
    "bower_components",
    "vendor",
    "vendors",
    "third_party",
    "third-party",
    "thirdparty",
    "3rdparty",
    "3rd_party",
    "3rd-party",
    "extern",
    "externals",
    "external",
    "godeps",
    "carthage",
    "jspm_packages",
    "site-packages",
    ".yarn",
    ".mvn",
    ".github",
    ".vscode",
    ".sublime-project",
    ".devcontainer",
    ".obsidian",
    "_esy",
    "esy.lock",
];

/// Those that are other people's only at the root.
const VENDORED_AT_ROOT: &[&str] = &["deps", "dependencies", "dist", "debian"];

/// Files that tools put into every repository.
const VENDORED_NAMES: &[&str] = &[
    "gradlew",
    "gradlew.bat",
    "mvnw",
    "mvnw.cmd",
    "configure",
    "config.guess",
    "config.sub",
    "aclocal.m4",
    "libtool.m4",
    "ltmain.sh",
    "install-sh",
    "depcomp",
    "missing",
    "compile",
    "test-driver",
    "modernizr.js",
    "html5shiv.js",
    "normalize.css",
    "run.n",
    "gitattributes",
    ".gitattributes",
    ".gitignore",
    ".gitmodules",
];

/// Libraries that are copied in under their own name, up to a dash, a dot or the end.
const VENDORED_LIBRARIES: &[&str] = &[
    "jquery",
    "bootstrap",
    "angular",
    "backbone",
    "underscore",
    "knockout",
    "mootools",
    "prototype",
    "d3",
    "react",
    "ember",
    "raphael",
];

/// Directories of documentation, wherever they are.
const DOCUMENTATION: &[&str] = &["documentation", "javadoc", "groovydoc"];

/// Those that are documentation only at the root.
const DOCUMENTATION_AT_ROOT: &[&str] =
    &["doc", "docs", "man", "example", "examples", "demo", "demos", "sample", "samples"];

/// Names of documentation, up to a dot or the end.
const DOCUMENTATION_NAMES: &[&str] = &[
    "readme",
    "license",
    "licence",
    "copying",
    "install",
    "contributing",
    "change",
    "changes",
    "changelog",
    "news",
    "authors",
    "citation",
    "citations",
    "code_of_conduct",
    "security",
    "notice",
    "history",
    "upgrading",
];

/// Prose, which linguist leaves out by its type.
const PROSE: &[&str] = &[
    "md",
    "markdown",
    "mdown",
    "rst",
    "adoc",
    "asciidoc",
    "org",
    "textile",
    "pod",
    "rdoc",
    "creole",
    "mediawiki",
];

const GENERATED: &[&str] = &["__generated__", "node_modules", "pods", ".terraform", "__snapshots__"];

/// Lock files and other files that only tools write.
const GENERATED_NAMES: &[&str] = &[
    "cargo.lock",
    "package-lock.json",
    "npm-shrinkwrap.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "bun.lock",
    "bun.lockb",
    "deno.lock",
    "composer.lock",
    "poetry.lock",
    "pdm.lock",
    "uv.lock",
    "pipfile.lock",
    "pixi.lock",
    "gemfile.lock",
    "mix.lock",
    "pubspec.lock",
    "podfile.lock",
    "cartfile.resolved",
    "package.resolved",
    "gopkg.lock",
    "glide.lock",
    "go.sum",
    "go.work.sum",
    "flake.lock",
    "gradle.lockfile",
    "packages.lock.json",
    "module.bazel.lock",
    ".terraform.lock.hcl",
    "stack.yaml.lock",
    "paket.lock",
    ".pnp.cjs",
    ".pnp.js",
    ".pnp.loader.mjs",
    "esy.lock",
    "conan.lock",
    "elm-stuff",
];

/// Endings of names that generators give.
const GENERATED_ENDINGS: &[&str] = &[
    ".pb.go",
    ".pb.cc",
    ".pb.h",
    ".pb.swift",
    ".pb.rb",
    "_pb.rb",
    "_pb2.py",
    "_pb2.pyi",
    "_pb2_grpc.py",
    "_pb.js",
    "_pb.ts",
    "_pb.d.ts",
    "_grpc_pb.js",
    ".pb.dart",
    ".g.dart",
    ".freezed.dart",
    ".designer.cs",
    ".designer.vb",
    ".g.cs",
    ".g.i.cs",
    ".generated.cs",
    ".gen.go",
    "_generated.go",
    "zz_generated.deepcopy.go",
    ".min.js",
    ".min.css",
    "-min.js",
    "-min.css",
    ".js.map",
    ".css.map",
    ".mjs.map",
    ".cjs.map",
    ".nib",
    ".xcworkspacedata",
    ".xcuserstate",
    ".snap",
];

const TESTS: &[&str] = &[
    "test",
    "tests",
    "__tests__",
    "testing",
    "spec",
    "specs",
    "testdata",
    "test-data",
    "test_data",
    "e2e",
    "integration-tests",
    "integration_tests",
    "unittests",
    "testsuite",
    "fixtures",
    "__mocks__",
    "androidtest",
    "integrationtest",
    "src/it",
];

/// Endings of a stem in lower case that name a test.
const TEST_STEMS: &[&str] =
    &["_test", "_tests", ".test", ".tests", "-test", "-tests", "_spec", ".spec", "-spec", "_unittest"];

/// Endings of a stem that name a test in words with capitals, as in `FooTest`.
const TEST_WORDS: &[&str] = &["Test", "Tests", "TestCase", "Spec", "Specs", "IT", "ITCase", "UnitTest"];

impl PathClass {
    /// Says what a path is, by the path alone.
    pub fn of(path: &[u8]) -> Self {
        Self::by(path, |extension| DATA_EXTENSIONS.contains(&extension))
    }

    /// The same with a configured list of data's extensions, in lower case and without a dot.
    pub fn with_data(path: &[u8], extensions: &BTreeSet<String>) -> Self {
        Self::by(path, |extension| extensions.contains(extension))
    }

    fn by(path: &[u8], is_data: impl Fn(&str) -> bool) -> Self {
        let written = String::from_utf8_lossy(path);
        let path = Path::of(&written);
        Self {
            vendored: path.is_vendored(),
            generated: path.is_generated(),
            documentation: path.is_documentation(),
            test: path.is_test(),
            data: is_data(&path.extension),
        }
    }

    /// Lets the attributes have the last word.
    #[must_use]
    pub fn overruled(self, said: &Said) -> Self {
        Self {
            vendored: said.vendored.unwrap_or(self.vendored),
            generated: said.generated.unwrap_or(self.generated),
            documentation: said.documentation.unwrap_or(self.documentation),
            // What is to be detected counts although its type is data.
            data: self.data && said.detectable != Some(true),
            test: self.test,
        }
    }

    /// Whether changes here are work on the project's own source, as linguist's statistics see it. Tests are.
    pub fn is_source(self) -> bool {
        !(self.vendored || self.generated || self.documentation || self.data)
    }
}

/// A path in its parts, in lower case.
struct Path<'p> {
    folders: Vec<String>,
    /// The name as it is written.
    written: &'p str,
    name: String,
    stem: String,
    extension: String,
}

impl<'p> Path<'p> {
    fn of(path: &'p str) -> Self {
        let (folders, written) = path.rsplit_once('/').unwrap_or(("", path));
        let folders = folders.split('/').filter(|one| !one.is_empty()).map(str::to_lowercase).collect();
        let name = written.to_lowercase();
        let (stem, extension) = match name.rsplit_once('.') {
            Some((stem, extension)) if !stem.is_empty() => (stem.to_owned(), extension.to_owned()),
            _ => (name.clone(), String::new()),
        };
        Self { folders, written, name, stem, extension }
    }

    fn lies_in(&self, folders: &[&str]) -> bool {
        self.folders.iter().any(|folder| folders.contains(&folder.as_str()))
    }

    fn lies_at_root_in(&self, folders: &[&str]) -> bool {
        self.folders.first().is_some_and(|folder| folders.contains(&folder.as_str()))
    }

    fn is_vendored(&self) -> bool {
        self.lies_in(VENDORED)
            || self.lies_at_root_in(VENDORED_AT_ROOT)
            || VENDORED_NAMES.contains(&self.name.as_str())
            || self.is_library()
    }

    /// `jquery.js`, `jquery-1.2.js`, `bootstrap.min.css`.
    fn is_library(&self) -> bool {
        matches!(self.extension.as_str(), "js" | "css")
            && VENDORED_LIBRARIES.iter().any(|library| {
                let rest = self.stem.strip_prefix(library);
                rest.is_some_and(|rest| {
                    let version = rest.trim_start_matches(['-', '.', 'v']);
                    let version =
                        version.trim_end_matches(".min").trim_end_matches("-min").trim_end_matches("min");
                    rest.is_empty()
                        || (rest.starts_with(['-', '.'])
                            && version.chars().all(|c| c.is_ascii_digit() || c == '.'))
                })
            })
    }

    fn is_generated(&self) -> bool {
        self.lies_in(GENERATED)
            || GENERATED_NAMES.contains(&self.name.as_str())
            || GENERATED_ENDINGS.iter().any(|ending| self.name.ends_with(ending))
    }

    fn is_documentation(&self) -> bool {
        let word = self.name.split('.').next().unwrap_or_default();
        self.lies_in(DOCUMENTATION)
            || self.lies_at_root_in(DOCUMENTATION_AT_ROOT)
            || PROSE.contains(&self.extension.as_str())
            || (DOCUMENTATION_NAMES.contains(&word) && !is_program(&self.extension))
    }

    fn is_test(&self) -> bool {
        let written = self.written.split('.').next().unwrap_or_default();
        let worded = |word: &&&str| {
            written.strip_suffix(**word).is_some_and(|rest| rest.ends_with(char::is_lowercase))
        };
        let first =
            self.stem.starts_with("test_") || matches!(self.stem.as_str(), "test" | "tests" | "conftest");
        self.lies_in(TESTS)
            || first
            || TEST_STEMS.iter().any(|ending| self.stem.ends_with(ending))
            || TEST_WORDS.iter().find(worded).is_some()
    }
}

/// `history.rs` and `install.sh` are programs, whatever their name.
fn is_program(extension: &str) -> bool {
    !matches!(
        extension,
        "" | "txt" | "html" | "htm" | "cff" | "bib" | "tex" | "in" | "mit" | "apache" | "1st"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, expect: &str) {
        let class = PathClass::of(path.as_bytes());
        let mut letters = String::new();
        for (is, letter) in [
            (class.vendored, 'v'),
            (class.generated, 'g'),
            (class.documentation, 'd'),
            (class.test, 't'),
            (class.data, 'x'),
        ] {
            if is {
                letters.push(letter);
            }
        }
        assert_eq!(letters, expect, "{path}");
    }

    #[test]
    fn other_peoples_code() {
        check("vendor/a/b.go", "v");
        check("src/third_party/a.c", "v");
        check("web/js/jquery-3.1.min.js", "vg");
        check("web/js/jquerying.js", "");
        check("web/js/react-app.js", "");
        check("dist/a.js", "v");
        check("src/dist/a.rs", "");
        check("src/cache/a.rs", "");
        check("gradlew", "v");
    }

    #[test]
    fn what_tools_write() {
        check("Cargo.lock", "g");
        check("a/package-lock.json", "gx");
        check("api/a.pb.go", "g");
        check("a/a_pb2.py", "g");
        check("a.js.map", "g");
        check("node_modules/a/b.js", "vg");
    }

    #[test]
    fn documentation_and_prose() {
        check("README", "d");
        check("sub/LICENSE.txt", "d");
        check("docs/conf.py", "d");
        check("src/docs/a.py", "");
        check("src/history.rs", "");
        check("src/a.md", "d");
        check("CMakeLists.txt", "");
        check("examples/a.rs", "d");
    }

    #[test]
    fn tests_and_data() {
        check("src/test/java/Foo.java", "t");
        check("src/FooTest.java", "t");
        check("src/Latest.java", "");
        check("src/a_test.go", "t");
        check("src/a.spec.ts", "t");
        check("src/test_a.py", "t");
        check("src/attest.py", "");
        check("src/contest.rs", "");
        check("data/a.csv", "x");
    }

    #[test]
    fn attributes_have_the_last_word() {
        let said =
            Said { vendored: Some(false), generated: Some(true), detectable: Some(true), ..Said::default() };
        let class = PathClass::of(b"vendor/a.json").overruled(&said);
        assert_eq!(class, PathClass { generated: true, ..PathClass::default() });
        assert!(!class.is_source());
        assert!(PathClass::of(b"src/a_test.go").is_source());
    }

    #[test]
    fn odd_paths_are_paths() {
        for path in [&b""[..], b"/", b"//", b".", b".gitignore", b"\xff\xfe/\0", b"a/", b"Test"] {
            let _ = PathClass::of(path);
        }
        assert!(PathClass::with_data(b"a.xml", &BTreeSet::from(["xml".to_owned()])).data);
    }
}
