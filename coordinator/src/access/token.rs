//! API tokens: 256 random bits with a prefix, a name and a checksum, of which only a hash is kept.
//!
//! `gft_` ID `_` SECRET CHECKSUM, all in hexadecimal: 10 digits that name the token and may be known to everybody, 64 that
//! may not, and 8 by which a mistyped or cut one is told from a wrong one, and by which scanners find tokens that lie
//! about.

use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom as _, SystemRandom};

use super::{Role, Scope};

const PREFIX: &str = "gft_";
const ID: usize = 10;
const SECRET: usize = 64;
const CHECKSUM: usize = 8;

/// A token as somebody shows it. It has no `Debug`: it is shown once, and by whoever it is for.
pub struct Shown(String);

/// A token as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredToken {
    pub id: String,
    /// Whose it is or what it is for.
    pub name: String,
    pub digest: [u8; 32],
    pub role: Role,
    pub scope: Scope,
    pub created_by: String,
    /// UTC milliseconds, as all times here.
    pub created_at: i64,
    pub expires_at: Option<i64>,
    pub revoked_at: Option<i64>,
}

impl StoredToken {
    /// Whether it opens the door at `now`.
    pub fn is_valid(&self, now: i64) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|expires_at| now < expires_at)
    }

    /// Whether this is the token that was shown. It takes as long whatever differs.
    pub fn is(&self, shown: &Shown) -> bool {
        let differ = self.digest.iter().zip(shown.digest()).fold(0, |differ, (a, b)| differ | (a ^ b));
        std::hint::black_box(differ) == 0
    }
}

impl Shown {
    /// Makes a new token.
    ///
    /// # Errors
    ///
    /// Where the system has no random numbers.
    pub fn generate() -> Result<Self, &'static str> {
        let mut random = [0_u8; (ID + SECRET) / 2];
        SystemRandom::new().fill(&mut random).map_err(|_| "the system has no random numbers")?;
        let (id, secret) = random.split_at(ID / 2);
        let text = format!("{PREFIX}{}_{}", hex(id), hex(secret));
        let checksum = checksum(&text);
        Ok(Self(text + &checksum))
    }

    /// Returns the token in `text`, or `None` where it holds none, or one that was cut or mistyped.
    pub fn read(text: &str) -> Option<Self> {
        let well_formed = text.len() == PREFIX.len() + ID + 1 + SECRET + CHECKSUM
            && text.is_ascii()
            && text.starts_with(PREFIX)
            && text.as_bytes()[PREFIX.len() + ID] == b'_';
        let body = text.len().checked_sub(CHECKSUM).filter(|_| well_formed)?;
        (checksum(&text[..body]) == text[body..]).then(|| Self(text.to_owned()))
    }

    /// Returns what names the token, which may be known to everybody.
    pub fn id(&self) -> &str {
        &self.0[PREFIX.len()..PREFIX.len() + ID]
    }

    /// Returns the token itself.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Returns what is kept of it. A slow hash is for passwords; nobody guesses 256 random bits.
    pub fn digest(&self) -> [u8; 32] {
        hash(&self.0)
    }
}

/// Returns the SHA-256 of a text that nobody guesses.
pub fn hash(text: &str) -> [u8; 32] {
    digest(&SHA256, text.as_bytes()).as_ref().try_into().expect("SHA-256 has 32 bytes")
}

/// Returns 256 random bits in hexadecimal.
///
/// # Errors
///
/// Where the system has no random numbers.
pub fn random() -> Result<String, &'static str> {
    let mut random = [0_u8; 32];
    SystemRandom::new().fill(&mut random).map_err(|_| "the system has no random numbers")?;
    Ok(hex(&random))
}

fn checksum(text: &str) -> String {
    hex(&blake3::hash(text.as_bytes()).as_bytes()[..CHECKSUM / 2])
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(shown: &Shown) -> StoredToken {
        StoredToken {
            id: shown.id().to_owned(),
            name: "nightly".into(),
            digest: shown.digest(),
            role: Role::Operator,
            scope: Scope::All,
            created_by: "somebody".into(),
            created_at: 0,
            expires_at: Some(10),
            revoked_at: None,
        }
    }

    #[test]
    fn a_token_is_read_as_it_was_made_and_no_other_is_it() {
        let (one, other) = (Shown::generate().unwrap(), Shown::generate().unwrap());
        let read = Shown::read(one.expose()).unwrap();
        assert_eq!((read.expose(), read.id()), (one.expose(), one.id()));
        assert!(stored(&one).is(&read));
        assert!(!stored(&one).is(&other));
        assert_ne!(one.expose(), other.expose());
    }

    #[test]
    fn what_was_cut_or_mistyped_is_no_token() {
        let shown = Shown::generate().unwrap();
        let text = shown.expose();
        for end in 0..text.len() {
            assert!(Shown::read(&text[..end]).is_none(), "{end}");
        }
        for place in 0..text.len() {
            let mut bytes = text.as_bytes().to_vec();
            bytes[place] = if bytes[place] == b'0' { b'1' } else { b'0' };
            assert!(Shown::read(std::str::from_utf8(&bytes).unwrap()).is_none(), "{place}");
        }
        for text in ["", "gft_", &format!("{text}0"), &format!(" {text}"), &"é".repeat(44)] {
            assert!(Shown::read(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_token_ends_when_it_expires_or_is_revoked() {
        let token = stored(&Shown::generate().unwrap());
        assert!(token.is_valid(9));
        assert!(!token.is_valid(10));
        assert!(!StoredToken { revoked_at: Some(5), ..token.clone() }.is_valid(0));
        assert!(StoredToken { expires_at: None, ..token }.is_valid(i64::MAX));
    }
}
