use std::time::Duration;

use tokio::time::Instant;

use crate::backend::{AcquireRequest, CancelRequest};
use crate::front::effects::Command;
use crate::front::key_state::Context;
use crate::front::ownership::Wanted;
use crate::key::LockKey;
use crate::ticket::Ticket;
use crate::token::FencingToken;

/// Tokens a first grant asks for. Few, so that tokens do not run ahead of the clock they follow: after a backend lost
/// its data they go on from the clock.
pub(crate) const GRANT_BLOCK: u32 = 32;
/// Tokens asked for when a block was used up by local turns.
pub(crate) const REFILL_BLOCK: u32 = 1024;

/// An attempt to own the key.
pub(crate) struct Ask {
    pub(crate) ticket: Ticket,
    pub(crate) lease: Duration,
    pub(crate) wait: bool,
    pub(crate) failing_since: Option<Instant>,
    pub(crate) failures: u32,
    /// Set when the ticket owns the key and asks for more tokens.
    pub(crate) refill: Option<Refill>,
    /// Something happened meanwhile that the reply may not know of.
    pub(crate) again: bool,
    /// Other nodes queue for a key that the ticket owns, whether or not this node has heard of its grant.
    pub(crate) wanted: Option<Wanted>,
}

/// What an owner that asks for more tokens has to remember.
pub(crate) struct Refill {
    /// Tokens below were handed out already; a grant with such tokens is an old one that comes late.
    pub(crate) above: FencingToken,
}

impl Ask {
    pub(crate) fn new(ticket: Ticket, lease: Duration, wait: bool) -> Self {
        Self {
            ticket,
            lease,
            wait,
            failing_since: None,
            failures: 0,
            refill: None,
            again: false,
            wanted: None,
        }
    }

    pub(crate) fn request(&self, key: &LockKey, block: u32) -> AcquireRequest {
        AcquireRequest::new(key.clone(), self.ticket, self.lease).wait(self.wait).block(block)
    }

    /// Leaves the backend's queue, or gives the key back if it was granted meanwhile.
    pub(crate) fn cancel(&self, cx: &Context<'_>) -> Command {
        Command::Cancel {
            request: CancelRequest::new(cx.key.clone(), self.ticket, self.lease),
            until: cx.now + self.lease,
        }
    }
}
