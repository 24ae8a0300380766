use async_trait::async_trait;
use sqlx::{MySql, MySqlConnection, Transaction, query, raw_sql};

use super::{MySqlStore, codes};
use crate::{
    StoreError,
    store::{
        Settled,
        sql::{Fence, FencingStore},
    },
};

#[async_trait]
impl FencingStore for MySqlStore {
    async fn fence(
        &self,
        transaction: &mut Transaction<'_, MySql>,
        fence: Fence<'_>,
    ) -> Result<Settled, StoreError> {
        let fenced = query(&self.inner.statements.fence)
            .bind(fence.lock.as_bytes())
            .bind(fence.token)
            .execute(&mut **transaction)
            .await
            .map_err(|error| self.fence_error(error))?;
        let ours = fenced.last_insert_id() == fence.token.cast_unsigned();
        Ok(if ours { Settled::Written } else { Settled::Fenced })
    }
}

impl MySqlStore {
    /// Tells by an error whether the table of fences is missing.
    pub(super) async fn check_fences(&self, connection: &mut MySqlConnection) -> Result<(), StoreError> {
        let checked = raw_sql(&self.inner.statements.check_fences).execute(connection).await;
        checked.map(|_| ()).map_err(|error| self.fence_error(error))
    }

    fn fence_error(&self, error: sqlx::Error) -> StoreError {
        codes::store_error(&self.inner.table.fences(), error)
    }
}
