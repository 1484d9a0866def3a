//! Packs and trees that no git would write: each is refused soon and for a reason, and all beside it stays known.

use std::path::PathBuf;

use gitfleet_shared::facts::{Lines, UnknownReason};
use gitfleet_worker::facts::Engine;
use gitfleet_worker::objects::ReadError;
use gitfleet_worker::walk::Walker;
use gix::hashtable::HashSet;
use libdeflater::{CompressionLvl, Compressor, crc32};

use crate::fixture::{Fixture, file, gone};
use crate::judge::{NO_LIMIT, engine, id};

const TREE: u8 = 2;
const BLOB: u8 = 3;
const OFS_DELTA: u8 = 6;
const REF_DELTA: u8 = 7;

/// Small, so that what an object may take in memory is its least: 64 MiB.
const LIMIT: u64 = 1 << 20;

/// Writes packs that hold anything. Objects are named by numbers of the test's own.
struct Pack {
    bytes: Vec<u8>,
    entries: Vec<(gix::ObjectId, u64)>,
}

/// An id that is the hash of nothing.
fn named(number: usize) -> gix::ObjectId {
    let mut bytes = [0x5a; 20];
    bytes[0] = number as u8;
    bytes[12..].copy_from_slice(&(number as u64).to_be_bytes());
    bytes.into()
}

fn deflated(content: &[u8]) -> Vec<u8> {
    let mut compressor = Compressor::new(CompressionLvl::fastest());
    let mut out = vec![0; compressor.zlib_compress_bound(content.len())];
    let bytes = compressor.zlib_compress(content, &mut out).unwrap();
    out.truncate(bytes);
    out
}

