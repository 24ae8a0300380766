//! A refusal that could not be stored is not answered: its repeat would be answered otherwise.

#![allow(clippy::panic, clippy::unwrap_used)]

use std::time::Duration;

use idempotency::{Idempotency, IdempotencyError, MySqlStore, PostgresStore};
use interlock_tests::once::{Bank, Mode, RequestError, Work, request};
use interlock_tests::{Database, MariaDbServer, PostgresServer, Proxy};

const KEY: &str = "key";

async fn in_a_transaction<S: Bank>(database: Database) {
    let proxy = Proxy::to(database.address());
    let (store, pool) = S::open(&database.url_through(&proxy), 2);
    let once = Idempotency::new(store);
    once.migrate().await.unwrap();
    S::create(&pool).await;
    let refused = once.request("once", KEY).unwrap().fingerprint(&KEY).transaction(async |_| {
        proxy.cut();
        Err::<String, _>(RequestError::Refused)
    });
    let error = refused.await.unwrap_err();
    assert!(
        matches!(&error, RequestError::Idempotency(IdempotencyError::Store(error)) if error.is_transient()),
        "{error:?}"
    );
    let again = request(&once, &pool, KEY, Mode::Transaction, (Work::Done, Duration::ZERO)).await.unwrap();
    assert!(!again.replayed());
}

#[tokio::test]
async fn in_a_transaction_on_mariadb() {
    in_a_transaction::<MySqlStore>(MariaDbServer::shared().await.database("refusals").await).await;
}

#[tokio::test]
async fn in_a_transaction_on_postgres() {
    in_a_transaction::<PostgresStore>(PostgresServer::shared().await.database("refusals").await).await;
}
