//! A cache whose values nobody can read or make who has not the keys: AES-256-GCM around what another cache holds.
//!
//! A value is `gs`, the version 2, the id of its key (4 bytes), a salt and a nonce (16 and 12 random bytes), the encrypted
//! value, and a tag of 16 bytes. The tag is also over version, key id, context and cache key, so that a value stands where
//! it was put and nowhere else. What does not fit, whatever the reason, is a miss.
//!
//! Each value has a key of its own, derived from the one in the file and the salt (HKDF-SHA-256, RFC 5869). So the 2^32
//! values that one key and random nonces are good for (NIST SP 800-38D, 8.3) are those of one salt, and nobody has to
//! count across workers.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Prk};
use ring::rand::{SecureRandom as _, SystemRandom};

use super::{Cache, CacheStats, Key};
use crate::reread::Reread;

const MAGIC: [u8; 3] = *b"gs\x02";
const SALT: usize = 16;
const RANDOM: usize = SALT + NONCE_LEN;
const HEAD: usize = MAGIC.len() + 4 + RANDOM;
const KEY_BYTES: usize = 32;
/// What keys of values are derived for.
const PURPOSE: &[u8] = b"gitfleet cache value";

/// The keys of a file: one a line, `ID KEY` in hexadecimal (8 and 64 digits), the newest first, perhaps with `retired`
/// behind it. Lines that begin with `#` say something to people.
pub struct Keys(Vec<OneKey>);

struct OneKey {
    id: u32,
    key: Prk,
    is_retired: bool,
}

/// What is wrong with a file of keys. Says nothing of the keys.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    #[error("cannot read the keys in {}", .path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("line {line} of {} is no key: it has 8 digits, a blank, 64 digits, and perhaps `retired`", .path.display())]
    Line { path: PathBuf, line: usize },
    #[error("{} names the key {id:08x} twice", .path.display())]
    Twice { path: PathBuf, id: u32 },
    #[error("{} holds no key that is not retired", .path.display())]
    None { path: PathBuf },
}

impl Keys {
    /// # Errors
    ///
    /// Where the file cannot be read, or is not as it should be.
    pub fn read(path: &Path) -> Result<Self, KeysError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| KeysError::Unreadable { path: path.to_owned(), source })?;
        let mut keys: Vec<OneKey> = Vec::new();
        for (line, words) in (1..).zip(text.lines()) {
            let words = words.trim();
            if words.is_empty() || words.starts_with('#') {
                continue;
            }
            let key = OneKey::read(words).ok_or_else(|| KeysError::Line { path: path.to_owned(), line })?;
            if keys.iter().any(|one| one.id == key.id) {
                return Err(KeysError::Twice { path: path.to_owned(), id: key.id });
            }
            keys.push(key);
        }
        match keys.iter().any(|key| !key.is_retired) {
            true => Ok(Self(keys)),
            false => Err(KeysError::None { path: path.to_owned() }),
        }
    }

    /// Lists the ids in the order of the file, each with whether it is retired.
    pub fn ids(&self) -> impl Iterator<Item = (u32, bool)> {
        self.0.iter().map(|key| (key.id, key.is_retired))
    }

    /// Returns the line of a new key.
    ///
    /// # Errors
    ///
    /// Where the system has no random numbers.
    pub fn generate() -> Result<String, &'static str> {
        let mut random = [0; 4 + KEY_BYTES];
        SystemRandom::new().fill(&mut random).map_err(|_| "the system has no random numbers")?;
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        Ok(format!("{} {}", hex(&random[..4]), hex(&random[4..])))
    }

    fn newest(&self) -> &OneKey {
        self.0.iter().find(|key| !key.is_retired).expect("a file without one is refused")
    }

    fn seal(&self, random: [u8; RANDOM], context: &str, key: &Key, value: &[u8]) -> Option<Vec<u8>> {
        let one = self.newest();
        let mut body = value.to_vec();
        let aad = Aad::from(bound(one.id, context, key));
        let (own, nonce) = one.of_value(&random)?;
        own.seal_in_place_append_tag(nonce, aad, &mut body).ok()?;
        let mut sealed = Vec::with_capacity(HEAD + body.len());
        sealed.extend_from_slice(&MAGIC);
        sealed.extend_from_slice(&one.id.to_be_bytes());
        sealed.extend_from_slice(&random);
        sealed.extend_from_slice(&body);
        Some(sealed)
    }

    fn open(&self, context: &str, key: &Key, mut sealed: Vec<u8>) -> Option<Vec<u8>> {
        let head = sealed.get(..HEAD)?;
        let (id, random) = head.strip_prefix(&MAGIC)?.split_first_chunk()?;
        let id = u32::from_be_bytes(*id);
        let one = self.0.iter().find(|one| one.id == id && !one.is_retired)?;
        let (own, nonce) = one.of_value(random.try_into().ok()?)?;
        let aad = Aad::from(bound(id, context, key));
        let length = own.open_within(nonce, aad, &mut sealed, HEAD..).ok()?.len();
        sealed.truncate(length);
        Some(sealed)
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.ids()).finish()
    }
}

