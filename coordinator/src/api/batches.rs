//! Batches: submit, look, and say what is to become of them.

use std::collections::BTreeMap;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use gitfleet_shared::contract::{Revisions, Source};
use gitfleet_shared::sources::{Policy, Refused};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::text::{printable, without_nul};
use super::{Api, Problem, named};
use crate::access::scope::TEAM;
use crate::access::{Caller, Lending, Scope};
use crate::store::ledger::{BatchFilter, Wish};
use crate::store::{RepositoryState, RequestKey, Submitted};
use crate::submit::{self, Requested, submit as write_down};
use crate::terms::Terms;
use crate::view::{BatchView, RepositoryView};

/// What somebody wants analysed.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BatchRequest {
    /// What its report is published as.
    pub name: String,
    #[schema(min_items = 1, max_items = 10_000)]
    pub repositories: Vec<RepositoryRequest>,
    /// From -100 to 100; the higher one goes first.
    #[serde(default)]
    #[schema(minimum = -100, maximum = 100)]
    pub priority: i64,
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Window, as-of time, limits.
    #[schema(value_type = Object)]
    pub terms: Terms,
    /// The configuration as it is recorded, without secrets.
    #[serde(default)]
    pub config: String,
}

/// A repository, by URL or, where the workers have it on their disks, by path.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RepositoryRequest {
    pub name: String,
    #[serde(default)]
    pub project_key: String,
    pub url: Option<String>,
    pub path: Option<String>,
    /// Another branch than the default one.
    pub branch: Option<String>,
    #[serde(default)]
    pub all_branches: bool,
    /// The name of what workers are to show to its host; they have the secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
}

/// What became of a submission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Submission {
    pub batch: String,
    /// False where the same request had been here before.
    pub new: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Acted {
    /// False where it was so already.
    pub changed: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Retried {
    /// Repositories that begin again.
    pub repositories: u64,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    /// running, finished, cancelled or abandoned.
    state: Option<String>,
    /// `key=value`, several joined by commas; all of them must hold.
    label: Option<String>,
    /// Only those that are older than this one.
    before: Option<String>,
    /// At most so many, 20 unless said otherwise, 500 at most.
    limit: Option<u32>,
}

const MOST_REPOSITORIES: usize = 10_000;
const LONGEST_NAME: usize = 200;

#[utoipa::path(
    post, path = "/batches", tag = "batches", request_body = BatchRequest,
    params(("Idempotency-Key" = String, Header, description = "names the request: sent again, it is one batch")),
    responses(
        (status = 201, body = Submission), (status = 200, body = Submission, description = "sent before"),
        (status = 400, body = Problem), (status = 403, body = Problem), (status = 409, body = Problem),
        (status = 503, body = Problem)
    )
)]
pub(super) async fn submit(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    body: Bytes,
) -> Result<(StatusCode, Json<Submission>), Problem> {
    let key = headers.get("Idempotency-Key").and_then(|key| key.to_str().ok()).filter(|key| !key.is_empty());
    let key = key.filter(|key| key.len() <= LONGEST_NAME).ok_or_else(|| {
        Problem::invalid("the header Idempotency-Key is missing or too long").hint(
            "send any name of the request there, such as a UUID; sent again with it, the batch is made once",
        )
    })?;
    let mut request: BatchRequest = serde_json::from_slice(&body)
        .map_err(|error| Problem::invalid(format!("the body is no batch request: {error}")))?;
    let projects = request.repositories.iter().map(|repository| repository.project_key.as_str());
    caller.scope.claim(&mut request.labels, projects).map_err(Problem::forbidden)?;
    allowed(&api.sources, &request.repositories)?;
    lent(&api.lending, &caller.scope, &request.labels, &request.repositories)?;
    let request_key = RequestKey { key: request_key(&caller, key), digest: digest(&request) };
    let submission = settle(request, request_key, (api.now)())?;
    let (batch, submitted) = write_down(&*api.store, submission).await?;
    api.bell.work();
    match submitted {
        Submitted::Now => Ok((StatusCode::CREATED, Json(Submission { batch: batch.to_string(), new: true }))),
        Submitted::Before(_) => {
            Ok((StatusCode::OK, Json(Submission { batch: batch.to_string(), new: false })))
        }
        Submitted::Conflict(_) => Err(Problem::conflict(format!(
            "the key {key} was used for another request, which became batch {batch}"
        ))
        .hint("give every request a key of its own")),
    }
}

