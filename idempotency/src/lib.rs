//! One effect per key: the key, the effect and the response commit together, or none of them does.
//!
//! A client that repeats a request with the same idempotency key is answered with the stored response, byte
//! for byte, and the work does not run a second time: not after a crash, not with two requests at once, not
//! when the reply to COMMIT was lost.
//!
//! ```
//! use idempotency::{BoxError, Idempotency};
//!
//! # #[cfg(feature = "sqlite")]
//! async fn charge(once: &Idempotency<idempotency::SqliteStore>, key: &str) -> Result<i64, BoxError> {
//!     let (user, amount) = (42_i64, 5_i64);
//!     let outcome = once
//!         .request("charge", key)?
//!         .tenant(user)
//!         .fingerprint(&amount)
//!         .transaction(async |tx| {
//!             sqlx::query("UPDATE users SET balance = balance + ? WHERE id = ?")
//!                 .bind(amount)
//!                 .bind(user)
//!                 .execute(&mut **tx)
//!                 .await?;
//!             Ok::<_, BoxError>(amount)
//!         })
//!         .await?;
//!     println!("replayed: {}", outcome.replayed());
//!     Ok(outcome.into_inner())
//! }
//! ```
//!
//! Stores are features: `mysql` (MariaDB, too), `postgres` and `sqlite`. Without one, [`Idempotency::in_memory`] keeps keys in the process.

#![cfg_attr(
    all(feature = "sql", not(any(feature = "mysql", feature = "postgres", feature = "sqlite"))),
    allow(dead_code, unused_imports, reason = "what SQL stores share, while none of them is built")
)]

#[cfg(feature = "macros")]
#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
mod admin;
mod answer;
#[cfg(feature = "sql")]
mod beginning;
mod body_digest;
#[cfg(feature = "cache")]
mod cache;
mod canonical;
mod codec;
#[cfg(feature = "test-util")]
pub mod conformance;
#[cfg(feature = "sql")]
mod ending;
mod error;
mod failure;
mod fingerprint;
mod flight;
#[cfg(feature = "tower")]
mod http;
mod idempotency;
mod key;
mod key_id;
mod lease;
mod left_behind;
#[cfg(feature = "lock")]
mod locked;
mod observe;
#[cfg(feature = "sql")]
mod open_key;
mod outcome;
#[cfg(feature = "macros")]
mod output;
mod payload;
mod request;
mod scope;
mod seen;
mod settings;
mod store;
mod sweeper;
#[cfg(feature = "sql")]
mod transaction;

#[cfg(feature = "tower")]
pub use crate::http::{IdempotencyLayer, IdempotencyService, Profile, ResponseBody, ResponseClass};
#[cfg(feature = "lock")]
pub use crate::locked::LockedRequest;
#[cfg(feature = "sql")]
pub use crate::open_key::{Claimed, OpenKey};
#[cfg(feature = "macros")]
pub use crate::output::{IdempotentOutput, KeyArgument};
#[cfg(feature = "mysql")]
pub use crate::store::mysql::MySqlStore;
#[cfg(feature = "postgres")]
pub use crate::store::postgres::PostgresStore;
#[cfg(feature = "sqlite")]
pub use crate::store::sqlite::SqliteStore;
#[cfg(feature = "sql")]
pub use crate::store::{
    CommitError, Fence, FencingStore, NotBegun, Session, TransactionalStore, sql::InvalidTable,
};
pub use crate::{
    admin::Admin,
    codec::{Codec, Json, Raw},
    error::{BoxError, IdempotencyError},
    failure::{Failure, FailureClass},
    fingerprint::Fingerprint,
    idempotency::Idempotency,
    key::{IdempotencyKey, InvalidKey},
    key_id::KeyId,
    lease::{Lease, LeasedRequest, Reconciled, Takeover, UnknownWork},
    observe::Event,
    outcome::Outcome,
    payload::Payload,
    request::Request,
    scope::{InvalidScope, Scope},
    settings::Settings,
    store::{
        Claim, ClaimOutcome, Owner, Ownership, Record, Settled, Settlement, State, Store, StoreError,
        StoreErrorKind, StoredResponse, StuckKey,
        memory::{MemoryStore, MemoryTransaction},
    },
    sweeper::Sweep,
};
#[cfg(feature = "macros")]
pub use lock_macros::idempotent;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeExamples;

#[cfg(all(
    doctest,
    feature = "cache",
    feature = "lock",
    feature = "macros",
    feature = "mysql",
    feature = "tower"
))]
#[doc = include_str!("../../docs/idempotency.md")]
struct GuideExamples;
