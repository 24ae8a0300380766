use std::fmt;

use sha2::{Digest, Sha256};

use crate::{IdempotencyKey, Scope};

/// The identity of a key in a store: SHA-256 over tenant, operation and key.
///
/// Each part is preceded by its length, so that no two triples share an encoding; and the hash is compared
/// byte by byte, where a text column's collation might take `Key-1` for `key-1`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId([u8; 32]);

impl KeyId {
    /// Computes the identity of `key` within `scope`.
    pub fn of(scope: &Scope, key: &IdempotencyKey) -> Self {
        let mut hash = Sha256::new();
        for part in [scope.tenant(), scope.operation(), key.as_str()] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        Self(hash.finalize().into())
    }

    /// Takes an identity that a store has kept.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the 32 bytes of the hash.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// The first eight digits: enough to find a row, too few to guess the key.
impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0[..4].iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self}…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(operation: &str, tenant: &str, key: &str) -> KeyId {
        KeyId::of(&Scope::new(operation, tenant).unwrap(), &IdempotencyKey::new(key).unwrap())
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_ne!(id("charge", "ab", "c"), id("charge", "a", "bc"));
        assert_ne!(id("ab", "", "c"), id("a", "", "bc"));
        assert_eq!(id("charge", "7", "k"), id("charge", "7", "k"));
    }

    #[test]
    fn case_matters() {
        assert_ne!(id("charge", "7", "Key-1"), id("charge", "7", "key-1"));
    }
}
