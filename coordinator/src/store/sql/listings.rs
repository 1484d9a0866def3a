//! What is known of a forge's repositories, and of how much it may be asked.

use std::collections::HashMap;

use async_trait::async_trait;
use sqlx::Row as _;

use super::{Database, Doing as _, Row};
use crate::store::listings::{Budget, Known, Listings, Page};
use crate::store::{Result, StoreError};

const DAMAGED: StoreError = StoreError::Damaged { what: "a page of a listing" };
/// Pages that nobody asked for in so long are forgotten.
const KEPT_MILLIS: i64 = 90 * 24 * 60 * 60 * 1_000;

#[async_trait]
impl Listings for Database {
    async fn page(&self, token: &str, url: &str) -> Result<Option<Page>> {
        self.again("page", || page(self, token, url)).await
    }

    async fn keep_page(&self, token: &str, url: &str, page: &Page, now: i64) -> Result<()> {
        self.again("keep_page", || keep_page(self, token, url, page, now)).await
    }

    async fn budget(&self, token: &str, host: &str) -> Result<Budget> {
        self.again("budget", || budget(self, token, host)).await
    }

    async fn budgets(&self) -> Result<Vec<(String, Budget)>> {
        self.again("budgets", || budgets(self)).await
    }

    async fn note_budget(&self, token: &str, host: &str, told: Budget) -> Result<()> {
        self.again("note_budget", || note_budget(self, token, host, told)).await
    }

    async fn block(&self, token: &str, host: &str, until: i64, strikes: i64) -> Result<()> {
        self.again("block", || block(self, token, host, until, strikes)).await
    }

    async fn listed_before(&self, host: &str) -> Result<Vec<Known>> {
        self.again("listed_before", || known(self, host)).await
    }

    async fn note_listed(&self, host: &str, listed: &[Known], now: i64) -> Result<()> {
        self.again("note_listed", || note_listed(self, host, listed, now)).await
    }
}

async fn page(database: &Database, token: &str, url: &str) -> Result<Option<Page>> {
    let row = sqlx::query("SELECT etag, next, repositories FROM forge_page WHERE token = $1 AND url = $2")
        .bind(token)
        .bind(url)
        .fetch_optional(&database.pool)
        .await
        .doing("find a page of a listing")?;
    let page = |row: Row| {
        let repositories = serde_json::from_str(row.get(2)).map_err(|_| DAMAGED)?;
        Ok(Page { etag: row.get(0), next: row.get(1), repositories })
    };
    row.map(page).transpose()
}

async fn keep_page(database: &Database, token: &str, url: &str, page: &Page, now: i64) -> Result<()> {
    let repositories = serde_json::to_string(&page.repositories).map_err(|_| DAMAGED)?;
    let mut transaction = database.begin().await?;
    sqlx::query("DELETE FROM forge_page WHERE fetched_at < $1")
        .bind(now - KEPT_MILLIS)
        .execute(&mut *transaction)
        .await
        .doing("forget old pages")?;
    sqlx::query(
        "INSERT INTO forge_page (token, url, etag, next, repositories, fetched_at) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (token, url) DO UPDATE SET etag = excluded.etag, next = excluded.next, \
             repositories = excluded.repositories, fetched_at = excluded.fetched_at",
    )
    .bind(token)
    .bind(url)
    .bind(&page.etag)
    .bind(&page.next)
    .bind(repositories)
    .bind(now)
    .execute(&mut *transaction)
    .await
    .doing("keep a page of a listing")?;
    transaction.commit().await.doing("keep a page of a listing")
}

async fn budget(database: &Database, token: &str, host: &str) -> Result<Budget> {
    let row = sqlx::query(
        "SELECT allowed, remaining, resets_at, blocked_until, strikes FROM forge_budget \
         WHERE token = $1 AND host = $2",
    )
    .bind(token)
    .bind(host)
    .fetch_optional(&database.pool)
    .await
    .doing("look what may be asked")?;
    Ok(row.as_ref().map_or_else(Budget::default, told))
}

fn told(row: &Row) -> Budget {
    Budget {
        allowed: row.get("allowed"),
        remaining: row.get("remaining"),
        resets_at: row.get("resets_at"),
        blocked_until: row.get("blocked_until"),
        strikes: row.get("strikes"),
    }
}

