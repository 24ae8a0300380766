use std::{
    any::Any,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use sqlx::{Pool, Transaction};
use thiserror::Error;

use super::Counter;
use crate::{
    Failure, FailureClass, Idempotency, IdempotencyError, Outcome, Payload, Settings, TransactionalStore,
};

/// A store with a database of its own, and something to do in it.
pub struct Shop<S: TransactionalStore> {
    pub(super) once: Idempotency<S>,
    pub(super) pool: Pool<S::Database>,
    runs: AtomicU32,
    _keep: Box<dyn Any + Send + Sync>,
}

/// How the work of a [`Shop`] ends.
#[derive(Debug, Error)]
pub enum ShopError {
    #[error("refused")]
    Refused(String),
    #[error("not started")]
    NotStarted,
    #[error("rolled back")]
    RolledBack,
    #[error("maybe applied")]
    MaybeApplied,
    #[error("database")]
    Database(#[from] sqlx::Error),
    #[error("idempotency")]
    Idempotency(#[from] IdempotencyError),
}

impl Failure for ShopError {
    fn class(&self) -> FailureClass {
        match self {
            Self::Refused(why) => FailureClass::refused(why),
            Self::NotStarted => FailureClass::NotStarted,
            Self::MaybeApplied => FailureClass::MaybeApplied,
            _ => FailureClass::RolledBack,
        }
    }

    fn from_refusal(refusal: &Payload) -> Option<Self> {
        refusal.read_json().ok().map(Self::Refused)
    }
}

impl<S> Shop<S>
where
    S: TransactionalStore<Database: Counter> + Clone,
{
    /// Opens a shop in an empty database. `keep` is dropped with it.
    pub async fn open(store: S, pool: Pool<S::Database>, keep: impl Any + Send + Sync) -> Arc<Self> {
        let once = Idempotency::new(store);
        once.migrate().await.unwrap();
        S::Database::create(&pool).await;
        Arc::new(Self { once, pool, runs: AtomicU32::new(0), _keep: Box::new(keep) })
    }

    /// What a second process would have: the same table, nothing of the memory.
    pub(super) fn other_process(&self) -> Idempotency<S> {
        self.process_with(Settings::default())
    }

    pub(super) fn process_with(&self, settings: Settings) -> Idempotency<S> {
        Idempotency::with_settings(self.once.store().clone(), settings)
    }

    /// The effect: adds one to the counter, and answers how often the work has run.
    pub(super) async fn effect(&self, tx: &mut Transaction<'_, S::Database>) -> Result<u32, ShopError> {
        let run = self.runs.fetch_add(1, Ordering::SeqCst) + 1;
        S::Database::add(tx).await?;
        Ok(run)
    }

    pub(super) async fn charge(&self, key: &str) -> Result<Outcome<u32>, ShopError> {
        self.charge_in(&self.once, key, 5).await
    }

    pub(super) async fn charge_in(
        &self,
        process: &Idempotency<S>,
        key: &str,
        amount: u32,
    ) -> Result<Outcome<u32>, ShopError> {
        let request = process.request("charge", key)?.tenant("tenant 1").fingerprint(&amount);
        request.transaction(async |tx| self.effect(tx).await).await
    }

    /// Has the effect, and then fails with `error`.
    pub(super) async fn fail(&self, key: &str, error: ShopError) -> ShopError {
        let request = self.once.request("charge", key).unwrap().tenant("tenant 1").fingerprint(&5);
        let failed = request.transaction(async |tx| {
            self.effect(tx).await?;
            Err::<u32, _>(error)
        });
        failed.await.unwrap_err()
    }

    pub(super) async fn effects(&self) -> i64 {
        S::Database::read(&self.pool).await
    }

    pub(super) fn runs(&self) -> u32 {
        self.runs.load(Ordering::SeqCst)
    }
}

impl<S: TransactionalStore> std::fmt::Debug for Shop<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shop").finish_non_exhaustive()
    }
}
