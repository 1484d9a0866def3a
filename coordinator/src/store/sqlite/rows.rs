//! Many rows by few statements.

use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, Sqlite};

/// Rows of one statement. Few sizes, so that each statement is parsed once and kept; 256 rows of the widest table
/// are a tenth of the values SQLite binds.
const SIZES: [usize; 3] = [256, 16, 1];

pub(super) type Values<'q> = Query<'q, Sqlite, SqliteArguments>;

/// Inserts `rows` of `columns` values each by `INSERT INTO {into} VALUES ... {then}`, and returns what the statements
/// return. `bind` adds the values of a row.
pub(super) async fn insert<'q, T>(
    connection: &mut SqliteConnection,
    into: &'static str,
    columns: usize,
    then: &'static str,
    rows: &'q [T],
    bind: impl Fn(Values<'q>, &'q T) -> Values<'q>,
) -> sqlx::Result<Vec<SqliteRow>> {
    let row = format!("({})", vec!["?"; columns].join(", "));
    let mut returned = Vec::new();
    let mut rest = rows;
    for size in SIZES {
        if rest.len() < size {
            continue;
        }
        let statement = format!("INSERT INTO {into} VALUES {} {then}", vec![row.as_str(); size].join(", "));
        while let Some((now, later)) = rest.split_at_checked(size) {
            let mut query = sqlx::query(AssertSqlSafe(statement.clone()));
            for row in now {
                query = bind(query, row);
            }
            returned.extend(query.fetch_all(&mut *connection).await?);
            rest = later;
        }
    }
    Ok(returned)
}
