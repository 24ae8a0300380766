//! The tables `carts` and `cart_items`.

use std::collections::HashMap;

use sqlx::QueryBuilder;

use super::conn::{on, pick};
use super::{Conn, StoreError};
use crate::model::{CartId, ProductId, Quantity, UserId};

/// A line of a cart, with what its product says at this moment.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
#[allow(missing_docs)] // the columns
pub struct CartLine {
    pub product_id: ProductId,
    pub name: String,
    pub price: i64,
    pub quantity: i64,
    pub stock: i64,
}

/// A line of a cart by itself: what stays the same until the user changes it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, sqlx::FromRow)]
#[allow(missing_docs)] // the columns
pub struct CartItem {
    pub product_id: ProductId,
    pub quantity: i64,
}

#[derive(sqlx::FromRow)]
struct ProductNow {
    id: ProductId,
    name: String,
    price: i64,
    stock: i64,
}

/// The user's cart, if there is one.
///
/// # Errors
///
/// [`StoreError`] when the database does not answer.
pub async fn find(conn: &mut Conn<'_>, user: UserId) -> Result<Option<CartId>, StoreError> {
    on!(conn, c => sqlx::query_scalar("SELECT id FROM carts WHERE user_id = ?").bind(user).fetch_optional(c).await)
}

/// Makes the user's cart, unless another request was faster.
///
/// # Errors
///
/// [`StoreError`] when the database does not answer.
pub async fn make(conn: &mut Conn<'_>, user: UserId) -> Result<(), StoreError> {
    let made = on!(conn, c => sqlx::query("INSERT INTO carts (user_id) VALUES (?)").bind(user).execute(c).await.map(drop));
    match made {
        Err(error) if error.is_duplicate() => Ok(()),
        made => made,
    }
}

/// The lines of the user's cart, in the order of their products.
///
/// # Errors
///
/// [`StoreError`] when the database does not answer.
pub async fn lines(conn: &mut Conn<'_>, user: UserId) -> Result<Vec<CartLine>, StoreError> {
    on!(conn, c => sqlx::query_as(include_str!("sql/cart_lines.sql")).bind(user).fetch_all(c).await)
}

/// The lines of the user's cart by themselves, in the order of their products.
///
/// # Errors
///
/// [`StoreError`] when the database does not answer.
pub async fn items(conn: &mut Conn<'_>, user: UserId) -> Result<Vec<CartItem>, StoreError> {
    on!(conn, c => sqlx::query_as(include_str!("sql/cart_items.sql")).bind(user).fetch_all(c).await)
}

/// These lines, with what their products say at this moment.
///
/// # Errors
///
/// [`StoreError`] when the database does not answer.
pub async fn with_products(conn: &mut Conn<'_>, items: &[CartItem]) -> Result<Vec<CartLine>, StoreError> {
    let rows: Vec<ProductNow> = on!(conn, c => {
        let mut query = QueryBuilder::new("SELECT id, name, price, stock FROM products WHERE id IN (");
        let mut list = query.separated(", ");
        for item in items {
            list.push_bind(item.product_id);
        }
        query.push(")").build_query_as().fetch_all(c).await
    })?;
    let mut now: HashMap<_, _> = rows.into_iter().map(|row| (row.id, row)).collect();
    let line = |item: &CartItem| {
        let ProductNow { name, price, stock, .. } = now.remove(&item.product_id)?;
        Some(CartLine { product_id: item.product_id, name, price, quantity: item.quantity, stock })
    };
    Ok(items.iter().filter_map(line).collect())
}

/// Puts so many pieces more into the cart, which holds a million of a product at most.
///
/// # Errors
///
/// [`StoreError`] when the database does not answer.
pub async fn add(
    conn: &mut Conn<'_>,
    cart: CartId,
    product: ProductId,
    quantity: Quantity,
) -> Result<(), StoreError> {
    let sql = pick!(conn, "add_cart_item.sql");
    on!(conn, c => sqlx::query(sql).bind(cart).bind(product).bind(quantity).execute(c).await.map(drop))
}

/// Sets the pieces of a product that is in the cart; answers whether it was there.
///
/// # Errors
///
/// [`StoreError`] when the database does not answer.
pub async fn set(
    conn: &mut Conn<'_>,
    cart: CartId,
    product: ProductId,
    quantity: Quantity,
) -> Result<bool, StoreError> {
    let sql = "UPDATE cart_items SET quantity = ? WHERE cart_id = ? AND product_id = ?";
    let rows = on!(conn, c => sqlx::query(sql).bind(quantity).bind(cart).bind(product).execute(c).await
        .map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

/// Takes a product out of the cart; answers whether it was there.
///
/// # Errors
///
/// [`StoreError`] when the database does not answer.
pub async fn remove(conn: &mut Conn<'_>, cart: CartId, product: ProductId) -> Result<bool, StoreError> {
    let sql = "DELETE FROM cart_items WHERE cart_id = ? AND product_id = ?";
    let rows = on!(conn, c => sqlx::query(sql).bind(cart).bind(product).execute(c).await
        .map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}
