use std::time::Duration;

use async_redis_lock::{Error, Lock, Locker, Options};

use crate::contender::Contender;

/// `async-redis-lock`: renewed by a task per lock, waits by asking again after a fixed time.
#[derive(Clone)]
pub struct AsyncRedisLock {
    locker: Locker,
    options: Options,
}

/// Asks again after this time, when tuned.
const TUNED: Duration = Duration::from_millis(2);

impl AsyncRedisLock {
    /// Asks again every 100 ms.
    pub async fn as_shipped(url: &str) -> Self {
        Self { locker: Locker::from_redis_url(url).await.expect("Redis answers"), options: Options::new() }
    }

    /// Asks again every 2 ms.
    pub async fn tuned(url: &str) -> Self {
        let lock = Self::as_shipped(url).await;
        Self { options: lock.options.retry(TUNED), ..lock }
    }
}

impl Contender for AsyncRedisLock {
    type Guard = Lock;

    const SENDS: &'static [&'static str] = &["evalsha", "eval"];

    async fn acquire(&self, key: &str) -> Lock {
        let key = format!("async-redis-lock:{key}");
        loop {
            match self.locker.acquire_with_options(&self.options, key.as_str()).await {
                Ok(lock) => return lock,
                // It gives up after 10 s; the measurement does not.
                Err(Error::Timeout) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// Waited for: after a drop, the key may still be held when the same task asks again, which then sleeps.
    async fn release(guard: Lock) {
        guard.release().await.expect("Redis answers");
    }
}
