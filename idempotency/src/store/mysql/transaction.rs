use std::{convert::Infallible, sync::atomic::Ordering, time::Duration};

use async_trait::async_trait;
use sqlx::{
    Connection, MySql, MySqlConnection, Transaction, mysql::MySqlArguments, query, query::Query, raw_sql,
};

use super::{MySqlStore, codes, statements::Statement};
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
impl TransactionalStore for MySqlStore {
    type Database = MySql;

    fn error(&self, error: sqlx::Error) -> StoreError {
        self.store_error(error)
    }

    async fn connect(&self, _claim: &Claim) -> Result<Session<MySql>, StoreError> {
        self.session_to_begin().await
    }

    async fn begin<'c>(
        &self,
        session: &'c mut Session<MySql>,
        claim: &Claim,
    ) -> Result<Transaction<'c, MySql>, NotBegun> {
        let statements = &self.inner.statements;
        let blocks = !self.inner.takes_no_blocks.load(Ordering::Relaxed);
        let packet = match (claim.retried, claim.wait.is_zero()) {
            (false, false) if blocks => &statements.execute,
            (false, false) => &statements.begin.waiting,
            (false, true) => &statements.begin.at_once,
            (true, false) => &statements.begin_again.waiting,
            (true, true) => &statements.begin_again.at_once,
        };
        let packet = packet.render(&[
            ("id", Literal::Hex(claim.id.as_bytes())),
            ("key", Literal::Empty),
            ("tenant", Literal::Empty),
            ("operation", Literal::Empty),
            ("fingerprint", Literal::Hex(claim.fingerprint.as_bytes())),
            ("fingerprint_version", Literal::Number(claim.fingerprint.version().into())),
            ("owner", Literal::Hex(claim.owner.as_bytes())),
            ("lease", Literal::Null),
            ("ttl", Literal::Number(micros(kept(claim.ttl)))),
            ("takeover", Literal::Number(0)),
            ("wait", seconds(claim.wait)),
        ]);
        // As the driver's own BEGIN, so that it counts the depth: what the caller begins inside is a savepoint.
        let begun = session.connection().begin_with(packet).await;
        begun.map_err(|error| match codes::is_not_known(&error) {
            // MySQL, to which execute.sql itself is a syntax error.
            true => NotBegun::Unprepared,
            false => codes::not_begun(&self.inner.table, error),
        })
    }

    async fn explain(
        &self,
        session: &mut Session<MySql>,
        claim: &Claim,
        why: NotBegun,
    ) -> Result<ClaimOutcome<Infallible>, StoreError> {
        match why {
            NotBegun::Failed(error) => {
                if *error.kind() == StoreErrorKind::Contended {
                    self.abandon(session, claim).await?;
                }
                return Err(error);
            }
            NotBegun::Unprepared => {
                self.prepare(session).await?;
                return Err(StoreErrorKind::Contended.into());
            }
            NotBegun::Lost(_) | NotBegun::Busy => {}
        }
        match (why, self.abandon(session, claim).await?) {
            (_, Some(record)) if !record.may_be_free(&claim.fingerprint) => {
                Ok(record.verdict(&claim.fingerprint))
            }
            (NotBegun::Busy, _) => Ok(ClaimOutcome::InFlight { retry_after: RETRY_AFTER }),
            _ => Err(StoreErrorKind::Contended.into()),
        }
    }

    async fn undo(&self, transaction: &mut Transaction<'_, MySql>) -> Result<(), StoreError> {
        let undone = raw_sql("ROLLBACK TO SAVEPOINT idempotency_work").execute(&mut **transaction);
        undone.await.map(|_| ()).map_err(|error| self.store_error(error))
    }

    async fn write(
        &self,
        transaction: &mut Transaction<'_, MySql>,
        claim: &Claim,
        settlement: &Settlement,
    ) -> Result<Settled, StoreError> {
        let written = self.completing(&self.inner.statements.complete, claim, settlement);
        let written = written.execute(&mut **transaction).await.map_err(|error| self.store_error(error))?;
        Ok(Settled::by_rows(written.rows_affected()))
    }

    async fn claim_in(
        &self,
        connection: &mut MySqlConnection,
        claim: &Claim,
    ) -> Result<ClaimOutcome<Ownership>, StoreError> {
        self.claim_on(connection, claim, None, false).await
    }

    async fn settle_in(
        &self,
        connection: &mut MySqlConnection,
        ownership: &Ownership,
        settlement: &Settlement,
        ttl: Duration,
    ) -> Result<Settled, StoreError> {
        self.settle_on(connection, ownership, settlement, ttl).await
    }

    async fn commit(&self, mut transaction: Transaction<'_, MySql>) -> Result<(), CommitError> {
        let committed = raw_sql(&self.inner.statements.commit).execute(&mut *transaction).await;
        // Whatever the error, the server may have committed before it: the row tells.
        committed.map(|_| ()).map_err(|error| CommitError::ReplyLost(self.store_error(error)))
        // The driver still counts a transaction, and says ROLLBACK once nobody waits for the connection.
    }

    async fn rollback(&self, mut transaction: Transaction<'_, MySql>) -> Result<(), StoreError> {
        let undone = raw_sql(&self.inner.statements.rollback).execute(&mut *transaction).await;
        undone.map(|_| ()).map_err(|error| self.store_error(error))
    }

    async fn finish(
        &self,
        mut transaction: Transaction<'_, MySql>,
        claim: &Claim,
        settlement: &Settlement,
    ) -> Result<Settled, CommitError> {
        let inner = &self.inner;
        if !inner.takes_no_blocks.load(Ordering::Relaxed) {
            let finished = self.completing(&inner.statements.finish, claim, settlement);
            match finished.execute(&mut *transaction).await {
                Ok(_) => return Ok(Settled::Written),
                Err(error) if codes::is_not_theirs(&error) => {
                    let undone = self.rollback(transaction).await;
                    return undone.map(|()| Settled::Fenced).map_err(CommitError::Refused);
                }
                Err(error) if codes::is_not_known(&error) => {
                    inner.takes_no_blocks.store(true, Ordering::Relaxed);
                }
                Err(error) => return Err(CommitError::ReplyLost(self.store_error(error))),
            }
        }
        match self.write(&mut transaction, claim, settlement).await {
            Ok(Settled::Written) => self.commit(transaction).await.map(|()| Settled::Written),
            Ok(Settled::Fenced) => {
                let undone = self.rollback(transaction).await;
                undone.map(|()| Settled::Fenced).map_err(CommitError::Refused)
            }
            Err(error) => {
                let _ = self.rollback(transaction).await;
                Err(CommitError::Refused(error))
            }
        }
    }

    async fn find_settled(&self, claim: &Claim) -> Result<Option<Record>, StoreError> {
        let mut session = self.session().await?;
        let id = ("id", Literal::Hex(claim.id.as_bytes()));
        let packet = self.inner.statements.find_settled.render(&[id, ("wait", seconds(COMMIT_WAIT))]);
        let record = self.record(session.connection(), packet).await?;
        session.finish();
        Ok(record)
    }
}

