use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::time::Instant;

use crate::error::ExtendError;
use crate::front::Hold;
use crate::key::LockKey;
use crate::ticket::NodeId;
use crate::token::FencingToken;

/// A view of a held lock: what work inside [`run`](crate::LockRequest::run) sees of it. Cheap to clone.
///
/// It does not keep the lock: when the guard is gone, [`is_held`](Self::is_held) says so.
#[derive(Clone)]
pub struct HeldLock {
    first: Hold,
    rest: Option<Arc<[Hold]>>,
}

impl HeldLock {
    pub(crate) fn new(first: Hold, rest: Vec<Hold>) -> Self {
        Self { first, rest: (!rest.is_empty()).then(|| rest.into()) }
    }

    fn holds(&self) -> impl Iterator<Item = &Hold> {
        std::iter::once(&self.first).chain(self.rest.iter().flat_map(|rest| rest.iter()))
    }

    /// The key; the first in order when several are held.
    pub fn key(&self) -> &LockKey {
        self.first.key()
    }

    /// All keys, in order.
    pub fn keys(&self) -> impl Iterator<Item = &LockKey> {
        self.holds().map(|hold| hold.key())
    }

    /// The fencing token of this turn; the largest when several keys are held.
    pub fn token(&self) -> FencingToken {
        self.holds().map(|hold| hold.token).fold(self.first.token, FencingToken::max)
    }

    /// The fencing token of this turn on one of the keys; none when `key` is not among them.
    pub fn token_of(&self, key: &str) -> Option<FencingToken> {
        self.holds().find(|hold| hold.key().as_str() == key).map(|hold| hold.token)
    }

    /// Whether the lock is held at this moment, by this process's clock. Costs no round trip.
    pub fn is_held(&self) -> bool {
        let now = Instant::now();
        self.holds().all(|hold| hold.is_live(now))
    }

    /// How long the lock is held without any further renewal; zero when it is lost.
    pub fn remaining(&self) -> Duration {
        let now = Instant::now();
        if !self.is_held() {
            return Duration::ZERO;
        }
        self.holds().map(|hold| hold.deadline().saturating_duration_since(now)).min().unwrap_or_default()
    }

    /// Completes when the lock is lost.
    ///
    /// # Cancel safety
    ///
    /// Safe: nothing is lost when the future is dropped.
    pub async fn lost(&self) {
        if self.rest.is_none() {
            return self.first.ended().await;
        }
        let mut all: Vec<_> = self.holds().map(|hold| Box::pin(hold.ended())).collect();
        std::future::poll_fn(|cx| {
            let any = all.iter_mut().any(|ended| ended.as_mut().poll(cx).is_ready());
            if any { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    /// Runs `work` as work under this lock: its task is known to hold the key, so that asking for it again is refused
    /// with [`LockError::Reentrant`](crate::LockError::Reentrant) instead of waiting for itself.
    ///
    /// For work under a guard that was acquired by hand; [`run`](crate::LockRequest::run) does it by itself. Unlike
    /// that it does not stop the work when the lock is lost.
    ///
    /// # Cancel safety
    ///
    /// That of `work`.
    #[track_caller]
    pub fn scope<F: Future>(&self, work: F) -> impl Future<Output = F::Output> {
        scope(self.clone(), Location::caller(), work)
    }

    /// Makes the lease last at least `lease` from now on; see [`LockGuard::extend`](crate::LockGuard::extend).
    ///
    /// # Errors
    ///
    /// [`ExtendError::Lost`] or [`ExtendError::Unavailable`].
    ///
    /// # Cancel safety
    ///
    /// Safe: when dropped, the lease may or may not have been extended.
    pub async fn extend(&self, lease: Duration) -> Result<(), ExtendError> {
        for hold in self.holds() {
            hold.extend(lease).await?;
        }
        Ok(())
    }
}

impl fmt::Debug for HeldLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeldLock")
            .field("keys", &self.keys().collect::<Vec<_>>())
            .field("token", &self.token())
            .field("held", &self.is_held())
            .finish()
    }
}

tokio::task_local! {
    /// The locks that surround the work that runs now, the innermost first.
    static HELD: Arc<Surrounding>;
}

struct Surrounding {
    held: HeldLock,
    /// Where it was asked for.
    place: &'static Location<'static>,
    outer: Option<Arc<Surrounding>>,
}

/// Runs `work` with `held` known to be held by its task.
pub(crate) fn scope<F: Future>(
    held: HeldLock,
    place: &'static Location<'static>,
    work: F,
) -> impl Future<Output = F::Output> {
    let outer = HELD.try_with(Arc::clone).ok();
    HELD.scope(Arc::new(Surrounding { held, place, outer }), work)
}

/// What this task holds already when it asks for a key.
pub(crate) enum Standing {
    /// Nothing that matters.
    Free,
    /// The very key.
    Held(Hold),
    /// A key that comes after it, asked for at the place given: others who take both in order may wait in a circle.
    OutOfOrder(&'static Location<'static>),
}

/// Looks at what the surrounding work of this task holds on `node`. What is given back or lost does not count.
pub(crate) fn standing(node: NodeId, key: &LockKey) -> Standing {
    let look = |innermost: &Arc<Surrounding>| {
        let now = Instant::now();
        let mut standing = Standing::Free;
        let mut next = Some(innermost);
        while let Some(surrounding) = next {
            let held = surrounding.held.holds().filter(|hold| hold.front.node() == node && hold.is_live(now));
            for hold in held {
                if *hold.key() == *key {
                    return Standing::Held(hold.clone());
                }
                if *hold.key() > *key {
                    standing = Standing::OutOfOrder(surrounding.place);
                }
            }
            next = surrounding.outer.as_ref();
        }
        standing
    };
    HELD.try_with(look).unwrap_or(Standing::Free)
}