/// Returns the key as it is kept. Whoever sees a part has keys of their own: a conflict would tell of somebody else's batch.
fn request_key(caller: &Caller, key: &str) -> String {
    match caller.scope {
        Scope::All => key.to_owned(),
        Scope::Part(_) => format!("{} {key}", caller.token),
    }
}

/// Returns what two requests have in common that mean the same. Whoever got no answer runs the same command again: a moment
/// later, and perhaps at another coordinator, which the configuration as it is recorded names.
fn digest(request: &BatchRequest) -> [u8; 32] {
    let terms = Terms { as_of_seconds: 0, ..request.terms.clone() };
    let asked = BatchRequest { terms, config: String::new(), ..request.clone() };
    let bytes = serde_json::to_vec(&asked).expect("it is made of strings, numbers and maps of strings");
    *blake3::hash(&bytes).as_bytes()
}

/// Checks a request through and through before anything is written.
pub(crate) fn settle(
    request: BatchRequest,
    key: RequestKey,
    now: i64,
) -> Result<submit::Submission, Problem> {
    let BatchRequest { name, repositories, priority, labels, terms, config } = request;
    if name.is_empty() || name.len() > LONGEST_NAME || name.chars().any(char::is_control) {
        return Err(Problem::invalid(format!("name has 1 to {LONGEST_NAME} printable characters")));
    }
    for (key, value) in &labels {
        printable(&format!("labels: the key {key:?}"), key)?;
        printable(&format!("labels.{key}"), value)?;
    }
    without_nul("config", &config)?;
    if repositories.is_empty() || repositories.len() > MOST_REPOSITORIES {
        return Err(Problem::invalid(format!(
            "a batch has 1 to {MOST_REPOSITORIES} repositories, and this one {}",
            repositories.len()
        )));
    }
    if !(-100..=100).contains(&priority) {
        return Err(Problem::invalid(format!("priority {priority} is not between -100 and 100")));
    }
    if terms.slice_commits == 0 {
        return Err(Problem::invalid("a slice has one commit at least: terms.slice_commits is 0"));
    }
    let repositories =
        (0..).zip(repositories).map(|(place, one)| requested(place, one)).collect::<Result<_, _>>()?;
    Ok(submit::Submission {
        name,
        repositories,
        priority,
        labels,
        terms,
        config,
        request: Some(key),
        submitted_at: now,
    })
}

/// Checks that workers may be sent to where these repositories are.
pub(crate) fn allowed(policy: &Policy, repositories: &[RepositoryRequest]) -> Result<(), Problem> {
    for (place, repository) in repositories.iter().enumerate() {
        let source = match (&repository.url, &repository.path) {
            (Some(url), None) => Source::Remote { url: url.clone() },
            (None, Some(path)) => Source::Local { path: path.clone() },
            // It is refused for that.
            _ => continue,
        };
        let Err(refused) = policy.check(&source) else { continue };
        // An address of no form may hold whatever, a password among it.
        let what = match refused {
            Refused::Form => repository.name.clone(),
            _ => source.to_string(),
        };
        return Err(Problem::source_not_allowed(format!("repositories[{place}] ({what}): {refused}"))
            .hint(refused.hint()));
    }
    Ok(())
}

/// Checks that whoever has `scope` may name the credentials that these repositories name.
pub(super) fn lent(
    lending: &Lending,
    scope: &Scope,
    labels: &BTreeMap<String, String>,
    repositories: &[RepositoryRequest],
) -> Result<(), Problem> {
    let team = labels.get(TEAM).map(String::as_str);
    for (place, repository) in repositories.iter().enumerate() {
        let Some(name) = &repository.credential else { continue };
        if !lending.lends(name, scope, team, &repository.project_key) {
            return Err(Problem::forbidden(format!(
                "repositories[{place}] ({}): the credential {name} is not lent to {scope}",
                repository.name
            ))
            .hint("whoever runs the fleet lends it with `teams` or `projects` of `credentials`"));
        }
    }
    Ok(())
}

