use crate::model::fault::Fault;
use crate::model::message::{Message, Unsent};

/// One step of the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// A caller asks for the key; what it asks the server travels with a release, if any.
    Arrive { node: u8, with: Option<Unsent> },
    /// A caller gives up waiting.
    Leave { node: u8, place: u8 },
    /// A guard is dropped.
    EndTurn { node: u8 },
    /// A guard asks for a longer lease.
    Extend { node: u8 },
    /// A message arrives, at the server or at a node.
    Deliver(Message),
    /// A node does what its timers demand; what it asks travels with a release, if any.
    Round { node: u8, with: Option<Unsent> },
    /// A node notices that its subscription is broken, or has subscribed again.
    Subscription { node: u8 },
    /// A node that stood still goes on.
    Thaw { node: u8 },
    /// Time goes on.
    Tick,
    /// Something goes wrong.
    Fault(Fault),
}
