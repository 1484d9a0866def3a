//! The story of a worker: take a job, do it, say what came of it, and only then let the job go.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use gitfleet_shared::cache::{Cache, Key};
use gitfleet_shared::codec::{self, Kind};
use gitfleet_shared::contract::{
    Failure, FailureClass, Job, MainlineNet, Outcome, SliceResult, Source, TipResult, Work, WorkResult,
};
use gitfleet_shared::facts::{CommitFacts, FACTS_VERSION};
use gitfleet_shared::object_id::ObjectId;
use gitfleet_shared::queue::{Delivery, Queue, QueueError, Topic};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::task::JoinSet;

use crate::credentials::Credentials;
use crate::disposition::{self, Disposition};
use crate::facts::Engine;
use crate::lane::{Lane, Lost};
use crate::mirror::Mirrors;
use crate::objects::{Limits, ReadError};
use crate::pulse::Pulse;
use crate::repository;
use crate::survey;

#[derive(Debug, Clone)]
pub struct Config {
    /// How the worker is called in manifests and heartbeats.
    pub name: String,
    /// Jobs done at the same time; each has caches of its own.
    pub slots: usize,
    /// Where mirrors of remote repositories are kept.
    pub mirrors: PathBuf,
    pub credentials: Credentials,
    /// A slice ends early when it holds so many file changes; the rest is put back. This, and not the number of
    /// commits, is what bounds memory.
    pub slice_changes: usize,
    /// How much each slot may keep of what it decoded.
    pub cache_bytes: usize,
}

/// Commits between two looks at the cache, two heartbeats and two chances to stop. Neighbours share what must be
/// decoded, so smaller blocks cost time.
const BLOCK: usize = 128;
/// What [`Config::slice_changes`] is unless there is a reason: some 50 MB, whatever the commits are like.
pub const SLICE_CHANGES: usize = 100_000;

pub struct Worker {
    queue: Arc<dyn Queue>,
    cache: Arc<dyn Cache>,
    config: Config,
}

impl Worker {
    pub fn new(queue: Arc<dyn Queue>, cache: Arc<dyn Cache>, config: Config) -> Self {
        Self { queue, cache, config }
    }

    /// Works until `shutdown` ends or the queue closes. Jobs in hand are then handed back undone, at the next
    /// block of commits.
    ///
    /// # Errors
    ///
    /// Where the system gives no threads to work on, or a slot panics.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> std::io::Result<()> {
        let stop = Arc::new(AtomicBool::new(false));
        let mirrors = Arc::new(Mirrors::new(self.config.mirrors.clone(), self.config.credentials.clone()));
        let mut slots = JoinSet::new();
        for _ in 0..self.config.slots.max(1) {
            let tools = Tools {
                queue: self.queue.clone(),
                cache: self.cache.clone(),
                name: self.config.name.clone(),
                mirrors: mirrors.clone(),
                stop: stop.clone(),
                lane: Lane::start()?,
                slice_changes: self.config.slice_changes.max(1),
                cache_bytes: self.config.cache_bytes,
                done: Arc::default(),
            };
            slots.spawn(Slot { tools, open: None }.run());
        }
        tokio::select! {
            () = shutdown => {}
            ended = ended(&mut slots) => return ended,
        }
        stop.store(true, Ordering::Relaxed);
        // A slot that waits for a job has none to hand back.
        slots.abort_all();
        ended(&mut slots).await
    }
}

/// Waits for all slots to end. One that panicked outside its lane has lost its place, and nobody would know.
async fn ended(slots: &mut JoinSet<()>) -> std::io::Result<()> {
    while let Some(slot) = slots.join_next().await {
        if let Err(error) = slot
            && error.is_panic()
        {
            return Err(std::io::Error::other(error));
        }
    }
    Ok(())
}

/// One job at a time, with the engine of the last repository kept for the next slice of it.
struct Slot {
    tools: Tools,
    open: Option<Open>,
}

/// What a slot works with; all but the lane and the count is shared by the slots of the worker.
struct Tools {
    queue: Arc<dyn Queue>,
    cache: Arc<dyn Cache>,
    name: String,
    mirrors: Arc<Mirrors>,
    stop: Arc<AtomicBool>,
    lane: Lane,
    slice_changes: usize,
    cache_bytes: usize,
    /// How far the job in hand is, in the units of its heartbeat.
    done: Arc<AtomicU64>,
}

struct Open {
    source: Source,
    head: ObjectId,
    max_blob_bytes: u64,
    engine: Engine,
}

/// Why a job ended without an outcome.
enum Undone {
    Failed(Failure),
    /// The worker stops; somebody else will do the job.
    Interrupted,
}

