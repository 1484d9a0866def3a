//! Who was erased: the list, and what whoever writes anything asks of it.
//!
//! Whoever writes what may name people holds the list for as long as the transaction lasts, and whoever adds to the list
//! waits for all of them. So what is written is either there when the list is swept, or names nobody on it.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use gitfleet_shared::contract::{Digest, ErasedList};
use gitfleet_shared::facts::Signature;
use gitfleet_shared::ids::BatchId;
use gitfleet_shared::people::erasure::{Erased, Key, Mark, MarkKind, Suppression};
use sqlx::Row as _;

use super::{Connection, Database, Doing as _, LOCK_ERASED, LOCK_ERASED_SHARED, held, sweep};
use crate::store::erasures::{
    Erasures, HeldBatch, HeldCommit, HeldSnapshot, KeyFit, Listed, NewErasure, Swept,
};
use crate::store::{Result, StoreError};

const DAMAGED: StoreError = StoreError::Damaged { what: "the list of who was erased" };

#[async_trait]
impl Erasures for Database {
    fn erasure_key(&self) -> Option<Key> {
        self.erasing.key.clone()
    }

    async fn erasure_key_fits(&self) -> Result<KeyFit> {
        self.again("erasure_key_fits", || fits(self)).await
    }

    async fn erased(&self) -> Result<Arc<Suppression>> {
        self.again("erased", || now(self)).await
    }

    async fn held_snapshots(&self) -> Result<Vec<HeldSnapshot>> {
        self.again("held_snapshots", || held::snapshots(self)).await
    }

    async fn held_signatures(&self) -> Result<Vec<Signature>> {
        self.again("held_signatures", || held::signatures(self)).await
    }

    async fn held_commits(&self, signatures: &[Signature]) -> Result<Vec<HeldCommit>> {
        self.again("held_commits", || held::commits(self, signatures)).await
    }

    async fn held_batches(&self) -> Result<Vec<HeldBatch>> {
        self.again("held_batches", || held::batches(self)).await
    }

    async fn held_reports(&self) -> Result<Vec<BatchId>> {
        self.again("held_reports", || held::reports(self)).await
    }

    async fn list_erased(&self, erasure: &NewErasure) -> Result<Listed> {
        self.again("list_erased", || list(self, erasure)).await
    }

    async fn adopt_erased(&self, list: &ErasedList) -> Result<()> {
        self.again("adopt_erased", || adopt(self, list)).await
    }

    async fn sweep(&self, now: i64) -> Result<Swept> {
        self.timed("sweep", sweep::sweep(self, now)).await
    }

    fn take_redactions(&self) -> u64 {
        self.erasing.take_redactions()
    }

    fn note_redactions(&self, count: u64) {
        self.erasing.note_redactions(count);
    }
}

/// Returns who was erased; nobody is added to the list before the transaction ends.
pub(super) async fn hold(database: &Database, connection: &mut Connection) -> Result<Arc<Suppression>> {
    lock(connection, LOCK_ERASED_SHARED).await?;
    // A statement of its own sees what was added while the lock was waited for.
    read(database, connection).await
}

async fn lock(connection: &mut Connection, statement: &'static str) -> Result<()> {
    if !statement.is_empty() {
        sqlx::query(statement).execute(connection).await.doing("take the list of who was erased")?;
    }
    Ok(())
}

/// Returns who was erased.
pub(super) async fn now(database: &Database) -> Result<Arc<Suppression>> {
    let mut connection = database.pool.acquire().await.doing("be reached")?;
    read(database, &mut connection).await
}

async fn read(database: &Database, connection: &mut Connection) -> Result<Arc<Suppression>> {
    let last: i64 = sqlx::query("SELECT coalesce(max(id), 0) FROM erased_mark")
        .fetch_one(&mut *connection)
        .await
        .doing("ask who was erased")?
        .get(0);
    if let Some(known) = database.erasing.known(last) {
        return Ok(known);
    }
    let key = key(database, connection).await?;
    let rows = sqlx::query(
        "SELECT p.digits, m.kind, m.words, m.digest FROM erased_mark m JOIN erased_person p ON p.id = m.person_id \
         WHERE m.id <= $1 ORDER BY m.id",
    )
    .bind(last)
    .fetch_all(connection)
    .await
    .doing("ask who was erased")?;
    let mut people: BTreeMap<String, Vec<Mark>> = BTreeMap::new();
    for row in &rows {
        let mark = Mark {
            kind: MarkKind::named(row.get(1)).ok_or(DAMAGED)?,
            words: u32::try_from(row.get::<i64, _>(2)).map_err(|_| DAMAGED)?,
            digest: row.get::<Vec<u8>, _>(3).try_into().map_err(|_| DAMAGED)?,
        };
        people.entry(row.get(0)).or_default().push(mark);
    }
    let people: Vec<Erased> = people.into_iter().map(|(digits, marks)| Erased { digits, marks }).collect();
    let list = Arc::new(Suppression::new(key, &people));
    database.erasing.learn(last, &list);
    Ok(list)
}

