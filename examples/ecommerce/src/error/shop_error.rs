use std::time::Duration;

use idempotency::{IdempotencyError, StoreErrorKind};
use lock_core::LockError;

use super::{ErrorCode, Refusal};
use crate::store::StoreError;

/// Why a use case did not succeed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ShopError {
    /// The shop decided against the request.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Someone else changed the row between our reading and our writing it. Nothing was written; try again.
    #[error("the row was changed by someone else meanwhile")]
    VersionConflict,
    /// A younger lock has written the row: ours was lost. Nothing was written; try again under a new lock.
    #[error("the lock was lost to a younger one")]
    Fenced,
    /// Another request is at the same thing.
    #[error("another request is at the same thing")]
    Busy,
    /// The gateway, or the database after it, did not answer: the payment may have been made. The same key tells later.
    #[error("the payment's outcome is not known")]
    PaymentUnknown {
        /// What was met, if anything.
        source: Option<Box<Self>>,
    },
    /// The lock was not obtained, or lost.
    #[error("the lock was not obtained, or lost")]
    Lock(#[from] LockError),
    /// The idempotency key stands in the way, or could not be kept.
    #[error("the idempotency key stands in the way, or could not be kept")]
    Idempotency(#[from] IdempotencyError),
    /// The database did not do its part.
    #[error("the database did not do its part")]
    Store(#[from] StoreError),
    /// It took too long. Whether it was done is told by the same key.
    #[error("the work took too long")]
    TimedOut,
    /// Our own mistake.
    #[error("{what}")]
    Internal {
        /// What happened, for the log.
        what: &'static str,
    },
}

impl ShopError {
    /// Whether the same work, done again at once in a fresh transaction, may succeed.
    pub fn is_conflict(&self) -> bool {
        match self {
            Self::VersionConflict => true,
            Self::Store(error) => error.is_conflict(),
            Self::Idempotency(IdempotencyError::Store(error)) => *error.kind() == StoreErrorKind::Contended,
            _ => false,
        }
    }

    /// When asking again makes sense, where that is known.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Idempotency(IdempotencyError::InFlight { retry_after }) => Some(*retry_after),
            _ => None,
        }
    }

    /// The code that the client sees.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Refused(refusal) => refusal.code,
            Self::VersionConflict | Self::Fenced | Self::Busy => ErrorCode::Busy,
            Self::PaymentUnknown { .. } => ErrorCode::PaymentUnknown,
            // After a loss the transaction was rolled back, or the key tells what it did: asking again is safe.
            Self::Lock(LockError::Timeout { .. } | LockError::Lost { .. } | LockError::Overloaded { .. }) => {
                ErrorCode::Busy
            }
            Self::Lock(LockError::Unavailable { .. } | LockError::ShutDown) => ErrorCode::Unavailable,
            Self::Lock(_) => ErrorCode::Internal,
            Self::Store(error) if error.is_conflict() => ErrorCode::Busy,
            Self::Store(error) if error.is_unavailable() => ErrorCode::Unavailable,
            Self::Idempotency(error) => code_of(error),
            Self::TimedOut => ErrorCode::Unavailable,
            Self::Store(_) | Self::Internal { .. } => ErrorCode::Internal,
        }
    }
}

fn code_of(error: &IdempotencyError) -> ErrorCode {
    match error {
        IdempotencyError::Key(_) => ErrorCode::InvalidInput,
        IdempotencyError::Mismatch => ErrorCode::KeyReused,
        IdempotencyError::InFlight { .. }
        | IdempotencyError::Unknown
        | IdempotencyError::Fenced
        | IdempotencyError::TransactionLost => ErrorCode::Busy,
        IdempotencyError::CommitUnknown(_) => ErrorCode::Unavailable,
        IdempotencyError::Store(error) | IdempotencyError::NotRecorded(error) => match error.kind() {
            StoreErrorKind::Contended => ErrorCode::Busy,
            StoreErrorKind::Unavailable => ErrorCode::Unavailable,
            _ => ErrorCode::Internal,
        },
        _ => ErrorCode::Internal,
    }
}

impl From<ErrorCode> for ShopError {
    fn from(code: ErrorCode) -> Self {
        Self::Refused(code.into())
    }
}
