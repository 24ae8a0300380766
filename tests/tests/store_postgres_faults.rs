//! Idempotent requests on PostgreSQL while connections break: all or nothing, and the answer says which.

#![allow(clippy::panic, clippy::unwrap_used)]

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use idempotency::{
    BoxError, Failure, FailureClass, Idempotency, IdempotencyError, Outcome, PostgresStore, StoreErrorKind,
};
use interlock_tests::{Database, PostgresServer, Proxy, eventually};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{query, query_scalar};

/// How the driver sends the end of a transaction: a simple query with this text alone.
const COMMIT: &[u8] = b"COMMIT\0";

struct Shop {
    once: Idempotency<PostgresStore>,
    direct: PgPool,
    proxy: Proxy,
    runs: AtomicU32,
    database: Database,
}

impl Shop {
    async fn open() -> Shop {
        let database = PostgresServer::shared().await.database("faults").await;
        let proxy = Proxy::to(database.address());
        let options = PgPoolOptions::new().max_connections(4);
        let once =
            Idempotency::postgres(options.clone().connect(&database.url_through(&proxy)).await.unwrap());
        once.migrate().await.unwrap();
        let direct = options.connect(database.url()).await.unwrap();
        query("CREATE TABLE balance (amount BIGINT NOT NULL)").execute(&direct).await.unwrap();
        query("INSERT INTO balance VALUES (0)").execute(&direct).await.unwrap();
        Shop { once, direct, proxy, runs: AtomicU32::new(0), database }
    }

    async fn charge(&self, key: &str) -> Result<Outcome<String>, BoxError> {
        let request = self.once.request("charge", key)?;
        request
            .transaction(async |tx| {
                self.runs.fetch_add(1, Ordering::SeqCst);
                query("UPDATE balance SET amount = amount + 5").execute(&mut **tx).await?;
                Ok("charged 5".to_owned())
            })
            .await
    }

    async fn balance(&self) -> i64 {
        query_scalar("SELECT amount FROM balance").fetch_one(&self.direct).await.unwrap()
    }
}

fn is_transient(error: &BoxError) -> bool {
    matches!(error.downcast_ref(), Some(IdempotencyError::Store(error)) if error.is_transient())
}

#[tokio::test]
async fn a_lost_reply_to_commit_is_looked_up() {
    let shop = Shop::open().await;
    shop.proxy.drop_reply_to(COMMIT, 1);
    let outcome = shop.charge("key").await.unwrap();
    assert_eq!(shop.proxy.struck(), 1);
    assert!(!outcome.replayed());
    let again = shop.charge("key").await.unwrap();
    assert!(again.replayed());
    assert_eq!(outcome.payload(), again.payload());
    assert_eq!((shop.balance().await, shop.runs.load(Ordering::SeqCst)), (5, 1));
}

#[tokio::test]
async fn other_lost_replies_leave_nothing() {
    for needle in ["BEGIN ISOLATION", "charged 5"] {
        let shop = Shop::open().await;
        shop.proxy.drop_reply_to(needle, 1);
        let error = shop.charge("key").await.unwrap_err();
        assert_eq!(shop.proxy.struck(), 1, "{needle}");
        assert!(is_transient(&error), "{error:?}");
        assert!(!shop.charge("key").await.unwrap().replayed());
        assert_eq!(shop.balance().await, 5);
    }
}

#[tokio::test]
async fn an_ended_connection_undoes_the_work() {
    let shop = Shop::open().await;
    let request = shop.once.request("charge", "key").unwrap();
    let ended = request
        .transaction(async |tx| {
            query("UPDATE balance SET amount = amount + 5").execute(&mut **tx).await?;
            let id: i32 = query_scalar("SELECT pg_backend_pid()").fetch_one(&mut **tx).await?;
            let ended: bool =
                query_scalar("SELECT pg_terminate_backend($1)").bind(id).fetch_one(&shop.direct).await?;
            assert!(ended);
            Ok::<_, BoxError>("charged 5".to_owned())
        })
        .await;
    assert!(is_transient(&ended.unwrap_err()));
    assert_eq!(shop.balance().await, 0);
    assert!(!shop.charge("key").await.unwrap().replayed());
    assert_eq!(shop.balance().await, 5);
}

