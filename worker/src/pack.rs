//! Packed objects, decoded by ourselves.
//!
//! What makes it fast: an object is inflated in one go into a buffer of its known size; each step of a delta chain is
//! kept, because the next commit's objects stand on the same chain; trees do not push blobs out, nor blobs trees.
//! Whatever is unusual (objects outside of packs, bases in other packs) is left to gix.

use std::path::Path;
use std::sync::Arc;

use gix::hash::{Kind as HashKind, oid};
use gix::object::Kind;
use gix::odb::pack::data;
use gix::odb::pack::data::entry::Header;
use libdeflater::Decompressor;

use crate::contents::{Bytes, Contents};
use crate::pack_file::PackFile;
use crate::pages::Pages;

/// Why a packed object has no content here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// It would take more memory or more work than is allowed.
    TooLarge,
    /// It is of another kind, or a delta does not fit its base. To see that, all below may have had to be decoded,
    /// which is not done twice.
    Corrupt,
    /// It is damaged in another way, or stored in a way that is left to gix.
    Unusual,
}

/// git refuses to make longer delta chains.
const LONGEST_CHAIN: usize = 4_096;
/// A length in some bytes, and the place or the id of what a delta is built on.
const LONGEST_HEADER: usize = 64;
/// Chains of large objects end here: some seconds of copying.
const MOST_WORK_BYTES: u64 = 8 << 30;

const SMALLEST_CACHE: usize = 24 << 20;
/// Bytes of packs that are small. Found by trying.
const SMALL_PACKS: u64 = 64 << 20;

/// All packs of one object directory.
pub struct Packs {
    packs: Vec<Arc<PackFile>>,
    /// Where the last object was found; the next is likely to be there too.
    recent: usize,
    hash: HashKind,
    object_bytes: u64,
    blobs: Contents,
    trees: Contents,
    pages: Pages,
    inflater: Decompressor,
    delta: Vec<u8>,
    chain: Vec<Link>,
}

/// A delta on the way from an object to the one it is built on.
struct Link {
    offset: u64,
    data_offset: u64,
    delta_bytes: u64,
}

