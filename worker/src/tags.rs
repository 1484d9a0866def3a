//! The tags of a repository: what a release is read from.

use gitfleet_shared::contract::Tag;
use gitfleet_shared::facts::ClaimedTime;
use gitfleet_shared::object_id::ObjectId;
use gix::bstr::ByteSlice as _;
use gix::protocol::handshake::Ref;

use crate::commit;

const PREFIX: &[u8] = b"refs/tags/";
/// So many are told of at most, in the order of their names: a message has to hold them.
const MOST_TAGS: usize = 100_000;
/// So many tags of tags are followed.
const LONGEST_CHAIN: usize = 16;

/// A tag, by the object that its ref names, which may be a tag itself. To know them costs no object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TagRef {
    pub name: Vec<u8>,
    pub object: gix::ObjectId,
}

/// Returns the tags of `repository`, ascending by name. A ref that cannot be read is none.
pub fn refs(repository: &gix::Repository) -> Vec<TagRef> {
    let Ok(references) = repository.references() else { return Vec::new() };
    let Ok(named) = references.prefixed("refs/tags/") else { return Vec::new() };
    let object = |reference: &gix::Reference<'_>| match reference.target() {
        gix::refs::TargetRef::Object(id) => Some(id.to_owned()),
        gix::refs::TargetRef::Symbolic(_) => None,
    };
    settled(named.filter_map(|reference| {
        let reference = reference.ok()?;
        tag(reference.name().as_bstr(), object(&reference)?)
    }))
}

/// Returns the tags that a remote lists, as a mirror of it would have them.
pub fn listed(listed: &[Ref]) -> Vec<TagRef> {
    settled(listed.iter().filter_map(|one| match one {
        Ref::Direct { full_ref_name, object } => tag(full_ref_name, *object),
        Ref::Peeled { full_ref_name, tag: object, .. } => tag(full_ref_name, *object),
        Ref::Symbolic { full_ref_name, tag: object, object: peeled, .. } => {
            tag(full_ref_name, object.unwrap_or(*peeled))
        }
        Ref::Unborn { .. } => None,
    }))
}

fn tag(full_name: &[u8], object: gix::ObjectId) -> Option<TagRef> {
    Some(TagRef { name: full_name.strip_prefix(PREFIX)?.to_vec(), object })
}

fn settled(tags: impl Iterator<Item = TagRef>) -> Vec<TagRef> {
    let mut tags: Vec<TagRef> = tags.collect();
    tags.sort_unstable();
    tags.truncate(MOST_TAGS);
    tags
}

/// Returns those tags that name commits.
pub fn resolve(repository: &gix::Repository, tags: &[TagRef]) -> Vec<Tag> {
    tags.iter().filter_map(|tag| resolve_one(repository, tag)).collect()
}

fn resolve_one(repository: &gix::Repository, tag: &TagRef) -> Option<Tag> {
    let (mut id, mut time) = (tag.object, None);
    for _ in 0..LONGEST_CHAIN {
        let object = repository.find_object(id).ok()?;
        match object.kind {
            gix::object::Kind::Tag => {
                let said = commit::tag(&object.data)?;
                // The outermost tag is the one that was made last, and the one that is named.
                time.get_or_insert(said.tagged);
                id = said.object;
            }
            gix::object::Kind::Commit => {
                let target = ObjectId::try_from(id.as_bytes()).ok()?;
                let (annotated, name) = (time.is_some(), tag.name.clone());
                let time = match time {
                    Some(time) => time,
                    None => commit::parse(&object.data)?.committed,
                };
                return Some(Tag { name, target, time, annotated });
            }
            gix::object::Kind::Tree | gix::object::Kind::Blob => return None,
        }
    }
    None
}

/// What a tag object says.
#[derive(Debug, PartialEq, Eq)]
pub struct Said {
    pub object: gix::ObjectId,
    pub tagged: ClaimedTime,
}

/// Returns what the tag in `data` says, or `None` where it names no object. Old tags name no tagger, and have no time.
pub fn parse(data: &[u8], time: impl Fn(&[u8]) -> ClaimedTime) -> Option<Said> {
    let mut object = None;
    let mut tagged = ClaimedTime { seconds: None, offset_minutes: 0 };
    for line in data.split(|byte| *byte == b'\n').take_while(|line| !line.is_empty()) {
        if let Some(hex) = line.strip_prefix(b"object ") {
            object = object.or(gix::ObjectId::from_hex(hex.trim_end()).ok());
        } else if let Some(tagger) = line.strip_prefix(b"tagger ") {
            tagged = time(tagger);
        }
    }
    Some(Said { object: object?, tagged })
}
