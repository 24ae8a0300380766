use std::fmt;
use std::future::Future;
use std::sync::{Arc, OnceLock};

use crate::backend::LockBackend;
use crate::builder::LockManagerBuilder;
use crate::error::{AlreadyInstalled, LockError};
use crate::front::Front;
use crate::in_process::InProcessBackend;
use crate::inspect::Inspector;
use crate::key::{InvalidKey, LockKey};
use crate::keys::Keys;
use crate::options::{LockOptions, Resolved};
use crate::request::LockRequest;

static INSTALLED: OnceLock<LockManager> = OnceLock::new();

/// Hands out locks: first come, first served among the tasks of this process, and in turn with other processes.
///
/// One manager is one *node*. Cloning is cheap and gives the same node; make one per process and share it.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use lock_core::LockManager;
/// use std::time::Duration;
///
/// let locks = LockManager::in_process();
/// let guard = locks.lock("balance:user:42").wait(Duration::from_secs(10)).acquire().await?;
/// println!("fencing token {}", guard.token());
/// guard.release().await?;
/// # Ok(()) }
/// ```
///
/// # Runtimes
///
/// Several tokio runtimes may use one manager. The one on which it is used first renews the leases of all guards,
/// wherever they are held. When that runtime ends before the manager does, a thread of the manager's own goes on with
/// it. A runtime that exists but is not driven renews nothing, and leases end: a current-thread runtime outside of
/// `block_on`, or one whose threads are all blocked. So use a manager first on a runtime that is driven for as long as
/// locks are held.
///
/// Connections to a server belong to the runtime on which they were opened, and break with it: what is under way fails,
/// and the next command opens others on the runtime of its caller. In a cluster, messages are not listened to any more
/// then: whoever waits asks every 50 to 100 ms.
#[derive(Clone)]
pub struct LockManager {
    front: Arc<Front>,
}

impl LockManager {
    pub(crate) fn new(front: Arc<Front>) -> Self {
        Self { front }
    }

    /// A manager whose locks need no server. They hold among this manager and its clones; another call makes another set
    /// of locks, so make one manager and share it, or share an [`InProcessBackend`] between several.
    pub fn in_process() -> Self {
        Self::builder().backend(Arc::new(InProcessBackend::new()))
    }

    /// A manager on Redis, with the defaults of [`LockManager::builder`]: on the server whose URL is given, or as a
    /// [`RedisConfig`](crate::RedisConfig) says.
    ///
    /// # Errors
    ///
    /// [`ConnectError::InvalidAddress`](crate::ConnectError::InvalidAddress) when an address cannot be read,
    /// [`ConnectError::Unreachable`](crate::ConnectError::Unreachable) when the server does not answer.
    ///
    /// # Cancel safety
    ///
    /// Safe: when dropped, the connections are closed.
    #[cfg(feature = "redis")]
    pub async fn redis(
        config: impl Into<crate::redis::RedisConfig>,
    ) -> Result<Self, crate::error::ConnectError> {
        Self::builder().redis(config).await
    }

    /// Settings to make a manager from.
    pub fn builder() -> LockManagerBuilder {
        LockManagerBuilder::new()
    }

    /// A lock on one key.
    #[track_caller]
    pub fn lock<K>(&self, key: K) -> LockRequest<'_>
    where
        K: TryInto<LockKey>,
        K::Error: Into<InvalidKey>,
    {
        LockRequest::new(self, self.checked(key).map(Keys::one))
    }

    /// A lock on several keys at once: all of them or none. They are taken in one order that all callers share, so that
    /// no two callers wait for each other.
    #[track_caller]
    pub fn lock_all<K>(&self, keys: impl IntoIterator<Item = K>) -> LockRequest<'_>
    where
        K: TryInto<LockKey>,
        K::Error: Into<InvalidKey>,
    {
        let keys: Result<Vec<_>, _> = keys.into_iter().map(|key| self.checked(key)).collect();
        LockRequest::new(self, keys.and_then(Keys::all))
    }

    pub(crate) fn checked<K>(&self, key: K) -> Result<LockKey, InvalidKey>
    where
        K: TryInto<LockKey>,
        K::Error: Into<InvalidKey>,
    {
        let key = key.try_into().map_err(Into::into)?;
        self.front.backend().check_key(&key)?;
        Ok(key)
    }

    /// Refuses keys that mean something else to the backend.
    #[inline]
    pub(crate) fn check(&self, keys: Keys) -> Result<Keys, InvalidKey> {
        for key in std::iter::once(&keys.first).chain(&keys.rest) {
            self.front.backend().check_key(key)?;
        }
        Ok(keys)
    }

    /// Waits for the lock on `key` and drives `work` while it is held; see [`LockRequest::run`].
    ///
    /// # Errors
    ///
    /// As [`LockRequest::run`].
    ///
    /// # Cancel safety
    ///
    /// Safe for the lock: when dropped, `work` is dropped and the lock given back.
    #[track_caller]
    pub fn run<K, F>(
        &self,
        key: K,
        options: LockOptions,
        work: F,
    ) -> impl Future<Output = Result<F::Output, LockError>>
    where
        K: TryInto<LockKey>,
        K::Error: Into<InvalidKey>,
        F: Future,
    {
        self.lock(key).options(options).run(async move |_| work.await)
    }

    /// Makes this manager the one that `#[distributed_lock]` uses where no `manager` is named.
    ///
    /// # Errors
    ///
    /// [`AlreadyInstalled`] when the process has one.
    pub fn install(self) -> Result<(), AlreadyInstalled> {
        INSTALLED.set(self).map_err(|_| AlreadyInstalled)
    }

    /// The manager installed for the process.
    pub fn installed() -> Option<Self> {
        INSTALLED.get().cloned()
    }

    /// Looks at the locks of all processes.
    pub fn inspect(&self) -> Inspector<'_> {
        Inspector::new(self)
    }

    /// Refuses new work, gives back every key and waits until the backend has heard of it: for 2 s at most, unless
    /// [`patience`](LockManagerBuilder::patience) says otherwise. What is not confirmed by then ends with its lease.
    ///
    /// Callers in a queue get [`LockError::ShutDown`]. Guards that are still out are lost, so end the work first.
    ///
    /// # Cancel safety
    ///
    /// Safe: when dropped, the keys are still given back, but nobody waits for it.
    pub async fn shutdown(&self) {
        self.front.shut_down().await;
    }

    pub(crate) fn front(&self) -> &Arc<Front> {
        &self.front
    }

    pub(crate) fn defaults(&self) -> &Resolved {
        &self.front.config.defaults
    }

    /// The backend, for those who brought their own.
    pub fn backend(&self) -> &Arc<dyn LockBackend> {
        self.front.backend()
    }
}

impl fmt::Debug for LockManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LockManager")
            .field("backend", &self.front.backend().name())
            .field("node", &self.front.node())
            .finish_non_exhaustive()
    }
}
