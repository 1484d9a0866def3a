//! Which paths git takes for binary or text by attribute, whatever their content.
//!
//! Read from the `.gitattributes` files of one tree, never from a working copy: two workers must agree. Only the
//! `diff` attribute and the macros that set it matter here; filters and drivers are never run.

use std::collections::{HashMap, HashSet};

use gitfleet_shared::contract::{AttributesFile, Digest};
use gix::attrs::search::{MetadataCollection, Outcome};
use gix::attrs::{Search, StateRef};
use gix::bstr::{BStr, ByteSlice as _};

use crate::objects::Objects;
use crate::tree::{self, Mode};

/// What the attributes say of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    Binary,
    Text,
    /// Nothing: look at the content.
    Nothing,
}

#[derive(Default)]
pub struct Attributes {
    /// `None` where no rule of the tree can matter.
    rules: Option<Rules>,
    /// Matching walks all patterns; paths come again with every commit that touches them.
    known: HashMap<Vec<u8>, Said>,
    digest: Digest,
    /// What the files say to linguist.
    linguist: Vec<AttributesFile>,
}

struct Rules {
    search: Search,
    collection: MetadataCollection,
    outcome: Outcome,
}

impl Attributes {
    /// Reads the attributes of the tree `root`.
    pub fn of_tree(objects: &Objects, root: gix::ObjectId) -> Self {
        let mut files = Vec::new();
        for change in tree::files(objects, root).changes {
            let Some(side) = change.new.filter(|side| side.mode.is_regular()) else { continue };
            let name = change.path.rsplit(|byte| *byte == b'/').next();
            if name != Some(b".gitattributes") {
                continue;
            }
            // What cannot be read cannot say anything; git passes over such a file too.
            if let Ok(content) = objects.blob(&side.id) {
                let directory = change.path[..change.path.len() - b".gitattributes".len()].to_vec();
                files.push((directory, content.to_vec()));
            }
        }
        Self { linguist: linguist(&files), ..Self::of_files(files) }
    }

    /// Returns the lines that linguist reads, by file, ascending by directory.
    pub fn linguist(&self) -> &[AttributesFile] {
        &self.linguist
    }

    /// `files` are pairs of directory (empty, or ending in a slash) and content.
    fn of_files(mut files: Vec<(Vec<u8>, Vec<u8>)>) -> Self {
        // Deeper files override those above them.
        files.sort_by_key(|(directory, _)| directory.iter().filter(|byte| **byte == b'/').count());
        for (_, content) in &mut files {
            *content = readable(content);
        }
        let words = words_that_matter(&files);
        let mut hasher = blake3::Hasher::new();
        let mut matter = false;
        for (directory, content) in &files {
            for line in content.lines().filter(|line| Line::of(line).mentions(&words)) {
                matter = true;
                for part in [directory.as_slice(), line] {
                    hasher.update(&(part.len() as u64).to_le_bytes());
                    hasher.update(part);
                }
            }
        }
        if !matter {
            return Self::default();
        }
        let mut collection = MetadataCollection::default();
        let no_files = std::iter::empty::<std::path::PathBuf>();
        let mut search = Search::new_globals(no_files, &mut Vec::new(), &mut collection)
            .expect("the built-in macros are well-formed and no file is read");
        for (directory, content) in &files {
            // Patterns are anchored at the directory of the file they stand in; the name only says which that is.
            let Ok(directory_path) = gix::path::from_bstr(directory.as_bstr()) else { continue };
            let source = directory_path.join(".gitattributes");
            let root = std::path::Path::new("");
            let added = search.add_patterns_buffer(
                content,
                source,
                Some(root),
                &mut collection,
                directory.is_empty(),
            );
            if let Err(error) = added {
                tracing::debug!(%error, "a .gitattributes file is passed over");
            }
        }
        let mut outcome = Outcome::default();
        outcome.initialize_with_selection(&collection, ["diff"]);
        Self {
            rules: Some(Rules { search, collection, outcome }),
            known: HashMap::new(),
            digest: *hasher.finalize().as_bytes(),
            linguist: Vec::new(),
        }
    }

    /// Hash over the rules that matter; all zeros where there are none.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Whether git takes content at `path` for binary. Where no attribute says so, `looks_binary` is asked.
    pub fn is_binary(&mut self, path: &[u8], mode: Mode, looks_binary: impl FnOnce() -> bool) -> bool {
        // Attributes speak of files only; the content of a symlink or submodule entry is git's own.
        let said = if mode.is_regular() { self.say(path) } else { Said::Nothing };
        match said {
            Said::Binary => true,
            Said::Text => false,
            Said::Nothing => looks_binary(),
        }
    }

    fn say(&mut self, path: &[u8]) -> Said {
        let Some(rules) = &mut self.rules else { return Said::Nothing };
        if let Some(said) = self.known.get(path) {
            return *said;
        }
        let said = rules.say(path.as_bstr());
        self.known.insert(path.to_vec(), said);
        said
    }
}

