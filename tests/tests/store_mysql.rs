//! The suites of `idempotency` on MariaDB, or on the MySQL that `TEST_DATABASE_URL` names.

#![allow(clippy::panic, clippy::unwrap_used)]

use std::sync::Arc;

use idempotency::conformance::Shop;
use idempotency::{MySqlStore, Store};
use interlock_tests::{Database, MariaDbServer};

async fn fixture() -> (MySqlStore, Database) {
    let database = MariaDbServer::shared().await.database("keys").await;
    let store = MySqlStore::new(database.mysql_pool().await);
    store.migrate().await.unwrap();
    (store, database)
}

async fn shop() -> Arc<Shop<MySqlStore>> {
    let database = MariaDbServer::shared().await.database("shop").await;
    let pool = database.mysql_pool().await;
    Shop::open(MySqlStore::new(pool.clone()), pool, database).await
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
