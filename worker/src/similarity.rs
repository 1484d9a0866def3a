//! How much of a file is the continuation of another: the measure behind `-M`.
//!
//! Contents are cut into pieces, at newlines and after 64 bytes at most; the score is the share of the larger file
//! that the pieces common to both make up.

/// A score of 100 %.
pub const MAX_SCORE: u64 = 60_000;

const PIECE_BYTES: u32 = 64;
/// Pieces are told apart by a hash below this prime, collisions included: the score must be git's, not the truth.
const HASH_BASE: u32 = 107_927;

/// The pieces of one content: hash and bytes of each, ascending by hash, each hash once.
#[derive(Debug, Clone)]
pub struct Pieces {
    bytes_by_hash: Vec<(u32, u64)>,
    size: u64,
}

impl Pieces {
    /// Cuts `content`. In text, the carriage return of a CRLF does not count.
    pub fn of(content: &[u8], is_text: bool) -> Self {
        let mut pieces = Vec::with_capacity(content.len() / 24 + 1);
        let (mut low, mut high, mut bytes) = (0u32, 0u32, 0u32);
        for (position, &byte) in content.iter().enumerate() {
            if is_text && byte == b'\r' && content.get(position + 1) == Some(&b'\n') {
                continue;
            }
            let before = low;
            low = (low << 7) ^ (high >> 25);
            high = (high << 7) ^ (before >> 25);
            low = low.wrapping_add(u32::from(byte));
            bytes += 1;
            if bytes == PIECE_BYTES || byte == b'\n' {
                pieces.push((piece_hash(low, high), u64::from(bytes)));
                (low, high, bytes) = (0, 0, 0);
            }
        }
        if bytes > 0 {
            pieces.push((piece_hash(low, high), u64::from(bytes)));
        }
        pieces.sort_unstable_by_key(|piece| piece.0);
        pieces.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                kept.1 += next.1;
            }
            same
        });
        Self { bytes_by_hash: pieces, size: content.len() as u64 }
    }

    pub fn size(&self) -> u64 {
        self.size
    }

    /// Returns how many bytes of `self` are found again in `other`.
    fn common_bytes(&self, other: &Self) -> u64 {
        let mut others = other.bytes_by_hash.iter().peekable();
        let mut common = 0;
        for (hash, bytes) in &self.bytes_by_hash {
            while others.next_if(|(other, _)| other < hash).is_some() {}
            if let Some((_, other_bytes)) = others.next_if(|(other, _)| other == hash) {
                common += bytes.min(other_bytes);
            }
        }
        common
    }
}

fn piece_hash(low: u32, high: u32) -> u32 {
    low.wrapping_add(high.wrapping_mul(0x61)) % HASH_BASE
}

/// Whether two sizes are so far apart that no content could reach `minimum`.
pub fn sizes_exclude(old_size: u64, new_size: u64, minimum: u64) -> bool {
    let (smaller, larger) = (old_size.min(new_size), old_size.max(new_size));
    larger * (MAX_SCORE - minimum) < (larger - smaller) * MAX_SCORE
}

/// Returns the score of `new` as a continuation of `old`, between 0 and [`MAX_SCORE`].
pub fn score(old: &Pieces, new: &Pieces) -> u64 {
    if new.size == 0 {
        return 0;
    }
    old.common_bytes(new) * MAX_SCORE / old.size.max(new.size)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(old: &str, new: &str, expect: u64) {
        let (old, new) = (Pieces::of(old.as_bytes(), true), Pieces::of(new.as_bytes(), true));
        assert_eq!(score(&old, &new), expect);
    }

    #[test]
    fn the_score_is_the_common_share_of_the_larger() {
        check("one\ntwo\n", "one\ntwo\n", MAX_SCORE);
        check("one\ntwo\n", "one\nTWO\n", MAX_SCORE / 2);
        check("one\n", "one\none\n", MAX_SCORE / 2);
        check("one\r\n", "one\n", MAX_SCORE * 4 / 5);
        check("a\n", "", 0);
    }

    #[test]
    fn sizes_alone_can_say_no() {
        assert!(!sizes_exclude(100, 100, 30_000));
        assert!(!sizes_exclude(50, 100, 30_000));
        assert!(sizes_exclude(49, 100, 30_000));
        assert!(sizes_exclude(0, 1, 30_000));
    }
}
