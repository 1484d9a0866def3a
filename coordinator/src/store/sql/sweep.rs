//! Going over all that is there already, so that it names nobody who was erased.
//!
//! Each step is a transaction of some rows, does nothing where there is nothing to do, and may be cut off anywhere: whoever
//! goes over the store again does the rest. What arrives meanwhile names nobody, because the list is older than the sweep.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use gitfleet_shared::codec::{self, Kind};
use gitfleet_shared::contract::{CONTRACT_VERSION, Changed, Digest};
use gitfleet_shared::facts::Signature;
use gitfleet_shared::people::erasure::Suppression;
use sqlx::{AssertSqlSafe, Row as _};

use super::{AFTER_SWEEP, Connection, Database, Doing as _, FOR_CHANGE, erased, facts, people};
use crate::redact;
use crate::store::erasures::Swept;
use crate::store::{FactSet, PeopleLink, Result, pack};

/// Rows of one step.
const ROWS: i64 = 1_000;

/// Texts that may name somebody, and on which nothing depends.
const TEXTS: [(&str, &str); 13] = [
    ("batch", "name"),
    ("report", "name"),
    ("published", "name"),
    ("batch_repository", "name"),
    ("batch_repository", "failure_message"),
    ("job", "failure_message"),
    ("attempt", "message"),
    ("dead_letter", "cause"),
    ("schedule", "created_by"),
    ("schedule_run", "note"),
    ("api_token", "name"),
    ("api_token", "created_by"),
    ("forge_page", "repositories"),
];

pub(super) async fn sweep(database: &Database, now: i64) -> Result<Swept> {
    let (list, last) = as_of_now(database).await?;
    if list.is_empty() {
        return Ok(Swept::default());
    }
    let mut sweep = Sweep { database, list, swept: Swept::default() };
    let signatures = sweep.signatures().await?;
    sweep.commits(&signatures).await?;
    sweep.forget_signatures(&signatures).await?;
    sweep.packs().await?;
    sweep.mailmaps().await?;
    sweep.pending_mailmaps().await?;
    sweep.decisions().await?;
    sweep.batches().await?;
    sweep.schedules().await?;
    sweep.reports().await?;
    sweep.dead_letters().await?;
    for (table, column) in TEXTS {
        sweep.texts(table, column).await?;
    }
    for statement in AFTER_SWEEP.iter().filter(|_| !sweep.swept.is_nothing()) {
        sqlx::query(*statement).execute(&database.pool).await.doing("clear the room that was given up")?;
    }
    note(database, last, now).await?;
    Ok(sweep.swept)
}

/// Returns the list, and the last mark that is in it at least.
async fn as_of_now(database: &Database) -> Result<(Arc<Suppression>, i64)> {
    let mut transaction = database.begin().await?;
    let list = erased::hold(database, &mut transaction).await?;
    let last = sqlx::query("SELECT coalesce(max(id), 0) FROM erased_mark")
        .fetch_one(&mut *transaction)
        .await
        .doing("ask who was erased")?
        .get(0);
    transaction.commit().await.doing("ask who was erased")?;
    Ok((list, last))
}

/// Notes that everything is gone over, of those of whom nothing was added to the list since.
async fn note(database: &Database, last: i64, now: i64) -> Result<()> {
    sqlx::query(
        "UPDATE erased_person SET swept_at = $2 WHERE swept_at IS NULL \
         AND NOT EXISTS (SELECT 1 FROM erased_mark m WHERE m.person_id = erased_person.id AND m.id > $1)",
    )
    .bind(last)
    .bind(now)
    .execute(&database.pool)
    .await
    .doing("note that the store was gone over")?;
    Ok(())
}

struct Sweep<'d> {
    database: &'d Database,
    list: Arc<Suppression>,
    swept: Swept,
}

/// A signature that goes, and the one in its place.
struct Gone {
    row: i64,
    instead: i64,
}

