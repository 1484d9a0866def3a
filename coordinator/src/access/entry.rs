//! What the audit log holds: an entry for what was asked, written before it is done, one for how it ended, and one for
//! whoever was turned away. Each hangs on the one before it by its hash.

use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::token::hex;

/// The hash that stands before the first entry.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// About to be done.
    Asked,
    /// Done, or failed: the status says which. An `asked` without it was cut short.
    Answered,
    /// Turned away at the door.
    Refused,
}

/// What happened. Its JSON, with these names in this order, is what is hashed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Entry {
    /// From 1 on, without a gap.
    pub seq: i64,
    /// RFC 3339 in UTC, with milliseconds.
    pub at: String,
    /// What the answer names as `X-Request-Id`.
    pub request: String,
    pub phase: Phase,
    /// Who asked, in words.
    pub actor: String,
    /// From where.
    pub address: String,
    /// Method and route, without what is in it.
    pub action: String,
    /// Method's object: the path that was asked for.
    pub object: String,
    /// SHA-256 of what was sent, in hexadecimal, where anything was.
    pub body_sha256: Option<String>,
    /// HTTP status of the answer.
    pub status: Option<u16>,
    /// Why it was refused.
    pub reason: Option<String>,
}

/// An entry and the hash that binds it to those before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Kept {
    /// The entry as it was hashed, as JSON.
    pub entry: String,
    /// SHA-256, in hexadecimal, of the hash before it, a line feed, and the entry.
    pub hash: String,
}

/// Where the log begins and ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Head {
    /// The last entry; 0 where there is none.
    pub seq: i64,
    pub hash: String,
    /// The last entry that was removed for its age; 0 where none was.
    pub removed_seq: i64,
    pub removed_hash: String,
}

impl Entry {
    /// Returns its JSON.
    pub fn text(&self) -> String {
        serde_json::to_string(self).expect("it is made of strings and numbers")
    }
}

/// Returns the hash of an entry behind one with the hash `previous`.
pub fn chained(previous: &str, entry: &str) -> String {
    hex(digest(&SHA256, format!("{previous}\n{entry}").as_bytes()).as_ref())
}

/// Goes along the log, and finds the first entry that is not what it was.
#[derive(Debug, Clone)]
pub struct Verifier {
    seq: i64,
    hash: String,
}

impl Verifier {
    /// Begins where the log does.
    pub fn new(head: &Head) -> Self {
        Self { seq: head.removed_seq, hash: head.removed_hash.clone() }
    }

    /// Returns the place that was reached, and its hash.
    pub fn reached(&self) -> (i64, &str) {
        (self.seq, &self.hash)
    }

    /// # Errors
    ///
    /// Where the next entry is not the one that was written; in words.
    pub fn next(&mut self, kept: &Kept) -> Result<(), String> {
        let place = self.seq + 1;
        let entry: Entry = serde_json::from_str(&kept.entry)
            .map_err(|error| format!("entry {place} is no entry: {error}"))?;
        if entry.seq != place {
            return Err(format!("entry {place} is missing: {} stands in its place", entry.seq));
        }
        let hash = chained(&self.hash, &kept.entry);
        if hash != kept.hash {
            return Err(format!("entry {place} is not the one that was written, or one before it is not"));
        }
        (self.seq, self.hash) = (place, hash);
        Ok(())
    }

    /// # Errors
    ///
    /// Where the log ends before `head` says it does, or elsewhere; in words.
    pub fn end(&self, head: &Head) -> Result<(), String> {
        if self.seq < head.seq {
            return Err(format!("entries {} to {} are missing at the end", self.seq + 1, head.seq));
        }
        // Entries that came while the log was read are behind the head.
        if self.seq == head.seq && self.hash != head.hash {
            return Err(format!("entry {} is not the last one that was written", head.seq));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(seq: i64) -> Entry {
        Entry {
            seq,
            at: "2026-01-01T00:00:00.000Z".into(),
            request: format!("request-{seq}"),
            phase: Phase::Asked,
            actor: "ann".into(),
            address: "192.0.2.1".into(),
            action: "POST /api/v1/batches".into(),
            object: "/api/v1/batches".into(),
            body_sha256: None,
            status: None,
            reason: None,
        }
    }

    fn log(entries: i64) -> (Vec<Kept>, Head) {
        let (mut kept, mut hash) = (Vec::new(), GENESIS.to_owned());
        for seq in 1..=entries {
            let entry = entry(seq).text();
            hash = chained(&hash, &entry);
            kept.push(Kept { entry, hash: hash.clone() });
        }
        (kept, Head { seq: entries, hash, removed_seq: 0, removed_hash: GENESIS.into() })
    }

    fn verify(kept: &[Kept], head: &Head) -> Result<(), String> {
        let mut verifier = Verifier::new(head);
        kept.iter().try_for_each(|one| verifier.next(one))?;
        verifier.end(head)
    }

    #[test]
    fn a_log_that_was_not_touched_verifies() {
        let (kept, head) = log(20);
        assert_eq!(verify(&kept, &head), Ok(()));
        assert_eq!(verify(&[], &log(0).1), Ok(()));
        // What retention took away is where the log begins.
        let cut = Head { removed_seq: 5, removed_hash: kept[4].hash.clone(), ..head };
        assert_eq!(verify(&kept[5..], &cut), Ok(()));
    }

    #[test]
    fn every_change_is_found_at_its_first_entry() {
        let (kept, head) = log(20);
        for place in 0..kept.len() {
            let mut flipped = kept.clone();
            flipped[place].entry = flipped[place].entry.replacen("ann", "bob", 1);
            let found = verify(&flipped, &head).unwrap_err();
            assert!(found.starts_with(&format!("entry {} ", place + 1)), "{found}");
            let mut deleted = kept.clone();
            deleted.remove(place);
            let found = verify(&deleted, &head).unwrap_err();
            assert!(found.contains(&format!(" {} ", place + 1)), "{found}");
            if place + 1 < kept.len() {
                let mut swapped = kept.clone();
                swapped.swap(place, place + 1);
                let found = verify(&swapped, &head).unwrap_err();
                assert!(found.starts_with(&format!("entry {} ", place + 1)), "{found}");
            }
            let found = verify(&kept[..place], &head).unwrap_err();
            assert!(found.contains("missing at the end"), "{found}");
        }
        // One whose hash was made to fit betrays itself at the next.
        let mut forged = kept.clone();
        forged[3].entry = forged[3].entry.replacen("ann", "bob", 1);
        forged[3].hash = chained(&forged[2].hash, &forged[3].entry);
        assert!(verify(&forged, &head).unwrap_err().starts_with("entry 5 "));
    }
}
