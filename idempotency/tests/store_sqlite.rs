//! The suites on SQLite.

#![allow(clippy::panic, clippy::unwrap_used)]

use std::sync::Arc;

use idempotency::{SqliteStore, Store, conformance::Shop};
use sqlx::{
    SqlitePool,
    sqlite::{SqliteConnectOptions, SqlitePoolOptions},
};
use tempfile::TempDir;

async fn database() -> (SqlitePool, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteConnectOptions::new().filename(folder.path().join("shop.db")).create_if_missing(true);
    (SqlitePoolOptions::new().max_connections(4).connect_with(options).await.unwrap(), folder)
}

async fn fixture() -> (SqliteStore, TempDir) {
    let (pool, folder) = database().await;
    let store = SqliteStore::new(pool);
    store.migrate().await.unwrap();
    (store, folder)
}

async fn shop() -> Arc<Shop<SqliteStore>> {
    let (pool, folder) = database().await;
    Shop::open(SqliteStore::new(pool.clone()), pool, folder).await
}

mod rows {
    idempotency::store_suite!(super::fixture());
}

mod transactions {
    idempotency::transactional_suite!(super::shop());
}

#[cfg(feature = "lock")]
mod locked {
    idempotency::locked_suite!(super::shop());
}
