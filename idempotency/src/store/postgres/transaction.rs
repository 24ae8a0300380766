use std::{convert::Infallible, time::Duration};

use async_trait::async_trait;
use sqlx::{Connection, PgConnection, Postgres, Transaction, query, raw_sql};

use super::{PostgresStore, codes, store::signed};
use crate::{
    StoreError, StoreErrorKind,
    flight::RETRY_AFTER,
    store::{
        Claim, ClaimOutcome, CommitError, NotBegun, Ownership, Record, Session, Settled, Settlement,
        TransactionalStore,
        sql::{Columns, Literal, kept, micros},
    },
};

/// How long to wait for the end of a transaction whose COMMIT was not answered.
const COMMIT_WAIT: Duration = Duration::from_secs(2);

#[async_trait]
impl TransactionalStore for PostgresStore {
    type Database = Postgres;

    fn error(&self, error: sqlx::Error) -> StoreError {
        self.store_error(error)
    }

    async fn connect(&self, _claim: &Claim) -> Result<Session<Postgres>, StoreError> {
        self.session_to_begin().await
    }

    async fn begin<'c>(
        &self,
        session: &'c mut Session<Postgres>,
        claim: &Claim,
    ) -> Result<Transaction<'c, Postgres>, NotBegun> {
        let packet = self.inner.statements.begin.render(&claimed(claim, claim.wait));
        // As the driver's own BEGIN, so that it counts the depth: what the caller begins inside is a savepoint.
        let begun = session.connection().begin_with(packet).await;
        begun.map_err(|error| codes::not_begun(&self.inner.table, error))
    }

    async fn explain(
        &self,
        session: &mut Session<Postgres>,
        claim: &Claim,
        why: NotBegun,
    ) -> Result<ClaimOutcome<Infallible>, StoreError> {
        if let NotBegun::Failed(error) = why {
            if *error.kind() == StoreErrorKind::Contended {
                self.abandon(session, claim).await?;
            }
            return Err(error);
        }
        match (why, self.abandon(session, claim).await?) {
            (_, Some(record)) if !record.may_be_free(&claim.fingerprint) => {
                Ok(record.verdict(&claim.fingerprint))
            }
            (NotBegun::Busy, _) => Ok(ClaimOutcome::InFlight { retry_after: RETRY_AFTER }),
            _ => Err(StoreErrorKind::Contended.into()),
        }
    }

    async fn undo(&self, transaction: &mut Transaction<'_, Postgres>) -> Result<(), StoreError> {
        let undone = raw_sql("ROLLBACK TO SAVEPOINT idempotency_work").execute(&mut **transaction);
        undone.await.map(|_| ()).map_err(|error| self.store_error(error))
    }

    async fn write(
        &self,
        transaction: &mut Transaction<'_, Postgres>,
        claim: &Claim,
        settlement: &Settlement,
    ) -> Result<Settled, StoreError> {
        // A prepared statement, in a round trip of its own: as text it would show the response to who logs statements.
        let columns = Columns::from(settlement);
        let written = query(&self.inner.statements.complete)
            .bind(claim.key.as_str())
            .bind(claim.scope.tenant())
            .bind(claim.scope.operation())
            .bind(columns.status)
            .bind(columns.response_kind)
            .bind(columns.response_payload)
            .bind(columns.error_message)
            .bind(signed(claim.ttl))
            .bind(&claim.id.as_bytes()[..])
            .bind(&claim.owner.as_bytes()[..])
            .execute(&mut **transaction)
            .await
            .map_err(|error| self.store_error(error))?;
        Ok(Settled::by_rows(written.rows_affected()))
    }

    async fn claim_in(
        &self,
        connection: &mut PgConnection,
        claim: &Claim,
    ) -> Result<ClaimOutcome<Ownership>, StoreError> {
        self.claim_on(connection, claim, None, false).await
    }

    async fn settle_in(
        &self,
        connection: &mut PgConnection,
        ownership: &Ownership,
        settlement: &Settlement,
        ttl: Duration,
    ) -> Result<Settled, StoreError> {
        self.settle_on(connection, ownership, settlement, ttl).await
    }

    async fn commit(&self, transaction: Transaction<'_, Postgres>) -> Result<(), CommitError> {
        // Whatever the error, the server may have committed before it: the row tells.
        transaction.commit().await.map_err(|error| CommitError::ReplyLost(self.store_error(error)))
    }

    async fn find_settled(&self, claim: &Claim) -> Result<Option<Record>, StoreError> {
        let mut session = self.session().await?;
        let again = claim.again();
        let packet = self.inner.statements.find_settled.render(&claimed(&again, COMMIT_WAIT));
        let record = self.record(session.connection(), packet).await?;
        session.finish();
        Ok(record)
    }
}

impl PostgresStore {
    /// Ends what `begin` has begun, and reads the row.
    async fn abandon(
        &self,
        session: &mut Session<Postgres>,
        claim: &Claim,
    ) -> Result<Option<Record>, StoreError> {
        let id = ("id", Literal::Hex(claim.id.as_bytes()));
        self.record(session.connection(), self.inner.statements.abandon.render(&[id])).await
    }
}

/// What claim.sql takes, and how long to wait for the row. The names follow in complete.sql.
fn claimed(claim: &Claim, wait: Duration) -> [(&'static str, Literal<'_>); 11] {
    [
        ("id", Literal::Hex(claim.id.as_bytes())),
        ("key", Literal::Empty),
        ("tenant", Literal::Empty),
        ("operation", Literal::Empty),
        ("fingerprint", Literal::Hex(claim.fingerprint.as_bytes())),
        ("fingerprint_version", Literal::Number(claim.fingerprint.version().into())),
        ("owner", Literal::Hex(claim.owner.as_bytes())),
        ("lease", Literal::Null),
        ("ttl", Literal::Number(micros(kept(claim.ttl)))),
        ("takeover", Literal::False),
        // Zero would be no limit.
        ("wait", Literal::Number((micros(wait) / 1000).clamp(1, i32::MAX.unsigned_abs().into()))),
    ]
}
