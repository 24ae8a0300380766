//! Error numbers of MySQL and MariaDB, <https://mariadb.com/kb/en/mariadb-error-code-reference/> and
//! <https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html>.

use sqlx::error::DatabaseError;
use sqlx::mysql::MySqlDatabaseError;

use crate::store::error::Kind;

const LOCK_DEADLOCK: u16 = 1213;
const LOCK_WAIT_TIMEOUT: u16 = 1205;
/// MariaDB: the row changed since this transaction's snapshot was taken.
const CHECKREAD: u16 = 1020;
const TOO_MANY_CONNECTIONS: u16 = 1040;
const SERVER_SHUTDOWN: u16 = 1053;
const NORMAL_SHUTDOWN: u16 = 1077;
/// The statement, or its connection, was ended by an administrator or by a server that goes down.
const QUERY_INTERRUPTED: u16 = 1317;
const CONNECTION_KILLED: u16 = 1927;
const READ_ONLY: u16 = 1290;
const READ_ONLY_MODE: u16 = 1836;
const DISK_FULL: u16 = 1021;
const RECORD_FILE_FULL: u16 = 1114;

pub(crate) fn kind(error: &dyn DatabaseError) -> Kind {
    if error.is_unique_violation() {
        return Kind::Duplicate;
    }
    match error.try_downcast_ref::<MySqlDatabaseError>().map(MySqlDatabaseError::number) {
        Some(LOCK_DEADLOCK | LOCK_WAIT_TIMEOUT | CHECKREAD) => Kind::Conflict,
        Some(
            TOO_MANY_CONNECTIONS | SERVER_SHUTDOWN | NORMAL_SHUTDOWN | QUERY_INTERRUPTED | CONNECTION_KILLED
            | READ_ONLY | READ_ONLY_MODE | DISK_FULL | RECORD_FILE_FULL,
        ) => Kind::Unavailable,
        _ => Kind::Refused,
    }
}
