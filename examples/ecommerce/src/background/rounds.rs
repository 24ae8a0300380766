use std::error::Error;
use std::future::Future;
use std::time::Duration;

use lock_core::{LockError, LockManager, LockOptions};
use tokio_util::sync::CancellationToken;

/// How one round of a task ended.
#[derive(Debug)]
pub enum Round {
    /// What there was to do is done.
    Done,
    /// Another instance is at it.
    Elsewhere,
    /// It did not work; the next round may.
    Failed(Box<dyn Error + Send + Sync>),
}

impl<E: Error + Send + Sync + 'static> From<Result<(), E>> for Round {
    fn from(outcome: Result<(), E>) -> Self {
        outcome.map_or_else(|error| Self::Failed(Box::new(error)), |()| Self::Done)
    }
}

impl Round {
    /// Does `work` under this lock, unless another instance is at it.
    pub async fn alone<E: Error + Send + Sync + 'static>(
        locks: &LockManager,
        lock: &'static str,
        work: impl AsyncFnOnce() -> Result<(), E>,
    ) -> Self {
        let options = LockOptions::new().wait(Duration::ZERO).pattern(lock);
        match locks.lock(lock).options(options).run(async |_| work().await).await {
            Ok(outcome) => outcome.into(),
            Err(LockError::Timeout { .. }) => Self::Elsewhere,
            Err(error) => Self::Failed(Box::new(error)),
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Elsewhere => "elsewhere",
            Self::Failed(_) => "failed",
        }
    }
}

/// Does `round` again and again, with a pause before each, until `stop`: a round that has begun is ended.
///
/// Counts `shop_background_rounds_total`.
pub async fn rounds<F: Future<Output = Round>>(
    task: &'static str,
    pause: Duration,
    stop: CancellationToken,
    mut round: impl FnMut() -> F,
) {
    tracing::info!(task, "background task started");
    while stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_some() {
        let round = round().await;
        if let Round::Failed(error) = &round {
            tracing::warn!(task, error = &**error as &dyn Error, "a background task's round failed");
        }
        let outcome = round.name();
        metrics::counter!("shop_background_rounds_total", "task" => task, "outcome" => outcome).increment(1);
    }
    tracing::info!(task, "background task stopped");
}
