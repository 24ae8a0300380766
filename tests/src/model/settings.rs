use crate::model::fault::FaultKind;
use crate::model::mutation::Mutation;
use crate::model::promise::Promise;
use crate::model::ticks::{LEASE, LONG_LEASE, TURN};

/// How large a system is checked, and what may happen in it.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How many callers arrive at each node, at any time; one entry a node.
    pub callers: Vec<u8>,
    /// How many tokens a grant holds: one turn each.
    pub block: i16,
    /// How many turns a node hands over in memory while another node queues.
    pub overtake: u8,
    /// How many ticks a node keeps an idle key.
    pub retain: i8,
    /// How many guards are extended beyond the lease they asked for, at any time.
    pub extensions: u8,
    /// How many callers give up waiting, at any time.
    pub leavers: u8,
    /// How many faults happen, at any time.
    pub faults: u8,
    /// Of which kinds.
    pub kinds: Vec<FaultKind>,
    /// The rule that is broken, if any.
    pub mutation: Option<Mutation>,
    /// The longest that any caller may wait, in ticks; [`Self::bound`] unless set.
    pub patience: Option<i8>,
    /// What is checked.
    pub promises: Vec<Promise>,
}

impl Default for Settings {
    /// Two nodes with a caller each, and nothing that goes wrong.
    fn default() -> Self {
        Self {
            callers: vec![1, 1],
            block: 2,
            overtake: 1,
            retain: 0,
            extensions: 0,
            leavers: 0,
            faults: 0,
            kinds: Vec::new(),
            mutation: None,
            patience: None,
            promises: Promise::ALL.to_vec(),
        }
    }
}

impl Settings {
    /// The longest that a caller has to wait: a whole turn of each other caller, and a lease for everything that goes
    /// wrong.
    pub fn bound(&self) -> i8 {
        let others = self.callers.iter().sum::<u8>().saturating_sub(1).cast_signed();
        let lease = if self.extensions > 0 { LONG_LEASE } else { LEASE };
        others * TURN + self.faults.cast_signed() * lease
    }

    pub(super) fn patience(&self) -> i8 {
        self.patience.unwrap_or_else(|| self.bound())
    }

    pub(super) fn is(&self, mutation: Mutation) -> bool {
        self.mutation == Some(mutation)
    }

    pub(super) fn is_counter(&self) -> bool {
        self.is(Mutation::TokensFromCounter)
    }
}
