use std::collections::HashMap;
use std::time::Duration;

use idempotency::{MySqlStore, PostgresStore, SqliteStore, TransactionalStore};
use sqlx::mysql::MySqlPoolOptions;
use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions};
use sqlx::{Database, MySql, Pool, Postgres, Sqlite, query, query_as, query_scalar, raw_sql};

/// What a packet has in it, and no other.
#[derive(Debug, Clone, Copy)]
pub struct Packets {
    /// That begins a transaction and claims the key.
    pub begin: &'static [u8],
    /// That ends a transaction: COMMIT or, where the two travel together, the response.
    pub commit: &'static [u8],
}

/// A store and the effects beside it: a table `effects` that gets a row in the transaction of the key, and a table
/// `payments` that stands for somebody else's.
#[allow(async_fn_in_trait)] // the futures are spawned with their concrete types
pub trait Bank: TransactionalStore + Clone {
    /// What tells the packets whose replies are lost.
    async fn packets(pool: &Pool<Self::Database>) -> Packets;

    /// Opens the store, which connects when it is used: what breaks a connection must not break the start.
    fn open(url: &str, connections: u32) -> (Self, Pool<Self::Database>);

    /// The same store, beginning on idle connections that nobody has tested, where it can.
    fn untested(self) -> Self;

    /// Makes the tables of effects.
    async fn create(pool: &Pool<Self::Database>);

