//! The API is asked: page by page, with one token for the whole of a listing, within what the token may ask.
//!
//! A token goes to the host it was given for and to no other, whatever an answer says. Nothing here waits for a limit:
//! who may not ask is told until when.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use gitfleet_shared::secret::{Secret, words};
use gitfleet_shared::sources::Policy;
use reqwest::header::{ACCEPT, AUTHORIZATION, ETAG, HeaderMap, HeaderValue, IF_NONE_MATCH, LOCATION};
use reqwest::{Client, Response, StatusCode, Url};

use super::answer::{Limit, Told, limit, next};
use super::{Account, Listed};
use crate::meters::Meters;
use crate::store::StoreError;
use crate::store::listings::{Budget, Listings, Page};

/// How GitHub is asked.
#[derive(Clone)]
pub struct Config {
    /// Where the API is, as `https://api.github.com`.
    pub api_url: String,
    /// The host that repositories are fetched from.
    pub host: String,
    /// Tried in turn, each with one token or several, one a line or between commas; without any, GitHub answers about what
    /// is public, and seldom.
    pub tokens: Vec<Secret>,
    /// Certificates (PEM) to trust beside the system's.
    pub roots: Option<Vec<u8>>,
    /// Which repositories may be fetched.
    pub sources: Policy,
    pub meters: Meters,
    /// Returns the time in UTC milliseconds.
    pub now: fn() -> i64,
}

#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// Until then, in UTC milliseconds.
    #[error("GitHub may not be asked before {}", crate::view::instant(*.until))]
    Limited { until: i64 },
    #[error("GitHub takes no token that is configured")]
    Refused,
    #[error("GitHub has no account {0}, or does not show it to this token")]
    NotFound(String),
    #[error("GitHub does not let this token list {account}: {message}")]
    Forbidden { account: String, message: String },
    #[error("the listing of {account} is not whole, so nothing is made of it: page {page} {why}")]
    Partial { account: String, page: usize, why: String },
    #[error("GitHub sends the listing of {account} to another address, where no token goes")]
    SentAway { account: String },
    #[error("the address of GitHub's API cannot be asked: {0}")]
    Address(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ListError {
    /// Whether the same may succeed later.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Limited { .. } | Self::Partial { .. } => true,
            Self::Store(error) => error.is_passing(),
            _ => false,
        }
    }
}

/// Lists what there is. Cheap to clone.
#[derive(Clone)]
pub struct Lister {
    http: Client,
    pub(super) store: Arc<dyn Listings>,
    pub(super) api: Url,
    pub(super) host: String,
    pub(super) sources: Policy,
    tokens: Arc<[Secret]>,
    meters: Meters,
    pub(super) now: fn() -> i64,
}

struct Token {
    /// What it is called in the store.
    name: String,
    /// The header, where it is one.
    authorization: Option<HeaderValue>,
}

impl std::fmt::Debug for Lister {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Lister({})", self.api)
    }
}

const REQUEST_TIME: Duration = Duration::from_secs(30);
/// A page of 100 repositories takes some 600 KB.
const PAGE_BYTES: usize = 16 << 20;
/// 100,000 repositories.
const MOST_PAGES: usize = 1_000;
const MOST_REDIRECTS: usize = 3;
/// How often a request is tried that GitHub failed, and how long to wait after the first time.
const TRIES: u32 = 4;
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// What GitHub wants to be left alone for where it does not say; twice as long each time.
const SECONDARY_MILLIS: i64 = 60_000;
const LONGEST_MILLIS: i64 = 60 * 60 * 1_000;
const LEAST_MILLIS: i64 = 1_000;

