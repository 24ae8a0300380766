use std::fmt;

use crate::backend::{BackendError, BackendErrorKind, HeldKey, ReleaseReply, ReleaseRequest};
use crate::key::{InvalidKey, LockKey};
use crate::manager::LockManager;
use crate::ticket::Ticket;
use crate::token::FencingToken;

/// Looks at the locks of all processes, and frees one by force. Made by [`LockManager::inspect`].
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use lock_core::LockManager;
///
/// let locks = LockManager::in_process();
/// let guard = locks.lock("report").acquire().await?;
/// for held in locks.inspect().list("", 100).await? {
///     println!("{} is owned by {} for {:?}", held.key, held.owner, held.remaining);
/// }
/// # drop(guard);
/// # Ok(()) }
/// ```
#[derive(Clone, Copy)]
pub struct Inspector<'m> {
    manager: &'m LockManager,
}

/// What a release by force came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ForcedRelease {
    /// The key was taken from its owner and given to the next in line, if any.
    Released,
    /// The ticket does not own the key (any more). Nothing was changed.
    NotOwner,
}

impl<'m> Inspector<'m> {
    pub(crate) fn new(manager: &'m LockManager) -> Self {
        Self { manager }
    }

    /// The keys that are owned and begin with `beginning`, at most `limit` of them, sorted.
    ///
    /// Not one moment's picture: keys that change hands meanwhile may be missing. A Redis server is gone through in
    /// small steps that hold nobody up, however many keys it has.
    ///
    /// # Errors
    ///
    /// [`InspectError::Unsupported`] when the backend cannot tell, [`InspectError::Unavailable`] when it does not answer.
    ///
    /// # Cancel safety
    ///
    /// Safe: nothing is changed.
    pub async fn list(&self, beginning: &str, limit: usize) -> Result<Vec<HeldKey>, InspectError> {
        let mut keys = self.backend().list(beginning, limit).await.map_err(|error| self.failed(error))?;
        keys.sort_unstable_by(|one, other| one.key.cmp(&other.key));
        keys.truncate(limit);
        Ok(keys)
    }

    /// One key; none when nobody owns it.
    ///
    /// # Errors
    ///
    /// As [`list`](Self::list), and [`InspectError::InvalidKey`].
    ///
    /// # Cancel safety
    ///
    /// Safe: nothing is changed.
    pub async fn show<K>(&self, key: K) -> Result<Option<HeldKey>, InspectError>
    where
        K: TryInto<LockKey>,
        K::Error: Into<InvalidKey>,
    {
        let key = self.manager.checked(key)?;
        self.backend().show(&key).await.map_err(|error| self.failed(error))
    }

    /// Takes the key from `owner`, as if that process had died. The ticket makes sure that nobody else is hit: it is the
    /// one that [`show`](Self::show) answered.
    ///
    /// Nobody tells the holder: it finds out when it renews, a third of its lease later at the latest, and works on until
    /// then. Only fencing tokens protect what the lock protects in between.
    ///
    /// # Errors
    ///
    /// [`InspectError::Unavailable`] when the backend does not answer, and [`InspectError::InvalidKey`].
    ///
    /// # Cancel safety
    ///
    /// When dropped, the key may or may not have been released.
    pub async fn release<K>(&self, key: K, owner: Ticket) -> Result<ForcedRelease, InspectError>
    where
        K: TryInto<LockKey>,
        K::Error: Into<InvalidKey>,
    {
        let key = self.manager.checked(key)?;
        // The holder may have used all tokens of its block: none is handed out again.
        let request = ReleaseRequest::new(key, owner, FencingToken::new(u64::MAX));
        match self.backend().release(request).await.map_err(|error| self.failed(error))? {
            ReleaseReply::Lost => Ok(ForcedRelease::NotOwner),
            ReleaseReply::Released | ReleaseReply::Requeued(_) => Ok(ForcedRelease::Released),
        }
    }

    fn backend(&self) -> &dyn crate::backend::LockBackend {
        self.manager.backend().as_ref()
    }

    fn failed(&self, error: BackendError) -> InspectError {
        match error.kind() {
            BackendErrorKind::Unsupported => InspectError::Unsupported { backend: self.backend().name() },
            _ => InspectError::Unavailable { source: error },
        }
    }
}

impl fmt::Debug for Inspector<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inspector").field("manager", self.manager).finish()
    }
}

/// Why nothing could be seen, or freed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InspectError {
    /// The backend has no way to tell which keys are owned.
    #[error("the lock backend `{backend}` cannot tell which keys are held")]
    Unsupported {
        /// Its name.
        backend: &'static str,
    },
    /// The backend could not be reached, or answered with an error.
    #[error("the lock backend did not tell which keys are held")]
    Unavailable {
        /// What the backend met.
        source: BackendError,
    },
    /// The key is not valid.
    #[error(transparent)]
    InvalidKey(#[from] InvalidKey),
}
