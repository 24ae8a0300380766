//! The suites of `idempotency` on PostgreSQL.

#![allow(clippy::panic, clippy::unwrap_used)]

use std::sync::Arc;

use idempotency::conformance::Shop;
use idempotency::{PostgresStore, Store};
use interlock_tests::{Database, PostgresServer};
use sqlx::postgres::{PgPool, PgPoolOptions};

async fn pool(database: &Database) -> PgPool {
    PgPoolOptions::new().max_connections(10).connect(database.url()).await.unwrap()
}

async fn fixture() -> (PostgresStore, Database) {
    let database = PostgresServer::shared().await.database("keys").await;
    let store = PostgresStore::new(pool(&database).await);
    store.migrate().await.unwrap();
    (store, database)
}

async fn shop() -> Arc<Shop<PostgresStore>> {
    let database = PostgresServer::shared().await.database("shop").await;
    let pool = pool(&database).await;
    Shop::open(PostgresStore::new(pool.clone()), pool, database).await
}

mod rows {
    idempotency::store_suite!(super::fixture());
}

mod transactions {
    idempotency::transactional_suite!(super::shop());
}

mod locked {
    idempotency::locked_suite!(super::shop());
}
