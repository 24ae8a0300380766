use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use idempotency::IdempotencyKey;
use lock_core::{LockError, LockGuard, LockManager};

use super::defence::Locking;

const WAIT: Duration = Duration::from_secs(3);
const LEASE: Duration = Duration::from_secs(30);

/// A request's turn at a lock, given back when the defence says so: too early, or when the work is committed.
#[derive(Debug)]
pub(super) struct Turn {
    guard: Mutex<Option<LockGuard>>,
    too_early: bool,
}

impl Turn {
    /// Waits for the lock that `locking` says is right for this resource and this request.
    pub(super) async fn take(
        locks: &LockManager,
        locking: Locking,
        resource: &str,
        key: &IdempotencyKey,
    ) -> Result<Self, LockError> {
        let lock = async |name: &str| locks.lock(name).wait(WAIT).lease(LEASE).acquire().await.map(Some);
        let guard = match locking {
            Locking::None => None,
            Locking::PerRequest => lock(&format!("request:{}", key.as_str())).await?,
            Locking::PerResource | Locking::BeforeCommit => lock(resource).await?,
        };
        Ok(Self { guard: Mutex::new(guard), too_early: locking == Locking::BeforeCommit })
    }

    /// To be called by the work when all but COMMIT is done.
    pub(super) async fn before_commit(&self) {
        if self.too_early {
            self.end().await;
        }
    }

    /// Gives the lock back, if it is still held.
    pub(super) async fn end(&self) {
        let guard = self.guard.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(guard) = guard {
            // A lock that was lost meanwhile is given back already.
            let _ = guard.release().await;
        }
    }
}
