use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
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
    #[inline]
    #[track_caller]
    pub(crate) fn new(manager: &'m LockManager, keys: Result<Keys, InvalidKey>) -> Self {
        Self { manager, keys, options: LockOptions::new(), place: Location::caller() }
    }

    /// Sets where the lock is asked for, as warnings name it.
    #[inline]
    pub(crate) fn place(mut self, place: &'static Location<'static>) -> Self {
        self.place = place;
        self
    }

    /// Sets how long to queue; see [`LockOptions::wait`].
    #[inline]
    pub fn wait(mut self, wait: Duration) -> Self {
        self.options = self.options.wait(wait);
        self
    }

    /// Sets how long ownership lasts unless renewed; see [`LockOptions::lease`].
    #[inline]
    pub fn lease(mut self, lease: Duration) -> Self {
        self.options = self.options.lease(lease);
        self
    }

    /// Sets how long an idle key is kept by this process; see [`LockOptions::retain`].
    #[inline]
    pub fn retain(mut self, retain: Duration) -> Self {
        self.options = self.options.retain(retain);
        self
    }

    /// Sets whether the lease is renewed while the guard lives; see [`LockOptions::renew`].
    #[inline]
    pub fn renew(mut self, renew: bool) -> Self {
        self.options = self.options.renew(renew);
        self
    }

    /// Lets a task join a lock it holds already; see [`LockOptions::reentrant`].
    #[inline]
    pub fn reentrant(mut self, reentrant: bool) -> Self {
        self.options = self.options.reentrant(reentrant);
        self
    }

    /// Takes all options at once, in place of those set before.
    #[inline]
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
    pub fn acquire(self) -> impl Future<Output = Result<LockGuard, LockError>> + Send + use<'m> {
        self.begin()
    }

    #[inline]
    pub(crate) fn begin(self) -> Acquire<'m> {
        Acquire::Asking(self)
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
        match self.wait(Duration::ZERO).begin().await {
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
    pub fn run<T, W: AsyncFnOnce(HeldLock) -> T>(
        self,
        work: W,
    ) -> impl Future<Output = Result<T, LockError>> + use<'m, T, W> {
        let place = self.place;
        let mut acquire = self.begin();
        // Not an `async fn`, which would copy the request once more.
        async move {
            let guard = (&mut acquire).await?;
            let held = guard.held();
            let work = pin!(held::scope(held.clone(), place, work(held)));
            drive(&guard, work).await
        }
    }

    fn span(&self) -> Span {
        match &self.keys {
            Ok(keys) => telemetry::acquire_span(&keys.first, keys.rest.len() + 1, self.pattern()),
            Err(_) => Span::none(),
        }
    }

    /// Takes the key if that needs no waiting; none otherwise.
    fn take_at_once(&self, options: &Resolved, span: &Span, began: Instant) -> Option<LockGuard> {
        let keys = self.keys.as_ref().ok()?;
        let take = || self.taker(options).take_at_once(keys, self.pattern(), began);
        let guard = if span.is_disabled() { take() } else { span.in_scope(take) }?;
        telemetry::acquired(span, &guard, began);
        Some(guard)
    }

    async fn queue(self, options: Resolved, span: Span, began: Instant) -> Result<LockGuard, LockError> {
        let pattern = self.pattern();
        let _asking = telemetry::Asking::new(pattern);
        let taker = self.taker(&options);
        let result = match self.keys {
            Ok(keys) => taker.take(keys, pattern).instrument(span.clone()).await,
            Err(error) => Err(error.into()),
        };
        match &result {
            Ok(guard) => telemetry::acquired(&span, guard, began),
            Err(error) => telemetry::refused(&span, error, pattern),
        }
        result
    }

    fn taker(&self, options: &Resolved) -> Taker<'m> {
        Taker {
            manager: self.manager,
            options: *options,
            reentrant: self.options.reentrant,
            place: self.place,
        }
    }

    fn pattern(&self) -> &'static str {
        self.options.pattern.unwrap_or_default()
    }
}

/// A caller that acquires. Most keys are at hand in most processes: only waiting needs a future of its own, in a box because
/// futures are moved about.
pub(crate) enum Acquire<'m> {
    /// Nothing was asked yet.
    Asking(LockRequest<'m>),
    Queueing(Pin<Box<dyn Future<Output = Result<LockGuard, LockError>> + Send + 'm>>),
    /// There is nothing to ask.
    Refused(LockError),
    /// The outcome was handed out. Whoever asks again waits for ever.
    Done,
}

impl Future for Acquire<'_> {
    type Output = Result<LockGuard, LockError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Self::Asking(request) = &*self {
            let began = Instant::now();
            let span = request.span();
            let options = request.options.resolve(request.manager.defaults());
            if let Some(guard) = request.take_at_once(&options, &span, began) {
                *self = Self::Done;
                return Poll::Ready(Ok(guard));
            }
            if let Self::Asking(request) = std::mem::replace(&mut *self, Self::Done) {
                *self = Self::Queueing(Box::pin(request.queue(options, span, began)));
            }
        }
        match &mut *self {
            Self::Queueing(queueing) => {
                let outcome = queueing.as_mut().poll(cx);
                if outcome.is_ready() {
                    *self = Self::Done;
                }
                outcome
            }
            Self::Refused(_) => match std::mem::replace(&mut *self, Self::Done) {
                Self::Refused(error) => Poll::Ready(Err(error)),
                _ => Poll::Pending,
            },
            Self::Asking(_) | Self::Done => Poll::Pending,
        }
    }
}

impl fmt::Debug for LockRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LockRequest").field("options", &self.options).finish_non_exhaustive()
    }
}
