//! Filling and emptying a cart.

use crate::cache::{Cache, Kind};
use crate::error::{ErrorCode, ShopError};
use crate::model::{ProductId, Quantity, UserId};
use crate::store::carts::{self, CartItem, CartLine};
use crate::store::products::{self, ProductRow};
use crate::store::{Conn, Database, users};

/// The user's cart; empty when nothing was ever put into it.
///
/// # Errors
///
/// [`ErrorCode::UserNotFound`], or the database is away.
pub async fn show(database: &Database, cache: &Cache, user: UserId) -> Result<Vec<CartLine>, ShopError> {
    let items = cache.get(Kind::Cart, &key(user), || load(database, user)).await?;
    if items.is_empty() {
        return Ok(Vec::new());
    }
    let mut reader = database.reader().await?;
    Ok(carts::with_products(&mut reader.conn(), &items).await?)
}

async fn load(database: &Database, user: UserId) -> Result<Vec<CartItem>, ShopError> {
    let mut reader = database.reader().await?;
    let conn = &mut reader.conn();
    users::find(conn, user).await?.ok_or(ErrorCode::UserNotFound)?;
    Ok(carts::items(conn, user).await?)
}

fn key(user: UserId) -> String {
    format!("cart:user:{user}")
}

/// Puts pieces of a product into the cart, beside those that are there; answers the whole cart.
///
/// # Errors
///
/// [`ErrorCode::UserNotFound`], [`ErrorCode::ProductNotFound`], or the database is away.
pub async fn add(
    database: &Database,
    cache: &Cache,
    user: UserId,
    product: ProductId,
    quantity: Quantity,
) -> Result<Vec<CartLine>, ShopError> {
    let mut writer = database.writer().await?;
    let conn = &mut writer.conn();
    find_product(conn, product).await?;
    if carts::find(conn, user).await?.is_none() {
        users::find(conn, user).await?.ok_or(ErrorCode::UserNotFound)?;
        carts::make(conn, user).await?;
    }
    let cart = carts::find(conn, user).await?.ok_or(ErrorCode::CartNotFound)?;
    carts::add(conn, cart, product, quantity).await?;
    after_write(conn, cache, user).await
}

/// Sets the pieces of a product that is in the cart; answers the product.
///
/// # Errors
///
/// [`ErrorCode::ProductNotFound`], [`ErrorCode::CartNotFound`], [`ErrorCode::CartItemNotFound`], or the database is
/// away.
pub async fn set(
    database: &Database,
    cache: &Cache,
    user: UserId,
    product: ProductId,
    quantity: Quantity,
) -> Result<ProductRow, ShopError> {
    let mut writer = database.writer().await?;
    let conn = &mut writer.conn();
    let row = find_product(conn, product).await?;
    let cart = carts::find(conn, user).await?.ok_or(ErrorCode::CartNotFound)?;
    if !carts::set(conn, cart, product, quantity).await? {
        return Err(ErrorCode::CartItemNotFound.into());
    }
    cache.evict(&key(user)).await;
    Ok(row)
}

/// Takes a product out of the cart; answers what is left.
///
/// # Errors
///
/// [`ErrorCode::CartNotFound`], [`ErrorCode::CartItemNotFound`], or the database is away.
pub async fn remove(
    database: &Database,
    cache: &Cache,
    user: UserId,
    product: ProductId,
) -> Result<Vec<CartLine>, ShopError> {
    let mut writer = database.writer().await?;
    let conn = &mut writer.conn();
    let cart = carts::find(conn, user).await?.ok_or(ErrorCode::CartNotFound)?;
    if !carts::remove(conn, cart, product).await? {
        return Err(ErrorCode::CartItemNotFound.into());
    }
    after_write(conn, cache, user).await
}

/// The cart as it is now. It is read before the eviction: it may hold what others have written and not evicted yet, and
/// nobody may be shown less than that afterwards.
async fn after_write(conn: &mut Conn<'_>, cache: &Cache, user: UserId) -> Result<Vec<CartLine>, ShopError> {
    let lines = carts::lines(conn, user).await;
    cache.evict(&key(user)).await;
    Ok(lines?)
}

async fn find_product(conn: &mut Conn<'_>, id: ProductId) -> Result<ProductRow, ShopError> {
    products::find(conn, id).await?.ok_or_else(|| ErrorCode::ProductNotFound.into())
}
