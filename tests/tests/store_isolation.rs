//! Idempotent work reads what others commit meanwhile (READ COMMITTED), whatever its session would do by itself.

#![allow(clippy::panic, clippy::unwrap_used)]

use idempotency::{BoxError, Idempotency};
use interlock_tests::{MariaDbServer, PostgresServer};
use sqlx::mysql::MySqlPoolOptions;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, Executor, MySqlConnection, PgConnection};

const CREATE: &str = "CREATE TABLE balance (amount BIGINT NOT NULL)";
const OPEN: &str = "INSERT INTO balance VALUES (0)";
const READ: &str = "SELECT amount FROM balance";
const CHANGE: &str = "UPDATE balance SET amount = amount + 5";

/// Reads the balance before and after somebody else changes it, in one transaction: a plain one of the pool, and one
/// with a key.
macro_rules! reads {
    ($pool:expr, $once:expr, $other:expr) => {{
        let (pool, once, mut other) = ($pool, $once, $other);
        once.migrate().await.unwrap();
        other.execute(CREATE).await.unwrap();
        other.execute(OPEN).await.unwrap();

        let mut tx = pool.begin().await.unwrap();
        let before: i64 = sqlx::query_scalar(READ).fetch_one(&mut *tx).await.unwrap();
        other.execute(CHANGE).await.unwrap();
        let after: i64 = sqlx::query_scalar(READ).fetch_one(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!((before, after), (0, 0), "a session that sees what others commit proves nothing");

        let request = once.request("read", "key").unwrap();
        let read = request.transaction(async |tx| {
            let before: i64 = sqlx::query_scalar(READ).fetch_one(&mut **tx).await?;
            other.execute(CHANGE).await?;
            let after: i64 = sqlx::query_scalar(READ).fetch_one(&mut **tx).await?;
            Ok::<_, BoxError>((before, after))
        });
        read.await.unwrap().into_inner()
    }};
}

#[tokio::test]
async fn mariadb() {
    let database = MariaDbServer::shared().await.database("isolation").await;
    // What a session does by itself here is REPEATABLE READ.
    let pool = MySqlPoolOptions::new().connect(database.url()).await.unwrap();
    let other = MySqlConnection::connect(database.url()).await.unwrap();
    assert_eq!(reads!(&pool, Idempotency::mysql(pool.clone()), other), (5, 10));
}

#[tokio::test]
async fn postgres() {
    let database = PostgresServer::shared().await.database("isolation").await;
    let options: PgConnectOptions = database.url().parse().unwrap();
    let options = options.options([("default_transaction_isolation", "serializable")]);
    let pool = PgPoolOptions::new().connect_with(options).await.unwrap();
    let level: String = sqlx::query_scalar("SHOW transaction_isolation").fetch_one(&pool).await.unwrap();
    assert_eq!(level, "serializable");
    let other = PgConnection::connect(database.url()).await.unwrap();
    assert_eq!(reads!(&pool, Idempotency::postgres(pool.clone()), other), (5, 10));
}
