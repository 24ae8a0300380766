//! Idempotent requests on MariaDB while connections break: all or nothing, and the answer says which.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use idempotency::{BoxError, Idempotency, IdempotencyError, MySqlStore, Outcome};
use interlock_tests::{Database, MariaDbServer, Proxy};
use sqlx::mysql::MySqlPoolOptions;
use sqlx::{AssertSqlSafe, MySqlPool, query, query_scalar};

/// How the driver sends the end of a transaction: a query packet with this text alone.
const COMMIT: &[u8] = b"\x03COMMIT";

struct Shop {
    once: Idempotency<MySqlStore>,
    direct: MySqlPool,
    proxy: Proxy,
    runs: AtomicU32,
    _database: Database,
}

impl Shop {
    async fn open() -> Shop {
        let database = MariaDbServer::shared().await.database("faults").await;
        let proxy = Proxy::to(database.address());
        let options = MySqlPoolOptions::new().max_connections(4);
        let once = Idempotency::mysql(options.connect(&database.url_through(&proxy)).await.unwrap());
        once.migrate().await.unwrap();
        let direct = database.mysql_pool().await;
        query("CREATE TABLE balance (amount BIGINT NOT NULL)").execute(&direct).await.unwrap();
        query("INSERT INTO balance VALUES (0)").execute(&direct).await.unwrap();
        Shop { once, direct, proxy, runs: AtomicU32::new(0), _database: database }
    }

