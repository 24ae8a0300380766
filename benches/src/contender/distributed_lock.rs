use std::sync::Arc;
use std::time::Duration;

use distributed_lock_core::traits::{LockHandle, LockProviderExt};
use distributed_lock_redis::{RedisLockHandle, RedisLockProvider};

use crate::contender::Contender;

/// `distributed-lock-redis`: its `acquire` gives up at the first conflict, so the caller asks again.
#[derive(Clone)]
pub struct DistributedLockRedis {
    provider: Arc<RedisLockProvider>,
}

/// The caller asks again after 0 to this many microseconds.
const PAUSE_MICROS: u64 = 5_000;

impl DistributedLockRedis {
    /// Connects with the client that it brings, `fred`.
    pub async fn connect(url: &str) -> Self {
        let provider = RedisLockProvider::builder().url(url).build().await;
        Self { provider: Arc::new(provider.expect("Redis answers")) }
    }
}

impl Contender for DistributedLockRedis {
    type Guard = RedisLockHandle;

    const SENDS: &'static [&'static str] = &["set", "eval"];

    async fn acquire(&self, key: &str) -> RedisLockHandle {
        loop {
            if let Some(handle) = self.provider.try_acquire_lock(key).await.expect("Redis answers") {
                return handle;
            }
            tokio::time::sleep(Duration::from_micros(fastrand::u64(0..PAUSE_MICROS))).await;
        }
    }

    /// Waited for: a dropped handle of this lock keeps the key until its lease is over.
    async fn release(guard: RedisLockHandle) {
        guard.release().await.expect("Redis answers");
    }
}