impl From<Failure> for Undone {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<Lost> for Undone {
    /// A panic is a failure of this job alone.
    fn from(lost: Lost) -> Self {
        match lost {
            Lost::Panicked(text) => Self::Failed(Failure {
                class: FailureClass::Internal,
                message: format!("the analysis panicked: {text}"),
            }),
            Lost::Ended => Self::Interrupted,
        }
    }
}

impl Slot {
    async fn run(mut self) {
        let Ok(mut jobs) = self.tools.queue.consume(Topic::Jobs).await else { return };
        while let Ok(delivery) = jobs.next().await {
            if self.tools.stop.load(Ordering::Relaxed) {
                return;
            }
            if self.take(delivery).await.is_err() {
                return;
            }
        }
    }

    async fn take(&mut self, delivery: Box<dyn Delivery>) -> Result<(), QueueError> {
        let job = match Job::decode(delivery.body()) {
            Ok(job) => job,
            Err(error) => return delivery.dead_letter(error.to_string()).await,
        };
        let started = Instant::now();
        let done = self.tools.done.clone();
        done.store(0, Ordering::Relaxed);
        let pulse = Pulse::new(self.tools.queue.clone(), &job, self.tools.name.clone(), done);
        let result = match pulse.during(self.work(&job)).await {
            Ok(result) => Ok(result),
            Err(Undone::Failed(failure)) => Err(failure),
            // Dropped unsettled, so it is delivered again, to somebody else.
            Err(Undone::Interrupted) => return Err(QueueError::Closed),
        };
        match disposition::of(&result, delivery.redeliveries()) {
            Disposition::RetryLater(delay) => delivery.retry_later(delay).await,
            Disposition::Report => {
                let outcome = Outcome {
                    job: job.id,
                    batch: job.batch,
                    worker: self.tools.name.clone(),
                    elapsed_millis: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
                    result,
                };
                // Only when the outcome is stored may the job go.
                self.tools.queue.publish(Topic::Outcomes, outcome.encode()).await?;
                delivery.ack().await
            }
        }
    }

