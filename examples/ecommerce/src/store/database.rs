use std::time::Duration;

use sqlx::{MySqlPool, SqlitePool};

use super::conn::on;
use super::{Pooled, StoreError, mysql, sqlite};
use crate::settings::DatabaseAddress;

/// The shop's database. Cloning is cheap.
#[derive(Debug, Clone)]
pub enum Database {
    /// A SQLite file.
    Sqlite {
        /// Connections that read.
        readers: SqlitePool,
        /// The one connection that writes.
        writer: SqlitePool,
    },
    /// MySQL or MariaDB.
    MySql(MySqlPool),
}

/// How many connections there are, and how long to wait for one.
#[derive(Debug, Clone, Copy)]
pub struct PoolSettings {
    /// The most connections.
    pub size: u32,
    /// How long to wait for one.
    pub wait: Duration,
}

impl Database {
    /// Connects, and makes the tables and the start data where they are missing.
    ///
    /// # Errors
    ///
    /// [`ConnectError`] says which of the two steps failed.
    pub async fn open(address: &DatabaseAddress, settings: PoolSettings) -> Result<Self, ConnectError> {
        let unreachable =
            |source| ConnectError::Unreachable { address: address.to_string(), source: Box::new(source) };
        let database = match address {
            DatabaseAddress::Sqlite(options) => {
                let options = options.as_ref().clone();
                let (readers, writer) =
                    sqlite::connect::connect(options, settings).await.map_err(unreachable)?;
                Self::Sqlite { readers, writer }
            }
            DatabaseAddress::MySql(options) => Self::MySql(
                mysql::connect::connect(options.as_ref().clone(), settings).await.map_err(unreachable)?,
            ),
        };
        let migrated = match &database {
            Self::Sqlite { writer, .. } => sqlite::connect::migrate(writer).await,
            Self::MySql(pool) => mysql::connect::migrate(pool).await,
        };
        migrated.map_err(|source| ConnectError::Migration { source: Box::new(source) })?;
        Ok(database)
    }

    /// Takes a connection for reading.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when there is none in time.
    pub async fn reader(&self) -> Result<Pooled, StoreError> {
        match self {
            Self::Sqlite { readers, .. } => {
                readers.acquire().await.map(Pooled::Sqlite).map_err(StoreError::sqlite)
            }
            Self::MySql(pool) => pool.acquire().await.map(Pooled::MySql).map_err(StoreError::mysql),
        }
    }

    /// Takes a connection for writing, outside of a transaction.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when there is none in time.
    pub async fn writer(&self) -> Result<Pooled, StoreError> {
        match self {
            Self::Sqlite { writer, .. } => {
                writer.acquire().await.map(Pooled::Sqlite).map_err(StoreError::sqlite)
            }
            Self::MySql(pool) => pool.acquire().await.map(Pooled::MySql).map_err(StoreError::mysql),
        }
    }

    /// Asks the database for a sign of life.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it gives none.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let mut reader = self.reader().await?;
        on!(&mut reader.conn(), c => sqlx::query("SELECT 1").execute(c).await.map(drop))
    }

    /// Closes every connection, once it is given back.
    pub async fn close(&self) {
        match self {
            Self::Sqlite { readers, writer } => {
                readers.close().await;
                writer.close().await;
            }
            Self::MySql(pool) => pool.close().await,
        }
    }
}

/// Why the database could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// It did not answer, or refused the connection.
    #[error("cannot open the database ({address})")]
    Unreachable {
        /// Where it should be, without user or password.
        address: String,
        /// What was met.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The tables could not be made.
    #[error("cannot make the tables")]
    Migration {
        /// What was met.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
