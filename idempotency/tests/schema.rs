//! A table that is not there, or not as it should be.

#![allow(clippy::panic, clippy::unwrap_used)]

mod support;

use idempotency::{IdempotencyError, SqliteStore, Store, StoreErrorKind};
use support::{CHARGE, ChargeError, Shop};

#[tokio::test]
async fn a_missing_or_older_table_is_named_with_its_cure() {
    let shop = Shop::open().await;
    shop.once.check().await.unwrap();
    for change in ["ALTER TABLE idempotency_keys DROP COLUMN error_message", "DROP TABLE idempotency_keys"] {
        sqlx::raw_sql(change).execute(&shop.pool).await.unwrap();
        let error = shop.once.check().await.unwrap_err();
        assert!(matches!(error.kind(), StoreErrorKind::Schema { table } if table == "idempotency_keys"));
        assert!(error.to_string().contains("migrate()"), "{error}");
    }
    let error = shop.charge("key-1", CHARGE).await.unwrap_err();
    assert!(matches!(error, ChargeError::Idempotency(IdempotencyError::Store(error))
        if matches!(error.kind(), StoreErrorKind::Schema { .. })));
}

#[tokio::test]
async fn a_missing_table_of_fences_is_named_with_its_cure() {
    let shop = Shop::open().await;
    for change in ["ALTER TABLE idempotency_fences DROP COLUMN updated_at", "DROP TABLE idempotency_fences"] {
        sqlx::raw_sql(change).execute(&shop.pool).await.unwrap();
        let error = shop.once.check().await.unwrap_err();
        assert!(matches!(error.kind(), StoreErrorKind::Schema { table } if table == "idempotency_fences"));
    }
    shop.once.migrate().await.unwrap();
    shop.once.check().await.unwrap();
}

#[tokio::test]
async fn the_table_may_have_another_name() {
    let shop = Shop::open().await;
    let store = SqliteStore::with_table(shop.pool.clone(), "shop_keys").unwrap();
    assert!(store.check().await.is_err());
    store.migrate().await.unwrap();
    store.check().await.unwrap();
    assert!(SqliteStore::with_table(shop.pool.clone(), "keys; DROP TABLE users").is_err());
}
