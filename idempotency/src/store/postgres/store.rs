use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use sqlx::{PgPool, Postgres, query, raw_sql};

use super::{codes, row, statements::Statements};
use crate::{
    InvalidTable, KeyId, StoreError,
    store::{
        Claim, ClaimOutcome, Ownership, Record, Session, Settled, Settlement, Store, StuckKey,
        sql::{Abandoned, Columns, Table, micros},
    },
};

/// Keys in a PostgreSQL database, next to the effects they stand for. Clones share everything.
#[derive(Debug, Clone)]
pub struct PostgresStore {
    pub(super) inner: Arc<Inner>,
    tested: bool,
}

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) statements: Statements,
    pub(super) table: Table,
    pool: PgPool,
}

impl PostgresStore {
    /// Keeps keys in the table `idempotency_keys`.
    pub fn new(pool: PgPool) -> Self {
        Self::in_table(pool, Table::default())
    }

    /// Keeps keys in another table, `table` or `schema.table`.
    ///
    /// # Errors
    ///
    /// The name has other characters than letters, digits and underscores.
    pub fn with_table(pool: PgPool, table: &str) -> Result<Self, InvalidTable> {
        Ok(Self::in_table(pool, Table::new(table)?))
    }

    /// Sets whether an idle connection is asked if it is alive before a request's transaction begins on it, as the pool
    /// asks: yes by default.
    ///
    /// Without, what begins the transaction finds out. A request that meets a broken connection goes on with another,
    /// which the pool has tested, so this saves a round trip and costs no safety.
    ///
    /// But the pool does not call its `before_acquire` for such a connection either: leave this alone where that sets
    /// something which the work relies on, as a role or a tenant.
    #[must_use]
    pub fn test_before_acquire(mut self, test: bool) -> Self {
        self.tested = test;
        self
    }

    /// Returns the pool that the store takes its connections from.
    pub fn pool(&self) -> &PgPool {
        &self.inner.pool
    }

    fn in_table(pool: PgPool, table: Table) -> Self {
        Self { inner: Arc::new(Inner { statements: Statements::new(&table), table, pool }), tested: true }
    }

    pub(super) fn store_error(&self, error: sqlx::Error) -> StoreError {
        codes::store_error(&self.inner.table, error)
    }

    pub(super) async fn session(&self) -> Result<Session<Postgres>, StoreError> {
        Session::open(&self.inner.pool, Abandoned::Close, None, |error| self.store_error(error)).await
    }

    /// A session whose first packet begins a transaction.
    pub(super) async fn session_to_begin(&self) -> Result<Session<Postgres>, StoreError> {
        if self.tested {
            return self.session().await;
        }
        Session::open_untested(&self.inner.pool, |error| self.store_error(error)).await
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn migrate(&self) -> Result<(), StoreError> {
        let mut session = self.session().await?;
        let migrated = raw_sql(&self.inner.statements.migrate).execute(session.connection()).await;
        migrated.map_err(|error| self.store_error(error))?;
        session.finish();
        Ok(())
    }

    async fn check(&self) -> Result<(), StoreError> {
        let mut session = self.session().await?;
        let checked = raw_sql(&self.inner.statements.check).execute(session.connection()).await;
        let checked = match checked {
            Ok(_) => self.check_fences(session.connection()).await,
            Err(error) => Err(self.store_error(error)),
        };
        session.finish();
        checked
    }

    async fn find(&self, id: &KeyId) -> Result<Option<Record>, StoreError> {
        let mut session = self.session().await?;
        let record = self.find_on(session.connection(), id).await?;
        session.finish();
        Ok(record)
    }

    async fn claim(
        &self,
        claim: &Claim,
        lease: Duration,
        takeover: bool,
    ) -> Result<ClaimOutcome<Ownership>, StoreError> {
        let mut session = self.session().await?;
        let outcome = self.claim_on(session.connection(), claim, Some(lease), takeover).await?;
        session.finish();
        Ok(outcome)
    }

    async fn extend(&self, ownership: &Ownership, lease: Duration) -> Result<Settled, StoreError> {
        let mut session = self.session().await?;
        let statement = query(&self.inner.statements.extend)
            .bind(signed(lease))
            .bind(&ownership.id.as_bytes()[..])
            .bind(&ownership.owner.as_bytes()[..])
            .bind(ownership.epoch.cast_signed());
        let changed = self.change(&mut session, statement).await?;
        session.finish();
        Ok(Settled::by_rows(changed))
    }

    async fn settle(
        &self,
        ownership: &Ownership,
        settlement: &Settlement,
        ttl: Duration,
    ) -> Result<Settled, StoreError> {
        let mut session = self.session().await?;
        let settled = self.settle_on(session.connection(), ownership, settlement, ttl).await?;
        session.finish();
        Ok(settled)
    }

    async fn forget(&self, ownership: &Ownership) -> Result<Settled, StoreError> {
        let mut session = self.session().await?;
        let statement = query(&self.inner.statements.forget)
            .bind(&ownership.id.as_bytes()[..])
            .bind(&ownership.owner.as_bytes()[..])
            .bind(ownership.epoch.cast_signed());
        let changed = self.change(&mut session, statement).await?;
        session.finish();
        Ok(Settled::by_rows(changed))
    }

    async fn resolve(
        &self,
        id: &KeyId,
        epoch: u32,
        settlement: &Settlement,
        ttl: Duration,
    ) -> Result<Settled, StoreError> {
        let mut session = self.session().await?;
        let columns = Columns::from(settlement);
        let statement = query(&self.inner.statements.resolve)
            .bind(columns.status)
            .bind(columns.response_kind)
            .bind(columns.response_payload)
            .bind(columns.error_message)
            .bind(signed(ttl))
            .bind(&id.as_bytes()[..])
            .bind(epoch.cast_signed());
        let changed = self.change(&mut session, statement).await?;
        session.finish();
        Ok(Settled::by_rows(changed))
    }

    async fn stuck(&self, limit: u32) -> Result<Vec<StuckKey>, StoreError> {
        let mut session = self.session().await?;
        let rows =
            query(&self.inner.statements.stuck).bind(i64::from(limit)).fetch_all(session.connection()).await;
        let rows = rows.map_err(|error| self.store_error(error))?;
        session.finish();
        rows.iter().map(|row| row::read_stuck(row).map_err(|error| self.store_error(error))?.read()).collect()
    }

    async fn sweep(&self, grace: Duration, limit: u32) -> Result<u64, StoreError> {
        let mut session = self.session().await?;
        let statement = query(&self.inner.statements.sweep).bind(signed(grace)).bind(i64::from(limit));
        let swept = self.change(&mut session, statement).await?;
        session.finish();
        Ok(swept)
    }
}

/// The microseconds of `duration`, as the server takes them.
pub(super) fn signed(duration: Duration) -> i64 {
    micros(duration).cast_signed()
}
