//! Erased people: who must not be named any more, known by keyed digests alone.
//!
//! Of somebody who asked to be erased nothing is kept that says who it was: only HMAC-SHA256 digests of their e-mails and
//! names, under a key that is not kept beside them, and the pseudonym that stands in their place. With the key it can be
//! asked of any text whether it names one of them, and without it nothing can be told. So what arrives later, from a
//! clone that still has the whole history, is made to say the pseudonym before it is written anywhere.
//!
//! An e-mail is compared in lower case, a name by the words of its [`name_key`]. Names of two words or more are found
//! wherever they stand; others only beside an e-mail they were seen with, because `max` is a word of every program.

mod text;

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::fmt;

use ring::hmac;
use serde::{Deserialize, Serialize};

use super::{name_key, person_key};
use crate::contract::{Digest, ErasedList};
use crate::facts::{CommitFacts, Signature};

/// The secret that digests are made with.
#[derive(Clone)]
pub struct Key(hmac::Key);

/// Shorter secrets could be guessed.
pub const LEAST_SECRET_BYTES: usize = 16;

impl Key {
    /// Returns the key that `secret` is; `None` where it is too short to be one.
    pub fn new(secret: &[u8]) -> Option<Self> {
        (secret.len() >= LEAST_SECRET_BYTES).then(|| Self(hmac::Key::new(hmac::HMAC_SHA256, secret)))
    }

    /// Returns what tells this key from others, and nothing else of it.
    pub fn check(&self) -> Digest {
        self.digest(&["check", "gitfleet"])
    }

    /// Returns the mark of an e-mail, wherever it stands.
    pub fn email(&self, email: &str) -> Mark {
        Mark { kind: MarkKind::Email, words: 0, digest: self.digest(&["email", &folded(email)]) }
    }

    /// Returns the mark of a name, or of a key that a report has for somebody.
    pub fn name(&self, name: &str) -> Mark {
        self.name_of_key(&name_key(name))
    }

    fn name_of_key(&self, key: &str) -> Mark {
        Mark { kind: MarkKind::Name, words: words(key), digest: self.digest(&["name", key]) }
    }

    /// Returns the mark of a name beside an e-mail that others may have, too.
    pub fn signature(&self, name: &str, email: &str) -> Mark {
        let key = name_key(name);
        let digest = self.digest(&["signature", &key, &folded(email)]);
        Mark { kind: MarkKind::Signature, words: words(&key), digest }
    }

    /// Returns the mark of a word that is them where it is all of a value that is somebody: a login, a name of one word.
    pub fn alone(&self, word: &str) -> Mark {
        Mark { kind: MarkKind::Alone, words: 0, digest: self.digest(&["alone", &name_key(word)]) }
    }