async fn budgets(database: &Database) -> Result<Vec<(String, Budget)>> {
    let rows = sqlx::query(
        "SELECT token, allowed, remaining, resets_at, blocked_until, strikes FROM forge_budget ORDER BY token",
    )
    .fetch_all(&database.pool)
    .await
    .doing("look what may be asked")?;
    Ok(rows.iter().map(|row| (row.get("token"), told(row))).collect())
}

async fn note_budget(database: &Database, token: &str, host: &str, told: Budget) -> Result<()> {
    sqlx::query(
        "INSERT INTO forge_budget (token, host, allowed, remaining, resets_at, blocked_until, strikes) \
         VALUES ($1, $2, $3, $4, $5, 0, 0) \
         ON CONFLICT (token, host) DO UPDATE SET allowed = excluded.allowed, strikes = 0, \
             remaining = CASE WHEN forge_budget.resets_at = excluded.resets_at \
                 AND forge_budget.remaining < excluded.remaining \
                 THEN forge_budget.remaining ELSE excluded.remaining END, \
             resets_at = excluded.resets_at",
    )
    .bind(token)
    .bind(host)
    .bind(told.allowed)
    .bind(told.remaining)
    .bind(told.resets_at)
    .execute(&database.pool)
    .await
    .doing("note what may be asked")?;
    Ok(())
}

async fn block(database: &Database, token: &str, host: &str, until: i64, strikes: i64) -> Result<()> {
    sqlx::query(
        "INSERT INTO forge_budget (token, host, blocked_until, strikes) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (token, host) DO UPDATE SET strikes = excluded.strikes, blocked_until = \
             CASE WHEN forge_budget.blocked_until > excluded.blocked_until \
             THEN forge_budget.blocked_until ELSE excluded.blocked_until END",
    )
    .bind(token)
    .bind(host)
    .bind(until)
    .bind(strikes)
    .execute(&database.pool)
    .await
    .doing("ask nothing for a while")?;
    Ok(())
}

async fn known(database: &Database, host: &str) -> Result<Vec<Known>> {
    let rows =
        sqlx::query("SELECT id, account, full_name, url FROM forge_repository WHERE host = $1 ORDER BY id")
            .bind(host)
            .fetch_all(&database.pool)
            .await
            .doing("list what was listed")?;
    let known =
        |row: &Row| Known { id: row.get(0), account: row.get(1), full_name: row.get(2), url: row.get(3) };
    Ok(rows.iter().map(known).collect())
}

async fn note_listed(database: &Database, host: &str, listed: &[Known], now: i64) -> Result<()> {
    let before: HashMap<i64, Known> =
        known(database, host).await?.into_iter().map(|known| (known.id, known)).collect();
    let mut transaction = database.begin().await?;
    for one in listed {
        if let Some(old) = before.get(&one.id).filter(|old| old.url != one.url) {
            sqlx::query(
                "UPDATE repository SET source = $2 WHERE source = $1 \
                 AND NOT EXISTS (SELECT 1 FROM repository o WHERE o.source = $2) \
                 AND NOT EXISTS (SELECT 1 FROM batch_repository n JOIN batch b ON b.id = n.batch_id \
                     WHERE n.repository_id = repository.id AND b.state = 'running')",
            )
            .bind(&old.url)
            .bind(&one.url)
            .execute(&mut *transaction)
            .await
            .doing("follow a renamed repository")?;
        }
        sqlx::query(
            "INSERT INTO forge_repository (host, id, account, full_name, url, first_seen, last_seen) \
             VALUES ($1, $2, $3, $4, $5, $6, $6) \
             ON CONFLICT (host, id) DO UPDATE SET account = excluded.account, full_name = excluded.full_name, \
                 url = excluded.url, last_seen = excluded.last_seen",
        )
        .bind(host)
        .bind(one.id)
        .bind(&one.account)
        .bind(&one.full_name)
        .bind(&one.url)
        .bind(now)
        .execute(&mut *transaction)
        .await
        .doing("note what was listed")?;
    }
    transaction.commit().await.doing("note what was listed")
}