/// Returns the key, which is the one that the marks in the store were made with.
async fn key(database: &Database, connection: &mut Connection) -> Result<Key> {
    match fit(database, connection).await? {
        KeyFit::Fits => {}
        KeyFit::Missing => return Err(StoreError::ErasureKey { why: "there is no key to know them by" }),
        KeyFit::Wrong => {
            return Err(StoreError::ErasureKey { why: "the key is not the one they are known by" });
        }
    }
    let missing = StoreError::ErasureKey { why: "there is no key to know them by" };
    database.erasing.key.clone().ok_or(missing)
}

async fn fits(database: &Database) -> Result<KeyFit> {
    let mut connection = database.pool.acquire().await.doing("be reached")?;
    fit(database, &mut connection).await
}

async fn fit(database: &Database, connection: &mut Connection) -> Result<KeyFit> {
    let row = sqlx::query("SELECT check_value FROM erasure_key WHERE one = 1")
        .fetch_optional(connection)
        .await
        .doing("ask by which key people were erased")?;
    Ok(match (row, &database.erasing.key) {
        (None, _) => KeyFit::Fits,
        (Some(_), None) => KeyFit::Missing,
        (Some(row), Some(key)) if row.get::<&[u8], _>(0) == key.check() => KeyFit::Fits,
        (Some(_), Some(_)) => KeyFit::Wrong,
    })
}

async fn list(database: &Database, erasure: &NewErasure) -> Result<Listed> {
    let mut transaction = database.begin().await?;
    lock(&mut transaction, LOCK_ERASED).await?;
    let key = key(database, &mut transaction).await?;
    note_key(&mut transaction, key.check()).await?;
    let (person, listed) = match known(&mut transaction, &erasure.marks).await? {
        Some(known) => known,
        None => add(&mut transaction, erasure).await?,
    };
    if add_marks(&mut transaction, person, &erasure.marks).await? {
        sqlx::query("UPDATE erased_person SET swept_at = NULL WHERE id = $1")
            .bind(person)
            .execute(&mut *transaction)
            .await
            .doing("note who is erased")?;
    }
    transaction.commit().await.doing("note who is erased")?;
    Ok(listed)
}

/// Adds the marks that are not there yet, and returns whether there were some.
async fn add_marks(connection: &mut Connection, person: i64, marks: &[Mark]) -> Result<bool> {
    let mut is_new = false;
    for mark in marks {
        let added = sqlx::query(
            "INSERT INTO erased_mark (person_id, kind, words, digest) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (digest) DO NOTHING",
        )
        .bind(person)
        .bind(mark.kind.name())
        .bind(i64::from(mark.words))
        .bind(mark.digest.to_vec())
        .execute(&mut *connection)
        .await
        .doing("note who is erased")?;
        is_new |= added.rows_affected() > 0;
    }
    Ok(is_new)
}

async fn adopt(database: &Database, list: &ErasedList) -> Result<()> {
    let mut transaction = database.begin().await?;
    lock(&mut transaction, LOCK_ERASED).await?;
    note_key(&mut transaction, list.key).await?;
    for one in &list.people {
        let row = sqlx::query(
            "INSERT INTO erased_person (digits, request, erased_at) VALUES ($1, 'adopted', 0) \
             ON CONFLICT (digits) DO UPDATE SET digits = excluded.digits RETURNING id",
        )
        .bind(&one.digits)
        .fetch_one(&mut *transaction)
        .await
        .doing("note who is erased")?;
        add_marks(&mut transaction, row.get(0), &one.marks).await?;
    }
    transaction.commit().await.doing("note who is erased")
}

async fn note_key(connection: &mut Connection, check: Digest) -> Result<()> {
    sqlx::query("INSERT INTO erasure_key (one, check_value) VALUES (1, $1) ON CONFLICT DO NOTHING")
        .bind(check.to_vec())
        .execute(connection)
        .await
        .doing("note the key of who is erased")?;
    Ok(())
}

/// Returns whom the first of some marks is of that is there.
async fn known(connection: &mut Connection, marks: &[Mark]) -> Result<Option<(i64, Listed)>> {
    for mark in marks {
        let row = sqlx::query(
            "SELECT p.id, p.digits, p.request FROM erased_mark m JOIN erased_person p ON p.id = m.person_id \
             WHERE m.digest = $1",
        )
        .bind(mark.digest.to_vec())
        .fetch_optional(&mut *connection)
        .await
        .doing("ask who was erased")?;
        if let Some(row) = row {
            return Ok(Some((row.get(0), Listed { digits: row.get(1), request: row.get(2) })));
        }
    }
    Ok(None)
}

/// Digits of a pseudonym, and what they may become where others begin with them.
const DIGITS: std::ops::RangeInclusive<usize> = 6..=32;

async fn add(connection: &mut Connection, erasure: &NewErasure) -> Result<(i64, Listed)> {
    // Of nothing that is known of anybody.
    let random = uuid::Uuid::new_v4().simple().to_string();
    for digits in DIGITS {
        let row = sqlx::query(
            "INSERT INTO erased_person (digits, request, erased_at) VALUES ($1, $2, $3) \
             ON CONFLICT (digits) DO NOTHING RETURNING id",
        )
        .bind(&random[..digits])
        .bind(&erasure.request)
        .bind(erasure.erased_at)
        .fetch_optional(&mut *connection)
        .await
        .doing("note who is erased")?;
        if let Some(row) = row {
            let listed = Listed { digits: random[..digits].to_owned(), request: erasure.request.clone() };
            return Ok((row.get(0), listed));
        }
    }
    Err(DAMAGED)
}
