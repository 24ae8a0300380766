//! The tables `orders` and `order_items`.

use sqlx::QueryBuilder;

use super::conn::on;
use super::inserted::InsertedId;
use super::{Conn, StoreError};
use crate::model::{OrderId, OrderStatus, ProductId, Timestamp, UserCouponId, UserId};

/// A row of `orders`.
#[derive(Debug, Clone, sqlx::FromRow)]
#[allow(missing_docs)] // the columns
pub struct OrderRow {
    pub id: OrderId,
    pub order_number: String,
    pub user_id: UserId,
    pub subtotal_amount: i64,
    pub discount_amount: i64,
    pub total_amount: i64,
    #[sqlx(try_from = "String")]
    pub status: OrderStatus,
    pub created_at: Timestamp,
    pub paid_at: Option<Timestamp>,
}

/// A row of `order_items`, with the name of its product.
#[derive(Debug, Clone, sqlx::FromRow)]
#[allow(missing_docs)] // the columns
pub struct OrderItemRow {
    pub order_id: OrderId,
    pub product_id: ProductId,
    pub product_name: String,
    pub quantity: i64,
    pub unit_price: i64,
    pub subtotal: i64,
}

/// What [`insert`] writes.
#[derive(Debug, Clone)]
#[allow(missing_docs)] // the columns
pub struct NewOrder {
    pub order_number: String,
    pub user_id: UserId,
    pub user_coupon_id: Option<UserCouponId>,
    pub subtotal_amount: i64,
    pub discount_amount: i64,
    pub total_amount: i64,
    pub created_at: Timestamp,
}

/// A line of a [`NewOrder`].
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs)] // the columns
pub struct NewOrderItem {
    pub product_id: ProductId,
    pub quantity: i64,
    pub unit_price: i64,
    pub subtotal: i64,
}

/// Writes an order that waits for its payment.
///
/// # Errors
///
/// [`StoreError::is_duplicate`] when another order has its number.
pub async fn insert(conn: &mut Conn<'_>, order: &NewOrder) -> Result<OrderId, StoreError> {
    let id = on!(conn, c => sqlx::query(include_str!("sql/insert_order.sql"))
        .bind(&order.order_number)
        .bind(order.user_id)
        .bind(order.user_coupon_id)
        .bind(order.subtotal_amount)
        .bind(order.discount_amount)
        .bind(order.total_amount)
        .bind(OrderStatus::Pending.as_str())
        .bind(order.created_at)
        .execute(c)
        .await
        .map(|done| done.inserted_id()))?;
    Ok(OrderId(id))
}

/// Writes the lines of an order.
///
/// # Errors
///
/// [`StoreError`] when the database does not answer.
pub async fn insert_items(
    conn: &mut Conn<'_>,
    order: OrderId,
    items: &[NewOrderItem],
) -> Result<(), StoreError> {
    on!(conn, c => {
        let columns = "INSERT INTO order_items (order_id, product_id, quantity, unit_price, subtotal) ";
        let mut query = QueryBuilder::new(columns);
        query.push_values(items, |mut row, item| {
            row.push_bind(order).push_bind(item.product_id).push_bind(item.quantity);
            row.push_bind(item.unit_price).push_bind(item.subtotal);
        });
        query.build().execute(c).await.map(drop)
    })
}

/// The user's orders of a status, or all, the newest first.
///
/// # Errors
///
/// [`StoreError`] when the database does not answer.
pub async fn of_user(
    conn: &mut Conn<'_>,
    user: UserId,
    status: Option<OrderStatus>,
) -> Result<Vec<OrderRow>, StoreError> {
    on!(conn, c => sqlx::query_as(include_str!("sql/list_orders.sql")).bind(user).bind(status.map(OrderStatus::as_str)).fetch_all(c).await)
}

/// The lines of the user's orders of a status, or all.
///
/// # Errors
///
/// [`StoreError`] when the database does not answer.
pub async fn items_of_user(
    conn: &mut Conn<'_>,
    user: UserId,
    status: Option<OrderStatus>,
) -> Result<Vec<OrderItemRow>, StoreError> {
    on!(conn, c => sqlx::query_as(include_str!("sql/list_order_items.sql"))
        .bind(user)
        .bind(status.map(OrderStatus::as_str))
        .fetch_all(c)
        .await)
}

/// The order's row, if there is one.
///
/// # Errors
///
/// [`StoreError`] when the database does not answer.
pub async fn find(conn: &mut Conn<'_>, id: OrderId) -> Result<Option<OrderRow>, StoreError> {
    on!(conn, c => sqlx::query_as(include_str!("sql/find_order.sql")).bind(id).fetch_optional(c).await)
}

/// The order's lines, by product.
///
/// # Errors
///
/// [`StoreError`] when the database does not answer.
pub async fn items_of(conn: &mut Conn<'_>, id: OrderId) -> Result<Vec<OrderItemRow>, StoreError> {
    on!(conn, c => sqlx::query_as(include_str!("sql/find_order_items.sql")).bind(id).fetch_all(c).await)
}

/// Marks an order as paid; answers whether it was waiting for that.
///
/// # Errors
///
/// [`StoreError`] when the database does not answer.
pub async fn mark_paid(conn: &mut Conn<'_>, id: OrderId, at: Timestamp) -> Result<bool, StoreError> {
    let rows = on!(conn, c => sqlx::query(include_str!("sql/mark_order_paid.sql"))
        .bind(at)
        .bind(id)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}