    /// The effect in the database.
    fn add(
        connection: &mut <Self::Database as Database>::Connection,
        key: &str,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// The effect elsewhere, each time that it is asked for; but what [`paid`](Self::paid) has turned away.
    fn pay(
        pool: &Pool<Self::Database>,
        key: &str,
        epoch: u32,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// In how many epochs it was paid. What work of this epoch may still be on its way is turned away from here on.
    fn paid(
        pool: &Pool<Self::Database>,
        key: &str,
        epoch: u32,
    ) -> impl Future<Output = Result<i64, sqlx::Error>> + Send;

    /// Key, status and kind of response of each row.
    async fn rows(pool: &Pool<Self::Database>) -> Vec<(String, String, Option<String>)>;

    /// How many effects of both kinds each key has had.
    async fn effects(pool: &Pool<Self::Database>) -> HashMap<String, i64>;

    /// Has the server end one of its connections to this database but ours; answers whether it had one.
    async fn kill_connection(pool: &Pool<Self::Database>) -> bool;
}

macro_rules! bank {
    ($store:ty, $database:ty, $packets:expr, $connect:expr, $untested:expr, $id:literal, $insert:literal, $pay:literal, $void:literal, $paid:literal, $kill:expr) => {
        impl Bank for $store {
            async fn packets(pool: &Pool<$database>) -> Packets {
                $packets(pool.clone()).await
            }

            fn open(url: &str, connections: u32) -> (Self, Pool<$database>) {
                let pool: Pool<$database> = $connect(url, connections).expect("a database's address");
                (<$store>::new(pool.clone()), pool)
            }

            fn untested(self) -> Self {
                $untested(self)
            }

            async fn create(pool: &Pool<$database>) {
                let tables = [
                    format!("CREATE TABLE effects (id {}, k VARCHAR(64) NOT NULL)", $id),
                    "CREATE TABLE payments (k VARCHAR(64), epoch BIGINT, void BIGINT, n BIGINT, PRIMARY KEY (k, epoch))"
                        .to_owned(),
                ];
                for sql in tables {
                    raw_sql(sqlx::AssertSqlSafe(sql)).execute(pool).await.expect("may create tables");
                }
            }

            async fn add(
                connection: &mut <$database as Database>::Connection,
                key: &str,
            ) -> Result<(), sqlx::Error> {
                query($insert).bind(key).execute(connection).await.map(drop)
            }

            async fn pay(pool: &Pool<$database>, key: &str, epoch: u32) -> Result<(), sqlx::Error> {
                query($pay).bind(key).bind(i64::from(epoch)).execute(pool).await.map(drop)
            }

            async fn paid(pool: &Pool<$database>, key: &str, epoch: u32) -> Result<i64, sqlx::Error> {
                query($void).bind(key).bind(i64::from(epoch)).execute(pool).await?;
                query_scalar($paid).bind(key).fetch_one(pool).await
            }

            async fn rows(pool: &Pool<$database>) -> Vec<(String, String, Option<String>)> {
                let sql = "SELECT idempotency_key, status, response_kind FROM idempotency_keys WHERE operation = 'once'";
                query_as(sql).fetch_all(pool).await.expect("the database answers")
            }

            async fn effects(pool: &Pool<$database>) -> HashMap<String, i64> {
                let mut effects = HashMap::new();
                for sql in ["SELECT k, COUNT(*) FROM effects GROUP BY k", "SELECT k, n FROM payments WHERE n > 0"] {
                    let counts: Vec<(String, i64)> =
                        query_as(sql).fetch_all(pool).await.expect("the database answers");
                    for (key, count) in counts {
                        *effects.entry(key).or_default() += count;
                    }
                }
                effects
            }

            async fn kill_connection(pool: &Pool<$database>) -> bool {
                $kill(pool.clone()).await
            }
        }
    };
}

bank!(
    MySqlStore,
    MySql,
    async |pool: Pool<MySql>| {
        let version: String =
            query_scalar("SELECT VERSION()").fetch_one(&pool).await.expect("the database answers");
        // MySQL can neither prepare what begins a transaction nor take the response and COMMIT together.
        match version.contains("MariaDB") {
            true => Packets { begin: b"EXECUTE `idempotency_keys`", commit: b"\"done " },
            false => Packets { begin: b"READ COMMITTED", commit: b"\x03COMMIT" },
        }
    },
    |url: &str, connections| MySqlPoolOptions::new().max_connections(connections).connect_lazy(url),
    |store: MySqlStore| store.test_before_acquire(false),
    "BIGINT AUTO_INCREMENT PRIMARY KEY",
    "INSERT INTO effects (k) VALUES (?)",
    "INSERT INTO payments VALUES (?, ?, 0, 1) ON DUPLICATE KEY UPDATE n = n + 1 - void",
    "INSERT IGNORE INTO payments VALUES (?, ?, 1, 0)",
    "SELECT COUNT(*) FROM payments WHERE k = ? AND n > 0",
    async |pool: Pool<MySql>| {
        let sql = "SELECT CAST(id AS UNSIGNED) FROM information_schema.processlist \
                   WHERE db = DATABASE() AND id <> CONNECTION_ID() ORDER BY RAND() LIMIT 1";
        let Ok(Some(victim)) = query_scalar::<_, u64>(sql).fetch_optional(&pool).await else { return false };
        raw_sql(sqlx::AssertSqlSafe(format!("KILL {victim}"))).execute(&pool).await.is_ok()
    }
);

bank!(
    PostgresStore,
    Postgres,
    async |_: Pool<Postgres>| Packets { begin: b"READ COMMITTED", commit: b"COMMIT\0" },
    |url: &str, connections| PgPoolOptions::new().max_connections(connections).connect_lazy(url),
    |store: PostgresStore| store.test_before_acquire(false),
    "BIGSERIAL PRIMARY KEY",
    "INSERT INTO effects (k) VALUES ($1)",
    "INSERT INTO payments VALUES ($1, $2, 0, 1) ON CONFLICT (k, epoch) DO UPDATE SET n = payments.n + 1 - payments.void",
    "INSERT INTO payments VALUES ($1, $2, 1, 0) ON CONFLICT DO NOTHING",
    "SELECT COUNT(*) FROM payments WHERE k = $1 AND n > 0",
    async |pool: Pool<Postgres>| {
        let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                   WHERE datname = current_database() AND pid <> pg_backend_pid() ORDER BY random() LIMIT 1";
        query_scalar::<_, bool>(sql).fetch_optional(&pool).await.is_ok_and(|killed| killed == Some(true))
    }
);

bank!(
    SqliteStore,
    Sqlite,
    async |_: Pool<Sqlite>| Packets { begin: b"BEGIN", commit: b"COMMIT" },
    |url: &str, connections| {
        let options = SqliteConnectOptions::new()
            .filename(url.trim_start_matches("sqlite:"))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .busy_timeout(Duration::from_secs(60));
        let pool = SqlitePoolOptions::new().max_connections(connections).connect_lazy_with(options);
        Ok::<_, sqlx::Error>(pool)
    },
    |store: SqliteStore| store,
    "INTEGER PRIMARY KEY",
    "INSERT INTO effects (k) VALUES (?)",
    "INSERT INTO payments VALUES (?, ?, 0, 1) ON CONFLICT (k, epoch) DO UPDATE SET n = n + 1 - void",
    "INSERT OR IGNORE INTO payments VALUES (?, ?, 1, 0)",
    "SELECT COUNT(*) FROM payments WHERE k = ? AND n > 0",
    // A database in the process has no connections that a server could end.
    async |_: Pool<Sqlite>| false
);
