use std::{borrow::Cow, sync::Arc};

use serde::{Serialize, de::DeserializeOwned};

use crate::{Failure, IdempotencyKey, InvalidKey};

/// A result that can be stored and answered again: what a function under `#[idempotent]` returns.
///
/// `Result<T, E>`, where `T` is stored as JSON and `E` says by its [`Failure::class`] what a failure means for the key.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stored and answered again",
    label = "return `Result<T, E>` with `T: Serialize + DeserializeOwned` and `E: idempotency::Failure`",
    note = "`#[idempotent]` answers a repeat with what was stored, and tells by an error that it cannot"
)]
pub trait IdempotentOutput: Sized {
    /// What is stored.
    type Response: Serialize + DeserializeOwned;
    /// What may go wrong.
    type Error: Failure;

    /// The result as a `Result`.
    fn into_result(self) -> Result<Self::Response, Self::Error>;

    /// The result from a `Result`.
    fn from_result(result: Result<Self::Response, Self::Error>) -> Self;
}

impl<T: Serialize + DeserializeOwned, E: Failure> IdempotentOutput for Result<T, E> {
    type Response = T;
    type Error = E;

    fn into_result(self) -> Self {
        self
    }

    fn from_result(result: Self) -> Self {
        result
    }
}

/// What `key = …` of `#[idempotent]` may be: a text, or an [`IdempotencyKey`], owned or borrowed.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an idempotency key",
    label = "a text or an `IdempotencyKey`",
    note = "what can be displayed goes into a text: `key = \"{{order_id}}\"`"
)]
pub trait KeyArgument {
    /// Checks the key.
    ///
    /// # Errors
    ///
    /// [`InvalidKey`] says what is wrong with it.
    fn to_key(&self) -> Result<IdempotencyKey, InvalidKey>;
}

impl KeyArgument for IdempotencyKey {
    fn to_key(&self) -> Result<IdempotencyKey, InvalidKey> {
        Ok(self.clone())
    }
}

impl KeyArgument for str {
    fn to_key(&self) -> Result<IdempotencyKey, InvalidKey> {
        IdempotencyKey::new(self)
    }
}

impl KeyArgument for String {
    fn to_key(&self) -> Result<IdempotencyKey, InvalidKey> {
        IdempotencyKey::new(self.as_str())
    }
}

impl KeyArgument for Cow<'_, str> {
    fn to_key(&self) -> Result<IdempotencyKey, InvalidKey> {
        IdempotencyKey::new(&**self)
    }
}

impl<T: KeyArgument + ?Sized> KeyArgument for &T {
    fn to_key(&self) -> Result<IdempotencyKey, InvalidKey> {
        (**self).to_key()
    }
}

impl<T: KeyArgument + ?Sized> KeyArgument for Box<T> {
    fn to_key(&self) -> Result<IdempotencyKey, InvalidKey> {
        (**self).to_key()
    }
}

impl<T: KeyArgument + ?Sized> KeyArgument for Arc<T> {
    fn to_key(&self) -> Result<IdempotencyKey, InvalidKey> {
        (**self).to_key()
    }
}
