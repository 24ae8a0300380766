use super::{Conn, Database, StoreError};
use crate::error::ShopError;

impl Database {
    /// Runs `work` in a transaction of its own: commits when it succeeds, else leaves everything as it was.
    ///
    /// # Errors
    ///
    /// What `work` answers, and [`ShopError::Store`].
    ///
    /// # Cancel safety
    ///
    /// When dropped, the transaction is rolled back, unless COMMIT was sent already.
    pub async fn transaction<T>(
        &self,
        work: impl AsyncFnOnce(Conn<'_>) -> Result<T, ShopError>,
    ) -> Result<T, ShopError> {
        match self {
            Self::Sqlite { writer, .. } => {
                // From the start as a writer: a reader that becomes one is refused when another was faster.
                let mut tx = writer.begin_with("BEGIN IMMEDIATE").await.map_err(StoreError::sqlite)?;
                match work(Conn::Sqlite(&mut tx)).await {
                    Ok(done) => {
                        tx.commit().await.map(|()| done).map_err(|error| StoreError::sqlite(error).into())
                    }
                    Err(error) => {
                        // It is rolled back by whoever gets the connection next, if not now.
                        let _ = tx.rollback().await;
                        Err(error)
                    }
                }
            }
            Self::MySql(pool) => {
                let mut tx = pool.begin().await.map_err(StoreError::mysql)?;
                match work(Conn::MySql(&mut tx)).await {
                    Ok(done) => {
                        tx.commit().await.map(|()| done).map_err(|error| StoreError::mysql(error).into())
                    }
                    Err(error) => {
                        let _ = tx.rollback().await;
                        Err(error)
                    }
                }
            }
        }
    }
}
