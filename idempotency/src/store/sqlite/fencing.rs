use async_trait::async_trait;
use sqlx::{Sqlite, SqliteConnection, Transaction, query, raw_sql};

use super::{SqliteStore, codes};
use crate::{
    StoreError,
    store::{
        Settled,
        sql::{Fence, FencingStore},
    },
};

#[async_trait]
impl FencingStore for SqliteStore {
    async fn fence(
        &self,
        transaction: &mut Transaction<'_, Sqlite>,
        fence: Fence<'_>,
    ) -> Result<Settled, StoreError> {
        let fenced = query(&self.inner.statements.fence)
            .bind(fence.lock)
            .bind(fence.token)
            .execute(&mut **transaction)
            .await
            .map_err(|error| self.fence_error(error))?;
        Ok(Settled::by_rows(fenced.rows_affected()))
    }
}

impl SqliteStore {
    /// Tells by an error whether the table of fences is missing.
    pub(super) async fn check_fences(&self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        let checked = raw_sql(&self.inner.statements.check_fences).execute(connection).await;
        checked.map(|_| ()).map_err(|error| self.fence_error(error))
    }

    fn fence_error(&self, error: sqlx::Error) -> StoreError {
        codes::store_error(&self.inner.table.fences(), error)
    }
}
