//! Work that ends on its own terms, whatever becomes of the request that asked for it.

use std::future::Future;
use std::time::Duration;

use tokio_util::task::TaskTracker;
use tracing::Instrument;

use crate::error::ShopError;

/// The work under way. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct Tasks {
    tracker: TaskTracker,
    limit: Duration,
}

impl Tasks {
    /// No work yet; each piece may take as long as `limit`.
    pub fn new(limit: Duration) -> Self {
        Self { tracker: TaskTracker::new(), limit }
    }

    /// Runs `work`, a use case of that name, to its end even when the caller goes away, as a client that hangs up does:
    /// money that moves is not stopped halfway, the answer is there for the next request with the same key, and what is
    /// committed is evicted from the cache.
    ///
    /// # Errors
    ///
    /// What `work` answers; [`ShopError::TimedOut`] when it takes too long, and is then dropped; [`ShopError::Internal`]
    /// when it panics.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the work running; [`Tasks::finish`] waits for it.
    pub async fn run<T: Send + 'static>(
        &self,
        use_case: &'static str,
        work: impl Future<Output = Result<T, ShopError>> + Send + 'static,
    ) -> Result<T, ShopError> {
        let work = tokio::time::timeout(self.limit, work).in_current_span();
        let outcome = match self.tracker.spawn(work).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(ShopError::TimedOut),
            Err(_) => Err(ShopError::Internal { what: "the work panicked" }),
        };
        let label = outcome.as_ref().err().map_or("done", |error| error.code().as_str());
        metrics::counter!("shop_use_cases_total", "use_case" => use_case, "outcome" => label).increment(1);
        outcome
    }

    /// Waits until no work is under way.
    pub async fn finish(&self) {
        self.tracker.close();
        self.tracker.wait().await;
    }

    /// How much work is under way.
    pub fn under_way(&self) -> usize {
        self.tracker.len()
    }
}
