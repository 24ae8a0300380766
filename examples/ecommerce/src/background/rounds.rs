use std::future::Future;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// How one round of a task ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Round {
    /// What there was to do is done.
    Done,
    /// Another instance is at it.
    Elsewhere,
    /// It did not work; the next round may.
    Failed,
}

impl Round {
    fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Elsewhere => "elsewhere",
            Self::Failed => "failed",
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
        let outcome = round().await.name();
        metrics::counter!("shop_background_rounds_total", "task" => task, "outcome" => outcome).increment(1);
    }
    tracing::info!(task, "background task stopped");
}
