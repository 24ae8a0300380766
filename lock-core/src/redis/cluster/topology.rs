use redis::{FromRedisValue, Value};

use crate::redis::cluster::slot::Slot;

/// Host and port of a node.
pub(super) type Address = (String, u16);

/// Which primary has which slots.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Topology {
    /// First and last slot, and their primary; in order.
    ranges: Vec<(u16, u16, Address)>,
}

impl Topology {
    /// Reads the reply to `CLUSTER SLOTS` of the node at `asked`, which may leave out its own name; none when it is not
    /// one.
    pub(super) fn read(reply: &Value, asked: &str) -> Option<Self> {
        let Value::Array(entries) = reply else { return None };
        let mut ranges = entries.iter().map(|entry| Self::range(entry, asked)).collect::<Option<Vec<_>>>()?;
        ranges.sort_unstable();
        Some(Self { ranges })
    }

    fn range(entry: &Value, asked: &str) -> Option<(u16, u16, Address)> {
        let Value::Array(fields) = entry else { return None };
        let [first, last, Value::Array(primary), ..] = fields.as_slice() else {
            return None;
        };
        let [host, port, ..] = primary.as_slice() else {
            return None;
        };
        let host: Option<String> = FromRedisValue::from_redis_value_ref(host).ok()?;
        let host = host.filter(|host| !host.is_empty() && host != "?");
        Some((
            u16::from_redis_value_ref(first).ok()?,
            u16::from_redis_value_ref(last).ok()?,
            (host.unwrap_or_else(|| asked.to_owned()), u16::from_redis_value_ref(port).ok()?),
        ))
    }

    pub(super) fn primary(&self, slot: Slot) -> Option<&Address> {
        let after = self.ranges.partition_point(|(first, ..)| *first <= slot.0);
        let (_, last, primary) = self.ranges.get(after.checked_sub(1)?)?;
        (slot.0 <= *last).then_some(primary)
    }

    /// Every primary, once.
    pub(super) fn primaries(&self) -> Vec<&Address> {
        let mut primaries: Vec<_> = self.ranges.iter().map(|(_, _, primary)| primary).collect();
        primaries.sort_unstable();
        primaries.dedup();
        primaries
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(first: i64, last: i64, host: Value, port: i64) -> Value {
        let primary = vec![host, Value::Int(port), Value::BulkString(b"id".to_vec())];
        Value::Array(vec![Value::Int(first), Value::Int(last), Value::Array(primary)])
    }

    #[test]
    fn a_slot_is_found_and_a_gap_is_seen() {
        let named = Value::BulkString(b"b".to_vec());
        let reply = Value::Array(vec![entry(100, 200, named, 2), entry(0, 50, Value::Nil, 1)]);
        let topology = Topology::read(&reply, "a").unwrap();
        let (a, b) = (("a".to_owned(), 1), ("b".to_owned(), 2));
        let found = [0, 50, 51, 99, 100, 200, 201].map(|slot| topology.primary(Slot(slot)).cloned());
        let expected = [Some(&a), Some(&a), None, None, Some(&b), Some(&b), None].map(|at| at.cloned());
        assert_eq!(found, expected);
        assert_eq!(topology.primaries(), [&a, &b]);
        assert_eq!(Topology::read(&Value::Nil, "a"), None);
    }
}
