use std::time::Duration;

use lock_core::LockManager;

use crate::store::Once;

/// How often expired idempotency keys are deleted.
const EVERY: Duration = Duration::from_secs(60);
/// One instance sweeps; the others find the lock taken, and have nothing to do.
const LOCK: &str = "job:sweeper";

/// Deletes expired idempotency keys, again and again. Never ends.
pub async fn sweep(once: Once, locks: LockManager) {
    loop {
        tokio::time::sleep(EVERY).await;
        let work = locks.lock(LOCK).wait(Duration::ZERO).run(async |_| once.sweep().await);
        match work.await {
            Ok(Ok(0)) | Err(lock_core::LockError::Timeout { .. }) => {}
            Ok(Ok(rows)) => {
                tracing::info!(rows, "expired idempotency keys deleted");
                metrics::counter!("shop_swept_keys_total").increment(rows);
            }
            Ok(Err(error)) => tracing::warn!(error = &error as &dyn std::error::Error, "not swept"),
            Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "not swept"),
        }
    }
}
