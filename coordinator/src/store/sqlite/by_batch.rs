//! Statements about some batches at once, the way SQLite likes it: each of them is a value.

use sqlx::AssertSqlSafe;
use sqlx::query::Query;
use sqlx::sqlite::{Sqlite, SqliteArguments};

/// Returns the statement `{select} = any of these batches {rest}`.
pub(super) fn by_batch<'q>(
    select: &str,
    batches: &'q [Vec<u8>],
    rest: &str,
) -> Query<'q, Sqlite, SqliteArguments> {
    let values = vec!["?"; batches.len()].join(", ");
    let mut query = sqlx::query(AssertSqlSafe(format!("{select} IN ({values}) {rest}")));
    for batch in batches {
        query = query.bind(batch);
    }
    query
}
