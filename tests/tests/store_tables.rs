//! Keys in a table of another name and schema: made, checked at start, and used.

#![allow(clippy::panic, clippy::unwrap_used)]

use idempotency::{BoxError, Idempotency, MySqlStore, PostgresStore, StoreErrorKind, TransactionalStore};
use interlock_tests::{MariaDbServer, PostgresServer};
use sqlx::mysql::MySqlPoolOptions;
use sqlx::postgres::PgPoolOptions;
use sqlx::query_scalar;

async fn is_made_checked_and_used<S: TransactionalStore>(store: S, table: &str) {
    let once = Idempotency::new(store);
    let missing = once.check().await.unwrap_err();
    assert!(
        matches!(missing.kind(), StoreErrorKind::Schema { table: named } if named == table),
        "{missing:?}"
    );
    assert!(missing.to_string().contains("migrate()"), "{missing}");
    once.migrate().await.unwrap();
    once.migrate().await.unwrap();
    once.check().await.unwrap();
    for replayed in [false, true] {
        let request = once.request("charge", "key").unwrap();
        let outcome = request.transaction(async |_| Ok::<_, BoxError>(5)).await.unwrap();
        assert_eq!(outcome.replayed(), replayed);
    }
}

#[tokio::test]
async fn mariadb() {
    let server = MariaDbServer::shared().await;
    let (keys, other) = (server.database("keys").await, server.database("other").await);
    let pool = MySqlPoolOptions::new().connect(other.url()).await.unwrap();
    let table = format!("{}.shop_keys", keys.name());
    is_made_checked_and_used(MySqlStore::with_table(pool.clone(), &table).unwrap(), &table).await;
    let sql = "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = ? AND table_name LIKE 'shop_keys%'";
    let tables: i64 = query_scalar(sql).bind(keys.name()).fetch_one(&pool).await.unwrap();
    assert_eq!(tables, 2);
}

#[tokio::test]
async fn postgres() {
    let database = PostgresServer::shared().await.database("keys").await;
    let pool = PgPoolOptions::new().connect(database.url()).await.unwrap();
    sqlx::raw_sql("CREATE SCHEMA shop").execute(&pool).await.unwrap();
    is_made_checked_and_used(PostgresStore::with_table(pool.clone(), "shop.keys").unwrap(), "shop.keys")
        .await;
    let sql = "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = 'shop'";
    let tables: i64 = query_scalar(sql).fetch_one(&pool).await.unwrap();
    assert_eq!(tables, 2);
}
