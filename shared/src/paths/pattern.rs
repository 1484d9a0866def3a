//! Patterns of gitattributes(5), matched as git's wildmatch does.
//!
//! Compiled to steps and run as an automaton over sets of places, so that no pattern can take longer than its length
//! times the path's.

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern {
    steps: Vec<Step>,
    /// Without a slash: the name alone is compared.
    name_only: bool,
    /// Can match no file: for directories only, or damaged.
    never: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Byte(u8),
    /// One byte of a set; never a slash.
    Set(Box<[bool; 256]>),
    /// Any run without a slash.
    Star,
    /// Any run.
    Everything,
    /// `**/`: nothing, or any run that ends in a slash.
    Folders,
}

impl Pattern {
    pub(super) fn compile(written: &[u8]) -> Self {
        let (pattern, folder) = match written.strip_suffix(b"/") {
            Some(pattern) => (pattern, true),
            None => (written, false),
        };
        let name_only = !pattern.contains(&b'/');
        let pattern = if name_only { pattern } else { pattern.strip_prefix(b"/").unwrap_or(pattern) };
        let steps = compile(pattern);
        Self { never: folder || steps.is_none(), steps: steps.unwrap_or_default(), name_only }
    }

    /// Whether a path, relative to the pattern's directory, matches.
    pub(super) fn matches(&self, path: &[u8]) -> bool {
        let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        !self.never && run(&self.steps, if self.name_only { name } else { path })
    }
}

fn compile(pattern: &[u8]) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    let mut at = 0;
    // Git compares what comes before the first wildcard by itself and matches the rest as a pattern of its own, so that
    // in `a/b**` the stars stand at a beginning.
    let plain = pattern.iter().position(|byte| b"*?[\\".contains(byte)).unwrap_or(pattern.len());
    while at < pattern.len() {
        match pattern[at] {
            b'\\' => {
                steps.push(Step::Byte(*pattern.get(at + 1)?));
                at += 2;
            }
            b'?' => {
                let mut set = Box::new([true; 256]);
                set[usize::from(b'/')] = false;
                steps.push(Step::Set(set));
                at += 1;
            }
            b'[' => {
                let (set, end) = set(pattern, at + 1)?;
                steps.push(Step::Set(set));
                at = end;
            }
            b'*' => {
                let (step, end) = stars(pattern, at, at == plain);
                steps.push(step);
                at = end;
            }
            byte => {
                steps.push(Step::Byte(byte));
                at += 1;
            }
        }
    }
    Some(steps)
}

/// What stars at `at` mean: two or more between slashes cross directories.
fn stars(pattern: &[u8], at: usize, begins: bool) -> (Step, usize) {
    let end = at + pattern[at..].iter().take_while(|byte| **byte == b'*').count();
    let opens = begins || at == 0 || pattern[at - 1] == b'/';
    let closes = matches!(pattern[end..], [] | [b'/', ..] | [b'\\', b'/', ..]);
    if end - at < 2 || !opens || !closes {
        return (Step::Star, end);
    }
    if pattern.get(end) == Some(&b'/') { (Step::Folders, end + 1) } else { (Step::Everything, end) }
}

/// Reads a bracket expression from behind its `[`; `None` if it does not end, which matches nothing.
fn set(pattern: &[u8], start: usize) -> Option<(Box<[bool; 256]>, usize)> {
    let mut at = start;
    let negated = matches!(pattern.get(at)?, b'!' | b'^');
    if negated {
        at += 1;
    }
    let mut set = Box::new([false; 256]);
    let mut before: Option<u8> = None;
    loop {
        let byte = *pattern.get(at)?;
        match byte {
            b'\\' => {
                at += 1;
                let escaped = *pattern.get(at)?;
                set[usize::from(escaped)] = true;
                before = Some(escaped);
            }
            b'-' if before.is_some() && pattern.get(at + 1).is_some_and(|next| *next != b']') => {
                at += 1;
                if pattern[at] == b'\\' {
                    at += 1;
                }
                let last = *pattern.get(at)?;
                let first = before.take().unwrap_or(last);
                (first..=last).for_each(|byte| set[usize::from(byte)] = true);
            }
            b'[' if pattern.get(at + 1) == Some(&b':') => {
                let name_start = at + 2;
                let end = name_start + pattern[name_start..].iter().position(|byte| *byte == b']')?;
                if let Some(name) = pattern[name_start..end].strip_suffix(b":") {
                    let class = class(name)?;
                    (0..=u8::MAX).filter(class).for_each(|byte| set[usize::from(byte)] = true);
                    at = end;
                    before = None;
                } else {
                    set[usize::from(b'[')] = true;
                    before = Some(b'[');
                }
            }
            byte => {
                set[usize::from(byte)] = true;
                before = Some(byte);
            }
        }
        at += 1;
        if *pattern.get(at)? == b']' {
            break;
        }
    }
    if negated {
        set.iter_mut().for_each(|one| *one = !*one);
    }
    set[usize::from(b'/')] = false;
    Some((set, at + 1))
}

