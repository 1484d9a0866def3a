//! Names that hide people and stay the same from report to report: keyed hashes of their keys.
//!
//! Without the secret nobody can tell whether a pseudonym is somebody's. The secret decides all: with another one, all
//! pseudonyms are others.

use std::collections::BTreeMap;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pseudonym {
    /// `Person 4F7A2C`.
    pub name: String,
    /// `4f7a2c@anonymous.invalid`: the domain can belong to nobody (RFC 6761).
    pub email: String,
}

const LEAST_DIGITS: usize = 6;

/// Returns the pseudonym of each key. Those whose first digits are alike get as many more as tell them apart; all others
/// keep theirs.
pub fn pseudonyms<'k>(
    keys: impl IntoIterator<Item = &'k str>,
    secret: &[u8; 32],
) -> BTreeMap<&'k str, Pseudonym> {
    let hash = |key: &str| blake3::keyed_hash(secret, key.as_bytes()).to_hex().to_string();
    let hashes: BTreeMap<String, &str> = keys.into_iter().map(|key| (hash(key), key)).collect();
    let sorted: Vec<(&String, &&str)> = hashes.iter().collect();
    let mut found = BTreeMap::new();
    for (at, (hash, key)) in sorted.iter().enumerate() {
        let before = at.checked_sub(1).map_or(0, |before| common(hash, sorted[before].0));
        let after = sorted.get(at + 1).map_or(0, |(next, _)| common(hash, next));
        let digits = &hash[..(before.max(after) + 1).clamp(LEAST_DIGITS, hash.len())];
        let name = format!("Person {}", digits.to_uppercase());
        found.insert(**key, Pseudonym { name, email: format!("{digits}@anonymous.invalid") });
    }
    found
}

/// How many digits two hashes begin with in common.
fn common(one: &str, other: &str) -> usize {
    one.bytes().zip(other.bytes()).take_while(|(one, other)| one == other).count()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn they_are_stable_and_apart() {
        let keys: Vec<_> = (0..20_000).map(|nth| nth.to_string()).collect();
        let all = pseudonyms(keys.iter().map(String::as_str), &[7; 32]);
        let names: BTreeSet<_> = all.values().map(|one| &one.name).collect();
        assert_eq!(names.len(), keys.len());
        assert!(all.values().any(|one| one.name.len() > "Person 4F7A2C".len()), "some must have collided");
        let alone = pseudonyms(["5"], &[7; 32]);
        assert!(all["5"].name.starts_with(&alone["5"].name));
        assert_ne!(pseudonyms(["5"], &[8; 32])["5"], alone["5"]);
        assert!(alone["5"].email.ends_with("@anonymous.invalid"));
    }
}
