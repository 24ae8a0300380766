//! What the server's error codes mean.

use sqlx::Error;

use crate::{
    StoreError, StoreErrorKind,
    store::{NotBegun, sql::Table},
};

// <https://www.postgresql.org/docs/current/errcodes-appendix.html>

/// The transaction was chosen to end a deadlock.
const DEADLOCK_DETECTED: &str = "40P01";
/// The transaction met a change that its isolation level does not allow.
const SERIALIZATION_FAILURE: &str = "40001";
/// A lock was not obtained in time.
const LOCK_NOT_AVAILABLE: &str = "55P03";
/// How begin.sql says that the row is not ours.
const DIVISION_BY_ZERO: &str = "22012";
/// The table is missing.
const UNDEFINED_TABLE: &str = "42P01";
/// A column is missing.
const UNDEFINED_COLUMN: &str = "42703";
/// The schema is missing.
const INVALID_SCHEMA_NAME: &str = "3F000";
/// Two migrations at once: the catalogue has the table already.
const UNIQUE_VIOLATION: &str = "23505";
/// The server is a standby, as the old primary is after a failover, or transactions are read only unless they say
/// otherwise.
const READ_ONLY_SQL_TRANSACTION: &str = "25006";
/// The server is shutting down or starting, or an administrator ended the connection.
const OPERATOR_INTERVENTION: &str = "57";
/// The server has no more connections, memory or disk to give.
const INSUFFICIENT_RESOURCES: &str = "53";
/// The connection broke.
const CONNECTION_EXCEPTION: &str = "08";

/// Says what a failure means for its caller.
pub(super) fn store_error(table: &Table, error: Error) -> StoreError {
    let kind = match &error {
        Error::Database(database) => kind(table, database.code().as_deref()),
        Error::ColumnDecode { .. } | Error::ColumnNotFound(_) | Error::Decode(_) => StoreErrorKind::Corrupt,
        Error::Io(_) | Error::Tls(_) | Error::Protocol(_) | Error::PoolTimedOut | Error::PoolClosed => {
            StoreErrorKind::Unavailable
        }
        _ => StoreErrorKind::Refused,
    };
    StoreError::new(kind, error)
}

fn kind(table: &Table, code: Option<&str>) -> StoreErrorKind {
    match code {
        Some(
            DEADLOCK_DETECTED
            | SERIALIZATION_FAILURE
            | LOCK_NOT_AVAILABLE
            | DIVISION_BY_ZERO
            | UNIQUE_VIOLATION,
        ) => StoreErrorKind::Contended,
        Some(UNDEFINED_TABLE | UNDEFINED_COLUMN | INVALID_SCHEMA_NAME) => {
            StoreErrorKind::Schema { table: table.as_str().to_owned() }
        }
        Some(code)
            if [
                READ_ONLY_SQL_TRANSACTION,
                OPERATOR_INTERVENTION,
                INSUFFICIENT_RESOURCES,
                CONNECTION_EXCEPTION,
            ]
            .iter()
            .any(|class| code.starts_with(class)) =>
        {
            StoreErrorKind::Unavailable
        }
        _ => StoreErrorKind::Refused,
    }
}

/// Says what a failure of begin.sql means.
pub(super) fn not_begun(table: &Table, error: Error) -> NotBegun {
    let code = error.as_database_error().and_then(|error| error.code().map(std::borrow::Cow::into_owned));
    match code.as_deref() {
        Some(DIVISION_BY_ZERO) => NotBegun::Lost(None),
        Some(LOCK_NOT_AVAILABLE) => NotBegun::Busy,
        _ => NotBegun::Failed(store_error(table, error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_says_whether_to_come_again() {
        let table = Table::default();
        let schema = StoreErrorKind::Schema { table: table.as_str().to_owned() };
        let codes = [
            (StoreErrorKind::Contended, &["40P01", "40001", "55P03", "22012", "23505"][..]),
            (
                StoreErrorKind::Unavailable,
                &["25006", "53100", "53200", "53300", "57014", "57P01", "57P02", "57P03", "08006"],
            ),
            (schema, &["42P01", "42703", "3F000"]),
            // No transaction, access denied, a syntax error, a value too long.
            (StoreErrorKind::Refused, &["25P01", "42501", "42601", "22001"]),
        ];
        for (expected, codes) in codes {
            for &code in codes {
                assert_eq!(kind(&table, Some(code)), expected, "{code}");
            }
        }
        assert_eq!(kind(&table, None), StoreErrorKind::Refused);
    }
}
