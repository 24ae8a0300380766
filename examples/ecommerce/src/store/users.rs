//! The table `users`.

use lock_core::FencingToken;

use super::conn::on;
use super::{Conn, StoreError};
use crate::error::ShopError;
use crate::model::UserId;

/// A row of `users`.
#[derive(Debug, Clone, sqlx::FromRow)]
#[allow(missing_docs)] // the columns
pub struct UserRow {
    pub id: UserId,
    pub email: String,
    pub username: String,
    pub balance: i64,
    pub version: i64,
    pub fence: i64,
}

impl UserRow {
    /// What to write beside the balance under the lock of this token; without one, what is there already.
    ///
    /// # Errors
    ///
    /// [`ShopError::Fenced`] when the row was written under a younger lock.
    pub fn fence_under(&self, token: Option<FencingToken>) -> Result<i64, ShopError> {
        match token.map(FencingToken::as_i64) {
            Some(ours) if ours < self.fence => Err(ShopError::Fenced),
            Some(ours) => Ok(ours),
            None => Ok(self.fence),
        }
    }
}

/// The user's row, if there is one.
///
/// # Errors
///
/// [`StoreError`] when the database does not answer.
pub async fn find(conn: &mut Conn<'_>, id: UserId) -> Result<Option<UserRow>, StoreError> {
    on!(conn, c => sqlx::query_as(include_str!("sql/find_user.sql")).bind(id).fetch_optional(c).await)
}

/// What [`set_balance`] writes.
#[derive(Debug, Clone, Copy)]
pub struct NewBalance {
    /// The balance.
    pub balance: i64,
    /// The token of the lock under which it is written.
    pub fence: i64,
}

/// Writes a balance unless the row is no longer the one that was read, or was written under a younger lock; answers
/// whether it was written.
///
/// # Errors
///
/// [`StoreError`] when the database does not answer.
pub async fn set_balance(conn: &mut Conn<'_>, read: &UserRow, new: NewBalance) -> Result<bool, StoreError> {
    let rows = on!(conn, c => sqlx::query(include_str!("sql/set_balance.sql"))
        .bind(new.balance)
        .bind(new.fence)
        .bind(read.id)
        .bind(read.version)
        .bind(new.fence)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

/// Gives money back. Any lock will do: nothing is decided by what the balance is.
///
/// # Errors
///
/// [`StoreError`] when the database does not answer.
pub async fn give_back(conn: &mut Conn<'_>, id: UserId, amount: i64) -> Result<(), StoreError> {
    let sql = "UPDATE users SET balance = balance + ?, version = version + 1 WHERE id = ?";
    on!(conn, c => sqlx::query(sql).bind(amount).bind(id).execute(c).await.map(drop))
}
