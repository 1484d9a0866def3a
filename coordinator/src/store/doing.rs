//! Which failures of a database pass by themselves, and what was being done when one came.

use std::error::Error;

use sqlx::migrate::MigrateError;

use super::{Result, StoreError};

/// Says what was being done when the database refused.
pub(super) trait Doing<T> {
    fn doing(self, doing: &'static str) -> Result<T>;
}

impl<T, E: Error + Send + Sync + 'static> Doing<T> for std::result::Result<T, E> {
    fn doing(self, doing: &'static str) -> Result<T> {
        self.map_err(|source| StoreError::Database { doing, source: Box::new(source) })
    }
}

/// Whether the same may succeed later without anybody doing anything but wait (or make room).
pub(super) fn is_passing(error: &(dyn Error + Send + Sync + 'static)) -> bool {
    // Who does not answer in time is away, and may have done it.
    if error.is::<tokio::time::error::Elapsed>() {
        return true;
    }
    let Some(error) = of_sqlx(error) else { return false };
    match error {
        // The connection could not be made or broke; what was sent may have arrived.
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::PoolTimedOut => true,
        _ => code(error).is_some_and(|code| {
            is_busy(&code)
                || COLLISIONS.contains(&code.as_str())
                || PASSING.iter().any(|passing| code.starts_with(passing))
        }),
    }
}

/// Whether two transactions were in each other's way, so that this one was undone as a whole and may be tried again
/// at once.
pub(super) fn is_collision(error: &StoreError) -> bool {
    let StoreError::Database { source, .. } = error else { return false };
    of_sqlx(source.as_ref()).and_then(code).is_some_and(|code| COLLISIONS.contains(&code.as_str()))
}

/// Serialization failure, deadlock.
const COLLISIONS: [&str; 2] = ["40001", "40P01"];

/// Classes and codes of PostgreSQL.
const PASSING: [&str; 9] = [
    // Connections, and servers that cannot answer now.
    "08",    // Disk, memory or connections are used up.
    "53",    // Read only, as a server is that was demoted.
    "25006", // The transaction was idle for too long: the process had been stopped.
    "25P03", // A lock was not free in time.
    "55P03", // A statement took too long, or somebody cancelled it.
    "57014", // The server shuts down, crashed, or starts.
    "57P01", "57P02", "57P03",
];

/// SQLite's busy, locked and full, in their extended codes too.
fn is_busy(code: &str) -> bool {
    code.len() < 5 && code.parse::<u32>().is_ok_and(|code| [5, 6, 13].contains(&(code & 0xff)))
}

fn of_sqlx<'a>(error: &'a (dyn Error + Send + Sync + 'static)) -> Option<&'a sqlx::Error> {
    if let Some(MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _)) =
        error.downcast_ref()
    {
        return Some(error);
    }
    error.downcast_ref()
}

fn code(error: &sqlx::Error) -> Option<String> {
    Some(error.as_database_error()?.code()?.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(error: sqlx::Error) -> bool {
        let failed: std::result::Result<(), _> = Err(error);
        failed.doing("be asked").unwrap_err().is_passing()
    }

    #[test]
    fn what_broke_on_the_way_passes_and_what_is_wrong_stays() {
        assert!(passes(std::io::Error::from(std::io::ErrorKind::ConnectionReset).into()));
        assert!(passes(sqlx::Error::PoolTimedOut));
        assert!(!passes(sqlx::Error::RowNotFound));
        assert!(!passes(sqlx::Error::PoolClosed));
        assert!(StoreError::Outrun { what: "a fact set" }.is_passing());
        assert!(!StoreError::Deposed.is_passing());
    }

    #[test]
    fn sqlites_codes_are_known_in_both_lengths() {
        for (code, busy) in
            [("5", true), ("517", true), ("13", true), ("1", false), ("2067", false), ("57014", false)]
        {
            assert_eq!(is_busy(code), busy, "{code}");
        }
    }
}
