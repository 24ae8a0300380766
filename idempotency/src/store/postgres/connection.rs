use std::time::Duration;

use sqlx::{
    AssertSqlSafe, PgConnection, Postgres, Row,
    postgres::{PgArguments, PgRow},
    query,
    query::Query,
    query_scalar, raw_sql,
};

use super::{PostgresStore, row, store::signed};
use crate::{
    KeyId, StoreError, StoreErrorKind,
    store::{
        Claim, ClaimOutcome, Ownership, Record, Session, Settled, Settlement,
        sql::{Columns, Literal},
    },
};

/// What runs on a connection that somebody else has, in or out of a transaction.
impl PostgresStore {
    /// Sends statements in one packet and collects the rows that come back.
    pub(super) async fn rows(
        &self,
        connection: &mut PgConnection,
        packet: AssertSqlSafe<String>,
    ) -> Result<Vec<PgRow>, StoreError> {
        raw_sql(packet).fetch_all(connection).await.map_err(|error| self.store_error(error))
    }

    /// Sends statements that answer, at last, at most one row of the table.
    pub(super) async fn record(
        &self,
        connection: &mut PgConnection,
        packet: AssertSqlSafe<String>,
    ) -> Result<Option<Record>, StoreError> {
        let rows = self.rows(connection, packet).await?;
        let found = rows.last().filter(|row| row.columns().len() > 1);
        found.map(|row| row::read(row).map_err(|error| self.store_error(error))?.read()).transpose()
    }

    pub(super) async fn find_on(
        &self,
        connection: &mut PgConnection,
        id: &KeyId,
    ) -> Result<Option<Record>, StoreError> {
        let id = [("id", Literal::Hex(id.as_bytes()))];
        self.record(connection, self.inner.statements.find.render(&id)).await
    }

    /// Claims on any connection, in or out of a transaction.
    pub(super) async fn claim_on(
        &self,
        connection: &mut PgConnection,
        claim: &Claim,
        lease: Option<Duration>,
        takeover: bool,
    ) -> Result<ClaimOutcome<Ownership>, StoreError> {
        let epoch = query_scalar::<_, i32>(&self.inner.statements.claim)
            .bind(&claim.id.as_bytes()[..])
            .bind(claim.key.as_str())
            .bind(claim.scope.tenant())
            .bind(claim.scope.operation())
            .bind(&claim.fingerprint.as_bytes()[..])
            .bind(i32::from(claim.fingerprint.version()))
            .bind(&claim.owner.as_bytes()[..])
            .bind(lease.map(signed))
            .bind(signed(claim.ttl))
            .bind(takeover)
            .fetch_optional(&mut *connection)
            .await
            .map_err(|error| self.store_error(error))?;
        if let Some(epoch) = epoch {
            let (id, owner, epoch) = (claim.id, claim.owner, epoch.unsigned_abs());
            return Ok(ClaimOutcome::Started(Ownership { id, owner, epoch }));
        }
        match self.find_on(connection, &claim.id).await? {
            Some(record) => Ok(record.verdict(&claim.fingerprint)),
            None => Err(StoreErrorKind::Contended.into()),
        }
    }

    /// Settles leased work on any connection, in or out of a transaction.
    pub(super) async fn settle_on(
        &self,
        connection: &mut PgConnection,
        ownership: &Ownership,
        settlement: &Settlement,
        ttl: Duration,
    ) -> Result<Settled, StoreError> {
        let columns = Columns::from(settlement);
        let changed = query(&self.inner.statements.settle)
            .bind(columns.status)
            .bind(columns.response_kind)
            .bind(columns.response_payload)
            .bind(columns.error_message)
            .bind(signed(ttl))
            .bind(&ownership.id.as_bytes()[..])
            .bind(&ownership.owner.as_bytes()[..])
            .bind(ownership.epoch.cast_signed())
            .execute(connection)
            .await
            .map_err(|error| self.store_error(error))?;
        Ok(Settled::by_rows(changed.rows_affected()))
    }

    /// Runs a statement that changes a row, and answers how many it has changed.
    pub(super) async fn change(
        &self,
        session: &mut Session<Postgres>,
        statement: Query<'_, Postgres, PgArguments>,
    ) -> Result<u64, StoreError> {
        let changed = statement.execute(session.connection()).await;
        changed.map(|done| done.rows_affected()).map_err(|error| self.store_error(error))
    }
}
