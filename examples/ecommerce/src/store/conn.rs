use sqlx::{MySqlConnection, SqliteConnection};

/// A connection to whichever database the shop runs on, inside or outside a transaction.
#[derive(Debug)]
pub enum Conn<'c> {
    /// To a SQLite file.
    Sqlite(&'c mut SqliteConnection),
    /// To MySQL or MariaDB.
    MySql(&'c mut MySqlConnection),
}

impl<'c> From<&'c mut SqliteConnection> for Conn<'c> {
    fn from(connection: &'c mut SqliteConnection) -> Self {
        Self::Sqlite(connection)
    }
}

impl<'c> From<&'c mut MySqlConnection> for Conn<'c> {
    fn from(connection: &'c mut MySqlConnection) -> Self {
        Self::MySql(connection)
    }
}

/// Runs one query on either database: `on!(conn, c => sqlx::query(…).bind(…).execute(c).await)`.
///
/// The query is written once, in sqlx's own words, and compiled for both.
macro_rules! on {
    ($conn:expr, $c:ident => $query:expr) => {
        match $conn {
            $crate::store::Conn::Sqlite(connection) => {
                let $c = &mut **connection;
                $query.map_err($crate::store::StoreError::sqlite)
            }
            $crate::store::Conn::MySql(connection) => {
                let $c = &mut **connection;
                $query.map_err($crate::store::StoreError::mysql)
            }
        }
    };
}
pub(crate) use on;

/// The text of a statement that the databases spell differently: one file of the same name for each.
macro_rules! pick {
    ($conn:expr, $file:literal) => {
        match $conn {
            $crate::store::Conn::Sqlite(_) => include_str!(concat!("sqlite/", $file)),
            $crate::store::Conn::MySql(_) => include_str!(concat!("mysql/", $file)),
        }
    };
}
pub(crate) use pick;