fn requested(place: usize, repository: RepositoryRequest) -> Result<Requested, Problem> {
    let RepositoryRequest { name, project_key, url, path, branch, all_branches, credential } = repository;
    let field = |field: &str| format!("repositories[{place}].{field}");
    printable(&field("name"), &name)?;
    printable(&field("project_key"), &project_key)?;
    printable(&field("credential"), credential.as_deref().unwrap_or_default())?;
    without_nul(&field("path"), path.as_deref().unwrap_or_default())?;
    without_nul(&field("branch"), branch.as_deref().unwrap_or_default())?;
    let wrong = |what: &str| Problem::invalid(format!("repositories[{place}] ({name}): {what}"));
    let source = match (url, path) {
        (Some(url), None) => {
            // As git has it: `-` at the front would be read as an option by whatever opens it.
            if url.is_empty()
                || url.starts_with('-')
                || url.chars().any(|char| char.is_control() || char == ' ')
            {
                return Err(wrong(
                    "the URL is empty, begins with a dash, or holds blanks or control characters",
                ));
            }
            if url.split_once("://").is_some_and(|(_, rest)| {
                let authority = rest.split('/').next().unwrap_or_default();
                authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'))
            }) {
                return Err(wrong("there is a password in the URL")
                    .hint("give workers the credential of the host instead"));
            }
            let scheme = url.split_once("://").map(|(scheme, _)| scheme);
            if scheme.is_some_and(|scheme| !matches!(scheme, "https" | "ssh" | "file")) || url.contains("::")
            {
                return Err(wrong("the URL is not https://, ssh://, file:// or user@host:path"));
            }
            Source::Remote { url }
        }
        (None, Some(path)) if path.starts_with('/') => Source::Local { path },
        (None, Some(_)) => return Err(wrong("the path is not absolute")),
        _ => return Err(wrong("it has either url or path")),
    };
    if credential.is_some() && !matches!(&source, Source::Remote { url } if url.starts_with("https://")) {
        return Err(wrong("a credential is for https:// alone"));
    }
    let revisions = match (branch, all_branches) {
        (Some(_), true) => return Err(wrong("branch and all_branches exclude each other")),
        (Some(branch), false) => Revisions::Branch(branch),
        (None, true) => Revisions::AllBranches,
        (None, false) => Revisions::Head,
    };
    Ok(Requested { name, project_key, source, revisions, credential })
}

#[utoipa::path(
    get, path = "/batches", tag = "batches", params(ListQuery),
    responses((status = 200, body = Vec<BatchView>), (status = 400, body = Problem))
)]
pub(super) async fn list(
    State(api): State<Api>,
    caller: Caller,
    Query(query): Query<ListQuery>,
) -> Result<Json<Vec<BatchView>>, Problem> {
    Problem::check_state(query.state.as_deref(), &BatchFilter::STATES)?;
    let mut labels = BTreeMap::new();
    for label in query.label.iter().flat_map(|label| label.split(',')) {
        let (key, value) = label
            .split_once('=')
            .ok_or_else(|| Problem::invalid(format!("label {label} is not key=value")))?;
        labels.insert(key.to_owned(), value.to_owned());
    }
    let before = match &query.before {
        Some(before) => Some(named::batch(&api, &caller, before).await?),
        None => None,
    };
    let limit = query.limit.unwrap_or(20).clamp(1, 500);
    let filter = BatchFilter { state: query.state, labels, before, scope: caller.scope, limit };
    Ok(Json(api.store.batches(&filter).await?))
}

