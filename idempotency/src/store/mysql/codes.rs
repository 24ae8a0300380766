//! What the servers' error codes mean.

use sqlx::{Error, mysql::MySqlDatabaseError};

use crate::{
    StoreError, StoreErrorKind,
    store::{NotBegun, sql::Table},
};

// <https://dev.mysql.com/doc/mysql-errors/9.1/en/server-error-reference.html>,
// <https://mariadb.com/docs/server/reference/error-codes/mariadb-error-code-reference>

/// The transaction was chosen to end a deadlock, and is rolled back.
const ER_LOCK_DEADLOCK: u16 = 1213;
/// A row lock was not obtained in time; only the statement is undone. MariaDB says it for NOWAIT, too.
const ER_LOCK_WAIT_TIMEOUT: u16 = 1205;
/// MySQL: a row is locked and the statement says NOWAIT.
const ER_LOCK_NOWAIT: u16 = 3572;
/// MariaDB with `innodb_snapshot_isolation`: the row has changed since the snapshot.
const ER_CHECKREAD: u16 = 1020;
/// Somebody inserted the same key in between.
const ER_DUP_ENTRY: u16 = 1062;
/// SIGNAL: how finish.sql says that the row is not ours.
const ER_SIGNAL_EXCEPTION: u16 = 1644;
/// This connection has prepared nothing of that name.
const ER_UNKNOWN_STMT_HANDLER: u16 = 1243;
/// What only MariaDB can parse, and prepare.
const ER_PARSE_ERROR: u16 = 1064;
const ER_UNSUPPORTED_PS: u16 = 1295;
/// A number is too large: how begin.sql says that the row is not ours.
const ER_DATA_OUT_OF_RANGE: u16 = 1690;
/// The table is missing.
const ER_NO_SUCH_TABLE: u16 = 1146;
/// A column is missing.
const ER_BAD_FIELD_ERROR: u16 = 1054;
/// The server, or this user, has no more connections to give.
const ER_CON_COUNT_ERROR: u16 = 1040;
const ER_TOO_MANY_USER_CONNECTIONS: u16 = 1203;
/// The server is shutting down.
const ER_SERVER_SHUTDOWN: u16 = 1053;
const ER_NORMAL_SHUTDOWN: u16 = 1077;
/// Somebody ended the statement with KILL.
const ER_QUERY_INTERRUPTED: u16 = 1317;
/// Somebody ended the connection with KILL, on MariaDB and on MySQL.
const ER_CONNECTION_KILLED: u16 = 1927;
const ER_SESSION_WAS_KILLED: u16 = 3169;
/// MySQL: the connection lay idle for too long.
const ER_CLIENT_INTERACTION_TIMEOUT: u16 = 4031;
/// The server is read only (`read_only`), as a replica is, and as the old primary is during a failover.
const ER_OPTION_PREVENTS_STATEMENT: u16 = 1290;
const ER_READ_ONLY_MODE: u16 = 1836;
/// Transactions are read only unless they say otherwise.
const ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION: u16 = 1792;
/// The disk, or the table's space on it, is full.
const ER_DISK_FULL: u16 = 1021;
const ER_RECORD_FILE_FULL: u16 = 1114;

/// Says what a failure means for its caller.
pub(super) fn store_error(table: &Table, error: Error) -> StoreError {
    let kind = match &error {
        Error::Database(_) => kind(table, number(&error)),
        Error::ColumnDecode { .. } | Error::ColumnNotFound(_) | Error::Decode(_) => StoreErrorKind::Corrupt,
        Error::Io(_) | Error::Tls(_) | Error::Protocol(_) | Error::PoolTimedOut | Error::PoolClosed => {
            StoreErrorKind::Unavailable
        }
        _ => StoreErrorKind::Refused,
    };
    StoreError::new(kind, error)
}

fn kind(table: &Table, number: Option<u16>) -> StoreErrorKind {
    match number {
        Some(
            ER_LOCK_DEADLOCK | ER_LOCK_WAIT_TIMEOUT | ER_LOCK_NOWAIT | ER_CHECKREAD | ER_DUP_ENTRY
            | ER_DATA_OUT_OF_RANGE,
        ) => StoreErrorKind::Contended,
        Some(
            ER_CON_COUNT_ERROR
            | ER_TOO_MANY_USER_CONNECTIONS
            | ER_SERVER_SHUTDOWN
            | ER_NORMAL_SHUTDOWN
            | ER_QUERY_INTERRUPTED
            | ER_CONNECTION_KILLED
            | ER_SESSION_WAS_KILLED
            | ER_CLIENT_INTERACTION_TIMEOUT
            | ER_OPTION_PREVENTS_STATEMENT
            | ER_READ_ONLY_MODE
            | ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION
            | ER_DISK_FULL
            | ER_RECORD_FILE_FULL,
        ) => StoreErrorKind::Unavailable,
        Some(ER_NO_SUCH_TABLE | ER_BAD_FIELD_ERROR) => {
            StoreErrorKind::Schema { table: table.as_str().to_owned() }
        }
        _ => StoreErrorKind::Refused,
    }
}

/// Says what a failure of begin.sql means.
pub(super) fn not_begun(table: &Table, error: Error) -> NotBegun {
    match number(&error) {
        Some(ER_UNKNOWN_STMT_HANDLER) => NotBegun::Unprepared,
        Some(ER_DATA_OUT_OF_RANGE | ER_DUP_ENTRY) => NotBegun::Lost(None),
        Some(ER_LOCK_WAIT_TIMEOUT | ER_LOCK_NOWAIT) => NotBegun::Busy,
        _ => NotBegun::Failed(store_error(table, error)),
    }
}

/// Tells whether finish.sql has found that the row is not its own.
pub(super) fn is_not_theirs(error: &Error) -> bool {
    number(error) == Some(ER_SIGNAL_EXCEPTION)
}

/// Tells whether the server takes no block of statements, as prepare.sql and finish.sql are: it has done nothing then.
pub(super) fn is_not_known(error: &Error) -> bool {
    matches!(number(error), Some(ER_PARSE_ERROR | ER_UNSUPPORTED_PS))
}

fn number(error: &Error) -> Option<u16> {
    Some(error.as_database_error()?.try_downcast_ref::<MySqlDatabaseError>()?.number())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_says_whether_to_come_again() {
        let table = Table::default();
        let schema = StoreErrorKind::Schema { table: table.as_str().to_owned() };
        let numbers = [
            (StoreErrorKind::Contended, &[1213, 1205, 3572, 1020, 1062, 1690][..]),
            (
                StoreErrorKind::Unavailable,
                &[1040, 1203, 1053, 1077, 1317, 1927, 3169, 4031, 1290, 1836, 1792, 1021, 1114],
            ),
            (schema, &[1146, 1054]),
            // Access denied, a syntax error, data too long, deadlock's SQLSTATE taken for a number.
            (StoreErrorKind::Refused, &[1045, 1064, 1406, 40001]),
        ];
        for (expected, numbers) in numbers {
            for &number in numbers {
                assert_eq!(kind(&table, Some(number)), expected, "{number}");
            }
        }
        assert_eq!(kind(&table, None), StoreErrorKind::Refused);
    }
}
