//! A git object id: 20 bytes (SHA-1) or 32 (SHA-256), as the repository has them.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId {
    // Zero beyond `len`, so that the derived comparisons hold.
    bytes: [u8; 32],
    len: u8,
}

#[derive(Debug, thiserror::Error)]
#[error("an object id has 20 or 32 bytes, not {0}")]
pub struct WrongLength(pub usize);

impl ObjectId {
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

impl TryFrom<&[u8]> for ObjectId {
    type Error = WrongLength;

    fn try_from(slice: &[u8]) -> Result<Self, WrongLength> {
        if slice.len() != 20 && slice.len() != 32 {
            return Err(WrongLength(slice.len()));
        }
        let mut bytes = [0; 32];
        bytes[..slice.len()].copy_from_slice(slice);
        Ok(Self { bytes, len: slice.len() as u8 })
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for ObjectId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.as_bytes())
    }
}

impl<'de> Deserialize<'de> for ObjectId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = <&[u8]>::deserialize(deserializer)?;
        Self::try_from(bytes).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_lengths_print_and_compare() {
        let sha1 = ObjectId::try_from(&[0xab; 20][..]).unwrap();
        assert_eq!(sha1.to_string(), "ab".repeat(20));
        let sha256 = ObjectId::try_from(&[0xab; 32][..]).unwrap();
        assert_ne!(sha1, sha256);
        assert!(ObjectId::try_from(&[1; 21][..]).is_err());
    }
}
