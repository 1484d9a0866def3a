//! Commits of a job, a block at a time: the cache asked, the engine asked for the rest, the cache filled.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use gitfleet_shared::cache::Key;
use gitfleet_shared::codec::{self, Kind};
use gitfleet_shared::contract::{Failure, MainlineNet};
use gitfleet_shared::facts::FACTS_VERSION;
use gitfleet_shared::object_id::ObjectId;
use gitfleet_shared::people::erasure::Suppression;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tracing::{Instrument as _, Span};

use super::Tools;
use super::tools::gix_id;
use super::undone::Undone;
use crate::facts::Engine;
use crate::objects::ReadError;
use crate::survey;

/// Commits between two looks at the cache, two heartbeats and two chances to stop. Neighbours share what must be
/// decoded, so smaller blocks cost time.
pub(super) const BLOCK: usize = 128;

/// What is asked of each commit of a block.
pub(super) struct Asked<T, K, C> {
    pub(super) kind: Kind,
    pub(super) key: K,
    pub(super) compute: C,
    /// How much of the room a value takes.
    pub(super) weight: fn(&T) -> usize,
    pub(super) room: usize,
    pub(super) is_final: fn(&T) -> bool,
    pub(super) erased: Arc<Suppression>,
    /// Makes a value name nobody who was erased, and says whether it did.
    pub(super) redact: fn(&Suppression, &mut T) -> bool,
}

pub(super) struct Block<T> {
    pub(super) engine: Engine,
    /// Of the first of the ids asked for, as many as there was room for.
    pub(super) values: Vec<(ObjectId, T)>,
    pub(super) hits: u32,
}

impl Tools {
    /// Appends what the `merges` did to the mainline to `nets`.
    pub(super) async fn nets(
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
        let (erased, redact) = (Arc::default(), |_: &Suppression, _: &mut MainlineNet| false);
        let asked = Asked { kind: Kind::MainlineNet, key, compute, weight, room, is_final, erased, redact };
        let done = self.block(engine, merges, asked).await?;
        nets.extend(done.values);
        Ok(done.engine)
    }

    /// Answers `ids` in their order, from the cache where it can, and fills the cache with what it computed and is
    /// final. Stops behind the one with which the values weigh more than there is room for.
    pub(super) async fn block<T, K, C>(
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
        let Asked { kind, key, compute, weight, room, is_final, erased, redact } = asked;
        let version = cache_version();
        let keys: Vec<Key> = ids.iter().map(key).collect();
        let asked = self.meters.cache_seconds.with_label_values(&["get"]).start_timer();
        let cached = self.cache.get(&keys).instrument(span("get", keys.len())).await;
        asked.observe_duration();
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
                    Some(mut value) => {
                        hits += 1;
                        // Whoever put it there had not heard of it.
                        if redact(&erased, &mut value) {
                            entries.push((key, codec::encode(kind, version, &value)));
                        }
                        value
                    }
                    None => {
                        let mut value = compute(&mut engine, gix_id(&id)?).map_err(survey::unreadable)?;
                        redact(&erased, &mut value);
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
        self.meters.cache_hits.inc_by(block.hits.into());
        self.meters.cache_misses.inc_by((block.values.len() as u64).saturating_sub(block.hits.into()));
        if !entries.is_empty() {
            let told = self.meters.cache_seconds.with_label_values(&["put"]).start_timer();
            let span = span("put", entries.len());
            self.cache.put(entries).instrument(span).await;
            told.observe_duration();
        }
        gitfleet_shared::point!("W6");
        Ok(block)
    }
}

/// Returns the span of a look into the cache, where it is part of a trace.
fn span(operation: &'static str, keys: usize) -> Span {
    if Span::current().is_disabled() {
        return Span::none();
    }
    tracing::info_span!(
        "cache",
        otel.name = %format_args!("cache {operation}"),
        otel.kind = "client",
        db.operation.name = operation,
        db.operation.batch.size = keys,
    )
}

fn cache_version() -> u16 {
    u16::try_from(FACTS_VERSION).expect("a version a year would last 65,000 years")
}
