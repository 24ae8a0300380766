//! What the expansion of `#[idempotent]` calls. Not part of the public interface.

#![allow(missing_docs, missing_debug_implementations, reason = "not part of the public interface")]

use std::{fmt, time::Duration};

use serde::{Serialize, Serializer};
use serde_json::Value;

pub use crate::output::{IdempotentOutput, KeyArgument};
use crate::{Idempotency, IdempotencyError, IdempotencyKey, InvalidKey, Outcome, Store, Takeover};

/// How soon others notice a crash, where nothing is said.
const LEASE: Duration = Duration::from_secs(30);

/// One call of a function under the attribute.
#[must_use]
pub struct Call {
    key: Result<IdempotencyKey, InvalidKey>,
    scope: String,
    fingerprint: Part,
    tenant: Option<String>,
    version: u8,
    ttl: Option<Duration>,
    wait: Option<Duration>,
    lease: Duration,
    takeover: Takeover,
}

/// A part of what tells requests apart, as JSON or the reason why it has none.
pub type Part = Result<Value, String>;

pub fn store<S>(store: &Idempotency<S>) -> Idempotency<S> {
    store.clone()
}

pub fn key<K: KeyArgument + ?Sized>(key: &K) -> Result<IdempotencyKey, InvalidKey> {
    key.to_key()
}

pub fn template(text: fmt::Arguments<'_>) -> Result<IdempotencyKey, InvalidKey> {
    IdempotencyKey::new(text.to_string())
}

pub fn text(text: &(impl AsRef<str> + ?Sized)) -> String {
    text.as_ref().to_owned()
}

pub fn display(value: &(impl fmt::Display + ?Sized)) -> String {
    value.to_string()
}

pub fn argument<T: Serialize + ?Sized>(value: &T) -> Part {
    serde_json::to_value(value).map_err(|error| error.to_string())
}

pub fn arguments<const N: usize>(arguments: [(&'static str, Part); N]) -> Part {
    arguments
        .into_iter()
        .map(|(name, value)| Ok((name.to_owned(), value?)))
        .collect::<Result<_, _>>()
        .map(Value::Object)
}

impl Call {
    pub fn new(key: Result<IdempotencyKey, InvalidKey>, scope: String) -> Self {
        Self {
            key,
            scope,
            fingerprint: Ok(Value::Null),
            tenant: None,
            version: 0,
            ttl: None,
            wait: None,
            lease: LEASE,
            takeover: Takeover::default(),
        }
    }

    pub fn fingerprint(self, fingerprint: Part) -> Self {
        Self { fingerprint, ..self }
    }

    pub fn tenant(self, tenant: String) -> Self {
        Self { tenant: Some(tenant), ..self }
    }

    pub fn version(self, version: u8) -> Self {
        Self { version, ..self }
    }

    pub fn ttl(self, ttl: Duration) -> Self {
        Self { ttl: Some(ttl), ..self }
    }

    pub fn wait(self, wait: Duration) -> Self {
        Self { wait: Some(wait), ..self }
    }

    pub fn lease(self, lease: Duration) -> Self {
        Self { lease, ..self }
    }

    pub fn takeover(self, takeover: Takeover) -> Self {
        Self { takeover, ..self }
    }
}

pub async fn run<S, R, F>(store: Idempotency<S>, call: Call, work: impl FnOnce() -> F) -> R
where
    S: Store,
    R: IdempotentOutput,
    F: Future<Output = R>,
{
    let answered = async {
        let key = call.key.map_err(IdempotencyError::Key)?;
        let mut request = store.request(&call.scope, key)?.fingerprint(&Body(&call.fingerprint));
        request = request.fingerprint_version(call.version);
        if let Some(tenant) = &call.tenant {
            request = request.tenant(tenant);
        }
        if let Some(ttl) = call.ttl {
            request = request.ttl(ttl);
        }
        if let Some(wait) = call.wait {
            request = request.wait(wait);
        }
        let leased = request.lease(call.lease).takeover(call.takeover);
        leased.run(async |_| work().await.into_result()).await.map(Outcome::into_inner)
    };
    R::from_result(answered.await)
}

/// A body that fails to be written where its parts did.
struct Body<'a>(&'a Part);

impl Serialize for Body<'_> {
    fn serialize<W: Serializer>(&self, serializer: W) -> Result<W::Ok, W::Error> {
        match self.0 {
            Ok(value) => value.serialize(serializer),
            Err(error) => Err(serde::ser::Error::custom(error)),
        }
    }
}
