//! The parts of a raw commit object, taken as git takes them from hostile or ancient commits.

use gitfleet_shared::facts::{ClaimedTime, MESSAGE_LIMIT_BYTES, Signature};
use gix::bstr::ByteSlice as _;

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

/// Returns the commit in `data`, or `None` where it has no tree.
pub fn parse(data: &[u8]) -> Option<Commit> {
    let headers = Headers::parse(data)?;
    let encoding = headers
        .encoding
        .and_then(encoding_rs::Encoding::for_label)
        .filter(|encoding| *encoding != encoding_rs::UTF_8);
    let in_utf8 = |bytes: &[u8]| match encoding {
        Some(encoding) => encoding
            .decode_without_bom_handling_and_without_replacement(bytes)
            .map_or_else(|| bytes.to_vec(), |text| text.into_owned().into_bytes()),
        None => bytes.to_vec(),
    };
    let signature = |line: &[u8]| {
        let (name, email) = person(line);
        Signature { name: in_utf8(name), email: in_utf8(email) }
    };
    let message = &headers.message[..headers.message.len().min(MESSAGE_LIMIT_BYTES)];
    Some(Commit {
        tree: headers.tree,
        parents: headers.parents.clone(),
        author: signature(headers.author),
        authored: claimed_time(headers.author),
        committer: signature(headers.committer),
        committed: claimed_time(headers.committer),
        message: in_utf8(message),
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
        let mut tree = None;
        let mut found =
            (Vec::new(), None::<&[u8]>, None::<&[u8]>, None::<&[u8]>);
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
                found.0.push(gix::ObjectId::from_hex(hex).ok()?);
            } else if let Some(person) = line.strip_prefix(b"author ") {
                found.1.get_or_insert(person);
            } else if let Some(person) = line.strip_prefix(b"committer ") {
                found.2.get_or_insert(person);
            } else if let Some(label) = line.strip_prefix(b"encoding ") {
                found.3.get_or_insert(label.trim());
            }
        }
        let (parents, author, committer, encoding) = found;
        Some(Self {
            tree: tree?,
            parents,
            author: author.unwrap_or_default(),
            committer: committer.unwrap_or_default(),
            encoding,
            message: rest,
        })
    }
}

/// Returns name and e-mail of `Name <email> time offset`: the e-mail ends at the first `>`, the name at the last
/// character before the first `<` that is no space.
fn person(line: &[u8]) -> (&[u8], &[u8]) {
    let Some(open) = line.find_byte(b'<') else {
        return (line.trim(), b"");
    };
    let after = &line[open + 1..];
    let Some(close) = after.find_byte(b'>') else {
        return (line.trim(), b"");
    };
    (line[..open].trim(), &after[..close])
}

/// Returns the time behind the last `>`; no seconds where there is no number, or one that does not fit.
fn claimed_time(line: &[u8]) -> ClaimedTime {
    let none = ClaimedTime { seconds: None, offset_minutes: 0 };
    let Some(close) = line.rfind_byte(b'>') else {
        return none;
    };
    let mut words = line[close + 1..].fields();
    let Some(seconds) = words.next().and_then(|word| word.to_str().ok()) else {
        return none;
    };
    // Git takes digits only: a sign makes the whole date unusable.
    if !seconds.bytes().all(|byte| byte.is_ascii_digit()) {
        return none;
    }
    let offset_minutes = words.next().map_or(0, offset_minutes);
    ClaimedTime { seconds: seconds.parse().ok(), offset_minutes }
}

fn offset_minutes(word: &[u8]) -> i16 {
    let number: i32 = word.to_str().ok().and_then(|word| word.parse().ok()).unwrap_or(0);
    let minutes = number / 100 * 60 + number % 100;
    i16::try_from(minutes).unwrap_or(0)
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
        check("  spaced   <a@b> 1 +0000", "spaced", "a@b");
        check("<a@b> 1 +0000", "", "a@b");
        check("nobody <> 1 +0000", "nobody", "");
        check("two <a@b>> 1 +0000", "two", "a@b");
        check("no brackets", "no brackets", "");
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
        check("a <b> 12 +999999", Some(12), 0);
        check("a <b>> 12 +0000", Some(12), 0);
    }

    #[test]
    fn a_named_encoding_is_brought_to_utf8() {
        let tree = "1".repeat(40);
        let mut data = format!("tree {tree}\nauthor Ren").into_bytes();
        data.extend_from_slice(b"\xe9 <r@x> 1 +0000\ncommitter C <c@x> 2 +0000\nencoding ISO-8859-1\n\nd\xe9j\xe0\n");
        let commit = parse(&data).unwrap();
        assert_eq!(commit.author.name, "Ren\u{e9}".as_bytes());
        assert_eq!(commit.message, "d\u{e9}j\u{e0}\n".as_bytes());
    }
}