impl Packs {
    /// Opens the packs in the directory `objects`. A pack that cannot be opened is passed over: gix will say why.
    ///
    /// Up to `cache_bytes` are kept of what was decoded, and no object may take more than `object_bytes` on the way.
    pub fn open(objects: &Path, hash: HashKind, cache_bytes: usize, object_bytes: u64) -> Self {
        let entries = std::fs::read_dir(objects.join("pack")).into_iter().flatten().flatten();
        let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "idx"));
        paths.sort_unstable();
        let packs: Vec<_> = paths.iter().filter_map(|path| PackFile::open(path, hash)).collect();
        let packed = packs.iter().map(|pack| pack.data.end).sum::<u64>();
        let cache_bytes = cache_bytes.min(worth_keeping(packed));
        // Trees and commits are small, and there are many of them.
        let tree_bytes = cache_bytes / 5;
        Self {
            packs,
            recent: 0,
            hash,
            object_bytes,
            blobs: Contents::new(cache_bytes - tree_bytes),
            trees: Contents::new(tree_bytes),
            pages: Pages::new(),
            inflater: Decompressor::new(),
            delta: Vec::new(),
            chain: Vec::new(),
        }
    }

    /// Returns the content of the object `id`, which is to be of this `kind`, or `None` where no pack has it.
    pub fn read(&mut self, id: &oid, kind: Kind) -> Option<Result<Bytes, Refused>> {
        let (pack, offset) = self.find(id)?;
        Some(self.resolve(pack, offset, kind))
    }

    /// Returns how large the object `id` says it is, without decoding it, or `None` where no pack has it.
    pub fn size(&mut self, id: &oid) -> Option<Result<u64, Refused>> {
        let (pack, offset) = self.find(id)?;
        Some(self.claimed_size(pack, offset))
    }

    fn claimed_size(&mut self, number: usize, offset: u64) -> Result<u64, Refused> {
        let Self { packs, hash, object_bytes, pages, inflater, delta, .. } = self;
        let file = &*packs[number];
        let entry = packed(pages, number, file, offset, LONGEST_HEADER)?;
        let entry = data::Entry::from_bytes(entry, offset, *hash).map_err(|_| Refused::Unusual)?;
        if !entry.header.is_delta() {
            return Ok(entry.decompressed_size);
        }
        // A delta begins with the size of its base and its own.
        let bytes = fits(entry.decompressed_size, *object_bytes)?;
        let deflated = packed(pages, number, file, entry.data_offset, longest_deflated(bytes))?;
        inflate(inflater, deflated, bytes, delta)?;
        let mut rest = delta.as_slice();
        size(&mut rest)?;
        size(&mut rest)
    }

    /// Lets the blob `id` go from memory before all others.
    pub fn demote(&mut self, id: &oid) {
        if let Some((pack, offset)) = self.find(id) {
            self.blobs.demote(place(pack, offset, Kind::Blob));
        }
    }

    fn find(&mut self, id: &oid) -> Option<(usize, u64)> {
        for step in 0..self.packs.len() {
            let number = (self.recent + step) % self.packs.len();
            let index = &self.packs[number].index;
            if let Some(entry) = index.lookup(id) {
                self.recent = number;
                return Some((number, index.pack_offset_at_index(entry)));
            }
        }
        None
    }

    fn resolve(&mut self, number: usize, offset: u64, kind: Kind) -> Result<Bytes, Refused> {
        let Self { packs, hash, object_bytes, pages, inflater, delta, chain, .. } = self;
        let cache = if kind == Kind::Blob { &mut self.blobs } else { &mut self.trees };
        let file = &*packs[number];
        chain.clear();
        let mut at = offset;
        let mut content = loop {
            if let Some(known) = cache.get(place(number, at, kind)) {
                break known;
            }
            let entry = packed(pages, number, file, at, LONGEST_HEADER)?;
            let entry = data::Entry::from_bytes(entry, at, *hash).map_err(|_| Refused::Unusual)?;
            let base = match entry.header {
                Header::OfsDelta { base_distance } => entry.checked_base_pack_offset(base_distance),
                Header::RefDelta { base_id } => {
                    file.index.lookup(base_id).map(|entry| file.index.pack_offset_at_index(entry))
                }
                _ if entry.header.as_kind() == Some(kind) => {
                    let bytes = fits(entry.decompressed_size, *object_bytes)?;
                    let mut out = cache.buffer(bytes);
                    let deflated = packed(pages, number, file, entry.data_offset, longest_deflated(bytes))?;
                    inflate(inflater, deflated, bytes, &mut out)?;
                    break cache.keep(place(number, at, kind), out);
                }
                _ => return Err(Refused::Corrupt),
            };
            if chain.len() == LONGEST_CHAIN {
                return Err(Refused::TooLarge);
            }
            let (data_offset, delta_bytes) = (entry.data_offset, entry.decompressed_size);
            chain.push(Link { offset: at, data_offset, delta_bytes });
            at = base.ok_or(Refused::Unusual)?;
        };
        let mut work = 0;
        while let Some(Link { offset, data_offset, delta_bytes }) = chain.pop() {
            let bytes = fits(delta_bytes, *object_bytes)?;
            let deflated = packed(pages, number, file, data_offset, longest_deflated(bytes))?;
            inflate(inflater, deflated, bytes, delta)?;
            let (instructions, bytes) = header(delta, content.len())?;
            let mut out = cache.buffer(fits(bytes, *object_bytes)?);
            apply(&content, instructions, bytes, &mut out).map_err(|_| Refused::Corrupt)?;
            work += delta_bytes + bytes;
            if work > MOST_WORK_BYTES {
                return Err(Refused::TooLarge);
            }
            content = cache.keep(place(number, offset, kind), out);
        }
        Ok(content)
    }
}

