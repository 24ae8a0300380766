use std::fmt;

use crate::model::ticket::Ticket;
use crate::model::ticks::Ticks;

/// What a node asks of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Command {
    Acquire { ticket: Ticket },
    Release { ticket: Ticket, requeue: Option<Ticket> },
    Renew { ticket: Ticket, lease: Ticks },
    Cancel { ticket: Ticket },
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
    /// The first token of the block, counted from the clock as it stands now.
    pub(super) token: i16,
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
            Body::Command(Command::Release { ticket, requeue })
            | Body::Reply(Reply::Lost { ticket, requeue }) => [Some(ticket), requeue],
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

    /// Whether it may make its ticket known to somebody who can give the key back.
    pub(super) fn settles(&self, owner: Ticket) -> bool {
        !matches!(self.body, Body::Event(Event::Wanted(_)) | Body::Command(Command::Renew { .. }))
            && self.tickets().contains(&Some(owner))
    }

    pub(super) fn tick(&mut self, tokens: i16) {
        // Older than any lease is old enough.
        self.age = (self.age + 1).min(super::ticks::LONG_LEASE);
        self.late = (self.late - 1).max(0);
        if let Body::Reply(Reply::Granted { grant, .. }) | Body::Event(Event::Granted(grant)) = &mut self.body
        {
            grant.token -= tokens;
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
