use crate::{
    Idempotency, IdempotencyError, IdempotencyKey, InvalidKey, KeyId, Payload, Scope, StoreError,
    store::{Record, Settled, Settlement, Store, StoredResponse, StuckKey},
};

/// Tools for people who look after keys.
///
/// Made by [`Idempotency::admin`].
#[derive(Debug)]
pub struct Admin<'a, S> {
    once: &'a Idempotency<S>,
}

impl<S: Store> Idempotency<S> {
    /// Returns the tools for people who look after keys.
    pub fn admin(&self) -> Admin<'_, S> {
        Admin { once: self }
    }
}

impl<S: Store> Admin<'_, S> {
    /// Looks a key up. An empty tenant means "no tenant".
    ///
    /// # Errors
    ///
    /// The key or a name is not usable, or the store failed.
    pub async fn find<K>(
        &self,
        operation: &str,
        tenant: &str,
        key: K,
    ) -> Result<Option<Record>, IdempotencyError>
    where
        K: TryInto<IdempotencyKey, Error: Into<InvalidKey>>,
    {
        let key = key.try_into().map_err(|error| IdempotencyError::Key(error.into()))?;
        let id = KeyId::of(&Scope::new(operation, tenant)?, &key);
        Ok(self.once.store().find(&id).await?)
    }

    /// Lists at most `limit` keys that no request will settle by itself, the oldest first: those with an unknown
    /// outcome, and those whose work was left behind. Reads the whole table.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn stuck(&self, limit: u32) -> Result<Vec<StuckKey>, StoreError> {
        self.once.store().stuck(limit).await
    }

    /// Frees a stuck key: its effect did not take place, so the same request may run again.
    ///
    /// # Errors
    ///
    /// The store failed. [`Settled::Fenced`] is no error: somebody was faster.
    pub async fn release(&self, stuck: &StuckKey) -> Result<Settled, StoreError> {
        self.resolve(stuck, Settlement::Failed { message: Some("released by hand".into()) }).await
    }

    /// Marks a stuck key as done: its effect took place, and repeats are answered with `response`.
    ///
    /// # Errors
    ///
    /// As for [`release`](Self::release).
    pub async fn complete(&self, stuck: &StuckKey, response: Payload) -> Result<Settled, StoreError> {
        self.resolve(stuck, Settlement::Completed(StoredResponse::Success(response))).await
    }

    /// Marks a stuck key as refused: repeats are answered with `refusal`.
    ///
    /// # Errors
    ///
    /// As for [`release`](Self::release).
    pub async fn refuse(&self, stuck: &StuckKey, refusal: Payload) -> Result<Settled, StoreError> {
        self.resolve(stuck, Settlement::Completed(StoredResponse::Refusal(refusal))).await
    }

    async fn resolve(&self, stuck: &StuckKey, settlement: Settlement) -> Result<Settled, StoreError> {
        let inner = &self.once.inner;
        inner.store.resolve(&stuck.id, stuck.epoch, &settlement, inner.settings.ttl).await
    }
}
