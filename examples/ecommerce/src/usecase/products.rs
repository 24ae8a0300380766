//! Looking products up.

use std::collections::HashMap;

use crate::cache::{Cache, Kind};
use crate::error::{ErrorCode, ShopError};
use crate::model::{ProductId, ProductOrder};
use crate::store::Database;
use crate::store::products::{self, ProductRow};

/// A product, and how many pieces there are at this moment.
#[derive(Debug, Clone)]
pub struct Product {
    /// What it is.
    pub row: ProductRow,
    /// How many there are.
    pub stock: i64,
}

/// The product.
///
/// # Errors
///
/// [`ErrorCode::ProductNotFound`], or the database is away.
pub async fn find(database: &Database, cache: &Cache, id: ProductId) -> Result<Product, ShopError> {
    let row = cache.get(Kind::Product, &format!("product:{id}"), || load(database, id)).await?;
    let mut reader = database.reader().await?;
    let stock = products::stock_of(&mut reader.conn(), &[id]).await?;
    Ok(with_stock(row, &stock))
}

/// The products of a category, or all.
///
/// # Errors
///
/// The database is away.
pub async fn list(
    database: &Database,
    cache: &Cache,
    category: Option<&str>,
    order: ProductOrder,
) -> Result<Vec<Product>, ShopError> {
    let mut rows = cache.get(Kind::Product, "products:all", || load_all(database)).await?;
    rows.retain(|row| category.is_none_or(|category| category == row.category));
    match order {
        ProductOrder::Number => {}
        ProductOrder::PriceAsc => rows.sort_by_key(|row| row.price),
        ProductOrder::PriceDesc => rows.sort_by_key(|row| std::cmp::Reverse(row.price)),
        ProductOrder::Newest => rows.sort_by_key(|row| std::cmp::Reverse(row.created_at)),
    }
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
    let mut reader = database.reader().await?;
    let stock = products::stock_of(&mut reader.conn(), &ids).await?;
    Ok(rows.into_iter().map(|row| with_stock(row, &stock)).collect())
}

async fn load(database: &Database, id: ProductId) -> Result<ProductRow, ShopError> {
    let mut reader = database.reader().await?;
    products::find(&mut reader.conn(), id).await?.ok_or_else(|| ErrorCode::ProductNotFound.into())
}

async fn load_all(database: &Database) -> Result<Vec<ProductRow>, ShopError> {
    let mut reader = database.reader().await?;
    Ok(products::list(&mut reader.conn()).await?)
}

fn with_stock(row: ProductRow, stock: &HashMap<ProductId, i64>) -> Product {
    let stock = stock.get(&row.id).copied().unwrap_or_default();
    Product { row, stock }
}
