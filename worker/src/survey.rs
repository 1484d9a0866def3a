//! Pins the snapshot of a repository and says how its commits differ from those of an earlier one.

use gitfleet_shared::contract::{
    Base, Changed, Digest, Failure, FailureClass, Mainline, Revisions, Snapshot, SurveyResult,
};
use gitfleet_shared::object_id::ObjectId;

use crate::cost;
use crate::facts::{Depth, Engine};
use crate::objects::{Limits, Objects, ReadError};
use crate::repository::chain;
use crate::tags::{self, TagRef};
use crate::tree;
use crate::walk::{Growth, Visited, Walker};

/// The refs that matter to the asked revisions, resolved to commits.
pub struct Pinned {
    pub head: gix::ObjectId,
    pub branch: Option<String>,
    pub tips: Vec<gix::ObjectId>,
}

/// Surveys `repository`.
///
/// # Errors
///
/// A classified failure where a branch is missing or history cannot be walked.
pub fn survey(
    repository: &gix::Repository,
    revisions: &Revisions,
    base: Option<&Base>,
    limits: Limits,
    depth: Depth,
) -> Result<SurveyResult, Failure> {
    let shallow = shallow_commits(repository);
    let tags = tags::refs(repository);
    let Some(pinned) = pin(repository, revisions)? else {
        let refs = refs_digest(revisions, None, &tags, &shallow);
        if base.is_some_and(|base| base.refs == refs) {
            return Ok(SurveyResult::Unchanged);
        }
        return Ok(SurveyResult::Changed(Box::new(empty(refs))));
    };
    let refs = refs_digest(revisions, Some(&pinned), &tags, &shallow);
    if base.is_some_and(|base| base.refs == refs) {
        return Ok(SurveyResult::Unchanged);
    }
    let engine = Engine::new(repository.clone(), pinned.head, limits, depth).map_err(unreadable)?;
    let mut walker = Walker::new(engine.objects(), shallow.iter().copied().collect());
    let grown = match base {
        Some(base) => match foreign(&base.tips) {
            Some(old) => walker.since(&pinned.tips, &old).map_err(unreadable)?,
            None => Growth::Rewritten,
        },
        None => Growth::Rewritten,
    };
    let (since_base, added) = match grown {
        Growth::Grown(added) => (true, added),
        Growth::Rewritten => (false, walker.all(&pinned.tips).map_err(unreadable)?),
    };
    let until = base.filter(|_| since_base).and_then(|base| base.head).and_then(|id| foreign(&[id])?.pop());
    let (chain, continues_base) = walker.mainline(pinned.head, until).map_err(unreadable)?;
    let snapshot = Snapshot {
        refs,
        head: Some(ours(pinned.head)),
        branch: pinned.branch,
        tips: pinned.tips.iter().copied().map(ours).collect(),
        attributes: engine.digest(),
        shallow: !shallow.is_empty(),
        mailmap: mailmap(engine.objects(), pinned.head),
        tags: tags::resolve(repository, &tags),
        attributes_files: engine.linguist_attributes().to_vec(),
    };
    let ids = |visited: &[Visited]| visited.iter().map(|commit| ours(commit.id)).collect();
    let merges: Vec<Visited> = chain.iter().filter(|commit| commit.is_merge()).cloned().collect();
    Ok(SurveyResult::Changed(Box::new(Changed {
        snapshot,
        since_base,
        costs: cost::estimate(engine.objects(), &added),
        added: ids(&added),
        mainline: Mainline { continues_base, commits: ids(&chain), merges: ids(&merges) },
    })))
}

/// Whether a whole repository with these refs is the one that `base` was pinned in.
pub fn is_unchanged(revisions: &Revisions, pinned: Option<&Pinned>, tags: &[TagRef], base: &Base) -> bool {
    refs_digest(revisions, pinned, tags, &[]) == base.refs
}

