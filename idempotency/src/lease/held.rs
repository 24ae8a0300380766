use crate::{KeyId, store::Ownership};

/// The right to do leased work, while it is being done.
///
/// It is extended while the work runs; the work is stopped if that fails for as long as the lease lasts, or if
/// somebody has taken the key over.
#[derive(Debug)]
pub struct Lease<'a, S, C> {
    #[cfg_attr(
        not(feature = "sql"),
        expect(dead_code, reason = "a database's store can settle in a transaction")
    )]
    pub(super) store: &'a S,
    #[cfg_attr(
        not(feature = "sql"),
        expect(dead_code, reason = "a database's store can settle in a transaction")
    )]
    pub(super) codec: &'a C,
    #[cfg_attr(
        not(feature = "sql"),
        expect(dead_code, reason = "a database's store can settle in a transaction")
    )]
    pub(super) ttl: std::time::Duration,
    #[cfg_attr(
        not(feature = "sql"),
        expect(dead_code, reason = "a database's store can settle in a transaction")
    )]
    pub(super) max_response: usize,
    pub(super) ownership: Ownership,
}

impl<S, C> Lease<'_, S, C> {
    /// Returns the key's row.
    pub fn id(&self) -> &KeyId {
        &self.ownership.id
    }

    /// Returns how often the work was begun, this time included: a fencing token. What comes with a lower one is
    /// late.
    pub fn epoch(&self) -> u32 {
        self.ownership.epoch
    }

    pub(super) fn ownership(&self) -> &Ownership {
        &self.ownership
    }
}

#[cfg(feature = "sql")]
impl<S: crate::TransactionalStore, C> Lease<'_, S, C> {
    /// Writes the response in a transaction of the caller's, as its last statement before COMMIT: effects in the
    /// database then commit together with the key.
    ///
    /// The work has to answer the same response afterwards.
    ///
    /// # Errors
    ///
    /// [`IdempotencyError::Fenced`](crate::IdempotencyError::Fenced) if somebody has taken the key over; the response is
    /// too large or has no stored form, or the store failed: roll the transaction back.
    ///
    /// # Cancel safety
    ///
    /// The transaction is the caller's: dropping the future leaves it open, to be rolled back.
    pub async fn complete_in<T>(
        &self,
        connection: &mut <S::Database as sqlx::Database>::Connection,
        response: &T,
    ) -> Result<(), crate::IdempotencyError>
    where
        C: crate::Codec<T>,
    {
        use crate::{
            IdempotencyError,
            store::{Settled, Settlement, StoredResponse},
        };

        let payload = self.codec.encode(response).map_err(IdempotencyError::Encode)?;
        let (size, limit) = (payload.as_bytes().len(), self.max_response);
        if size > limit {
            return Err(IdempotencyError::ResponseTooLarge { size, limit });
        }
        let settlement = Settlement::Completed(StoredResponse::Success(payload));
        match self.store.settle_in(connection, &self.ownership, &settlement, self.ttl).await? {
            Settled::Written => Ok(()),
            Settled::Fenced => Err(IdempotencyError::Fenced),
        }
    }
}
