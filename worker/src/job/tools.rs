//! What a slot is given, and what it brings with that: repositories, looked at on its lane.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use gitfleet_shared::cache::Cache;
use gitfleet_shared::contract::{Base, Failure, FailureClass, Job, Revisions, Source};
use gitfleet_shared::object_id::ObjectId;
use gitfleet_shared::people::erasure::{Key, Suppression};
use gitfleet_shared::queue::Queue;

use super::undone::Undone;
use crate::lane::Lane;
use crate::meters::Meters;
use crate::mirror::Mirrors;
use crate::objects::Limits;
use crate::pulse::Pulse;
use crate::wishes::Wishes;
use crate::{listing, repository, survey, tags};

/// What a slot works with; lane, stop and count are its own.
pub(crate) struct Tools {
    pub(crate) queue: Arc<dyn Queue>,
    pub(crate) cache: Arc<dyn Cache>,
    pub(crate) name: String,
    pub(crate) mirrors: Arc<Mirrors>,
    pub(crate) pulse: Pulse,
    pub(crate) wishes: Wishes,
    /// Tells the job in hand to stop at its next block.
    pub(crate) stop: Arc<AtomicBool>,
    pub(crate) lane: Lane,
    pub(crate) slice_changes: usize,
    pub(crate) slice_time: Duration,
    pub(crate) job_time: Duration,
    pub(crate) cache_bytes: usize,
    /// How far the job in hand is, in the units of its heartbeat.
    pub(crate) done: Arc<AtomicU64>,
    pub(crate) meters: Meters,
    pub(crate) erasure_key: Option<Key>,
}

impl Tools {
    /// Returns where the job's repository can be read, up to date.
    pub(super) async fn bring(&self, job: &Job) -> Result<PathBuf, Undone> {
        match &job.source {
            Source::Local { path } => Ok(PathBuf::from(path)),
            Source::Remote { url } => {
                let (mirrors, url, stop) = (self.mirrors.clone(), url.clone(), self.stop.clone());
                let credential = job.credential.clone();
                let fetched =
                    self.lane.run(move || mirrors.fetch(&url, credential.as_deref(), &stop)).await?;
                if self.stop.load(Ordering::Relaxed) {
                    return Err(Undone::Interrupted);
                }
                Ok(fetched?)
            }
        }
    }

    /// Whether the remote lists what `base` was pinned from, asked only where the alternative is to fetch everything.
    pub(super) async fn is_unchanged(
        &self,
        url: &str,
        credential: Option<String>,
        revisions: &Revisions,
        base: &Base,
    ) -> Result<bool, Undone> {
        if self.mirrors.path(url).exists() {
            return Ok(false);
        }
        let (mirrors, url) = (self.mirrors.clone(), url.to_owned());
        let (revisions, base) = (revisions.clone(), base.clone());
        let asked = self.lane.run(move || {
            let listed = mirrors.list(&url, credential.as_deref()).ok()?;
            let pinned = listing::pin(&listed, &revisions)?;
            Some(survey::is_unchanged(&revisions, pinned.as_ref(), &tags::listed(&listed), &base))
        });
        Ok(asked.await?.unwrap_or(false))
    }

    /// Returns the first of `wanted` that the repository at `path` lacks; all of it where there is no repository.
    pub(super) async fn holds(
        &self,
        path: &Path,
        wanted: &[ObjectId],
        limits: Limits,
    ) -> Result<Option<ObjectId>, Undone> {
        let (path, wanted) = (path.to_owned(), wanted.to_vec());
        let asked = self.lane.run(move || {
            if !path.exists() {
                return Ok(wanted.first().copied());
            }
            let repository = repository::open(&path, limits.max_blob_bytes)?.to_thread_local();
            for id in wanted {
                if !repository.has_object(gix_id(&id)?) {
                    return Ok(Some(id));
                }
            }
            Ok::<_, Failure>(None)
        });
        Ok(asked.await??)
    }

    /// Returns who is to be named no more.
    pub(super) fn erased(&self, job: &Job) -> Result<Arc<Suppression>, Failure> {
        let heard = Suppression::heard(self.erasure_key.as_ref(), job.erased.as_ref());
        heard.map(Arc::new).ok_or_else(|| Failure {
            class: FailureClass::ErasureKey,
            message: format!(
                "people were erased, and the worker has {} key to know them by; give it the coordinator's \
                 people.erasure_key (GITFLEET_ERASURE_KEY_FILE)",
                if self.erasure_key.is_some() { "another" } else { "no" }
            ),
        })
    }

    pub(super) fn limits(&self, job: &Job) -> Limits {
        Limits { max_blob_bytes: job.max_blob_bytes, cache_bytes: self.cache_bytes }
    }
}

pub(super) fn gix_id(id: &ObjectId) -> Result<gix::ObjectId, Failure> {
    gix::ObjectId::try_from(id.as_bytes())
        .map_err(|error| Failure { class: FailureClass::UnsupportedFormat, message: error.to_string() })
}
