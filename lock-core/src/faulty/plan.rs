use std::collections::{HashMap, VecDeque};

use crate::faulty::{BackendFault, BackendVerb};

/// What is to happen to which commands, and how many there have been.
#[derive(Debug, Default)]
pub(super) struct Plan {
    next: HashMap<BackendVerb, VecDeque<BackendFault>>,
    every: HashMap<BackendVerb, BackendFault>,
    sent: HashMap<BackendVerb, u64>,
}

impl Plan {
    pub(super) fn next(&mut self, verb: BackendVerb, fault: BackendFault) {
        self.next.entry(verb).or_default().push_back(fault);
    }

    pub(super) fn every(&mut self, verb: BackendVerb, fault: BackendFault) {
        self.every.insert(verb, fault);
    }

    pub(super) fn heal(&mut self) {
        self.next.clear();
        self.every.clear();
    }

    pub(super) fn sent(&self, verb: BackendVerb) -> u64 {
        self.sent.get(&verb).copied().unwrap_or(0)
    }

    /// Counts a command and answers what happens to it.
    pub(super) fn take(&mut self, verb: BackendVerb) -> Option<BackendFault> {
        *self.sent.entry(verb).or_default() += 1;
        self.next.get_mut(&verb).and_then(VecDeque::pop_front).or_else(|| self.every.get(&verb).copied())
    }
}
