use std::{
    fmt::{self, Display},
    time::Duration,
};

use serde::Serialize;
use tokio::time::Instant;

use crate::{
    Fingerprint, IdempotencyError, IdempotencyKey, Scope, body_digest::BodyDigest, codec::Json,
    error::BoxError, idempotency::Inner, settings::MAX_TTL, store::Claim,
};

const MAX_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

/// One request under a key: say what it is, then run it.
///
/// Made by [`Idempotency::request`](crate::Idempotency::request).
#[must_use = "a request does nothing until it runs"]
pub struct Request<'a, S, C = Json> {
    once: &'a Inner<S>,
    operation: &'a str,
    reported_as: &'a str,
    codec: C,
    key: IdempotencyKey,
    tenant: String,
    body: Result<BodyDigest, BoxError>,
    version: u8,
    ttl: Duration,
    wait: Duration,
}

impl<'a, S> Request<'a, S> {
    pub(crate) fn new(once: &'a Inner<S>, operation: &'a str, key: IdempotencyKey) -> Self {
        Self {
            once,
            operation,
            reported_as: operation,
            codec: Json,
            key,
            tenant: String::new(),
            body: Ok(BodyDigest::of_nothing()),
            version: 0,
            ttl: once.settings.ttl,
            wait: once.settings.wait,
        }
    }
}

impl<'a, S, C> Request<'a, S, C> {
    /// Keeps the key apart from the same key of other tenants (users, accounts).
    ///
    /// Left out, all callers share one space of keys: whoever comes second with a key is answered with the first one's
    /// response, and nothing happens for them. Set it wherever clients choose the key.
    pub fn tenant(mut self, tenant: impl Display) -> Self {
        self.tenant = tenant.to_string();
        self
    }

    /// Binds the key to this body: a repeat with another body is a
    /// [mismatch](IdempotencyError::Mismatch).
    ///
    /// The order of its members does not matter. Left out, the key alone tells requests apart: a repeat with another
    /// amount is answered with the first response.
    pub fn fingerprint(self, body: &impl Serialize) -> Self {
        self.fingerprint_excluding(body, &[])
    }

    /// Binds the key to this body without some of its members, which may differ between repeats.
    ///
    /// A name may be a dotted path: `meta.sent_at`.
    pub fn fingerprint_excluding(mut self, body: &impl Serialize, excluded: &[&str]) -> Self {
        self.body = BodyDigest::of_json(body, excluded).map_err(BoxError::from);
        self
    }

    /// Binds the key to these bytes.
    pub fn fingerprint_bytes(mut self, body: &[u8]) -> Self {
        self.body = Ok(BodyDigest::of_bytes(body));
        self
    }

    /// Binds the key to bytes whose digest was made as they came.
    #[cfg(feature = "tower")]
    pub(crate) fn fingerprint_digest(mut self, digest: BodyDigest) -> Self {
        self.body = Ok(digest);
        self
    }

    /// Names the request in what is reported of it, if not by its operation.
    #[cfg(feature = "tower")]
    pub(crate) fn reported_as(mut self, name: &'a str) -> Self {
        self.reported_as = name;
        self
    }

    /// Names the way that the caller makes up the body for the fingerprint: 0 by default.
    ///
    /// Fingerprints of different versions are not compared. So raise it when a release adds or excludes a
    /// member: a repeat that comes after the deployment is then not taken for another request.
    pub fn fingerprint_version(mut self, version: u8) -> Self {
        self.version = version;
        self
    }

    /// Sets how long the response is replayed, from the time that it is given: ten years at most. Zero keeps nothing.
    /// A store may keep it a thousandth longer.
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = ttl;
        self
    }

    /// Sets how long to wait for a request in flight under the same key: a day at most. Zero answers at once.
    ///
    /// Within this process the wait ends with the very moment that the other request does. A SQL database
    /// rounds its part of the wait up to whole seconds.
    pub fn wait(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }

    /// Turns the response into bytes, and back, by `codec` instead of JSON.
    pub fn codec<D>(self, codec: D) -> Request<'a, S, D> {
        let Self { once, operation, reported_as, codec: _, key, tenant, body, version, ttl, wait } = self;
        Request { once, operation, reported_as, codec, key, tenant, body, version, ttl, wait }
    }

    /// The store that the key is in.
    #[cfg(feature = "lock")]
    pub(crate) fn store(&self) -> &'a S {
        &self.once.store
    }

    /// Checks what the request says, and makes the claim of it and the time until which it may wait.
    pub(crate) fn prepare(self) -> Result<Prepared<'a, S, C>, IdempotencyError> {
        let scope = Scope::new(self.operation, &self.tenant)?;
        let body = self.body.map_err(IdempotencyError::Fingerprint)?;
        let fingerprint = Fingerprint::new(&scope, self.version, &body);
        let (ttl, wait) = (self.ttl.min(MAX_TTL), self.wait.min(MAX_WAIT));
        Ok(Prepared {
            once: self.once,
            operation: self.reported_as,
            codec: self.codec,
            claim: Claim::new(self.key, scope, fingerprint, ttl, wait),
            deadline: Instant::now() + wait,
        })
    }
}

/// Prints neither tenant nor key: they say who a customer is, and what was bought.
impl<S, C> fmt::Debug for Request<'_, S, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("operation", &self.operation)
            .field("key", &self.key)
            .field("ttl", &self.ttl)
            .field("wait", &self.wait)
            .finish_non_exhaustive()
    }
}

/// A request whose parts are in order.
pub(crate) struct Prepared<'a, S, C> {
    pub(crate) once: &'a Inner<S>,
    /// What the request is called where it is reported.
    pub(crate) operation: &'a str,
    pub(crate) codec: C,
    pub(crate) claim: Claim,
    pub(crate) deadline: Instant,
}
