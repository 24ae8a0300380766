//! Idempotent requests on MariaDB that take idle connections untested: what broke meanwhile costs no request.

#![allow(clippy::panic, clippy::unwrap_used)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use idempotency::{BoxError, Idempotency, IdempotencyError, MySqlStore, Outcome};
use interlock_tests::{Database, MariaDbServer, Proxy, RoundTrips, eventually};
use sqlx::mysql::{MySqlPool, MySqlPoolOptions};
use sqlx::{AssertSqlSafe, query, query_scalar, raw_sql};

struct Shop {
    once: Idempotency<MySqlStore>,
    direct: MySqlPool,
    proxy: Proxy,
    patience: Duration,
    _database: Database,
}

/// As long as a busy machine may take.
const LONG: Duration = Duration::from_secs(20);
/// Where the end of a wait is waited for.
const SHORT: Duration = Duration::from_secs(3);

impl Shop {
    async fn open(connections: u32, patience: Duration) -> Shop {
        let database = MariaDbServer::shared().await.database("idle").await;
        let proxy = Proxy::to(database.address());
        let options = MySqlPoolOptions::new()
            .max_connections(connections)
            .min_connections(connections)
            .acquire_timeout(patience);
        let pool = options.connect(&database.url_through(&proxy)).await.unwrap();
        let once = Idempotency::new(MySqlStore::new(pool).test_before_acquire(false));
        once.migrate().await.unwrap();
        let direct = database.mysql_pool().await;
        query("CREATE TABLE balance (amount BIGINT NOT NULL)").execute(&direct).await.unwrap();
        query("INSERT INTO balance VALUES (0)").execute(&direct).await.unwrap();
        let shop = Shop { once, direct, proxy, patience, _database: database };
        shop.all_are_idle().await;
        shop
    }

    async fn all_are_idle(&self) {
        let pool = self.once.store().pool();
        eventually("all are back", LONG, async || {
            pool.size() == pool.options().get_max_connections()
                && pool.num_idle() == usize::try_from(pool.size()).unwrap()
        })
        .await;
    }

    async fn charge(&self, key: &str) -> Result<Outcome<i64>, BoxError> {
        let request = self.once.request("charge", key)?.wait(self.patience);
        request
            .transaction(async |tx| {
                query("UPDATE balance SET amount = amount + 5").execute(&mut **tx).await?;
                Ok(query_scalar("SELECT amount FROM balance").fetch_one(&mut **tx).await?)
            })
            .await
    }

    /// Charges once, on a pool whose connections are broken, and again.
    async fn one_charge_succeeds(&self) {
        let first = self.charge("key").await.unwrap();
        assert!(!first.replayed());
        assert!(self.charge("key").await.unwrap().replayed());
        let balance: i64 = query_scalar("SELECT amount FROM balance").fetch_one(&self.direct).await.unwrap();
        assert_eq!((first.into_inner(), balance), (5, 5));
    }
}

#[tokio::test]
async fn ended_by_the_server() {
    let shop = Shop::open(3, LONG).await;
    let sql = "SELECT CAST(id AS UNSIGNED) FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()";
    let mut direct = shop.direct.acquire().await.unwrap();
    let idle: Vec<u64> = query_scalar(sql).fetch_all(&mut *direct).await.unwrap();
    assert!(idle.len() >= 3, "{idle:?}");
    for id in idle {
        raw_sql(AssertSqlSafe(format!("KILL {id}"))).execute(&mut *direct).await.unwrap();
    }
    drop(direct);
    shop.one_charge_succeeds().await;
}

#[tokio::test]
async fn cut_on_the_way() {
    let shop = Shop::open(3, LONG).await;
    shop.proxy.cut();
    shop.one_charge_succeeds().await;
}

/// The claim is there, for as long as it takes the server to notice.
#[tokio::test]
async fn cut_when_the_claim_was_made() {
    let shop = Shop::open(3, LONG).await;
    shop.proxy.drop_reply_to("idempotency_keys", 1);
    shop.one_charge_succeeds().await;
    assert_eq!(shop.proxy.struck(), 1);
}

#[tokio::test]
async fn half_open() {
    let shop = Shop::open(1, SHORT).await;
    shop.proxy.strand();
    shop.one_charge_succeeds().await;
}

/// With the database away the request does not go round for ever.
#[tokio::test]
async fn with_nothing_to_go_on_with() {
    let shop = Shop::open(1, SHORT).await;
    shop.proxy.refuse();
    shop.proxy.cut();
    let error = shop.charge("key").await.unwrap_err();
    assert!(
        matches!(error.downcast_ref(), Some(IdempotencyError::Store(error)) if error.is_transient()),
        "{error:?}"
    );
    shop.proxy.accept();
    shop.one_charge_succeeds().await;
}

/// A pool may do more than test a connection, so the store leaves that out only where it is told to.
#[tokio::test]
async fn are_tested_unless_the_store_is_told_not_to() {
    let database = MariaDbServer::shared().await.database("tested").await;
    let trips = RoundTrips::to(database.address()).await;
    let url = database.url().replacen(database.address(), trips.address(), 1);
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let options = MySqlPoolOptions::new().max_connections(1).before_acquire(move |_, _| {
        counter.fetch_add(1, Ordering::SeqCst);
        Box::pin(async { Ok(true) })
    });
    let pool = options.connect(&url).await.unwrap();
    let mut costs = Vec::new();
    for told in [false, true] {
        let store = MySqlStore::new(pool.clone());
        let once = Idempotency::new(if told { store.test_before_acquire(false) } else { store });
        once.migrate().await.unwrap();
        // The first one finds nothing prepared.
        for key in ["first", "second"] {
            let idle = async || pool.num_idle() == 1;
            eventually("the connection is back", LONG, idle).await;
            let before = (asked.load(Ordering::SeqCst), trips.count());
            let request = once.request("charge", format!("{key}-{told}")).unwrap();
            request.transaction(async |_| Ok::<_, BoxError>(5)).await.unwrap().into_inner();
            eventually("the connection is back", LONG, idle).await;
            costs.push((asked.load(Ordering::SeqCst) - before.0, trips.count() - before.1));
        }
    }
    let [_, tested, _, untested] = costs[..] else { panic!("{costs:?}") };
    assert_eq!((tested.0, untested.0), (1, 0), "{costs:?}");
    assert_eq!(tested.1, untested.1 + 1, "{costs:?}");
}
