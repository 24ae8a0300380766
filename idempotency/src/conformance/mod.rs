//! What every store must do, as tests to run on a store of your own.
//!
//! [`store_suite!`](crate::store_suite) is for any [`Store`](crate::Store),
//! [`transactional_suite!`](crate::transactional_suite) for those that share a database with the effects, and
//! `locked_suite!` (feature `lock`) for those that also keep the fencing tokens of locks. Each case becomes a test of
//! its own:
//!
//! ```
//! async fn fixture() -> (idempotency::MemoryStore, ()) {
//!     (idempotency::MemoryStore::default(), ()) // an empty store, and what has to outlive it
//! }
//!
//! idempotency::store_suite!(fixture());
//! # fn main() {}
//! ```

// A test fails by panicking.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, missing_docs)]

mod claims;
#[cfg(feature = "sql")]
mod counter;
#[cfg(feature = "sql")]
mod crashes;
#[cfg(feature = "sql")]
mod effects;
mod late;
mod leased;
mod leases;
#[cfg(feature = "lock")]
mod locked;
mod macros;
mod model;
#[cfg(feature = "sql")]
mod shop;
mod sweeps;
#[cfg(feature = "sql")]
mod twins;

#[doc(hidden)]
pub mod cases {
    #[cfg(feature = "lock")]
    pub use super::locked::*;
    pub use super::{claims::*, late::*, leased::*, leases::*, model::*, sweeps::*};
    #[cfg(feature = "sql")]
    pub use super::{crashes::*, effects::*, twins::*};
}
pub use self::claims::claim;
#[cfg(feature = "sql")]
pub use self::{
    counter::Counter,
    shop::{Shop, ShopError},
};
