use thiserror::Error;

use crate::error::BoxError;

/// Why a store did not do what it was asked.
#[derive(Debug, Error)]
#[error("{kind}")]
pub struct StoreError {
    kind: StoreErrorKind,
    #[source]
    source: Option<BoxError>,
}

/// What kind of failure a [`StoreError`] is.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// The table is missing or comes from an older release.
    #[error(
        "the table `{table}` is missing or older than this release: call `migrate()` once at start, or apply \
         the files in the crate's `migrations` folder"
    )]
    Schema {
        /// The table that was looked for.
        table: String,
    },
    /// Others were in the way (a deadlock, a lock that was not obtained in time). Trying again helps.
    #[error("the idempotency store is contended")]
    Contended,
    /// The database could not be reached, the connection broke, or it cannot write for now: it is read only, its disk
    /// is full, another program has locked the file. Trying again later helps.
    #[error("the idempotency store is away, or cannot write for now")]
    Unavailable,
    /// A row is not what this crate writes.
    #[error("a row of the idempotency table cannot be read")]
    Corrupt,
    /// The database refused for another reason.
    #[error("the idempotency store refused a statement")]
    Refused,
}

impl StoreError {
    /// Makes an error of this kind with the cause it has.
    pub fn new(kind: StoreErrorKind, source: impl Into<BoxError>) -> Self {
        Self { kind, source: Some(source.into()) }
    }

    /// Returns what kind of failure this is.
    pub fn kind(&self) -> &StoreErrorKind {
        &self.kind
    }

    /// Tells whether the same call may well succeed later.
    pub fn is_transient(&self) -> bool {
        matches!(self.kind, StoreErrorKind::Contended | StoreErrorKind::Unavailable)
    }
}

impl From<StoreErrorKind> for StoreError {
    fn from(kind: StoreErrorKind) -> Self {
        Self { kind, source: None }
    }
}
