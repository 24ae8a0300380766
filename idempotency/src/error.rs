use std::{error::Error as StdError, time::Duration};

use thiserror::Error;

use crate::{InvalidKey, InvalidScope, StoreError};

/// A cause whose type is somebody else's.
pub type BoxError = Box<dyn StdError + Send + Sync>;

/// Why a request was not answered.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum IdempotencyError {
    /// The key is not usable.
    #[error(transparent)]
    Key(#[from] InvalidKey),
    /// The operation or the tenant has no usable name.
    #[error(transparent)]
    Scope(#[from] InvalidScope),
    /// The request body has no canonical form to compare repeats by.
    #[error("the request body has no JSON form to take a fingerprint of")]
    Fingerprint(#[source] BoxError),
    /// An earlier request with this key is still at work.
    #[error("a request with this idempotency key is in flight")]
    InFlight {
        /// When asking again makes sense.
        retry_after: Duration,
    },
    /// The key was used before, for another request.
    #[error("this idempotency key was used for another request")]
    Mismatch,
    /// An earlier request with this key ended without anybody knowing whether its effect took place.
    #[error("it is not known whether the earlier request with this idempotency key took effect")]
    Unknown,
    /// The key belonged to somebody else by the time the work was done. What was done in its transaction was rolled
    /// back; leased work was stopped or finished late, and its effect may be there.
    #[error("the idempotency key was taken over while the work was under way")]
    Fenced,
    /// The database had undone the transaction in the middle of the work, to end a deadlock, and the work ignored that
    /// error and went on. Nothing of it is committed, neither before the error nor after.
    #[error("the transaction was undone while the work was under way, and the work went on without it")]
    TransactionLost,
    /// The reply to COMMIT was lost and the key's row could not be read: the effect may have taken place. A
    /// repeat with the same key tells.
    #[error("it is not known whether the transaction was committed")]
    CommitUnknown(#[source] StoreError),
    /// The work is done, and that could not be written down. The key stays at work until its lease is over.
    #[error("the work is done, but its response could not be stored")]
    NotRecorded(#[source] StoreError),
    /// The response is larger than the limit. The effect of a transaction was rolled back; that of leased work may be
    /// there, and the key says so.
    #[error("the response has {size} bytes, at most {limit} are stored")]
    ResponseTooLarge {
        /// The size of the response in bytes.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// The response has no stored form; as for [`ResponseTooLarge`](Self::ResponseTooLarge).
    #[error("the response cannot be encoded")]
    Encode(#[source] BoxError),
    /// The stored response or refusal cannot be read back.
    #[error("the stored response cannot be decoded")]
    Decode(#[source] BoxError),
    /// The lock was not obtained, or was lost while the work was under way: nothing took effect.
    #[cfg(feature = "lock")]
    #[error("the lock was not obtained, or was lost; nothing took effect")]
    Lock(#[from] lock_core::LockError),
    /// A later holder of the lock was faster: the lock was lost unnoticed. Nothing took effect.
    #[cfg(feature = "lock")]
    #[error("a later holder of lock `{key}` was faster; nothing took effect")]
    Overtaken {
        /// The key of the lock.
        key: lock_core::LockKey,
    },
    /// The store failed; the effect was rolled back.
    #[error("the idempotency store failed")]
    Store(#[from] StoreError),
}

impl IdempotencyError {
    /// Tells whether the same request with the same key may well succeed later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::InFlight { .. } | Self::CommitUnknown(_) | Self::Fenced | Self::TransactionLost => true,
            Self::Store(error) => error.is_transient(),
            #[cfg(feature = "lock")]
            Self::Overtaken { .. } | Self::Lock(lock_core::LockError::Lost { .. }) => true,
            #[cfg(feature = "lock")]
            Self::Lock(error) => error.is_retryable(),
            _ => false,
        }
    }
}