    /// Hashes some texts, the first of which says what the others are; none but the last can hold a NUL.
    fn digest(&self, texts: &[&str]) -> Digest {
        let mut context = hmac::Context::with_key(&self.0);
        for text in texts {
            context.update(text.as_bytes());
            context.update(b"\0");
        }
        let mut digest = [0; 32];
        digest.copy_from_slice(context.sign().as_ref());
        digest
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// How an e-mail is compared.
pub fn folded(email: &str) -> String {
    email.trim().to_lowercase()
}

fn words(key: &str) -> u32 {
    u32::try_from(key.split_whitespace().count()).unwrap_or(u32::MAX)
}

/// What one thing is recognised by that somebody was known by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Mark {
    pub kind: MarkKind,
    /// Of a name, how many words it has.
    pub words: u32,
    pub digest: Digest,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum MarkKind {
    Email,
    Name,
    /// A name beside an e-mail.
    Signature,
    /// All of a value that is somebody.
    Alone,
}

impl MarkKind {
    const ALL: [Self; 4] = [Self::Email, Self::Name, Self::Signature, Self::Alone];

    pub fn name(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Name => "name",
            Self::Signature => "signature",
            Self::Alone => "alone",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// Somebody who was erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erased {
    /// Hexadecimal digits in lower case that name them from now on; they say nothing of who it was.
    pub digits: String,
    pub marks: Vec<Mark>,
}

/// What stands in the place of somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pseudonym {
    /// `Erased person 4F7A2C`.
    pub name: String,
    /// `4f7a2c@erased.invalid`: the domain can belong to nobody (RFC 6761).
    pub email: String,
    /// What reports call them.
    pub key: String,
}

impl Pseudonym {
    pub fn of(digits: &str) -> Self {
        let name = format!("Erased person {}", digits.to_uppercase());
        let email = format!("{digits}@erased.invalid");
        let key = person_key(&Signature { name: name.clone().into(), email: email.clone().into() });
        Self { name, email, key }
    }

    pub fn signature(&self) -> Signature {
        Signature { name: self.name.clone().into(), email: self.email.clone().into() }
    }
}

/// All who were erased. Of nobody it leaves everything as it is, and costs nothing.
#[derive(Debug, Clone, Default)]
pub struct Suppression {
    key: Option<Key>,
    list: Vec<Erased>,
    people: Vec<Pseudonym>,
    by_digest: HashMap<Digest, usize>,
    /// How many words the names have that are looked for.
    name_words: BTreeSet<usize>,
    signature_words: BTreeSet<usize>,
}

impl Suppression {
    pub fn new(key: Key, erased: &[Erased]) -> Self {
        let mut suppression = Self { key: Some(key), list: erased.to_vec(), ..Self::default() };
        for (place, one) in erased.iter().enumerate() {
            suppression.people.push(Pseudonym::of(&one.digits));
            for mark in &one.marks {
                suppression.by_digest.entry(mark.digest).or_insert(place);
                let words = usize::try_from(mark.words).unwrap_or(usize::MAX);
                match mark.kind {
                    MarkKind::Email | MarkKind::Alone => {}
                    MarkKind::Name => drop(suppression.name_words.insert(words)),
                    MarkKind::Signature => drop(suppression.signature_words.insert(words)),
                }
            }
        }
        suppression
    }

    /// Returns the list as it goes with a job; `None` where nobody was erased.
    pub fn told(&self) -> Option<ErasedList> {
        let key = self.key.as_ref().filter(|_| !self.is_empty())?;
        Some(ErasedList { key: key.check(), people: self.list.clone() })
    }

    /// Returns the list that went with a job; `None` where `key` is not the one that they are known by.
    pub fn heard(key: Option<&Key>, told: Option<&ErasedList>) -> Option<Self> {
        match (told, key) {
            (None, _) => Some(Self::default()),
            (Some(told), Some(key)) if key.check() == told.key => Some(Self::new(key.clone(), &told.people)),
            (Some(_), _) => None,
        }
    }

    /// Whether nobody was erased.
    pub fn is_empty(&self) -> bool {
        self.by_digest.is_empty()
    }

    /// Returns who a signature is, where that is somebody who was erased: by the e-mail, by both, or by the name.
    pub fn who(&self, signature: &Signature) -> Option<&Pseudonym> {
        let key = self.key.as_ref().filter(|_| !self.is_empty())?;
        let (name, email) = (lossy(&signature.name), lossy(&signature.email));
        let known = self.marked(&key.email(&email)).or_else(|| self.marked(&key.signature(&name, &email)));
        // An e-mail may stand where a name should.
        known.or_else(|| {
            let found = self.mentions(&signature.name).into_iter().next();
            found.or_else(|| self.mentions(&signature.email).into_iter().next()).map(|found| found.who)
        })
    }

    /// Returns who a value is that is somebody as a whole: an e-mail, a name, a login, or what a report calls them.
    pub fn whole(&self, value: &str) -> Option<&Pseudonym> {
        let key = self.key.as_ref().filter(|_| !self.is_empty())?;
        let marks = [key.email(value), key.name(value), key.alone(value)];
        marks.iter().find_map(|mark| self.marked(mark))
    }

    /// Returns whose one of these marks is.
    pub fn known(&self, marks: &[Mark]) -> Option<&Pseudonym> {
        marks.iter().find_map(|mark| self.marked(mark))
    }

    fn marked(&self, mark: &Mark) -> Option<&Pseudonym> {
        self.by_digest.get(&mark.digest).map(|place| &self.people[*place])
    }

    /// Returns `text` with a pseudonym wherever it names somebody who was erased.
    pub fn redact<'t>(&self, text: &'t [u8]) -> Cow<'t, [u8]> {
        let mentions = self.mentions(text);
        if mentions.is_empty() {
            return Cow::Borrowed(text);
        }
        let (mut redacted, mut done) = (Vec::with_capacity(text.len()), 0);
        for mention in mentions {
            redacted.extend_from_slice(&text[done..mention.place.start]);
            redacted.extend_from_slice(mention.instead().as_bytes());
            done = mention.place.end;
        }
        redacted.extend_from_slice(&text[done..]);
        Cow::Owned(redacted)
    }

    /// As [`Self::redact`], of text.
    pub fn redact_text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match self.redact(text.as_bytes()) {
            Cow::Borrowed(_) => Cow::Borrowed(text),
            // Mentions begin and end where characters do.
            Cow::Owned(redacted) => Cow::Owned(lossy(&redacted).into_owned()),
        }
    }

    /// As [`Self::redact_text`], of a text in which every word may be somebody by itself, and on which nothing depends.
    pub fn redact_words<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let redacted = self.redact_text(text);
        let alone = self.alone(&redacted);
        if alone.is_empty() {
            return redacted;
        }
        let (mut words, mut done) = (String::with_capacity(redacted.len()), 0);
        for (place, who) in alone {
            words.push_str(&redacted[done..place.start]);
            words.push_str(&who.name);
            done = place.end;
        }
        words.push_str(&redacted[done..]);
        Cow::Owned(words)
    }

    /// Whether `text` names somebody who was erased.
    pub fn names(&self, text: &[u8]) -> bool {
        !self.mentions(text).is_empty()
    }

    /// Returns a mailmap without the lines that name somebody who was erased: whoever they were says no line any more.
    pub fn mailmap<'t>(&self, content: &'t [u8]) -> Cow<'t, [u8]> {
        if self.is_empty() || !self.names(content) {
            return Cow::Borrowed(content);
        }
        let lines = content.split_inclusive(|byte| *byte == b'\n');
        Cow::Owned(lines.filter(|line| !self.names(line)).flatten().copied().collect())
    }

    /// Makes facts say the pseudonym of whoever was erased; returns whether they named anybody.
    pub fn facts(&self, facts: &mut CommitFacts) -> bool {
        if self.is_empty() {
            return false;
        }
        let mut changed = false;
        for signature in [&mut facts.author, &mut facts.committer] {
            if let Some(pseudonym) = self.who(signature) {
                *signature = pseudonym.signature();
                changed = true;
            }
        }
        if let Cow::Owned(message) = self.redact(&facts.message) {
            facts.message = message;
            changed = true;
        }
        changed
    }
}

fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

#[cfg(test)]
mod tests;
