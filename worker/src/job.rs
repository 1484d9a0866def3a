//! The story of a worker: take a job, do it, say what came of it, and only then let the job go.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use gitfleet_shared::cache::{Cache, Key};
use gitfleet_shared::codec::{self, Kind};
use gitfleet_shared::contract::{
    Base, Failure, FailureClass, HandedBack, Job, MainlineNet, Outcome, Revisions, SliceResult, Source,
    SurveyResult, TipResult, Why, Work, WorkResult,
};
use gitfleet_shared::facts::{CommitFacts, FACTS_VERSION};
use gitfleet_shared::object_id::ObjectId;
use gitfleet_shared::queue::{Delivery, Queue, QueueError, Topic};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::disposition::{self, Disposition};
use crate::facts::Engine;
use crate::lane::{Lane, Lost};
use crate::listing;
use crate::mirror::{Held, Mirrors};
use crate::objects::{Limits, ReadError};
use crate::pulse::Pulse;
use crate::repository;
use crate::survey;
use crate::wishes::Wishes;

/// Commits between two looks at the cache, two heartbeats and two chances to stop. Neighbours share what must be
/// decoded, so smaller blocks cost time.
const BLOCK: usize = 128;
/// How long an outcome waits before the queue is asked again.
const AGAIN_AFTER: Duration = Duration::from_secs(1);
/// Work that was told to stop looks up at the next block of commits; what does not in so long is left behind.
const DEAF_AFTER: Duration = Duration::from_secs(30);

/// One job at a time, with the engine of the last repository kept for the next slice of it.
pub(crate) struct Slot {
    tools: Tools,
    open: Option<Open>,
}

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
}

struct Open {
    source: Source,
    head: ObjectId,
    max_blob_bytes: u64,
    engine: Engine,
    /// Where the engine reads, if that is a mirror.
    mirror: Option<Held>,
}

/// The last thing that is done about a delivery.
enum Settling {
    LetGo(Box<dyn Delivery>),
    Later(Box<dyn Delivery>, Duration),
    PutAside(Box<dyn Delivery>, String),
}

impl Settling {
    async fn settle(self) -> Result<(), QueueError> {
        match self {
            Self::LetGo(delivery) => delivery.ack().await,
            Self::Later(delivery, delay) => delivery.retry_later(delay).await,
            Self::PutAside(delivery, cause) => delivery.dead_letter(cause).await,
        }
    }
}

