//! What a key costs on PostgreSQL, by the server's own count of statements and by round trips counted on the wire.

#![allow(clippy::panic, clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::time::Duration;

use idempotency::{BoxError, Idempotency, PostgresStore};
use interlock_tests::{Database, PostgresServer, RoundTrips, eventually};
use sqlx::postgres::PgPoolOptions;
use sqlx::{PgPool, query, query_as, raw_sql};
use tokio::sync::OnceCell;

/// Loaded at the start of a server or never; it comes with PostgreSQL.
const COUNTING: [&str; 2] = ["-c", "shared_preload_libraries=pg_stat_statements"];
static SERVER: OnceCell<PostgresServer> = OnceCell::const_new();

const SOON: Duration = Duration::from_secs(10);

/// One connection under measurement without pings on the way, and another to ask what the server has counted.
struct Bench {
    once: Idempotency<PostgresStore>,
    pool: PgPool,
    observer: PgPool,
    trips: RoundTrips,
    database: Database,
}

#[derive(Debug, PartialEq, Eq)]
struct Cost {
    trips: usize,
    /// Records written to the log of the database.
    writes: i64,
    /// Statements by their first word.
    statements: BTreeMap<String, i64>,
}

impl Bench {
    async fn open() -> Bench {
        let server = SERVER.get_or_init(async || PostgresServer::private_with(&COUNTING).await).await;
        let (database, observers) = (server.database("cost").await, server.database("observer").await);
        let trips = RoundTrips::to(database.address()).await;
        let url = database.url().replacen(database.address(), trips.address(), 1);
        let pool = PgPoolOptions::new().max_connections(1).test_before_acquire(false).connect(&url);
        let pool = pool.await.unwrap();
        let observer = PgPoolOptions::new().max_connections(1).connect(observers.url()).await.unwrap();
        raw_sql("CREATE EXTENSION pg_stat_statements").execute(&observer).await.unwrap();
        let once = Idempotency::postgres(pool.clone());
        once.migrate().await.unwrap();
        raw_sql("CREATE TABLE balance (amount BIGINT NOT NULL); INSERT INTO balance VALUES (0)")
            .execute(&pool)
            .await
            .unwrap();
        let bench = Bench { once, pool, observer, trips, database };
        // So that no statement is prepared within a measurement.
        bench.plain().await;
        bench.charge(&bench.once, "warm-up").await;
        bench
    }

    /// The same work without a key.
    async fn plain(&self) {
        let mut tx = self.pool.begin().await.unwrap();
        query("UPDATE balance SET amount = amount + 5").execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn charge(&self, once: &Idempotency<PostgresStore>, key: &str) {
        let charged = once.request("charge", key).unwrap().fingerprint(&5).transaction(async |tx| {
            query("UPDATE balance SET amount = amount + 5").execute(&mut **tx).await?;
            Ok::<_, BoxError>(5)
        });
        charged.await.unwrap().into_inner();
    }

    /// Waits until the connection is put back.
    async fn idle(&self) {
        eventually("the connection is idle", SOON, async || self.pool.num_idle() == 1).await;
    }

    /// What `work` costs in the one connection.
    async fn cost(&self, work: impl AsyncFnOnce()) -> Cost {
        self.idle().await;
        let (before, trips) = (self.counted().await, self.trips.count());
        work().await;
        self.idle().await;
        let (after, trips) = (self.counted().await, self.trips.count() - trips);
        let mut cost = Cost { trips, writes: 0, statements: BTreeMap::new() };
        for (word, (calls, records)) in after {
            let (calls_before, records_before) = before.get(&word).copied().unwrap_or_default();
            cost.writes += records - records_before;
            if calls > calls_before {
                cost.statements.insert(word, calls - calls_before);
            }
        }
        cost
    }

    /// Statements and records written to the database's log, by the first word of the statement.
    async fn counted(&self) -> BTreeMap<String, (i64, i64)> {
        let sql = "SELECT upper(split_part(query, ' ', 1)), sum(calls)::bigint, sum(wal_records)::bigint \
                   FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid \
                   WHERE d.datname = $1 GROUP BY 1";
        let counted: Vec<(String, i64, i64)> =
            query_as(sql).bind(self.database.name()).fetch_all(&self.observer).await.unwrap();
        counted.into_iter().map(|(word, calls, records)| (word, (calls, records))).collect()
    }
}

/// What an empty use of the connection costs: the driver asks whether it is in order when it puts it back.
async fn nothing(bench: &Bench) -> usize {
    bench.cost(async || drop(bench.pool.acquire().await.unwrap())).await.trips
}

fn statements<const N: usize>(statements: [(&str, i64); N]) -> BTreeMap<String, i64> {
    statements.into_iter().map(|(word, calls)| (word.to_owned(), calls)).collect()
}

#[tokio::test]
async fn a_first_request_costs_no_commit_and_one_round_trip() {
    let bench = Bench::open().await;
    let plain = bench.cost(async || bench.plain().await).await;
    let keyed = bench.cost(async || bench.charge(&bench.once, "key").await).await;
    assert_eq!(plain.statements, statements([("BEGIN", 1), ("UPDATE", 1), ("COMMIT", 1)]));
    let expected =
        [("BEGIN", 1), ("SELECT", 5), ("INSERT", 1), ("SAVEPOINT", 1), ("UPDATE", 2), ("COMMIT", 1)];
    assert_eq!(keyed.statements, statements(expected));
    assert_eq!(keyed.trips, plain.trips + 1, "{plain:?} {keyed:?}");
}

#[tokio::test]
async fn a_replay_costs_one_statement_and_no_transaction() {
    let bench = Bench::open().await;
    bench.charge(&bench.once, "key").await;
    let nothing = nothing(&bench).await;
    let replay = bench.cost(async || bench.charge(&bench.once, "key").await).await;
    assert_eq!(replay, Cost { trips: nothing + 1, writes: 0, statements: statements([("SELECT", 1)]) });
}

#[tokio::test]
async fn a_replay_in_another_process_writes_nothing() {
    let bench = Bench::open().await;
    bench.charge(&bench.once, "key").await;
    let other = Idempotency::postgres(bench.pool.clone());
    let nothing = nothing(&bench).await;
    let replay = bench.cost(async || bench.charge(&other, "key").await).await;
    // The server does not count the statement that fails, which is how it says that the key is done.
    let expected = statements([("BEGIN", 1), ("ROLLBACK", 1), ("SELECT", 1)]);
    assert_eq!(replay, Cost { trips: nothing + 2, writes: 0, statements: expected });
}

#[tokio::test]
async fn twins_need_one_connection() {
    let bench = Bench::open().await;
    let twins: Vec<_> = (0..100).map(|_| bench.charge(&bench.once, "key")).collect();
    let cost = bench.cost(async || drop(futures_util::future::join_all(twins).await)).await;
    assert_eq!((cost.statements["COMMIT"], cost.statements["INSERT"]), (1, 1), "{cost:?}");
}
