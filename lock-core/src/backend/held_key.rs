use std::time::Duration;

use crate::key::LockKey;
use crate::ticket::Ticket;

/// What a backend knows of a key that is owned at this moment.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HeldKey {
    /// The key.
    pub key: LockKey,
    /// The ticket that owns it. Its node is one process.
    pub owner: Ticket,
    /// How long ownership lasts unless renewed.
    pub remaining: Duration,
    /// How long ago the backend last handed tokens for the key to an owner. A key that one guard has held all along shows
    /// the age of that guard; one that is handed from task to task within a process, or taken again at once, shows when
    /// its node was last given tokens, of which it has some in store. None when the backend has forgotten.
    pub since_grant: Option<Duration>,
    /// How many nodes queue for it. The waiting tasks within a node are known to that node only.
    pub queued: u64,
}

impl HeldKey {
    /// A key that is owned, with nobody queueing.
    pub fn new(key: LockKey, owner: Ticket, remaining: Duration) -> Self {
        Self { key, owner, remaining, since_grant: None, queued: 0 }
    }

    /// Sets how long ago tokens were last handed to an owner.
    #[must_use]
    pub fn since_grant(mut self, since_grant: Option<Duration>) -> Self {
        self.since_grant = since_grant;
        self
    }

    /// Sets how many nodes queue.
    #[must_use]
    pub fn queued(mut self, queued: u64) -> Self {
        self.queued = queued;
        self
    }
}