impl Sweep<'_> {
    /// Finds the signatures that go, and adds those in their place.
    async fn signatures(&mut self) -> Result<Vec<Gone>> {
        let (mut gone, mut instead, mut last) = (Vec::new(), HashMap::new(), 0i64);
        loop {
            let rows =
                sqlx::query("SELECT id, name, email FROM signature WHERE id > $1 ORDER BY id LIMIT $2")
                    .bind(last)
                    .bind(ROWS)
                    .fetch_all(&self.database.pool)
                    .await
                    .doing("go over signatures")?;
            let Some(end) = rows.last() else { return Ok(gone) };
            last = end.get(0);
            for row in &rows {
                let signature = Signature { name: row.get(1), email: row.get(2) };
                let Some(who) = self.list.who(&signature) else { continue };
                let place = match instead.get(&who.email) {
                    Some(place) => *place,
                    None => {
                        let place =
                            self.database.until_alone(|| added(self.database, who.signature())).await?;
                        *instead.entry(who.email.clone()).or_insert(place)
                    }
                };
                gone.push(Gone { row: row.get(0), instead: place });
            }
        }
    }

    /// Goes over what commits say, and whose they are.
    async fn commits(&mut self, gone: &[Gone]) -> Result<()> {
        let mut last = 0;
        loop {
            let list = &self.list;
            let (end, changed) =
                self.database.until_alone(|| commits(self.database, list, gone, last)).await?;
            self.swept.commits += changed;
            gitfleet_shared::point!("E2");
            let Some(end) = end else { return Ok(()) };
            last = end;
        }
    }

    async fn forget_signatures(&mut self, gone: &[Gone]) -> Result<()> {
        for one in gone {
            let done = sqlx::query("DELETE FROM signature WHERE id = $1")
                .bind(one.row)
                .execute(&self.database.pool)
                .await
                .doing("forget a signature")?;
            self.swept.signatures += done.rows_affected();
        }
        Ok(())
    }

    async fn packs(&mut self) -> Result<()> {
        let rows = sqlx::query("SELECT id, fact_set_id FROM fact_pack ORDER BY id")
            .fetch_all(&self.database.pool)
            .await
            .doing("list packs")?;
        for row in rows {
            let (id, set, list) = (row.get(0), row.get(1), &self.list);
            let changed = self.database.until_alone(|| pack(self.database, list, id, FactSet(set))).await?;
            self.swept.packs += u64::from(changed);
            gitfleet_shared::point!("E3");
        }
        Ok(())
    }

    async fn mailmaps(&mut self) -> Result<()> {
        let rows = sqlx::query("SELECT id FROM snapshot WHERE mailmap IS NOT NULL ORDER BY id")
            .fetch_all(&self.database.pool)
            .await
            .doing("list mailmaps")?;
        for row in rows {
            let (id, list) = (row.get(0), &self.list);
            let changed = self.database.until_alone(|| mailmap(self.database, list, id)).await?;
            self.swept.mailmaps += u64::from(changed);
        }
        Ok(())
    }

    async fn pending_mailmaps(&mut self) -> Result<()> {
        let rows = sqlx::query("SELECT batch_id, position FROM pending_snapshot ORDER BY batch_id, position")
            .fetch_all(&self.database.pool)
            .await
            .doing("list pending snapshots")?;
        for row in rows {
            let (batch, position, list): (Vec<u8>, i64, _) = (row.get(0), row.get(1), &self.list);
            let changed =
                self.database.until_alone(|| pending(self.database, list, &batch, position)).await?;
            self.swept.mailmaps += u64::from(changed);
        }
        Ok(())
    }

    async fn decisions(&mut self) -> Result<()> {
        for link in people::list(self.database).await? {
            let list = &self.list;
            let changed = self.database.until_alone(|| decision(self.database, list, &link)).await?;
            self.swept.decisions += u64::from(changed);
        }
        Ok(())
    }

    async fn batches(&mut self) -> Result<()> {
        let rows = sqlx::query("SELECT id FROM batch ORDER BY id")
            .fetch_all(&self.database.pool)
            .await
            .doing("list batches")?;
        for row in rows {
            let (id, list): (Vec<u8>, _) = (row.get(0), &self.list);
            let changed = self.database.until_alone(|| batch(self.database, list, &id)).await?;
            self.swept.batches += u64::from(changed);
        }
        Ok(())
    }

    async fn schedules(&mut self) -> Result<()> {
        let rows = sqlx::query("SELECT id, planned FROM schedule ORDER BY id")
            .fetch_all(&self.database.pool)
            .await
            .doing("list schedules")?;
        for row in rows {
            let Some(planned) = redact::document(&self.list, row.get(1)) else { continue };
            let done = sqlx::query("UPDATE schedule SET planned = $3 WHERE id = $1 AND planned = $2")
                .bind(row.get::<i64, _>(0))
                .bind(row.get::<String, _>(1))
                .bind(planned)
                .execute(&self.database.pool)
                .await
                .doing("go over a schedule")?;
            self.swept.schedules += done.rows_affected();
        }
        Ok(())
    }

    async fn reports(&mut self) -> Result<()> {
        let rows = sqlx::query("SELECT batch_id FROM report ORDER BY batch_id")
            .fetch_all(&self.database.pool)
            .await
            .doing("list reports")?;
        for row in rows {
            let (batch, list): (Vec<u8>, _) = (row.get(0), &self.list);
            let changed = self.database.until_alone(|| report(self.database, list, &batch)).await?;
            self.swept.reports += u64::from(changed);
        }
        Ok(())
    }

    /// Lets go of letters that name somebody, and of those that may do so because nobody can open them.
    async fn dead_letters(&mut self) -> Result<()> {
        let rows = sqlx::query("SELECT id FROM dead_letter ORDER BY id")
            .fetch_all(&self.database.pool)
            .await
            .doing("list dead letters")?;
        for row in rows {
            let id: i64 = row.get(0);
            let body = sqlx::query("SELECT body FROM dead_letter WHERE id = $1")
                .bind(id)
                .fetch_optional(&self.database.pool)
                .await
                .doing("read a dead letter")?;
            if body.is_none_or(|row| !redact::holds(&self.list, row.get(0))) {
                continue;
            }
            let done = sqlx::query("DELETE FROM dead_letter WHERE id = $1")
                .bind(id)
                .execute(&self.database.pool)
                .await
                .doing("forget a dead letter")?;
            self.swept.dead_letters += done.rows_affected();
        }
        Ok(())
    }

    /// Goes over a column of texts, each of which is found by what it says.
    async fn texts(&mut self, table: &str, column: &str) -> Result<()> {
        let statement = format!(
            "SELECT DISTINCT {column} FROM {table} WHERE {column} > $1 ORDER BY {column} LIMIT {ROWS}"
        );
        let mut last = String::new();
        loop {
            let rows = sqlx::query(AssertSqlSafe(statement.clone()))
                .bind(&last)
                .fetch_all(&self.database.pool)
                .await
                .doing("go over texts")?;
            let Some(end) = rows.last() else { return Ok(()) };
            last = end.get(0);
            for row in &rows {
                let Some(redacted) = redact::document(&self.list, row.get(0)) else { continue };
                let update = format!("UPDATE {table} SET {column} = $2 WHERE {column} = $1");
                let done = sqlx::query(AssertSqlSafe(update))
                    .bind(row.get::<String, _>(0))
                    .bind(redacted)
                    .execute(&self.database.pool)
                    .await
                    .doing("go over texts")?;
                self.swept.texts += done.rows_affected();
            }
        }
    }
}

