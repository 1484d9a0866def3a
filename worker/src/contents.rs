//! Contents kept in memory up to a number of bytes, the least recently used let go first.
//!
//! Buffers of contents that are let go are used again: fresh memory from the system costs as much as decoding.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

/// The content of an object. Shared, because a cache keeps it too.
pub type Bytes = Arc<Vec<u8>>;

/// What an entry takes beside its content.
const ENTRY_BYTES: usize = 128;
/// Buffers that wait for their next use.
const SPARE: usize = 16;
/// They take this part of what contents may take, so that large ones do not add up.
const SPARE_SHARE: usize = 16;
const NONE: usize = usize::MAX;

/// Contents by place.
pub struct Contents {
    by_place: HashMap<u64, usize, BuildHasherDefault<PlaceHasher>>,
    entries: Vec<Entry>,
    unused: Vec<usize>,
    newest: usize,
    oldest: usize,
    bytes: usize,
    most_bytes: usize,
    spare: Vec<Vec<u8>>,
}

struct Entry {
    place: u64,
    content: Bytes,
    newer: usize,
    older: usize,
}

impl Contents {
    pub fn new(most_bytes: usize) -> Self {
        Self {
            by_place: HashMap::default(),
            entries: Vec::new(),
            unused: Vec::new(),
            newest: NONE,
            oldest: NONE,
            bytes: 0,
            most_bytes,
            spare: Vec::new(),
        }
    }

    pub fn get(&mut self, place: u64) -> Option<Bytes> {
        let number = *self.by_place.get(&place)?;
        if number != self.newest {
            self.unlink(number);
            self.link(number);
        }
        Some(self.entries[number].content.clone())
    }

    /// Lets the content at `place` go before all others.
    pub fn demote(&mut self, place: u64) {
        let Some(&number) = self.by_place.get(&place) else { return };
        if number != self.oldest {
            self.unlink(number);
            self.entries[number].newer = self.oldest;
            self.entries[number].older = NONE;
            self.entries[self.oldest].older = number;
            self.oldest = number;
        }
    }

    /// Returns a buffer with room for so many bytes, and with any content.
    pub fn buffer(&mut self, bytes: usize) -> Vec<u8> {
        let fits = |buffer: &Vec<u8>| (bytes..=2 * bytes + ENTRY_BYTES).contains(&buffer.capacity());
        match self.spare.iter().rposition(fits) {
            Some(found) => self.spare.swap_remove(found),
            None => Vec::with_capacity(bytes),
        }
    }

    /// Keeps `content`, unless it is too large to be kept.
    pub fn keep(&mut self, place: u64, content: Vec<u8>) -> Bytes {
        let weight = weight(&content);
        let content = Arc::new(content);
        if weight > self.most_bytes || self.by_place.contains_key(&place) {
            return content;
        }
        while self.bytes + weight > self.most_bytes {
            self.let_go();
        }
        self.bytes += weight;
        let entry = Entry { place, content: content.clone(), newer: NONE, older: NONE };
        let number = match self.unused.pop() {
            Some(number) => {
                self.entries[number] = entry;
                number
            }
            None => {
                self.entries.push(entry);
                self.entries.len() - 1
            }
        };
        self.by_place.insert(place, number);
        self.link(number);
        content
    }

    fn let_go(&mut self) {
        let number = self.oldest;
        self.unlink(number);
        let entry = &mut self.entries[number];
        self.by_place.remove(&entry.place);
        self.bytes -= weight(&entry.content);
        let content = std::mem::take(&mut entry.content);
        self.unused.push(number);
        // Somebody may still be reading it.
        if let Ok(buffer) = Arc::try_unwrap(content) {
            self.spare.push(buffer);
            let bytes = |spare: &[Vec<u8>]| spare.iter().map(Vec::capacity).sum::<usize>();
            while self.spare.len() > SPARE || bytes(&self.spare) > self.most_bytes / SPARE_SHARE {
                self.spare.remove(0);
            }
        }
    }

