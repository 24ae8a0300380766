//! A SQLite file that cannot be written for now: the store says that it is away, and recovers by itself.

#![allow(clippy::panic, clippy::unwrap_used)]

use std::time::Duration;

use idempotency::{BoxError, Idempotency, IdempotencyError, Outcome, SqliteStore, StoreErrorKind};
use sqlx::{
    Connection, SqliteConnection, query, query_scalar,
    sqlite::{SqliteConnectOptions, SqlitePoolOptions},
};
use tempfile::TempDir;

fn options(folder: &TempDir) -> SqliteConnectOptions {
    let options = SqliteConnectOptions::new().filename(folder.path().join("shop.db"));
    options.create_if_missing(true).busy_timeout(Duration::from_millis(20))
}

async fn open(options: SqliteConnectOptions) -> Idempotency<SqliteStore> {
    let pool = SqlitePoolOptions::new().max_connections(2).connect_with(options).await.unwrap();
    Idempotency::sqlite(pool)
}

/// A file with a balance in it.
async fn create(folder: &TempDir) -> Idempotency<SqliteStore> {
    let once = open(options(folder)).await;
    once.migrate().await.unwrap();
    query("CREATE TABLE balance (amount BIGINT NOT NULL)").execute(once.store().pool()).await.unwrap();
    query("INSERT INTO balance VALUES (0)").execute(once.store().pool()).await.unwrap();
    once
}

async fn charge(
    once: &Idempotency<SqliteStore>,
    key: &str,
    answer: String,
) -> Result<Outcome<String>, BoxError> {
    let request = once.request("charge", key).unwrap();
    request
        .transaction(async |tx| {
            query("UPDATE balance SET amount = amount + 5").execute(&mut **tx).await?;
            Ok::<_, BoxError>(answer)
        })
        .await
}

#[track_caller]
fn is_unavailable(outcome: Result<Outcome<String>, BoxError>) {
    let error = outcome.unwrap_err();
    let Some(IdempotencyError::Store(error)) = error.downcast_ref() else { panic!("{error:?}") };
    assert_eq!(*error.kind(), StoreErrorKind::Unavailable, "{error:?}");
    assert!(error.is_transient());
}

async fn balance(once: &Idempotency<SqliteStore>) -> i64 {
    query_scalar("SELECT amount FROM balance").fetch_one(once.store().pool()).await.unwrap()
}

#[tokio::test]
async fn another_program_has_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let once = create(&folder).await;
    let mut other = SqliteConnection::connect_with(&options(&folder)).await.unwrap();
    query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    is_unavailable(charge(&once, "key", "charged".into()).await);
    let leased = once.request("mail", "key").unwrap().lease(Duration::from_secs(60));
    is_unavailable(leased.run(async |_| Ok::<_, BoxError>("sent".into())).await);
    query("ROLLBACK").execute(&mut other).await.unwrap();
    assert!(!charge(&once, "key", "charged".into()).await.unwrap().replayed());
    assert_eq!(balance(&once).await, 5);
}

#[tokio::test]
async fn the_file_is_read_only() {
    let folder = tempfile::tempdir().unwrap();
    let once = create(&folder).await;
    for read_only in [options(&folder).read_only(true), options(&folder).pragma("query_only", "on")] {
        let reader = open(read_only).await;
        is_unavailable(charge(&reader, "key", "charged".into()).await);
        let leased = reader.request("mail", "key").unwrap().lease(Duration::from_secs(60));
        is_unavailable(leased.run(async |_| Ok::<_, BoxError>("sent".into())).await);
    }
    assert!(!charge(&once, "key", "charged".into()).await.unwrap().replayed());
    assert_eq!(balance(&once).await, 5);
}

#[tokio::test]
async fn the_disk_is_full() {
    let folder = tempfile::tempdir().unwrap();
    let once = create(&folder).await;
    // No page more than it has.
    let full = open(options(&folder).pragma("max_page_count", "1")).await;
    is_unavailable(charge(&full, "key", "charged".repeat(10_000)).await);
    assert_eq!(balance(&once).await, 0);
    assert!(!charge(&once, "key", "charged".into()).await.unwrap().replayed());
    assert_eq!(balance(&once).await, 5);
}
