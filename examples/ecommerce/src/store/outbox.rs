//! The table `outbox`.

use super::conn::on;
use super::{Conn, StoreError};
use crate::events::Event;
use crate::model::{OrderId, Timestamp};

/// An event to be told to others.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// Its name; who is told twice knows by it.
    pub event_id: String,
    /// What kind of event.
    pub event_type: &'static str,
    /// Which order it is about; events of one order are told in their order.
    pub order_id: OrderId,
    /// The event, as JSON.
    pub payload: String,
    /// When it happened.
    pub at: Timestamp,
}

/// A row of `outbox` that waits to be published.
#[derive(Debug, Clone, sqlx::FromRow)]
#[allow(missing_docs)] // the columns
pub struct PendingRow {
    pub id: i64,
    #[sqlx(flatten)]
    pub event: Event,
    pub attempts: i64,
    pub next_try_at: Timestamp,
    pub created_at: Timestamp,
}

/// What became of an event that could not be published.
#[derive(Debug, Clone)]
pub struct Failure {
    /// How often it was tried.
    pub attempts: i64,
    /// When it is tried again; never, without.
    pub next_try_at: Option<Timestamp>,
    /// Why it failed.
    pub error: String,
}

/// Writes an event, in the transaction of what it tells of.
///
/// # Errors
///
/// [`StoreError`] when the database does not answer.
pub async fn insert(conn: &mut Conn<'_>, event: &NewEvent) -> Result<(), StoreError> {
    on!(conn, c => sqlx::query(include_str!("sql/insert_event.sql"))
        .bind(&event.event_id)
        .bind(event.event_type)
        .bind(event.order_id)
        .bind(&event.payload)
        .bind(event.at)
        .bind(event.at)
        .execute(c)
        .await
        .map(drop))
}

/// The events that wait to be published, in the order in which they were written.
///
/// # Errors
///
/// [`StoreError`] when the database does not answer.
pub async fn pending(conn: &mut Conn<'_>, most: i64) -> Result<Vec<PendingRow>, StoreError> {
    on!(conn, c => sqlx::query_as(include_str!("sql/pending_events.sql")).bind(most).fetch_all(c).await)
}

/// Notes that an event was published.
///
/// # Errors
///
/// [`StoreError`] when the database does not answer.
pub async fn mark_published(conn: &mut Conn<'_>, id: i64, at: Timestamp) -> Result<(), StoreError> {
    let sql = include_str!("sql/mark_event_published.sql");
    on!(conn, c => sqlx::query(sql).bind(at).bind(id).execute(c).await.map(drop))
}

/// Notes that an event could not be published.
///
/// # Errors
///
/// [`StoreError`] when the database does not answer.
pub async fn mark_failed(conn: &mut Conn<'_>, row: &PendingRow, failure: &Failure) -> Result<(), StoreError> {
    let status = if failure.next_try_at.is_some() { "PENDING" } else { "DEAD" };
    on!(conn, c => sqlx::query(include_str!("sql/mark_event_failed.sql"))
        .bind(status)
        .bind(failure.attempts)
        .bind(failure.next_try_at.unwrap_or(row.next_try_at))
        .bind(&failure.error)
        .bind(row.id)
        .execute(c)
        .await
        .map(drop))
}
