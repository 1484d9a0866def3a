//! Statements about some batches at once, the way PostgreSQL likes it: all of them are one value.

use sqlx::AssertSqlSafe;
use sqlx::postgres::{PgArguments, Postgres};
use sqlx::query::Query;

/// Returns the statement `{select} = any of these batches {rest}`.
pub(super) fn by_batch<'q>(
    select: &str,
    batches: &'q [Vec<u8>],
    rest: &str,
) -> Query<'q, Postgres, PgArguments> {
    sqlx::query(AssertSqlSafe(format!("{select} = ANY($1) {rest}"))).bind(batches)
}