    async fn work(&mut self, job: &Job) -> Result<WorkResult, Undone> {
        tracing::debug!(job.id = %job.id, repository = %job.source, work = job.work.name(), "job begins");
        match &job.work {
            Work::Survey { revisions, base } => {
                self.open = None;
                let path = self.tools.bring(&job.source).await?;
                let (revisions, base, limits) = (revisions.clone(), base.clone(), self.tools.limits(job));
                let result = self.tools.lane.run(move || {
                    let repository = repository::open(&path, limits.max_blob_bytes)?.to_thread_local();
                    survey::survey(&repository, &revisions, base.as_ref(), limits)
                });
                Ok(WorkResult::Survey(result.await??))
            }
            Work::Slice { head, commits, mainline_merges } => {
                self.slice(job, *head, commits, mainline_merges).await.map(WorkResult::Slice)
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
    ) -> Result<SliceResult, Undone> {
        let mut engine = self.engine(job, head).await?;
        let digest = engine.digest();
        let limit = job.max_blob_bytes;
        let mut facts: Vec<CommitFacts> = Vec::with_capacity(commits.len());
        let mut nets: Vec<(ObjectId, MainlineNet)> = Vec::with_capacity(merges.len());
        let mut waiting: HashSet<ObjectId> = merges.iter().copied().collect();
        let (mut changes, mut cache_hits) = (0, 0);
        while facts.len() < commits.len() && changes < self.tools.slice_changes {
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
            let asked = Asked { kind: Kind::CommitFacts, key, compute, weight, room, is_final };
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
        self.keep(job, head, engine);
        Ok(SliceResult { facts, mainline_merges: nets, undone, undone_merges, cache_hits })
    }

    async fn tip(&mut self, job: &Job, head: ObjectId) -> Result<TipResult, Undone> {
        let mut engine = self.engine(job, head).await?;
        let stop = self.tools.stop.clone();
        let id = gix_id(&head)?;
        let (engine, counted) = self
            .tools
            .lane
            .run(move || {
                let counted = engine.tip_lines(id, || !stop.load(Ordering::Relaxed));
                (engine, counted)
            })
            .await?;
        self.keep(job, head, engine);
        match counted.map_err(survey::unreadable)? {
            Some((lines, unknown_files)) => Ok(TipResult { lines, unknown_files }),
            None => Err(Undone::Interrupted),
        }
    }

    /// Returns the engine for the job's repository: the one kept from the last job where it fits.
    async fn engine(&mut self, job: &Job, head: ObjectId) -> Result<Engine, Undone> {
        let fits = |open: &Open| {
            open.source == job.source && open.head == head && open.max_blob_bytes == job.max_blob_bytes
        };
        if let Some(open) = self.open.take().filter(fits) {
            return Ok(open.engine);
        }
        let limits = self.tools.limits(job);
        let path = match &job.source {
            Source::Local { path } => PathBuf::from(path),
            // The survey brought it, unless that was another worker's survey.
            Source::Remote { url } if self.tools.mirrors.path(url).exists() => self.tools.mirrors.path(url),
            Source::Remote { .. } => self.tools.bring(&job.source).await?,
        };
        let opened = self.tools.lane.run(move || {
            let repository = repository::open(&path, limits.max_blob_bytes)?.to_thread_local();
            Engine::new(repository, gix_id(&head)?, limits).map_err(survey::unreadable)
        });
        Ok(opened.await??)
    }

    fn keep(&mut self, job: &Job, head: ObjectId, engine: Engine) {
        self.open =
            Some(Open { source: job.source.clone(), head, max_blob_bytes: job.max_blob_bytes, engine });
    }
}

impl Tools {
    fn limits(&self, job: &Job) -> Limits {
        Limits { max_blob_bytes: job.max_blob_bytes, cache_bytes: self.cache_bytes }
    }

    /// Appends what the `merges` did to the mainline to `nets`.
    async fn nets(
        &self,
        engine: Engine,
        merges: &[ObjectId],
        limit: u64,
        nets: &mut Vec<(ObjectId, MainlineNet)>,
    ) -> Result<Engine, Undone> {
        if merges.is_empty() {
            return Ok(engine);
        }
        let digest = engine.digest();
        let key = |id: &ObjectId| Key::mainline_net(&digest, limit, id);
        let compute = |engine: &mut Engine, id| engine.mainline_net(id);
        let is_final = MainlineNet::is_final;
        let (weight, room) = (|_: &MainlineNet| 0, 1);
        let asked = Asked { kind: Kind::MainlineNet, key, compute, weight, room, is_final };
        let done = self.block(engine, merges, asked).await?;
        nets.extend(done.values);
        Ok(done.engine)
    }

    /// Answers `ids` in their order, from the cache where it can, and fills the cache with what it computed and is
    /// final. Stops behind the one with which the values weigh more than there is room for.
    async fn block<T, K, C>(
        &self,
        mut engine: Engine,
        ids: &[ObjectId],
        asked: Asked<T, K, C>,
    ) -> Result<Block<T>, Undone>
    where
        T: Serialize + DeserializeOwned + Send + 'static,
        K: Fn(&ObjectId) -> Key,
        C: Fn(&mut Engine, gix::ObjectId) -> Result<T, ReadError> + Send + 'static,
    {
        if self.stop.load(Ordering::Relaxed) {
            return Err(Undone::Interrupted);
        }
        let Asked { kind, key, compute, weight, room, is_final } = asked;
        let version = cache_version();
        let keys: Vec<Key> = ids.iter().map(key).collect();
        let cached = self.cache.get(&keys).await;
        let wanted: Vec<_> = ids.iter().copied().zip(keys).zip(cached).collect();
        let work = move || {
            let (mut values, mut entries) = (Vec::with_capacity(wanted.len()), Vec::new());
            let (mut hits, mut weighed) = (0, 0);
            for ((id, key), cached) in wanted {
                if weighed > room {
                    break;
                }
                let known = cached.and_then(|frame| codec::decode(kind, version, &frame).ok());
                let value = match known {
                    Some(value) => {
                        hits += 1;
                        value
                    }
                    None => {
                        let value = compute(&mut engine, gix_id(&id)?).map_err(survey::unreadable)?;
                        if is_final(&value) {
                            entries.push((key, codec::encode(kind, version, &value)));
                        }
                        value
                    }
                };
                weighed += weight(&value);
                values.push((id, value));
            }
            Ok::<_, Failure>((Block { engine, values, hits }, entries))
        };
        let (block, entries) = self.lane.run(work).await??;
        self.cache.put(entries).await;
        Ok(block)
    }

    /// Returns where the repository can be read, up to date.
    async fn bring(&self, source: &Source) -> Result<PathBuf, Undone> {
        match source {
            Source::Local { path } => Ok(PathBuf::from(path)),
            Source::Remote { url } => {
                let (mirrors, url, stop) = (self.mirrors.clone(), url.clone(), self.stop.clone());
                let fetched = self.lane.run(move || mirrors.fetch(&url, &stop)).await?;
                if self.stop.load(Ordering::Relaxed) {
                    return Err(Undone::Interrupted);
                }
                Ok(fetched?)
            }
        }
    }
}

/// What is asked of each commit of a block.
struct Asked<T, K, C> {
    kind: Kind,
    key: K,
    compute: C,
    /// How much of the room a value takes.
    weight: fn(&T) -> usize,
    room: usize,
    is_final: fn(&T) -> bool,
}

struct Block<T> {
    engine: Engine,
    /// Of the first of the ids asked for, as many as there was room for.
    values: Vec<(ObjectId, T)>,
    hits: u32,
}

fn cache_version() -> u16 {
    u16::try_from(FACTS_VERSION).expect("a version a year would last 65,000 years")
}

fn gix_id(id: &ObjectId) -> Result<gix::ObjectId, Failure> {
    gix::ObjectId::try_from(id.as_bytes())
        .map_err(|error| Failure { class: FailureClass::UnsupportedFormat, message: error.to_string() })
}
