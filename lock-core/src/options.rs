use std::time::Duration;

/// How a lock is asked for: how long to queue, how long ownership lasts, and what happens in between.
///
/// What is left out is filled in from the manager's own defaults (see
/// [`LockManagerBuilder`](crate::LockManagerBuilder)): wait 10 s, lease 30 s, renewed while held.
///
/// ```
/// use lock_core::LockOptions;
/// use std::time::Duration;
///
/// let options = LockOptions::new().wait(Duration::from_secs(5)).lease(Duration::from_secs(10));
/// # let _ = options;
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[must_use = "options do nothing until they are passed on"]
pub struct LockOptions {
    pub(crate) wait: Option<Duration>,
    pub(crate) lease: Option<Duration>,
    pub(crate) retain: Option<Duration>,
    pub(crate) renew: Option<bool>,
    pub(crate) reentrant: bool,
    pub(crate) pattern: Option<&'static str>,
}

impl LockOptions {
    /// The shortest lease: below this, one slow reply would lose the lock.
    pub const MIN_LEASE: Duration = Duration::from_millis(10);
    /// The longest lease: a crashed holder blocks its key for this long.
    pub const MAX_LEASE: Duration = Duration::from_secs(24 * 60 * 60);
    /// The longest wait.
    pub const MAX_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

    /// Options that leave everything to the manager's defaults.
    pub const fn new() -> Self {
        Self { wait: None, lease: None, retain: None, renew: None, reentrant: false, pattern: None }
    }

    /// Sets how long to queue for the lock; zero asks once and does not queue. Capped at [`Self::MAX_WAIT`].
    pub const fn wait(mut self, wait: Duration) -> Self {
        self.wait = Some(wait);
        self
    }

    /// Sets how long ownership lasts in the backend unless renewed: the time after which others go on when this
    /// process dies. Kept between [`Self::MIN_LEASE`] and [`Self::MAX_LEASE`].
    pub const fn lease(mut self, lease: Duration) -> Self {
        self.lease = Some(lease);
        self
    }

    /// Keeps an idle key in this process for so long after the last release, so that the next local acquire costs no
    /// round trip. The key is let go at once when another process wants it, and with the manager. Zero, the default, keeps
    /// nothing. Capped at [`Self::MAX_LEASE`].
    pub const fn retain(mut self, retain: Duration) -> Self {
        self.retain = Some(retain);
        self
    }

    /// Sets whether the lease is renewed while the guard lives (the default). Without renewal the guard is lost one
    /// lease after it was granted, whatever happens.
    pub const fn renew(mut self, renew: bool) -> Self {
        self.renew = Some(renew);
        self
    }

    /// Lets a task that already holds the key, by an enclosing [`run`](crate::LockManager::run) or macro, join the
    /// guard it holds instead of being refused with [`LockError::Reentrant`](crate::LockError::Reentrant). What joined ends
    /// with what it joined.
    pub const fn reentrant(mut self, reentrant: bool) -> Self {
        self.reentrant = reentrant;
        self
    }

    /// Names the family of keys this one belongs to, such as `balance:user:{user_id}`: the label of metrics, which must
    /// never hold the key itself. `#[distributed_lock]` sets it from its template.
    pub const fn pattern(mut self, pattern: &'static str) -> Self {
        self.pattern = Some(pattern);
        self
    }

    /// Fills what is left out from `defaults` and brings every value within its limits.
    pub(crate) fn resolve(self, defaults: &Resolved) -> Resolved {
        Resolved {
            wait: self.wait.unwrap_or(defaults.wait).min(Self::MAX_WAIT),
            lease: self.lease.unwrap_or(defaults.lease).clamp(Self::MIN_LEASE, Self::MAX_LEASE),
            retain: self.retain.unwrap_or(defaults.retain).min(Self::MAX_LEASE),
            renew: self.renew.unwrap_or(defaults.renew),
        }
    }
}

/// Options with every value settled.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Resolved {
    pub(crate) wait: Duration,
    pub(crate) lease: Duration,
    pub(crate) retain: Duration,
    pub(crate) renew: bool,
}

impl Default for Resolved {
    fn default() -> Self {
        Self {
            wait: Duration::from_secs(10),
            lease: Duration::from_secs(30),
            retain: Duration::ZERO,
            renew: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_comes_from_the_defaults_and_limits_hold() {
        let defaults = Resolved::default();
        let settled = LockOptions::new().resolve(&defaults);
        assert_eq!((settled.wait, settled.lease), (defaults.wait, defaults.lease));
        let settled = LockOptions::new().lease(Duration::ZERO).wait(Duration::MAX).resolve(&defaults);
        assert_eq!((settled.wait, settled.lease), (LockOptions::MAX_WAIT, LockOptions::MIN_LEASE));
    }
}
