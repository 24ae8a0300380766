use crate::backend::Grant;
use crate::key::LockKey;
use crate::ticket::Ticket;

/// What a backend tells a node unasked.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum BackendEvent {
    /// A queued ticket became the owner.
    Granted {
        /// The key.
        key: LockKey,
        /// The ticket that owns it now.
        ticket: Ticket,
        /// For how long and with which tokens.
        grant: Grant,
    },
    /// Another node queues for a key that this node owns.
    Wanted {
        /// The key.
        key: LockKey,
        /// The ticket of this node that owns it.
        ticket: Ticket,
    },
    /// Something happened to a key that the node may wait for, but it cannot be said what: the node asks again.
    Unclear {
        /// The key.
        key: LockKey,
    },
    /// Events may be missed from now on; the node asks again for what it waits for until `Connected`.
    Disconnected,
    /// Events are delivered (again).
    Connected,
}

/// Where a backend delivers events for one node.
pub trait BackendEvents: Send + Sync {
    /// Takes one event. Called from any task, without locks of the backend held; returns quickly.
    fn deliver(&self, event: BackendEvent);
}
