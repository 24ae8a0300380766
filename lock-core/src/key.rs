use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{BuildHasher, Hash, Hasher};
use std::str::FromStr;
use std::sync::{Arc, LazyLock};

use ahash::RandomState;

/// Keys come from outside: nobody may be able to guess which of them share a hash, so it has a key of its own, at random.
static HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// What is locked: the name of one resource, such as `balance:user:42`.
///
/// A key is 1 to [`LockKey::MAX_LEN`] bytes of text without control characters. Cloning is cheap.
///
/// ```
/// use lock_core::LockKey;
///
/// let key = LockKey::new("balance:user:42")?;
/// assert_eq!(key.as_str(), "balance:user:42");
/// assert!(LockKey::new("").is_err());
/// # Ok::<(), lock_core::InvalidKey>(())
/// ```
#[derive(Clone)]
pub struct LockKey {
    text: Arc<str>,
    /// Of the text, in this process: computed once, although a key is looked up in several tables on its way.
    code: u64,
}

impl LockKey {
    /// The longest key, in bytes.
    pub const MAX_LEN: usize = 512;

    /// Checks `text` and makes it a key.
    ///
    /// # Errors
    ///
    /// [`InvalidKey`] says what is wrong with the text.
    pub fn new(text: impl AsRef<str>) -> Result<Self, InvalidKey> {
        let text = text.as_ref();
        if text.is_empty() {
            return Err(InvalidKey::Empty);
        }
        if text.len() > Self::MAX_LEN {
            return Err(InvalidKey::TooLong { len: text.len() });
        }
        // Keys are ASCII nearly always, and all bytes at once are looked at faster than up to the first that is wrong.
        let (mut control, mut all) = (0, 0);
        for byte in text.bytes() {
            control |= u8::from(byte < 0x20) | u8::from(byte == 0x7f);
            all |= byte;
        }
        let control = control != 0 || (!all.is_ascii() && text.chars().any(char::is_control));
        if control {
            return Err(InvalidKey::ControlCharacter);
        }
        let mut hasher = HASHER.build_hasher();
        hasher.write(text.as_bytes());
        Ok(Self { text: text.into(), code: hasher.finish() })
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// A hash that differs from process to process.
    pub(crate) fn code(&self) -> u64 {
        self.code
    }
}

impl PartialEq for LockKey {
    fn eq(&self, other: &Self) -> bool {
        self.code == other.code && (Arc::ptr_eq(&self.text, &other.text) || self.text == other.text)
    }
}

impl Eq for LockKey {}

impl PartialOrd for LockKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for LockKey {
    fn cmp(&self, other: &Self) -> Ordering {
        self.text.cmp(&other.text)
    }
}

// As the text, by which a key may be looked up.
impl Hash for LockKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl fmt::Debug for LockKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for LockKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Borrow<str> for LockKey {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl FromStr for LockKey {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        Self::new(text)
    }
}

impl TryFrom<&str> for LockKey {
    type Error = InvalidKey;

    fn try_from(text: &str) -> Result<Self, InvalidKey> {
        Self::new(text)
    }
}

impl TryFrom<&&str> for LockKey {
    type Error = InvalidKey;

    fn try_from(text: &&str) -> Result<Self, InvalidKey> {
        Self::new(text)
    }
}

impl TryFrom<String> for LockKey {
    type Error = InvalidKey;

    fn try_from(text: String) -> Result<Self, InvalidKey> {
        Self::new(text)
    }
}

impl TryFrom<&String> for LockKey {
    type Error = InvalidKey;

    fn try_from(text: &String) -> Result<Self, InvalidKey> {
        Self::new(text)
    }
}

impl From<&Self> for LockKey {
    fn from(key: &Self) -> Self {
        key.clone()
    }
}

/// Why a text is not a [`LockKey`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidKey {
    /// The text is empty.
    #[error("a lock key must not be empty")]
    Empty,
    /// The text is longer than [`LockKey::MAX_LEN`] bytes.
    #[error("a lock key has at most {} bytes, this one has {len}", LockKey::MAX_LEN)]
    TooLong {
        /// Length of the text in bytes.
        len: usize,
    },
    /// The text holds a control character, such as a line feed.
    #[error("a lock key must not hold control characters")]
    ControlCharacter,
    /// The backend keeps names of this form for itself.
    #[error("a lock key of this form is reserved by the backend: {reason}")]
    Reserved {
        /// Which form, in words.
        reason: &'static str,
    },
    /// The cluster would keep the parts of this lock on different nodes, because of a brace in an odd place.
    #[error(
        "a lock key for a cluster must not hold `{{}}`, nor a `}}` before any `{{`: its parts would have different slots"
    )]
    HashTag,
    /// Several keys were asked for at once, but the list is empty.
    #[error("the list of lock keys is empty")]
    NoKeys,
}

impl From<std::convert::Infallible> for InvalidKey {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_ordinary_names_and_refuses_the_rest() {
        for good in ["a", "balance:user:42", "größe", &"x".repeat(512)] {
            assert_eq!(LockKey::new(good).unwrap().as_str(), good);
        }
        assert_eq!(LockKey::new(""), Err(InvalidKey::Empty));
        assert_eq!(LockKey::new("x".repeat(513)), Err(InvalidKey::TooLong { len: 513 }));
        for bad in ["a\nb", "\0", "tab\t", "del\x7f", "c1\u{85}"] {
            assert_eq!(LockKey::new(bad), Err(InvalidKey::ControlCharacter), "{bad:?}");
        }
    }
}
