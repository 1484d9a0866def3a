//! The parts of a raw commit object, taken as git takes them from hostile or ancient commits.

use gitfleet_shared::facts::{ClaimedTime, MESSAGE_LIMIT_BYTES, Signature};
use gix::bstr::ByteSlice as _;

use crate::encoding;
use crate::tags::{self, Said};

#[derive(Debug, PartialEq, Eq)]
pub struct Commit {
    pub tree: gix::ObjectId,
    pub parents: Vec<gix::ObjectId>,
    pub author: Signature,
    pub authored: ClaimedTime,
    pub committer: Signature,
    pub committed: ClaimedTime,
    pub message: Vec<u8>,
}

/// Tree, parents and commit time: all that walking needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Links {
    pub tree: gix::ObjectId,
    pub parents: Vec<gix::ObjectId>,
    pub committed_seconds: i64,
}

/// Returns the links of the commit in `data`, or `None` where it has no tree.
pub fn links(data: &[u8]) -> Option<Links> {
    let headers = Headers::parse(data)?;
    let committed = claimed_time(headers.committer);
    Some(Links {
        tree: headers.tree,
        parents: headers.parents,
        committed_seconds: committed.seconds.unwrap_or(0),
    })
}

/// Returns the commit in `data`, or `None` where it has no tree. A commit that names its encoding is brought to UTF-8
/// as a whole, or, where that cannot be, not at all.
pub fn parse(data: &[u8]) -> Option<Commit> {
    let decoded = Headers::parse(data)?.encoding.and_then(|label| encoding::decode(label, data));
    let headers = Headers::parse(decoded.as_deref().unwrap_or(data))?;
    let signature = |line: &[u8]| {
        let (name, email) = person(line);
        Signature { name: name.to_vec(), email: email.to_vec() }
    };
    Some(Commit {
        tree: headers.tree,
        author: signature(headers.author),
        authored: claimed_time(headers.author),
        committer: signature(headers.committer),
        committed: claimed_time(headers.committer),
        message: headers.message[..headers.message.len().min(MESSAGE_LIMIT_BYTES)].to_vec(),
        parents: headers.parents,
    })
}

struct Headers<'a> {
    tree: gix::ObjectId,
    parents: Vec<gix::ObjectId>,
    author: &'a [u8],
    committer: &'a [u8],
    encoding: Option<&'a [u8]>,
    message: &'a [u8],
}

impl<'a> Headers<'a> {
    fn parse(data: &'a [u8]) -> Option<Self> {
        let mut headers = Self {
            tree: gix::ObjectId::null(gix::hash::Kind::Sha1),
            parents: Vec::new(),
            author: &[],
            committer: &[],
            encoding: None,
            message: &[],
        };
        let (mut tree, mut author, mut committer) = (None, None, None);
        let mut rest = data;
        while let Some(end) = rest.find_byte(b'\n') {
            let line = &rest[..end];
            rest = &rest[end + 1..];
            if line.is_empty() {
                break;
            }
            // The first of each counts; a line that begins with a space continues the header before it.
            if let Some(hex) = line.strip_prefix(b"tree ") {
                tree = tree.or(gix::ObjectId::from_hex(hex).ok());
            } else if let Some(hex) = line.strip_prefix(b"parent ") {
                // Git reads parents up to the people, and none after them.
                if author.is_none() && committer.is_none() {
                    headers.parents.push(gix::ObjectId::from_hex(hex).ok()?);
                }
            } else if let Some(person) = line.strip_prefix(b"author ") {
                author.get_or_insert(person);
            } else if let Some(person) = line.strip_prefix(b"committer ") {
                committer.get_or_insert(person);
            } else if let Some(label) = line.strip_prefix(b"encoding ") {
                headers.encoding.get_or_insert(label.trim());
            }
        }
        headers.tree = tree?;
        headers.author = author.unwrap_or_default();
        headers.committer = committer.unwrap_or_default();
        headers.message = rest;
        Some(headers)
    }
}

