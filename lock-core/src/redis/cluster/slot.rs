use std::sync::LazyLock;

/// How many slots a cluster has.
const SLOTS: u16 = 16_384;

/// One of the slots that keys and sharded channels are spread over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::redis) struct Slot(pub(super) u16);

/// For each slot the smallest number that has it when written in decimal.
static TAGS: LazyLock<Vec<u32>> = LazyLock::new(|| {
    let mut tags = vec![None; usize::from(SLOTS)];
    let mut missing = tags.len();
    for number in 0_u32.. {
        let tag = &mut tags[usize::from(crc16(number.to_string().as_bytes()) % SLOTS)];
        if tag.is_none() {
            *tag = Some(number);
            missing -= 1;
            if missing == 0 {
                break;
            }
        }
    }
    tags.into_iter().flatten().collect()
});

impl Slot {
    /// The slot of a key or a sharded channel, see
    /// <https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#hash-tags>.
    pub(in crate::redis) fn of(name: &str) -> Self {
        let tag = name
            .split_once('{')
            .and_then(|(_, rest)| rest.split_once('}'))
            .map(|(tag, _)| tag)
            .filter(|tag| !tag.is_empty());
        Self(crc16(tag.unwrap_or(name).as_bytes()) % SLOTS)
    }

    /// A short hash tag that has this slot.
    pub(in crate::redis) fn tag(self) -> u32 {
        TAGS[usize::from(self.0)]
    }
}

/// CRC-16/XMODEM.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc, _| {
            if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_those_of_the_specification() {
        assert_eq!(crc16(b"123456789"), 0x31c3);
        assert_eq!(Slot::of("foo"), Slot(12_182));
        assert_eq!(Slot::of("{user1000}.following"), Slot::of("user1000"));
        assert_eq!(Slot::of("foo{}{bar}"), Slot(crc16(b"foo{}{bar}") % SLOTS));
        assert_eq!(Slot::of("foo{{bar}}zap"), Slot(crc16(b"{bar") % SLOTS));
    }

    #[test]
    fn every_slot_has_a_tag_of_its_own() {
        assert_eq!(TAGS.len(), usize::from(SLOTS));
        for slot in 0..SLOTS {
            assert_eq!(Slot::of(&format!("{{{}}}app:lock", Slot(slot).tag())), Slot(slot));
        }
    }
}