impl Rules {
    fn say(&mut self, path: &BStr) -> Said {
        self.outcome.initialize_with_selection(&self.collection, ["diff"]);
        self.search.pattern_matching_relative_path(
            path,
            gix::glob::pattern::Case::Sensitive,
            Some(false),
            &mut self.outcome,
        );
        match self.outcome.iter_selected().next().map(|found| found.assignment.state) {
            Some(StateRef::Unset) => Said::Binary,
            Some(StateRef::Set) => Said::Text,
            // A named driver without configuration decides by content, as no attribute does.
            _ => Said::Nothing,
        }
    }
}

/// Returns the lines of `files` that speak of linguist's attributes.
fn linguist(files: &[(Vec<u8>, Vec<u8>)]) -> Vec<AttributesFile> {
    let mut found = Vec::new();
    for (directory, content) in files {
        let readable = readable(content);
        let mut lines = Vec::new();
        for line in
            readable.lines_with_terminator().filter(|line| Line::of(line).rest.contains_str("linguist-"))
        {
            lines.extend_from_slice(line);
        }
        if !lines.is_empty() {
            found.push(AttributesFile { directory: directory.clone(), content: lines });
        }
    }
    found.sort_by(|a, b| a.directory.cmp(&b.directory));
    found
}

/// Git passes over lines of this many bytes or more.
const LONGEST_LINE: usize = 2_048;

/// Returns the content as git takes it from a tree: without overlong lines, and with a byte order mark as part of
/// the first pattern, where the reader beneath would skip it.
fn readable(content: &[u8]) -> Vec<u8> {
    let mut lines = Vec::with_capacity(content.len() + 1);
    if content.starts_with(b"\xef\xbb\xbf") {
        lines.push(b'\n');
    }
    for line in content.lines_with_terminator().filter(|line| line.trim_end().len() < LONGEST_LINE) {
        lines.extend_from_slice(line);
    }
    lines
}

/// Returns `diff` and the names of all macros that can set it, however many others they go through.
fn words_that_matter(files: &[(Vec<u8>, Vec<u8>)]) -> HashSet<Vec<u8>> {
    let mut words: HashSet<Vec<u8>> = HashSet::from([b"diff".to_vec(), b"binary".to_vec()]);
    loop {
        let before = words.len();
        for line in files.iter().flat_map(|(_, content)| content.lines()).map(Line::of) {
            if let Some(name) = line.pattern.strip_prefix(b"[attr]")
                && line.mentions(&words)
            {
                words.insert(name.to_vec());
            }
        }
        if words.len() == before {
            return words;
        }
    }
}

/// A line of `.gitattributes`: a pattern or macro, and the attributes it is given.
struct Line<'a> {
    pattern: &'a [u8],
    rest: &'a [u8],
}

impl<'a> Line<'a> {
    fn of(line: &'a [u8]) -> Self {
        let line = line.trim_start();
        if line.starts_with(b"#") {
            return Self { pattern: &[], rest: &[] };
        }
        let end = line.iter().position(u8::is_ascii_whitespace).unwrap_or(line.len());
        Self { pattern: &line[..end], rest: &line[end..] }
    }

    fn mentions(&self, words: &HashSet<Vec<u8>>) -> bool {
        self.rest.fields().any(|word| {
            let name = word.trim_start_with(|c| c == '-' || c == '!');
            let name = name.split_once_str("=").map_or(name, |(name, _)| name);
            words.contains(name)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lines::looks_binary;

    fn check(files: &[(&str, &str)], path: &str, content: &[u8], binary: bool) {
        let files = files.iter().map(|(d, c)| (d.as_bytes().to_vec(), c.as_bytes().to_vec())).collect();
        let mut attributes = Attributes::of_files(files);
        assert_eq!(
            attributes.is_binary(path.as_bytes(), Mode::File, || looks_binary(content)),
            binary,
            "{path}"
        );
    }

    #[test]
    fn rules_override_content_and_deeper_rules_override_upper_ones() {
        check(&[], "a.txt", b"text", false);
        check(&[], "a.txt", b"\0", true);
        check(&[("", "*.svg binary\n")], "pictures/a.svg", b"text", true);
        check(&[("", "*.svg -diff\n")], "a.svg", b"text", true);
        check(&[("", "*.dat diff\n")], "a.dat", b"\0", false);
        check(&[("", "*.py diff=python\n")], "a.py", b"text", false);
        check(&[("", "[attr]blob -diff\n*.x blob\n")], "a.x", b"text", true);
        check(&[("", "* -diff\n"), ("src/", "* diff\n")], "src/a", b"text", false);
        check(&[("", "* -diff\n"), ("src/", "* diff\n")], "other/a", b"text", true);
        check(&[("src/", "/top binary\n")], "src/top", b"text", true);
        check(&[("src/", "/top binary\n")], "src/deep/top", b"text", false);
    }

    #[test]
    fn rules_that_cannot_matter_leave_the_digest_alone() {
        let digest =
            |content: &str| Attributes::of_files(vec![(Vec::new(), content.as_bytes().to_vec())]).digest();
        assert_eq!(digest("* text=auto\n*.sh eol=lf\n"), [0; 32]);
        assert_ne!(digest("*.svg binary\n"), [0; 32]);
        assert_eq!(digest("*.svg binary\n"), digest("# said before\n* text=auto\n*.svg binary\n"));
    }
}