/// What git takes for a blank.
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// Returns name and e-mail of `Name <email> time offset`: the e-mail ends at the first `>`, the name at the last
/// character before the first `<` that is no blank. A line without brackets has neither.
fn person(line: &[u8]) -> (&[u8], &[u8]) {
    let Some(open) = line.find_byte(b'<') else { return (b"", b"") };
    let after = &line[open + 1..];
    let Some(close) = after.find_byte(b'>') else { return (b"", b"") };
    let end = line[..open].iter().rposition(|byte| !is_blank(*byte)).map_or(0, |last| last + 1);
    (&line[..end], &after[..close])
}

/// Returns the object that the tag in `data` names, and when it was made.
pub fn tag(data: &[u8]) -> Option<Said> {
    tags::parse(data, claimed_time)
}

/// Returns the time behind the last `>`: digits, then a zone of a sign and digits. Without both there is no time; a
/// number that does not fit is none either.
fn claimed_time(line: &[u8]) -> ClaimedTime {
    let none = ClaimedTime { seconds: None, offset_minutes: 0 };
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let skip_blanks = |text: &'_ [u8]| text.iter().take_while(|byte| is_blank(**byte)).count();
    let Some(close) = line.rfind_byte(b'>') else { return none };
    let rest = &line[close + 1..];
    let rest = &rest[skip_blanks(rest)..];
    let (seconds, rest) = rest.split_at(digits(rest));
    let rest = &rest[skip_blanks(rest)..];
    let Some(sign @ (b'+' | b'-')) = rest.first() else { return none };
    let zone = &rest[1..][..digits(&rest[1..])];
    if seconds.is_empty() || zone.is_empty() {
        return none;
    }
    let number = |digits: &[u8]| digits.to_str().ok().and_then(|text| text.parse::<i64>().ok());
    // Hours and minutes in one number; what is beyond any zone is as good as none.
    let minutes = number(zone).map_or(0, |zone| zone / 100 * 60 + zone % 100);
    let offset = if *sign == b'-' { -minutes } else { minutes };
    ClaimedTime { seconds: number(seconds), offset_minutes: i16::try_from(offset).unwrap_or(0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_split_as_git_splits_them() {
        let check = |line: &str, name: &str, email: &str| {
            assert_eq!(person(line.as_bytes()), (name.as_bytes(), email.as_bytes()), "{line}");
        };
        check("A U Thor <a@b> 1 +0000", "A U Thor", "a@b");
        check("  spaced   <a@b> 1 +0000", "  spaced", "a@b");
        check("<a@b> 1 +0000", "", "a@b");
        check("nobody <> 1 +0000", "nobody", "");
        check("two <a@b>> 1 +0000", "two", "a@b");
        check("no brackets", "", "");
    }

    #[test]
    fn times_that_no_calendar_holds_are_unknown() {
        let check = |line: &str, seconds: Option<i64>, offset_minutes: i16| {
            assert_eq!(claimed_time(line.as_bytes()), ClaimedTime { seconds, offset_minutes }, "{line}");
        };
        check("a <b> 1700000000 +0530", Some(1_700_000_000), 330);
        check("a <b> 1700000000 -0800", Some(1_700_000_000), -480);
        check("a <b> 99999999999999999999 +0000", None, 0);
        check("a <b> -1 +0000", None, 0);
        check("a <b>", None, 0);
        check("a <b> 12", None, 0);
        check("a <b> 12 UTC", None, 0);
        check("a <b> 12 +999999", Some(12), 0);
        check("a <b>> 12 +0000", Some(12), 0);
    }

    #[test]
    fn a_named_encoding_is_brought_to_utf8() {
        let tree = "1".repeat(40);
        let mut data = format!("tree {tree}\nauthor Ren").into_bytes();
        data.extend_from_slice(
            b"\xe9 <r@x> 1 +0000\ncommitter C <c@x> 2 +0000\nencoding ISO-8859-1\n\nd\xe9j\xe0\n",
        );
        let commit = parse(&data).unwrap();
        assert_eq!(commit.author.name, "Ren\u{e9}".as_bytes());
        assert_eq!(commit.message, "d\u{e9}j\u{e0}\n".as_bytes());
    }
}