fn class(name: &[u8]) -> Option<fn(&u8) -> bool> {
    Some(match name {
        b"alnum" => u8::is_ascii_alphanumeric,
        b"alpha" => u8::is_ascii_alphabetic,
        b"blank" => |byte| matches!(byte, b' ' | b'\t'),
        b"cntrl" => u8::is_ascii_control,
        b"digit" => u8::is_ascii_digit,
        b"graph" => u8::is_ascii_graphic,
        b"lower" => u8::is_ascii_lowercase,
        b"print" => |byte| (b' '..=b'~').contains(byte),
        b"punct" => u8::is_ascii_punctuation,
        // Git's own table: vertical tab and form feed are no space.
        b"space" => |byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'),
        b"upper" => u8::is_ascii_uppercase,
        b"xdigit" => u8::is_ascii_hexdigit,
        _ => return None,
    })
}

/// Runs the steps over a text: `reached[i]` says whether the steps so far can have eaten `i` bytes.
fn run(steps: &[Step], text: &[u8]) -> bool {
    let mut reached = vec![false; text.len() + 1];
    reached[0] = true;
    for step in steps {
        let mut next = vec![false; text.len() + 1];
        let mut open = false;
        for at in 0..=text.len() {
            let byte = at.checked_sub(1).map(|before| text[before]);
            let before = at > 0 && reached[at - 1];
            next[at] = match step {
                Step::Byte(wanted) => before && byte == Some(*wanted),
                Step::Set(set) => before && byte.is_some_and(|byte| set[usize::from(byte)]),
                Step::Star => {
                    open = reached[at] || (open && byte != Some(b'/'));
                    open
                }
                Step::Everything => {
                    open |= reached[at];
                    open
                }
                Step::Folders => {
                    let ends = open && byte == Some(b'/');
                    open |= reached[at];
                    reached[at] || ends
                }
            };
        }
        reached = next;
    }
    reached[text.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, path: &str, expect: bool) {
        assert_eq!(Pattern::compile(pattern.as_bytes()).matches(path.as_bytes()), expect, "{pattern} {path}");
    }

    #[test]
    fn names_and_places() {
        check("*.js", "a/b.js", true);
        check("/a.js", "a.js", true);
        check("/a.js", "b/a.js", false);
        check("a/*.js", "a/b.js", true);
        check("a/*.js", "a/c/b.js", false);
        check("a/", "a/b", false);
        check("**/a", "a", true);
        check("**/a", "b/c/a", true);
        check("a/**", "a/b/c", true);
        check("a/**", "a", false);
        check("a/**/b", "a/b", true);
        check("a/**/b", "a/x/y/b", true);
        check("a**b", "axxb", true);
        check("a/x**b", "a/x/b", false);
        check("a/x**", "a/xy/b", true);
        check("a/?**", "a/xy/b", false);
        check("[a-c]?[!d]", "bxe", true);
        check("[[:digit:]].txt", "7.txt", true);
        check("[a", "[a", false);
        check("\\*", "*", true);
    }

    #[test]
    fn hostile_patterns_end() {
        let pattern = "*a".repeat(400);
        check(&pattern, &"a".repeat(2000).replace("aa", "ab"), false);
    }
}