impl OneKey {
    fn read(words: &str) -> Option<Self> {
        let mut words = words.split_ascii_whitespace();
        let (id, digits) = (words.next()?, words.next()?);
        let is_retired = match (words.next(), words.next()) {
            (None, _) => false,
            (Some("retired"), None) => true,
            _ => return None,
        };
        let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if id.len() != 8 || digits.len() != 2 * KEY_BYTES || !is_hex(id) || !is_hex(digits) {
            return None;
        }
        let byte = |place: usize| u8::from_str_radix(&digits[2 * place..2 * place + 2], 16).ok();
        let bytes: Vec<u8> = (0..KEY_BYTES).map(byte).collect::<Option<_>>()?;
        // What is random through and through needs no extraction.
        let key = Prk::new_less_safe(HKDF_SHA256, &bytes);
        Some(Self { id: u32::from_str_radix(id, 16).ok()?, key, is_retired })
    }

    /// Returns the key and the nonce of one value.
    fn of_value(&self, random: &[u8; RANDOM]) -> Option<(LessSafeKey, Nonce)> {
        let (salt, nonce) = random.split_at(SALT);
        let key: UnboundKey = self.key.expand(&[PURPOSE, salt], &AES_256_GCM).ok()?.into();
        Some((LessSafeKey::new(key), Nonce::try_assume_unique_for_key(nonce).ok()?))
    }
}

/// Returns what a value is bound to. Context and key cannot run into each other: the length of one is said.
fn bound(id: u32, context: &str, key: &Key) -> Vec<u8> {
    let mut bound = MAGIC.to_vec();
    bound.extend_from_slice(&id.to_be_bytes());
    bound.extend_from_slice(&(context.len() as u64).to_be_bytes());
    bound.extend_from_slice(context.as_bytes());
    bound.extend_from_slice(key.as_bytes());
    bound
}

/// Another cache, with everything in it encrypted.
pub struct Sealed {
    inner: Arc<dyn Cache>,
    keys: Reread<Keys>,
    /// What values are bound to beside their key: those of one fleet are misses for another.
    context: String,
    random: SystemRandom,
}

impl Sealed {
    /// # Errors
    ///
    /// Where the keys cannot be read: nothing is to be cached in the clear by accident.
    pub fn new(inner: Arc<dyn Cache>, path: &Path, context: &str) -> Result<Self, KeysError> {
        let file = path.to_owned();
        let keys =
            Reread::open("the file of the cache's keys", vec![file.clone()], move || Keys::read(&file))?;
        Ok(Self { inner, keys, context: context.to_owned(), random: SystemRandom::new() })
    }
}

#[async_trait]
impl Cache for Sealed {
    async fn get(&self, keys: &[Key]) -> Vec<Option<Vec<u8>>> {
        let (ring, found) = (self.keys.get(), self.inner.get(keys).await);
        let open = |(key, sealed): (&Key, Option<Vec<u8>>)| ring.open(&self.context, key, sealed?);
        keys.iter().zip(found).map(open).collect()
    }

    async fn put(&self, entries: Vec<(Key, Vec<u8>)>) {
        let ring = self.keys.get();
        let seal = |(key, value): (Key, Vec<u8>)| {
            let mut random = [0; RANDOM];
            // Without random numbers nothing is cached, and only time is lost.
            self.random.fill(&mut random).ok()?;
            let sealed = ring.seal(random, &self.context, &key, &value)?;
            Some((key, sealed))
        };
        self.inner.put(entries.into_iter().filter_map(seal).collect()).await;
    }

    async fn describe(&self) -> Result<String, String> {
        self.inner.describe().await.map(|backend| format!("{backend}, encrypted"))
    }

    async fn stats(&self) -> Result<CacheStats, String> {
        let stats = self.inner.stats().await?;
        Ok(CacheStats { backend: format!("{}, encrypted", stats.backend), ..stats })
    }

    async fn purge(&self) -> Result<u64, String> {
        self.inner.purge().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object_id::ObjectId;

    fn keys(text: &str) -> Result<Keys, KeysError> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("keys");
        std::fs::write(&file, text).unwrap();
        Keys::read(&file)
    }

    fn key(number: u8) -> Key {
        Key::facts(&[0; 32], 1, &ObjectId::try_from(&[number; 20][..]).unwrap())
    }

