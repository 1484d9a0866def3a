//! Trailers: the block of `Key: value` lines at the end of a message, found as `git interpret-trailers --parse
//! --no-divider` finds it (git-interpret-trailers(1)).
//!
//! A commit's message is whole, so a line `---` ends nothing here, as in `git log --format='%(trailers)'`. Git's default
//! separator (`:`) and comment character (`#`) hold: what a repository's configuration says is not in its commits.

/// One trailer, its folded lines joined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trailer {
    pub key: String,
    pub value: String,
}

/// What somebody did for a commit, in the words of its trailers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    CoAuthor,
    Reviewer,
    Acker,
    Tester,
    Signer,
    Reporter,
}

const ROLES: [(&str, Role); 6] = [
    ("co-authored-by", Role::CoAuthor),
    ("reviewed-by", Role::Reviewer),
    ("acked-by", Role::Acker),
    ("tested-by", Role::Tester),
    ("signed-off-by", Role::Signer),
    ("reported-by", Role::Reporter),
];

/// Somebody whom a trailer names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Credit {
    pub role: Role,
    pub name: String,
    /// Empty where the trailer has none.
    pub email: String,
}

/// Returns whom the trailers name, in order, each once.
pub fn credits(trailers: &[Trailer]) -> Vec<Credit> {
    let mut credits = Vec::new();
    for trailer in trailers {
        let Some(role) = role(&trailer.key) else { continue };
        let (name, email) = name_and_email(&trailer.value);
        let credit = Credit { role, name: name.to_owned(), email: email.to_owned() };
        let somebody = !credit.name.is_empty() || !credit.email.is_empty();
        if somebody && !credits.contains(&credit) {
            credits.push(credit);
        }
    }
    credits
}

fn role(key: &str) -> Option<Role> {
    ROLES.iter().find(|(name, _)| key.eq_ignore_ascii_case(name)).map(|(_, role)| *role)
}

/// Splits `Name <email>`; without brackets, a word with an `@` is the e-mail.
pub fn name_and_email(value: &str) -> (&str, &str) {
    if let Some((name, rest)) = value.split_once('<') {
        let email = rest.split_once('>').map_or(rest, |(email, _)| email);
        return (name.trim().trim_matches('"').trim(), email.trim());
    }
    let value = value.trim();
    if value.contains('@') && !value.contains(char::is_whitespace) { ("", value) } else { (value, "") }
}

/// A message in two: what comes before the trailer block, and the block.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Split {
    /// Where the block begins; the end of the text if there is none.
    pub start: usize,
    pub trailers: Vec<Trailer>,
    /// Lines of the block that are no trailers, which a line that git writes has excused.
    pub prose: Vec<String>,
}

/// Finds the trailer block.
pub fn split(text: &str) -> Split {
    let end = end_of_message(text);
    let start = block_start(&text[..end]);
    let mut split = Split { start, ..Split::default() };
    for entry in entries(&text[start..end]) {
        match trailer(&entry) {
            Some(trailer) => split.trailers.push(trailer),
            None => split.prose.push(entry),
        }
    }
    split
}

/// The entries of a block, folded lines with what they continue, without comments.
fn entries(block: &str) -> Vec<String> {
    let mut entries: Vec<String> = Vec::new();
    let mut open = false;
    for line in block.split_inclusive('\n') {
        let folded = line.starts_with(is_space);
        match entries.last_mut() {
            Some(last) if folded && open => last.push_str(line),
            _ => {
                open = separator(line).is_some_and(|at| at >= 1);
                entries.push(line.to_owned());
            }
        }
    }
    entries.retain(|entry| !entry.starts_with('#'));
    entries
}

fn trailer(entry: &str) -> Option<Trailer> {
    let at = separator(entry).filter(|at| *at >= 1)?;
    Some(Trailer { key: entry[..at].trim_matches(is_space).to_owned(), value: unfold(&entry[at + 1..]) })
}

/// Joins folded lines by one blank.
fn unfold(value: &str) -> String {
    let mut joined = String::with_capacity(value.len());
    for (nth, line) in value.trim_matches(is_space).split('\n').enumerate() {
        if nth == 0 {
            joined.push_str(line);
        } else {
            joined.push(' ');
            joined.push_str(line.trim_start_matches(is_space));
        }
    }
    joined.trim_matches(is_space).to_owned()
}

