//! Many requests for few keys on MariaDB or MySQL, with failures, hang-ups, killed connections and a sweeper: one effect
//! per finished key, and no deadlock reaches a caller.

#![allow(clippy::panic, clippy::unwrap_used)]

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use idempotency::{Failure, Idempotency, IdempotencyError, MySqlStore, Settings, Store};
use interlock_tests::{Database, MariaDbServer};
use sqlx::{AssertSqlSafe, MySqlPool, query, query_as, query_scalar};
use tokio::sync::{Barrier, Mutex};

const PROCESSES: usize = 8;
const KEYS: u64 = 60;
const TASKS: usize = 24;
const ROUNDS: u64 = 60;

/// One test at a time: the server counts the deadlocks of all.
static ALONE: Mutex<()> = Mutex::const_new(());

#[derive(Debug, thiserror::Error)]
enum StressError {
    #[error("the work failed, as it was told to")]
    Told,
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Idempotency(#[from] IdempotencyError),
}

impl Failure for StressError {}

struct Bench {
    processes: Vec<Idempotency<MySqlStore>>,
    pool: MySqlPool,
    random: AtomicU64,
    _database: Database,
}

impl Bench {
    async fn open(server: &MariaDbServer, count: usize) -> Arc<Bench> {
        let database = server.database("stress").await;
        let settings = Settings::default().wait(Duration::from_secs(30));
        let mut processes = Vec::new();
        for _ in 0..count {
            let store = MySqlStore::new(database.mysql_pool().await);
            processes.push(Idempotency::with_settings(store, settings.clone()));
        }
        processes[0].migrate().await.unwrap();
        let pool = database.mysql_pool().await;
        query("CREATE TABLE effects (k BIGINT UNSIGNED PRIMARY KEY, n INT NOT NULL)")
            .execute(&pool)
            .await
            .unwrap();
        for key in 0..KEYS {
            query("INSERT INTO effects VALUES (?, 0)").bind(key).execute(&pool).await.unwrap();
        }
        Arc::new(Bench { processes, pool, random: AtomicU64::new(1), _database: database })
    }

    /// A number below `end`, different from the last ones.
    fn random(&self, end: u64) -> u64 {
        let seed = self.random.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        let mixed = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb) % end
    }

    async fn request(&self, process: usize, key: u64) -> Result<bool, StressError> {
        let process = &self.processes[process % self.processes.len()];
        let fails = self.random(5) == 0;
        let outcome = process
            .request("stress", format!("key-{key}"))?
            .transaction(async |tx| {
                query("UPDATE effects SET n = n + 1 WHERE k = ?").bind(key).execute(&mut **tx).await?;
                tokio::time::sleep(Duration::from_micros(self.random(2000))).await;
                if fails { Err(StressError::Told) } else { Ok(key) }
            })
            .await?;
        Ok(outcome.replayed())
    }

    /// Checks that each finished key has had its effect once, and each other key never.
    async fn check(&self) -> usize {
        let finished: Vec<String> =
            query_scalar("SELECT idempotency_key FROM idempotency_keys WHERE status = 'COMPLETED'")
                .fetch_all(&self.pool)
                .await
                .unwrap();
        let effects: Vec<(u64, i32)> =
            query_as("SELECT k, n FROM effects").fetch_all(&self.pool).await.unwrap();
        let effects: HashMap<_, _> = effects.into_iter().map(|(key, n)| (format!("key-{key}"), n)).collect();
        for (key, n) in &effects {
            assert_eq!(*n, i32::from(finished.contains(key)), "effects of {key}");
        }
        finished.len()
    }

    /// How many the server has seen.
    async fn deadlocks(&self, server: &MariaDbServer) -> u64 {
        if server.is_mysql().await {
            let sql = "SELECT CAST(count AS UNSIGNED) FROM information_schema.innodb_metrics WHERE name = 'lock_deadlocks'";
            return query_scalar(sql).fetch_one(&self.pool).await.unwrap();
        }
        let row: (String, String) =
            query_as("SHOW GLOBAL STATUS LIKE 'Innodb_deadlocks'").fetch_one(&self.pool).await.unwrap();
        row.1.parse().unwrap()
    }
}

