use crate::model::known::Known;
use crate::model::ownership::Ownership;
use crate::model::ticket::Ticket;
use crate::model::ticks::{Ticks, count_down};

/// What a node does about the key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum Phase {
    #[default]
    Vacant,
    /// A command that may make the ticket the owner is on its way; it has failed when no reply comes in time.
    Asking {
        ask: Ask,
        reply_in: Ticks,
    },
    /// The server was busy or away; it is asked again after a while, unless it grants before.
    Waiting {
        ask: Ask,
        retry_in: Option<Ticks>,
    },
    Owned(Ownership),
}

/// An attempt to own the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Ask {
    pub(super) ticket: Ticket,
    pub(super) failures: u8,
    /// Events were missed since the command was sent: when the server is busy, ask again at once.
    pub(super) again: bool,
    /// What is known of other nodes that queue for a key which the ticket owns or may own by now.
    pub(super) known: Known,
}

impl Ask {
    pub(super) fn new(ticket: Ticket) -> Self {
        Self { ticket, failures: 0, again: false, known: Known::default() }
    }
}

impl Phase {
    pub(super) fn asking(ask: Ask) -> Self {
        Self::Asking { ask, reply_in: super::ticks::RESPONSE_TIMEOUT }
    }

    /// The ticket that owns the key, or may come to own it.
    pub(super) fn ticket(&self) -> Option<Ticket> {
        match self {
            Self::Vacant => None,
            Self::Asking { ask, .. } | Self::Waiting { ask, .. } => Some(ask.ticket),
            Self::Owned(ownership) => Some(ownership.ticket),
        }
    }

    /// What is known of other nodes by who asks.
    pub(super) fn known(&self) -> Known {
        match self {
            Self::Asking { ask, .. } | Self::Waiting { ask, .. } => ask.known,
            Self::Vacant | Self::Owned(_) => Known::default(),
        }
    }

    pub(super) fn asks_for(&self, ticket: Ticket) -> bool {
        !matches!(self, Self::Owned(_)) && self.ticket() == Some(ticket)
    }

    pub(super) fn is_due(&self) -> bool {
        match self {
            Self::Vacant => false,
            Self::Asking { reply_in, .. } => *reply_in == 0,
            Self::Waiting { retry_in, .. } => *retry_in == Some(0),
            Self::Owned(ownership) => ownership.is_due(),
        }
    }

    pub(super) fn tick(&mut self, tokens: i16) {
        match self {
            Self::Vacant | Self::Waiting { retry_in: None, .. } => {}
            Self::Asking { reply_in: left, .. } | Self::Waiting { retry_in: Some(left), .. } => {
                count_down(left);
            }
            Self::Owned(ownership) => ownership.tick(tokens),
        }
    }
}
