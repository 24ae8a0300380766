use std::collections::HashMap;
use std::time::Duration;

use idempotency::{BoxError, Idempotency, MySqlStore};
use interlock_tests::{RoundTrips, eventually};
use sqlx::mysql::MySqlPoolOptions;
use sqlx::{MySqlPool, query_as};

use super::desk::{Desk, charge};
use crate::measure::Spread;
use crate::report::{Findings, Line, Reach};

const FIRST: &str = "a first request, beside the same without a key";
const REPLAY: &str = "a replay";
const CACHED: &str = "a replay from memory";
const CALLS: u64 = 20;
const SOON: Duration = Duration::from_secs(60);

pub(super) async fn measure() -> Findings {
    let desk = Desk::open(1).await;
    let trips = RoundTrips::to(desk.database.address()).await;
    let url = desk.database.url().replacen(desk.database.address(), trips.address(), 1);
    let options = MySqlPoolOptions::new().max_connections(1).test_before_acquire(false);
    let pool = options.connect(&url).await.expect("the database answers");
    let once = Idempotency::new(MySqlStore::new(pool.clone()));
    let cached = Desk::cached(pool.clone());
    let meter = Meter { pool: &pool, trips: &trips };

    let plain = async |key: u64| {
        let mut tx = pool.begin().await.expect("a transaction");
        charge(&mut tx, key).await.expect("a charge");
        tx.commit().await.expect("a commit");
    };
    // So that every statement is prepared.
    plain(0).await;
    keyed(&once, 0).await;
    keyed(&once, 0).await;
    let nothing = meter.cost(async |_| drop(pool.acquire().await.expect("a connection"))).await;
    let without = meter.cost(plain).await;
    let with = meter.cost(async |key| keyed(&once, key).await).await;
    let replay = meter.cost(async |key| keyed(&once, key).await).await;
    for key in 1..=CALLS {
        keyed(&cached, key).await;
        keyed(&cached, key).await;
    }
    let from_memory = meter.cost(async |key| keyed(&cached, key).await).await;

    let line = |work, reach, seen, unit| Line::new(work, Reach::at_most(reach), Spread::of([seen]), unit);
    Findings {
        lines: vec![
            line(FIRST, 0.0, with.commits - without.commits, "extra commits"),
            line(FIRST, 1.0, with.trips - without.trips, "extra round trips"),
            line(REPLAY, 1.0, replay.statements, "statements"),
            line(REPLAY, 0.0, replay.commits, "commits"),
            line(REPLAY, 1.0, replay.trips - nothing.trips, "round trips"),
            line(CACHED, 0.0, from_memory.trips + from_memory.statements, "statements and round trips"),
        ],
        comparisons: Vec::new(),
    }
}

async fn keyed(once: &Idempotency<MySqlStore>, key: u64) {
    let request = once.request("charge", format!("key-{key}")).expect("a key").fingerprint(&key);
    let outcome = request.transaction(async |tx| Ok::<_, BoxError>(charge(tx, key).await?));
    drop(outcome.await.expect("an answer"));
}

/// Counts what happens on the one connection of a pool.
struct Meter<'a> {
    pool: &'a MySqlPool,
    trips: &'a RoundTrips,
}

/// What one call costs.
struct Cost {
    commits: f64,
    statements: f64,
    trips: f64,
}

impl Meter<'_> {
    /// By the server's own counters of the connection, and by the wire.
    async fn cost(&self, work: impl AsyncFn(u64)) -> Cost {
        let (mut before, trips) = (self.counters().await, self.trips.count());
        for key in 1..=CALLS {
            work(key).await;
            self.idle().await;
        }
        let trips = self.trips.count() - trips;
        let mut after = self.counters().await;
        let mut of = |name: &str| {
            let counted = after.remove(name).unwrap_or(0) - before.remove(name).unwrap_or(0);
            counted as f64 / CALLS as f64
        };
        let commits = of("Com_commit");
        let others = ["Com_select", "Com_insert", "Com_update", "Com_delete", "Com_begin", "Com_rollback"];
        let statements = commits + others.into_iter().map(of).sum::<f64>();
        Cost { commits, statements, trips: trips as f64 / CALLS as f64 }
    }

    async fn counters(&self) -> HashMap<String, i64> {
        self.idle().await;
        let sql = "SHOW SESSION STATUS LIKE 'Com\\_%'";
        let counters: Vec<(String, String)> =
            query_as(sql).fetch_all(self.pool).await.expect("the server counts");
        self.idle().await;
        counters.into_iter().filter_map(|(name, count)| Some((name, count.parse().ok()?))).collect()
    }

    /// The driver asks after a connection that it puts back.
    async fn idle(&self) {
        eventually("the connection is idle", SOON, async || self.pool.num_idle() == 1).await;
    }
}
