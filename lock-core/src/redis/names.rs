use std::borrow::Cow;

use crate::key::LockKey;
use crate::redis::cluster::Slot;
use crate::ticket::NodeId;

/// How keys and channels are called at the server.
#[derive(Debug, Clone)]
pub(super) struct Names {
    prefix: String,
    /// What the channel of every node begins with.
    channels: String,
    /// Whether the servers are a cluster.
    sharded: bool,
}

/// The keys of one lock; all of them in one cluster slot.
#[derive(Default)]
pub(super) struct KeyNames {
    pub(super) owner: String,
    pub(super) waiters: String,
    pub(super) fence: String,
}

impl Names {
    pub(super) fn new(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned(), channels: format!("{prefix}lock:node:"), sharded: false }
    }

    /// Names in a cluster: keys of one lock share a slot, and a node has a channel in each slot.
    pub(super) fn sharded(prefix: &str) -> Self {
        Self { sharded: true, ..Self::new(prefix) }
    }

    pub(super) fn is_sharded(&self) -> bool {
        self.sharded
    }

    pub(super) fn owner(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    /// Whether the name would be that of a helper key of another lock.
    pub(super) fn is_reserved(&self, key: &str) -> bool {
        let tagged = self.prefix.contains('{') || key.contains('{');
        tagged && (key.ends_with(":waiters") || key.ends_with(":fence"))
    }

    pub(super) fn of(&self, key: &str) -> KeyNames {
        let mut names = KeyNames::default();
        self.write(key, &mut names);
        names
    }

    /// Writes the names of a lock's keys over those of another.
    pub(super) fn write(&self, key: &str, names: &mut KeyNames) {
        let KeyNames { owner, waiters, fence } = names;
        owner.clear();
        owner.reserve(self.prefix.len() + key.len());
        owner.push_str(&self.prefix);
        owner.push_str(key);
        // The second colon tells the helpers of `{a}` from those of `a`.
        let (open, close) = if has_hash_tag(owner) { ("", ":") } else { ("{", "}") };
        for (name, suffix) in [(waiters, ":waiters"), (fence, ":fence")] {
            name.clear();
            name.reserve(open.len() + owner.len() + close.len() + suffix.len());
            for part in [open, owner, close, suffix] {
                name.push_str(part);
            }
        }
    }

    /// How many bytes stand before the key in the name of its owner key.
    pub(super) fn prefix_len(&self) -> usize {
        self.prefix.len()
    }

    /// The lock whose owner key has this name; none for other keys.
    pub(super) fn key(&self, owner: &str) -> Option<LockKey> {
        let key = owner.strip_prefix(&self.prefix)?;
        if self.is_reserved(key) {
            return None;
        }
        LockKey::new(key).ok()
    }

    /// Whether all keys of the lock have one slot, which a brace in an odd place prevents.
    pub(super) fn share_a_slot(&self, key: &str) -> bool {
        let keys = self.of(key);
        let slot = Slot::of(&keys.owner);
        slot == Slot::of(&keys.waiters) && slot == Slot::of(&keys.fence)
    }

    /// Whether one script may name all these keys.
    pub(super) fn are_together<'a>(&self, mut keys: impl Iterator<Item = &'a str>) -> bool {
        let first = keys.next().map(|key| Slot::of(&self.owner(key)));
        !self.sharded || keys.all(|key| Some(Slot::of(&self.owner(key))) == first)
    }

    /// The prefix of all nodes' channels for messages about the lock with this owner key.
    pub(super) fn channels(&self, owner: &str) -> Cow<'_, str> {
        if self.sharded { self.slot_channels(Slot::of(owner)).into() } else { self.channels.as_str().into() }
    }

    /// The channel of a node, whatever the key.
    pub(super) fn channel(&self, node: NodeId) -> String {
        format!("{}{node}", self.channels)
    }

    /// The sharded channel of a node for the keys of one slot.
    pub(super) fn slot_channel(&self, slot: Slot, node: NodeId) -> String {
        format!("{}{node}", self.slot_channels(slot))
    }

    fn slot_channels(&self, slot: Slot) -> String {
        format!("{{{}}}{}", slot.tag(), self.channels)
    }
}

/// Whether only a part of the name decides about the cluster slot, see
/// <https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#hash-tags>.
fn has_hash_tag(name: &str) -> bool {
    name.split_once('{').and_then(|(_, rest)| rest.split_once('}')).is_some_and(|(tag, _)| !tag.is_empty())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn helper_keys_share_the_slot_of_the_owner_key() {
        let names = Names::new("app:");
        let key = names.of("balance:user:1");
        assert_eq!(key.owner, "app:balance:user:1");
        assert_eq!(key.fence, "{app:balance:user:1}:fence");
        let key = names.of("balance:{user}:1");
        assert_eq!(key.waiters, "app:balance:{user}:1::waiters");
        let key = names.of("odd{}");
        assert_eq!(key.waiters, "{app:odd{}}:waiters");
    }

    #[test]
    fn no_two_keys_share_a_helper() {
        let names = Names::new("");
        let keys = ["a", "{a}", "a:", "{a}:", "{{a}}", "a{b}", "{a{b}}"].map(|key| names.of(key));
        let helpers: HashSet<_> = keys.iter().flat_map(|keys| [&keys.waiters, &keys.fence]).collect();
        assert_eq!(helpers.len(), 2 * keys.len(), "{helpers:?}");
    }

    #[test]
    fn a_key_whose_helpers_would_have_another_slot_is_found() {
        let names = Names::sharded("app:");
        for good in ["balance:user:1", "balance:{user}:1", "{a}{b}", "a{b"] {
            assert!(names.share_a_slot(good), "{good}");
        }
        for bad in ["odd{}", "a}b", "{}a"] {
            assert!(!names.share_a_slot(bad), "{bad}");
        }
    }

    #[test]
    fn a_channel_has_the_slot_of_its_keys() {
        let names = Names::sharded("app:");
        for key in ["balance:user:1", "balance:{user}:1"] {
            let owner = names.owner(key);
            assert_eq!(Slot::of(&names.channels(&owner)), Slot::of(&owner));
        }
    }

    #[test]
    fn names_of_helper_keys_are_reserved() {
        let names = Names::new("");
        assert!(names.is_reserved("{balance:user:1}:fence"));
        assert!(names.is_reserved("{balance:user:1}:waiters"));
        assert!(!names.is_reserved("garden:fence"));
    }
}
