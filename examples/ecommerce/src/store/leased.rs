use idempotency::{Json, Lease, MySqlStore, SqliteStore};
use serde::Serialize;

use super::Conn;
use crate::error::ShopError;

/// The right to do leased work, in whichever database the keys are.
#[derive(Debug, Clone, Copy)]
pub enum Leased<'l> {
    /// Keys in the SQLite file.
    Sqlite(&'l Lease<'l, SqliteStore, Json>),
    /// Keys in MySQL or MariaDB.
    MySql(&'l Lease<'l, MySqlStore, Json>),
}

impl Leased<'_> {
    /// Writes the answer as the last statement of a transaction: it commits together with the effect.
    ///
    /// # Errors
    ///
    /// [`ShopError::Idempotency`]; roll back then.
    pub async fn complete_in<T: Serialize + serde::de::DeserializeOwned>(
        &self,
        conn: &mut Conn<'_>,
        answer: &T,
    ) -> Result<(), ShopError> {
        match (self, conn) {
            (Self::Sqlite(lease), Conn::Sqlite(connection)) => {
                Ok(lease.complete_in(connection, answer).await?)
            }
            (Self::MySql(lease), Conn::MySql(connection)) => {
                Ok(lease.complete_in(connection, answer).await?)
            }
            _ => Err(ShopError::Internal { what: "the key is in another database than the payment" }),
        }
    }
}
