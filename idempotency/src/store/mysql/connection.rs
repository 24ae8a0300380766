use std::time::Duration;

use sqlx::{
    AssertSqlSafe, MySql, MySqlConnection, Row,
    mysql::{MySqlArguments, MySqlRow},
    query,
    query::Query,
    raw_sql,
};

use super::{MySqlStore, row};
use crate::{
    KeyId, StoreError, StoreErrorKind,
    store::{
        Claim, ClaimOutcome, Ownership, Record, Session, Settled, Settlement,
        sql::{Columns, Literal, micros},
    },
};

/// What runs on a connection that somebody else has, in or out of a transaction.
impl MySqlStore {
    /// Sends statements in one packet and collects the rows that come back.
    pub(super) async fn rows(
        &self,
        connection: &mut MySqlConnection,
        packet: AssertSqlSafe<String>,
    ) -> Result<Vec<MySqlRow>, StoreError> {
        raw_sql(packet).fetch_all(connection).await.map_err(|error| self.store_error(error))
    }

    /// Sends statements that answer, at last, at most one row of the table.
    pub(super) async fn record(
        &self,
        connection: &mut MySqlConnection,
        packet: AssertSqlSafe<String>,
    ) -> Result<Option<Record>, StoreError> {
        let rows = self.rows(connection, packet).await?;
        let found = rows.last().filter(|row| row.columns().len() > 1);
        found.map(|row| row::read(row).map_err(|error| self.store_error(error))?.read()).transpose()
    }

    pub(super) async fn find_on(
        &self,
        connection: &mut MySqlConnection,
        id: &KeyId,
    ) -> Result<Option<Record>, StoreError> {
        let id = [("id", Literal::Hex(id.as_bytes()))];
        self.record(connection, self.inner.statements.find.render(&id)).await
    }

    /// Claims on any connection, in or out of a transaction.
    pub(super) async fn claim_on(
        &self,
        connection: &mut MySqlConnection,
        claim: &Claim,
        lease: Option<Duration>,
        takeover: bool,
    ) -> Result<ClaimOutcome<Ownership>, StoreError> {
        let statement = query(&self.inner.statements.claim)
            .bind(&claim.id.as_bytes()[..])
            .bind(claim.key.as_str())
            .bind(claim.scope.tenant())
            .bind(claim.scope.operation())
            .bind(&claim.fingerprint.as_bytes()[..])
            .bind(claim.fingerprint.version())
            .bind(&claim.owner.as_bytes()[..])
            .bind(lease.map(micros))
            .bind(micros(claim.ttl))
            .bind(takeover);
        // Rows affected depend on the client's flags: the row itself tells whose it is. Read with a lock, which an
        // older snapshot of the transaction does not deceive.
        statement.execute(&mut *connection).await.map_err(|error| self.store_error(error))?;
        let id = [("id", Literal::Hex(claim.id.as_bytes()))];
        match self.record(connection, self.inner.statements.find_claimed.render(&id)).await? {
            Some(record) if record.owner == claim.owner => {
                let (id, owner, epoch) = (claim.id, claim.owner, record.epoch);
                Ok(ClaimOutcome::Started(Ownership { id, owner, epoch }))
            }
            Some(record) => Ok(record.verdict(&claim.fingerprint)),
            None => Err(StoreErrorKind::Contended.into()),
        }
    }

    /// Settles leased work on any connection, in or out of a transaction.
    pub(super) async fn settle_on(
        &self,
        connection: &mut MySqlConnection,
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
            .bind(micros(ttl))
            .bind(&ownership.id.as_bytes()[..])
            .bind(&ownership.owner.as_bytes()[..])
            .bind(ownership.epoch)
            .execute(connection)
            .await
            .map_err(|error| self.store_error(error))?;
        Ok(Settled::by_rows(changed.rows_affected()))
    }

    /// Runs a statement that changes a row, and answers how many it has changed.
    pub(super) async fn change(
        &self,
        session: &mut Session<MySql>,
        statement: Query<'_, MySql, MySqlArguments>,
    ) -> Result<u64, StoreError> {
        let changed = statement.execute(session.connection()).await;
        changed.map(|done| done.rows_affected()).map_err(|error| self.store_error(error))
    }

    pub(super) async fn sweep_on(
        &self,
        session: &mut Session<MySql>,
        grace: u64,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let grace = ("grace", Literal::Number(grace));
        let limit = ("limit", Literal::Number(limit.into()));
        let expired = self
            .rows(session.connection(), self.inner.statements.sweep_select.render(&[grace, limit]))
            .await?;
        let mut ids = Vec::with_capacity(expired.len());
        for row in &expired {
            let id: Vec<u8> = row.try_get("id").map_err(|error| self.store_error(error))?;
            ids.push(id.try_into().map_err(|_| StoreErrorKind::Corrupt)?);
        }
        if ids.is_empty() {
            return Ok(0);
        }
        ids.sort_unstable();
        let packet = self.inner.statements.sweep_delete.render(&[("ids", Literal::HexList(&ids)), grace]);
        let deleted = raw_sql(packet).execute(session.connection()).await;
        deleted.map(|done| done.rows_affected()).map_err(|error| self.store_error(error))
    }
}
