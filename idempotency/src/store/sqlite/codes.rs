//! What the database's error codes mean, <https://www.sqlite.org/rescode.html>.

use sqlx::Error;

use crate::{StoreError, StoreErrorKind, store::sql::Table};

/// Another connection writes, and has for longer than the busy timeout.
const SQLITE_BUSY: u32 = 5;
/// The transaction began before another connection wrote: it is to begin again.
const SQLITE_BUSY_SNAPSHOT: u32 = 517;
/// Another statement of this connection's cache has the table.
const SQLITE_LOCKED: u32 = 6;
/// The file, or its directory, may not be written; or the connection is told to only read.
const SQLITE_READONLY: u32 = 8;
/// The disk does not do its part, or is full.
const SQLITE_IOERR: u32 = 10;
const SQLITE_FULL: u32 = 13;
/// The file, or its directory, is not there, or no more files can be opened.
const SQLITE_CANTOPEN: u32 = 14;
/// Also what a missing table or column comes as.
const SQLITE_ERROR: u32 = 1;

/// Says what a failure means for its caller.
pub(super) fn store_error(table: &Table, error: Error) -> StoreError {
    let kind = match &error {
        Error::Database(database) => {
            let code = database.code().and_then(|code| code.parse().ok());
            kind(table, code, database.message())
        }
        Error::ColumnDecode { .. } | Error::ColumnNotFound(_) | Error::Decode(_) => StoreErrorKind::Corrupt,
        Error::Io(_) | Error::PoolTimedOut | Error::PoolClosed | Error::WorkerCrashed => {
            StoreErrorKind::Unavailable
        }
        _ => StoreErrorKind::Refused,
    };
    StoreError::new(kind, error)
}

fn kind(table: &Table, code: Option<u32>, message: &str) -> StoreErrorKind {
    if code == Some(SQLITE_BUSY_SNAPSHOT) {
        return StoreErrorKind::Contended;
    }
    // The low byte of an extended code is the primary one.
    match code.map(|code| code & 0xff) {
        Some(SQLITE_LOCKED) => StoreErrorKind::Contended,
        Some(SQLITE_BUSY | SQLITE_READONLY | SQLITE_IOERR | SQLITE_FULL | SQLITE_CANTOPEN) => {
            StoreErrorKind::Unavailable
        }
        Some(SQLITE_ERROR) if is_about_schema(message) => {
            StoreErrorKind::Schema { table: table.as_str().to_owned() }
        }
        _ => StoreErrorKind::Refused,
    }
}

/// SQLite has no code of its own for these two.
fn is_about_schema(message: &str) -> bool {
    message.contains("no such table")
        || message.contains("no such column")
        || message.contains("has no column")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_says_whether_to_come_again() {
        let table = Table::default();
        let codes = [
            (StoreErrorKind::Contended, &[517, 6, 262][..]),
            // With some of their extended forms.
            (StoreErrorKind::Unavailable, &[5, 261, 773, 8, 1032, 10, 266, 778, 13, 14, 270]),
            // A constraint, a corrupt file, a file that is no database.
            (StoreErrorKind::Refused, &[1, 19, 2067, 11, 26]),
        ];
        for (expected, codes) in codes {
            for &code in codes {
                assert_eq!(kind(&table, Some(code), "no more than this"), expected, "{code}");
            }
        }
        let schema = StoreErrorKind::Schema { table: table.as_str().to_owned() };
        assert_eq!(kind(&table, Some(SQLITE_ERROR), "no such table: keys"), schema);
        assert_eq!(kind(&table, None, ""), StoreErrorKind::Refused);
    }
}
