//! What sold best.

use time::{Duration, OffsetDateTime};

use crate::cache::{Cache, Kind};
use crate::error::ShopError;
use crate::store::Database;
use crate::store::sales::{self, SalesRow};

/// How many days count, today included.
const DAYS: i64 = 3;
/// How many products are shown.
const MOST: i64 = 5;

/// The products that sold best in the last three days, the best first; up to five minutes old.
///
/// # Errors
///
/// The database is away.
pub async fn list(database: &Database, cache: &Cache) -> Result<Vec<SalesRow>, ShopError> {
    cache.get(Kind::TopProducts, "top-products:3days", || load(database)).await
}

async fn load(database: &Database) -> Result<Vec<SalesRow>, ShopError> {
    let since = OffsetDateTime::now_utc().date() - Duration::days(DAYS - 1);
    let mut reader = database.reader().await?;
    Ok(sales::top(&mut reader.conn(), since, MOST).await?)
}
