use std::fmt;

use sha2::{Digest, Sha256};

use crate::{Scope, body_digest::BodyDigest};

/// How requests are encoded. A change of the encoding is a change of this number.
const FORMAT: u8 = 1;

/// What a request asked for, so that a key cannot be used for a second, different request.
///
/// SHA-256 over tenant, operation and body. Fingerprints of different versions are not compared, so that a
/// deployment that changes what is hashed never turns a retry into a mismatch.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint {
    version: u16,
    hash: [u8; 32],
}

impl Fingerprint {
    pub(crate) fn new(scope: &Scope, version: u8, body: &BodyDigest) -> Self {
        let mut hash = Sha256::new();
        hash.update([FORMAT, version]);
        for part in [scope.tenant(), scope.operation()] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        hash.update(body.as_bytes());
        Self { version: u16::from_be_bytes([FORMAT, version]), hash: hash.finalize().into() }
    }

    /// Takes a fingerprint that a store has kept.
    pub const fn from_parts(version: u16, hash: [u8; 32]) -> Self {
        Self { version, hash }
    }

    /// Returns the version: the encoding in the high byte, the caller's own in the low one.
    pub const fn version(&self) -> u16 {
        self.version
    }

    /// Returns the 32 bytes of the hash.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.hash
    }

    /// Tells whether the two are known to stand for different requests.
    pub fn contradicts(&self, other: &Self) -> bool {
        self.version == other.version && self.hash != other.hash
    }
}

/// Prints the version alone: the hash of a short body can be guessed back.
impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint(version {:#06x})", self.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(operation: &str, tenant: &str, version: u8, body: &[u8]) -> Fingerprint {
        Fingerprint::new(&Scope::new(operation, tenant).unwrap(), version, &BodyDigest::of_bytes(body))
    }

    #[test]
    fn tenant_operation_and_body_matter() {
        let one = of("charge", "7", 0, b"5");
        assert!(!one.contradicts(&of("charge", "7", 0, b"5")));
        for other in [of("charge", "8", 0, b"5"), of("refund", "7", 0, b"5"), of("charge", "7", 0, b"6")] {
            assert!(one.contradicts(&other));
        }
    }

    #[test]
    fn another_version_is_not_a_contradiction() {
        assert!(!of("charge", "7", 1, b"old").contradicts(&of("charge", "7", 2, b"new")));
    }
}
