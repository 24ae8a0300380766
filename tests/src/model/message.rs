use std::fmt;

use crate::model::ticket::Ticket;
use crate::model::ticks::Ticks;
use crate::model::tokens::Tokens;

/// What a node asks of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Command {
    Acquire {
        ticket: Ticket,
    },
    /// `rest` is what `ticket` has left of its tokens.
    Release {
        ticket: Ticket,
        requeue: Option<Ticket>,
        rest: Option<Tokens>,
    },
    /// A release and an acquire that travel together: `old` gives the key back, and `new` asks for it after that.
    TakeAgain {
        old: Ticket,
        new: Ticket,
        rest: Option<Tokens>,
    },
    Renew {
        ticket: Ticket,
        lease: Ticks,
    },
    Cancel {
        ticket: Ticket,
    },
}

/// A release that a node has not sent yet: what it asks for may travel with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Unsent {
    pub(super) ticket: Ticket,
    pub(super) rest: Option<Tokens>,
}

/// What the server answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Reply {
    /// `released` is the ticket that was given back in the same step.
    Granted {
        grant: Grant,
        released: Option<Ticket>,
    },
    Busy {
        ticket: Ticket,
        remaining: Ticks,
        released: Option<Ticket>,
    },
    Released {
        ticket: Ticket,
    },
    Lost {
        ticket: Ticket,
        requeue: Option<Ticket>,
    },
    Renewed {
        ticket: Ticket,
        lease: Ticks,
        held: bool,
    },
    Cancelled {
        ticket: Ticket,
    },
}

/// What the server tells a node unasked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Event {
    Granted(Grant),
    Wanted(Ticket),
}

/// The server's word that a ticket owns the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Grant {
    pub(super) ticket: Ticket,
    pub(super) tokens: Tokens,
    pub(super) lease: Ticks,
    pub(super) wanted: bool,
    /// What `wanted` ought to be; it is only looked at.
    pub(super) others_queue: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Body {
    Command(Command),
    Reply(Reply),
    Event(Event),
}

/// Something on its way between the server and a node.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Message {
    pub(super) node: u8,
    pub(super) body: Body,
    /// How long ago the command was sent that this is, or answers; of an event, how long ago the server sent it.
    pub(super) age: Ticks,
    /// How long it may still be late. Zero: it arrives before the next tick.
    pub(super) late: Ticks,
}

impl Message {
    pub(super) fn is_command(&self) -> bool {
        matches!(self.body, Body::Command(_))
    }

    /// All tickets that it names.
    pub(super) fn tickets(&self) -> [Option<Ticket>; 2] {
        match self.body {
            Body::Command(Command::Release { ticket, requeue, .. })
            | Body::Reply(Reply::Lost { ticket, requeue }) => [Some(ticket), requeue],
            Body::Command(Command::TakeAgain { old, new, .. }) => [Some(old), Some(new)],
            Body::Command(
                Command::Acquire { ticket } | Command::Renew { ticket, .. } | Command::Cancel { ticket },
            )
            | Body::Reply(
                Reply::Released { ticket } | Reply::Renewed { ticket, .. } | Reply::Cancelled { ticket },
            )
            | Body::Event(Event::Wanted(ticket)) => [Some(ticket), None],
            Body::Reply(Reply::Granted { grant, released }) => [Some(grant.ticket), released],
            Body::Reply(Reply::Busy { ticket, released, .. }) => [Some(ticket), released],
            Body::Event(Event::Granted(grant)) => [Some(grant.ticket), None],
        }
    }

    /// The release that it is, if it is one of this node's that may not have been sent yet.
    pub(super) fn unsent(&self, node: u8) -> Option<Unsent> {
        match self.body {
            Body::Command(Command::Release { ticket, requeue: None, rest })
                if (self.node, self.age, self.late) == (node, 0, 0) =>
            {
                Some(Unsent { ticket, rest })
            }
            _ => None,
        }
    }

    /// The tokens that it brings along.
    pub(super) fn tokens(&self) -> Option<Tokens> {
        match self.body {
            Body::Command(Command::Release { rest, .. } | Command::TakeAgain { rest, .. }) => rest,
            Body::Reply(Reply::Granted { grant, .. }) | Body::Event(Event::Granted(grant)) => {
                Some(grant.tokens)
            }
            _ => None,
        }
    }

    /// Whether it may make its ticket known to somebody who can give the key back.
    pub(super) fn settles(&self, owner: Ticket) -> bool {
        !matches!(self.body, Body::Event(Event::Wanted(_)) | Body::Command(Command::Renew { .. }))
            && self.tickets().contains(&Some(owner))
    }

    pub(super) fn tick(&mut self, tokens: i16) {
        // Older than any lease is old enough.
        self.age = (self.age + 1).min(super::ticks::LONG_LEASE);
        self.late = (self.late - 1).max(0);
        match &mut self.body {
            // It was sent, and nothing joins it any more.
            Body::Command(Command::Release { rest, .. }) => *rest = None,
            Body::Command(Command::TakeAgain { rest: Some(held), .. })
            | Body::Reply(Reply::Granted { grant: Grant { tokens: held, .. }, .. })
            | Body::Event(Event::Granted(Grant { tokens: held, .. })) => held.tick(tokens),
            _ => {}
        }
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.body {
            Body::Command(command) => write!(f, "{command:?}")?,
            Body::Reply(reply) => write!(f, "reply {reply:?}")?,
            Body::Event(event) => write!(f, "event {event:?}")?,
        }
        if self.age > 0 {
            write!(f, " sent {} ticks ago", self.age)?;
        }
        Ok(())
    }
}
