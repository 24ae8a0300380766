use std::time::Duration;

use rslock::{LockGuard, LockManager};

use crate::contender::Contender;

/// `rslock`: Redlock on one server. Waits by asking again after a random time.
#[derive(Clone)]
pub struct Rslock {
    locks: LockManager,
}

const LEASE: Duration = Duration::from_secs(30);
/// Asks again after 0 to this time, when tuned.
const TUNED: Duration = Duration::from_millis(5);

impl Rslock {
    /// Asks again after 0 to 200 ms.
    #[must_use]
    pub fn as_shipped(url: &str) -> Self {
        Self { locks: LockManager::new(vec![url]) }
    }

    /// Asks again after 0 to 5 ms.
    #[must_use]
    pub fn tuned(url: &str) -> Self {
        let mut lock = Self::as_shipped(url);
        lock.locks.set_retry(u32::MAX, TUNED);
        lock
    }
}

impl Contender for Rslock {
    type Guard = LockGuard;

    const SENDS: &'static [&'static str] = &["set", "evalsha", "eval"];

    async fn acquire(&self, key: &str) -> LockGuard {
        let key = format!("rslock:{key}");
        self.locks.acquire(key.as_str(), LEASE).await.expect("the lock")
    }

    /// Waited for: a dropped guard of this lock keeps the key until its lease is over.
    async fn release(guard: LockGuard) {
        guard.release().await;
    }
}