    fn digits(text: &str) -> Vec<u8> {
        (0..text.len() / 2).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap()).collect()
    }

    /// The Galois/Counter Mode of Operation (McGrew, Viega), test case 16: ring is asked as we ask it.
    #[test]
    fn the_cipher_is_aes_256_gcm() {
        let key = digits("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &key).unwrap());
        let mut body = digits(
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
        );
        let nonce = Nonce::try_assume_unique_for_key(&digits("cafebabefacedbaddecaf888")).unwrap();
        let aad = Aad::from(digits("feedfacedeadbeeffeedfacedeadbeefabaddad2"));
        key.seal_in_place_append_tag(nonce, aad, &mut body).unwrap();
        assert_eq!(
            body,
            digits(
                "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662\
                 76fc6ece0f4e1768cddf8853bb2d551b"
            )
        );
    }

    /// A value as another program makes it: HKDF's expansion by HMAC (RFC 5869, 2.3; one block), then the cipher alone.
    #[test]
    fn a_value_can_be_made_by_what_is_written_here() {
        let secret = "6b1cfaf6bd2a05c0d7c8d8a2c0a8ff7a1a2e19a4b7a0f5ce6d40e0b1f3b6c1d9";
        let ring = keys(&format!("0000002a {secret}")).unwrap();
        let random: [u8; RANDOM] = std::array::from_fn(|at| u8::try_from(at).unwrap());
        let hmac = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &digits(secret));
        let own = ring::hmac::sign(&hmac, &[PURPOSE, &random[..SALT], &[1]].concat());
        let own = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, own.as_ref()).unwrap());
        let mut body = b"what one commit says".to_vec();
        let mut aad = b"gs\x02\0\0\0\x2a\0\0\0\0\0\0\0\x05fleet".to_vec();
        aad.extend_from_slice(key(1).as_bytes());
        let nonce = Nonce::try_assume_unique_for_key(&random[SALT..]).unwrap();
        own.seal_in_place_append_tag(nonce, Aad::from(aad), &mut body).unwrap();
        let made = [&b"gs\x02\0\0\0\x2a"[..], &random, &body].concat();
        assert_eq!(ring.seal(random, "fleet", &key(1), b"what one commit says"), Some(made));
    }

    /// Two values alike are not alike: their keys are others as well as their nonces.
    #[test]
    fn each_value_has_its_own_key() {
        let ring = keys(&Keys::generate().unwrap()).unwrap();
        let of = |salt: u8| {
            let random = std::array::from_fn(|at| if at < SALT { salt } else { 7 });
            ring.seal(random, "", &key(1), &[0; 64]).unwrap()[HEAD..].to_vec()
        };
        assert_ne!(of(1), of(2));
        assert_eq!(of(1), of(1));
    }

    #[test]
    fn a_value_stands_where_it_was_put_and_every_bit_of_it_counts() {
        let ring = keys(&Keys::generate().unwrap()).unwrap();
        let sealed = ring.seal([7; RANDOM], "fleet", &key(1), b"what one commit says").unwrap();
        assert_eq!(
            ring.open("fleet", &key(1), sealed.clone()).as_deref(),
            Some(&b"what one commit says"[..])
        );
        assert_eq!(ring.open("fleet", &key(2), sealed.clone()), None);
        assert_eq!(ring.open("other", &key(1), sealed.clone()), None);
        for bit in 0..sealed.len() * 8 {
            let mut flipped = sealed.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(ring.open("fleet", &key(1), flipped), None, "{bit}");
        }
        for end in 0..sealed.len() {
            assert_eq!(ring.open("fleet", &key(1), sealed[..end].to_vec()), None, "{end}");
        }
        assert_eq!(ring.open("fleet", &key(1), b"in the clear, from before".to_vec()), None);
    }

    #[test]
    fn the_newest_key_writes_and_all_but_the_retired_read() {
        let [old, new] = [Keys::generate().unwrap(), Keys::generate().unwrap()];
        let before = keys(&old).unwrap();
        let sealed = before.seal([1; RANDOM], "", &key(1), b"old").unwrap();
        let rotated = keys(&format!("# newest first\n{new}\n\n{old}\n")).unwrap();
        assert_eq!(rotated.open("", &key(1), sealed.clone()).as_deref(), Some(&b"old"[..]));
        let fresh = rotated.seal([2; RANDOM], "", &key(1), b"new").unwrap();
        assert_eq!(before.open("", &key(1), fresh.clone()), None);
        let retired = keys(&format!("{new}\n{old} retired")).unwrap();
        assert_eq!(retired.open("", &key(1), sealed), None);
        assert_eq!(retired.open("", &key(1), fresh).as_deref(), Some(&b"new"[..]));
        assert_eq!(retired.ids().map(|(_, is_retired)| is_retired).collect::<Vec<_>>(), [false, true]);
    }

    #[test]
    fn a_file_that_makes_no_sense_is_refused_by_line_and_not_repeated() {
        let good = Keys::generate().unwrap();
        for (text, words) in [
            (String::new(), "no key"),
            (format!("{good} retired"), "no key"),
            (format!("{good}\nnonsense"), "line 2"),
            (format!("{good} perhaps"), "line 1"),
            (good[..70].to_owned(), "line 1"),
            (format!("{good}\n{good}"), "twice"),
        ] {
            let said = keys(&text).unwrap_err().to_string();
            assert!(said.contains(words), "{said}");
            assert!(!said.contains(&good[10..30]), "{said}");
        }
        assert!(!format!("{:?}", keys(&good).unwrap()).contains(&good[10..30]));
    }
}
