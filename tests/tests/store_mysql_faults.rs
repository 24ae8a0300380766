//! Idempotent requests on MariaDB while connections break: all or nothing, and the answer says which.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use idempotency::{
    BoxError, Failure, FailureClass, Idempotency, IdempotencyError, MySqlStore, Outcome, StoreErrorKind,
};
use interlock_tests::{Database, MariaDbServer, Proxy, eventually};
use sqlx::mysql::MySqlPoolOptions;
use sqlx::{AssertSqlSafe, MySqlConnection, MySqlPool, query, query_as, query_scalar};

struct Shop {
    once: Idempotency<MySqlStore>,
    direct: MySqlPool,
    proxy: Proxy,
    runs: AtomicU32,
    /// Part of the packet that ends a transaction, and of no other.
    end: &'static [u8],
    database: Database,
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
        // MariaDB gets the response and COMMIT together, MySQL one after the other.
        let end: &[u8] =
            if MariaDbServer::shared().await.is_mysql().await { b"\x03COMMIT" } else { b"charged 5" };
        Shop { once, direct, proxy, runs: AtomicU32::new(0), end, database }
    }

    /// Opens a shop with rows to have a deadlock on.
    async fn open_with_other() -> Shop {
        let shop = Shop::open().await;
        query("CREATE TABLE other (id INT PRIMARY KEY, n INT NOT NULL)").execute(&shop.direct).await.unwrap();
        query("INSERT INTO other VALUES (1, 0), (2, 0), (3, 0)").execute(&shop.direct).await.unwrap();
        shop
    }

    /// Looks at each connection of the pool: what a request sets for itself is gone.
    async fn every_session_is_as_it_was(&self) {
        let pool = self.once.store().pool();
        eventually("all are back", Duration::from_secs(20), async || {
            pool.num_idle() == usize::try_from(pool.size()).unwrap()
        })
        .await;
        let mut connections = Vec::new();
        while let Some(connection) = pool.try_acquire() {
            connections.push(connection);
        }
        assert!(!connections.is_empty());
        for connection in &mut connections {
            let settings = "SELECT CAST(@@SESSION.innodb_lock_wait_timeout AS SIGNED), CAST(@@SESSION.autocommit AS SIGNED)";
            let (wait, autocommit): (i64, i64) =
                query_as(settings).fetch_one(&mut **connection).await.unwrap();
            assert!(wait >= 50 && autocommit == 1, "{wait} s, autocommit {autocommit}");
        }
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
    shop.proxy.drop_reply_to(shop.end, 1);
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
            shop.proxy.cut();
            Ok::<_, BoxError>("charged 5".to_owned())
        })
        .await;
    let error = failed.unwrap_err();
    assert!(
        matches!(error.downcast_ref(), Some(IdempotencyError::Store(error)) if error.is_transient()),
        "{error:?}"
    );
    assert!(!shop.charge("key").await.unwrap().replayed());
    assert_eq!(shop.balance().await, 5);
}

#[tokio::test]
async fn with_the_database_away_the_outcome_of_a_commit_is_unknown_until_it_is_back() {
    let shop = Shop::open().await;
    shop.proxy.drop_reply_to(shop.end, 1);
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
    // To MariaDB: of a connection that has not prepared it, as it is prepared, as text, and once it is prepared.
    for (charges, needle) in
        [(0, "EXECUTE"), (0, "PREPARE"), (0, "epoch INTO @idempotency_lost"), (1, "EXECUTE")]
    {
        let shop = Shop::open().await;
        if MariaDbServer::shared().await.is_mysql().await && charges == 1 {
            continue;
        }
        for n in 0..charges {
            shop.charge(&format!("before-{n}")).await.unwrap().into_inner();
        }
        shop.proxy.drop_reply_to(needle, 1);
        let error = shop.charge("key").await.unwrap_err();
        assert_eq!(shop.proxy.struck(), 1, "{needle}");
        assert!(
            matches!(error.downcast_ref(), Some(IdempotencyError::Store(error)) if error.is_transient()),
            "{needle}: {error:?}"
        );
        assert!(!shop.charge("key").await.unwrap().replayed());
        assert_eq!(shop.balance().await, 5 * (charges + 1), "{needle}");
    }
}

/// What it has prepared may be older than its table.
#[tokio::test]
async fn a_connection_goes_on_when_the_table_changes() {
    let shop = Shop::open().await;
    shop.charge("before").await.unwrap().into_inner();
    query("ALTER TABLE idempotency_keys ADD COLUMN note INT NULL FIRST").execute(&shop.direct).await.unwrap();
    for key in ["after", "later"] {
        assert!(!shop.charge(key).await.unwrap().replayed());
        assert!(shop.charge(key).await.unwrap().replayed());
    }
    assert_eq!(shop.balance().await, 15);
}