/// Returns the row of a signature, which is added where it is not there.
async fn added(database: &Database, signature: Signature) -> Result<i64> {
    let mut transaction = database.begin().await?;
    let rows = super::bulk::insert_signatures(&mut transaction, &[&signature]).await;
    let rows = rows.doing("add a signature")?;
    transaction.commit().await.doing("add a signature")?;
    let damaged = crate::store::StoreError::Damaged { what: "signatures" };
    rows.first().map(|row| row.get(0)).ok_or(damaged)
}

/// Goes over some commits behind the row `after`; returns the last of them, and how many of them named somebody.
async fn commits(
    database: &Database,
    list: &Suppression,
    gone: &[Gone],
    after: i64,
) -> Result<(Option<i64>, u64)> {
    let mut transaction = database.begin().await?;
    let rows = sqlx::query("SELECT id, message FROM commit_fact WHERE id > $1 ORDER BY id LIMIT $2")
        .bind(after)
        .bind(ROWS)
        .fetch_all(&mut *transaction)
        .await
        .doing("go over commits")?;
    let mut changed: HashSet<i64> = HashSet::new();
    let Some(end) = rows.last().map(|row| row.get::<i64, _>(0)) else { return Ok((None, 0)) };
    for row in &rows {
        let message: &[u8] = row.get(1);
        if let std::borrow::Cow::Owned(redacted) = list.redact(message) {
            sqlx::query("UPDATE commit_fact SET message = $2 WHERE id = $1")
                .bind(row.get::<i64, _>(0))
                .bind(redacted)
                .execute(&mut *transaction)
                .await
                .doing("go over commits")?;
            changed.insert(row.get(0));
        }
    }
    for one in gone {
        let moved = sqlx::query(
            "UPDATE commit_person SET signature_id = $4 WHERE commit_id > $1 AND commit_id <= $2 \
             AND signature_id = $3 RETURNING commit_id",
        )
        .bind(after)
        .bind(end)
        .bind(one.row)
        .bind(one.instead)
        .fetch_all(&mut *transaction)
        .await
        .doing("go over commits")?;
        changed.extend(moved.iter().map(|row| row.get::<i64, _>(0)));
    }
    transaction.commit().await.doing("go over commits")?;
    Ok((Some(end), changed.len() as u64))
}

