use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use idempotency::{BoxError, Idempotency, MySqlStore, Settings};
use interlock_tests::{Database, MariaDbServer, SlowFlushes};
use sqlx::mysql::MySqlPoolOptions;
use sqlx::{MySqlConnection, MySqlPool, query, query_as, raw_sql};

/// As desk.sql makes them.
const USERS: u64 = 10_000;
const BALANCE: u64 = 1_000_000;

/// A database with balances and a ledger, on a server that flushes each commit.
pub(super) struct Desk {
    pub(super) pool: MySqlPool,
    pub(super) database: Database,
    keys: AtomicU64,
    _server: MariaDbServer,
}

impl Desk {
    pub(super) async fn open(connections: u32) -> Self {
        Self::on(MariaDbServer::private().await, connections).await
    }

    /// On a disk whose flushes take longer.
    pub(super) async fn slow(connections: u32, slow: &SlowFlushes) -> Self {
        Self::on(MariaDbServer::private_with(slow.clone()).await, connections).await
    }

    async fn on(server: MariaDbServer, connections: u32) -> Self {
        let database = server.database("desk").await;
        let pool = Self::pool(&database, connections).await;
        Idempotency::mysql(pool.clone()).migrate().await.expect("may create tables");
        for statement in [
            "SET GLOBAL innodb_flush_log_at_trx_commit = 1",
            "SET GLOBAL innodb_buffer_pool_size = 536870912",
            include_str!("desk.sql"),
            include_str!("original.sql"),
        ] {
            raw_sql(statement).execute(&pool).await.expect("may do so");
        }
        Self { pool, database, keys: AtomicU64::new(0), _server: server }
    }

    pub(super) async fn pool(database: &Database, connections: u32) -> MySqlPool {
        let options = MySqlPoolOptions::new().max_connections(connections);
        options.connect(database.url()).await.expect("the database answers")
    }

    pub(super) fn once(&self) -> Idempotency<MySqlStore> {
        self.once_on(MySqlStore::new(self.pool.clone()))
    }

    /// The same without the round trip by which the pool tests an idle connection.
    pub(super) fn untested(&self) -> Idempotency<MySqlStore> {
        self.once_on(MySqlStore::new(self.pool.clone()).test_before_acquire(false))
    }

    fn once_on(&self, store: MySqlStore) -> Idempotency<MySqlStore> {
        Idempotency::with_settings(store, Settings::default().wait(Duration::from_secs(60)))
    }

    /// The same on another pool, with responses kept in memory.
    pub(super) fn cached(pool: MySqlPool) -> Idempotency<MySqlStore> {
        Idempotency::with_settings(MySqlStore::new(pool), Settings::default().cache(1 << 20))
    }

    /// A key that nobody has used.
    pub(super) fn key(&self) -> u64 {
        self.keys.fetch_add(1, Ordering::Relaxed)
    }

    /// The charge without a key.
    pub(super) async fn plain(&self) {
        let mut tx = self.pool.begin().await.expect("a transaction");
        charge(&mut tx, self.key()).await.expect("a charge");
        tx.commit().await.expect("a commit");
    }

    pub(super) async fn keyed(&self, once: &Idempotency<MySqlStore>, key: u64) -> bool {
        let request =
            once.request("charge", format!("key-{key}")).expect("a key").tenant(key).fingerprint(&key);
        let outcome = request.transaction(async |tx| Ok::<_, BoxError>(charge(tx, key).await?)).await;
        outcome.expect("an answer").replayed()
    }

    /// The sum of all charges, by the ledger, which the balances must agree with.
    pub(super) async fn sum(&self) -> u64 {
        let sums = "SELECT (SELECT CAST(COALESCE(SUM(amount), 0) AS UNSIGNED) FROM ledger), \
                    (SELECT CAST(SUM(balance) AS UNSIGNED) FROM users)";
        let sums: (u64, u64) = query_as(sums).fetch_one(&self.pool).await.expect("the database answers");
        let (charged, left) = sums;
        assert_eq!(charged + left, USERS * BALANCE, "each entry has been paid");
        charged
    }

    /// Ends the run unless every key that was handed out has been charged for once.
    pub(super) async fn settle(&self) {
        let keys = self.keys.load(Ordering::Relaxed);
        assert_eq!(self.sum().await, keys, "every charge has been made, and once");
    }
}

/// Takes one from a balance that has it and enters that into the ledger; answers the number of the entry.
pub(super) async fn charge(connection: &mut MySqlConnection, key: u64) -> Result<u64, sqlx::Error> {
    let user = key % USERS;
    let take = query("UPDATE users SET balance = balance - 1 WHERE id = ? AND balance >= 1").bind(user);
    let taken = take.execute(&mut *connection).await?;
    assert_eq!(taken.rows_affected(), 1, "the balance has it");
    let enter = query("INSERT INTO ledger (user_id, amount) VALUES (?, 1)").bind(user);
    Ok(enter.execute(connection).await?.last_insert_id())
}

/// How often a second `tasks` tasks at once do `work`.
pub(super) async fn rate<F: Future<Output = ()>>(tasks: usize, time: Duration, work: impl Fn() -> F) -> f64 {
    let begun = Instant::now();
    let task = async || {
        let mut done = 0_u64;
        while begun.elapsed() < time {
            work().await;
            done += 1;
        }
        done
    };
    let done: u64 = futures_util::future::join_all((0..tasks).map(|_| task())).await.into_iter().sum();
    done as f64 / begun.elapsed().as_secs_f64()
}