/// Whether a slot goes on after this.
fn goes_on(settled: Result<(), QueueError>) -> bool {
    match settled {
        // Unavailable or lost: the job comes again, to somebody else perhaps.
        Ok(()) | Err(QueueError::Lost | QueueError::Unavailable { .. }) => true,
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "the slot ends");
            false
        }
    }
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
    pub(crate) fn new(tools: Tools) -> Self {
        Self { tools, open: None }
    }

    /// Takes jobs until the worker leaves or the queue ends.
    pub(crate) async fn run(mut self) {
        let mut wishes = self.tools.wishes.clone();
        loop {
            if wishes.wait_for_work().await.is_err() {
                return;
            }
            let Ok(mut jobs) = self.tools.queue.consume(Topic::Jobs).await else { return };
            let last = loop {
                let delivery = tokio::select! {
                    biased;
                    () = wishes.no_more_work() => break None,
                    delivery = jobs.next() => delivery,
                };
                let Ok(delivery) = delivery else { return };
                match self.take(delivery).await {
                    // Let go, it would bring the next one, which would be on its way while nobody listens any more.
                    Ok(settling) if wishes.is_no_more_work() => break Some(settling),
                    Ok(settling) => {
                        if !goes_on(settling.settle().await) {
                            return;
                        }
                        gitfleet_shared::point!("W10");
                    }
                    Err(error) => {
                        if !goes_on(Err(error)) {
                            return;
                        }
                    }
                }
            };
            let left = jobs.stop().await;
            if let Some(settling) = last
                && !goes_on(settling.settle().await)
            {
                return;
            }
            // What was delivered and not begun goes back in order: dropped, it would count as lost.
            for delivery in left {
                let given_back = match Job::decode(delivery.body()) {
                    Ok(job) => self.tools.hand_back(delivery, &job, Why::Interrupted).await,
                    Err(error) => Ok(Settling::PutAside(delivery, error.to_string())),
                };
                let settled = match given_back {
                    Ok(settling) => settling.settle().await,
                    Err(error) => Err(error),
                };
                if let Err(error) = settled {
                    tracing::debug!(
                        error = &error as &dyn std::error::Error,
                        "a job is given back by the queue"
                    );
                }
            }
        }
    }

    /// Does what a delivery asks for, and returns how it is to be let go.
    async fn take(&mut self, delivery: Box<dyn Delivery>) -> Result<Settling, QueueError> {
        let job = match Job::decode(delivery.body()) {
            Ok(job) => job,
            Err(error) => return Ok(Settling::PutAside(delivery, error.to_string())),
        };
        if let Some(why) = self.tools.wishes.against(job.batch) {
            return self.tools.hand_back(delivery, &job, why).await;
        }
        gitfleet_shared::point!("W1");
        if delivery.was_dropped() {
            return self.tools.hand_back(delivery, &job, Why::Dropped).await;
        }
        let started = Instant::now();
        #[cfg(feature = "faults")]
        let delivery = gitfleet_shared::faults::perhaps_early(delivery).await?;
        let result = match self.attend(&job).await {
            Ok(result) => Ok(result),
            Err(Undone::Failed(failure)) if failure.class == FailureClass::DiskFull => {
                tracing::warn!(reason = failure.message, "the job goes back");
                return self.tools.hand_back(delivery, &job, Why::Unable).await;
            }
            Err(Undone::Failed(failure)) => Err(failure),
            Err(Undone::Interrupted) => {
                let why = self.tools.wishes.against(job.batch).unwrap_or(Why::Interrupted);
                return self.tools.hand_back(delivery, &job, why).await;
            }
        };
        match disposition::of(&result, delivery.redeliveries()) {
            Disposition::RetryLater(delay) => Ok(Settling::Later(delivery, delay)),
            Disposition::Report => {
                let outcome = Outcome {
                    job: job.id,
                    batch: job.batch,
                    worker: self.tools.name.clone(),
                    elapsed_millis: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
                    result,
                };
                gitfleet_shared::point!("W7");
                // Only when the outcome is stored may the job go.
                self.tools.tell(outcome.encode()).await?;
                gitfleet_shared::point!("W9");
                Ok(Settling::LetGo(delivery))
            }
        }
    }

    /// Works on `job` for as long as it is wanted and may take.
    async fn attend(&mut self, job: &Job) -> Result<WorkResult, Undone> {
        let (done, stop) = (self.tools.done.clone(), self.tools.stop.clone());
        done.store(0, Ordering::Relaxed);
        stop.store(false, Ordering::Relaxed);
        let _in_hand = self.tools.pulse.begin(job, done);
        #[cfg(feature = "faults")]
        gitfleet_shared::faults::swallow(&job.source.to_string()).await;
        let (limit, mut wishes) = (self.tools.job_time, self.tools.wishes.clone());
        let mut too_long = false;
        {
            let work = self.work(job);
            tokio::pin!(work);
            tokio::select! {
                result = &mut work => return result,
                () = wishes.stop(job.batch) => {}
                () = tokio::time::sleep(limit) => too_long = true,
            }
            stop.store(true, Ordering::Relaxed);
            if let Ok(result) = tokio::time::timeout(DEAF_AFTER, work).await
                && !(too_long && matches!(result, Err(Undone::Interrupted)))
            {
                return result;
            }
        }
        // A thread cannot be ended from outside; it is left to itself, and the slot goes on with another one.
        self.tools.lane = Lane::start().map_err(|_| Undone::Interrupted)?;
        self.tools.stop = Arc::default();
        self.open = None;
        if !too_long {
            return Err(Undone::Interrupted);
        }
        let message =
            format!("the {} took longer than {} s, the limit of a job", job.work.name(), limit.as_secs());
        Err(Undone::Failed(Failure { class: FailureClass::TimedOut, message }))
    }

    async fn work(&mut self, job: &Job) -> Result<WorkResult, Undone> {
        tracing::debug!(job.id = %job.id, repository = %job.source, work = job.work.name(), "job begins");
        match &job.work {
            Work::Survey { revisions, base } => {
                self.open = None;
                let _mirror = match &job.source {
                    Source::Remote { url } => Some(self.tools.mirrors.hold(url)),
                    Source::Local { .. } => None,
                };
                if let (Source::Remote { url }, Some(base)) = (&job.source, base)
                    && self.tools.is_unchanged(url, revisions, base).await?
                {
                    return Ok(WorkResult::Survey(SurveyResult::Unchanged));
                }
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
                let counted = engine.tip_lines(id, || !stop.load(Ordering::Relaxed));
                (engine, counted)
            })
            .await?;
        self.keep(job, head, engine, mirror);
        match counted.map_err(survey::unreadable)? {
            Some((lines, unknown_files)) => Ok(TipResult { lines, unknown_files }),
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
        let fits = |open: &Open| {
            open.source == job.source && open.head == head && open.max_blob_bytes == job.max_blob_bytes
        };
        if let Some(open) = self.open.take().filter(fits) {
            return Ok((open.engine, open.mirror));
        }
        let limits = self.tools.limits(job);
        let open = |path: PathBuf| {
            self.tools.lane.run(move || {
                let repository = repository::open(&path, limits.max_blob_bytes)?.to_thread_local();
                Engine::new(repository, gix_id(&head)?, limits).map_err(survey::unreadable)
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
            let path = self.tools.bring(&job.source).await?;
            if let Some(gone) = self.tools.holds(&path, &wanted, limits).await? {
                let message =
                    format!("{url} no longer has commit {gone}: it was rewritten while it was analysed");
                return Err(Failure { class: FailureClass::CommitGone, message }.into());
            }
        }
        Ok((open(path).await??, Some(mirror)))
    }

    fn keep(&mut self, job: &Job, head: ObjectId, engine: Engine, mirror: Option<Held>) {
        let (source, max_blob_bytes) = (job.source.clone(), job.max_blob_bytes);
        self.open = Some(Open { source, head, max_blob_bytes, engine, mirror });
    }
}

impl Tools {
    async fn hand_back(
        &self,
        delivery: Box<dyn Delivery>,
        job: &Job,
        why: Why,
    ) -> Result<Settling, QueueError> {
        tracing::debug!(job.id = %job.id, ?why, "job handed back");
        let (job, batch, worker) = (job.id, job.batch, self.name.clone());
        self.tell(HandedBack { job, batch, worker, why }.encode()).await?;
        Ok(Settling::LetGo(delivery))
    }

    /// Publishes what is to be heard for certain; while the queue is away, the slot waits with it in hand.
    async fn tell(&self, frame: Vec<u8>) -> Result<(), QueueError> {
        loop {
            match self.queue.publish(Topic::Outcomes, frame.clone()).await {
                // Who has left waits for nobody; the job is delivered again.
                Err(error @ QueueError::Unavailable { .. }) if !self.wishes.has_left() => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "an outcome waits for the queue"
                    );
                    tokio::time::sleep(AGAIN_AFTER).await;
                }
                told => return told,
            }
        }
    }

    /// Whether the remote lists what `base` was pinned from, asked only where the alternative is to fetch everything.
    async fn is_unchanged(&self, url: &str, revisions: &Revisions, base: &Base) -> Result<bool, Undone> {
        if self.mirrors.path(url).exists() {
            return Ok(false);
        }
        let (mirrors, url) = (self.mirrors.clone(), url.to_owned());
        let (revisions, base) = (revisions.clone(), base.clone());
        let asked = self.lane.run(move || {
            let listed = mirrors.list(&url).ok()?;
            let pinned = listing::pin(&listed, &revisions)?;
            Some(survey::is_unchanged(&revisions, pinned.as_ref(), &base))
        });
        Ok(asked.await?.unwrap_or(false))
    }

    /// Returns the first of `wanted` that the repository at `path` lacks; all of it where there is no repository.
    async fn holds(
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
        #[cfg(feature = "faults")]
        gitfleet_shared::faults::dawdle().await;
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
        gitfleet_shared::point!("W6");
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
