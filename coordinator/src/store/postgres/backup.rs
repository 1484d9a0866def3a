//! Backup and restore by COPY, in its text form: any server of a version that is supported takes it, whatever machine it
//! runs on, and no client program of PostgreSQL is needed.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use futures_util::TryStreamExt as _;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Row as _};

use super::{Connection, Doing as _, HAS_STEPS, MIGRATIONS, Postgres, prepare, schema};
use crate::store::backup::{Restored, Saved, Table};
use crate::store::migrations::{Schema as _, StepState};
use crate::store::{Result, StoreError};

/// Every table whose rows are saved, each behind those that it refers to.
const TABLES: &[&str] = &[
    "repository",
    "fact_set",
    "signature",
    "commit_fact",
    "commit_file",
    "commit_person",
    "mainline_net",
    "fact_pack",
    "snapshot",
    "snapshot_commit",
    "snapshot_tip",
    "batch",
    "batch_repository",
    "pending_snapshot",
    "job",
    "attempt",
    "outbox",
    "report",
    "published",
    "worker",
    "dead_letter",
    "leadership",
    "people_link",
    "api_token",
    "api_session",
    "audit",
    "audit_head",
    "schedule",
    "schedule_run",
    "forge_page",
    "forge_budget",
    "forge_repository",
    "erasure_key",
    "erased_person",
    "erased_mark",
];

/// What is left out: it is made by a step of the schema, or is of no worth after a crash.
const LEFT_OUT: &[&str] = &["_sqlx_migrations", "api_failure", "api_rate", "calendar_week"];

/// Tables in which the steps of the schema put something.
const FILLED: &[&str] = &["audit_head"];

/// Bytes that are sent at once.
const CHUNK: usize = 1 << 20;

