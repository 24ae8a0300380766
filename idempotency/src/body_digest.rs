use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::canonical;

/// The hash of a request's body, before it is bound to an operation and a tenant.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct BodyDigest([u8; 32]);

impl BodyDigest {
    /// A request without a body.
    pub(crate) fn of_nothing() -> Self {
        Self(Sha256::digest(b"-").into())
    }

    /// A body as it came over the wire.
    pub(crate) fn of_bytes(body: &[u8]) -> Self {
        let mut bytes = BytesDigest::default();
        bytes.update(body);
        bytes.finish()
    }

    /// A body by its members, in any order, without those that `excluded` names by dotted paths.
    pub(crate) fn of_json(body: &impl Serialize, excluded: &[&str]) -> Result<Self, serde_json::Error> {
        let value = serde_json::to_value(body)?;
        let mut hash = Sha256::new_with_prefix(b"j");
        canonical::feed(&mut hash, &value, excluded);
        Ok(Self(hash.finalize().into()))
    }

    pub(crate) const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// The hash of a body that comes over the wire piece by piece.
pub(crate) struct BytesDigest(Sha256);

impl BytesDigest {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub(crate) fn finish(self) -> BodyDigest {
        BodyDigest(self.0.finalize().into())
    }
}

impl Default for BytesDigest {
    fn default() -> Self {
        Self(Sha256::new_with_prefix(b"b"))
    }
}

/// Prints nothing of the hash: that of a short body can be guessed back.
impl std::fmt::Debug for BodyDigest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BodyDigest(…)")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn of(body: &Value, excluded: &[&str]) -> [u8; 32] {
        BodyDigest::of_json(body, excluded).unwrap().0
    }

    #[test]
    fn the_order_of_members_does_not_matter() {
        let one: Value = serde_json::from_str(r#"{"a":1,"b":{"c":2,"d":3}}"#).unwrap();
        let two: Value = serde_json::from_str(r#"{"b":{"d":3,"c":2},"a":1}"#).unwrap();
        assert_eq!(of(&one, &[]), of(&two, &[]));
    }

    #[test]
    fn values_types_and_boundaries_matter() {
        let bodies = [
            json!({"a": 1}),
            json!({"a": "1"}),
            json!({"a": 2}),
            json!([1]),
            json!(["a", "b"]),
            json!(["ab"]),
            json!([["a"], "b"]),
            json!(null),
        ];
        for (i, one) in bodies.iter().enumerate() {
            for other in &bodies[i + 1..] {
                assert_ne!(of(one, &[]), of(other, &[]), "{one} and {other}");
            }
        }
    }

    #[test]
    fn excluded_members_do_not_matter() {
        let one = json!({"amount": 5, "sent_at": 1, "meta": {"trace": "x", "kind": "k"}});
        let two = json!({"amount": 5, "sent_at": 2, "meta": {"trace": "y", "kind": "k"}});
        assert_ne!(of(&one, &[]), of(&two, &[]));
        assert_ne!(of(&one, &["sent_at"]), of(&two, &["sent_at"]));
        assert_eq!(of(&one, &["sent_at", "meta.trace"]), of(&two, &["sent_at", "meta.trace"]));
    }

    /// A change of the encoding would make every stored key contradict its own retry.
    #[test]
    fn the_encoding_of_format_one_never_changes() {
        let hash = of(&json!({"amount": 5, "tags": ["a", null, true, 1.5]}), &[]);
        let digits: String = hash[..6].iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(digits, "a000d6e52292");
    }
}
