use std::sync::Arc;
use std::time::Duration;

use crate::backend::LockBackend;
use crate::front::{Front, FrontConfig};
use crate::manager::LockManager;
use crate::options::{LockOptions, Resolved};

/// Settings of a [`LockManager`].
///
/// ```
/// use lock_core::{InProcessBackend, LockManager, LockOptions};
/// use std::{sync::Arc, time::Duration};
///
/// let locks = LockManager::builder()
///     .defaults(LockOptions::new().wait(Duration::from_secs(5)).lease(Duration::from_secs(15)))
///     .max_waiters(10_000)
///     .backend(Arc::new(InProcessBackend::new()));
/// # let _ = locks;
/// ```
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until a backend is given"]
pub struct LockManagerBuilder {
    front: FrontConfig,
    pub(crate) prefix: String,
}

impl LockManagerBuilder {
    pub(crate) fn new() -> Self {
        Self {
            front: FrontConfig {
                max_waiters: 100_000,
                patience: Duration::from_secs(1),
                defaults: Resolved::default(),
            },
            prefix: String::new(),
        }
    }

    /// Sets what callers get who leave an option out: 10 s wait and 30 s lease, renewed, unless set here.
    pub fn defaults(mut self, defaults: LockOptions) -> Self {
        self.front.defaults = defaults.resolve(&Resolved::default());
        self
    }

    /// Sets the most callers of this process that may queue for one key, 100,000 by default; more get
    /// [`LockError::Overloaded`](crate::LockError::Overloaded).
    pub fn max_waiters(mut self, limit: usize) -> Self {
        self.front.max_waiters = limit;
        self
    }

    /// Sets for how long a backend that does not answer is asked again before callers get
    /// [`LockError::Unavailable`](crate::LockError::Unavailable): 1 s by default.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.front.patience = patience;
        self
    }

    /// Sets what every key starts with in a backend that is shared with others; nothing by default.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Makes a manager on a backend of the caller's own.
    pub fn backend(self, backend: Arc<dyn LockBackend>) -> LockManager {
        LockManager::new(Front::new(backend, self.front))
    }

    /// Makes a manager on Redis: on the server whose URL is given, or as a [`RedisConfig`](crate::RedisConfig) says.
    ///
    /// # Errors
    ///
    /// As [`LockManager::redis`].
    ///
    /// # Cancel safety
    ///
    /// Safe: when dropped, the connections are closed.
    #[cfg(feature = "redis")]
    pub async fn redis(
        self,
        config: impl Into<crate::redis::RedisConfig>,
    ) -> Result<LockManager, crate::error::ConnectError> {
        let backend = Arc::new(crate::redis::RedisBackend::connect(config, &self.prefix).await?);
        let locks = self.backend(Arc::clone(&backend) as Arc<dyn LockBackend>);
        // Without events a lock would work, slowly; better to hear of a missing permission now.
        backend.subscribed(locks.front().node()).await?;
        Ok(locks)
    }
}
