use crate::model::settings::Settings;

/// What a node knows of other nodes that queue for a key which it owns, or may own by now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Known {
    /// They queue; so many local turns began since the node took note of that.
    pub(super) wanted: Option<u8>,
    /// How many began since it was told, whether or not it took note; it is only looked at.
    pub(super) overtook: Option<u8>,
}

impl Known {
    pub(super) fn note(&mut self, noted: bool, told: bool) {
        if noted {
            self.wanted.get_or_insert(0);
        }
        if told {
            self.overtook.get_or_insert(0);
        }
    }

    pub(super) fn begin_turn(&mut self, settings: &Settings) {
        for turns in [&mut self.wanted, &mut self.overtook].into_iter().flatten() {
            // One too many is too many.
            *turns = (*turns + 1).min(settings.overtake + 1);
        }
    }
}