/// Returns how much it is worth to keep of what comes from packs of so many bytes. Filling memory costs time, too: where
/// packs are small, more than half of them is seldom worked on at a time.
fn worth_keeping(packed: u64) -> usize {
    let bytes = if packed < SMALL_PACKS { packed / 2 } else { packed };
    usize::try_from(bytes).unwrap_or(usize::MAX).max(SMALLEST_CACHE)
}

/// Returns up to `bytes` of what stands at `from`. What cannot be read any more is not left to gix, which would map it.
fn packed<'a>(
    pages: &'a mut Pages,
    number: usize,
    file: &PackFile,
    from: u64,
    bytes: usize,
) -> Result<&'a [u8], Refused> {
    pages.read(number, &file.data, from, bytes).map_err(|_| Refused::Corrupt)
}

/// Returns `bytes` as a length in memory, unless it is more than is `allowed`.
fn fits(bytes: u64, allowed: u64) -> Result<usize, Refused> {
    let fitting = Some(bytes).filter(|bytes| *bytes <= allowed);
    fitting.and_then(|bytes| usize::try_from(bytes).ok()).ok_or(Refused::TooLarge)
}

/// Replaces `out` by the `bytes` that `deflated` begins with.
fn inflate(
    inflater: &mut Decompressor,
    deflated: &[u8],
    bytes: usize,
    out: &mut Vec<u8>,
) -> Result<(), Refused> {
    out.resize(bytes, 0);
    match inflater.zlib_decompress(deflated, out) {
        Ok(written) if written == out.len() => Ok(()),
        _ => Err(Refused::Unusual),
    }
}

/// Returns how many bytes `bytes` of content can be deflated to. Whatever is longer was made on purpose, and is left to
/// gix.
fn longest_deflated(bytes: usize) -> usize {
    bytes.saturating_add(bytes / 16 + 128)
}

/// Returns the instructions in `delta`, and how many bytes they make of a base of `base_bytes`.
fn header(delta: &[u8], base_bytes: usize) -> Result<(&[u8], u64), Refused> {
    let mut rest = delta;
    if size(&mut rest)? != base_bytes as u64 {
        return Err(Refused::Unusual);
    }
    let bytes = size(&mut rest)?;
    Ok((rest, bytes))
}

/// Replaces `out` by the `bytes` that `instructions` make of `base`.
fn apply(base: &[u8], instructions: &[u8], bytes: u64, out: &mut Vec<u8>) -> Result<(), Refused> {
    out.clear();
    let mut rest = instructions;
    while let Some((&instruction, after)) = rest.split_first() {
        rest = after;
        let piece = if instruction & 0x80 == 0 {
            // Bytes that follow; none at all is reserved.
            let count = usize::from(instruction);
            let piece = rest.get(..count).filter(|piece| !piece.is_empty()).ok_or(Refused::Unusual)?;
            rest = &rest[count..];
            piece
        } else {
            // A stretch of the base. The low bits say which bytes of offset and length follow.
            let mut number = |bits: u8, bytes: u32| -> Result<usize, Refused> {
                let mut number = 0;
                for byte in (0..bytes).filter(|byte| bits >> byte & 1 == 1) {
                    let (&next, after) = rest.split_first().ok_or(Refused::Unusual)?;
                    rest = after;
                    number |= usize::from(next) << (8 * byte);
                }
                Ok(number)
            };
            let from = number(instruction, 4)?;
            let count = match number(instruction >> 4, 3)? {
                0 => 0x10000,
                count => count,
            };
            base.get(from..from + count).ok_or(Refused::Unusual)?
        };
        if (out.len() + piece.len()) as u64 > bytes {
            return Err(Refused::Unusual);
        }
        out.extend_from_slice(piece);
    }
    if out.len() as u64 == bytes { Ok(()) } else { Err(Refused::Unusual) }
}

