//! Each needed object decoded once, as `git index-pack` does it: every delta tree is walked depth first, so that a
//! base is in memory when what is built on it comes.

use std::collections::HashMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use gix::odb::pack::Bundle;
use gix::odb::pack::data::entry::Header;
use libdeflater::Decompressor;

use crate::cpu;

/// The delta trees of what is needed.
pub(super) struct Forest {
    nodes: Vec<Node>,
    roots: Vec<usize>,
    loose: usize,
}

struct Node {
    id: Option<gix::ObjectId>,
    pack: usize,
    data_offset: u64,
    /// After inflating.
    size: usize,
    is_delta: bool,
    above: Vec<usize>,
}

#[derive(Debug, Default)]
pub(super) struct Decoded {
    pub(super) objects: usize,
    /// Those of them that are needed by others only.
    pub(super) bases: usize,
    pub(super) loose: usize,
    pub(super) deltas: usize,
    pub(super) pack_bytes: u64,
    pub(super) inflated_bytes: u64,
    pub(super) decoded_bytes: u64,
    pub(super) inflate: Duration,
    pub(super) delta: Duration,
}

/// Opens all packs of `repository`.
pub(super) fn packs(repository: &gix::Repository) -> anyhow::Result<Vec<Bundle>> {
    let folder = repository.objects.store_ref().path().join("pack");
    let mut packs = Vec::new();
    for file in std::fs::read_dir(folder)? {
        let path = file?.path();
        if path.extension().is_some_and(|extension| extension == "idx") {
            packs.push(
                Bundle::at(&path, repository.object_hash()).map_err(|error| anyhow::anyhow!("{error}"))?,
            );
        }
    }
    Ok(packs)
}

/// Finds `objects` in `packs`, and the bases they are built on.
pub(super) fn find(packs: &[Bundle], objects: &[gix::ObjectId]) -> anyhow::Result<Forest> {
    let mut forest = Forest { nodes: Vec::new(), roots: Vec::new(), loose: 0 };
    let mut known: HashMap<(usize, u64), usize> = HashMap::new();
    for id in objects {
        let place = packs.iter().enumerate().find_map(|(number, pack)| {
            Some((number, pack.index.pack_offset_at_index(pack.index.lookup(id)?)))
        });
        let Some((number, mut offset)) = place else {
            forest.loose += 1;
            continue;
        };
        let pack = &packs[number];
        let mut above: Option<usize> = None;
        let mut id = Some(*id);
        // Down to a base that is known already, or to one that is whole.
        loop {
            if let Some(node) = known.get(&(number, offset)) {
                forest.nodes[*node].above.extend(above);
                forest.nodes[*node].id = forest.nodes[*node].id.or(id);
                break;
            }
            let entry = pack.pack.entry(offset).map_err(|error| anyhow::anyhow!("{error}"))?;
            let node = forest.nodes.len();
            known.insert((number, offset), node);
            forest.nodes.push(Node {
                id: id.take(),
                pack: number,
                data_offset: entry.data_offset,
                size: usize::try_from(entry.decompressed_size)?,
                is_delta: entry.header.is_delta(),
                above: above.into_iter().collect(),
            });
            above = Some(node);
            offset = match entry.header {
                Header::OfsDelta { base_distance } => {
                    offset.checked_sub(base_distance).context("a base lies before its pack")?
                }
                Header::RefDelta { base_id } => {
                    let index = pack.index.lookup(base_id).context("a base is in another pack")?;
                    pack.index.pack_offset_at_index(index)
                }
                _ => {
                    forest.roots.push(node);
                    break;
                }
            };
        }
    }
    // As they lie in the packs, so that memory is read forwards.
    forest.roots.sort_by_key(|node| (forest.nodes[*node].pack, forest.nodes[*node].data_offset));
    Ok(forest)
}

/// Decodes all of `forest` and calls `each` with the objects that were asked for.
pub(super) fn all(
    packs: &[Bundle],
    forest: &mut Forest,
    mut each: impl FnMut(gix::ObjectId, &[u8]),
) -> anyhow::Result<Decoded> {
    let mut decoded = Decoded { objects: forest.nodes.len(), loose: forest.loose, ..Decoded::default() };
    // The CPU clock is asked at both ends only, because asking costs a system call; what lies between is told apart
    // by the wall clock, which costs next to nothing.
    let (mut inflating, mut applying) = (Duration::ZERO, Duration::ZERO);
    let (done, cpu) = cpu::of(|| -> anyhow::Result<()> {
        let mut inflater = Decompressor::new();
        let (mut inflated, mut passing) = (Vec::new(), Vec::new());
        let mut waiting: Vec<(usize, Option<Rc<Vec<u8>>>)> = Vec::new();
        for root in &forest.roots {
            waiting.push((*root, None));
            while let Some((number, base)) = waiting.pop() {
                let node = &forest.nodes[number];
                let pack = &packs[node.pack].pack;
                let packed = pack
                    .entry_slice(node.data_offset..pack.pack_end() as u64)
                    .context("an entry lies outside of its pack")?;
                // What nothing is built on is gone at once, and its memory serves the next.
                let mut content =
                    if node.above.is_empty() { std::mem::take(&mut passing) } else { Vec::new() };
                let started = Instant::now();
                let target = if node.is_delta { &mut inflated } else { &mut content };
                target.resize(node.size, 0);
                let length = inflater.zlib_decompress(packed, target)?;
                anyhow::ensure!(length == node.size, "an entry is shorter than it says");
                let between = Instant::now();
                if let Some(base) = &base {
                    apply(base, &inflated, &mut content).context("a delta is damaged")?;
                    decoded.deltas += 1;
                }
                inflating += between - started;
                applying += between.elapsed();
                decoded.inflated_bytes += node.size as u64;
                decoded.decoded_bytes += content.len() as u64;
                match node.id {
                    Some(id) => each(id, &content),
                    None => decoded.bases += 1,
                }
                if node.above.is_empty() {
                    passing = content;
                } else {
                    let content = Rc::new(content);
                    waiting.extend(node.above.iter().map(|above| (*above, Some(content.clone()))));
                }
            }
        }
        Ok(())
    });
    done?;
    decoded.pack_bytes = packs.iter().map(|pack| pack.pack.data_len() as u64).sum();
    let share = inflating.as_secs_f64() / (inflating + applying).as_secs_f64().max(f64::MIN_POSITIVE);
    decoded.inflate = cpu.mul_f64(share);
    decoded.delta = cpu.saturating_sub(decoded.inflate);
    Ok(decoded)
}