impl Lister {
    /// # Errors
    ///
    /// Where the address is none, a token cannot be sent, or the certificates are none.
    pub fn new(config: Config, store: Arc<dyn Listings>) -> Result<Self, ListError> {
        let Config { api_url, host, tokens, roots, sources, meters, now } = config;
        let wrong = |why: &str| ListError::Address(why.to_owned());
        let api: Url =
            format!("{}/", api_url.trim_end_matches('/')).parse().map_err(|_| wrong("it is no address"))?;
        let on_this_machine = is_loopback(&api);
        if api.scheme() != "https" && !(api.scheme() == "http" && on_this_machine) {
            return Err(wrong("it does not begin with https://"));
        }
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/vnd.github+json"));
        headers.insert("x-github-api-version", HeaderValue::from_static("2022-11-28"));
        let mut builder = Client::builder()
            .user_agent(concat!("gitfleet/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers)
            .https_only(api.scheme() == "https")
            .timeout(REQUEST_TIME)
            // They are followed here, with an eye on where to.
            .redirect(reqwest::redirect::Policy::none());
        if let Some(pem) = roots {
            let certificates = reqwest::Certificate::from_pem_bundle(&pem);
            builder = builder.tls_certs_merge(certificates.map_err(|_| wrong("its certificates are none"))?);
        }
        let http = builder.build().map_err(|error| ListError::Address(error.to_string()))?;
        let lister = Self { http, store, api, host, sources, tokens: tokens.into(), meters, now };
        lister.tokens()?;
        Ok(lister)
    }

    /// Returns the tokens as they are now.
    fn tokens(&self) -> Result<Vec<Token>, ListError> {
        let texts: Vec<String> = self.tokens.iter().map(Secret::now).collect();
        let known = texts.iter().flat_map(|text| words(text)).map(Token::new);
        let mut known: Vec<Token> = known.collect::<Result<_, _>>()?;
        if known.is_empty() {
            known.push(Token { name: "nobody".to_owned(), authorization: None });
        }
        Ok(known)
    }

    /// Returns the API's address as it is written without a slash at its end.
    pub fn api_url(&self) -> &str {
        self.api.as_str().trim_end_matches('/')
    }

    /// Returns all repositories of an account that one of the tokens is shown.
    ///
    /// # Errors
    ///
    /// Where the listing is not whole, for whatever reason.
    pub(super) async fn list(&self, account: &Account) -> Result<Vec<Listed>, ListError> {
        let mut failed: Option<ListError> = None;
        for token in self.by_budget().await? {
            // Two tokens may be shown different repositories, so what one began no other ends.
            match self.pages(&token, account).await {
                Ok(repositories) => return Ok(repositories),
                Err(error) => {
                    let hopeless = !matches!(
                        error,
                        ListError::Limited { .. }
                            | ListError::Refused
                            | ListError::NotFound(_)
                            | ListError::Forbidden { .. }
                    );
                    if hopeless {
                        return Err(error);
                    }
                    tracing::debug!(token = token.name, %error, "another token is tried");
                    failed = Some(match failed.take() {
                        None => error,
                        Some(other) => worse(other, error),
                    });
                }
            }
        }
        Err(failed.unwrap_or(ListError::Refused))
    }

    /// Returns the tokens in their order, those last that may not ask now: what was answered to one costs it nothing again.
    async fn by_budget(&self) -> Result<Vec<Token>, ListError> {
        let now = (self.now)();
        let mut tokens = Vec::new();
        for token in self.tokens()? {
            let budget = self.store.budget(&token.name, &self.host).await?;
            tokens.push((budget.opens_at(now), token));
        }
        tokens.sort_by_key(|(opens_at, _)| *opens_at);
        Ok(tokens.into_iter().map(|(_, token)| token).collect())
    }

    async fn pages(&self, token: &Token, account: &Account) -> Result<Vec<Listed>, ListError> {
        let mut url = self.first(account)?;
        // By id: what moves from page to page while they are read is one repository all the same.
        let mut found = BTreeMap::new();
        for number in 1..=MOST_PAGES {
            let partial =
                |why: String| ListError::Partial { account: account.to_string(), page: number, why };
            let page = self.page(token, account, url, &partial).await?;
            found.extend(page.repositories.into_iter().map(|one| (one.id, one)));
            let Some(next) = page.next else { return Ok(found.into_values().collect()) };
            url = self.own(&next).ok_or_else(|| ListError::SentAway { account: account.to_string() })?;
        }
        let why = "is not the last, and no account has so many".to_owned();
        Err(ListError::Partial { account: account.to_string(), page: MOST_PAGES, why })
    }

    fn first(&self, account: &Account) -> Result<Url, ListError> {
        // In the order in which they were made, so that a new one is added at the end.
        let kind = match account {
            Account::Organization(_) => "all",
            Account::User(_) => "owner",
        };
        let path = format!("{account}/repos?type={kind}&sort=created&direction=asc&per_page=100");
        self.api.join(&path).map_err(|_| ListError::NotFound(account.to_string()))
    }

    /// Returns an address, if it is one of the API itself.
    fn own(&self, address: &str) -> Option<Url> {
        let url = self.api.join(address).ok()?;
        let is_own =
            url.origin() == self.api.origin() && url.username().is_empty() && url.password().is_none();
        is_own.then_some(url)
    }

    async fn page(
        &self,
        token: &Token,
        account: &Account,
        mut url: Url,
        partial: &(dyn Fn(String) -> ListError + Sync),
    ) -> Result<Page, ListError> {
        for _ in 0..=MOST_REDIRECTS {
            let kept = self.store.page(&token.name, url.as_str()).await?;
            let response = self.ask(token, &url, kept.as_ref(), partial).await?;
            let (status, headers) = (response.status(), response.headers().clone());
            match (status, kept) {
                (StatusCode::OK, _) => {
                    let body = body(response).await.map_err(partial)?;
                    let repositories: Vec<Listed> = serde_json::from_slice(&body)
                        .map_err(|error| partial(format!("is not as GitHub describes it: {error}")))?;
                    let etag = headers.get(ETAG).and_then(|etag| etag.to_str().ok()).unwrap_or_default();
                    let page = Page { etag: etag.to_owned(), next: next(&headers), repositories };
                    if !page.etag.is_empty() {
                        self.store.keep_page(&token.name, url.as_str(), &page, (self.now)()).await?;
                    }
                    return Ok(page);
                }
                (StatusCode::NOT_MODIFIED, Some(page)) => return Ok(page),
                (
                    StatusCode::MOVED_PERMANENTLY
                    | StatusCode::FOUND
                    | StatusCode::TEMPORARY_REDIRECT
                    | StatusCode::PERMANENT_REDIRECT,
                    _,
                ) => {
                    let to = headers.get(LOCATION).and_then(|to| to.to_str().ok()).unwrap_or_default();
                    let sent_away = || ListError::SentAway { account: account.to_string() };
                    url = self.own(to).filter(|_| !to.is_empty()).ok_or_else(sent_away)?;
                }
                (StatusCode::UNAUTHORIZED, _) => return Err(ListError::Refused),
                (StatusCode::NOT_FOUND, _) => return Err(ListError::NotFound(account.to_string())),
                (StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS, _) => {
                    let message = message(&body(response).await.unwrap_or_default());
                    return Err(self.held_back(token, account, status, &headers, message).await?);
                }
                (status, _) => return Err(partial(format!("was answered {status}"))),
            }
        }
        Err(partial("is sent on and on".to_owned()))
    }

    /// Notes a limit, and says what it comes to.
    async fn held_back(
        &self,
        token: &Token,
        account: &Account,
        status: StatusCode,
        headers: &HeaderMap,
        message: String,
    ) -> Result<ListError, StoreError> {
        let now = (self.now)();
        let (until, strikes) = match limit(status.as_u16(), headers, &message, now) {
            None => return Ok(ListError::Forbidden { account: account.to_string(), message }),
            Some(Limit::Used(until)) => (until, 0),
            Some(Limit::Hurried(until)) => {
                let strikes = self.store.budget(&token.name, &self.host).await?.strikes;
                let pause = SECONDARY_MILLIS.saturating_mul(1 << strikes.clamp(0, 10)).min(LONGEST_MILLIS);
                (until.unwrap_or(now + pause), strikes + 1)
            }
        };
        // A clock that is ahead of GitHub's must not make a request a moment out of a time that is over.
        let until = until.max(now + LEAST_MILLIS);
        self.store.block(&token.name, &self.host, until, strikes).await?;
        Ok(ListError::Limited { until })
    }

    /// Asks once, and again where GitHub failed; never where the token may not.
    async fn ask(
        &self,
        token: &Token,
        url: &Url,
        kept: Option<&Page>,
        partial: &(dyn Fn(String) -> ListError + Sync),
    ) -> Result<Response, ListError> {
        let mut tries = 1;
        loop {
            let budget = self.store.budget(&token.name, &self.host).await?;
            let until = budget.opens_at((self.now)());
            if until > 0 {
                return Err(ListError::Limited { until });
            }
            let mut request = self.http.get(url.clone());
            if let Some(authorization) = &token.authorization {
                request = request.header(AUTHORIZATION, authorization.clone());
            }
            if let Some(page) = kept {
                request = request.header(IF_NONE_MATCH, &page.etag);
            }
            let why = match request.send().await {
                Ok(response) => {
                    let status = response.status();
                    self.meters.github_requests.with_label_values(&[status.as_str()]).inc();
                    self.note(token, &response).await?;
                    if !status.is_server_error() {
                        return Ok(response);
                    }
                    format!("was answered {status}")
                }
                Err(error) => format!("got no answer: {}", cause(&error)),
            };
            if tries == TRIES {
                return Err(partial(why));
            }
            tokio::time::sleep(FIRST_PAUSE * 2_u32.pow(tries - 1)).await;
            tries += 1;
        }
    }

    async fn note(&self, token: &Token, response: &Response) -> Result<(), StoreError> {
        let Told { allowed, remaining, resets_at } = Told::read(response.headers());
        let is_good = response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED;
        if !is_good || (remaining.is_none() && resets_at.is_none()) {
            return Ok(());
        }
        let told = Budget { allowed, remaining, resets_at, ..Budget::default() };
        self.store.note_budget(&token.name, &self.host, told).await
    }
}

impl Token {
    fn new(token: &str) -> Result<Self, ListError> {
        let unsendable = |_| ListError::Address("a token holds characters that no token has".to_owned());
        let mut authorization = HeaderValue::from_str(&format!("Bearer {token}")).map_err(unsendable)?;
        authorization.set_sensitive(true);
        let hash = blake3::derive_key("gitfleet 2026 names of tokens in budgets", token.as_bytes());
        let name: String = hash[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { name, authorization: Some(authorization) })
    }
}

/// Returns which of two refusals is told: what passes by itself, then what says most.
fn worse(one: ListError, other: ListError) -> ListError {
    let rank = |error: &ListError| match error {
        ListError::Limited { .. } => 0,
        ListError::Forbidden { .. } => 1,
        ListError::NotFound(_) => 2,
        _ => 3,
    };
    match (&one, &other) {
        (ListError::Limited { until: a }, ListError::Limited { until: b }) => {
            ListError::Limited { until: *a.min(b) }
        }
        _ if rank(&other) < rank(&one) => other,
        _ => one,
    }
}

/// Whether an address is one of this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

async fn body(mut response: Response) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return Ok(body),
            Err(error) => return Err(format!("broke off: {}", cause(&error))),
        }
        if body.len() > PAGE_BYTES {
            return Err(format!("has more than {} MiB", PAGE_BYTES >> 20));
        }
    }
}

/// Returns what an error's body says.
fn message(body: &[u8]) -> String {
    #[derive(serde::Deserialize)]
    struct Said {
        message: String,
    }
    serde_json::from_slice(body).map_or_else(|_| "it says no more".to_owned(), |Said { message }| message)
}

/// Returns the innermost cause: the outer ones repeat the address.
fn cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}
