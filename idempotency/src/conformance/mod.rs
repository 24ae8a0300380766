//! What every store must do, as tests to run on a store of your own.
//!
//! [`store_suite!`](crate::store_suite) is for any [`Store`](crate::Store),
//! [`transactional_suite!`](crate::transactional_suite) for those that share a database with the effects. Each
//! case becomes a test of its own:
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
mod leased;
mod leases;
mod macros;
mod model;
#[cfg(feature = "sql")]
mod shop;
mod sweeps;
#[cfg(feature = "sql")]
mod twins;

#[doc(hidden)]
pub mod cases {
    pub use super::{claims::*, leased::*, leases::*, model::*, sweeps::*};
    #[cfg(feature = "sql")]
    pub use super::{crashes::*, effects::*, twins::*};
}
#[cfg(feature = "sql")]
pub use self::{
    counter::Counter,
    shop::{Shop, ShopError},
};
