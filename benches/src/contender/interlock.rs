use std::time::Duration;

use lock_core::{LockGuard, LockManager, LockOptions};

use crate::contender::Contender;

/// This workspace's lock, with its defaults; a guard is given back by dropping it.
#[derive(Clone)]
pub struct Interlock {
    locks: LockManager,
    options: LockOptions,
}

/// Longer than any measurement.
const WAIT: Duration = Duration::from_secs(600);

impl Interlock {
    /// One node on the server at `url`.
    pub async fn redis(url: &str) -> Self {
        Self::of(LockManager::redis(url).await.expect("Redis answers"))
    }

    /// Locks within this process.
    #[must_use]
    pub fn in_process() -> Self {
        Self::of(LockManager::in_process())
    }

    /// A node that somebody made.
    #[must_use]
    pub fn of(locks: LockManager) -> Self {
        Self { locks, options: LockOptions::new().wait(WAIT) }
    }

    /// The same node, but idle keys are kept this long.
    #[must_use]
    pub fn retaining(mut self, retain: Duration) -> Self {
        self.options = self.options.retain(retain);
        self
    }
}

impl Contender for Interlock {
    type Guard = LockGuard;

    const SENDS: &'static [&'static str] = &["evalsha", "eval"];

    async fn acquire(&self, key: &str) -> LockGuard {
        self.locks.lock(key).options(self.options).acquire().await.expect("the lock")
    }

    async fn release(guard: LockGuard) {
        drop(guard);
    }

    async fn close(self) {
        self.locks.shutdown().await;
    }
}
