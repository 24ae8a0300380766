use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

/// The random name of one node: one [`LockManager`](crate::LockManager) in one process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(Uuid);

impl NodeId {
    /// A fresh random name.
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.simple().fmt(f)
    }
}

/// One attempt of a node to own a key; it is the owner's value in the backend, written `node:attempt`.
///
/// Fresh for every attempt, so that a late or repeated command of an earlier attempt never touches a later one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket {
    /// The node that asks.
    pub node: NodeId,
    /// Counts the node's attempts, over all keys.
    pub attempt: u64,
}

impl fmt::Display for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.node, self.attempt)
    }
}

/// A text is not a [`Ticket`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a ticket: expected `node:attempt`")]
pub struct InvalidTicket;

impl FromStr for Ticket {
    type Err = InvalidTicket;

    fn from_str(text: &str) -> Result<Self, InvalidTicket> {
        let (node, attempt) = text.split_once(':').ok_or(InvalidTicket)?;
        Ok(Self {
            node: NodeId(Uuid::try_parse(node).map_err(|_| InvalidTicket)?),
            attempt: attempt.parse().map_err(|_| InvalidTicket)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_survives_being_written_and_read() {
        let ticket = Ticket { node: NodeId::random(), attempt: 7 };
        assert_eq!(ticket.to_string().parse(), Ok(ticket));
        assert_eq!("nonsense".parse::<Ticket>(), Err(InvalidTicket));
        assert_eq!("a:b:c".parse::<Ticket>(), Err(InvalidTicket));
    }
}
