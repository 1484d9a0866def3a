//! What a commit message says: trailers, Conventional Commits, the kind of work, tickets, story points, reverts, pull
//! requests, and help by AI tools.
//!
//! Everything here is a pure function of the message and of settings that are compiled once. Nothing asks a tracker or
//! a forge: what does not stand in the message is not known.

use std::borrow::Cow;

pub mod agents;
pub mod conventional;
pub mod kind;
pub mod patterns;
pub mod points;
mod prose;
pub mod requests;
pub mod reverts;
pub mod tickets;
pub mod trailers;

use trailers::Trailer;

/// A commit message in its parts. Read once, asked by all modules here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The lines of the first paragraph, joined by blanks, as `git log --format=%s` prints them.
    pub subject: String,
    /// What follows the first paragraph, without the trailers; other lines of their block stand at its end.
    pub body: String,
    pub trailers: Vec<Trailer>,
}

impl Message {
    /// Reads the bytes of a message. Bytes that are no UTF-8 become replacement characters.
    pub fn read(message: &[u8]) -> Self {
        Self::of(&String::from_utf8_lossy(message))
    }

    pub fn of(message: &str) -> Self {
        let lines = message.replace("\r\n", "\n");
        let text = lines.trim_start();
        let split = trailers::split(text);
        let head = subject_end(text);
        let subject = text[..head].split('\n').map(str::trim).collect::<Vec<_>>().join(" ");
        let mut body = text.get(head..split.start).unwrap_or_default().trim_matches('\n').to_owned();
        if !split.prose.is_empty() {
            body.push_str("\n\n");
            body.extend(split.prose);
        }
        Self {
            subject: subject.trim().to_owned(),
            body: body.trim_matches('\n').to_owned(),
            trailers: split.trailers,
        }
    }

    /// Returns the values of all trailers with `key`, in order, without regard to case.
    pub fn trailer<'m>(&'m self, key: &'m str) -> impl Iterator<Item = &'m str> {
        self.trailers
            .iter()
            .filter(move |trailer| trailer.key.eq_ignore_ascii_case(key))
            .map(|trailer| trailer.value.as_str())
    }

    /// Returns subject and body as one text.
    pub fn text(&self) -> Cow<'_, str> {
        if self.body.is_empty() {
            Cow::Borrowed(&self.subject)
        } else {
            Cow::Owned(format!("{}\n\n{}", self.subject, self.body))
        }
    }
}

/// Where the first paragraph ends.
fn subject_end(text: &str) -> usize {
    let mut end = 0;
    for line in text.split_inclusive('\n') {
        if line.trim().is_empty() {
            break;
        }
        end += line.len();
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subject_body_and_trailers_come_apart() {
        let message = Message::of("\n\nOne\ntwo\n\nA body.\n\nMore.\n\nReviewed-by: Ann <ann@x>\n");
        assert_eq!(message.subject, "One two");
        assert_eq!(message.body, "A body.\n\nMore.");
        assert_eq!(message.trailer("reviewed-BY").collect::<Vec<_>>(), ["Ann <ann@x>"]);
    }

    #[test]
    fn hostile_bytes_are_read() {
        for bytes in [&b""[..], b"\n\n", b"\xff\xfe\0", b"a\0b\n\n\xf0\x28", b":\n\n:", b"#\n#"] {
            let _ = Message::read(bytes).text();
        }
        assert_eq!(Message::read(b"a\xff").subject, "a\u{fffd}");
    }
}