/// Resolves `revisions`; `None` where the repository has no commit yet.
///
/// # Errors
///
/// Where a named branch does not exist or a ref cannot be read.
pub fn pin(repository: &gix::Repository, revisions: &Revisions) -> Result<Option<Pinned>, Failure> {
    let broken = |error: &(dyn std::error::Error + 'static)| {
        let message = format!("its refs cannot be read: {}", chain(error));
        let denied = message.contains("ermission denied");
        Failure {
            class: if denied { FailureClass::PermissionDenied } else { FailureClass::Corrupt },
            message,
        }
    };
    // Asked only where it is needed: a broken HEAD is no reason not to walk a sound branch.
    let head = || -> Result<Option<(gix::ObjectId, Option<String>)>, Failure> {
        let mut head = repository.head().map_err(|error| broken(&error))?;
        let branch = head.referent_name().map(|name| name.shorten().to_string());
        Ok(match &head.kind {
            gix::head::Kind::Unborn(_) => None,
            _ => Some((head.peel_to_commit().map_err(|error| broken(&error))?.id, branch)),
        })
    };
    match revisions {
        Revisions::Head => Ok(head()?.map(|(head, branch)| Pinned { head, branch, tips: vec![head] })),
        Revisions::Branch(name) => {
            let found = [format!("refs/heads/{name}"), format!("refs/remotes/origin/{name}")]
                .iter()
                .find_map(|full| repository.try_find_reference(full.as_str()).ok().flatten());
            let mut found = found.ok_or_else(|| Failure {
                class: FailureClass::BranchNotFound,
                message: format!("there is no branch named {name}"),
            })?;
            let head = found.peel_to_commit().map_err(|error| broken(&error))?.id;
            Ok(Some(Pinned { head, branch: Some(name.clone()), tips: vec![head] }))
        }
        Revisions::AllBranches => {
            let mut tips = Vec::new();
            let references = repository.references().map_err(|error| broken(&error))?;
            for prefix in ["refs/heads/", "refs/remotes/"] {
                for reference in references.prefixed(prefix).map_err(|error| broken(&error))? {
                    let mut reference = reference.map_err(|error| Failure {
                        class: FailureClass::Corrupt,
                        message: format!("its refs cannot be read: {error}"),
                    })?;
                    // `origin/HEAD` and its like repeat another ref, or dangle where that one was pruned.
                    if matches!(reference.target(), gix::refs::TargetRef::Symbolic(_)) {
                        continue;
                    }
                    tips.push(reference.peel_to_commit().map_err(|error| broken(&error))?.id);
                }
            }
            // Without a commit of its own, HEAD lends its place to the first branch by name.
            let first = tips.first().copied();
            let head = head()?.map(|(head, _)| head);
            tips.extend(head);
            tips.sort_unstable();
            tips.dedup();
            Ok(head.or(first).map(|head| Pinned { head, branch: None, tips }))
        }
    }
}

/// Returns where a shallow clone ends, ascending; empty for a whole one.
pub fn shallow_commits(repository: &gix::Repository) -> Vec<gix::ObjectId> {
    let mut shallow: Vec<gix::ObjectId> = match repository.shallow_commits() {
        Ok(Some(commits)) => commits.iter().copied().collect(),
        _ => Vec::new(),
    };
    shallow.sort_unstable();
    shallow
}

/// A history that cannot be walked.
pub fn unreadable(error: ReadError) -> Failure {
    Failure { class: FailureClass::Corrupt, message: format!("its history is not whole: {error}") }
}

fn empty(refs: Digest) -> Changed {
    let snapshot = Snapshot {
        refs,
        head: None,
        branch: None,
        tips: Vec::new(),
        attributes: [0; 32],
        shallow: false,
        mailmap: None,
        tags: Vec::new(),
        attributes_files: Vec::new(),
    };
    let mainline = Mainline { continues_base: false, commits: Vec::new(), merges: Vec::new() };
    Changed { snapshot, since_base: false, added: Vec::new(), costs: Vec::new(), mainline }
}

fn refs_digest(
    revisions: &Revisions,
    pinned: Option<&Pinned>,
    tags: &[TagRef],
    shallow: &[gix::ObjectId],
) -> Digest {
    let mut hasher = blake3::Hasher::new();
    let mut part = |bytes: &[u8]| {
        hasher.update(&(bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    };
    part(revisions.to_string().as_bytes());
    part(pinned.map_or(&[], |pinned| pinned.head.as_bytes()));
    part(pinned.and_then(|pinned| pinned.branch.as_deref()).unwrap_or_default().as_bytes());
    for id in pinned.map_or(&[][..], |pinned| &pinned.tips) {
        part(id.as_bytes());
    }
    // A tag that comes, goes or moves makes another snapshot of the same commits.
    part(b"tags");
    for tag in tags {
        part(&tag.name);
        part(tag.object.as_bytes());
    }
    part(b"shallow");
    for id in shallow {
        part(id.as_bytes());
    }
    *hasher.finalize().as_bytes()
}

/// Returns `.mailmap` at the root of the commit's tree. A symlink is not followed, as git does not follow it.
fn mailmap(objects: &Objects, commit: gix::ObjectId) -> Option<Vec<u8>> {
    let root = crate::commit::links(&objects.commit(&commit).ok()?)?.tree;
    let side = tree::entry(objects, root, b".mailmap")?;
    if !side.mode.is_regular() {
        return None;
    }
    Some(objects.blob(&side.id).ok()?.to_vec())
}

fn ours(id: gix::ObjectId) -> ObjectId {
    ObjectId::try_from(id.as_bytes()).expect("gix has the hash lengths git has")
}

/// Returns the ids in gix's type, or `None` where one is of a hash that gix does not have.
fn foreign(ids: &[ObjectId]) -> Option<Vec<gix::ObjectId>> {
    ids.iter().map(|id| gix::ObjectId::try_from(id.as_bytes()).ok()).collect()
}
