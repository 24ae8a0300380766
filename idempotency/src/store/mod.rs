//! Where keys live: the store traits, what they exchange, and the stores.

mod claim;
mod error;
pub(crate) mod memory;
#[cfg(feature = "mysql")]
pub(crate) mod mysql;
#[cfg(feature = "postgres")]
pub(crate) mod postgres;
mod record;
mod settlement;
#[cfg(feature = "sql")]
pub(crate) mod sql;
#[cfg(feature = "sqlite")]
pub(crate) mod sqlite;
#[expect(clippy::module_inception, reason = "the trait is the noun of this folder")]
mod store;
mod stuck;

pub use self::{
    claim::{Claim, ClaimOutcome, Owner, Ownership},
    error::{StoreError, StoreErrorKind},
    record::{Record, State},
    settlement::{Settled, Settlement, StoredResponse},
    store::Store,
    stuck::StuckKey,
};
#[cfg(feature = "sql")]
pub use sql::{CommitError, Fence, FencingStore, NotBegun, Session, TransactionalStore};
