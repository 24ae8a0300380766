use std::{convert::Infallible, fmt};

use thiserror::Error;

/// Longest key that a client may send, in bytes.
const MAX_LENGTH: usize = 255;

/// A client's idempotency key: 1 to 255 visible ASCII characters, told apart by case.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(Box<str>);

impl IdempotencyKey {
    /// Checks `key` and keeps it.
    ///
    /// # Errors
    ///
    /// [`InvalidKey`] says what is wrong with the key.
    pub fn new(key: impl Into<String>) -> Result<Self, InvalidKey> {
        let key = key.into();
        if key.is_empty() {
            return Err(InvalidKey::Empty);
        }
        if key.len() > MAX_LENGTH {
            return Err(InvalidKey::TooLong { length: key.len() });
        }
        match key.char_indices().find(|(_, c)| !c.is_ascii_graphic()) {
            Some((position, _)) => Err(InvalidKey::Character { position }),
            None => Ok(Self(key.into_boxed_str())),
        }
    }

    /// Returns the key as the client sent it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Prints the length alone: clients put order numbers and worse into their keys.
impl fmt::Debug for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IdempotencyKey({} bytes)", self.0.len())
    }
}

impl TryFrom<&str> for IdempotencyKey {
    type Error = InvalidKey;

    fn try_from(key: &str) -> Result<Self, InvalidKey> {
        Self::new(key)
    }
}

impl TryFrom<String> for IdempotencyKey {
    type Error = InvalidKey;

    fn try_from(key: String) -> Result<Self, InvalidKey> {
        Self::new(key)
    }
}

impl TryFrom<&String> for IdempotencyKey {
    type Error = InvalidKey;

    fn try_from(key: &String) -> Result<Self, InvalidKey> {
        Self::new(key.as_str())
    }
}

impl TryFrom<&Self> for IdempotencyKey {
    type Error = InvalidKey;

    fn try_from(key: &Self) -> Result<Self, InvalidKey> {
        Ok(key.clone())
    }
}

impl From<Infallible> for InvalidKey {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

/// What is wrong with a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidKey {
    /// There is no character in it.
    #[error("the idempotency key is empty")]
    Empty,
    /// It is longer than 255 bytes.
    #[error("the idempotency key has {length} bytes, at most 255 are allowed")]
    TooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// It holds a space, a control character or a character outside ASCII.
    #[error("the idempotency key has a character at byte {position} that is not visible ASCII")]
    Character {
        /// Where the first such character starts, in bytes.
        position: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_one_to_255_visible_characters() {
        assert_eq!(IdempotencyKey::new("!").unwrap().as_str(), "!");
        assert!(IdempotencyKey::new("~".repeat(255)).is_ok());
    }

    #[test]
    fn says_what_is_wrong() {
        assert_eq!(IdempotencyKey::new(""), Err(InvalidKey::Empty));
        assert_eq!(IdempotencyKey::new("k".repeat(256)), Err(InvalidKey::TooLong { length: 256 }));
        for (key, position) in [("a b", 1), ("ab\n", 2), ("\0", 0), ("a\u{7f}", 1), ("clé", 2)] {
            assert_eq!(IdempotencyKey::new(key), Err(InvalidKey::Character { position }), "{key:?}");
        }
    }

    #[test]
    fn debug_hides_the_key() {
        assert_eq!(format!("{:?}", IdempotencyKey::new("secret").unwrap()), "IdempotencyKey(6 bytes)");
    }
}
