//! Looking a user up.

use crate::error::{ErrorCode, ShopError};
use crate::model::UserId;
use crate::store::Database;
use crate::store::users::{self, UserRow};

/// The user.
///
/// # Errors
///
/// [`ErrorCode::UserNotFound`], or the database is away.
pub async fn find(database: &Database, id: UserId) -> Result<UserRow, ShopError> {
    let mut reader = database.reader().await?;
    users::find(&mut reader.conn(), id).await?.ok_or_else(|| ErrorCode::UserNotFound.into())
}
