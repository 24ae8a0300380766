use std::time::Duration;

use crate::backend::BackendError;
use crate::key::{InvalidKey, LockKey};

/// Why work under a lock did not run, or did not run to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// The lock was not obtained in time. Trying again makes sense.
    #[error("lock `{key}` {}", busy(*waited))]
    Timeout {
        /// The key asked for.
        key: LockKey,
        /// How long the caller queued; zero when it did not wish to.
        waited: Duration,
    },
    /// The lock was lost while the work ran, and the work was stopped at an await point. What it did before stands;
    /// check before trying again.
    #[error("lock `{key}` was lost while it was held; the work under it was stopped")]
    Lost {
        /// The key that was lost.
        key: LockKey,
    },
    /// This task holds the key already, by an enclosing `run` or `#[distributed_lock]`: waiting would never end.
    #[error("lock `{key}` is already held by this very task; use `reentrant(true)` to join it")]
    Reentrant {
        /// The key asked for.
        key: LockKey,
    },
    /// Too many callers of this process queue for the key.
    #[error(
        "lock `{key}` is refused: {limit} callers of this process queue for it, as many as `max_waiters` allows"
    )]
    Overloaded {
        /// The key asked for.
        key: LockKey,
        /// The most callers that may queue for one key.
        limit: usize,
    },
    /// The backend could not be reached, or answered with an error. Nothing is held. Trying again later makes sense.
    #[error("lock `{key}` was not obtained: the lock backend is unavailable")]
    Unavailable {
        /// The key asked for.
        key: LockKey,
        /// What the backend met.
        source: BackendError,
    },
    /// The key, or the list of keys, is not valid.
    #[error(transparent)]
    InvalidKey(#[from] InvalidKey),
    /// The manager was shut down.
    #[error("the lock manager was shut down")]
    ShutDown,
    /// No manager was named, and none was installed for the process.
    #[error(
        "no lock manager is installed: call `LockManager::install` at start, or name one with `manager = …`"
    )]
    NotInstalled,
}

fn busy(waited: Duration) -> String {
    match waited.as_millis() {
        0 => "is busy".to_owned(),
        1..10_000 => format!("was not obtained within {} ms", waited.as_millis()),
        _ => format!("was not obtained within {:.1} s", waited.as_secs_f64()),
    }
}

impl LockError {
    /// Whether the same request may succeed when tried again later: the lock was busy, the queue full, or the
    /// backend away. False after a loss, when part of the work may have been done.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Timeout { .. } | Self::Overloaded { .. } | Self::Unavailable { .. })
    }
}

/// Why a release could not be confirmed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReleaseError {
    /// The lock was lost before it was released: someone else may have held it meanwhile.
    #[error("lock `{key}` was lost before it was released")]
    Lost {
        /// The key that was lost.
        key: LockKey,
    },
    /// The backend did not confirm. The lock was held until the release was sent, and ends with its lease at the latest.
    #[error("the release of lock `{key}` was not confirmed; it ends with its lease at the latest")]
    Unconfirmed {
        /// The key released.
        key: LockKey,
        /// What the backend met.
        source: BackendError,
    },
}

/// Why a lease could not be extended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExtendError {
    /// The lock is lost.
    #[error("lock `{key}` was lost before its lease was extended")]
    Lost {
        /// The key that was lost.
        key: LockKey,
    },
    /// The backend did not confirm. The guard keeps the deadline it had.
    #[error("the lease of lock `{key}` was not extended; it keeps the deadline it had")]
    Unavailable {
        /// The key.
        key: LockKey,
        /// What the backend met.
        source: BackendError,
    },
}

/// Why a manager could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The address cannot be read. The address is not repeated here: it may hold a password.
    #[error("the address of the lock backend cannot be read: {reason}")]
    InvalidAddress {
        /// What is wrong with it.
        reason: String,
    },
    /// The server did not answer, or refused the connection.
    #[error("the lock backend at {address} cannot be reached")]
    Unreachable {
        /// Host and port, without user or password.
        address: String,
        /// What was met.
        source: BackendError,
    },
}

/// A manager is installed for this process already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a lock manager is installed for this process already")]
pub struct AlreadyInstalled;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_says_how_long_it_took() {
        let said = |waited| {
            let key = LockKey::new("k").unwrap();
            LockError::Timeout { key, waited: Duration::from_micros(waited) }.to_string()
        };
        assert_eq!(said(0), "lock `k` is busy");
        assert_eq!(said(300_456), "lock `k` was not obtained within 300 ms");
        assert_eq!(said(10_000_456), "lock `k` was not obtained within 10.0 s");
    }
}
