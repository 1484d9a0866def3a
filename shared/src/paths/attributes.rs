//! The `linguist-*` attributes of `.gitattributes` files, as gitattributes(5) reads them.
//!
//! Later lines win over earlier ones and nearer directories over those above. Macros are not followed: a macro that sets
//! a `linguist-*` attribute is unheard of here. What the attributes mean is linguist's docs/overrides.md.

use super::pattern::Pattern;

/// What a line says of an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    Set,
    Unset,
    Value(Vec<u8>),
    /// Nothing was said, or `!attribute` took it back.
    Unspecified,
}

/// What the attributes say of a path; `None` where they say nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    pub vendored: Option<bool>,
    pub generated: Option<bool>,
    pub documentation: Option<bool>,
    pub detectable: Option<bool>,
    pub language: Option<String>,
}

/// The attributes that linguist reads.
pub const NAMES: [&str; 5] = [
    "linguist-vendored",
    "linguist-generated",
    "linguist-documentation",
    "linguist-detectable",
    "linguist-language",
];

/// The rules of all `.gitattributes` files of a tree.
#[derive(Debug, Clone, Default)]
pub struct Attributes {
    /// Ascending by depth.
    files: Vec<File>,
}

#[derive(Debug, Clone)]
struct File {
    /// Empty for the root, or ending in a slash.
    directory: Vec<u8>,
    rules: Vec<Rule>,
}

#[derive(Debug, Clone)]
struct Rule {
    pattern: Pattern,
    /// Places in [`NAMES`], in the order of the line.
    states: Vec<(usize, State)>,
}

/// Git passes over longer lines.
const LONGEST_LINE: usize = 2048;

impl Attributes {
    /// Reads files, each with its directory: empty for the root, with or without a slash at the end.
    pub fn of_files<'f>(files: impl IntoIterator<Item = (&'f [u8], &'f [u8])>) -> Self {
        let mut files: Vec<_> =
            files.into_iter().map(|(directory, content)| File::read(directory, content)).collect();
        files.retain(|file| !file.rules.is_empty());
        files.sort_by(|one, other| {
            (one.directory.len(), &one.directory).cmp(&(other.directory.len(), &other.directory))
        });
        Self { files }
    }

    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Returns what is said of a path.
    pub fn said(&self, path: &[u8]) -> Said {
        let mut states = self.states(path).map(Some);
        let mut flag = |at: usize| match states[at].take() {
            Some(State::Set) => Some(true),
            Some(State::Unset) => Some(false),
            // Whatever is not `false` is true, as linguist has it.
            Some(State::Value(value)) => Some(value != b"false"),
            Some(State::Unspecified) | None => None,
        };
        let (vendored, generated, documentation, detectable) = (flag(0), flag(1), flag(2), flag(3));
        let language = match states[4].take() {
            Some(State::Value(value)) if !value.is_empty() => {
                Some(String::from_utf8_lossy(&value).into_owned())
            }
            _ => None,
        };
        Said { vendored, generated, documentation, detectable, language }
    }

    /// Returns the state of each of [`NAMES`].
    pub fn states(&self, path: &[u8]) -> [State; NAMES.len()] {
        let mut found: [Option<&State>; NAMES.len()] = [None; NAMES.len()];
        let nearest_first = self.files.iter().rev();
        for file in nearest_first {
            let Some(inside) = path.strip_prefix(file.directory.as_slice()) else { continue };
            for rule in file.rules.iter().rev().filter(|rule| rule.pattern.matches(inside)) {
                for (at, state) in rule.states.iter().rev() {
                    found[*at].get_or_insert(state);
                }
            }
        }
        found.map(|state| state.cloned().unwrap_or(State::Unspecified))
    }
}

impl File {
    fn read(directory: &[u8], content: &[u8]) -> Self {
        let mut directory = directory.to_vec();
        if !directory.is_empty() && !directory.ends_with(b"/") {
            directory.push(b'/');
        }
        let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
        Self { directory, rules: content.split(|byte| *byte == b'\n').filter_map(rule).collect() }
    }
}

