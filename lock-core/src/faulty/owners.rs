use std::collections::HashMap;

use parking_lot::Mutex;

use crate::key::LockKey;
use crate::ticket::Ticket;

/// Which ticket was last said to own a key.
#[derive(Debug, Default)]
pub(super) struct Owners(Mutex<HashMap<LockKey, Ticket>>);

impl Owners {
    pub(super) fn note(&self, key: &LockKey, ticket: Ticket) {
        self.0.lock().insert(key.clone(), ticket);
    }

    pub(super) fn forget(&self, key: &LockKey, ticket: Ticket) {
        let mut owners = self.0.lock();
        if owners.get(key) == Some(&ticket) {
            owners.remove(key);
        }
    }

    pub(super) fn take(&self, key: &LockKey) -> Option<Ticket> {
        self.0.lock().remove(key)
    }
}
