//! Ids are types, so that a job id given where a batch id was meant does not compile.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(Uuid);

        impl $name {
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }

            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id!(
    /// One submission.
    BatchId
);
id!(
    /// One unit on the queue. Derived from what the job is to do: the same work in the same batch always has the
    /// same id, which is what makes a second delivery recognisable.
    JobId
);

impl BatchId {
    /// Returns a new id that sorts by time of creation.
    pub fn generate() -> Self {
        Self(Uuid::now_v7())
    }
}

impl JobId {
    /// Returns the id of the job that does `work` (any unambiguous description of it) in `batch`.
    pub fn derive(batch: BatchId, work: &[u8]) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(batch.as_bytes());
        hasher.update(work);
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        // Version 8 is the version RFC 9562 leaves to derivations of one's own.
        Self(uuid::Builder::from_custom_bytes(bytes).into_uuid())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_work_has_the_same_id() {
        let batch = BatchId::from_bytes([7; 16]);
        assert_eq!(JobId::derive(batch, b"survey 1"), JobId::derive(batch, b"survey 1"));
        assert_ne!(JobId::derive(batch, b"survey 1"), JobId::derive(batch, b"survey 2"));
        assert_ne!(
            JobId::derive(batch, b"survey 1"),
            JobId::derive(BatchId::from_bytes([8; 16]), b"survey 1")
        );
    }
}
