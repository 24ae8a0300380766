use crate::model::message::{Command, Unsent};
use crate::model::ticket::Ticket;
use crate::model::ticks::{LEASE, RESPONSE_TIMEOUT, Ticks, count_down};
use crate::model::tokens::Tokens;

/// A release or a cancellation that is sent until it is confirmed, or until the lease is over anyway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Unconfirmed {
    pub(super) ticket: Ticket,
    release: bool,
    /// Tokens that the ticket had left. None, unless a rule is broken: once sent, a release knows of no tokens.
    pub(super) rest: Option<Tokens>,
    again_in: Ticks,
    until: Ticks,
}

impl Unconfirmed {
    pub(super) fn release(ticket: Ticket, rest: Option<Tokens>) -> Self {
        Self { ticket, release: true, rest, again_in: RESPONSE_TIMEOUT, until: LEASE }
    }

    pub(super) fn cancel(ticket: Ticket) -> Self {
        Self { release: false, ..Self::release(ticket, None) }
    }

    pub(super) fn is_release_of(&self, ticket: Ticket) -> bool {
        self.release && self.ticket == ticket
    }

    pub(super) fn is_cancel_of(&self, ticket: Ticket) -> bool {
        !self.release && self.ticket == ticket
    }

    /// The release that it is, if the next round sends it.
    pub(super) fn unsent(&self) -> Option<Unsent> {
        let is_next = self.release && self.again_in == 0 && !self.is_over();
        is_next.then_some(Unsent { ticket: self.ticket, rest: self.rest })
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
            Command::Release { ticket: self.ticket, requeue: None, rest: self.rest }
        } else {
            Command::Cancel { ticket: self.ticket }
        })
    }

    pub(super) fn tick(&mut self, tokens: i16) {
        if let Some(rest) = &mut self.rest {
            rest.tick(tokens);
        }
        count_down(&mut self.again_in);
        count_down(&mut self.until);
    }
}
