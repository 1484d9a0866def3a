//! What commits are likely to cost, asked of a few of them.

use crate::commit;
use crate::objects::{Objects, ReadError};
use crate::tree::{self, Side};
use crate::walk::Visited;

/// So many commits are looked at, or each of [`SHORTEST_STRETCH`].
const SAMPLES: usize = 256;
const SHORTEST_STRETCH: usize = 128;
/// Single commits cost what they like; the mean of so many on either side says where the history is dear.
const NEIGHBOURS: usize = 4;
/// Reading a commit, and opening a file, in terms of bytes that are decoded and compared meanwhile.
const COMMIT_BYTES: u64 = 8 << 10;
const FILE_BYTES: u64 = 16 << 10;
/// What one estimate is at most: a single import says little about its neighbours.
const MOST_BYTES: u64 = 64 << 20;

/// Returns the estimated cost of each of `commits`, consecutive ones of a walk, in KiB to be decoded and compared. Only
/// proportions matter.
pub fn estimate(objects: &Objects, commits: &[Visited]) -> Vec<u32> {
    let stretch = (commits.len() / SAMPLES).max(SHORTEST_STRETCH);
    let samples: Vec<u64> = commits.chunks(stretch).map(|stretch| sample(objects, stretch)).collect();
    let mean = |at: usize| {
        let around = &samples[at.saturating_sub(NEIGHBOURS)..(at + NEIGHBOURS + 1).min(samples.len())];
        around.iter().sum::<u64>() / around.len() as u64
    };
    let cost = |bytes: u64| u32::try_from((bytes >> 10).max(1)).unwrap_or(u32::MAX);
    commits
        .chunks(stretch)
        .enumerate()
        .flat_map(|(at, stretch)| {
            let mean = mean(at);
            stretch.iter().map(move |commit| cost(if commit.is_merge() { COMMIT_BYTES } else { mean }))
        })
        .collect()
}

/// Returns what a commit in the middle of `stretch` costs that is no merge. One that cannot be read costs nothing.
fn sample(objects: &Objects, stretch: &[Visited]) -> u64 {
    let from_middle = stretch.len() / 2;
    let (before, after) = stretch.split_at(from_middle);
    let Some(commit) = after.iter().chain(before).find(|commit| !commit.is_merge()) else {
        return COMMIT_BYTES;
    };
    let tree_of = |id: &gix::oid| -> Result<Option<gix::ObjectId>, ReadError> {
        Ok(commit::links(&objects.commit(id)?).map(|links| links.tree))
    };
    let trees = || {
        Ok::<_, ReadError>((commit.first_parent.map(|id| tree_of(&id)).transpose()?, tree_of(&commit.id)?))
    };
    let Ok((old, Some(new))) = trees() else { return COMMIT_BYTES };
    let bytes = |side: Option<Side>| side.and_then(|side| objects.size(&side.id)).unwrap_or(0);
    let changes = tree::diff(objects, old.flatten(), Some(new)).changes;
    let files: u64 = changes.iter().map(|change| FILE_BYTES + bytes(change.old) + bytes(change.new)).sum();
    (COMMIT_BYTES + files).min(MOST_BYTES)
}
