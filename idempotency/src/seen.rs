use std::sync::atomic::{AtomicU64, Ordering};

use crate::KeyId;

const SLOTS: usize = 4096;

/// A hint which keys are likely to be done already: those that this process saw done of late.
///
/// A repeat of such a key asks before it claims: one read instead of a transaction that finds nothing to do.
/// A key that is not here is claimed at once, so that a first request pays nothing for repeats. Wrong hints
/// cost one round trip and change no answer.
pub(crate) struct Seen(Box<[AtomicU64]>);

impl Seen {
    /// Notes that `id` is done. Forgets another key where the two share a slot.
    pub(crate) fn note(&self, id: &KeyId) {
        let (slot, tag) = self.place(id);
        slot.store(tag, Ordering::Relaxed);
    }

    /// Tells whether `id` is likely to be done.
    pub(crate) fn hints_at(&self, id: &KeyId) -> bool {
        let (slot, tag) = self.place(id);
        slot.load(Ordering::Relaxed) == tag
    }

    fn place(&self, id: &KeyId) -> (&AtomicU64, u64) {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&id.as_bytes()[..8]);
        let tag = u64::from_be_bytes(bytes);
        (&self.0[usize::from(u16::from_be_bytes([id.as_bytes()[8], id.as_bytes()[9]])) % SLOTS], tag)
    }
}

impl Default for Seen {
    fn default() -> Self {
        Self((0..SLOTS).map(|_| AtomicU64::new(0)).collect())
    }
}

impl std::fmt::Debug for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seen")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remembers_what_it_was_told() {
        let seen = Seen::default();
        let (one, other) = (KeyId::from_bytes([1; 32]), KeyId::from_bytes([2; 32]));
        seen.note(&one);
        assert!(seen.hints_at(&one));
        assert!(!seen.hints_at(&other));
    }
}