/// Makes a pack anew, or lets go of one that cannot be read: it is made again of rows.
async fn pack(database: &Database, list: &Suppression, id: i64, set: FactSet) -> Result<bool> {
    let mut transaction = database.begin().await?;
    facts::lock(&mut transaction, set).await?;
    let row = sqlx::query("SELECT content FROM fact_pack WHERE id = $1")
        .bind(id)
        .fetch_optional(&mut *transaction)
        .await
        .doing("read a pack")?;
    let Some(row) = row else { return Ok(false) };
    let changed = match pack::decode(row.get(0)) {
        Some(mut commits) => {
            let named = commits.iter_mut().fold(false, |any, (_, facts)| list.facts(facts) | any);
            if named {
                let commits: Vec<_> = commits.iter().map(|(row, facts)| (*row, facts)).collect();
                sqlx::query("UPDATE fact_pack SET content = $2 WHERE id = $1")
                    .bind(id)
                    .bind(pack::encode(&commits))
                    .execute(&mut *transaction)
                    .await
                    .doing("go over a pack")?;
            }
            named
        }
        None => {
            sqlx::query("DELETE FROM fact_pack WHERE id = $1")
                .bind(id)
                .execute(&mut *transaction)
                .await
                .doing("forget a pack")?;
            true
        }
    };
    transaction.commit().await.doing("go over a pack")?;
    Ok(changed)
}

async fn mailmap(database: &Database, list: &Suppression, snapshot: i64) -> Result<bool> {
    let mut transaction = database.begin().await?;
    let statement = format!("SELECT mailmap FROM snapshot WHERE id = $1 {FOR_CHANGE}");
    let row = sqlx::query(AssertSqlSafe(statement))
        .bind(snapshot)
        .fetch_optional(&mut *transaction)
        .await
        .doing("read a mailmap")?;
    let content = row.and_then(|row| row.get::<Option<Vec<u8>>, _>(0)).unwrap_or_default();
    let std::borrow::Cow::Owned(rest) = list.mailmap(&content) else { return Ok(false) };
    sqlx::query("UPDATE snapshot SET mailmap = $2 WHERE id = $1")
        .bind(snapshot)
        .bind(rest)
        .execute(&mut *transaction)
        .await
        .doing("go over a mailmap")?;
    transaction.commit().await.doing("go over a mailmap")?;
    Ok(true)
}

