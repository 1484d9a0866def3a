//! The store as the door of the API uses it. Times are UTC milliseconds.

use async_trait::async_trait;

use super::Result;
use super::ledger::Wish;
use crate::access::entry::{Entry, Head, Kept};
use crate::access::{Lockout, Pace, StoredToken};

#[async_trait]
pub trait Access: Send + Sync {
    async fn add_token(&self, token: &StoredToken) -> Result<()>;

    /// Returns the token that is named `id`, valid or not.
    async fn token(&self, id: &str) -> Result<Option<StoredToken>>;

    /// Returns all tokens there ever were, the latest first.
    async fn tokens(&self) -> Result<Vec<StoredToken>>;

    /// Whether there ever was a token.
    async fn has_tokens(&self) -> Result<bool>;

    async fn revoke_token(&self, id: &str, now: i64) -> Result<Wish>;

    /// Keeps a session by its digest; those that have expired are removed on the way.
    async fn add_session(&self, digest: [u8; 32], token: &str, now: i64, expires_at: i64) -> Result<()>;

    /// Returns the token that a session was begun with, unless it has expired.
    async fn session(&self, digest: [u8; 32], now: i64) -> Result<Option<String>>;

    async fn end_session(&self, digest: [u8; 32]) -> Result<()>;

    /// Takes a request from each of `names`, or from none of them; returns after how many milliseconds it could be taken
    /// from all, which is 0 where it was.
    async fn draw(&self, names: &[String], pace: Pace, now: i64) -> Result<i64>;

    /// Returns until when nobody of `names` is answered; 0 where they are.
    async fn locked_until(&self, names: &[String]) -> Result<i64>;

    /// Notes a failure of each of `names`.
    async fn fail(&self, names: &[String], lockout: Lockout, now: i64) -> Result<()>;

    /// Adds to the log, and gives the entry its place and time.
    async fn log(&self, entry: Entry, now: i64) -> Result<()>;

    async fn log_head(&self) -> Result<Head>;

    /// Returns at most `limit` entries behind the place `after`, in their order.
    async fn log_entries(&self, after: i64, limit: u32) -> Result<Vec<Kept>>;

    /// Removes the oldest entries from before `before`, at most `limit` of them; returns how many.
    async fn trim_log(&self, before: i64, limit: u32) -> Result<u64>;
}
