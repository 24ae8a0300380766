//! The locks that are measured, behind one trait.

mod async_redis_lock;
mod distributed_lock;
mod floor;
mod interlock;
mod mutex_map;
mod name;
mod rslock;

pub use async_redis_lock::AsyncRedisLock;
pub use distributed_lock::DistributedLockRedis;
pub use floor::Floor;
pub use interlock::Interlock;
pub use mutex_map::MutexMap;
pub use name::Name;
pub use rslock::Rslock;

use std::future::Future;

/// One way to lock a key.
pub trait Contender: Clone + Send + Sync + 'static {
    /// What is held between acquire and release.
    type Guard: Send;

    /// The Redis commands that this client sends by itself, as `INFO commandstats` calls them. Commands inside scripts
    /// are counted there too, and are not among these unless the client also sends them.
    const SENDS: &'static [&'static str];

    /// Waits for the key, for as long as it takes.
    fn acquire(&self, key: &str) -> impl Future<Output = Self::Guard> + Send;

    /// Gives the key back, as users of this lock do.
    fn release(guard: Self::Guard) -> impl Future<Output = ()> + Send;

    /// Waits until the server has heard of everything that was given back, before the process ends.
    fn close(self) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }
}