async fn pending(database: &Database, list: &Suppression, batch: &[u8], position: i64) -> Result<bool> {
    let mut transaction = database.begin().await?;
    let statement =
        format!("SELECT content FROM pending_snapshot WHERE batch_id = $1 AND position = $2 {FOR_CHANGE}");
    let row = sqlx::query(AssertSqlSafe(statement))
        .bind(batch)
        .bind(position)
        .fetch_optional(&mut *transaction)
        .await
        .doing("read a pending snapshot")?;
    let read = |content: &[u8]| codec::decode(Kind::PendingSnapshot, CONTRACT_VERSION, content).ok();
    let found: Option<(Changed, Option<Digest>)> = row.and_then(|row| read(row.get(0)));
    let Some((mut changed, base)) = found else { return Ok(false) };
    let content = changed.snapshot.mailmap.take().unwrap_or_default();
    let std::borrow::Cow::Owned(rest) = list.mailmap(&content) else { return Ok(false) };
    changed.snapshot.mailmap = Some(rest);
    sqlx::query("UPDATE pending_snapshot SET content = $3 WHERE batch_id = $1 AND position = $2")
        .bind(batch)
        .bind(position)
        .bind(codec::encode(Kind::PendingSnapshot, CONTRACT_VERSION, &(&changed, base)))
        .execute(&mut *transaction)
        .await
        .doing("go over a pending snapshot")?;
    transaction.commit().await.doing("go over a pending snapshot")?;
    Ok(true)
}

async fn decision(database: &Database, list: &Suppression, link: &PeopleLink) -> Result<bool> {
    match redact::link(list, link) {
        None => people::forget(database, &link.a, &link.b).await,
        Some(kept) if kept != *link => people::decide(database, &kept).await.map(|()| true),
        Some(_) => Ok(false),
    }
}

/// Goes over what a batch was asked for with. Its manifest has a hash of the configuration, which follows.
async fn batch(database: &Database, list: &Suppression, id: &[u8]) -> Result<bool> {
    let mut transaction = database.begin().await?;
    let statement = format!("SELECT labels, terms, config FROM batch WHERE id = $1 {FOR_CHANGE}");
    let row = sqlx::query(AssertSqlSafe(statement))
        .bind(id)
        .fetch_optional(&mut *transaction)
        .await
        .doing("read a batch")?;
    let Some(row) = row else { return Ok(false) };
    let before: [String; 3] = [row.get(0), row.get(1), row.get(2)];
    let json = |text: &String| redact::document(list, text);
    let after = [json(&before[0]), json(&before[1]), redact::settings(list, &before[2])];
    if after.iter().all(Option::is_none) {
        return Ok(false);
    }
    let after: Vec<&str> =
        before.iter().zip(&after).map(|(before, after)| after.as_ref().unwrap_or(before).as_str()).collect();
    sqlx::query("UPDATE batch SET labels = $2, terms = $3, config = $4 WHERE id = $1")
        .bind(id)
        .bind(after[0])
        .bind(after[1])
        .bind(after[2])
        .execute(&mut *transaction)
        .await
        .doing("go over a batch")?;
    rehash(&mut transaction, id, &before[2], after[2]).await?;
    transaction.commit().await.doing("go over a batch")?;
    Ok(true)
}

async fn rehash(connection: &mut Connection, batch: &[u8], before: &str, after: &str) -> Result<()> {
    let hash = |text: &str| blake3::hash(text.as_bytes()).to_hex().to_string();
    sqlx::query("UPDATE report SET manifest = replace(manifest, $2, $3) WHERE batch_id = $1")
        .bind(batch)
        .bind(hash(before))
        .bind(hash(after))
        .execute(connection)
        .await
        .doing("go over a manifest")?;
    Ok(())
}

/// Goes over a report. What it was made of has changed, so that it is not found by that any more.
async fn report(database: &Database, list: &Suppression, batch: &[u8]) -> Result<bool> {
    let mut transaction = database.begin().await?;
    let statement = format!("SELECT content, manifest FROM report WHERE batch_id = $1 {FOR_CHANGE}");
    let row = sqlx::query(AssertSqlSafe(statement))
        .bind(batch)
        .fetch_optional(&mut *transaction)
        .await
        .doing("read a report")?;
    let Some(row) = row else { return Ok(false) };
    let (content, manifest): (String, String) = (row.get(0), row.get(1));
    let (redacted, manifested) = (redact::report(list, &content), redact::document(list, &manifest));
    if redacted.is_none() && manifested.is_none() {
        return Ok(false);
    }
    sqlx::query("UPDATE report SET content = $2, manifest = $3, inputs = NULL WHERE batch_id = $1")
        .bind(batch)
        .bind(redacted.unwrap_or(content))
        .bind(manifested.unwrap_or(manifest))
        .execute(&mut *transaction)
        .await
        .doing("go over a report")?;
    transaction.commit().await.doing("go over a report")?;
    Ok(true)
}
