use std::{convert::Infallible, time::Duration};

use async_trait::async_trait;
use sqlx::{Connection, Sqlite, SqliteConnection, Transaction};

use super::SqliteStore;
use crate::{
    StoreError, StoreErrorKind,
    store::{
        Claim, ClaimOutcome, CommitError, NotBegun, Ownership, Record, Session, Settled, Settlement, Store,
        TransactionalStore, sql::Abandoned,
    },
};

#[async_trait]
impl TransactionalStore for SqliteStore {
    type Database = Sqlite;

    fn error(&self, error: sqlx::Error) -> StoreError {
        self.store_error(error)
    }

    async fn connect(&self, _claim: &Claim) -> Result<Session<Sqlite>, StoreError> {
        // The turn first: who waits for it holds no connection.
        let turn = self.turn().await?;
        // The driver's worker answers its commands in order and rolls back what nobody waits for any more, and
        // to close the connection of a database in memory would be to lose the database.
        Session::open(&self.inner.pool, Abandoned::Keep, Some(turn), |error| self.store_error(error)).await
    }

    async fn begin<'c>(
        &self,
        session: &'c mut Session<Sqlite>,
        claim: &Claim,
    ) -> Result<Transaction<'c, Sqlite>, NotBegun> {
        let failed = |error| NotBegun::Failed(self.store_error(error));
        let mut transaction = session.connection().begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
        match self.claim_on(&mut transaction, claim, None, false).await {
            Ok(Some(_)) => {
                let savepoint = sqlx::raw_sql("SAVEPOINT idempotency_work").execute(&mut *transaction);
                savepoint.await.map_err(failed)?;
                Ok(transaction)
            }
            Ok(None) => {
                let record = self.find_on(&mut transaction, &claim.id).await.map_err(NotBegun::Failed)?;
                transaction.rollback().await.map_err(failed)?;
                Err(NotBegun::Lost(record))
            }
            Err(error) => Err(NotBegun::Failed(error)),
        }
    }

    async fn explain(
        &self,
        _session: &mut Session<Sqlite>,
        claim: &Claim,
        why: NotBegun,
    ) -> Result<ClaimOutcome<Infallible>, StoreError> {
        match why {
            NotBegun::Lost(Some(record)) => Ok(record.verdict(&claim.fingerprint)),
            NotBegun::Lost(None) | NotBegun::Busy | NotBegun::Unprepared => {
                Err(StoreErrorKind::Contended.into())
            }
            NotBegun::Failed(error) => Err(error),
        }
    }

    async fn undo(&self, transaction: &mut Transaction<'_, Sqlite>) -> Result<(), StoreError> {
        let undone = sqlx::raw_sql("ROLLBACK TO SAVEPOINT idempotency_work").execute(&mut **transaction);
        undone.await.map(|_| ()).map_err(|error| self.store_error(error))
    }

    async fn write(
        &self,
        transaction: &mut Transaction<'_, Sqlite>,
        claim: &Claim,
        settlement: &Settlement,
    ) -> Result<Settled, StoreError> {
        let owner = (&claim.owner.as_bytes()[..], None);
        self.settle_on(transaction, &claim.id, owner, settlement, claim.ttl).await
    }

    async fn claim_in(
        &self,
        connection: &mut SqliteConnection,
        claim: &Claim,
    ) -> Result<ClaimOutcome<Ownership>, StoreError> {
        self.claim_row(connection, claim, None, false).await
    }

    async fn settle_in(
        &self,
        connection: &mut SqliteConnection,
        ownership: &Ownership,
        settlement: &Settlement,
        ttl: Duration,
    ) -> Result<Settled, StoreError> {
        let owner = (&ownership.owner.as_bytes()[..], Some(ownership.epoch));
        self.settle_on(connection, &ownership.id, owner, settlement, ttl).await
    }

    async fn commit(&self, transaction: Transaction<'_, Sqlite>) -> Result<(), CommitError> {
        // The database is in this process: its reply cannot be lost.
        transaction.commit().await.map_err(|error| CommitError::Refused(self.store_error(error)))
    }

    async fn rollback(&self, mut transaction: Transaction<'_, Sqlite>) -> Result<(), StoreError> {
        // SQLite itself ends a transaction on some errors (https://sqlite.org/lang_transaction.html). The driver goes on
        // counting it, has nothing to end, and could never begin on this connection again. Refused where it is open.
        let _ = sqlx::raw_sql("BEGIN").execute(&mut *transaction).await;
        transaction.rollback().await.map_err(|error| self.store_error(error))
    }

    async fn find_settled(&self, claim: &Claim) -> Result<Option<Record>, StoreError> {
        self.find(&claim.id).await
    }
}