    fn link(&mut self, number: usize) {
        self.entries[number].older = self.newest;
        self.entries[number].newer = NONE;
        match self.newest {
            NONE => self.oldest = number,
            newest => self.entries[newest].newer = number,
        }
        self.newest = number;
    }

    fn unlink(&mut self, number: usize) {
        let Entry { newer, older, .. } = self.entries[number];
        match newer {
            NONE => self.newest = older,
            newer => self.entries[newer].older = older,
        }
        match older {
            NONE => self.oldest = newer,
            older => self.entries[older].newer = newer,
        }
    }
}

fn weight(content: &Vec<u8>) -> usize {
    content.capacity() + ENTRY_BYTES
}

/// Places are numbers that nobody chose to collide, so one multiplication spreads them well enough.
#[derive(Default)]
struct PlaceHasher(u64);

impl Hasher for PlaceHasher {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, place: u64) {
        let spread = (self.0 ^ place).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        // The table takes its bits from both ends.
        self.0 = spread ^ (spread >> 32);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(byte: u8, len: usize) -> Vec<u8> {
        vec![byte; len]
    }

    #[test]
    fn what_was_used_last_stays_longest() {
        let mut contents = Contents::new(3 * (100 + ENTRY_BYTES));
        for place in 0..3 {
            contents.keep(place, content(place as u8, 100));
        }
        assert_eq!(contents.get(0).unwrap()[0], 0);
        contents.keep(3, content(3, 100));
        assert!(contents.get(1).is_none());
        for place in [0, 2, 3] {
            assert_eq!(contents.get(place).unwrap()[0], place as u8);
        }
        contents.keep(4, content(4, 300));
        assert_eq!([0, 2, 3, 4].map(|place| contents.get(place).is_some()), [false, false, true, true]);
    }

    #[test]
    fn what_is_demoted_goes_first() {
        let mut contents = Contents::new(3 * (100 + ENTRY_BYTES));
        for place in 0..3 {
            contents.keep(place, content(place as u8, 100));
        }
        for demoted in [2, 2, 7] {
            contents.demote(demoted);
        }
        contents.keep(3, content(3, 100));
        contents.keep(4, content(4, 100));
        assert_eq!(
            [0, 1, 2, 3, 4].map(|place| contents.get(place).is_some()),
            [false, true, false, true, true]
        );
    }

    #[test]
    fn what_is_too_large_is_only_returned() {
        let mut contents = Contents::new(1_000);
        contents.keep(1, content(1, 100));
        assert_eq!(contents.keep(2, content(2, 1_000)).len(), 1_000);
        assert!(contents.get(2).is_none());
        assert!(contents.get(1).is_some());
    }

    #[test]
    fn buffers_come_back_unless_somebody_reads_them() {
        let mut contents = Contents::new(20 * (100 + ENTRY_BYTES));
        let read = contents.keep(0, content(7, 100));
        for place in 1..20 {
            contents.keep(place, content(8, 100));
        }
        contents.keep(20, content(9, 100));
        contents.keep(21, content(9, 100));
        assert_eq!(*read, content(7, 100));
        assert_eq!(contents.spare.len(), 1);
        assert!(contents.buffer(1_000).is_empty());
        assert_eq!(contents.buffer(90), content(8, 100));
        assert!(contents.spare.is_empty());
    }

    proptest::proptest! {
        #[test]
        fn memory_is_bounded_and_answers_are_right(
            asked in proptest::collection::vec((0u64..20, 0usize..400, 0u64..20), 0..200),
        ) {
            let mut contents = Contents::new(2_000);
            for (place, len, demoted) in asked {
                contents.demote(demoted);
                match contents.get(place) {
                    Some(known) => proptest::prop_assert!(known.iter().all(|byte| u64::from(*byte) == place)),
                    None => drop(contents.keep(place, content(place as u8, len))),
                }
                proptest::prop_assert!(contents.bytes <= 2_000);
                proptest::prop_assert!(contents.spare.iter().map(Vec::capacity).sum::<usize>() <= 500);
                let held: usize = contents.by_place.values().map(|n| weight(&contents.entries[*n].content)).sum();
                proptest::prop_assert_eq!(held, contents.bytes);
            }
        }
    }
}
