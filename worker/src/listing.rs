//! What a remote lists, pinned as a survey of its mirror would pin it: so a repository in which nothing is new need not
//! be fetched by a worker that has no mirror of it.

use gitfleet_shared::contract::Revisions;
use gix::bstr::{BString, ByteSlice as _};
use gix::protocol::handshake::Ref;

use crate::survey::Pinned;

/// Returns what `revisions` pin in a mirror with these refs; `Some(None)` where there is no commit, and `None` where
/// only the mirror itself can tell.
pub fn pin(listed: &[Ref], revisions: &Revisions) -> Option<Option<Pinned>> {
    let mut heads: Vec<(BString, gix::ObjectId)> = Vec::new();
    let mut head = None;
    for one in listed {
        let (name, target, object) = match one {
            Ref::Direct { full_ref_name, object } => (full_ref_name, None, Some(*object)),
            Ref::Symbolic { full_ref_name, target, tag: None, object } => {
                (full_ref_name, Some(target), Some(*object))
            }
            Ref::Unborn { full_ref_name, target } => (full_ref_name, Some(target), None),
            // A branch that names a tag: nobody has one, and the mirror knows what to make of it.
            Ref::Symbolic { full_ref_name, .. } | Ref::Peeled { full_ref_name, .. } => {
                let matters = full_ref_name == "HEAD" || full_ref_name.starts_with_str("refs/heads/");
                if matters {
                    return None;
                }
                continue;
            }
        };
        if name == "HEAD" {
            let branch = target.map(|target| {
                target.strip_prefix(b"refs/heads/").unwrap_or(target).to_str_lossy().into_owned()
            });
            head = object.map(|object| (object, branch));
        } else if name.starts_with_str("refs/heads/") {
            // A symbolic branch repeats another one.
            if target.is_none() {
                heads.extend(object.map(|object| (name.clone(), object)));
            } else {
                return None;
            }
        }
    }
    heads.sort();
    Some(match revisions {
        Revisions::Head => head.map(|(head, branch)| Pinned { head, branch, tips: vec![head] }),
        Revisions::Branch(name) => {
            let full = format!("refs/heads/{name}");
            let (_, head) = heads.into_iter().find(|(known, _)| *known == full.as_str())?;
            Some(Pinned { head, branch: Some(name.clone()), tips: vec![head] })
        }
        Revisions::AllBranches => {
            let mut tips: Vec<gix::ObjectId> = heads.iter().map(|(_, object)| *object).collect();
            let first = tips.first().copied();
            let head = head.map(|(head, _)| head);
            tips.extend(head);
            tips.sort_unstable();
            tips.dedup();
            head.or(first).map(|head| Pinned { head, branch: None, tips })
        }
    })
}
