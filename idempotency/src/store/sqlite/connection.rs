use std::time::Duration;

use sqlx::{Sqlite, SqliteConnection, query, query::Query, sqlite::SqliteArguments};

use super::{SqliteStore, row};
use crate::{
    KeyId, StoreError, StoreErrorKind,
    store::{
        Claim, ClaimOutcome, Ownership, Record, Settled, Settlement,
        sql::{Columns, millis},
    },
};

/// What runs on a connection that somebody else has, in or out of a transaction.
impl SqliteStore {
    /// Claims on any connection, in or out of a transaction: answers the epoch if the row is ours.
    pub(super) async fn claim_on(
        &self,
        connection: &mut SqliteConnection,
        claim: &Claim,
        lease: Option<Duration>,
        takeover: bool,
    ) -> Result<Option<u32>, StoreError> {
        let row = sqlx::query_scalar::<_, i64>(&self.inner.statements.claim)
            .bind(&claim.id.as_bytes()[..])
            .bind(claim.key.as_str())
            .bind(claim.scope.tenant())
            .bind(claim.scope.operation())
            .bind(&claim.fingerprint.as_bytes()[..])
            .bind(i64::from(claim.fingerprint.version()))
            .bind(&claim.owner.as_bytes()[..])
            .bind(lease.map(millis))
            .bind(millis(claim.ttl))
            .bind(takeover)
            .fetch_optional(connection)
            .await;
        Ok(row
            .map_err(|error| self.store_error(error))?
            .map(|epoch| u32::try_from(epoch).unwrap_or(u32::MAX)))
    }

    /// Claims on any connection, and says why not.
    pub(super) async fn claim_row(
        &self,
        connection: &mut SqliteConnection,
        claim: &Claim,
        lease: Option<Duration>,
        takeover: bool,
    ) -> Result<ClaimOutcome<Ownership>, StoreError> {
        if let Some(epoch) = self.claim_on(connection, claim, lease, takeover).await? {
            return Ok(ClaimOutcome::Started(Ownership { id: claim.id, owner: claim.owner, epoch }));
        }
        match self.find_on(connection, &claim.id).await? {
            Some(record) => Ok(record.verdict(&claim.fingerprint)),
            None => Err(StoreErrorKind::Contended.into()),
        }
    }

    pub(super) async fn find_on(
        &self,
        connection: &mut SqliteConnection,
        id: &KeyId,
    ) -> Result<Option<Record>, StoreError> {
        let found = query(&self.inner.statements.find)
            .bind(&id.as_bytes()[..])
            .fetch_optional(connection)
            .await
            .map_err(|error| self.store_error(error))?;
        found.map(|found| row::read(&found).map_err(|error| self.store_error(error))?.read()).transpose()
    }

    pub(super) async fn settle_on(
        &self,
        connection: &mut SqliteConnection,
        id: &KeyId,
        (owner, epoch): (&[u8], Option<u32>),
        settlement: &Settlement,
        ttl: Duration,
    ) -> Result<Settled, StoreError> {
        let columns = Columns::from(settlement);
        let written = query(&self.inner.statements.settle)
            .bind(&id.as_bytes()[..])
            .bind(owner)
            .bind(epoch)
            .bind(columns.status)
            .bind(columns.response_kind)
            .bind(columns.response_payload)
            .bind(columns.error_message)
            .bind(millis(ttl))
            .execute(connection)
            .await
            .map_err(|error| self.store_error(error))?;
        Ok(Settled::by_rows(written.rows_affected()))
    }

    /// Runs a statement that changes rows, when it is this process's turn, and answers how many it has changed.
    pub(super) async fn change(
        &self,
        statement: Query<'_, Sqlite, SqliteArguments>,
    ) -> Result<u64, StoreError> {
        let _turn = self.turn().await?;
        let changed = statement.execute(&self.inner.pool).await;
        changed.map(|done| done.rows_affected()).map_err(|error| self.store_error(error))
    }
}
