//! Backup and restore of the one file.

use std::path::{Path, PathBuf};

use sqlx::migrate::Migrate as _;
use sqlx::{ConnectOptions as _, Connection as _, Row as _};

use super::{Connection, Doing as _, MIGRATIONS, Sqlite, migrating, options, schema};
use crate::store::backup::{Restored, Saved};
use crate::store::migrations::{Fit, Schema as _, check};
use crate::store::{Result, StoreError};

impl Sqlite {
    /// Writes the store in `file` into the file `into`, which is empty or not there, as it is at one moment. Whoever
    /// works with it goes on meanwhile.
    ///
    /// # Errors
    ///
    /// Where there is no store, or one of the files fails.
    pub async fn save(file: &Path, into: &Path) -> Result<Saved> {
        let opened = options(file).create_if_missing(false).connect().await;
        let mut connection = opened.doing("be opened")?;
        let applied = connection.list_applied_migrations(&MIGRATIONS.table_name).await;
        let applied = applied.doing("say what schema it has")?;
        let schema = applied.iter().map(|step| step.version).max();
        let schema = schema.ok_or(StoreError::Damaged { what: "no schema" })?;
        sqlx::query("VACUUM INTO $1")
            .bind(into.to_string_lossy().into_owned())
            .execute(&mut connection)
            .await
            .doing("be saved")?;
        connection.close().await.doing("be left")?;
        Ok(Saved { schema, tables: Vec::new() })
    }

    /// Puts `copy`, a backup that lies beside `file`, in its place. Only for whoever knows that nobody has the store open.
    ///
    /// # Errors
    ///
    /// Where the copy is damaged or a file fails; the store is then as it was.
    pub async fn restore(copy: &Path, file: &Path, replace: bool) -> Result<Restored> {
        if file.exists() && !replace {
            return Ok(Restored::NotEmpty);
        }
        let mut open = schema::Open { connection: migrating(copy).await?, migrations: &MIGRATIONS };
        if matches!(check(&open.status().await?), Fit::Ahead | Fit::Differs) {
            return Ok(Restored::OtherSchema);
        }
        sound(&mut open.connection).await?;
        open.connection.close().await.doing("be left")?;
        // What the old store had not yet written into its file must not be taken for the new one's.
        for end in ["-wal", "-shm"] {
            match std::fs::remove_file(beside(file, end)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(error).doing("be brought back");
                }
                _ => {}
            }
        }
        std::fs::rename(copy, file).doing("be brought back")?;
        let folder = file.parent().unwrap_or(Path::new("."));
        std::fs::File::open(folder).and_then(|folder| folder.sync_all()).doing("be brought back")?;
        Ok(Restored::Done)
    }

    /// Returns the last step of the schema that this program knows.
    pub fn newest_schema() -> i64 {
        MIGRATIONS.iter().map(|step| step.version).max().unwrap_or_default()
    }
}

async fn sound(connection: &mut Connection) -> Result<()> {
    let rows = sqlx::query("PRAGMA integrity_check").fetch_all(connection).await.doing("be checked")?;
    match rows.first().map(|row| row.get::<String, _>(0)) {
        Some(word) if word == "ok" => Ok(()),
        _ => Err(StoreError::Damaged { what: "pages" }),
    }
}

fn beside(file: &Path, end: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(end);
    name.into()
}
