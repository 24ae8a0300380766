//! The table `product_sales`.

use time::Date;

use super::conn::{on, pick};
use super::{Conn, StoreError};
use crate::model::ProductId;

/// What was sold of a product.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, sqlx::FromRow)]
#[allow(missing_docs)] // the columns
pub struct SalesRow {
    pub product_id: ProductId,
    pub name: String,
    pub sales_count: i64,
    pub revenue: i64,
}

/// The products that sold best since a day, the best first.
///
/// # Errors
///
/// [`StoreError`] when the database does not answer.
pub async fn top(conn: &mut Conn<'_>, since: Date, most: i64) -> Result<Vec<SalesRow>, StoreError> {
    on!(conn, c => sqlx::query_as(include_str!("sql/top_products.sql")).bind(since).bind(most).fetch_all(c).await)
}

/// Counts what was sold of a product on a day.
///
/// # Errors
///
/// [`StoreError`] when the database does not answer.
pub async fn count(
    conn: &mut Conn<'_>,
    day: Date,
    product: ProductId,
    pieces: i64,
    revenue: i64,
) -> Result<(), StoreError> {
    let sql = pick!(conn, "count_sales.sql");
    on!(conn, c => sqlx::query(sql).bind(product).bind(day).bind(pieces).bind(revenue).execute(c).await.map(drop))
}