/// As after a failover, on the server that was the primary.
#[tokio::test]
async fn a_server_that_takes_no_writes_is_unavailable() {
    let shop = Shop::open().await;
    let options: PgConnectOptions = shop.database.url().parse().unwrap();
    let options = options.options([("default_transaction_read_only", "on")]);
    let reader = Idempotency::postgres(PgPoolOptions::new().connect_with(options).await.unwrap());
    let unavailable = |error: &BoxError| matches!(error.downcast_ref(), Some(IdempotencyError::Store(error)) if *error.kind() == StoreErrorKind::Unavailable);
    let request = reader.request("charge", "key").unwrap();
    let charged = request.transaction(async |_| Ok::<_, BoxError>("charged 5".to_owned())).await.unwrap_err();
    assert!(unavailable(&charged), "{charged:?}");
    let request = reader.request("charge", "key").unwrap().lease(Duration::from_secs(60));
    let leased = request.run(async |_| Ok::<_, BoxError>("charged 5".to_owned())).await.unwrap_err();
    assert!(unavailable(&leased), "{leased:?}");
    assert!(!shop.charge("key").await.unwrap().replayed());
    assert_eq!(shop.balance().await, 5);
}

/// Where an error ends the transaction, going back to the savepoint mends it: the failure is recorded.
#[tokio::test]
async fn an_error_in_the_work_is_recorded() {
    let shop = Shop::open().await;
    let request = shop.once.request("charge", "key").unwrap();
    let failed = request
        .transaction(async |tx| {
            query("UPDATE balance SET amount = amount + 5").execute(&mut **tx).await?;
            query("SELECT 1 / 0").execute(&mut **tx).await?;
            Ok::<_, BoxError>(String::new())
        })
        .await;
    assert!(failed.is_err());
    let status: String =
        query_scalar("SELECT status FROM idempotency_keys").fetch_one(&shop.direct).await.unwrap();
    assert_eq!((status.as_str(), shop.balance().await), ("FAILED", 0));
    assert!(!shop.charge("key").await.unwrap().replayed());
}

/// A store that takes idle connections untested goes on with another where one is broken.
#[tokio::test]
async fn an_idle_connection_that_broke_costs_no_request() {
    for ended_by_the_server in [false, true] {
        let shop = Shop::open().await;
        let once = Idempotency::new(shop.once.store().clone().test_before_acquire(false));
        let charge = async |key: &str| {
            let request = once.request("charge", key).unwrap();
            let charged = request.transaction(async |tx| {
                query("UPDATE balance SET amount = amount + 5").execute(&mut **tx).await?;
                Ok::<_, BoxError>(5)
            });
            charged.await.unwrap()
        };
        assert!(!charge("before").await.replayed());
        let idle = async || once.store().pool().num_idle() > 0;
        eventually("the connection is back", Duration::from_secs(20), idle).await;
        if ended_by_the_server {
            let sql = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                       WHERE datname = current_database() AND pid <> pg_backend_pid()";
            let ended: i64 = query_scalar(sql).fetch_one(&shop.direct).await.unwrap();
            assert!(ended > 0);
        } else {
            shop.proxy.cut();
        }
        assert!(!charge("key").await.replayed());
        assert!(charge("key").await.replayed());
        assert_eq!(shop.balance().await, 10);
    }
}

/// What became of the call to somebody else nobody knows.
#[derive(Debug, thiserror::Error)]
enum CallError {
    #[error("no answer in time")]
    TimedOut,
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Idempotency(#[from] IdempotencyError),
}

impl Failure for CallError {
    fn class(&self) -> FailureClass {
        match self {
            Self::TimedOut => FailureClass::MaybeApplied,
            _ => FailureClass::Unstated,
        }
    }
}

/// The request gives its connection back before it takes the one that records this: there is no second one.
#[tokio::test]
async fn work_that_may_have_been_applied_is_recorded_though_its_connection_is_gone() {
    let shop = Shop::open().await;
    let options = PgPoolOptions::new().max_connections(1).acquire_timeout(Duration::from_secs(30));
    let once = Idempotency::postgres(options.connect(shop.database.url()).await.unwrap());
    for ended in [true, false] {
        let request = once.request("charge", "key").unwrap();
        let called = request.transaction(async |tx| {
            shop.runs.fetch_add(1, Ordering::SeqCst);
            if ended {
                let id: i32 = query_scalar("SELECT pg_backend_pid()").fetch_one(&mut **tx).await?;
                let ended = query_scalar("SELECT pg_terminate_backend($1)").bind(id);
                assert!(ended.fetch_one(&shop.direct).await?);
            }
            Err::<String, _>(CallError::TimedOut)
        });
        match called.await.unwrap_err() {
            CallError::TimedOut if ended => {}
            CallError::Idempotency(IdempotencyError::Unknown) if !ended => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(shop.runs.load(Ordering::SeqCst), 1);
}
