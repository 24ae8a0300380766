//! What a key costs on MariaDB, by the server's own counters and by round trips counted on the wire.

#![allow(clippy::panic, clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::time::Duration;

use idempotency::{BoxError, Idempotency, MySqlStore};
use interlock_tests::{Database, MariaDbServer, RoundTrips};
use sqlx::mysql::MySqlPoolOptions;
use sqlx::{MySqlPool, Row, query, query_as, query_scalar};

/// One connection, so that the session's counters are the request's; and no pings on the way.
struct Bench {
    once: Idempotency<MySqlStore>,
    pool: MySqlPool,
    trips: RoundTrips,
    /// Whether the response and COMMIT travel together, as to MariaDB.
    one_packet: bool,
    _database: Database,
}

#[derive(Debug, PartialEq, Eq)]
struct Cost {
    /// Those that are waited for, not what the driver says to a connection that goes back to its pool.
    trips: usize,
    commits: i64,
    counters: BTreeMap<String, i64>,
}

impl Bench {
    async fn open() -> Bench {
        let database = MariaDbServer::shared().await.database("cost").await;
        let trips = RoundTrips::to(database.address()).await;
        let url = database.url().replacen(database.address(), trips.address(), 1);
        let options = MySqlPoolOptions::new().max_connections(1).test_before_acquire(false);
        let pool = options.connect(&url).await.unwrap();
        let once = Idempotency::mysql(pool.clone());
        once.migrate().await.unwrap();
        query("CREATE TABLE balance (amount BIGINT NOT NULL)").execute(&pool).await.unwrap();
        query("INSERT INTO balance VALUES (0)").execute(&pool).await.unwrap();
        let one_packet = !MariaDbServer::shared().await.is_mysql().await;
        let bench = Bench { once, pool, trips, one_packet, _database: database };
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

    async fn charge(&self, once: &Idempotency<MySqlStore>, key: &str) {
        let charged = once.request("charge", key).unwrap().fingerprint(&5).transaction(async |tx| {
            query("UPDATE balance SET amount = amount + 5").execute(&mut **tx).await?;
            Ok::<_, BoxError>(5)
        });
        charged.await.unwrap().into_inner();
    }

    /// What `work` costs in the one connection.
    async fn cost(&self, work: impl AsyncFnOnce()) -> Cost {
        let before = self.counters().await;
        let trips = self.trips.count();
        work().await;
        let trips = self.trips.count() - trips;
        let mut counters = self.counters().await;
        counters.retain(|name, value| {
            *value -= before[name];
            *value != 0
        });
        Cost { trips, commits: counters.remove("Com_commit").unwrap_or(0), counters }
    }

    async fn counters(&self) -> BTreeMap<String, i64> {
        // The driver pings a connection that it puts back.
        while self.pool.num_idle() == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let rows = query("SHOW SESSION STATUS").fetch_all(&self.pool).await.unwrap();
        while self.pool.num_idle() == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        rows.iter()
            .map(|row| (row.get::<String, _>(0), row.get::<String, _>(1)))
            .filter(|(name, _)| {
                [
                    "Com_commit",
                    "Com_select",
                    "Com_insert",
                    "Com_update",
                    "Com_begin",
                    "Com_rollback",
                    "Com_savepoint",
                ]
                .contains(&name.as_str())
            })
            .filter_map(|(name, value)| Some((name, value.parse().ok()?)))
            .collect()
    }
}

fn counters<const N: usize>(counters: [(&str, i64); N]) -> BTreeMap<String, i64> {
    counters.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

#[tokio::test]
async fn a_first_request_costs_no_commit_and_no_round_trip_that_is_waited_for() {
    let bench = Bench::open().await;
    let plain = bench.cost(async || bench.plain().await).await;
    let keyed = bench.cost(async || bench.charge(&bench.once, "key").await).await;
    assert_eq!((plain.commits, keyed.commits), (1, 1), "{keyed:?}");
    assert_eq!(keyed.trips, plain.trips + usize::from(!bench.one_packet), "{plain:?} {keyed:?}");
    // ROLLBACK: what the driver says, once nobody waits, of a transaction that it did not commit itself.
    let expected = [("Com_insert", 1), ("Com_rollback", 1), ("Com_savepoint", 1), ("Com_update", 2)];
    assert_eq!(keyed.counters, counters(expected));
}

#[tokio::test]
async fn a_replay_costs_one_statement_and_no_transaction() {
    let bench = Bench::open().await;
    bench.charge(&bench.once, "key").await;
    let nothing = bench.cost(async || drop(bench.pool.acquire().await.unwrap())).await;
    let replay = bench.cost(async || bench.charge(&bench.once, "key").await).await;
    assert_eq!(replay.commits, 0);
    assert_eq!(replay.counters, counters([("Com_select", 1)]));
    assert_eq!(replay.trips, nothing.trips + 1);
}

#[tokio::test]
async fn a_replay_in_another_process_commits_nothing() {
    let bench = Bench::open().await;
    bench.charge(&bench.once, "key").await;
    let other = Idempotency::mysql(bench.pool.clone());
    // So that it has found out what its server can.
    bench.charge(&other, "its-own").await;
    let nothing = bench.cost(async || drop(bench.pool.acquire().await.unwrap())).await;
    let replay = bench.cost(async || bench.charge(&other, "key").await).await;
    assert_eq!(replay.commits, 0);
    assert_eq!(replay.counters, counters([("Com_insert", 1), ("Com_rollback", 1), ("Com_select", 1)]));
    assert_eq!(replay.trips, nothing.trips + 2);
}

#[tokio::test]
async fn twins_need_one_connection() {
    let bench = Bench::open().await;
    let twins: Vec<_> = (0..100).map(|_| bench.charge(&bench.once, "key")).collect();
    let cost = bench.cost(async || drop(futures_util::future::join_all(twins).await)).await;
    assert_eq!((cost.commits, cost.counters["Com_insert"]), (1, 1), "{cost:?}");
}

/// An index has the time at which a row expires: it is not moved again unless the work takes a while.
#[tokio::test]
async fn a_row_gets_its_time_with_the_claim() {
    let bench = Bench::open().await;
    let day = Duration::from_secs(24 * 60 * 60);
    for (key, ttl, moved) in [("day", day, false), ("short", Duration::from_secs(1), true)] {
        let request = bench.once.request("charge", key).unwrap().ttl(ttl);
        let claimed = request.transaction(async |tx| {
            query("DO SLEEP(0.01)").execute(&mut **tx).await?;
            let expires =
                "SELECT CAST(MAX(expires_at) AS CHAR) FROM idempotency_keys WHERE idempotency_key = ''";
            Ok::<_, BoxError>(query_scalar::<_, String>(expires).fetch_one(&mut **tx).await?)
        });
        let claimed = claimed.await.unwrap().into_inner();
        let settled = "SELECT CAST(expires_at AS CHAR), TIMESTAMPDIFF(MICROSECOND, updated_at, expires_at) \
                       FROM idempotency_keys WHERE idempotency_key = ?";
        let (expires, kept): (String, i64) =
            query_as(settled).bind(key).fetch_one(&bench.pool).await.unwrap();
        assert_eq!(expires != claimed, moved, "{key}: {claimed} {expires}");
        let kept = Duration::from_micros(kept.try_into().unwrap());
        assert!(kept >= ttl && kept <= ttl + ttl / 1000, "{key}: {kept:?}");
    }
}