#[tokio::test]
async fn a_lost_reply_to_the_response_commits_nothing_unless_commit_went_with_it() {
    let shop = Shop::open().await;
    shop.proxy.drop_reply_to("charged 5", 1);
    let first = shop.charge("key").await;
    assert_eq!(shop.proxy.struck(), 1);
    if shop.end == b"charged 5" {
        assert!(!first.unwrap().replayed());
        assert_eq!((shop.balance().await, shop.runs.load(Ordering::SeqCst)), (5, 1));
    } else {
        let error = first.unwrap_err();
        assert!(
            matches!(error.downcast_ref(), Some(IdempotencyError::Store(error)) if error.is_transient()),
            "{error:?}"
        );
        assert_eq!(shop.balance().await, 0);
    }
    shop.charge("key").await.unwrap().into_inner();
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

/// As a pool is that was left on read only transactions.
#[tokio::test]
async fn a_session_that_takes_no_writes_is_unavailable() {
    let shop = Shop::open().await;
    let pool = MySqlPoolOptions::new().after_connect(|connection, _| {
        Box::pin(
            async move { query("SET SESSION TRANSACTION READ ONLY").execute(connection).await.map(drop) },
        )
    });
    let reader = Idempotency::mysql(pool.connect(shop.database.url()).await.unwrap());
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

/// Puts the transaction into a deadlock that it loses.
async fn deadlock(shop: &Shop, tx: &mut MySqlConnection) -> Result<(), BoxError> {
    query("UPDATE other SET n = 1 WHERE id = 1").execute(&mut *tx).await?;
    // The rival has written more, so that the server picks this transaction to end the deadlock, whoever closes the
    // circle.
    let mut rival = shop.direct.begin().await?;
    for id in 10..60 {
        query("INSERT INTO other VALUES (?, 0)").bind(id).execute(&mut *rival).await?;
    }
    query("UPDATE other SET n = 2 WHERE id = 2").execute(&mut *rival).await?;
    let crossing = tokio::spawn(async move {
        query("UPDATE other SET n = 2 WHERE id = 1").execute(&mut *rival).await?;
        rival.rollback().await
    });
    let crossed = query("UPDATE other SET n = 1 WHERE id = 2").execute(tx).await;
    crossing.await?.expect("the rival survives");
    crossed?;
    Ok(())
}

/// Whether this is the server's "deadlock found".
fn is_deadlock(error: &BoxError) -> bool {
    let code = error.downcast_ref::<sqlx::Error>().and_then(|error| error.as_database_error()?.code());
    code.as_deref() == Some("40001")
}

/// The transaction is gone with the deadlock, and the key with it: nothing may be written after it.
#[tokio::test]
async fn a_deadlock_in_the_work_commits_nothing() {
    let shop = Shop::open_with_other().await;
    let request = shop.once.request("charge", "key").unwrap();
    let deadlocked = request
        .transaction(async |tx| {
            query("UPDATE balance SET amount = amount + 5").execute(&mut **tx).await?;
            deadlock(&shop, tx).await?;
            Ok::<_, BoxError>("charged 5".to_owned())
        })
        .await;
    let error = deadlocked.unwrap_err();
    assert!(is_deadlock(&error), "{error:?}");
    assert_eq!((shop.balance().await, shop.status().await), (0, vec![]));
    assert!(!shop.charge("key").await.unwrap().replayed());
    assert_eq!(shop.balance().await, 5);
    shop.every_session_is_as_it_was().await;
}

/// What the work does after it must not commit by itself, as it would in a session with autocommit.
#[tokio::test]
async fn a_deadlock_that_the_work_ignores_commits_nothing_before_or_after_it() {
    for fails in [false, true] {
        let shop = Shop::open_with_other().await;
        let request = shop.once.request("charge", "key").unwrap();
        let deadlocked = request
            .transaction(async |tx| {
                query("UPDATE balance SET amount = amount + 5").execute(&mut **tx).await?;
                let ignored = deadlock(&shop, tx).await.unwrap_err();
                assert!(is_deadlock(&ignored), "{ignored:?}");
                query("UPDATE balance SET amount = amount + 5").execute(&mut **tx).await?;
                query("UPDATE other SET n = 7 WHERE id = 3").execute(&mut **tx).await?;
                if fails { Err("the work failed".into()) } else { Ok::<_, BoxError>("charged 5".to_owned()) }
            })
            .await;
        let error = deadlocked.unwrap_err();
        let lost = matches!(error.downcast_ref(), Some(IdempotencyError::TransactionLost));
        assert!(if fails { error.to_string() == "the work failed" } else { lost }, "{error:?}");
        assert_eq!((shop.balance().await, shop.status().await), (0, vec![]));
        let other: i32 =
            query_scalar("SELECT n FROM other WHERE id = 3").fetch_one(&shop.direct).await.unwrap();
        assert_eq!(other, 0);
        assert!(!shop.charge("key").await.unwrap().replayed());
        assert_eq!(shop.balance().await, 5);
        shop.every_session_is_as_it_was().await;
    }
}

#[tokio::test]
async fn sessions_come_back_as_they_were() {
    let shop = Shop::open().await;
    shop.every_session_is_as_it_was().await;
    shop.charge("key").await.unwrap().into_inner();
    shop.charge("key").await.unwrap().into_inner();
    let other = Idempotency::new(shop.once.store().clone());
    let replay =
        other.request("charge", "key").unwrap().transaction(async |_| Ok::<_, BoxError>(String::new()));
    assert!(replay.await.unwrap().replayed());
    for key in ["fails", "fails", "works"] {
        let request = shop.once.request("charge", key).unwrap();
        let work = request
            .transaction(async |_| if key == "fails" { Err("no") } else { Ok(()) }.map_err(BoxError::from));
        assert_eq!(work.await.is_ok(), key == "works");
    }
    shop.every_session_is_as_it_was().await;
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
    let options = MySqlPoolOptions::new().max_connections(1).acquire_timeout(Duration::from_secs(30));
    let once = Idempotency::mysql(options.connect(shop.database.url()).await.unwrap());
    for ended in [true, false] {
        let request = once.request("charge", "key").unwrap();
        let called = request.transaction(async |tx| {
            shop.runs.fetch_add(1, Ordering::SeqCst);
            if ended {
                let id: u64 = query_scalar("SELECT CONNECTION_ID()").fetch_one(&mut **tx).await?;
                query(AssertSqlSafe(format!("KILL {id}"))).execute(&shop.direct).await?;
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
