//! Where a text names somebody: e-mails, names beside them, and names by themselves.
//!
//! What is looked for is only known by its digest, so whatever might be a name or an e-mail is hashed: every e-mail, what
//! stands between angle brackets, and every run of as many words as some name has.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use super::{Key, Pseudonym, Suppression, lossy};

/// A place in a text that names somebody.
#[derive(Debug)]
pub(super) struct Mention<'s> {
    pub(super) place: Range<usize>,
    pub(super) who: &'s Pseudonym,
    what: What,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Email,
    Name,
    /// What a report calls somebody.
    Key,
}

impl Mention<'_> {
    /// Returns what is to stand there.
    pub(super) fn instead(&self) -> &str {
        match self.what {
            What::Email => &self.who.email,
            What::Name => &self.who.name,
            What::Key => &self.who.key,
        }
    }
}

/// An e-mail is not longer (RFC 5321), and what stands between brackets neither.
const EMAIL_BYTES: usize = 320;
/// What may stand between two words of a name.
const GAP_BYTES: usize = 8;
/// Keys of people are hexadecimal, and no shorter.
const KEY_DIGITS: usize = 6;

impl Suppression {
    /// Returns where `text` names somebody who was erased: ascending, and none in another.
    pub(super) fn mentions(&self, text: &[u8]) -> Vec<Mention<'_>> {
        let Some(key) = self.key.as_ref().filter(|_| !self.is_empty()) else { return Vec::new() };
        let emails = emails(text);
        let words = Words::of(text);
        let mut found = Vec::new();
        for place in &emails {
            if let Some(who) = self.marked(&key.email(&lossy(&text[place.clone()]))) {
                found.push(Mention { place: place.clone(), who, what: What::Email });
            }
        }
        for place in bracketed(text) {
            self.beside(key, text, &words, &place, &mut found);
        }
        self.by_name(key, &words, &emails, &mut found);
        // Of two that overlap, the one that begins first, and of those the longer.
        found.sort_by_key(|one| (one.place.start, std::cmp::Reverse(one.place.end)));
        let mut end = 0;
        found.retain(|one| {
            let apart = one.place.start >= end;
            if apart {
                end = one.place.end;
            }
            apart
        });
        found
    }

    /// Returns the words that are somebody by themselves.
    pub(super) fn alone(&self, text: &str) -> Vec<(Range<usize>, &Pseudonym)> {
        let Some(key) = self.key.as_ref().filter(|_| !self.is_empty()) else { return Vec::new() };
        let words = Words::of(text.as_bytes());
        let runs = (0..words.list.len()).filter_map(|nth| words.run(nth, 1));
        runs.filter_map(|run| Some((run.place, self.marked(&key.alone(run.name))?))).collect()
    }

    /// Looks at what stands between brackets, and at the name before it.
    fn beside<'s>(
        &'s self,
        key: &Key,
        text: &[u8],
        words: &Words,
        place: &Range<usize>,
        found: &mut Vec<Mention<'s>>,
    ) {
        let email = lossy(&text[place.clone()]);
        let mut named = |place: Range<usize>, who, what| found.push(Mention { place, who, what });
        let before = words.before(place.start);
        for count in &self.signature_words {
            let Some((run, name)) = words.run_until(before, *count) else { continue };
            let is_near = run.is_empty() || place.start - run.end <= GAP_BYTES;
            if is_near && let Some(who) = self.marked(&key.signature(name, &email)) {
                if !run.is_empty() {
                    named(run, who, What::Name);
                }
                named(place.clone(), who, What::Email);
            }
        }
        if let Some(who) = self.marked(&key.email(&email)) {
            named(place.clone(), who, What::Email);
            // In a trailer the whole of what is before is their name, whatever it is.
            if let Some(name) = trailer_name(text, place.start) {
                named(name, who, What::Name);
            }
        }
    }

    fn by_name<'s>(
        &'s self,
        key: &Key,
        words: &Words,
        emails: &[Range<usize>],
        found: &mut Vec<Mention<'s>>,
    ) {
        let mut email = 0;
        for first in 0..words.list.len() {
            let start = words.list[first].start;
            while emails.get(email).is_some_and(|place| place.end <= start) {
                email += 1;
            }
            for count in &self.name_words {
                let Some(run) = words.run(first, *count) else { break };
                // A name that is part of an e-mail is part of an e-mail.
                if emails.get(email).is_some_and(|place| place.start < run.place.end) {
                    break;
                }
                if *count == 1 && !is_key(run.name) {
                    continue;
                }
                let mut of = |name: &str, end: usize| {
                    let who = self.marked(&key.name_of_key(name))?;
                    let what = if *count == 1 { What::Key } else { What::Name };
                    found.push(Mention { place: start..end, who, what });
                    Some(())
                };
                if of(run.name, run.place.end).is_none()
                    && let Some((name, end)) = run.possessive
                {
                    of(name, end);
                }
            }
        }
    }
}

