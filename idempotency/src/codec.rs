use serde::{Serialize, de::DeserializeOwned};

use crate::{Payload, error::BoxError};

/// How a response is turned into the bytes that are stored, and back.
///
/// The bytes of the first answer are the bytes of every replay, so `encode` runs once per key.
pub trait Codec<T>: Send + Sync {
    /// Encodes a response.
    ///
    /// # Errors
    ///
    /// The response has no such form; its effect is rolled back.
    fn encode(&self, response: &T) -> Result<Payload, BoxError>;

    /// Decodes a stored response.
    ///
    /// # Errors
    ///
    /// The bytes are not such a response, for instance because an older release wrote them.
    fn decode(&self, payload: &Payload) -> Result<T, BoxError>;
}

/// JSON, by serde: the default.
#[derive(Debug, Clone, Copy, Default)]
pub struct Json;

impl<T: Serialize + DeserializeOwned> Codec<T> for Json {
    fn encode(&self, response: &T) -> Result<Payload, BoxError> {
        Ok(Payload::json(response)?)
    }

    fn decode(&self, payload: &Payload) -> Result<T, BoxError> {
        Ok(payload.read_json()?)
    }
}

/// Bytes as they are, for a response that the caller has already encoded.
#[derive(Debug, Clone, Copy, Default)]
pub struct Raw;

impl Codec<Payload> for Raw {
    fn encode(&self, response: &Payload) -> Result<Payload, BoxError> {
        Ok(response.clone())
    }

    fn decode(&self, payload: &Payload) -> Result<Payload, BoxError> {
        Ok(payload.clone())
    }
}
