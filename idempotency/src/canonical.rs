use serde_json::Value;
use sha2::{Digest, Sha256};

/// Feeds `value` to `hash` so that equal values, whatever the order of their members, feed equal bytes.
///
/// Every piece carries its type and its length: no value's encoding is the beginning of another's.
/// Members named in `excluded` (a dotted path from the root) are left out.
pub(crate) fn feed(hash: &mut Sha256, value: &Value, excluded: &[&str]) {
    match value {
        Value::Null => hash.update(b"n"),
        Value::Bool(true) => hash.update(b"t"),
        Value::Bool(false) => hash.update(b"f"),
        Value::Number(number) => feed_text(hash, b'#', &number.to_string()),
        Value::String(text) => feed_text(hash, b'"', text),
        Value::Array(items) => {
            feed_length(hash, b'[', items.len());
            items.iter().for_each(|item| feed(hash, item, excluded));
        }
        Value::Object(members) => {
            let mut kept: Vec<_> =
                members.iter().filter(|(name, _)| !excluded.contains(&name.as_str())).collect();
            // The map is sorted only while nobody in the build turns on serde_json's `preserve_order`.
            kept.sort_unstable_by_key(|(name, _)| name.as_str());
            feed_length(hash, b'{', kept.len());
            for (name, member) in kept {
                feed_text(hash, b'"', name);
                feed(hash, member, &below(excluded, name));
            }
        }
    }
}

/// What of `excluded` applies inside the member `name`.
fn below<'a>(excluded: &[&'a str], name: &str) -> Vec<&'a str> {
    excluded.iter().filter_map(|path| path.strip_prefix(name)?.strip_prefix('.')).collect()
}

fn feed_text(hash: &mut Sha256, kind: u8, text: &str) {
    feed_length(hash, kind, text.len());
    hash.update(text.as_bytes());
}

fn feed_length(hash: &mut Sha256, kind: u8, length: usize) {
    hash.update([kind]);
    hash.update((length as u64).to_be_bytes());
}