/// A number as in the head of a delta.
fn size(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

fn distance(mut number: u64) -> Vec<u8> {
    let mut bytes = vec![number as u8 & 0x7f];
    while number >= 0x80 {
        number = (number >> 7) - 1;
        bytes.insert(0, number as u8 | 0x80);
    }
    bytes
}

fn delta(base: u64, result: u64, instructions: &[u8]) -> Vec<u8> {
    [size(base), size(result), instructions.to_vec()].concat()
}

/// Copies `count` bytes, below 2^24, from `from`, below 2^32.
fn copy(from: u32, count: u32) -> Vec<u8> {
    [&[0xff], from.to_le_bytes().as_slice(), &count.to_le_bytes()[..3]].concat()
}

/// The delta that makes of zeros `times` as many.
fn multiplied(base: u32, times: u32) -> Vec<u8> {
    let all: Vec<u8> = (0..base).step_by(1 << 20).flat_map(|at| copy(at, (base - at).min(1 << 20))).collect();
    delta(base.into(), u64::from(base) * u64::from(times), &all.repeat(times as usize))
}

impl Pack {
    fn new() -> Self {
        Self { bytes: b"PACK\0\0\0\x02\0\0\0\0".to_vec(), entries: Vec::new() }
    }

    fn end(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// Adds an entry that says it has `bytes` bytes, with `more` of a header and the stream as it is.
    fn raw(&mut self, number: usize, kind: u8, mut bytes: u64, more: &[u8], stream: &[u8]) -> u64 {
        let offset = self.end();
        self.entries.push((named(number), offset));
        let mut head = kind << 4 | bytes as u8 & 0xf;
        bytes >>= 4;
        while bytes > 0 {
            self.bytes.push(head | 0x80);
            head = bytes as u8 & 0x7f;
            bytes >>= 7;
        }
        self.bytes.push(head);
        self.bytes.extend_from_slice(more);
        self.bytes.extend_from_slice(stream);
        offset
    }

    fn whole(&mut self, number: usize, kind: u8, content: &[u8]) -> u64 {
        self.raw(number, kind, content.len() as u64, &[], &deflated(content))
    }

    /// Adds a delta to what stands at `base`.
    fn on(&mut self, number: usize, base: u64, delta: &[u8]) -> u64 {
        let back = distance(self.end() - base);
        self.raw(number, OFS_DELTA, delta.len() as u64, &back, &deflated(delta))
    }

    fn on_id(&mut self, number: usize, base: usize, delta: &[u8]) -> u64 {
        self.raw(number, REF_DELTA, delta.len() as u64, named(base).as_bytes(), &deflated(delta))
    }

    fn index(&self) -> Vec<u8> {
        let mut entries = self.entries.clone();
        entries.sort_unstable();
        let mut bytes = b"\xfftOc\0\0\0\x02".to_vec();
        for first in 0..=255u8 {
            let count = entries.iter().filter(|(id, _)| id.as_bytes()[0] <= first).count() as u32;
            bytes.extend_from_slice(&count.to_be_bytes());
        }
        entries.iter().for_each(|(id, _)| bytes.extend_from_slice(id.as_bytes()));
        entries.iter().for_each(|_| bytes.extend_from_slice(&crc32(b"any").to_be_bytes()));
        let mut large = Vec::new();
        for (_, offset) in &entries {
            let short = u32::try_from(*offset).ok().filter(|offset| *offset < 1 << 31);
            let short = short.unwrap_or_else(|| {
                large.push(*offset);
                (1 << 31) + large.len() as u32 - 1
            });
            bytes.extend_from_slice(&short.to_be_bytes());
        }
        large.iter().for_each(|offset| bytes.extend_from_slice(&offset.to_be_bytes()));
        // Nobody looks at the check sums when an object is read.
        bytes.extend_from_slice(&[0; 40]);
        bytes
    }

    /// Returns the files of the pack `name` once they are there.
    fn write(&self, repo: &Fixture, name: u8) -> (PathBuf, PathBuf) {
        let mut pack = self.bytes.clone();
        pack[8..12].copy_from_slice(&(self.entries.len() as u32).to_be_bytes());
        pack.extend_from_slice(&[0; 20]);
        let folder = repo.path().join("objects/pack");
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join(format!("pack-{}.pack", format!("{name:02x}").repeat(20)));
        let index = path.with_extension("idx");
        std::fs::write(&path, pack).unwrap();
        std::fs::write(&index, self.index()).unwrap();
        (path, index)
    }
}

/// Lets main name a commit that adds a sound file beside the objects `numbers` of `mode`, and one on top of it that
/// changes the sound file.
fn commits(repo: &Fixture, mode: &str, numbers: &[usize]) -> [gix::ObjectId; 2] {
    let mut parent: Option<String> = None;
    [b"sound\n".as_slice(), b"sound\nsound\n"].map(|content| {
        let mut entries = vec![("100644".to_owned(), "a".to_owned(), repo.object("blob", content))];
        for number in numbers {
            entries.push((mode.to_owned(), format!("b{number:06}"), named(*number).to_string()));
        }
        let entries: Vec<(&str, &str, &str)> =
            entries.iter().map(|(mode, name, id)| (mode.as_str(), name.as_str(), id.as_str())).collect();
        let tree = repo.tree(&entries);
        let parents: Vec<&str> = parent.iter().map(String::as_str).collect();
        let commit = repo.commit_tree(&tree, &parents);
        parent = Some(commit.clone());
        id(&commit)
    })
}

const SOUND: Lines = Lines::Counted { added: 1, deleted: 0 };

/// Asks for the facts of a commit that has the objects `numbers`, and of the next, which has nothing to do with them.
fn check_facts(engine: &mut Engine, [first, next]: [gix::ObjectId; 2], expect: &[Lines]) {
    let lines = |facts: gitfleet_shared::facts::CommitFacts| -> Vec<Lines> {
        facts.files.iter().map(|file| file.lines).collect()
    };
    assert_eq!(lines(engine.facts(first).unwrap()), [&[SOUND], expect].concat());
    assert_eq!(lines(engine.facts(next).unwrap()), [SOUND]);
}

/// Makes a pack, and asks that each of the objects has no content for its reason.
fn check(write: impl FnOnce(&mut Pack) -> Vec<(usize, UnknownReason)>) {
    let repo = Fixture::new();
    let mut pack = Pack::new();
    let expect = write(&mut pack);
    pack.write(&repo, 1);
    refused(&repo, &expect);
}

fn refused(repo: &Fixture, expect: &[(usize, UnknownReason)]) {
    let numbers: Vec<usize> = expect.iter().map(|(number, _)| *number).collect();
    let lines: Vec<Lines> = expect.iter().map(|(_, reason)| Lines::Unknown(*reason)).collect();
    let as_files = commits(repo, "100644", &numbers);
    check_facts(&mut engine(repo.path(), LIMIT), as_files, &lines);
    // As directories they are of the wrong kind beside all else.
    let [as_directories, _] = commits(repo, "40000", &numbers);
    let files = engine(repo.path(), LIMIT).facts(as_directories).unwrap().files;
    let unknown = files.iter().filter(|file| matches!(file.lines, Lines::Unknown(_))).count();
    assert_eq!((files.len(), unknown), (1 + lines.len(), lines.len()));
    // Once more, each by itself, in the other order, and with what is cached by now.
    let engine = engine(repo.path(), LIMIT);
    for (number, reason) in expect.iter().rev().chain(expect) {
        let id = named(*number);
        let error = match reason {
            UnknownReason::TooLarge => ReadError::TooLarge(id),
            UnknownReason::CorruptObject => ReadError::Corrupt(id),
            UnknownReason::MissingObject => ReadError::Missing(id),
        };
        assert_eq!(engine.objects().blob(&id).map(drop), Err(error), "object {number}");
    }
}

fn all(numbers: impl IntoIterator<Item = usize>, reason: UnknownReason) -> Vec<(usize, UnknownReason)> {
    numbers.into_iter().map(|number| (number, reason)).collect()
}

#[test]
fn what_the_writer_writes_is_read() {
    let repo = Fixture::new();
    let mut pack = Pack::new();
    let base = pack.whole(1, BLOB, b"one\ntwo\n");
    let second =
        pack.on(2, base, &delta(8, 12, &[copy(0, 4).as_slice(), b"\x04new\n", &copy(4, 4)].concat()));
    pack.on(3, second, &delta(12, 0, b""));
    pack.on_id(4, 2, &multiplied(12, 300));
    // Of a distance with more than one byte.
    pack.whole(
        5,
        BLOB,
        &(0..9_999u32).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect::<Vec<_>>(),
    );
    pack.on(6, base, &delta(8, 4, &copy(4, 4)));
    pack.write(&repo, 1);
    let counted = |added| Lines::Counted { added, deleted: 0 };
    let commits = commits(&repo, "100644", &[1, 2, 3, 4, 6]);
    let expect = [2, 3, 0, 900, 1].map(counted);
    check_facts(&mut engine(repo.path(), LIMIT), commits, &expect);
}

#[test]
fn sizes_that_multiply() {
    check(|pack| {
        let mut at = pack.whole(0, BLOB, &vec![0; 1 << 16]);
        let (mut bytes, mut number) = (1u32 << 16, 0);
        while bytes <= 1 << 26 {
            number += 1;
            at = pack.on(number, at, &multiplied(bytes, 8));
            bytes *= 8;
        }
        // From there on sizes are only claimed.
        for more in 1..20 {
            at = pack.on(
                number + more,
                at,
                &delta(u64::from(bytes) << more, u64::from(bytes) << (more + 1), &[0x80]),
            );
        }
        // A limit of one MiB has been passed before, and that of 64 with the last.
        all(2..number + 20, UnknownReason::TooLarge)
    });
}

#[test]
fn work_that_adds_up() {
    // Each step is allowed, all of them together are eight gigabytes and more.
    const BYTES: u32 = 63 << 20;
    let repo = Fixture::new();
    let mut pack = Pack::new();
    let mut at = pack.whole(0, BLOB, &vec![0; BYTES as usize]);
    for number in 1..140 {
        at = pack.on(number, at, &multiplied(BYTES, 1));
    }
    pack.write(&repo, 1);
    let commits = commits(&repo, "100644", &[139]);
    let too_large = Lines::Unknown(UnknownReason::TooLarge);
    check_facts(&mut engine(repo.path(), LIMIT), commits, &[too_large]);
}

#[test]
fn chains_without_end() {
    let mut last = 0;
    check(|pack| {
        let mut at = pack.whole(0, BLOB, b"content\n");
        for number in 1..6_000 {
            at = pack.on(number, at, &delta(8, 8, &copy(0, 8)));
            last = number;
        }
        all([last, last - 1], UnknownReason::TooLarge)
    });
}

#[test]
fn chains_as_long_as_allowed() {
    let repo = Fixture::new();
    let mut pack = Pack::new();
    let mut at = pack.whole(0, BLOB, b"content\n");
    for number in 1..=4_096 {
        at = pack.on(number, at, &delta(8, 8, &copy(0, 8)));
    }
    pack.write(&repo, 1);
    let commits = commits(&repo, "100644", &[4_096]);
    check_facts(&mut engine(repo.path(), LIMIT), commits, &[SOUND]);
}

#[test]
fn sizes_that_are_only_claimed() {
    check(|pack| {
        let stream = deflated(b"little");
        let base = pack.whole(0, BLOB, b"content\n");
        let mut expect = Vec::new();
        for (number, power) in [(10, 27), (11, 31), (12, 32), (13, 60)] {
            pack.raw(number, BLOB, 1 << power, &[], &stream);
            expect.push((number, UnknownReason::TooLarge));
        }
        for (number, power) in [(20, 27), (21, 31), (22, 60)] {
            pack.on(number, base, &delta(8, 1 << power, b"\x01x"));
            expect.push((number, UnknownReason::TooLarge));
        }
        for (number, power) in [(30, 27), (31, 60)] {
            let back = distance(pack.end() - base);
            pack.raw(number, OFS_DELTA, 1 << power, &back, &stream);
            expect.push((number, UnknownReason::TooLarge));
        }
        expect
    });
    // Or do not even fit into a number.
    check(|pack| {
        let base = pack.whole(0, BLOB, b"content\n");
        pack.on(1, base, &[size(8), vec![0xff; 9], vec![0x7f; 2]].concat());
        pack.on(2, base, &[0xff; 30]);
        pack.bytes.extend_from_slice(&[0xbf; 40]);
        let end = pack.end();
        pack.entries.push((named(3), end - 30));
        [all([1], UnknownReason::TooLarge), all([2, 3], UnknownReason::CorruptObject)].concat()
    });
}

#[test]
fn sizes_that_are_claimed_do_not_overflow_estimates() {
    let repo = Fixture::new();
    let mut pack = Pack::new();
    for number in 1..=4 {
        pack.raw(number, BLOB, u64::MAX / 2, &[], &deflated(b"little"));
    }
    pack.write(&repo, 1);
    commits(&repo, "100644", &[1, 2, 3, 4]);
    let engine = engine(repo.path(), LIMIT);
    let head = id(&repo.git(&["rev-parse", "HEAD"]));
    let walked = Walker::new(engine.objects(), HashSet::default()).all(&[head]).unwrap();
    let costs = gitfleet_worker::cost::estimate(engine.objects(), &walked);
    assert!(costs.iter().all(|cost| (1..1 << 20).contains(cost)), "{costs:?}");
}

#[test]
fn contents_beyond_the_limit() {
    let zeros = vec![0; 300 << 20];
    check(|pack| {
        pack.whole(1, BLOB, &zeros);
        vec![(1, UnknownReason::TooLarge)]
    });
    let repo = Fixture::new();
    for (number, claimed) in [(1, 80u64 << 20), (2, 2 << 30), (3, 1 << 60)] {
        let head = format!("blob {claimed}\0");
        let path = repo.loose(&named(number).to_string());
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let content = [head.as_bytes(), if number == 1 { &zeros[..80 << 20] } else { b"little" }].concat();
        std::fs::write(path, deflated(&content)).unwrap();
    }
    refused(&repo, &all([1, 2, 3], UnknownReason::TooLarge));
}

#[test]
fn a_tree_beyond_the_limit() {
    let repo = Fixture::new();
    let mut pack = Pack::new();
    pack.whole(1, TREE, &vec![0; 80 << 20]);
    pack.raw(2, TREE, 1 << 60, &[], &deflated(b"little"));
    pack.write(&repo, 1);
    let too_large = Lines::Unknown(UnknownReason::TooLarge);
    let commits = commits(&repo, "40000", &[1, 2]);
    check_facts(&mut engine(repo.path(), LIMIT), commits, &[too_large, too_large]);
}

#[test]
fn streams_that_are_not_what_the_header_says() {
    let zeros = deflated(&vec![0; 100 << 20]);
    check(|pack| {
        pack.raw(1, BLOB, 10, &[], &zeros);
        pack.raw(2, BLOB, 100, &[], &deflated(b"little"));
        let mut stream = deflated(b"some content that is long enough to be cut\n");
        let last = stream.len() - 1;
        stream[last] ^= 1;
        pack.raw(3, BLOB, 43, &[], &stream);
        pack.raw(4, BLOB, 43, &[], &stream[..last / 2]);
        pack.raw(5, BLOB, 43, &[], b"no stream at all");
        pack.raw(6, 0, 43, &[], &stream);
        pack.raw(7, 5, 43, &[], &stream);
        let base = pack.whole(0, BLOB, b"content\n");
        let back = distance(pack.end() - base);
        pack.raw(8, OFS_DELTA, 12, &back, &zeros);
        let back = distance(pack.end() - base);
        pack.raw(9, OFS_DELTA, 100, &back, &deflated(b"little"));
        // The last one ends with the pack.
        pack.raw(10, BLOB, 43, &[], &[]);
        all(1..=10, UnknownReason::CorruptObject)
    });
}

#[test]
fn bases_that_are_not_there() {
    check(|pack| {
        let change = delta(8, 8, &copy(0, 8));
        let base = pack.whole(0, BLOB, b"content\n");
        // On itself, before the pack, into its header, into another entry, and on what no number can hold.
        let stream = deflated(&change);
        let len = change.len() as u64;
        pack.raw(1, OFS_DELTA, len, &distance(0), &stream);
        let end = pack.end();
        pack.raw(2, OFS_DELTA, len, &distance(end + 1), &stream);
        let end = pack.end();
        pack.raw(3, OFS_DELTA, len, &distance(end - 3), &stream);
        let end = pack.end();
        pack.raw(4, OFS_DELTA, len, &distance(end - base - 3), &stream);
        pack.raw(5, OFS_DELTA, len, &[0xff; 30], &stream);
        // In a circle of one, and of three.
        pack.on_id(6, 6, &change);
        pack.on_id(7, 8, &change);
        pack.on_id(8, 9, &change);
        pack.on_id(9, 7, &change);
        // Nowhere.
        pack.on_id(10, 99, &change);
        let circles = all(6..=9, UnknownReason::TooLarge);
        let corrupt = |numbers| all(numbers, UnknownReason::CorruptObject);
        [corrupt(1..=5), circles, corrupt(10..=10)].concat()
    });
}

#[test]
fn bases_in_other_packs() {
    let repo = Fixture::new();
    let change = delta(8, 8, &copy(0, 8));
    let (mut pack, mut other) = (Pack::new(), Pack::new());
    pack.on_id(1, 2, &change);
    other.on_id(2, 1, &change);
    pack.on_id(3, 4, &change);
    other.whole(4, BLOB, b"content\n");
    pack.write(&repo, 1);
    other.write(&repo, 2);
    refused(&repo, &all([1, 2], UnknownReason::CorruptObject));
    // Nobody writes such packs, but it is clear what they mean.
    let commits = commits(&repo, "100644", &[3]);
    check_facts(&mut engine(repo.path(), LIMIT), commits, &[SOUND]);
}

#[test]
fn bases_of_another_kind() {
    check(|pack| {
        let tree = pack.whole(0, TREE, b"content\n");
        pack.on(1, tree, &delta(8, 8, &copy(0, 8)));
        all([1], UnknownReason::CorruptObject)
    });
}

#[test]
fn instructions_that_make_no_sense() {
    check(|pack| {
        let base = pack.whole(0, BLOB, b"content\n");
        let wrong: [Vec<u8>; 12] = [
            // Out of the base: behind it, across its end, and at the end of all numbers.
            delta(8, 8, &copy(8, 8)),
            delta(8, 8, &copy(4, 8)),
            delta(8, 8, &copy(u32::MAX, 0xff_ffff)),
            // A length of zero means 64 KiB.
            delta(8, 1 << 16, &[0x80]),
            delta(8, 8, &[&copy(0, 8), [0].as_slice()].concat()),
            delta(8, 8, &[0]),
            // Too short, too long, nothing at all.
            delta(8, 9, &copy(0, 8)),
            delta(8, 7, &copy(0, 8)),
            delta(8, 8, &[]),
            // Cut off, within an instruction and within what it adds.
            delta(8, 8, &copy(0, 8)[..3]),
            delta(8, 8, b"\x08cont"),
            // For another base.
            delta(9, 8, &copy(0, 8)),
        ];
        for (position, wrong) in wrong.iter().enumerate() {
            pack.on(position + 1, base, wrong);
        }
        pack.on(13, base, &[]);
        // And what is built on such.
        let bad = pack.on(14, base, &delta(8, 7, &copy(0, 8)));
        pack.on(15, bad, &delta(7, 7, &copy(0, 7)));
        all(1..=15, UnknownReason::CorruptObject)
    });
}

#[test]
fn a_bomb_with_a_faulty_fuse_is_lit_once() {
    // What is wrong with the last step is only seen when all others have been done.
    const BYTES: u32 = 32 << 20;
    check(|pack| {
        let mut at = pack.whole(0, BLOB, &vec![0; BYTES as usize]);
        for number in 1..20 {
            at = pack.on(number, at, &multiplied(BYTES, 1));
        }
        pack.on(20, at, &delta(BYTES.into(), 9, &copy(0, 8)));
        all([20], UnknownReason::CorruptObject)
    });
}

#[test]
fn indexes_that_lie() {
    let sound = |pack: &mut Pack| {
        for number in 1..=4 {
            pack.whole(number, BLOB, b"content\n");
        }
    };
    // Offsets behind the pack, into its trailer, and beyond what a file can have.
    let repo = Fixture::new();
    let mut pack = Pack::new();
    sound(&mut pack);
    let end = pack.end();
    for (entry, offset) in pack.entries.iter_mut().zip([end, end + 5, end + 1_000, u64::MAX - 3]) {
        entry.1 = offset;
    }
    pack.entries.push((named(5), 1 << 40));
    pack.entries.push((named(6), 0));
    pack.write(&repo, 1);
    refused(&repo, &all(1..=6, UnknownReason::CorruptObject));

    // A table of counts that goes down, one that promises too much, offsets that are in no table, another version,
    // cut off at many places.
    let damages: [fn(&mut Vec<u8>); 10] = [
        |index| index[8..12].copy_from_slice(&9u32.to_be_bytes()),
        |index| index[8 + 255 * 4..][..4].copy_from_slice(&u32::MAX.to_be_bytes()),
        |index| {
            let at = 8 + 1_024 + 4 * 24;
            index[at..at + 16].fill(0xff);
        },
        |index| index[7] = 3,
        Vec::clear,
        |index| index.truncate(7),
        |index| index.truncate(1_000),
        |index| index.truncate(8 + 1_024 + 30),
        |index| index.truncate(index.len() - 41),
        |index| index.extend_from_slice(&[7; 30]),
    ];
    for (number, damage) in damages.iter().enumerate() {
        let repo = Fixture::new();
        let mut pack = Pack::new();
        sound(&mut pack);
        let (_, path) = pack.write(&repo, 1);
        let mut index = std::fs::read(&path).unwrap();
        damage(&mut index);
        std::fs::write(&path, index).unwrap();
        let commits = commits(&repo, "100644", &[1, 2, 3, 4]);
        let mut engine = engine(repo.path(), LIMIT);
        // Which of the reasons it is, is not worth a promise.
        let files = engine.facts(commits[0]).unwrap().files;
        assert_eq!(files[0].lines, SOUND, "damage {number}");
        let known = files[1..].iter().any(|file| !matches!(file.lines, Lines::Unknown(_)));
        assert!(!known, "damage {number}: {files:?}");
        assert_eq!(engine.facts(commits[1]).unwrap().files.len(), 1, "damage {number}");
    }
}

#[test]
fn packs_that_are_cut_off() {
    let mut whole = Pack::new();
    let base = whole.whole(1, BLOB, b"content of the first, not too short to be cut\n");
    whole.on(2, base, &delta(46, 8, &copy(0, 8)));
    whole.whole(3, BLOB, b"content\n");
    let repo = Fixture::new();
    commits(&repo, "100644", &[]);
    for left in 0..whole.bytes.len() + 20 {
        let (path, _) = whole.write(&repo, 1);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes.truncate(left);
        std::fs::write(&path, bytes).unwrap();
        let engine = engine(repo.path(), LIMIT);
        for number in 1..=3 {
            // With most of the pack there, some are; none is ever what it was not.
            if let Ok(content) = engine.objects().blob(&named(number)) {
                assert!(content.starts_with(b"content"), "{left} bytes left");
            }
        }
    }
    let (path, _) = whole.write(&repo, 1);
    std::fs::remove_file(path).unwrap();
    let engine = engine(repo.path(), LIMIT);
    for number in 1..=3 {
        assert!(engine.objects().blob(&named(number)).is_err());
    }
}

#[test]
fn a_pack_that_is_cut_short_while_it_is_read() {
    let long: Vec<u8> = (0..200_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let mut pack = Pack::new();
    pack.whole(1, BLOB, b"content\n");
    pack.whole(2, BLOB, &long);
    let base = pack.whole(3, BLOB, b"another content\n");
    pack.on(4, base, &delta(16, 7, &copy(0, 7)));
    let repo = Fixture::new();
    commits(&repo, "100644", &[]);
    let (path, _) = pack.write(&repo, 1);
    let engine = engine(repo.path(), LIMIT);
    let read = |number| engine.objects().blob(&named(number));
    assert_eq!(*read(1).unwrap(), b"content\n");
    std::fs::File::options().write(true).open(&path).unwrap().set_len(64).unwrap();
    for number in 2..=4 {
        assert_eq!(read(number).unwrap_err(), ReadError::Corrupt(named(number)));
    }
}

#[test]
fn malformed_trees_in_packs() {
    let repo = Fixture::new();
    let mut pack = Pack::new();
    let contents: [&[u8]; 6] = [
        b"100644 cut\0short",
        b"100644",
        b"\0",
        b" ",
        b"100644 f\0",
        b"77777777777777777 f\0aaaaaaaaaaaaaaaaaaaa",
    ];
    for (number, content) in contents.iter().enumerate() {
        pack.whole(number, TREE, content);
    }
    pack.write(&repo, 1);
    let commits = commits(&repo, "40000", &[0, 1, 2, 3, 4, 5]);
    let corrupt = Lines::Unknown(UnknownReason::CorruptObject);
    check_facts(&mut engine(repo.path(), LIMIT), commits, &[corrupt; 6]);
}

/// Lets main name a commit of `tree`, and one on top of it with another file, and asks that the first is unknown
/// altogether and the second counted.
fn check_tree_bomb(repo: &Fixture, tree: &str) {
    let before = repo.commit(&[file("a", "a\n")]);
    let boom = repo.commit_tree(tree, &[&before]);
    let again = repo.commit_tree(tree, &[&boom]);
    let mut engine = engine(repo.path(), NO_LIMIT);
    let files = engine.facts(id(&boom)).unwrap().files;
    let found: Vec<_> = files.iter().map(|file| (file.path.len(), file.lines)).collect();
    assert_eq!(found, [(0, Lines::Unknown(UnknownReason::TooLarge))]);
    assert!(engine.facts(id(&again)).unwrap().files.is_empty());
    assert_eq!(engine.facts(id(&before)).unwrap().files[0].lines, SOUND);
}

/// A tree of `levels` levels with ten entries each, all of them the same one, down to `leaf`.
fn nested(repo: &Fixture, leaf: &str, levels: usize) -> String {
    let names: Vec<String> = (0..10).map(|n| format!("{n}")).collect();
    let mut tree = leaf.to_owned();
    for _ in 0..levels {
        tree =
            repo.tree(&names.iter().map(|name| ("40000", name.as_str(), tree.as_str())).collect::<Vec<_>>());
    }
    tree
}

#[test]
fn a_tree_bomb_without_files() {
    let repo = Fixture::new();
    let tree = nested(&repo, &repo.tree(&[]), 12);
    check_tree_bomb(&repo, &tree);
}

#[test]
fn a_tree_bomb_of_missing_trees() {
    let repo = Fixture::new();
    let tree = nested(&repo, &named(1).to_string(), 12);
    check_tree_bomb(&repo, &tree);
}

#[test]
fn a_tree_bomb_of_long_names() {
    // Little to read, but each of many paths would have a head of a megabyte.
    let repo = Fixture::new();
    let blob = repo.object("blob", b"boom\n");
    let names: Vec<String> = (0..20_000).map(|n| format!("{n:05}")).collect();
    let tree =
        repo.tree(&names.iter().map(|name| ("100644", name.as_str(), blob.as_str())).collect::<Vec<_>>());
    let name = "n".repeat(1 << 20);
    let tree = repo.tree(&[("40000", name.as_str(), tree.as_str())]);
    check_tree_bomb(&repo, &tree);
}

#[test]
fn a_tree_bomb_of_large_trees() {
    // A hundred thousand times the same ten megabytes, in which nothing is found.
    let repo = Fixture::new();
    let mut content = vec![b'1'; 10 << 20];
    content.push(b' ');
    let tree = repo.object("tree", &content);
    let names: Vec<String> = (0..100_000).map(|n| format!("{n:06}")).collect();
    let tree =
        repo.tree(&names.iter().map(|name| ("40000", name.as_str(), tree.as_str())).collect::<Vec<_>>());
    check_tree_bomb(&repo, &tree);
}

#[test]
fn a_hundred_thousand_files_in_a_commit() {
    let repo = Fixture::new();
    let blob = repo.object("blob", b"a\n");
    let tree = |prefix: char| {
        let names: Vec<String> = (0..100_000).map(|n| format!("{prefix}{n:06}")).collect();
        repo.tree(&names.iter().map(|name| ("100644", name.as_str(), blob.as_str())).collect::<Vec<_>>())
    };
    let (all, others) = (tree('a'), tree('b'));
    let first = repo.commit_tree(&all, &[]);
    let second = repo.commit_tree(&others, &[&first]);
    let mut engine = engine(repo.path(), NO_LIMIT);
    let files = engine.facts(id(&first)).unwrap().files;
    assert!(files.len() == 100_000 && files.iter().all(|file| file.lines == SOUND));
    let files = engine.facts(id(&second)).unwrap().files;
    let unchanged = Lines::Counted { added: 0, deleted: 0 };
    assert!(files.len() == 100_000 && files.iter().all(|file| file.lines == unchanged));
}

#[test]
fn packs_that_others_replace() {
    for repack in [["repack", "-adfq"].as_slice(), &["gc", "-q", "--prune=now"]] {
        for start in ["loose", "packed"] {
            let repo = Fixture::new();
            for n in 0..20 {
                repo.commit(&[file("a", format!("{n}\n").repeat(100)), file(format!("b{n}"), "b\n")]);
            }
            if start == "packed" {
                repo.git(&["repack", "-adq"]);
                repo.commit(&[gone("a"), file("c", "c\n")]);
                repo.git(&["repack", "-dq"]);
            }
            let head = id(&repo.git(&["rev-parse", "HEAD"]));
            let mut engine = engine(repo.path(), NO_LIMIT);
            engine.facts(head).unwrap();
            repo.git(repack);
            repo.git(&["prune-packed", "-q"]);
            for commit in repo.git(&["rev-list", "HEAD"]).lines() {
                for file in engine.facts(id(commit)).unwrap().files {
                    assert!(
                        !matches!(file.lines, Lines::Unknown(_)),
                        "{start} {repack:?} {commit}: {file:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn packs_that_vanish_while_they_are_read() {
    let repo = Fixture::new();
    for n in 0..20 {
        repo.commit(&[file("a", format!("{n}\n").repeat(100))]);
    }
    repo.git(&["repack", "-adq"]);
    let commits = repo.git(&["rev-list", "HEAD"]);
    let mut engine = engine(repo.path(), NO_LIMIT);
    std::fs::remove_dir_all(repo.path().join("objects/pack")).unwrap();
    for commit in commits.lines() {
        let files = engine.facts(id(commit)).unwrap().files;
        assert!(matches!(files[0].lines, Lines::Counted { .. }), "{commit}");
    }
}
