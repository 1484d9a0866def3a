//! The schema of an open store.

use async_trait::async_trait;
use sqlx::Row as _;
use sqlx::migrate::{Migrate as _, Migrator};

use super::{Connection, Database, Doing as _, HAS_STEPS, MIGRATIONS};
use crate::store::migrations::{Fit, Schema, Step, StepState, check, compare, way_down};
use crate::store::{Result, StoreError};

/// A connection of its own: a failed migration keeps its lock until the connection ends.
pub(super) struct Open {
    pub(super) connection: Connection,
    pub(super) migrations: &'static Migrator,
}

#[async_trait]
impl Schema for Open {
    async fn status(&mut self) -> Result<Vec<Step>> {
        let there: bool = sqlx::query(HAS_STEPS)
            .fetch_one(&mut self.connection)
            .await
            .doing("say what schema it has")?
            .get(0);
        let applied = if there {
            self.connection
                .list_applied_migrations(&self.migrations.table_name)
                .await
                .doing("say what schema it has")?
        } else {
            Vec::new()
        };
        let applied: Vec<(i64, Vec<u8>)> =
            applied.into_iter().map(|step| (step.version, step.checksum.to_vec())).collect();
        Ok(compare(self.migrations, &applied))
    }

    async fn up(&mut self) -> Result<Vec<Step>> {
        let before = self.status().await?;
        super::prepare(&mut self.connection).await.doing("be given a schema")?;
        let run = self.migrations.run_direct(None, &mut self.connection, false).await;
        run.doing("be brought to this version's schema")?;
        Ok(before.into_iter().filter(|step| step.state == StepState::Pending).collect())
    }

    async fn down(&mut self, version: i64) -> Result<Vec<Step>> {
        let way = way_down(&self.status().await?, version)?;
        let table = &self.migrations.table_name;
        self.connection.lock().await.doing("be taken back to an older schema")?;
        for step in &way {
            let back = self.migrations.iter().find(|migration| {
                migration.version == step.version && migration.migration_type.is_down_migration()
            });
            let back = back.ok_or(StoreError::NoWayBack { why: "a step has no script that undoes it" })?;
            self.connection.revert(table, back).await.doing("be taken back to an older schema")?;
        }
        self.connection.unlock().await.doing("be taken back to an older schema")?;
        Ok(way)
    }
}

/// Compares the schema with the one this program knows, over a connection of the pool.
pub(super) async fn fit(database: &Database) -> Result<Fit> {
    let rows = sqlx::query("SELECT version, checksum FROM _sqlx_migrations ORDER BY version")
        .fetch_all(&database.pool)
        .await
        .doing("say what schema it has")?;
    let applied: Vec<(i64, Vec<u8>)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    Ok(check(&compare(&MIGRATIONS, &applied)))
}
