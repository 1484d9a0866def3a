//! The store as whoever lists a forge uses it. Times are UTC milliseconds; a token is always a hash here.

use async_trait::async_trait;

use super::Result;
use crate::github::Listed;

/// A page as it was answered last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    pub etag: String,
    /// Where the next one is.
    pub next: Option<String>,
    pub repositories: Vec<Listed>,
}

/// What a token may ask of a host.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Budget {
    pub allowed: Option<i64>,
    pub remaining: Option<i64>,
    pub resets_at: Option<i64>,
    /// Nobody asks before.
    pub blocked_until: i64,
    /// How often in a row it said to slow down.
    pub strikes: i64,
}

impl Budget {
    /// Returns from when on something may be asked; 0 is at once.
    pub fn opens_at(&self, now: i64) -> i64 {
        let used = match (self.remaining, self.resets_at) {
            (Some(0), Some(resets_at)) if resets_at > now => resets_at,
            _ => 0,
        };
        used.max(if self.blocked_until > now { self.blocked_until } else { 0 })
    }
}

/// A repository that was listed before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    pub id: i64,
    /// The account it was listed of, such as `orgs/acme`.
    pub account: String,
    pub full_name: String,
    /// What it is fetched from.
    pub url: String,
}

#[async_trait]
pub trait Listings: Send + Sync {
    async fn page(&self, token: &str, url: &str) -> Result<Option<Page>>;

    async fn keep_page(&self, token: &str, url: &str, page: &Page, now: i64) -> Result<()>;

    async fn budget(&self, token: &str, host: &str) -> Result<Budget>;

    /// Returns the budgets of all tokens, each with what its token is called here.
    async fn budgets(&self) -> Result<Vec<(String, Budget)>>;

    /// Notes what an answer told of a budget. Of two who were told of one span of time, the one who was told less is right.
    async fn note_budget(&self, token: &str, host: &str, told: Budget) -> Result<()>;

    /// Lets nobody ask with a token before `until`.
    async fn block(&self, token: &str, host: &str, until: i64, strikes: i64) -> Result<()>;

    /// Returns what was listed before, of all accounts of a host.
    async fn listed_before(&self, host: &str) -> Result<Vec<Known>>;

    /// Notes what was listed, whole. Where a repository has another address than before, what is known of the old one is
    /// from now on known of the new one, unless a batch that runs names it or there is something of the new one already.
    async fn note_listed(&self, host: &str, listed: &[Known], now: i64) -> Result<()>;
}