/// A line's rule; `None` for lines that say nothing of linguist's attributes, and for those that git refuses.
fn rule(line: &[u8]) -> Option<Rule> {
    // To git a line is a C string.
    let line = line.split(|byte| *byte == 0).next().unwrap_or_default();
    if line.len() >= LONGEST_LINE {
        return None;
    }
    let line = trim_start(line);
    if line.is_empty() || line.starts_with(b"#") {
        return None;
    }
    let (pattern, rest) = unquoted(line).unwrap_or_else(|| {
        let end = line.iter().position(|byte| is_blank(*byte)).unwrap_or(line.len());
        (line[..end].to_vec(), &line[end..])
    });
    if pattern.starts_with(b"!") || (pattern.starts_with(b"[attr]") && pattern.len() > b"[attr]".len()) {
        return None;
    }
    let mut states = Vec::new();
    for word in rest.split(|byte| is_blank(*byte)).filter(|word| !word.is_empty()) {
        let (name, state) = state(word)?;
        if let Some(at) = NAMES.iter().position(|known| known.as_bytes() == name) {
            states.push((at, state));
        }
    }
    (!states.is_empty()).then(|| Rule { pattern: Pattern::compile(&pattern), states })
}

/// What a word of a line says; `None` where its name is none, which spoils the line.
fn state(word: &[u8]) -> Option<(&[u8], State)> {
    let (bare, sign) = match word {
        [b'-', rest @ ..] => (rest, Some(State::Unset)),
        [b'!', rest @ ..] => (rest, Some(State::Unspecified)),
        _ => (word, None),
    };
    let equals = bare.iter().position(|byte| *byte == b'=');
    let name = &bare[..equals.unwrap_or(bare.len())];
    let valid = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._".contains(byte);
    if name.is_empty() || name.starts_with(b"-") || name.starts_with(b"builtin_") || !name.iter().all(valid) {
        return None;
    }
    let value = || equals.map_or(State::Set, |at| State::Value(bare[at + 1..].to_vec()));
    Some((name, sign.unwrap_or_else(value)))
}

/// Reads a pattern in double quotes with C's escapes, and returns what follows it.
fn unquoted(line: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut rest = line.strip_prefix(b"\"")?;
    let mut pattern = Vec::new();
    loop {
        let (first, after) = rest.split_first()?;
        rest = after;
        match first {
            b'"' => return Some((pattern, rest)),
            b'\\' => {
                let (escaped, after) = rest.split_first()?;
                rest = after;
                pattern.push(match escaped {
                    b'a' => 7,
                    b'b' => 8,
                    b'f' => 12,
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'v' => 11,
                    b'\\' | b'"' => *escaped,
                    b'0'..=b'3' => {
                        let [second @ b'0'..=b'7', third @ b'0'..=b'7', after @ ..] = rest else {
                            return None;
                        };
                        rest = after;
                        (escaped - b'0') * 64 + (second - b'0') * 8 + (third - b'0')
                    }
                    _ => return None,
                });
            }
            _ => pattern.push(*first),
        }
    }
}

fn trim_start(line: &[u8]) -> &[u8] {
    let start = line.iter().position(|byte| !is_blank(*byte)).unwrap_or(line.len());
    &line[start..]
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearer_and_later_lines_win() {
        let root =
            b"*.js linguist-vendored\nsrc/*.js -linguist-vendored\n*.es linguist-language=JavaScript\n";
        let nested = b"a.js linguist-vendored=false linguist-generated\n* !linguist-generated\n";
        let attributes = Attributes::of_files([(&b"src/deep"[..], &nested[..]), (&b""[..], &root[..])]);
        let said = |path: &str| attributes.said(path.as_bytes());
        assert_eq!(said("a.js").vendored, Some(true));
        assert_eq!(said("src/a.js").vendored, Some(false));
        assert_eq!(said("src/deep/a.js"), Said { vendored: Some(false), ..Said::default() });
        assert_eq!(said("x/a.es").language.as_deref(), Some("JavaScript"));
        assert_eq!(said("b.rs"), Said::default());
    }

    #[test]
    fn lines_that_say_nothing() {
        let attributes = Attributes::of_files([(
            &b""[..],
            &b"# x\n\n!a linguist-vendored\n[attr]m linguist-vendored\na lin=1 +x\n"[..],
        )]);
        assert!(attributes.is_empty());
    }
}
