//! Who an author is, by `.mailmap`, exactly as git applies it (gitmailmap(5)).
//!
//! Each line maps an e-mail, or a name with an e-mail, to a proper name, a proper e-mail or both. E-mails and names
//! are compared without regard to ASCII case; a later line wins over an earlier one; an entry for name and e-mail
//! wins over one for the e-mail alone.

use std::collections::HashMap;

use crate::facts::Signature;

#[derive(Debug, Default)]
pub struct Mailmap {
    by_email: HashMap<Vec<u8>, Entry>,
}

#[derive(Debug, Default)]
struct Entry {
    /// For whoever has this e-mail.
    any: Proper,
    /// For those who have this name, too.
    by_name: HashMap<Vec<u8>, Proper>,
}

/// What to say instead; `None` leaves what the commit says.
#[derive(Debug, Default, Clone)]
struct Proper {
    name: Option<Vec<u8>>,
    email: Option<Vec<u8>>,
}

impl Mailmap {
    /// Reads a mailmap. Lines that make no sense are passed over, as git does.
    pub fn parse(content: &[u8]) -> Self {
        let mut mailmap = Self::default();
        for line in content.split(|byte| *byte == b'\n') {
            mailmap.add(line);
        }
        mailmap
    }

    pub fn is_empty(&self) -> bool {
        self.by_email.is_empty()
    }

    /// Returns who `signature` is.
    pub fn resolve(&self, signature: &Signature) -> Signature {
        let mut resolved = signature.clone();
        let Some(entry) = self.by_email.get(&signature.email.to_ascii_lowercase()) else {
            return resolved;
        };
        let proper = entry.by_name.get(&signature.name.to_ascii_lowercase()).unwrap_or(&entry.any);
        if let Some(name) = &proper.name {
            resolved.name.clone_from(name);
        }
        if let Some(email) = &proper.email {
            resolved.email.clone_from(email);
        }
        resolved
    }

    fn add(&mut self, line: &[u8]) {
        if line.first() == Some(&b'#') {
            return;
        }
        let Some((first_name, first_email, rest)) = name_and_email(line) else { return };
        if first_email.is_empty() {
            return;
        }
        let name = |bytes: &[u8]| (!bytes.is_empty()).then(|| bytes.to_vec());
        match name_and_email(rest) {
            // Proper Name <commit@email>
            None => {
                let entry = self.by_email.entry(first_email.to_ascii_lowercase()).or_default();
                if let Some(name) = name(first_name) {
                    entry.any.name = Some(name);
                }
            }
            // [Proper Name] <proper@email> [Commit Name] <commit@email>
            Some((commit_name, commit_email, _)) => {
                let entry = self.by_email.entry(commit_email.to_ascii_lowercase()).or_default();
                let email = Some(first_email.to_vec());
                if commit_name.is_empty() {
                    // A later line for the e-mail alone adds to an earlier one: it may bring only one of the two.
                    entry.any.name = name(first_name).or_else(|| entry.any.name.take());
                    entry.any.email = email;
                } else {
                    // A later line for name and e-mail takes the place of an earlier one, as git has it.
                    let proper = Proper { name: name(first_name), email };
                    entry.by_name.insert(commit_name.to_ascii_lowercase(), proper);
                }
            }
        }
    }
}

/// Splits `Name <email> rest`; the name may be empty.
fn name_and_email(text: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let open = text.iter().position(|byte| *byte == b'<')?;
    let close = open + text[open..].iter().position(|byte| *byte == b'>')?;
    Some((text[..open].trim_ascii(), &text[open + 1..close], &text[close + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(mailmap: &str, name: &str, email: &str, expect: (&str, &str)) {
        let signature = Signature { name: name.into(), email: email.into() };
        let resolved = Mailmap::parse(mailmap.as_bytes()).resolve(&signature);
        assert_eq!(
            (resolved.name.as_slice(), resolved.email.as_slice()),
            (expect.0.as_bytes(), expect.1.as_bytes())
        );
    }

    #[test]
    fn the_four_forms() {
        check("Jane Doe <jane@x>\n", "jd", "jane@x", ("Jane Doe", "jane@x"));
        check("<jane@x> <jd@old>\n", "jd", "jd@old", ("jd", "jane@x"));
        check("Jane Doe <jane@x> <jd@old>\n", "jd", "jd@old", ("Jane Doe", "jane@x"));
        check("Jane Doe <jane@x> jd <jd@old>\n", "jd", "jd@old", ("Jane Doe", "jane@x"));
        check("Jane Doe <jane@x> jd <jd@old>\n", "other", "jd@old", ("other", "jd@old"));
    }

    #[test]
    fn case_order_and_noise() {
        check("Jane <JANE@X>\n", "jd", "jane@x", ("Jane", "jane@x"));
        check("Jane <j@x> JD <jd@old>\n", "jd", "JD@OLD", ("Jane", "j@x"));
        check("One <a@x>\nTwo <a@x>\n", "n", "a@x", ("Two", "a@x"));
        check("# One <a@x>\n", "n", "a@x", ("n", "a@x"));
        check("no brackets\n<unclosed\n", "n", "a@x", ("n", "a@x"));
        check("Jane <j@x> # why\n", "n", "j@x", ("Jane", "j@x"));
        check("Jane <j@x> n <a@x>\n<k@x> n <a@x>\n", "n", "a@x", ("n", "k@x"));
        check("Jane <j@x> <a@x>\n<k@x> <a@x>\n", "n", "a@x", ("Jane", "k@x"));
        check("Jane <> <a@x>\n", "n", "a@x", ("n", "a@x"));
        check("Jane <j@x> <>\n", "n", "", ("Jane", "j@x"));
        check("All <all@x> <a@x>\nSome <some@x> n <a@x>\n", "n", "a@x", ("Some", "some@x"));
    }
}
