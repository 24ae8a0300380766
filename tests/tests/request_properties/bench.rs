use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use idempotency::{
    Failure, FailureClass, Idempotency, IdempotencyError, MemoryStore, Outcome, Payload, Request,
    SqliteStore, Store,
};
use interlock_tests::Scratch;
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use tokio::sync::Notify;

use crate::step::Work;

/// How the work fails.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WorkError {
    #[error("refused {0}")]
    Refused(u64),
    #[error("as told")]
    Told(Work),
    #[error(transparent)]
    Idempotency(#[from] IdempotencyError),
}

impl Failure for WorkError {
    fn class(&self) -> FailureClass {
        match self {
            Self::Refused(value) => FailureClass::refused(value),
            Self::Told(Work::NotStarted) => FailureClass::NotStarted,
            Self::Told(Work::RolledBack) => FailureClass::RolledBack,
            Self::Told(Work::MaybeApplied) => FailureClass::MaybeApplied,
            _ => FailureClass::Unstated,
        }
    }

    fn from_refusal(refusal: &Payload) -> Option<Self> {
        refusal.read_json().ok().map(Self::Refused)
    }
}

/// Work that does as it is told.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) work: Work,
    pub(crate) number: u64,
    pub(crate) key: usize,
    /// That it is at it, and may be dropped.
    pub(crate) at_it: Notify,
    pub(crate) ran: RefCell<bool>,
}

impl Told {
    pub(crate) async fn end(&self) -> Result<u64, WorkError> {
        match self.work {
            Work::Done => Ok(self.number),
            Work::Refused => Err(WorkError::Refused(self.number)),
            // Without the noise of a panic that nobody expects.
            Work::Panics => std::panic::resume_unwind(Box::new("as told")),
            Work::Dropped => {
                self.at_it.notify_one();
                std::future::pending().await
            }
            work => Err(WorkError::Told(work)),
        }
    }
}

/// A store, and a table of effects beside it.
pub(crate) trait Bench {
    type Store: Store + Clone;

    fn store(&self) -> Self::Store;

    /// Forgets everything.
    async fn clear(&self);

    /// Runs the work in a transaction of the store.
    async fn transact(
        &self,
        request: Request<'_, Self::Store>,
        told: &Told,
    ) -> Result<Outcome<u64>, WorkError>;

    /// Lets time pass on the clock of the store.
    async fn pass(&self, time: Duration);

    /// The effects of each key in the database.
    async fn effects(&self) -> BTreeMap<usize, u64>;
}

#[derive(Debug, Default)]
pub(crate) struct MemoryBench {
    store: MemoryStore,
    effects: RefCell<BTreeMap<usize, u64>>,
}

impl Bench for MemoryBench {
    type Store = MemoryStore;

    fn store(&self) -> MemoryStore {
        self.store.clone()
    }

    /// Each history has its own.
    async fn clear(&self) {}

    async fn transact(
        &self,
        request: Request<'_, MemoryStore>,
        told: &Told,
    ) -> Result<Outcome<u64>, WorkError> {
        request
            .transaction(async |_| {
                *told.ran.borrow_mut() = true;
                // Nothing is undone here: work that does not succeed leaves nothing behind.
                if told.work == Work::Done {
                    *self.effects.borrow_mut().entry(told.key).or_default() += 1;
                }
                told.end().await
            })
            .await
    }

    async fn pass(&self, time: Duration) {
        tokio::time::advance(time).await;
    }

    async fn effects(&self) -> BTreeMap<usize, u64> {
        self.effects.borrow().clone()
    }
}

pub(crate) struct SqliteBench {
    store: SqliteStore,
    pool: SqlitePool,
    _scratch: Scratch,
}

impl SqliteBench {
    pub(crate) async fn open() -> Self {
        let scratch = Scratch::new("requests");
        let options =
            SqliteConnectOptions::new().filename(scratch.path().join("keys.db")).create_if_missing(true);
        let pool = SqlitePoolOptions::new().max_connections(4).connect_with(options).await.unwrap();
        let store = SqliteStore::new(pool.clone());
        Idempotency::new(store.clone()).migrate().await.unwrap();
        sqlx::query("CREATE TABLE effects (k INTEGER NOT NULL)").execute(&pool).await.unwrap();
        Self { store, pool, _scratch: scratch }
    }
}

impl Bench for SqliteBench {
    type Store = SqliteStore;

    fn store(&self) -> SqliteStore {
        self.store.clone()
    }

    async fn clear(&self) {
        for table in ["effects", "idempotency_keys"] {
            let sql = format!("DELETE FROM {table}");
            sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&self.pool).await.unwrap();
        }
    }

    async fn transact(
        &self,
        request: Request<'_, SqliteStore>,
        told: &Told,
    ) -> Result<Outcome<u64>, WorkError> {
        request
            .transaction(async |tx| {
                *told.ran.borrow_mut() = true;
                let key = i64::try_from(told.key).unwrap();
                sqlx::query("INSERT INTO effects VALUES (?)").bind(key).execute(&mut **tx).await.unwrap();
                told.end().await
            })
            .await
    }

    /// The clock stays, so that all times move.
    async fn pass(&self, time: Duration) {
        let time = i64::try_from(time.as_millis()).unwrap();
        let sql = "UPDATE idempotency_keys SET locked_until = locked_until - ?1, expires_at = expires_at - ?1, \
                   created_at = created_at - ?1, updated_at = updated_at - ?1";
        sqlx::query(sql).bind(time).execute(&self.pool).await.unwrap();
    }

    async fn effects(&self) -> BTreeMap<usize, u64> {
        let sql = "SELECT k, COUNT(*) FROM effects GROUP BY k";
        let rows: Vec<(i64, i64)> = sqlx::query_as(sql).fetch_all(&self.pool).await.unwrap();
        let number = |number: i64| u64::try_from(number).unwrap();
        rows.into_iter().map(|(key, count)| (usize::try_from(key).unwrap(), number(count))).collect()
    }
}
