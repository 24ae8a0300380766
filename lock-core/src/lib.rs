//! Locks for async Rust services.
//!
//! Two requests must not touch the same thing at once: [`LockManager`] lets one of them through at a time, first come,
//! first served, within one process or, with the feature `redis`, across all processes that share a Redis server.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use lock_core::LockManager;
//!
//! let locks = LockManager::in_process();
//! let receipt = locks
//!     .lock("balance:user:42")
//!     .run(async |lock| format!("charged under fencing token {}", lock.token()))
//!     .await?;
//! # let _ = receipt;
//! # Ok(()) }
//! ```
//!
//! # What holds, and what does not
//!
//! - While the backend keeps its data and clocks run at about the same rate, no two guards on one key are live at once.
//! - The work under a lock is stopped at its next await point when the lease is lost, before anybody else can own the
//!   key. Work that never awaits cannot be stopped; a process that is frozen cannot stop anything. For these, store the
//!   [`FencingToken`] beside the data and refuse older ones: tokens grow from guard to guard whatever happens.
//! - Nobody is forgotten: a caller gets a guard, a timeout at its own deadline, or an error.
//!
//! # Features
//!
//! | name | description | default |
//! |---|---|---|
//! | `macros` | the attribute `#[distributed_lock]` | no |
//! | `redis` | locks across processes, on Redis 6.2 or newer: one server, Sentinel or a cluster | no |
//! | `redis-tls` | TLS to Redis | no |
//! | `deadpool` | a `deadpool_redis::Pool` that the application has already | no |
//! | `retry` | [`retry()`] for version conflicts | no |
//! | `metrics` | counters and histograms through the `metrics` facade | no |
//! | `test-util` | the conformance suite for backends, and a backend that can be told to fail | no |

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
mod backend;
mod builder;
#[cfg(feature = "test-util")]
pub mod conformance;
mod error;
#[cfg(feature = "test-util")]
mod faulty;
mod front;
mod guard;
mod held;
mod in_process;
mod inspect;
mod key;
mod key_table;
mod keys;
mod manager;
mod options;
mod output;
#[cfg(feature = "redis")]
mod redis;
mod request;
#[cfg(feature = "retry")]
mod retry;
mod run;
mod sync;
mod take;
mod telemetry;
mod ticket;
mod token;

pub use backend::{
    AcquireAllReply, AcquireReply, AcquireRequest, BackendError, BackendErrorKind, BackendEvent,
    BackendEvents, BackendFuture, CancelRequest, Grant, HeldKey, LockBackend, ReleaseReply, ReleaseRequest,
    RenewReply, RenewRequest, Requeue,
};
pub use builder::LockManagerBuilder;
pub use error::{AlreadyInstalled, ConnectError, ExtendError, LockError, ReleaseError};
#[cfg(feature = "test-util")]
pub use faulty::{BackendFault, BackendVerb, FaultyBackend};
pub use guard::LockGuard;
pub use held::HeldLock;
pub use in_process::InProcessBackend;
pub use inspect::{ForcedRelease, InspectError, Inspector};
pub use key::{InvalidKey, LockKey};
#[cfg(feature = "macros")]
pub use lock_macros::distributed_lock;
pub use manager::LockManager;
pub use options::LockOptions;
pub use output::GuardedOutput;
#[cfg(feature = "redis")]
pub use redis::{RedisBackend, RedisConfig};
pub use request::LockRequest;
#[cfg(feature = "retry")]
pub use retry::{RetryPolicy, retry};
pub use ticket::{InvalidTicket, NodeId, Ticket};
pub use token::FencingToken;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeExamples;
