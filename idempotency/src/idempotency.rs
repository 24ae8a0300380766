use std::{convert::Infallible, sync::Arc};

use tokio::time::Instant;

use crate::{
    IdempotencyError, IdempotencyKey, InvalidKey, MemoryStore, Request, Settings, Store, StoreError,
    flight::Flights,
    seen::Seen,
    store::{Claim, ClaimOutcome, Record, StoredResponse},
};
#[cfg(feature = "cache")]
use crate::{cache::Cache, flight::Landing, store::State};

/// One effect per key: the entry to the crate. Cheap to clone; clones share everything.
#[derive(Debug)]
pub struct Idempotency<S> {
    pub(crate) inner: Arc<Inner<S>>,
}

#[derive(Debug)]
pub(crate) struct Inner<S> {
    pub(crate) store: S,
    pub(crate) settings: Settings,
    pub(crate) flights: Flights,
    pub(crate) seen: Seen,
    #[cfg(feature = "cache")]
    cache: Option<Cache>,
}

impl<S: Store> Inner<S> {
    /// Looks before the key is claimed whether it is done: in memory, and in the store if there is reason to think so.
    pub(crate) async fn recall(&self, claim: &Claim) -> Result<Option<ClaimOutcome<Infallible>>, StoreError> {
        #[cfg(feature = "cache")]
        if let Some(landing) = self.cache.as_ref().and_then(|cache| cache.get(&claim.id)) {
            return Ok(Some(landing.verdict(&claim.fingerprint)));
        }
        if !self.seen.hints_at(&claim.id) {
            return Ok(None);
        }
        let record = self.store.find(&claim.id).await?.filter(Record::is_settled);
        #[cfg(feature = "cache")]
        if let (Some(cache), Some(record)) = (&self.cache, &record)
            && let State::Completed(response) = &record.state
        {
            let landing = Landing { fingerprint: record.fingerprint, response: response.clone() };
            cache.put(claim.id, landing, record.expires_in);
        }
        Ok(record.map(|record| record.verdict(&claim.fingerprint)))
    }

    /// Notes that a key is done.
    pub(crate) fn note(&self, claim: &Claim) {
        self.seen.note(&claim.id);
    }

    /// Keeps the response of a key that was settled after `since`.
    pub(crate) fn remember(&self, claim: &Claim, response: &StoredResponse, since: Instant) {
        self.note(claim);
        #[cfg(feature = "cache")]
        if let Some(cache) = &self.cache {
            let landing = Landing { fingerprint: claim.fingerprint, response: response.clone() };
            cache.put(claim.id, landing, claim.ttl.saturating_sub(since.elapsed()));
        }
        #[cfg(not(feature = "cache"))]
        let _ = (response, since);
    }
}

impl<S: Store> Idempotency<S> {
    /// Keeps keys in `store`, by the default settings.
    pub fn new(store: S) -> Self {
        Self::with_settings(store, Settings::default())
    }

    /// Keeps keys in `store`, by these settings.
    pub fn with_settings(store: S, settings: Settings) -> Self {
        let inner = Inner {
            store,
            flights: Flights::default(),
            seen: Seen::default(),
            #[cfg(feature = "cache")]
            cache: settings.cache_bounds().map(Cache::new),
            settings,
        };
        Self { inner: Arc::new(inner) }
    }

    /// Begins a request for `operation` under the client's key.
    ///
    /// # Errors
    ///
    /// [`IdempotencyError::Key`] says what is wrong with the key.
    pub fn request<'a, K>(&'a self, operation: &'a str, key: K) -> Result<Request<'a, S>, IdempotencyError>
    where
        K: TryInto<IdempotencyKey, Error: Into<InvalidKey>>,
    {
        let key = key.try_into().map_err(|error| IdempotencyError::Key(error.into()))?;
        Ok(Request::new(&self.inner, operation, key))
    }

    /// Creates the table, or brings an older one up to date. Running it again changes nothing.
    ///
    /// # Errors
    ///
    /// The store cannot be reached, or the user may not create tables.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        self.inner.store.migrate().await
    }

    /// Checks at start that the table is there and is of this release.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Schema`](crate::StoreErrorKind::Schema) says that it is not, and how to mend it.
    pub async fn check(&self) -> Result<(), StoreError> {
        self.inner.store.check().await
    }

    /// Returns the store.
    pub fn store(&self) -> &S {
        &self.inner.store
    }
}

impl Idempotency<MemoryStore> {
    /// Keeps keys in this process: for tests, and for effects that end with the process.
    pub fn in_memory() -> Self {
        Self::new(MemoryStore::default())
    }
}

#[cfg(feature = "mysql")]
impl Idempotency<crate::MySqlStore> {
    /// Keeps keys in a MySQL or MariaDB database, in the table `idempotency_keys`.
    pub fn mysql(pool: sqlx::MySqlPool) -> Self {
        Self::new(crate::MySqlStore::new(pool))
    }
}

#[cfg(feature = "postgres")]
impl Idempotency<crate::PostgresStore> {
    /// Keeps keys in a PostgreSQL database, in the table `idempotency_keys`.
    pub fn postgres(pool: sqlx::PgPool) -> Self {
        Self::new(crate::PostgresStore::new(pool))
    }
}

#[cfg(feature = "sqlite")]
impl Idempotency<crate::SqliteStore> {
    /// Keeps keys in a SQLite database, in the table `idempotency_keys`.
    pub fn sqlite(pool: sqlx::SqlitePool) -> Self {
        Self::new(crate::SqliteStore::new(pool))
    }
}

impl<S> Clone for Idempotency<S> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}
