use std::fmt;
use std::time::Duration;

use tokio::time::Instant;

use crate::error::{ExtendError, ReleaseError};
use crate::front::{Handover, Hold, Turn};
use crate::held::HeldLock;
use crate::key::LockKey;
use crate::telemetry;
use crate::token::FencingToken;

/// One exclusive turn on a key, or on several keys at once.
///
/// The lease is renewed in the background for as long as the guard lives. Dropping the guard (at the end of its scope,
/// by `?`, by a panic, with a cancelled task) gives the key on at once without waiting for the backend's word;
/// [`release`](Self::release) waits for it. When the process dies, others go on once the lease has run out.
///
/// A guard does not stop anybody by itself when the lease is lost: look at [`is_held`](Self::is_held), race the work
/// against [`lost`](Self::lost), or use [`LockRequest::run`](crate::LockRequest::run), which does.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use lock_core::LockManager;
///
/// let locks = LockManager::in_process();
/// let guard = locks.lock("balance:user:42").acquire().await?;
/// assert!(guard.is_held());
/// guard.release().await?;
/// # Ok(()) }
/// ```
#[must_use = "the lock is given back as soon as the guard is dropped: bind it, `let guard = …`; `let _ = …` drops it at once"]
pub struct LockGuard {
    // In a box: a guard is moved from hand to hand, and most are gone before they are looked at.
    turns: Box<Turns>,
}

/// What a guard holds.
struct Turns {
    first: Part,
    rest: Vec<Part>,
    acquired: Instant,
    pattern: &'static str,
}

/// A key's share in a guard.
pub(crate) enum Part {
    Own(Turn),
    /// The turn of an enclosing guard of the same task, which outlives this one.
    Joined(Hold),
}

impl Part {
    pub(crate) fn hold(&self) -> &Hold {
        match self {
            Self::Own(turn) => turn.hold(),
            Self::Joined(hold) => hold,
        }
    }
}

impl LockGuard {
    pub(crate) fn new(first: Part, rest: Vec<Part>, pattern: &'static str, acquired: Instant) -> Self {
        Self { turns: Box::new(Turns { first, rest, acquired, pattern }) }
    }

    fn holds(&self) -> impl Iterator<Item = &Hold> {
        std::iter::once(self.turns.first.hold()).chain(self.turns.rest.iter().map(Part::hold))
    }

    /// How the turn on the first key came about.
    pub(crate) fn handover(&self) -> Handover {
        self.turns.first.hold().handover
    }

    /// The family of keys that this one belongs to; empty when it was not named.
    pub(crate) fn pattern(&self) -> &'static str {
        self.turns.pattern
    }

    /// How long ago the lock was acquired.
    pub(crate) fn age(&self) -> Duration {
        self.turns.acquired.elapsed()
    }

    /// The key; the first in order when the guard holds several.
    pub fn key(&self) -> &LockKey {
        self.turns.first.hold().key()
    }

    /// All keys, in order.
    pub fn keys(&self) -> impl Iterator<Item = &LockKey> {
        self.holds().map(|hold| hold.key())
    }

    /// The fencing token of this turn; the largest when the guard holds several keys.
    pub fn token(&self) -> FencingToken {
        self.holds().map(|hold| hold.token).fold(self.turns.first.hold().token, FencingToken::max)
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

    /// Completes when the lock is lost; never while it is held.
    ///
    /// # Cancel safety
    ///
    /// Safe: nothing is lost when the future is dropped.
    pub async fn lost(&self) {
        match self.turns.rest.is_empty() {
            true => self.turns.first.hold().ended().await,
            false => self.held().lost().await,
        }
    }

    /// A view of the lock that can be moved into tasks; it does not keep the lock.
    pub fn held(&self) -> HeldLock {
        HeldLock::new(
            self.turns.first.hold().clone(),
            self.turns.rest.iter().map(|part| part.hold().clone()).collect(),
        )
    }

    /// Makes the lease last at least `lease` from now on, without waiting for the next renewal.
    ///
    /// Costs one round trip. A lease that lasts longer already is not shortened.
    ///
    /// # Errors
    ///
    /// [`ExtendError::Lost`] when the lock is lost; [`ExtendError::Unavailable`] when the backend did not answer, in
    /// which case the guard keeps the deadline it had.
    ///
    /// # Cancel safety
    ///
    /// Safe: when dropped, the lease may or may not have been extended.
    pub async fn extend(&self, lease: Duration) -> Result<(), ExtendError> {
        self.held().extend(lease).await
    }

    /// Gives the lock back and waits until that is confirmed.
    ///
    /// When another task of this process is next in line, it gets the lock at once and there is nothing to wait for.
    ///
    /// # Errors
    ///
    /// [`ReleaseError::Lost`] when the lock had been lost before: what was done under it may have met somebody else's
    /// work. [`ReleaseError::Unconfirmed`] when the backend did not confirm within the manager's patience; the release is
    /// repeated in the background and the key is free after its lease at the latest.
    ///
    /// # Cancel safety
    ///
    /// Safe: the release is under way when the future is first polled, and goes on when it is dropped.
    pub async fn release(mut self) -> Result<(), ReleaseError> {
        let mut result = Ok(());
        let parts = std::mem::take(&mut self.turns.rest);
        let given_back = Part::Joined(self.turns.first.hold().clone());
        let first = std::mem::replace(&mut self.turns.first, given_back);
        let mut pending = Vec::with_capacity(parts.len() + 1);
        for part in std::iter::once(first).chain(parts) {
            if let Part::Own(turn) = part {
                pending.push(turn.release());
            }
        }
        for release in pending {
            result = result.and(release.await);
        }
        result
    }
}

impl Drop for LockGuard {
    fn drop(&mut self) {
        telemetry::released(self);
    }
}

impl fmt::Debug for LockGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LockGuard")
            .field("keys", &self.keys().collect::<Vec<_>>())
            .field("token", &self.token())
            .field("held", &self.is_held())
            .finish()
    }
}
