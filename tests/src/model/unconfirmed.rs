use crate::model::message::Command;
use crate::model::ticket::Ticket;
use crate::model::ticks::{LEASE, RESPONSE_TIMEOUT, Ticks, count_down};

/// A release or a cancellation that is sent until it is confirmed, or until the lease is over anyway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Unconfirmed {
    pub(super) ticket: Ticket,
    release: bool,
    again_in: Ticks,
    until: Ticks,
}

impl Unconfirmed {
    pub(super) fn release(ticket: Ticket) -> Self {
        Self { ticket, release: true, again_in: RESPONSE_TIMEOUT, until: LEASE }
    }

    pub(super) fn cancel(ticket: Ticket) -> Self {
        Self { release: false, ..Self::release(ticket) }
    }

    pub(super) fn is_release_of(&self, ticket: Ticket) -> bool {
        self.release && self.ticket == ticket
    }

    pub(super) fn is_cancel_of(&self, ticket: Ticket) -> bool {
        !self.release && self.ticket == ticket
    }

    pub(super) fn is_due(&self) -> bool {
        self.again_in == 0 || self.is_over()
    }

    /// Whether sending it once more makes no difference: the lease is over.
    pub(super) fn is_over(&self) -> bool {
        self.until == 0
    }

    /// The command to send once more, unless it is too late.
    pub(super) fn again(&mut self) -> Option<Command> {
        self.again_in = RESPONSE_TIMEOUT;
        (!self.is_over()).then_some(if self.release {
            Command::Release { ticket: self.ticket, requeue: None }
        } else {
            Command::Cancel { ticket: self.ticket }
        })
    }

    pub(super) fn tick(&mut self) {
        count_down(&mut self.again_in);
        count_down(&mut self.until);
    }
}