impl MySqlStore {
    /// A statement that takes what complete.sql takes. Prepared, since as text it would show the response to who logs
    /// statements.
    fn completing<'q>(
        &self,
        statement: &Statement,
        claim: &'q Claim,
        settlement: &'q Settlement,
    ) -> Query<'q, MySql, MySqlArguments> {
        let columns = Columns::from(settlement);
        query(statement)
            .bind(claim.key.as_str())
            .bind(claim.scope.tenant())
            .bind(claim.scope.operation())
            .bind(columns.status)
            .bind(columns.response_kind)
            .bind(columns.response_payload)
            .bind(columns.error_message)
            .bind(micros(claim.ttl))
            .bind(&claim.id.as_bytes()[..])
            .bind(&claim.owner.as_bytes()[..])
    }

    /// Prepares for the requests that will use this connection what opens their transactions.
    async fn prepare(&self, session: &mut Session<MySql>) -> Result<(), StoreError> {
        match raw_sql(&self.inner.statements.prepare).execute(session.connection()).await {
            Ok(_) => {}
            Err(error) if codes::is_not_known(&error) => {
                self.inner.takes_no_blocks.store(true, Ordering::Relaxed);
            }
            Err(error) => return Err(self.store_error(error)),
        }
        Ok(())
    }

    /// Ends what `begin` has begun, and reads the row.
    async fn abandon(
        &self,
        session: &mut Session<MySql>,
        claim: &Claim,
    ) -> Result<Option<Record>, StoreError> {
        let id = ("id", Literal::Hex(claim.id.as_bytes()));
        self.record(session.connection(), self.inner.statements.abandon.render(&[id])).await
    }
}

/// The servers take whole seconds, and one at least.
fn seconds(wait: Duration) -> Literal<'static> {
    Literal::Number(wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)).clamp(1, 1 << 20))
}
