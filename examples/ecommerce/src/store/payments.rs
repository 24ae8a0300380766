//! The table `payments`.

use super::conn::on;
use super::{Conn, StoreError};
use crate::model::{OrderId, PaymentStatus, Timestamp, UserId};

/// A row of `payments`.
#[derive(Debug, Clone, sqlx::FromRow)]
#[allow(missing_docs)] // the columns
pub struct PaymentRow {
    pub payment_id: String,
    pub order_id: OrderId,
    pub user_id: UserId,
    pub amount: i64,
    pub balance_after: i64,
    pub idempotency_key: String,
    #[sqlx(try_from = "String")]
    pub status: PaymentStatus,
    pub created_at: Timestamp,
    pub settled_at: Option<Timestamp>,
}

/// Writes down that stock and balance are taken.
///
/// # Errors
///
/// [`StoreError::is_duplicate`] when another payment stands for the order.
pub async fn insert(conn: &mut Conn<'_>, payment: &PaymentRow) -> Result<(), StoreError> {
    on!(conn, c => sqlx::query(include_str!("sql/insert_payment.sql"))
        .bind(&payment.payment_id)
        .bind(payment.order_id)
        .bind(payment.order_id)
        .bind(payment.user_id)
        .bind(payment.amount)
        .bind(payment.balance_after)
        .bind(&payment.idempotency_key)
        .bind(payment.status.as_str())
        .bind(payment.created_at)
        .execute(c)
        .await
        .map(drop))
}

/// The last payment for this order under this key, if there was one.
///
/// # Errors
///
/// [`StoreError`] when the database does not answer.
pub async fn last(conn: &mut Conn<'_>, order: OrderId, key: &str) -> Result<Option<PaymentRow>, StoreError> {
    on!(conn, c => sqlx::query_as(include_str!("sql/last_payment.sql"))
        .bind(order)
        .bind(key)
        .fetch_optional(c)
        .await)
}

/// Payments without an answer that are older than a moment, the oldest first.
///
/// # Errors
///
/// [`StoreError`] when the database does not answer.
pub async fn unanswered(
    conn: &mut Conn<'_>,
    before: Timestamp,
    most: i64,
) -> Result<Vec<PaymentRow>, StoreError> {
    on!(conn, c => sqlx::query_as(include_str!("sql/unanswered_payments.sql"))
        .bind(before)
        .bind(most)
        .fetch_all(c)
        .await)
}

/// Notes that the gateway did not answer in time.
///
/// # Errors
///
/// [`StoreError`] when the database does not answer.
pub async fn mark_unknown(conn: &mut Conn<'_>, payment_id: &str) -> Result<(), StoreError> {
    on!(conn, c => sqlx::query(include_str!("sql/mark_payment_unknown.sql"))
        .bind(payment_id)
        .execute(c)
        .await
        .map(drop))
}

/// Ends a payment that has no answer yet, one way or the other; answers whether it was still to be ended.
///
/// # Errors
///
/// [`StoreError`] when the database does not answer.
pub async fn end(
    conn: &mut Conn<'_>,
    payment_id: &str,
    status: PaymentStatus,
    at: Timestamp,
) -> Result<bool, StoreError> {
    let sql = match status {
        PaymentStatus::Returned => include_str!("sql/return_payment.sql"),
        _ => include_str!("sql/settle_payment.sql"),
    };
    let rows = on!(conn, c => sqlx::query(sql).bind(status.as_str()).bind(at).bind(payment_id).execute(c).await
        .map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}