fn is_key(word: &str) -> bool {
    word.len() >= KEY_DIGITS && word.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Returns the e-mails in a text, ascending. One may begin behind a sign that an e-mail could begin with.
fn emails(text: &[u8]) -> Vec<Range<usize>> {
    let mut emails: Vec<Range<usize>> = Vec::new();
    for at in text.iter().enumerate().filter(|(_, byte)| **byte == b'@').map(|(at, _)| at) {
        let is_local =
            |byte: &&u8| byte.is_ascii_alphanumeric() || b"._%+-'~".contains(byte) || !byte.is_ascii();
        let is_domain = |byte: &&u8| byte.is_ascii_alphanumeric() || b".-".contains(byte) || !byte.is_ascii();
        let (before, after) = (&text[..at], &text[at + 1..]);
        let local = before.iter().rev().take(EMAIL_BYTES).take_while(is_local).count();
        let domain = after.iter().take(EMAIL_BYTES).take_while(is_domain).count();
        let leading = before[at - local..].iter().take_while(|byte| b".-'~%+_".contains(byte)).count();
        let trailing = after[..domain].iter().rev().take_while(|byte| b".-".contains(byte)).count();
        let place = at - local + leading..at + 1 + domain - trailing;
        if local > leading && domain > trailing && emails.last().is_none_or(|last| last.end <= place.start) {
            emails.push(place);
        }
    }
    emails
}

/// Returns what stands between angle brackets in one line, without blanks around it.
fn bracketed(text: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for open in text.iter().enumerate().filter(|(_, byte)| **byte == b'<').map(|(at, _)| at + 1) {
        let within = text[open..].iter().take(EMAIL_BYTES).position(|byte| b"<>\n".contains(byte));
        let Some(close) = within.map(|len| open + len).filter(|close| text[*close] == b'>') else { continue };
        let inside = &text[open..close];
        let leading = inside.len() - inside.trim_ascii_start().len();
        let place = open + leading..open + leading + inside.trim_ascii().len();
        if !place.is_empty() {
            found.push(place);
        }
    }
    found
}

/// Returns the name in a line `Key: name <email>`, where the bracket is the one before `email`.
fn trailer_name(text: &[u8], email: usize) -> Option<Range<usize>> {
    let start = text[..email].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let line = &text[start..email];
    let bracket = line.iter().rposition(|byte| *byte == b'<')?;
    let colon = line[..bracket].iter().position(|byte| *byte == b':')?;
    let is_key = line[..colon].iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-');
    let name = &line[colon + 1..bracket];
    let leading = name.len() - name.trim_ascii_start().len();
    let from = start + colon + 1 + leading;
    let place = from..from + name.trim_ascii().len();
    (is_key && colon > 0 && !place.is_empty() && !name.contains(&b'<')).then_some(place)
}

/// The words of a text, as [`name_key`](super::name_key) has them.
#[derive(Debug, Default)]
struct Words {
    list: Vec<Word>,
    /// All of them, a blank between each two.
    keys: String,
}

#[derive(Debug, Clone, Copy)]
struct Word {
    start: usize,
    end: usize,
    /// In the keys.
    key: (usize, usize),
    /// What ends before the last apostrophe in it, in the text and in the keys: `Doe's` says Doe, too.
    possessive: Option<(usize, usize)>,
}

/// Words that follow on each other.
struct Run<'w> {
    place: Range<usize>,
    name: &'w str,
    /// The same without what is behind the last apostrophe.
    possessive: Option<(&'w str, usize)>,
}

impl Words {
    fn of(text: &[u8]) -> Self {
        let mut words = Self::default();
        let (mut open, mut apostrophe): (Option<Word>, Option<(usize, usize)>) = (None, None);
        for (start, end, char) in chars(text) {
            let before = words.keys.len();
            let is_first = open.is_none();
            if is_first && !words.list.is_empty() {
                words.keys.push(' ');
            }
            let from = words.keys.len();
            match char {
                Some(char) if char.is_ascii_alphanumeric() => words.keys.push(char.to_ascii_lowercase()),
                Some(char) if !char.is_ascii() => {
                    let folded = std::iter::once(char).nfkd().filter(|char| !is_combining_mark(*char));
                    let folded = folded.flat_map(char::to_lowercase);
                    words.keys.extend(folded.filter(|char| char.is_alphanumeric()));
                }
                Some(_) | None => {}
            }
            if words.keys.len() > from {
                let key = (open.map_or(from, |word| word.key.0), words.keys.len());
                let possessive = match (open, apostrophe.take()) {
                    (Some(_), Some(cut)) => Some(cut),
                    (Some(word), None) => word.possessive,
                    (None, _) => None,
                };
                open = Some(Word { start: open.map_or(start, |word| word.start), end, key, possessive });
                continue;
            }
            words.keys.truncate(before);
            let Some(word) = &mut open else { continue };
            match char {
                // `é` in two characters is one letter.
                Some(char) if is_combining_mark(char) => word.end = end,
                Some('\'' | '’') if apostrophe.is_none() => apostrophe = Some((word.end, words.keys.len())),
                _ => {
                    words.list.push(*word);
                    (open, apostrophe) = (None, None);
                }
            }
        }
        words.list.extend(open);
        words
    }

    /// Returns `count` words from the nth on; `None` where they are not near each other.
    fn run(&self, first: usize, count: usize) -> Option<Run<'_>> {
        let run = self.list.get(first..first.checked_add(count)?)?;
        let (one, last) = (run.first()?, run.last()?);
        if run.windows(2).any(|pair| pair[1].start - pair[0].end > GAP_BYTES) {
            return None;
        }
        let possessive = last.possessive.map(|(end, key)| (&self.keys[one.key.0..key], end));
        Some(Run { place: one.start..last.end, name: &self.keys[one.key.0..last.key.1], possessive })
    }

    /// Returns how many words end before a place.
    fn before(&self, place: usize) -> usize {
        self.list.partition_point(|word| word.end <= place)
    }

    /// Returns the last `count` of the first `until` words, and what they are as a name.
    fn run_until(&self, until: usize, count: usize) -> Option<(Range<usize>, &str)> {
        if count == 0 {
            return Some((0..0, ""));
        }
        let run = self.run(until.checked_sub(count)?, count)?;
        Some((run.place, run.name))
    }
}

/// Returns the characters of a text with their places; `None` is a byte that is none.
fn chars(text: &[u8]) -> impl Iterator<Item = (usize, usize, Option<char>)> {
    let mut at = 0;
    text.utf8_chunks().flat_map(move |chunk| {
        let valid = chunk.valid().char_indices().map(|(place, char)| (place, char.len_utf8(), Some(char)));
        let rest =
            (!chunk.invalid().is_empty()).then_some((chunk.valid().len(), chunk.invalid().len(), None));
        let (start, len) = (at, chunk.valid().len() + chunk.invalid().len());
        at += len;
        valid.chain(rest).map(move |(place, len, char)| (start + place, start + place + len, char))
    })
}
