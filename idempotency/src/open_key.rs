use std::time::Duration;

use sqlx::Database;

use crate::{
    Codec, Failure, IdempotencyError, Outcome, Payload, Request, Settings, TransactionalStore, answer,
    observe::Event,
    request::Prepared,
    store::{ClaimOutcome, Ownership, Settled, Settlement, StoredResponse},
};

/// A connection of the store's database.
type Connection<S> = <<S as TransactionalStore>::Database as Database>::Connection;

/// What a claim in a transaction of the caller's has found.
#[derive(Debug)]
#[must_use = "a key that was claimed has to be completed before COMMIT"]
pub enum Claimed<'a, T, S, C> {
    /// The key is the caller's: do the work, complete the key, commit.
    Started(OpenKey<'a, S, C>),
    /// The work was done before: roll back, and answer with this.
    Replayed(Outcome<T>),
}

/// A key that was claimed in a transaction of the caller's. It is claimed as long as that transaction is open.
#[derive(Debug)]
pub struct OpenKey<'a, S, C> {
    store: &'a S,
    codec: C,
    operation: &'a str,
    ownership: Ownership,
    ttl: Duration,
    settings: &'a Settings,
}

impl<'a, S: TransactionalStore, C> Request<'a, S, C> {
    /// Claims the key in a transaction that the caller has begun and will end. Best as its first statement.
    ///
    /// On MySQL and MariaDB the transaction should be READ COMMITTED, and rolling it back while others wait for the
    /// key costs them a deadlock: prefer [`transaction`](Self::transaction), which avoids both.
    ///
    /// # Errors
    ///
    /// A stored refusal, or an [`IdempotencyError`]: roll the transaction back.
    ///
    /// # Cancel safety
    ///
    /// The transaction is the caller's: dropping the future leaves it open, to be rolled back.
    pub async fn claim_in<T, E>(self, connection: &mut Connection<S>) -> Result<Claimed<'a, T, S, C>, E>
    where
        C: Codec<T>,
        E: Failure,
    {
        let Prepared { once, operation, codec, claim, .. } = self.prepare()?;
        let outcome = match once.store.claim_in(connection, &claim).await.map_err(IdempotencyError::from)? {
            // Leased work was left behind. The transaction has the row, so that another request is to mark it.
            ClaimOutcome::InFlight { retry_after } if retry_after.is_zero() => ClaimOutcome::Unknown,
            outcome => outcome,
        };
        Event::of_claim(&outcome).report(&once.settings, operation, &claim.id);
        match outcome.won() {
            Ok(ownership) => Ok(Claimed::Started(OpenKey {
                store: &once.store,
                codec,
                operation,
                ownership,
                ttl: claim.ttl,
                settings: &once.settings,
            })),
            Err(outcome) => answer::of_claim(&codec, outcome).map(Claimed::Replayed),
        }
    }
}

impl<S: TransactionalStore, C> OpenKey<'_, S, C> {
    /// Writes the response into the transaction, as its last statement before COMMIT.
    ///
    /// # Errors
    ///
    /// The response is too large or has no stored form, or the store failed: roll the transaction back.
    ///
    /// # Cancel safety
    ///
    /// As for [`Request::claim_in`].
    pub async fn complete<T>(
        self,
        connection: &mut Connection<S>,
        response: T,
    ) -> Result<Outcome<T>, IdempotencyError>
    where
        C: Codec<T>,
    {
        let payload = self.codec.encode(&response).map_err(IdempotencyError::Encode)?;
        self.write(connection, StoredResponse::Success(payload.clone())).await?;
        Ok(Outcome::new(response, payload, false))
    }

    /// Writes a refusal into the transaction, to be replayed by [`Failure::from_refusal`]. The caller has undone what
    /// the work did, for instance to a savepoint of its own.
    ///
    /// # Errors
    ///
    /// As for [`complete`](Self::complete).
    ///
    /// # Cancel safety
    ///
    /// As for [`Request::claim_in`].
    pub async fn refuse(
        self,
        connection: &mut Connection<S>,
        refusal: Payload,
    ) -> Result<(), IdempotencyError> {
        Event::Refused.report(self.settings, self.operation, &self.ownership.id);
        self.write(connection, StoredResponse::Refusal(refusal)).await
    }

    async fn write(
        &self,
        connection: &mut Connection<S>,
        response: StoredResponse,
    ) -> Result<(), IdempotencyError> {
        let (size, limit) = (response.payload().as_bytes().len(), self.settings.max_response);
        if size > limit {
            return Err(IdempotencyError::ResponseTooLarge { size, limit });
        }
        let settlement = Settlement::Completed(response);
        match self.store.settle_in(connection, &self.ownership, &settlement, self.ttl).await? {
            Settled::Written => Ok(()),
            Settled::Fenced => Err(IdempotencyError::Fenced),
        }
    }
}