/// C's `isspace` in git's table: vertical tabs and form feeds are none.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

fn is_blank(line: &str) -> bool {
    line.chars().take_while(|c| *c != '\n').all(is_space)
}

/// Where the `:` after a key is. Keys are ASCII letters, digits and dashes; blanks may stand before the `:`.
fn separator(line: &str) -> Option<usize> {
    let mut blank = false;
    for (at, byte) in line.bytes().enumerate() {
        match byte {
            b':' => return Some(at),
            b'-' if !blank => {}
            _ if !blank && byte.is_ascii_alphanumeric() => {}
            b' ' | b'\t' if at > 0 => blank = true,
            _ => return None,
        }
    }
    None
}

/// Lines that git writes itself; one of them excuses other lines in the block.
fn git_writes(line: &str) -> bool {
    line.starts_with("Signed-off-by: ") || line.starts_with("(cherry picked from commit ")
}

fn block_start(text: &str) -> usize {
    let mut lines = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        lines.push((at, line));
        at += line.len();
    }
    // The first paragraph is the subject, whatever it looks like.
    let title = lines.iter().take_while(|(_, line)| line.starts_with('#') || !is_blank(line)).count();
    let (mut keyed, mut others, mut folded) = (0u64, 0u64, 0u64);
    let (mut excused, mut only_blanks) = (false, true);
    for (start, line) in lines[title..].iter().rev() {
        if line.starts_with('#') {
            others += folded;
            folded = 0;
        } else if is_blank(line) {
            if only_blanks {
                continue;
            }
            others += folded;
            let block = (excused && keyed * 3 >= others) || (keyed > 0 && others == 0);
            return if block { start + line.len() } else { text.len() };
        } else {
            only_blanks = false;
            if git_writes(line) {
                keyed += 1;
                folded = 0;
                excused = true;
            } else if line.starts_with(is_space) {
                folded += 1;
            } else if separator(line).is_some_and(|at| at >= 1) {
                keyed += 1;
                folded = 0;
            } else {
                others += 1 + folded;
                folded = 0;
            }
        }
    }
    text.len()
}

/// Where the message ends before comments, blank lines and the old list of conflicts that editors leave behind.
fn end_of_message(text: &str) -> usize {
    let mut tail: Option<usize> = None;
    let mut in_conflicts = false;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if line.starts_with('#') || line == "\n" {
            // At the very start there is nothing before the tail, and git counts it as no tail.
            tail = tail.or((at > 0).then_some(at));
        } else if line == "Conflicts:\n" {
            in_conflicts = true;
            tail = tail.or((at > 0).then_some(at));
        } else if !(in_conflicts && line.starts_with('\t')) {
            tail = None;
            in_conflicts = false;
        }
        at += line.len();
    }
    tail.unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(message: &str, expect: &[(&str, &str)]) {
        let trailers = split(message).trailers;
        let found: Vec<_> = trailers.iter().map(|t| (t.key.as_str(), t.value.as_str())).collect();
        assert_eq!(found, expect, "{message:?}");
    }

    #[test]
    fn a_block_is_the_last_paragraph() {
        check("S\n\nAcked-by: Ann <a@x>\n", &[("Acked-by", "Ann <a@x>")]);
        check("S\n\nA: 1\nB : 2\n  more\n", &[("A", "1"), ("B", "2 more")]);
        check("A: 1\nB: 2\n", &[]);
        check("S\n\nA: 1\n\nprose\n", &[]);
        check("S\n\nprose\nA: 1\n", &[]);
    }

    #[test]
    fn what_git_writes_excuses_other_lines() {
        check("S\n\nprose\nprose\nSigned-off-by: Ann <a@x>\n", &[("Signed-off-by", "Ann <a@x>")]);
        check("S\n\np\np\np\np\nSigned-off-by: Ann <a@x>\n", &[]);
    }

    #[test]
    fn people_are_named_once() {
        let trailers =
            split("S\n\nCo-Authored-By: Ann <a@x>\nCo-authored-by: Ann <a@x>\nReviewed-by: bob\n").trailers;
        let ann = Credit { role: Role::CoAuthor, name: "Ann".into(), email: "a@x".into() };
        let bob = Credit { role: Role::Reviewer, name: "bob".into(), email: String::new() };
        assert_eq!(credits(&trailers), [ann, bob]);
    }
}
