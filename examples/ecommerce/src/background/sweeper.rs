use std::time::Duration;

use lock_core::LockManager;
use tokio_util::sync::CancellationToken;

use super::{Round, rounds};
use crate::store::Once;

/// One instance sweeps; the others find the lock taken, and have nothing to do.
const LOCK: &str = "job:sweeper";
/// The most stuck keys that are counted.
const MOST: u32 = 1_000;

/// Deletes expired idempotency keys, and counts those that no request will settle by itself.
#[derive(Debug, Clone)]
pub struct Sweeper {
    once: Once,
    locks: LockManager,
    every: Duration,
}

impl Sweeper {
    /// A sweeper of the shop's keys.
    pub fn new(once: Once, locks: LockManager, every: Duration) -> Self {
        Self { once, locks, every }
    }

    /// Sweeps, again and again, until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let round = || Round::alone(&self.locks, LOCK, async || self.sweep().await);
        rounds("sweeper", self.every, stop, round).await;
    }

    async fn sweep(&self) -> Result<(), idempotency::StoreError> {
        let rows = self.once.sweep().await?;
        if rows > 0 {
            tracing::info!(rows, "expired idempotency keys deleted");
            metrics::counter!("shop_swept_keys_total").increment(rows);
        }
        let stuck = self.once.stuck(MOST).await?;
        if stuck > 0 {
            tracing::warn!(stuck, "idempotency keys that no request will settle by itself");
        }
        metrics::gauge!("shop_stuck_keys").set(stuck as f64);
        Ok(())
    }
}
