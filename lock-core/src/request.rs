use std::fmt;
use std::panic::Location;
use std::pin::pin;
use std::time::Duration;

use tokio::time::Instant;
use tracing::{Instrument, Span};

use crate::error::LockError;
use crate::guard::LockGuard;
use crate::held::{self, HeldLock};
use crate::key::InvalidKey;
use crate::keys::Keys;
use crate::manager::LockManager;
use crate::options::{LockOptions, Resolved};
use crate::run::drive;
use crate::take::Taker;
use crate::telemetry;

/// A lock about to be asked for: one key, or several at once. Made by [`LockManager::lock`] and
/// [`LockManager::lock_all`].
#[must_use = "nothing is locked until `acquire`, `try_acquire` or `run` is awaited"]
pub struct LockRequest<'m> {
    manager: &'m LockManager,
    keys: Result<Keys, InvalidKey>,
    options: LockOptions,
    place: &'static Location<'static>,
}

impl<'m> LockRequest<'m> {
    #[track_caller]
    pub(crate) fn new(manager: &'m LockManager, keys: Result<Keys, InvalidKey>) -> Self {
        Self { manager, keys, options: LockOptions::new(), place: Location::caller() }
    }

    /// Sets where the lock is asked for, as warnings name it.
    pub(crate) fn place(mut self, place: &'static Location<'static>) -> Self {
        self.place = place;
        self
    }

    /// Sets how long to queue; see [`LockOptions::wait`].
    pub fn wait(mut self, wait: Duration) -> Self {
        self.options = self.options.wait(wait);
        self
    }

    /// Sets how long ownership lasts unless renewed; see [`LockOptions::lease`].
    pub fn lease(mut self, lease: Duration) -> Self {
        self.options = self.options.lease(lease);
        self
    }

    /// Sets how long an idle key is kept by this process; see [`LockOptions::retain`].
    pub fn retain(mut self, retain: Duration) -> Self {
        self.options = self.options.retain(retain);
        self
    }

    /// Sets whether the lease is renewed while the guard lives; see [`LockOptions::renew`].
    pub fn renew(mut self, renew: bool) -> Self {
        self.options = self.options.renew(renew);
        self
    }

    /// Lets a task join a lock it holds already; see [`LockOptions::reentrant`].
    pub fn reentrant(mut self, reentrant: bool) -> Self {
        self.options = self.options.reentrant(reentrant);
        self
    }

    /// Takes all options at once, in place of those set before.
    pub fn options(mut self, options: LockOptions) -> Self {
        self.options = options;
        self
    }

    /// Waits for the lock.
    ///
    /// Several keys are taken in one step where the backend can and all are free, else one after the other in one order
    /// that all callers share; if one of them cannot be had, those taken before are given back. The wait is the time for
    /// all of them together.
    ///
    /// # Errors
    ///
    /// [`LockError::Timeout`] when the wait is over, [`LockError::Reentrant`] at once when the task holds the key by a
    /// surrounding `run`, [`LockError::Overloaded`] when too many callers queue, [`LockError::Unavailable`] when the
    /// backend does not answer, [`LockError::InvalidKey`] and [`LockError::ShutDown`].
    ///
    /// # Cancel safety
    ///
    /// Safe: when dropped, the caller leaves the queue; a lock that was granted in that moment goes to the next.
    pub async fn acquire(self) -> Result<LockGuard, LockError> {
        let options = self.options.resolve(self.manager.defaults());
        self.acquire_with(&options).await
    }

    /// Asks for the lock without queueing; `None` when it is busy.
    ///
    /// # Errors
    ///
    /// As [`acquire`](Self::acquire), without the timeout.
    ///
    /// # Cancel safety
    ///
    /// Safe: as [`acquire`](Self::acquire).
    pub async fn try_acquire(self) -> Result<Option<LockGuard>, LockError> {
        let options = Resolved { wait: Duration::ZERO, ..self.options.resolve(self.manager.defaults()) };
        match self.acquire_with(&options).await {
            Ok(guard) => Ok(Some(guard)),
            Err(LockError::Timeout { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Waits for the lock and runs `work` while it is held.
    ///
    /// When the lock is lost, `work` is dropped at its next await point. When `work` ends, the lock is given back at
    /// once; its result does not wait for the backend to confirm that. While `work` runs, its task is known to hold the
    /// key (tasks that it spawns are not): asking for it again is refused with [`LockError::Reentrant`].
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), lock_core::LockError> {
    /// let locks = lock_core::LockManager::in_process();
    /// let token = locks.lock("balance:user:42").run(async |lock| lock.token()).await?;
    /// # let _ = token;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`acquire`](Self::acquire), and [`LockError::Lost`] when the lock was lost and the work stopped.
    ///
    /// # Cancel safety
    ///
    /// Safe for the lock: when dropped, `work` is dropped and the lock given back.
    pub async fn run<T, W: AsyncFnOnce(HeldLock) -> T>(self, work: W) -> Result<T, LockError> {
        let place = self.place;
        let guard = self.acquire().await?;
        let held = guard.held();
        let work = pin!(held::scope(held.clone(), place, work(held)));
        drive(&guard, work).await
    }

    async fn acquire_with(&self, options: &Resolved) -> Result<LockGuard, LockError> {
        let began = Instant::now();
        let pattern = self.options.pattern.unwrap_or_default();
        let taker = Taker {
            manager: self.manager,
            options: *options,
            reentrant: self.options.reentrant,
            place: self.place,
        };
        let _asking = telemetry::Asking::new(pattern);
        let (span, result) = match &self.keys {
            Ok(keys) => {
                let span = telemetry::acquire_span(&keys.first, keys.rest.len() + 1, pattern);
                // Most keys are at hand in most processes. Only waiting needs a future, in a box because futures are moved
                // about.
                let taken = match span.in_scope(|| taker.take_at_once(keys, pattern, began)) {
                    Some(guard) => Ok(guard),
                    None => Box::pin(taker.take(keys.clone(), pattern).instrument(span.clone())).await,
                };
                (span, taken)
            }
            Err(error) => (Span::none(), Err(error.clone().into())),
        };
        match &result {
            Ok(guard) => telemetry::acquired(&span, guard, began),
            Err(error) => telemetry::refused(&span, error, pattern),
        }
        result
    }
}

impl fmt::Debug for LockRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LockRequest").field("options", &self.options).finish_non_exhaustive()
    }
}