/// Two or more requests wait while the first fails: were its claim rolled back, all but one of them would die.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failures_cause_no_deadlock() {
    let _alone = ALONE.lock().await;
    let server = MariaDbServer::shared().await;
    let bench = Bench::open(server, PROCESSES).await;
    let before = bench.deadlocks(server).await;
    let together = Arc::new(Barrier::new(PROCESSES));
    let tasks: Vec<_> = (0..PROCESSES)
        .map(|process| {
            let (bench, together) = (Arc::clone(&bench), Arc::clone(&together));
            tokio::spawn(async move {
                for key in 0..KEYS {
                    together.wait().await;
                    while let Err(error) = bench.request(process, key).await {
                        assert!(matches!(error, StressError::Told), "{error:?}");
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(bench.check().await, usize::try_from(KEYS).unwrap());
    assert_eq!(bench.deadlocks(server).await - before, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn crashes_and_sweeps_leave_one_effect_per_key() {
    let _alone = ALONE.lock().await;
    let bench = Bench::open(MariaDbServer::shared().await, 3).await;
    let over = Arc::new(AtomicBool::new(false));
    let killer = tokio::spawn(kill_connections(Arc::clone(&bench), Arc::clone(&over)));
    let sweeper = tokio::spawn(sweep(Arc::clone(&bench), Arc::clone(&over)));
    let tasks: Vec<_> = (0..TASKS)
        .map(|process| {
            let bench = Arc::clone(&bench);
            tokio::spawn(async move {
                for _ in 0..ROUNDS {
                    let request = bench.request(process, bench.random(KEYS));
                    // A client that hangs up now and then.
                    let patience = Duration::from_micros(500 + bench.random(20_000));
                    match tokio::time::timeout(patience, request).await {
                        Err(_) | Ok(Ok(_) | Err(StressError::Told | StressError::Database(_))) => {}
                        Ok(Err(StressError::Idempotency(error))) => {
                            assert!(error.is_transient(), "{error:?}");
                            assert!(!error_is_contended(&error), "{error:?}");
                        }
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    over.store(true, Ordering::SeqCst);
    let kills = killer.await.unwrap();
    sweeper.await.unwrap();
    // What is still open on the server ends before the count.
    for key in 0..KEYS {
        while !matches!(bench.request(0, key).await, Ok(true)) {}
    }
    assert_eq!(bench.check().await, usize::try_from(KEYS).unwrap());
    assert!(kills > 0, "no connection was killed");
}

fn error_is_contended(error: &IdempotencyError) -> bool {
    matches!(error, IdempotencyError::Store(error) if *error.kind() == idempotency::StoreErrorKind::Contended)
}

async fn kill_connections(bench: Arc<Bench>, over: Arc<AtomicBool>) -> u64 {
    let mut kills = 0;
    while !over.load(Ordering::SeqCst) {
        tokio::time::sleep(Duration::from_millis(20)).await;
        let victims = query_scalar(
            "SELECT CAST(id AS UNSIGNED) FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()",
        )
        .fetch_all(&bench.pool)
        .await;
        // MySQL cannot list a statement that it is just at if that has bytes in it which are no text.
        let Ok::<Vec<u64>, _>(victims) = victims else { continue };
        if let Some(victim) = victims.get(usize::try_from(bench.random(1 + victims.len() as u64)).unwrap()) {
            let kill = sqlx::raw_sql(AssertSqlSafe(format!("KILL {victim}")));
            kills += u64::from(kill.execute(&bench.pool).await.is_ok());
        }
    }
    kills
}

async fn sweep(bench: Arc<Bench>, over: Arc<AtomicBool>) {
    while !over.load(Ordering::SeqCst) {
        // The kept rows are not over: what is tested is that it is in nobody's way.
        let swept = bench.processes[0].store().sweep(Duration::ZERO, 500).await;
        assert!(
            matches!(&swept, Ok(0)) || swept.as_ref().is_err_and(|error| error.is_transient()),
            "{swept:?}"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
