//! The port of the door, as both dialects fill it.

use async_trait::async_trait;

use super::{Database, audit, pace, tokens};
use crate::access::entry::{Entry, Head, Kept};
use crate::access::{Lockout, Pace, StoredToken};
use crate::store::Result;
use crate::store::access::Access;
use crate::store::ledger::Wish;

#[async_trait]
impl Access for Database {
    async fn add_token(&self, token: &StoredToken) -> Result<()> {
        self.again("add_token", || tokens::add(self, token)).await
    }

    async fn token(&self, id: &str) -> Result<Option<StoredToken>> {
        self.again("token", || tokens::find(self, id)).await
    }

    async fn tokens(&self) -> Result<Vec<StoredToken>> {
        self.again("tokens", || tokens::list(self)).await
    }

    async fn has_tokens(&self) -> Result<bool> {
        self.again("has_tokens", || tokens::are_there(self)).await
    }

    async fn revoke_token(&self, id: &str, now: i64) -> Result<Wish> {
        self.again("revoke_token", || tokens::revoke(self, id, now)).await
    }

    async fn add_session(&self, digest: [u8; 32], token: &str, now: i64, expires_at: i64) -> Result<()> {
        self.again("add_session", || tokens::begin_session(self, digest, token, now, expires_at)).await
    }

    async fn session(&self, digest: [u8; 32], now: i64) -> Result<Option<String>> {
        self.again("session", || tokens::session(self, digest, now)).await
    }

    async fn end_session(&self, digest: [u8; 32]) -> Result<()> {
        self.again("end_session", || tokens::end_session(self, digest)).await
    }

    async fn draw(&self, names: &[String], pace: Pace, now: i64) -> Result<i64> {
        self.again("draw", || pace::draw(self, names, pace, now)).await
    }

    async fn locked_until(&self, names: &[String]) -> Result<i64> {
        self.again("locked_until", || pace::locked_until(self, names)).await
    }

    async fn fail(&self, names: &[String], lockout: Lockout, now: i64) -> Result<()> {
        self.again("fail", || pace::fail(self, names, lockout, now)).await
    }

    async fn log(&self, entry: Entry, now: i64) -> Result<()> {
        self.again("log", || audit::log(self, &entry, now)).await
    }

    async fn log_head(&self) -> Result<Head> {
        self.again("log_head", || audit::head(self)).await
    }

    async fn log_entries(&self, after: i64, limit: u32) -> Result<Vec<Kept>> {
        self.again("log_entries", || audit::entries(self, after, limit)).await
    }

    async fn trim_log(&self, before: i64, limit: u32) -> Result<u64> {
        self.again("trim_log", || audit::trim(self, before, limit)).await
    }
}
