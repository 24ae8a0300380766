/// A kind of command to a backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BackendVerb {
    /// [`LockBackend::acquire`](crate::LockBackend::acquire).
    Acquire,
    /// [`LockBackend::acquire_all`](crate::LockBackend::acquire_all).
    AcquireAll,
    /// [`LockBackend::release`](crate::LockBackend::release).
    Release,
    /// [`LockBackend::renew`](crate::LockBackend::renew).
    Renew,
    /// [`LockBackend::cancel`](crate::LockBackend::cancel).
    Cancel,
}

impl BackendVerb {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Acquire, Self::AcquireAll, Self::Release, Self::Renew, Self::Cancel];
}
