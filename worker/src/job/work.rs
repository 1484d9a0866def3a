//! How a job is done: surveys, slices and tips, with the engine of a repository kept for the next slice of it.

use std::borrow::Cow;
use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use gitfleet_shared::cache::Key;
use gitfleet_shared::codec::Kind;
use gitfleet_shared::contract::{
    Failure, FailureClass, Job, MainlineNet, Scope, SliceResult, Source, SurveyResult, TipResult, Work,
    WorkResult,
};
use gitfleet_shared::facts::CommitFacts;
use gitfleet_shared::object_id::ObjectId;
use gitfleet_shared::people::erasure::Suppression;

use super::Slot;
use super::block::{Asked, BLOCK};
use super::tools::gix_id;
use super::undone::Undone;
use crate::facts::{Depth, Engine};
use crate::mirror::Held;
use crate::{repository, survey};

pub(super) struct Open {
    source: Source,
    head: ObjectId,
    scope: Scope,
    engine: Engine,
    /// Where the engine reads, if that is a mirror.
    mirror: Option<Held>,
}

impl Slot {
    pub(super) async fn work(&mut self, job: &Job) -> Result<WorkResult, Undone> {
        let erased = self.tools.erased(job)?;
        tracing::debug!(job.id = %job.id, repository = %job.source, work = job.work.name(), "job begins");
        // What was submitted elsewhere, or when more was allowed, is asked no more than anything else.
        self.tools.mirrors.gate().check(&job.source)?;
        match &job.work {
            Work::Survey { revisions, base } => {
                self.open = None;
                let _mirror = match &job.source {
                    Source::Remote { url } => Some(self.tools.mirrors.hold(url)),
                    Source::Local { .. } => None,
                };
                if let (Source::Remote { url }, Some(base)) = (&job.source, base)
                    && self.tools.is_unchanged(url, job.credential.clone(), revisions, base).await?
                {
                    return Ok(WorkResult::Survey(SurveyResult::Unchanged));
                }
                let path = self.tools.bring(job).await?;
                let (revisions, base, limits) = (revisions.clone(), base.clone(), self.tools.limits(job));
                let depth = Depth::of(job.scope());
                let result = self.tools.lane.run(move || {
                    let repository = repository::open(&path, limits.max_blob_bytes)?.to_thread_local();
                    survey::survey(&repository, &revisions, base.as_ref(), limits, depth)
                });
                let mut result = result.await??;
                if let SurveyResult::Changed(changed) = &mut result
                    && let Some(content) = &mut changed.snapshot.mailmap
                    && let Cow::Owned(rest) = erased.mailmap(content)
                {
                    *content = rest;
                }
                Ok(WorkResult::Survey(result))
            }
            Work::Slice { head, commits, mainline_merges } => {
                self.slice(job, *head, commits, mainline_merges, &erased).await.map(WorkResult::Slice)
            }
            Work::Tip { head } => self.tip(job, *head).await.map(WorkResult::Tip),
        }
    }

