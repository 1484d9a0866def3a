//! How far two byte strings agree, from their beginnings and from their ends.

/// Compared at once while all agrees: long enough for the system's own comparison to run at full speed.
const BLOCK: usize = 256;
const WORD: usize = 8;

/// Returns the number of bytes with which both begin.
pub fn prefix(a: &[u8], b: &[u8]) -> usize {
    let len = a.len().min(b.len());
    let mut at = 0;
    while len - at >= BLOCK && a[at..at + BLOCK] == b[at..at + BLOCK] {
        at += BLOCK;
    }
    while len - at >= WORD {
        let differing = word(a, at) ^ word(b, at);
        if differing != 0 {
            return at + (differing.trailing_zeros() / 8) as usize;
        }
        at += WORD;
    }
    at + a[at..len].iter().zip(&b[at..len]).take_while(|(a, b)| a == b).count()
}

/// Returns the number of bytes with which both end.
pub fn suffix(a: &[u8], b: &[u8]) -> usize {
    let len = a.len().min(b.len());
    let (a, b) = (&a[a.len() - len..], &b[b.len() - len..]);
    let mut left = len;
    while left >= BLOCK && a[left - BLOCK..left] == b[left - BLOCK..left] {
        left -= BLOCK;
    }
    while left >= WORD {
        let differing = word(a, left - WORD) ^ word(b, left - WORD);
        if differing != 0 {
            return len - left + (differing.leading_zeros() / 8) as usize;
        }
        left -= WORD;
    }
    len - left + a[..left].iter().rev().zip(b[..left].iter().rev()).take_while(|(a, b)| a == b).count()
}

fn word(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + WORD].try_into().expect("a slice of eight bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn both_count_as_byte_by_byte_counting_does(
            mut a in proptest::collection::vec(0u8..3, 0..900),
            grown in proptest::collection::vec(0u8..3, 0..20),
            at in 0usize..900,
            other in 0u8..3,
        ) {
            let mut b = a.clone();
            if let Some(byte) = b.get_mut(at) {
                *byte = other;
            }
            let slow = |a: &[u8], b: &[u8]| a.iter().zip(b).take_while(|(a, b)| a == b).count();
            b.extend(&grown);
            proptest::prop_assert_eq!(prefix(&a, &b), slow(&a, &b));
            proptest::prop_assert_eq!(prefix(&b, &a), slow(&a, &b));
            a.reverse();
            b.reverse();
            proptest::prop_assert_eq!(suffix(&a, &b), prefix(
                &a.iter().rev().copied().collect::<Vec<_>>(), &b.iter().rev().copied().collect::<Vec<_>>()));
        }
    }
}
