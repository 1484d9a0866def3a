//! Reading a repository from the store.

use std::collections::BTreeMap;
use std::sync::Arc;

use gitfleet_shared::contract::{AttributesFile, Source, Tag, TipFile};
use gitfleet_shared::facts::{CommitFacts, Signature};
use gitfleet_shared::mailmap::Mailmap;
use gitfleet_shared::object_id::ObjectId;
use gitfleet_shared::words::tickets::Forge;

use super::reading::Reading;
use super::said::{self, Said};
use super::tree::Classes;
use crate::lens::Lens;
use crate::store::{BatchRepository, Result, Store, StoredSnapshot};

/// What is read of a repository before it is known who is who.
pub(super) struct Read {
    /// Ascending by id.
    pub(super) commits: Vec<CommitFacts>,
    /// By commit.
    pub(super) on_mainline: Vec<bool>,
    pub(super) said: Vec<Said>,
    pub(super) classes: Classes,
    pub(super) tags: Vec<Tag>,
    pub(super) tip: Vec<TipFile>,
    pub(super) head: Option<ObjectId>,
    /// Whether the facts say what the history of lines is made of.
    pub(super) has_lines: bool,
    mailmap: Vec<u8>,
}

impl Read {
    pub(super) async fn of(
        store: &dyn Store,
        repository: &BatchRepository,
        snapshot: &StoredSnapshot,
        (lens, has_lines): (&Lens, bool),
        reading: &Arc<Reading>,
    ) -> Result<Self> {
        let listed = commits(store, snapshot).await?;
        let tip = store.tip_files(snapshot.id).await?.unwrap_or_default();
        let rest = Rest {
            attributes: snapshot.attributes_files.clone(),
            exclude: lens.exclude_paths.clone(),
            forge: forge(&repository.source),
            tags: snapshot.tags.clone(),
            head: snapshot.base.head,
            has_lines,
            mailmap: snapshot.mailmap.clone().unwrap_or_default(),
        };
        let reading = Arc::clone(reading);
        Ok(super::aside(move || rest.read(listed, tip, &reading)).await)
    }

    pub(super) fn mailmap(&self) -> Mailmap {
        Mailmap::parse(&self.mailmap)
    }

    /// Returns who wrote how many commits; those whom messages name are among them.
    pub(super) fn signatures(&self) -> BTreeMap<Signature, u64> {
        let mut signatures: BTreeMap<Signature, u64> = BTreeMap::new();
        for (commit, said) in self.commits.iter().zip(&self.said) {
            match signatures.get_mut(&commit.author) {
                Some(commits) => *commits += 1,
                None => drop(signatures.insert(commit.author.clone(), 1)),
            }
            for named in said.co_authors.iter().chain(&said.reviewers) {
                if !signatures.contains_key(named) {
                    signatures.insert(named.clone(), 0);
                }
            }
        }
        signatures
    }
}

/// Returns the commits of a snapshot, each with whether it is on the mainline, ascending by id: so nothing depends on the
/// order in which a store hands them out.
pub(crate) async fn commits(
    store: &dyn Store,
    snapshot: &StoredSnapshot,
) -> Result<Vec<(CommitFacts, bool)>> {
    let mut listed = Vec::new();
    store
        .read_facts(snapshot.id, &mut |block| {
            listed.extend(block.iter().map(|one| (one.facts.clone(), one.on_mainline)));
        })
        .await?;
    listed.sort_unstable_by_key(|(commit, _)| commit.id);
    Ok(listed)
}

/// What is known beside the commits.
struct Rest {
    attributes: Vec<AttributesFile>,
    exclude: Vec<String>,
    forge: Forge,
    tags: Vec<Tag>,
    head: Option<ObjectId>,
    has_lines: bool,
    mailmap: Vec<u8>,
}

impl Rest {
    fn read(self, listed: Vec<(CommitFacts, bool)>, tip: Vec<TipFile>, reading: &Reading) -> Read {
        let (commits, on_mainline): (Vec<CommitFacts>, Vec<bool>) = listed.into_iter().unzip();
        let classes = Classes::of_repository(&self.attributes, &self.exclude, &commits, &tip);
        Read {
            said: said::read(&commits, reading, &classes, self.forge),
            commits,
            on_mainline,
            classes,
            tags: self.tags,
            tip,
            head: self.head,
            has_lines: self.has_lines,
            mailmap: self.mailmap,
        }
    }
}

/// Returns whose words a repository's messages are in, as far as its address says.
fn forge(source: &Source) -> Forge {
    match source {
        Source::Remote { url } if url.contains("gitlab") => Forge::GitLab,
        Source::Local { .. } | Source::Remote { .. } => Forge::default(),
    }
}