    async fn charge(&self, key: &str) -> Result<Outcome<String>, BoxError> {
        self.once
            .request("charge", key)?
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

    async fn status(&self) -> Vec<String> {
        query_scalar("SELECT status FROM idempotency_keys").fetch_all(&self.direct).await.unwrap()
    }
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
async fn a_commit_that_never_arrived_is_known_not_to_have() {
    let shop = Shop::open().await;
    let request = shop.once.request("charge", "key").unwrap();
    let failed = request
        .transaction(async |tx| {
            query("UPDATE balance SET amount = amount + 5").execute(&mut **tx).await?;
            // What the server does not hear from here on it rolls back.
            shop.proxy.refuse();
            shop.proxy.cut();
            Ok::<_, BoxError>("charged 5".to_owned())
        })
        .await;
    let error = failed.unwrap_err();
    assert!(
        matches!(error.downcast_ref(), Some(IdempotencyError::Store(error)) if error.is_transient()),
        "{error:?}"
    );
    shop.proxy.accept();
    assert!(!shop.charge("key").await.unwrap().replayed());
    assert_eq!(shop.balance().await, 5);
}

#[tokio::test]
async fn with_the_database_away_the_outcome_of_a_commit_is_unknown_until_it_is_back() {
    let shop = Shop::open().await;
    shop.proxy.drop_reply_to(COMMIT, 1);
    let (outcome, ()) = tokio::join!(shop.charge("key"), async {
        while shop.proxy.struck() == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        shop.proxy.refuse();
    });
    // Either the look-up was faster than the refusal, or the caller is told that nobody knows.
    if let Err(error) = outcome {
        assert!(matches!(error.downcast_ref(), Some(IdempotencyError::CommitUnknown(_))), "{error:?}");
    }
    shop.proxy.accept();
    let again = shop.charge("key").await.unwrap();
    assert!(again.replayed());
    assert_eq!((shop.balance().await, shop.runs.load(Ordering::SeqCst)), (5, 1));
}

#[tokio::test]
async fn a_lost_reply_to_the_claim_leaves_nothing() {
    let shop = Shop::open().await;
    shop.proxy.drop_reply_to("START TRANSACTION", 1);
    let error = shop.charge("key").await.unwrap_err();
    assert_eq!(shop.proxy.struck(), 1);
    assert!(
        matches!(error.downcast_ref(), Some(IdempotencyError::Store(error)) if error.is_transient()),
        "{error:?}"
    );
    assert!(!shop.charge("key").await.unwrap().replayed());
    assert_eq!(shop.balance().await, 5);
}

#[tokio::test]
async fn a_lost_reply_to_the_settlement_leaves_nothing() {
    let shop = Shop::open().await;
    shop.proxy.drop_reply_to("charged 5", 1);
    let error = shop.charge("key").await.unwrap_err();
    assert_eq!(shop.proxy.struck(), 1);
    assert!(
        matches!(error.downcast_ref(), Some(IdempotencyError::Store(error)) if error.is_transient()),
        "{error:?}"
    );
    assert_eq!(shop.balance().await, 0);
    assert!(!shop.charge("key").await.unwrap().replayed());
    assert_eq!(shop.balance().await, 5);
}

#[tokio::test]
async fn a_killed_connection_undoes_the_work() {
    let shop = Shop::open().await;
    let request = shop.once.request("charge", "key").unwrap();
    let killed = request
        .transaction(async |tx| {
            query("UPDATE balance SET amount = amount + 5").execute(&mut **tx).await?;
            let id: u64 = query_scalar("SELECT CONNECTION_ID()").fetch_one(&mut **tx).await?;
            sqlx::raw_sql(AssertSqlSafe(format!("KILL {id}"))).execute(&shop.direct).await.expect("may kill");
            Ok::<_, BoxError>("charged 5".to_owned())
        })
        .await;
    assert!(killed.is_err());
    assert_eq!(shop.balance().await, 0);
    assert!(!shop.charge("key").await.unwrap().replayed());
    assert_eq!(shop.balance().await, 5);
}

/// The transaction is gone with the deadlock, and the key with it: nothing may be written after it.
#[tokio::test]
async fn a_deadlock_in_the_work_commits_nothing() {
    let shop = Shop::open().await;
    query("CREATE TABLE other (id INT PRIMARY KEY, n INT NOT NULL)").execute(&shop.direct).await.unwrap();
    query("INSERT INTO other VALUES (1, 0), (2, 0), (3, 0)").execute(&shop.direct).await.unwrap();
    let request = shop.once.request("charge", "key").unwrap();
    let deadlocked = request
        .transaction(async |tx| {
            query("UPDATE balance SET amount = amount + 5").execute(&mut **tx).await?;
            query("UPDATE other SET n = 1 WHERE id = 1").execute(&mut **tx).await?;
            // The rival has written more, so that the server picks this transaction to end the deadlock.
            let mut rival = shop.direct.begin().await?;
            for id in 10..60 {
                query("INSERT INTO other VALUES (?, 0)").bind(id).execute(&mut *rival).await?;
            }
            query("UPDATE other SET n = 2 WHERE id = 2").execute(&mut *rival).await?;
            let crossing = tokio::spawn(async move {
                query("UPDATE other SET n = 2 WHERE id = 1").execute(&mut *rival).await.map(|_| ())
            });
            tokio::time::sleep(Duration::from_millis(100)).await;
            let crossed = query("UPDATE other SET n = 1 WHERE id = 2").execute(&mut **tx).await;
            crossing.await?.expect("the rival survives");
            crossed?;
            Ok::<_, BoxError>("charged 5".to_owned())
        })
        .await;
    let error = deadlocked.unwrap_err();
    let number = error.downcast_ref::<sqlx::Error>().and_then(|error| error.as_database_error()?.code());
    assert_eq!(number.as_deref(), Some("40001"), "{error:?}");
    assert_eq!((shop.balance().await, shop.status().await), (0, vec![]));
    assert!(!shop.charge("key").await.unwrap().replayed());
    assert_eq!(shop.balance().await, 5);
}

#[tokio::test]
async fn the_sessions_own_lock_wait_comes_back() {
    let shop = Shop::open().await;
    let wait = async || -> u64 {
        let mut connections = Vec::new();
        while let Some(connection) = shop.once.store().pool().try_acquire() {
            connections.push(connection);
        }
        let mut longest = 0;
        for connection in &mut connections {
            let wait: u64 = query_scalar("SELECT @@SESSION.innodb_lock_wait_timeout")
                .fetch_one(&mut **connection)
                .await
                .unwrap();
            longest = longest.max(wait);
            assert!(wait >= 50, "{wait} s");
        }
        longest
    };
    let before = wait().await;
    shop.charge("key").await.unwrap().into_inner();
    shop.charge("key").await.unwrap().into_inner();
    let other = Idempotency::new(shop.once.store().clone());
    let replay =
        other.request("charge", "key").unwrap().transaction(async |_| Ok::<_, BoxError>(String::new()));
    assert!(replay.await.unwrap().replayed());
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(wait().await, before);
}
