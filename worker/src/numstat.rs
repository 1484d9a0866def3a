//! Facts in the words of `git log --numstat`: the door through which git judges them.

use gitfleet_shared::facts::{ChangeKind, CommitFacts, Lines};

/// Whether a rename is one line, as with `-M`, or a deletion and an addition, as with `--no-renames`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renames {
    Followed,
    Ignored,
}

/// Appends one line per changed file: commit, added, deleted and path, between tabs. `-` stands where lines are not
/// counted: binary as git prints it, and unknown, of which git prints nothing because it fails.
pub fn write(facts: &CommitFacts, renames: Renames, out: &mut Vec<u8>) {
    let commit = facts.id.to_string();
    let mut line = |lines: Lines, path: &[u8]| {
        out.extend_from_slice(commit.as_bytes());
        match lines {
            Lines::Counted { added, deleted } => {
                out.extend_from_slice(format!("\t{added}\t{deleted}\t").as_bytes());
            }
            Lines::Binary { .. } | Lines::Unknown(_) => out.extend_from_slice(b"\t-\t-\t"),
        }
        out.extend_from_slice(path);
        out.push(b'\n');
    };
    for file in &facts.files {
        match (&file.kind, renames) {
            (ChangeKind::Renamed { from, .. }, Renames::Followed) => {
                line(file.lines, &rename(from, &file.path));
            }
            (_, Renames::Followed) => line(file.lines, &quote(&file.path)),
            (_, Renames::Ignored) => {
                for change in file.without_renames() {
                    line(change.lines, &quote(change.path));
                }
            }
        }
    }
}

/// Returns `path` as git prints it: in quotes with C escapes where it holds anything but plain ASCII.
pub fn quote(path: &[u8]) -> Vec<u8> {
    let plain = |byte: &u8| matches!(byte, 0x20..=0x7e) && !matches!(byte, b'"' | b'\\');
    if path.iter().all(plain) {
        return path.to_vec();
    }
    let mut quoted = vec![b'"'];
    for byte in path {
        let letter = match byte {
            0x07 => b'a',
            0x08 => b'b',
            b'\t' => b't',
            b'\n' => b'n',
            0x0b => b'v',
            0x0c => b'f',
            b'\r' => b'r',
            b'"' | b'\\' => *byte,
            byte if plain(byte) => {
                quoted.push(*byte);
                continue;
            }
            byte => {
                quoted.extend_from_slice(format!("\\{byte:03o}").as_bytes());
                continue;
            }
        };
        quoted.extend_from_slice(&[b'\\', letter]);
    }
    quoted.push(b'"');
    quoted
}

/// Returns a rename as git prints it: directories common to both stand once, around `{old => new}`.
fn rename(old: &[u8], new: &[u8]) -> Vec<u8> {
    let (old_quoted, new_quoted) = (quote(old), quote(new));
    if old_quoted != old || new_quoted != new {
        return [&old_quoted, b" => ".as_slice(), &new_quoted].concat();
    }
    let common = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let head = memchr::memrchr(b'/', &old[..common]).map_or(0, |slash| slash + 1);
    // The tail may share its first slash with the head, and no more.
    let reach = old.len().min(new.len()) - head + usize::from(head > 0);
    let common = old.iter().rev().zip(new.iter().rev()).take(reach).take_while(|(a, b)| a == b).count();
    let from_end = &old[old.len() - common..];
    let tail = memchr::memchr(b'/', from_end).map_or(0, |slash| common - slash);
    let middle = |path: &[u8]| path.get(head..path.len() - tail).unwrap_or_default().to_vec();
    let arrow = [&middle(old), b" => ".as_slice(), &middle(new)].concat();
    if head + tail == 0 {
        return arrow;
    }
    [&old[..head], b"{", &arrow, b"}", &old[old.len() - tail..]].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_quoted_as_git_quotes_them() {
        let check = |path: &[u8], expect: &str| assert_eq!(quote(path), expect.as_bytes());
        check(b"plain path.txt", "plain path.txt");
        check(b"tab\there", "\"tab\\there\"");
        check("caf\u{e9}".as_bytes(), "\"caf\\303\\251\"");
        check(b"q\"b\\", "\"q\\\"b\\\\\"");
        check(b"\x01\x7f", "\"\\001\\177\"");
    }

    #[test]
    fn renames_share_directories() {
        let check = |old: &str, new: &str, expect: &str| {
            assert_eq!(String::from_utf8(rename(old.as_bytes(), new.as_bytes())).unwrap(), expect);
        };
        check("a", "b", "a => b");
        check("d/a", "d/b", "d/{a => b}");
        check("a/f", "b/f", "{a => b}/f");
        check("x/a/f", "x/b/f", "x/{a => b}/f");
        check("x/f", "x/y/f", "x/{ => y}/f");
        check("x/y/f", "x/f", "x/{y => }/f");
        check("f", "y/f", "f => y/f");
        check("caf\u{e9}", "b", "\"caf\\303\\251\" => b");
    }
}
