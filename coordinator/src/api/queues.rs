//! What waits, what could not be used, and what is remembered.

use axum::Json;
use axum::extract::{Path, Query, State};
use gitfleet_shared::queue::Topic;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::batches::Acted;
use super::problem::kind::{CACHE_UNAVAILABLE, QUEUE_UNAVAILABLE};
use super::{Api, Problem};
use crate::view::{CacheView, DeadView, QueueView};

/// How many entries the cache had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Purged {
    pub entries: u64,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    /// At most so many, 50 unless said otherwise, 1,000 at most.
    limit: Option<u32>,
}

pub(super) async fn waiting(api: &Api) -> Vec<QueueView> {
    let mut queues = Vec::new();
    for topic in Topic::ALL {
        let waiting = api.queue.depth(topic).await.ok();
        queues.push(QueueView { topic: topic.name().to_owned(), waiting });
    }
    queues
}

#[utoipa::path(get, path = "/queues", tag = "queues", responses((status = 200, body = Vec<QueueView>)))]
pub(super) async fn list(State(api): State<Api>) -> Json<Vec<QueueView>> {
    Json(waiting(&api).await)
}

#[utoipa::path(
    get, path = "/dead", tag = "queues", params(ListQuery), responses((status = 200, body = Vec<DeadView>))
)]
pub(super) async fn dead(
    State(api): State<Api>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Vec<DeadView>>, Problem> {
    Ok(Json(api.store.dead_letters(query.limit.unwrap_or(50).clamp(1, 1_000)).await?))
}

#[utoipa::path(
    get, path = "/dead/{id}", tag = "queues", params(("id" = i64, Path)),
    responses((status = 200, body = DeadView), (status = 404, body = Problem))
)]
pub(super) async fn dead_letter(
    State(api): State<Api>,
    Path(id): Path<i64>,
) -> Result<Json<DeadView>, Problem> {
    let found = api.store.dead_letter(id).await?;
    found.map(|(view, ..)| Json(view)).ok_or_else(|| unknown(id))
}

#[utoipa::path(
    delete, path = "/dead/{id}", tag = "queues", params(("id" = i64, Path)),
    responses((status = 200, body = Acted), (status = 404, body = Problem))
)]
pub(super) async fn drop_dead(State(api): State<Api>, Path(id): Path<i64>) -> Result<Json<Acted>, Problem> {
    match api.store.drop_dead(id, None).await? {
        true => Ok(Json(Acted { changed: true })),
        false => Err(unknown(id)),
    }
}

#[utoipa::path(
    post, path = "/dead/{id}/replay", tag = "queues", params(("id" = i64, Path)),
    responses((status = 200, body = Acted), (status = 404, body = Problem), (status = 409, body = Problem))
)]
pub(super) async fn replay(State(api): State<Api>, Path(id): Path<i64>) -> Result<Json<Acted>, Problem> {
    let (_, letter, arrived_at) = api.store.dead_letter(id).await?.ok_or_else(|| unknown(id))?;
    let topic = Topic::from_name(&letter.topic).filter(|topic| *topic != Topic::Dead).ok_or_else(|| {
        Problem::conflict(format!("nobody knows where dead letter {id} came from"))
            .hint("`gitfleet dead drop` removes it; what it rang for is rung for again by itself")
    })?;
    let published = api.queue.publish(topic, letter.body).await;
    published.map_err(|error| Problem::unavailable(QUEUE_UNAVAILABLE, error.to_string()))?;
    // Only now: replayed twice, it changes nothing the second time. And where nobody could use it again, it is here again.
    api.store.drop_dead(id, Some(arrived_at)).await?;
    Ok(Json(Acted { changed: true }))
}

#[utoipa::path(
    get, path = "/cache", tag = "cache", responses((status = 200, body = CacheView), (status = 503, body = Problem))
)]
pub(super) async fn cache(State(api): State<Api>) -> Result<Json<CacheView>, Problem> {
    let stats = api.cache.stats().await.map_err(|error| Problem::unavailable(CACHE_UNAVAILABLE, error))?;
    Ok(Json(CacheView {
        backend: stats.backend,
        entries: stats.entries,
        bytes: stats.bytes,
        limit_bytes: stats.limit_bytes,
    }))
}

#[utoipa::path(
    post, path = "/cache/purge", tag = "cache",
    responses((status = 200, body = Purged), (status = 503, body = Problem))
)]
pub(super) async fn purge_cache(State(api): State<Api>) -> Result<Json<Purged>, Problem> {
    let purged = api.cache.purge().await.map_err(|error| Problem::unavailable(CACHE_UNAVAILABLE, error))?;
    Ok(Json(Purged { entries: purged }))
}

fn unknown(id: i64) -> Problem {
    Problem::not_found("dead letter", id).hint("`gitfleet dead ls` lists them")
}
