use async_trait::async_trait;
use sqlx::Transaction;

use super::TransactionalStore;
use crate::{StoreError, store::Settled};

/// What the holder of a lock shows before it may write: the lock's key and the token of its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fence<'a> {
    /// The lock's key, 512 bytes at most.
    pub lock: &'a str,
    /// A number that only ever grows from one holder of the lock to the next.
    pub token: i64,
}

/// A store that remembers, beside the keys, the last token under which each lock was used.
///
/// The row of a lock is taken for the rest of the transaction. So of two holders that both take the lock for theirs
/// one waits here until the other has committed, and then sees what it did; and whoever comes with a lower token than
/// somebody before is refused.
#[async_trait]
pub trait FencingStore: TransactionalStore {
    /// Takes the lock's row and raises its token. [`Settled::Fenced`]: a later holder was here, and nothing is written.
    ///
    /// # Errors
    ///
    /// The store failed, or somebody's open transaction had the row for too long: the transaction is to be rolled back.
    ///
    /// # Cancel safety
    ///
    /// As for the other methods of a [`TransactionalStore`].
    async fn fence(
        &self,
        transaction: &mut Transaction<'_, <Self as TransactionalStore>::Database>,
        fence: Fence<'_>,
    ) -> Result<Settled, StoreError>;
}