    async fn slice(
        &mut self,
        job: &Job,
        head: ObjectId,
        commits: &[ObjectId],
        merges: &[ObjectId],
        erased: &Arc<Suppression>,
    ) -> Result<SliceResult, Undone> {
        let (mut engine, mirror) = self.engine(job, head, commits).await?;
        let digest = engine.digest();
        let limit = job.max_blob_bytes;
        let mut facts: Vec<CommitFacts> = Vec::with_capacity(commits.len());
        let mut nets: Vec<(ObjectId, MainlineNet)> = Vec::with_capacity(merges.len());
        let mut waiting: HashSet<ObjectId> = merges.iter().copied().collect();
        let (mut changes, mut cache_hits, begun) = (0, 0, Instant::now());
        let in_time = || begun.elapsed() < self.tools.slice_time;
        while facts.len() < commits.len()
            && changes < self.tools.slice_changes
            // A slice that would take too long ends early, but not without having got further.
            && (facts.is_empty() || in_time())
        {
            if !facts.is_empty() {
                gitfleet_shared::point!("W5");
            }
            let rest = &commits[facts.len()..];
            let block = &rest[..rest.len().min(BLOCK)];
            // A merge comes before what it merged, which its contents are decoded for, too.
            let merged: Vec<ObjectId> = block.iter().filter(|id| waiting.remove(*id)).copied().collect();
            engine = self.tools.nets(engine, &merged, limit, &mut nets).await?;
            let key = |id: &ObjectId| Key::facts(&digest, limit, id);
            let compute = |engine: &mut Engine, id| engine.facts(id);
            let weight = |facts: &CommitFacts| facts.files.len();
            let room = self.tools.slice_changes - changes;
            let is_final = CommitFacts::are_final;
            let (erased, redact) = (Arc::clone(erased), Suppression::facts);
            let kind = Kind::CommitFacts;
            let asked = Asked { kind, key, compute, weight, room, is_final, erased, redact };
            let done = self.tools.block(engine, block, asked).await?;
            engine = done.engine;
            cache_hits += done.hits;
            self.tools.done.fetch_add(done.values.len() as u64, Ordering::Relaxed);
            for (_, commit) in done.values {
                changes += commit.files.len();
                facts.push(commit);
            }
        }
        let undone = commits[facts.len()..].to_vec();
        let mut rest: Vec<ObjectId> = merges.iter().filter(|id| waiting.contains(*id)).copied().collect();
        // The merges of commits that are put back go with them.
        let undone_merges = if undone.is_empty() { Vec::new() } else { std::mem::take(&mut rest) };
        for block in rest.chunks(BLOCK) {
            engine = self.tools.nets(engine, block, limit, &mut nets).await?;
        }
        self.keep(job, head, engine, mirror);
        Ok(SliceResult { facts, mainline_merges: nets, undone, undone_merges, cache_hits })
    }

    async fn tip(&mut self, job: &Job, head: ObjectId) -> Result<TipResult, Undone> {
        let (mut engine, mirror) = self.engine(job, head, &[]).await?;
        let stop = self.tools.stop.clone();
        let id = gix_id(&head)?;
        let (engine, counted) = self
            .tools
            .lane
            .run(move || {
                let counted = engine.tip(id, || !stop.load(Ordering::Relaxed));
                (engine, counted)
            })
            .await?;
        self.keep(job, head, engine, mirror);
        match counted.map_err(survey::unreadable)? {
            Some(tip) => Ok(tip),
            None => Err(Undone::Interrupted),
        }
    }

    /// Returns the engine for the job's repository: the one kept from the last job where it fits.
    async fn engine(
        &mut self,
        job: &Job,
        head: ObjectId,
        commits: &[ObjectId],
    ) -> Result<(Engine, Option<Held>), Undone> {
        let fits = |open: &Open| open.source == job.source && open.head == head && open.scope == job.scope();
        if let Some(open) = self.open.take().filter(fits) {
            return Ok((open.engine, open.mirror));
        }
        let (limits, depth) = (self.tools.limits(job), Depth::of(job.scope()));
        let open = |path: PathBuf| {
            self.tools.lane.run(move || {
                let repository = repository::open(&path, limits.max_blob_bytes)?.to_thread_local();
                Engine::new(repository, gix_id(&head)?, limits, depth).map_err(survey::unreadable)
            })
        };
        let url = match &job.source {
            Source::Local { path } => return Ok((open(PathBuf::from(path)).await??, None)),
            Source::Remote { url } => url,
        };
        // The survey brought it, unless that was another worker's survey, or an older one.
        let wanted: Vec<ObjectId> = commits.iter().copied().chain([head]).collect();
        let (path, mirror) = (self.tools.mirrors.path(url), self.tools.mirrors.hold(url));
        if self.tools.holds(&path, &wanted, limits).await?.is_some() {
            let path = self.tools.bring(job).await?;
            if let Some(gone) = self.tools.holds(&path, &wanted, limits).await? {
                let message =
                    format!("{url} no longer has commit {gone}: it was rewritten while it was analysed");
                return Err(Failure { class: FailureClass::CommitGone, message }.into());
            }
        }
        Ok((open(path).await??, Some(mirror)))
    }

    fn keep(&mut self, job: &Job, head: ObjectId, engine: Engine, mirror: Option<Held>) {
        self.open = Some(Open { source: job.source.clone(), head, scope: job.scope(), engine, mirror });
    }
}