impl Postgres {
    /// Writes the rows of all tables into files in `directory`, as they were at one moment. Nobody is kept from working
    /// meanwhile.
    ///
    /// # Errors
    ///
    /// Where the store or a file fails, or the schema has a table that this program does not know.
    pub async fn save(&self, directory: &Path) -> Result<Saved> {
        let mut connection = self.patient().await?;
        run(&mut connection, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
        let row = sqlx::query("SELECT coalesce(max(version), 0) FROM _sqlx_migrations")
            .fetch_one(&mut connection)
            .await
            .doing("say what schema it has")?;
        let schema: i64 = row.get(0);
        let there = tables(&mut connection).await?;
        let mut tables = Vec::new();
        for name in TABLES.iter().filter(|name| there.iter().any(|table| table == *name)) {
            tables.push(save(&mut connection, directory, name).await?);
        }
        run(&mut connection, "COMMIT").await?;
        connection.close().await.doing("be left")?;
        Ok(Saved { schema, tables })
    }

    /// Brings back what [`Self::save`] wrote into `directory`, all of it or nothing. The schema is brought to the steps of
    /// the backup first; to go on from there is the business of who starts the fleet. What the store holds goes where
    /// `replace` says so.
    ///
    /// # Errors
    ///
    /// Where the store or a file fails; the rows of the store are then as they were.
    pub async fn restore(&self, directory: &Path, saved: &Saved, replace: bool) -> Result<Restored> {
        if !MIGRATIONS.version_exists(saved.schema) || !saved.tables.iter().all(is_known) {
            return Ok(Restored::OtherSchema);
        }
        let mut open = schema::Open { connection: self.patient().await?, migrations: &MIGRATIONS };
        let steps = open.status().await?;
        if steps.iter().any(|step| matches!(step.state, StepState::Ahead | StepState::Differs)) {
            return Ok(Restored::OtherSchema);
        }
        let there: bool =
            sqlx::query(HAS_STEPS).fetch_one(&mut open.connection).await.doing("say what it holds")?.get(0);
        if there {
            if is_led(&mut open.connection).await? {
                return Ok(Restored::InUse);
            }
            if !replace && holds_something(&mut open.connection).await? {
                return Ok(Restored::NotEmpty);
            }
            if steps.iter().any(|step| step.version > saved.schema && step.state == StepState::Applied) {
                open.down(saved.schema).await?;
            }
        }
        prepare(&mut open.connection).await.doing("be given a schema")?;
        let steps = MIGRATIONS.run_direct(Some(saved.schema), &mut open.connection, false).await;
        steps.doing("be brought to the schema of the backup")?;
        let mut connection = open.connection;
        run(&mut connection, "BEGIN").await?;
        load(&mut connection, directory, &saved.tables).await?;
        run(&mut connection, "COMMIT").await?;
        connection.close().await.doing("be left")?;
        Ok(Restored::Done)
    }

    /// A connection of its own, on which a statement may take its time.
    async fn patient(&self) -> Result<Connection> {
        let options = (*self.pool.connect_options()).clone();
        let options = options.options([
            ("statement_timeout", "0"),
            ("lock_timeout", "30s"),
            ("idle_in_transaction_session_timeout", "0"),
        ]);
        options.connect().await.doing("be reached")
    }
}

async fn run(connection: &mut Connection, statement: impl Into<String>) -> Result<()> {
    let statement = AssertSqlSafe(statement.into());
    sqlx::raw_sql(statement).execute(connection).await.doing("be saved or brought back")?;
    Ok(())
}

/// Returns the tables of the schema, but for those that another program put there.
async fn tables(connection: &mut Connection) -> Result<Vec<String>> {
    let rows = sqlx::query(
        "SELECT relname::text FROM pg_class \
         WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace ORDER BY relname",
    )
    .fetch_all(connection)
    .await
    .doing("list its tables")?;
    let known = |name: &String| TABLES.contains(&name.as_str());
    Ok(rows.iter().map(|row| row.get(0)).filter(known).collect())
}

async fn save(connection: &mut Connection, directory: &Path, name: &str) -> Result<Table> {
    let rows = sqlx::query(
        "SELECT attname::text FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 \
         AND NOT attisdropped AND attgenerated = '' ORDER BY attnum",
    )
    .bind(name)
    .fetch_all(&mut *connection)
    .await
    .doing("list the columns of a table")?;
    let columns: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    let mut table = Table { name: name.to_owned(), columns, rows: 0 };
    let mut options = File::options();
    options.write(true).create_new(true).mode(0o600);
    let mut file = options.open(directory.join(table.file())).doing("be written into a file")?;
    let statement = format!("COPY {name} ({}) TO STDOUT", table.columns.join(", "));
    let mut copy = connection.copy_out_raw(&statement).await.doing("be saved")?;
    while let Some(bytes) = copy.try_next().await.doing("be saved")? {
        // In the text form a line feed ends a row and is nowhere else.
        table.rows += bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        file.write_all(&bytes).doing("be written into a file")?;
    }
    drop(copy);
    file.sync_all().doing("be written into a file")?;
    Ok(table)
}

/// Whether the manifest names a table of ours, and columns that are plain names: both go into statements.
fn is_known(table: &Table) -> bool {
    let plain = |name: &String| {
        !name.is_empty()
            && name.chars().all(|char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '_')
    };
    TABLES.contains(&table.name.as_str()) && table.columns.iter().all(plain)
}

async fn is_led(connection: &mut Connection) -> Result<bool> {
    let led = "SELECT to_regclass('leadership') IS NOT NULL";
    let row = sqlx::query(led).fetch_one(&mut *connection).await.doing("look who leads")?;
    if !row.get::<bool, _>(0) {
        return Ok(false);
    }
    let led = "SELECT EXISTS (SELECT 1 FROM leadership \
               WHERE expires_at > (extract(epoch FROM clock_timestamp()) * 1000)::bigint)";
    Ok(sqlx::query(led).fetch_one(connection).await.doing("look who leads")?.get(0))
}

async fn holds_something(connection: &mut Connection) -> Result<bool> {
    for name in tables(connection).await?.iter().filter(|name| !FILLED.contains(&name.as_str())) {
        let any = AssertSqlSafe(format!("SELECT EXISTS (SELECT 1 FROM {name})"));
        let row = sqlx::query(any).fetch_one(&mut *connection).await.doing("say what it holds")?;
        if row.get(0) {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn load(connection: &mut Connection, directory: &Path, saved: &[Table]) -> Result<()> {
    let all = tables(connection).await?;
    // The audit log keeps its rows from everybody else.
    for name in &all {
        run(connection, format!("ALTER TABLE {name} DISABLE TRIGGER USER")).await?;
    }
    run(connection, format!("TRUNCATE {}", all.join(", "))).await?;
    for name in &all {
        run(connection, format!("ALTER TABLE {name} ENABLE TRIGGER USER")).await?;
    }
    for name in TABLES {
        let Some(table) = saved.iter().find(|table| table.name == *name) else { continue };
        let mut file = File::open(directory.join(table.file())).doing("be read from the backup")?;
        let statement = format!("COPY {name} ({}) FROM STDIN", table.columns.join(", "));
        let mut copy = connection.copy_in_raw(&statement).await.doing("be brought back")?;
        let mut buffer = vec![0; CHUNK];
        loop {
            let read = file.read(&mut buffer).doing("be read from the backup")?;
            if read == 0 {
                break;
            }
            copy.send(&buffer[..read]).await.doing("be brought back")?;
        }
        if copy.finish().await.doing("be brought back")? != table.rows {
            return Err(StoreError::Damaged { what: "a table of the backup" });
        }
        count_on(connection, name).await?;
    }
    if all.iter().any(|name| name == "leadership") {
        // Whoever led then leads nothing here; the next term is behind theirs.
        run(connection, "UPDATE leadership SET expires_at = 0").await?;
    }
    Ok(())
}

/// Lets the numbers that a table gives go on behind those that it has.
async fn count_on(connection: &mut Connection, table: &str) -> Result<()> {
    let rows = sqlx::query(
        "SELECT attname::text FROM pg_attribute WHERE attrelid = to_regclass($1) AND attidentity <> ''",
    )
    .bind(table)
    .fetch_all(&mut *connection)
    .await
    .doing("be brought back")?;
    for row in rows {
        let column: String = row.get(0);
        run(
            connection,
            format!(
                "SELECT setval(pg_get_serial_sequence('{table}', '{column}'), \
                 coalesce(max({column}), 0) + 1, false) FROM {table}"
            ),
        )
        .await?;
    }
    Ok(())
}

/// Returns the names of all tables that are saved or left out on purpose.
pub fn accounted() -> Vec<&'static str> {
    let mut names = [TABLES, LEFT_OUT].concat();
    names.sort_unstable();
    names
}
