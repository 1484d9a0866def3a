//! The one place where values become bytes: frames with kind, version, checksum and compression.
//!
//! Everything that is sent or cached goes through here, so the encoding beneath (postcard) can be replaced in one
//! file. A frame that is not whole, of another kind or of an unknown version is an error with its reason; the caller
//! decides whether that is a miss (cache) or a dead letter (queue).

use serde::{Serialize, de::DeserializeOwned};

/// What a frame holds. The number is written into every frame and is never given away again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Job = 1,
    Outcome = 2,
    CommitFacts = 3,
    MainlineNet = 4,
    Heartbeat = 5,
    PendingSnapshot = 6,
    Briefs = 7,
    DeadLetter = 8,
    Control = 9,
    HandedBack = 10,
    FactPack = 11,
    CommitLines = 12,
    TipFiles = 13,
    Tags = 14,
    AttributesFiles = 15,
}

#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    #[error("not a gitfleet frame")]
    NotAFrame,
    #[error("a frame of kind {found}, not {expected}")]
    Kind { found: u8, expected: u8 },
    #[error("version {found} is unknown here, which reads {expected}")]
    Version { found: u16, expected: u16 },
    #[error("checksum does not match")]
    Checksum,
    #[error("the body does not decode")]
    Body,
}

const MAGIC: &[u8; 4] = b"gtf1";
const CHECKSUM_LEN: usize = 8;
const HEADER_LEN: usize = MAGIC.len() + 1 + 2 + CHECKSUM_LEN;
/// Frames claim their decompressed length. A claim beyond this is refused before anything is allocated.
const MAX_BODY_BYTES: usize = 1 << 30;

/// Returns `value` as a frame.
pub fn encode<T: Serialize>(kind: Kind, version: u16, value: &T) -> Vec<u8> {
    let body = postcard::to_stdvec(value).expect("our own types have lengths and no maps of unknown size");
    let packed = lz4_flex::compress_prepend_size(&body);
    let mut frame = Vec::with_capacity(HEADER_LEN + packed.len());
    frame.extend_from_slice(MAGIC);
    frame.push(kind as u8);
    frame.extend_from_slice(&version.to_le_bytes());
    frame.extend_from_slice(&checksum(kind as u8, version, &packed));
    frame.extend_from_slice(&packed);
    frame
}

/// Returns the value in `frame`.
///
/// # Errors
///
/// Where the frame is damaged, of another kind, or of another version.
pub fn decode<T: DeserializeOwned>(kind: Kind, version: u16, frame: &[u8]) -> Result<T, DecodeError> {
    if frame.len() < HEADER_LEN || &frame[..4] != MAGIC {
        return Err(DecodeError::NotAFrame);
    }
    let found_version = u16::from_le_bytes([frame[5], frame[6]]);
    let packed = &frame[HEADER_LEN..];
    // The checksum covers the header too, so that a flipped bit in the version reads as damage.
    let sound = frame[7..HEADER_LEN] == checksum(frame[4], found_version, packed);
    if !sound && !crate::sabotaged!("cache_without_checksum") {
        return Err(DecodeError::Checksum);
    }
    if frame[4] != kind as u8 {
        return Err(DecodeError::Kind { found: frame[4], expected: kind as u8 });
    }
    if found_version != version {
        return Err(DecodeError::Version { found: found_version, expected: version });
    }
    let claimed = packed.first_chunk::<4>().map(|len| u32::from_le_bytes(*len) as usize);
    if claimed.is_none_or(|len| len > MAX_BODY_BYTES) {
        return Err(DecodeError::Body);
    }
    let body = lz4_flex::decompress_size_prepended(packed).map_err(|_| DecodeError::Body)?;
    postcard::from_bytes(&body).map_err(|_| DecodeError::Body)
}

/// Returns what is in a frame of any kind and version, as bytes in which texts stand as they are; `None` where it cannot
/// be opened. For whoever looks for something in what nobody can read.
pub fn inside(frame: &[u8]) -> Option<Vec<u8>> {
    let packed = frame.get(HEADER_LEN..).filter(|_| is_frame(frame))?;
    let claimed = packed.first_chunk::<4>().map(|len| u32::from_le_bytes(*len) as usize);
    claimed.filter(|len| *len <= MAX_BODY_BYTES)?;
    lz4_flex::decompress_size_prepended(packed).ok()
}

/// Whether bytes begin as a frame does.
pub fn is_frame(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

fn checksum(kind: u8, version: u16, packed: &[u8]) -> [u8; CHECKSUM_LEN] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&[kind]);
    hasher.update(&version.to_le_bytes());
    hasher.update(packed);
    let mut sum = [0; CHECKSUM_LEN];
    sum.copy_from_slice(&hasher.finalize().as_bytes()[..CHECKSUM_LEN]);
    sum
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_went_in_comes_out(value: Vec<(u64, String)>) {
            let frame = encode(Kind::Job, 3, &value);
            let back: Vec<(u64, String)> = decode(Kind::Job, 3, &frame).unwrap();
            prop_assert_eq!(back, value);
        }

        #[test]
        fn noise_never_decodes_nor_panics(noise: Vec<u8>) {
            prop_assert!(decode::<Vec<u64>>(Kind::Job, 3, &noise).is_err());
        }
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_noticed() {
        let frame = encode(Kind::CommitFacts, 1, &vec![1u64, 2, 3, 400]);
        for position in 0..frame.len() {
            for bit in 0..8 {
                let mut damaged = frame.clone();
                damaged[position] ^= 1 << bit;
                assert!(
                    decode::<Vec<u64>>(Kind::CommitFacts, 1, &damaged).is_err(),
                    "byte {position} bit {bit}"
                );
            }
            assert!(
                decode::<Vec<u64>>(Kind::CommitFacts, 1, &frame[..position]).is_err(),
                "cut at {position}"
            );
        }
    }

    #[test]
    fn what_is_inside_shows_whatever_the_version() {
        let frame = encode(Kind::Outcome, 900, &"ann@x.org");
        assert!(inside(&frame).unwrap().windows(9).any(|bytes| bytes == b"ann@x.org"));
        assert!(is_frame(&frame) && !is_frame(b"{}"));
        assert!(
            inside(&frame[..frame.len() - 1]).is_none()
                && inside(b"{}").is_none()
                && inside(b"gtf1").is_none()
        );
    }

    #[test]
    fn kind_and_version_are_named() {
        let frame = encode(Kind::Job, 1, &7u8);
        assert!(matches!(
            decode::<u8>(Kind::Outcome, 1, &frame),
            Err(DecodeError::Kind { found: 1, expected: 2 })
        ));
        assert!(matches!(
            decode::<u8>(Kind::Job, 2, &frame),
            Err(DecodeError::Version { found: 1, expected: 2 })
        ));
    }
}
