use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use sqlx::{SqlitePool, query};
use tokio::{
    sync::{Mutex, OwnedMutexGuard},
    time::timeout,
};

use super::{codes, row, statements::Statements};
use crate::{
    InvalidTable, KeyId, StoreError, StoreErrorKind,
    store::{
        Claim, ClaimOutcome, Ownership, Record, Settled, Settlement, Store, StuckKey,
        sql::{Columns, Table, millis},
    },
};

/// Keys in a SQLite database, next to the effects they stand for. Clones share everything.
///
/// A SQLite database has one writer at a time. The requests of this store queue for it in memory, in the order
/// in which they come, instead of polling the file's lock; other writers and other processes are waited for
/// as long as the pool's busy timeout says.
#[derive(Debug, Clone)]
pub struct SqliteStore {
    pub(super) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) pool: SqlitePool,
    pub(super) statements: Statements,
    pub(super) table: Table,
    writer: Arc<Mutex<()>>,
}

impl SqliteStore {
    /// Keeps keys in the table `idempotency_keys`.
    pub fn new(pool: SqlitePool) -> Self {
        Self::in_table(pool, Table::default())
    }

    /// Keeps keys in another table.
    ///
    /// # Errors
    ///
    /// The name has other characters than letters, digits and underscores.
    pub fn with_table(pool: SqlitePool, table: &str) -> Result<Self, InvalidTable> {
        Ok(Self::in_table(pool, Table::new(table)?))
    }

    /// Returns the pool that the store takes its connections from.
    pub fn pool(&self) -> &SqlitePool {
        &self.inner.pool
    }

    fn in_table(pool: SqlitePool, table: Table) -> Self {
        let statements = Statements::new(&table);
        Self { inner: Arc::new(Inner { pool, statements, table, writer: Arc::default() }) }
    }

    pub(super) fn store_error(&self, error: sqlx::Error) -> StoreError {
        codes::store_error(&self.inner.table, error)
    }

    /// Waits for this process's turn to write, as long as the pool lets others wait for a connection.
    pub(super) async fn turn(&self) -> Result<OwnedMutexGuard<()>, StoreError> {
        let patience = self.inner.pool.options().get_acquire_timeout();
        let turn = timeout(patience, Arc::clone(&self.inner.writer).lock_owned()).await;
        turn.map_err(|elapsed| StoreError::new(StoreErrorKind::Contended, elapsed))
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn migrate(&self) -> Result<(), StoreError> {
        let _turn = self.turn().await?;
        let connection = self.inner.pool.acquire().await;
        let mut connection = connection.map_err(|error| self.store_error(error))?;
        for statement in
            [sqlx::raw_sql("PRAGMA journal_mode = WAL"), sqlx::raw_sql(&self.inner.statements.migrate)]
        {
            statement.execute(&mut *connection).await.map_err(|error| self.store_error(error))?;
        }
        Ok(())
    }

    async fn check(&self) -> Result<(), StoreError> {
        let connection = self.inner.pool.acquire().await;
        let mut connection = connection.map_err(|error| self.store_error(error))?;
        let checked = sqlx::raw_sql(&self.inner.statements.check).execute(&mut *connection).await;
        checked.map_err(|error| self.store_error(error))?;
        self.check_fences(&mut connection).await
    }

    async fn find(&self, id: &KeyId) -> Result<Option<Record>, StoreError> {
        let connection = self.inner.pool.acquire().await;
        self.find_on(&mut *connection.map_err(|error| self.store_error(error))?, id).await
    }

    async fn claim(
        &self,
        claim: &Claim,
        lease: Duration,
        takeover: bool,
    ) -> Result<ClaimOutcome<Ownership>, StoreError> {
        let _turn = self.turn().await?;
        let connection = self.inner.pool.acquire().await;
        let mut connection = connection.map_err(|error| self.store_error(error))?;
        if let Some(epoch) = self.claim_on(&mut connection, claim, Some(lease), takeover).await? {
            return Ok(ClaimOutcome::Started(Ownership { id: claim.id, owner: claim.owner, epoch }));
        }
        match self.find_on(&mut connection, &claim.id).await? {
            Some(record) => Ok(record.verdict(&claim.fingerprint)),
            None => Err(StoreErrorKind::Contended.into()),
        }
    }

    async fn extend(&self, ownership: &Ownership, lease: Duration) -> Result<Settled, StoreError> {
        let statement = query(&self.inner.statements.extend)
            .bind(&ownership.id.as_bytes()[..])
            .bind(&ownership.owner.as_bytes()[..])
            .bind(ownership.epoch)
            .bind(millis(lease));
        self.change(statement).await.map(Settled::by_rows)
    }

    async fn settle(
        &self,
        ownership: &Ownership,
        settlement: &Settlement,
        ttl: Duration,
    ) -> Result<Settled, StoreError> {
        let _turn = self.turn().await?;
        let connection = self.inner.pool.acquire().await;
        let mut connection = connection.map_err(|error| self.store_error(error))?;
        let owner = (&ownership.owner.as_bytes()[..], Some(ownership.epoch));
        self.settle_on(&mut connection, &ownership.id, owner, settlement, ttl).await
    }

    async fn forget(&self, ownership: &Ownership) -> Result<Settled, StoreError> {
        let statement = query(&self.inner.statements.forget)
            .bind(&ownership.id.as_bytes()[..])
            .bind(&ownership.owner.as_bytes()[..])
            .bind(ownership.epoch);
        self.change(statement).await.map(Settled::by_rows)
    }

    async fn resolve(
        &self,
        id: &KeyId,
        epoch: u32,
        settlement: &Settlement,
        ttl: Duration,
    ) -> Result<Settled, StoreError> {
        let columns = Columns::from(settlement);
        let statement = query(&self.inner.statements.resolve)
            .bind(columns.status)
            .bind(columns.response_kind)
            .bind(columns.response_payload)
            .bind(columns.error_message)
            .bind(millis(ttl))
            .bind(&id.as_bytes()[..])
            .bind(epoch);
        self.change(statement).await.map(Settled::by_rows)
    }

    async fn stuck(&self, limit: u32) -> Result<Vec<StuckKey>, StoreError> {
        let rows = query(&self.inner.statements.stuck).bind(limit).fetch_all(&self.inner.pool).await;
        let rows = rows.map_err(|error| self.store_error(error))?;
        rows.iter().map(|row| row::read_stuck(row).map_err(|error| self.store_error(error))?.read()).collect()
    }

    async fn sweep(&self, grace: Duration, limit: u32) -> Result<u64, StoreError> {
        self.change(query(&self.inner.statements.sweep).bind(millis(grace)).bind(limit)).await
    }
}
