use std::time::Duration;

use idempotency::{
    Idempotency, IdempotencyKey, MySqlStore, Outcome, Reconciled, Settings, SqliteStore, Sweep,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Conn, Database, Leased};
use crate::error::ShopError;

/// How soon others notice that whoever did the work has died.
const LEASE: Duration = Duration::from_secs(30);

/// One effect per key: the key, the effect and the answer commit together, or nothing does. Cloning is cheap.
#[derive(Debug, Clone)]
pub enum Once {
    /// Keys in the SQLite file.
    Sqlite(Idempotency<SqliteStore>),
    /// Keys in MySQL or MariaDB.
    MySql(Idempotency<MySqlStore>),
}

impl Once {
    /// Keys in the shop's own database, in a table that is made if it is missing.
    ///
    /// # Errors
    ///
    /// The table cannot be made.
    pub async fn open(database: &Database, settings: Settings) -> Result<Self, idempotency::StoreError> {
        match database {
            Database::Sqlite { writer, .. } => {
                let once = Idempotency::with_settings(SqliteStore::new(writer.clone()), settings);
                once.migrate().await?;
                Ok(Self::Sqlite(once))
            }
            Database::MySql(pool) => {
                let once = Idempotency::with_settings(MySqlStore::new(pool.clone()), settings);
                once.migrate().await?;
                Ok(Self::MySql(once))
            }
        }
    }

    /// Runs `work` in the transaction that also holds the key, once per key and operation.
    ///
    /// Keys are the shop's, not the user's: who sends the key of another's request gets a refusal, never the answer.
    /// So the user is to be part of `request`, which says what the key stands for.
    ///
    /// # Errors
    ///
    /// What `work` answers, and [`ShopError::Idempotency`].
    pub async fn run<T, W>(
        &self,
        operation: &str,
        key: IdempotencyKey,
        request: &impl Serialize,
        work: W,
    ) -> Result<Outcome<T>, ShopError>
    where
        T: Serialize + DeserializeOwned,
        W: AsyncFnOnce(Conn<'_>) -> Result<T, ShopError>,
    {
        match self {
            Self::Sqlite(once) => {
                let request = once.request(operation, key)?.fingerprint(request);
                request.transaction(async |tx| work(Conn::Sqlite(tx)).await).await
            }
            Self::MySql(once) => {
                let request = once.request(operation, key)?.fingerprint(request);
                request.transaction(async |tx| work(Conn::MySql(tx)).await).await
            }
        }
    }

    /// Claims the key for a time and runs `work` outside of any transaction, once per key and operation; where the
    /// outcome of earlier work is not known, `find_out` tells.
    ///
    /// Never waits for work in flight elsewhere: who asks holds the locks of the work, so that its owner has died or lost
    /// them, and everybody else who wants one of them would wait as well.
    ///
    /// # Errors
    ///
    /// What `work` and `find_out` answer, and [`ShopError::Idempotency`].
    pub async fn lease<T, W, F>(
        &self,
        operation: &str,
        key: IdempotencyKey,
        request: &impl Serialize,
        work: W,
        find_out: F,
    ) -> Result<Outcome<T>, ShopError>
    where
        T: Serialize + DeserializeOwned,
        W: AsyncFnOnce(Leased<'_>) -> Result<T, ShopError>,
        F: AsyncFnOnce() -> Result<Reconciled<T>, ShopError>,
    {
        match self {
            Self::Sqlite(once) => {
                let request =
                    once.request(operation, key)?.fingerprint(request).wait(Duration::ZERO).lease(LEASE);
                request
                    .run_or_reconcile(
                        async |lease| work(Leased::Sqlite(lease)).await,
                        async |_| find_out().await,
                    )
                    .await
            }
            Self::MySql(once) => {
                let request =
                    once.request(operation, key)?.fingerprint(request).wait(Duration::ZERO).lease(LEASE);
                request
                    .run_or_reconcile(
                        async |lease| work(Leased::MySql(lease)).await,
                        async |_| find_out().await,
                    )
                    .await
            }
        }
    }

    /// Counts, up to `most`, the keys that no request will settle by itself: of unknown outcome, or left behind.
    ///
    /// # Errors
    ///
    /// The database is away.
    pub async fn stuck(&self, most: u32) -> Result<usize, idempotency::StoreError> {
        let stuck = match self {
            Self::Sqlite(once) => once.admin().stuck(most).await?,
            Self::MySql(once) => once.admin().stuck(most).await?,
        };
        Ok(stuck.len())
    }

    /// Deletes the keys whose time is over; answers how many those were.
    ///
    /// # Errors
    ///
    /// The database is away.
    pub async fn sweep(&self) -> Result<u64, idempotency::StoreError> {
        match self {
            Self::Sqlite(once) => once.sweep_once(&Sweep::default()).await,
            Self::MySql(once) => once.sweep_once(&Sweep::default()).await,
        }
    }
}