/// Takes a number off the head of a delta: seven bits to the byte, the lowest first.
fn size(delta: &mut &[u8]) -> Result<u64, Refused> {
    let mut size = 0;
    for shift in (0..63).step_by(7) {
        let (&byte, after) = delta.split_first().ok_or(Refused::Unusual)?;
        *delta = after;
        size |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(size);
        }
    }
    Err(Refused::Unusual)
}

/// A place in one of the packs. The kind is part of it: trees and commits share a cache, and a tree that is there must
/// not be taken for a commit.
fn place(pack: usize, offset: u64, kind: Kind) -> u64 {
    let commit = u64::from(kind == Kind::Commit) << 47;
    offset ^ commit ^ (pack as u64).rotate_right(16)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Applies `delta` as reading does.
    fn applied(base: &[u8], delta: &[u8]) -> Result<Vec<u8>, Refused> {
        let (instructions, bytes) = header(delta, base.len())?;
        let mut out = b"what was there before".to_vec();
        apply(base, instructions, bytes, &mut out)?;
        assert_eq!(out.len() as u64, bytes);
        Ok(out)
    }

    #[test]
    fn deltas_are_applied() {
        assert_eq!(applied(b"abc", &[3, 5, 0x91, 1, 2, 3, b'x', b'y', b'z']).unwrap(), b"bcxyz");
        assert_eq!(applied(b"", &[0, 1, 1, b'x']).unwrap(), b"x");
        assert_eq!(applied(b"abc", &[3, 0]).unwrap(), b"");
        for wrong in
            [&[][..], &[3], &[2, 0], &[3, 1, 0x90], &[3, 1, 0], &[3, 1, 0x90, 2], &[3, 2, 0x91, 3, 1]]
        {
            assert_eq!(applied(b"abc", wrong), Err(Refused::Unusual), "{wrong:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn numbers_of_any_bytes_are_taken_or_refused(
            bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..12),
        ) {
            let mut rest = bytes.as_slice();
            let taken = bytes.iter().take(9).position(|byte| byte & 0x80 == 0);
            proptest::prop_assert_eq!(size(&mut rest).is_ok(), taken.is_some());
            if let Some(last) = taken {
                proptest::prop_assert_eq!(rest, &bytes[last + 1..]);
            }
        }

        #[test]
        fn any_instructions_make_what_the_header_says_or_nothing(
            base in proptest::collection::vec(proptest::num::u8::ANY, 0..100),
            bytes in 0u8..=127,
            // Mostly small numbers, so that some of it makes sense.
            instructions in proptest::collection::vec(
                proptest::prop_oneof![0u8..8, proptest::num::u8::ANY, proptest::strategy::Just(0x91)], 0..60),
        ) {
            let delta = [&[base.len() as u8, bytes], instructions.as_slice()].concat();
            // Whether the length is right, `applied` looks for itself.
            let _ = applied(&base, &delta);
            let _ = applied(&base, &instructions);
        }

        #[test]
        fn sound_instructions_make_what_they_say(
            base in proptest::collection::vec(proptest::num::u8::ANY, 1..100),
            pieces in proptest::collection::vec((0usize..100, 1usize..100, proptest::bool::ANY), 0..8),
        ) {
            let (mut instructions, mut expect) = (Vec::new(), Vec::new());
            for (from, count, is_copied) in pieces {
                let from = from % base.len();
                let piece = &base[from..][..count.min(base.len() - from)];
                let count = piece.len() as u8;
                if is_copied {
                    instructions.extend([0x91, from as u8, count]);
                } else {
                    instructions.push(count);
                    instructions.extend(piece);
                }
                expect.extend_from_slice(piece);
            }
            let result = [expect.len() as u8 | 0x80, (expect.len() >> 7) as u8];
            let delta = [&[base.len() as u8], result.as_slice(), &instructions].concat();
            proptest::prop_assert_eq!(applied(&base, &delta), Ok(expect));
        }
    }
}
