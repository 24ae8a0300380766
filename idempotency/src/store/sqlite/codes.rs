//! What the database's error codes mean.

use sqlx::Error;

use crate::{StoreError, StoreErrorKind, store::sql::Table};

/// <https://www.sqlite.org/rescode.html#busy>: another connection writes.
const SQLITE_BUSY: u32 = 5;
/// <https://www.sqlite.org/rescode.html#locked>: another statement of this connection's cache has the table.
const SQLITE_LOCKED: u32 = 6;
/// <https://www.sqlite.org/rescode.html#error>: also what a missing table or column comes as.
const SQLITE_ERROR: u32 = 1;

/// Says what a failure means for its caller.
pub(super) fn store_error(table: &Table, error: Error) -> StoreError {
    let kind = match &error {
        Error::Database(database) => {
            // The low byte of an extended code is the primary one.
            let code = database.code().and_then(|code| code.parse::<u32>().ok()).map(|code| code & 0xff);
            match code {
                Some(SQLITE_BUSY | SQLITE_LOCKED) => StoreErrorKind::Contended,
                Some(SQLITE_ERROR) if is_about_schema(database.message()) => {
                    StoreErrorKind::Schema { table: table.as_str().to_owned() }
                }
                _ => StoreErrorKind::Refused,
            }
        }
        Error::ColumnDecode { .. } | Error::ColumnNotFound(_) | Error::Decode(_) => StoreErrorKind::Corrupt,
        Error::Io(_) | Error::PoolTimedOut | Error::PoolClosed | Error::WorkerCrashed => {
            StoreErrorKind::Unavailable
        }
        _ => StoreErrorKind::Refused,
    };
    StoreError::new(kind, error)
}

/// SQLite has no code of its own for these two.
fn is_about_schema(message: &str) -> bool {
    message.contains("no such table")
        || message.contains("no such column")
        || message.contains("has no column")
}
