use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use idempotency::{BoxError, Idempotency, MySqlStore, Settings};
use interlock_tests::{Database, MariaDbServer};
use sqlx::mysql::MySqlPoolOptions;
use sqlx::{MySqlConnection, MySqlPool, query, query_scalar, raw_sql};

const USERS: u64 = 10_000;

/// A database with balances, on a server that flushes each commit.
pub(super) struct Desk {
    pub(super) pool: MySqlPool,
    pub(super) database: Database,
    keys: AtomicU64,
    _server: MariaDbServer,
}

impl Desk {
    pub(super) async fn open(connections: u32) -> Self {
        let server = MariaDbServer::private().await;
        let database = server.database("desk").await;
        let pool = Self::pool(&database, connections).await;
        Idempotency::mysql(pool.clone()).migrate().await.expect("may create tables");
        for statement in [
            "SET GLOBAL innodb_flush_log_at_trx_commit = 1",
            "SET GLOBAL innodb_buffer_pool_size = 536870912",
            "CREATE TABLE users (id BIGINT PRIMARY KEY, balance BIGINT NOT NULL)",
            "INSERT INTO users SELECT seq, 0 FROM seq_0_to_9999",
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

    /// The sum of all charges.
    pub(super) async fn sum(&self) -> i64 {
        let sum = query_scalar("SELECT CAST(SUM(balance) AS SIGNED) FROM users").fetch_one(&self.pool).await;
        sum.expect("the database answers")
    }
}

/// Adds one to a balance and reads it.
pub(super) async fn charge(connection: &mut MySqlConnection, key: u64) -> Result<i64, sqlx::Error> {
    let user = key % USERS;
    let update = query("UPDATE users SET balance = balance + 1 WHERE id = ?").bind(user);
    update.execute(&mut *connection).await?;
    query_scalar("SELECT balance FROM users WHERE id = ?").bind(user).fetch_one(connection).await
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
