//! The table `products`.

use std::collections::HashMap;

use sqlx::QueryBuilder;

use super::conn::on;
use super::{Conn, StoreError};
use crate::model::{ProductId, Timestamp};

/// A row of `products` without its stock, which changes while the rest stays.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, sqlx::FromRow)]
#[allow(missing_docs)] // the columns
pub struct ProductRow {
    pub id: ProductId,
    pub name: String,
    pub description: String,
    pub price: i64,
    pub category: String,
    pub created_at: Timestamp,
}

#[derive(sqlx::FromRow)]
struct StockRow {
    id: ProductId,
    stock: i64,
}

/// The product's row, if there is one.
///
/// # Errors
///
/// [`StoreError`] when the database does not answer.
pub async fn find(conn: &mut Conn<'_>, id: ProductId) -> Result<Option<ProductRow>, StoreError> {
    on!(conn, c => sqlx::query_as(include_str!("sql/find_product.sql")).bind(id).fetch_optional(c).await)
}

/// All rows, by number.
///
/// # Errors
///
/// [`StoreError`] when the database does not answer.
pub async fn list(conn: &mut Conn<'_>) -> Result<Vec<ProductRow>, StoreError> {
    on!(conn, c => sqlx::query_as(include_str!("sql/list_products.sql")).fetch_all(c).await)
}

/// The rows of these products, by number; those that are missing are left out.
///
/// # Errors
///
/// [`StoreError`] when the database does not answer.
pub async fn of(conn: &mut Conn<'_>, ids: &[ProductId]) -> Result<Vec<ProductRow>, StoreError> {
    on!(conn, c => {
        let columns = "SELECT id, name, description, price, category, created_at FROM products WHERE id IN (";
        let mut query = QueryBuilder::new(columns);
        let mut list = query.separated(", ");
        for id in ids {
            list.push_bind(*id);
        }
        query.push(") ORDER BY id").build_query_as().fetch_all(c).await
    })
}

/// How many pieces there are of each of these products, read at this moment; those that are missing are left out.
///
/// # Errors
///
/// [`StoreError`] when the database does not answer.
pub async fn stock_of(conn: &mut Conn<'_>, ids: &[ProductId]) -> Result<HashMap<ProductId, i64>, StoreError> {
    let rows: Vec<StockRow> = on!(conn, c => {
        let mut query = QueryBuilder::new("SELECT id, stock FROM products WHERE id IN (");
        let mut list = query.separated(", ");
        for id in ids {
            list.push_bind(*id);
        }
        query.push(")").build_query_as().fetch_all(c).await
    })?;
    Ok(rows.into_iter().map(|row| (row.id, row.stock)).collect())
}

/// Takes so many pieces; answers whether there were so many.
///
/// # Errors
///
/// [`StoreError`] when the database does not answer.
pub async fn take(conn: &mut Conn<'_>, id: ProductId, pieces: i64) -> Result<bool, StoreError> {
    let rows = on!(conn, c => sqlx::query(include_str!("sql/take_stock.sql"))
        .bind(pieces)
        .bind(id)
        .bind(pieces)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

/// Gives so many pieces back.
///
/// # Errors
///
/// [`StoreError`] when the database does not answer.
pub async fn give_back(conn: &mut Conn<'_>, id: ProductId, pieces: i64) -> Result<(), StoreError> {
    let sql = "UPDATE products SET stock = stock + ?, version = version + 1 WHERE id = ?";
    on!(conn, c => sqlx::query(sql).bind(pieces).bind(id).execute(c).await.map(drop))
}