/// Replaces `content` by what `delta` makes of `base`; `None` where the delta is no whole delta of it. The format is
/// that of git's documentation (gitformat-pack): two lengths, then copies from the base and bytes of its own.
fn apply(base: &[u8], delta: &[u8], content: &mut Vec<u8>) -> Option<()> {
    let mut rest = delta;
    if length(&mut rest)? != base.len() {
        return None;
    }
    let wanted = length(&mut rest)?;
    content.clear();
    content.reserve(wanted);
    while let Some((&command, after)) = rest.split_first() {
        rest = after;
        if command & 0x80 == 0 {
            let (own, after) = rest.split_at_checked(usize::from(command))?;
            content.extend_from_slice(own);
            rest = after;
            continue;
        }
        let mut number = |bits: std::ops::Range<u32>| -> Option<usize> {
            let first = bits.start;
            let mut number = 0;
            for bit in bits {
                if command & (1 << bit) != 0 {
                    let (&byte, after) = rest.split_first()?;
                    number |= usize::from(byte) << (8 * (bit - first));
                    rest = after;
                }
            }
            Some(number)
        };
        let (offset, length) = (number(0..4)?, number(4..7)?);
        let length = if length == 0 { 0x1_0000 } else { length };
        content.extend_from_slice(base.get(offset..offset.checked_add(length)?)?);
    }
    (content.len() == wanted).then_some(())
}

/// Takes a length off the front: seven bits a byte, the lowest first.
fn length(rest: &mut &[u8]) -> Option<usize> {
    let mut length = 0;
    for shift in (0..usize::BITS).step_by(7) {
        let (&byte, after) = rest.split_first()?;
        *rest = after;
        length |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(length);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::process::Command;

    use gitfleet_worker::objects::Objects;
    use gitfleet_worker::repository;

    use super::super::needs::Needs;
    use super::*;
    use crate::git;

    #[test]
    fn deltas_are_applied() {
        let check = |delta: &[u8], expect: Option<&[u8]>| {
            let mut content = b"of the one before".to_vec();
            let found = apply(b"0123456789", delta, &mut content).map(|()| content);
            assert_eq!(found.as_deref(), expect, "{delta:?}");
        };
        check(&[10, 5, 0x90, 3, 2, b'x', b'y'], Some(b"012xy"));
        check(&[10, 4, 0x91, 6, 4], Some(b"6789"));
        check(&[10, 4, 0x91, 7, 4], None);
        check(&[10, 4, 3, b'x', b'y'], None);
        check(&[9, 4, 0x91, 6, 4], None);
        check(&[10, 5, 0x91, 6, 4], None);
    }

    #[test]
    fn every_needed_object_of_a_packed_history_comes_out_whole_and_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        let git = |arguments: &[&str]| {
            let mut command = git::git(path);
            let person = ["-c", "user.name=a", "-c", "user.email=a@b"];
            git::answer(command.args(person).args(arguments)).unwrap()
        };
        git::answer(Command::new("git").args(["init", "--quiet"]).arg(path)).unwrap();
        let mut text = String::new();
        for number in 0..40 {
            text += &format!("line {number} of a file that grows\n").repeat(5);
            std::fs::create_dir_all(path.join("d")).unwrap();
            std::fs::write(path.join("d/grows"), &text).unwrap();
            std::fs::write(path.join(format!("file-{}", number % 7)), &text[text.len() / 2..]).unwrap();
            git(&["add", "."]);
            git(&["commit", "--quiet", "--message", "one more"]);
        }
        git(&["gc", "--quiet"]);

        let opened = repository::open(path, u64::MAX >> 1).unwrap();
        let objects = Objects::new(opened.to_thread_local(), crate::cost::limits(1));
        let head = opened.to_thread_local().head_id().unwrap().detach();
        let needs = Needs::of(&objects, head).unwrap();
        let packs = packs(&opened.to_thread_local()).unwrap();
        let mut forest = find(&packs, &needs.objects).unwrap();
        let mut met = HashSet::new();
        let decoded = all(&packs, &mut forest, |id, content| {
            assert!(met.insert(id), "{id} came twice");
            let local = opened.to_thread_local();
            assert_eq!(local.find_object(id).unwrap().data, content, "{id}");
        })
        .unwrap();
        assert_eq!(met, needs.objects.iter().copied().collect());
        assert!(decoded.deltas > 0 && decoded.loose == 0, "{decoded:?}");
        // Two files a commit; each content of either is new.
        assert_eq!(needs.blobs.len(), 80);
    }
}
