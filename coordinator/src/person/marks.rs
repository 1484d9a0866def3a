//! By what somebody is to be known who is erased.

use std::collections::BTreeSet;

use gitfleet_shared::facts::Signature;
use gitfleet_shared::people::erasure::{Key, Mark, folded};
use gitfleet_shared::people::pseudonyms::pseudonyms;
use gitfleet_shared::people::{self, full_name, is_personal, name_key};

use super::Person;
use crate::lens::Names;

impl Person {
    /// Returns the marks of all that they are called by: first those that tell them from everybody else, by which they are
    /// known again.
    pub(super) fn marks(&self, key: &Key) -> Vec<Mark> {
        let called = self.called();
        let taken = Taken::by(&self.others);
        let mut marks: Vec<Mark> = Vec::new();
        for (_, email) in called.iter().filter(|(_, email)| taken.is_own_email(email)) {
            marks.push(key.email(email));
        }
        // Whoever asks for an e-mail alone means whoever has it.
        for who in &self.asked {
            if let people::Who::Email(email) = who {
                marks.push(key.email(email));
            }
        }
        marks.extend(called.iter().map(|(name, email)| key.signature(name, email)));
        let settings =
            self.batches.first().map(|batch| batch.lens.people.settings.clone()).unwrap_or_default();
        for (name, _) in called.iter().filter(|(name, _)| !taken.names.contains(&name_key(name))) {
            match full_name(name, &settings) {
                Some(full) => marks.push(key.name(&full)),
                None if name_key(name).chars().count() > 1 => marks.push(key.alone(name)),
                None => {}
            }
        }
        marks.extend(self.logins.iter().map(|login| key.alone(login)));
        marks.extend(self.keys.iter().map(|one| key.name(one)));
        marks.extend(self.pseudonyms(key));
        let mut met = BTreeSet::new();
        marks.retain(|mark| met.insert(mark.clone()));
        marks
    }

    /// Returns all names they have, each with an e-mail.
    fn called(&self) -> Vec<(String, String)> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let pair = |one: &Signature| (text(&one.name), text(&one.email));
        let asked = self.asked.iter().filter_map(|who| match who {
            people::Who::Signature(signature) => Some(pair(signature)),
            people::Who::Email(_) => None,
        });
        let held = self.identities.iter().map(|one| (one.name.clone(), one.email.clone()));
        held.chain(self.aliases.iter().map(pair)).chain(asked).collect()
    }

    /// Returns the marks of what reports call them that hide people.
    fn pseudonyms(&self, key: &Key) -> Vec<Mark> {
        let mut marks = Vec::new();
        let secrets: BTreeSet<[u8; 32]> = self
            .batches
            .iter()
            .filter_map(|batch| match batch.lens.names {
                Names::Pseudonyms { key } => Some(key),
                Names::Shown | Names::Withheld => None,
            })
            .collect();
        let known = self.directory.people.iter().map(|person| person.key.as_str());
        let all: BTreeSet<&str> = known.chain(self.keys.iter().map(String::as_str)).collect();
        for secret in secrets {
            let found = pseudonyms(all.iter().copied(), &secret);
            for hidden in self.keys.iter().filter_map(|one| found.get(one.as_str())) {
                let digits = hidden.email.split('@').next().unwrap_or_default();
                marks.extend([key.email(&hidden.email), key.name(&hidden.name), key.name(digits)]);
            }
        }
        marks
    }
}

/// What others are called by.
struct Taken {
    emails: BTreeSet<String>,
    names: BTreeSet<String>,
}

impl Taken {
    fn by(others: &[Signature]) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self {
            emails: others.iter().map(|one| folded(&text(&one.email))).collect(),
            names: others.iter().map(|one| name_key(&text(&one.name))).collect(),
        }
    }

    fn is_own_email(&self, email: &str) -> bool {
        let email = folded(email);
        !email.is_empty() && is_personal(&email) && !self.emails.contains(&email)
    }
}