#[utoipa::path(
    get, path = "/batches/{id}", tag = "batches", params(("id" = String, Path)),
    responses((status = 200, body = BatchView), (status = 404, body = Problem), (status = 409, body = Problem))
)]
pub(super) async fn show(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<BatchView>, Problem> {
    let batch = api.store.batch(named::batch(&api, &caller, &id).await?).await?;
    batch.map(Json).ok_or_else(|| named::unknown_batch(&id))
}

#[utoipa::path(
    get, path = "/batches/{id}/repositories", tag = "batches", params(("id" = String, Path)),
    responses((status = 200, body = Vec<RepositoryView>), (status = 404, body = Problem), (status = 409, body = Problem))
)]
pub(super) async fn repositories(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Vec<RepositoryView>>, Problem> {
    let batch = named::batch(&api, &caller, &id).await?;
    let repositories = api.store.repositories(batch).await?;
    if repositories.is_empty() {
        return Err(named::unknown_batch(&id));
    }
    let view = |repository: crate::store::BatchRepository| RepositoryView {
        name: repository.name,
        source: repository.source.to_string(),
        state: repository.state.name().to_owned(),
        failure_class: repository.failure.as_ref().map(|failure| failure.class.clone()),
        failure_message: repository.failure.map(|failure| failure.message),
        commits_seen: repository.commits_seen,
        commits_new: repository.commits_new,
        cache_hits: repository.cache_hits,
        elapsed_millis: repository.elapsed_millis,
    };
    Ok(Json(repositories.into_iter().map(view).collect()))
}

#[utoipa::path(
    post, path = "/batches/{id}/cancel", tag = "batches", params(("id" = String, Path)),
    responses((status = 200, body = Acted), (status = 404, body = Problem), (status = 409, body = Problem))
)]
pub(super) async fn cancel(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Acted>, Problem> {
    let batch = named::batch(&api, &caller, &id).await?;
    let wish = api.store.cancel(batch, (api.now)()).await?;
    api.bell.wishes();
    if wish == Wish::Done {
        let repositories = api.store.repositories(batch).await?;
        let cancelled = repositories.iter().filter(|one| one.state == RepositoryState::Cancelled).count();
        api.meters.repositories.with_label_values(&["cancelled"]).inc_by(cancelled as u64);
    }
    acted(wish, || named::unknown_batch(&id))
}

#[utoipa::path(
    post, path = "/batches/{id}/pause", tag = "batches", params(("id" = String, Path)),
    responses((status = 200, body = Acted), (status = 404, body = Problem), (status = 409, body = Problem))
)]
pub(super) async fn pause(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Acted>, Problem> {
    let wish = api.store.set_paused(named::batch(&api, &caller, &id).await?, true).await?;
    api.bell.wishes();
    acted(wish, || named::unknown_batch(&id))
}

#[utoipa::path(
    post, path = "/batches/{id}/resume", tag = "batches", params(("id" = String, Path)),
    responses((status = 200, body = Acted), (status = 404, body = Problem), (status = 409, body = Problem))
)]
pub(super) async fn resume(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Acted>, Problem> {
    let wish = api.store.set_paused(named::batch(&api, &caller, &id).await?, false).await?;
    api.bell.wishes();
    api.bell.work();
    acted(wish, || named::unknown_batch(&id))
}

#[utoipa::path(
    post, path = "/batches/{id}/retry", tag = "batches", params(("id" = String, Path)),
    responses((status = 200, body = Retried), (status = 404, body = Problem), (status = 409, body = Problem))
)]
pub(super) async fn retry(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Retried>, Problem> {
    let batch = named::batch(&api, &caller, &id).await?;
    match api.store.batch(batch).await? {
        None => return Err(named::unknown_batch(&id)),
        Some(view) if matches!(view.state.as_str(), "cancelled" | "abandoned") => {
            let problem = Problem::conflict(format!("batch {id} is {}", view.state));
            return Err(problem.hint("submit its repositories again"));
        }
        Some(_) => {}
    }
    let repositories = api.store.retry(batch, None).await?;
    api.bell.work();
    Ok(Json(Retried { repositories }))
}

pub(super) fn acted(wish: Wish, unknown: impl FnOnce() -> Problem) -> Result<Json<Acted>, Problem> {
    match wish {
        Wish::Done => Ok(Json(Acted { changed: true })),
        Wish::Already => Ok(Json(Acted { changed: false })),
        Wish::NotFound => Err(unknown()),
        Wish::Conflict(why) => Err(Problem::conflict(why)),
    }
}

#[cfg(test)]
mod tests {
    use gitfleet_shared::window::Window;

    use super::*;

    fn request() -> BatchRequest {
        BatchRequest {
            name: "nightly".into(),
            repositories: vec![RepositoryRequest {
                name: "one".into(),
                project_key: "ONE".into(),
                url: None,
                path: Some("/srv/one".into()),
                branch: Some("main".into()),
                all_branches: false,
                credential: None,
            }],
            priority: 0,
            labels: [("team".to_owned(), "a".to_owned())].into(),
            terms: Terms {
                window: Window::all_history(chrono_tz::UTC),
                as_of_seconds: 0,
                max_blob_bytes: 1,
                line_history: true,
                slice_commits: 1,
                dry_run: false,
                lens: Default::default(),
            },
            config: "{\n}".into(),
        }
    }

    /// Asserts that what `change` makes of a request is refused, and the field named.
    #[track_caller]
    fn check(field: &str, change: impl FnOnce(&mut BatchRequest)) {
        let mut request = request();
        change(&mut request);
        let key = RequestKey { key: "k".into(), digest: [0; 32] };
        let problem = settle(request, key, 0).expect_err("it is refused");
        assert_eq!(problem.status, 400);
        assert!(problem.detail.contains(field), "no {field} in: {}", problem.detail);
    }

    #[test]
    fn text_that_no_column_takes_is_refused_with_its_field() {
        let key = RequestKey { key: "k".into(), digest: [0; 32] };
        assert!(settle(request(), key, 0).is_ok());
        for text in ["a\0b", "a\nb", "a\u{1b}[2Jb", "a\u{85}b"] {
            check("name", |asked| asked.name = text.into());
            check("repositories[0].name", |asked| asked.repositories[0].name = text.into());
            check("repositories[0].project_key", |asked| asked.repositories[0].project_key = text.into());
            check("labels.team", |asked| asked.labels = [("team".into(), text.into())].into());
            check("labels: the key", |asked| asked.labels = [(text.into(), "a".into())].into());
        }
        check("repositories[0].path", |asked| asked.repositories[0].path = Some("/a\0b".into()));
        check("repositories[0].branch", |asked| asked.repositories[0].branch = Some("a\0b".into()));
        check("the URL", |asked| {
            asked.repositories[0].path = None;
            asked.repositories[0].url = Some("https://host/a\0b".into());
        });
        check("config", |asked| asked.config = "a\0b".into());
        check("repositories[0].credential", |asked| {
            asked.repositories[0].credential = Some("a\nb".into());
        });
    }

    #[test]
    fn a_credential_is_for_https() {
        let ask = |url: Option<&str>| {
            let mut request = request();
            let repository = &mut request.repositories[0];
            repository.credential = Some("corp".into());
            if let Some(url) = url {
                (repository.path, repository.url) = (None, Some(url.into()));
            }
            settle(request, RequestKey { key: "k".into(), digest: [0; 32] }, 0)
        };
        let settled = ask(Some("https://git.example/a")).unwrap();
        assert_eq!(settled.repositories[0].credential.as_deref(), Some("corp"));
        for other in [None, Some("ssh://git.example/a"), Some("git@git.example:a"), Some("file:///a")] {
            let problem = ask(other).expect_err("it is refused");
            assert!(problem.detail.contains("credential"), "{}", problem.detail);
        }
    }

    #[test]
    fn sources_that_may_not_be_asked_are_refused_with_their_place() {
        let check = |url: &str, words: &str| {
            let mut asked = request().repositories;
            asked.push(asked[0].clone());
            (asked[0].path, asked[0].url) = (None, Some("https://git.example/a".into()));
            (asked[1].path, asked[1].url) = (None, Some(url.to_owned()));
            let problem = allowed(&Policy::default(), &asked).expect_err("it is refused");
            assert_eq!(
                (problem.status, problem.kind.as_str()),
                (400, "urn:gitfleet:problem:source_not_allowed")
            );
            assert!(problem.detail.contains("repositories[1]"), "{}", problem.detail);
            assert!(problem.detail.contains(words), "{}", problem.detail);
            assert!(problem.hint.is_some());
            problem
        };
        check("https://127.1/a", "127.1 is at an address");
        check("https://localhost:8443/a", "localhost is at an address");
        check("git@2130706433:a", "is at an address");
        check("file:///srv/a", "file sources");
        let strange = check("https://git.example\\@hunter2/a", "of no form");
        assert!(!strange.detail.contains("hunter2"), "{}", strange.detail);
        assert_eq!(allowed(&Policy::default(), &request().repositories).unwrap_err().status, 400);
    }
}
