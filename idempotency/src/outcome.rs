use std::fmt;

use crate::Payload;

/// The answer to a request: given now, or given before under the same key.
#[derive(Clone)]
#[must_use = "the answer may have been given before: see `replayed`"]
pub struct Outcome<T> {
    response: T,
    payload: Payload,
    replayed: bool,
}

impl<T> Outcome<T> {
    pub(crate) fn new(response: T, payload: Payload, replayed: bool) -> Self {
        Self { response, payload, replayed }
    }

    /// Tells whether an earlier request under this key did the work.
    pub fn replayed(&self) -> bool {
        self.replayed
    }

    /// Returns the response.
    pub fn response(&self) -> &T {
        &self.response
    }

    /// Returns the bytes that are stored: the same for the first answer and for each replay.
    pub fn payload(&self) -> &Payload {
        &self.payload
    }

    /// Returns the response by value.
    pub fn into_inner(self) -> T {
        self.response
    }

    /// Returns the stored bytes by value.
    pub fn into_payload(self) -> Payload {
        self.payload
    }
}

/// Prints of the response the length alone: answers hold what customers bought and own.
impl<T> fmt::Debug for Outcome<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outcome")
            .field("payload", &self.payload)
            .field("replayed", &self.replayed)
            .finish_non_exhaustive()
    }
}
