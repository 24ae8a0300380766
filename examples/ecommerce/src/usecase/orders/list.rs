use std::collections::HashMap;

use super::Order;
use crate::error::{ErrorCode, ShopError};
use crate::model::{OrderId, OrderStatus, UserId};
use crate::store::orders::OrderItemRow;
use crate::store::{Database, orders, users};

/// The user's orders of a status, or all, the newest first.
///
/// # Errors
///
/// [`ErrorCode::UserNotFound`], or the database is away.
pub async fn list(
    database: &Database,
    user: UserId,
    status: Option<OrderStatus>,
) -> Result<Vec<Order>, ShopError> {
    let mut reader = database.reader().await?;
    let conn = &mut reader.conn();
    users::find(conn, user).await?.ok_or(ErrorCode::UserNotFound)?;
    let rows = orders::of_user(conn, user, status).await?;
    let mut items: HashMap<OrderId, Vec<OrderItemRow>> = HashMap::new();
    for item in orders::items_of_user(conn, user, status).await? {
        items.entry(item.order_id).or_default().push(item);
    }
    let order = |row: orders::OrderRow| {
        let items = items.remove(&row.id).unwrap_or_default();
        Order::from_rows(row, items)
    };
    Ok(rows.into_iter().map(order).collect())
}
