//! Error numbers of MySQL and MariaDB, <https://mariadb.com/kb/en/mariadb-error-code-reference/> and
//! <https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html>.

use sqlx::error::DatabaseError;
use sqlx::mysql::MySqlDatabaseError;

use crate::store::error::Kind;

const LOCK_DEADLOCK: u16 = 1213;
const LOCK_WAIT_TIMEOUT: u16 = 1205;
/// MariaDB: the row changed since this transaction's snapshot was taken.
const CHECKREAD: u16 = 1020;
/// The server, or this user, has no more connections to give.
const TOO_MANY_CONNECTIONS: u16 = 1040;
const TOO_MANY_USER_CONNECTIONS: u16 = 1203;
const SERVER_SHUTDOWN: u16 = 1053;
const NORMAL_SHUTDOWN: u16 = 1077;
/// The statement, or its connection, was ended by an administrator or by a server that goes down.
const QUERY_INTERRUPTED: u16 = 1317;
const CONNECTION_KILLED: u16 = 1927;
const SESSION_WAS_KILLED: u16 = 3169;
/// MySQL: the connection lay idle for too long.
const CLIENT_INTERACTION_TIMEOUT: u16 = 4031;
/// The server is a replica, or does not take writes for now.
const READ_ONLY: u16 = 1290;
const READ_ONLY_MODE: u16 = 1836;
const READ_ONLY_TRANSACTION: u16 = 1792;
const DISK_FULL: u16 = 1021;
const RECORD_FILE_FULL: u16 = 1114;

pub(crate) fn kind(error: &dyn DatabaseError) -> Kind {
    if error.is_unique_violation() {
        return Kind::Duplicate;
    }
    of_number(error.try_downcast_ref::<MySqlDatabaseError>().map(MySqlDatabaseError::number))
}

fn of_number(number: Option<u16>) -> Kind {
    match number {
        Some(LOCK_DEADLOCK | LOCK_WAIT_TIMEOUT | CHECKREAD) => Kind::Conflict,
        Some(
            TOO_MANY_CONNECTIONS
            | TOO_MANY_USER_CONNECTIONS
            | SERVER_SHUTDOWN
            | NORMAL_SHUTDOWN
            | QUERY_INTERRUPTED
            | CONNECTION_KILLED
            | SESSION_WAS_KILLED
            | CLIENT_INTERACTION_TIMEOUT
            | READ_ONLY
            | READ_ONLY_MODE
            | READ_ONLY_TRANSACTION
            | DISK_FULL
            | RECORD_FILE_FULL,
        ) => Kind::Unavailable,
        _ => Kind::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_says_whether_to_come_again() {
        let away = [1040, 1203, 1053, 1077, 1317, 1927, 3169, 4031, 1290, 1836, 1792, 1021, 1114];
        let numbers = [
            (Kind::Conflict, &[1213, 1205, 1020][..]),
            (Kind::Unavailable, &away),
            // Access denied, a syntax error, data too long.
            (Kind::Refused, &[1045, 1064, 1406]),
        ];
        for (expected, numbers) in numbers {
            for &number in numbers {
                assert_eq!(of_number(Some(number)), expected, "{number}");
            }
        }
        assert_eq!(of_number(None), Kind::Refused);
    }
}
