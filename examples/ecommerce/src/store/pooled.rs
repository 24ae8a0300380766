use sqlx::pool::PoolConnection;
use sqlx::{MySql, Sqlite};

use super::Conn;

/// A connection that goes back to its pool when dropped.
#[derive(Debug)]
pub enum Pooled {
    /// To a SQLite file.
    Sqlite(PoolConnection<Sqlite>),
    /// To MySQL or MariaDB.
    MySql(PoolConnection<MySql>),
}

impl Pooled {
    /// The connection, to run queries on.
    pub fn conn(&mut self) -> Conn<'_> {
        match self {
            Self::Sqlite(connection) => Conn::Sqlite(connection),
            Self::MySql(connection) => Conn::MySql(connection),
        }
    }
}
