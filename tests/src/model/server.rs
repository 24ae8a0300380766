use crate::model::message::{Command, Event, Grant, Reply};
use crate::model::mutation::Mutation;
use crate::model::settings::Settings;
use crate::model::ticket::Ticket;
use crate::model::ticks::{DIRECT_LEASE, LEASE, Ticks, count_down};

/// What the server knows: the owner key, the queue, the last token. Its scripts, one command each.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Server {
    pub(super) owner: Option<Owner>,
    pub(super) queue: Vec<Ticket>,
    /// The last token handed out, counted from the clock as it stands now; none when the clock has passed it.
    fence: Option<i16>,
    /// Which nodes have a subscription, as far as the server knows.
    pub(super) subscribed: Vec<bool>,
    /// The last token that was ever handed out, whatever the server remembers; it is only looked at.
    pub(super) last_token: Option<i16>,
    /// Whether every grant had tokens above all earlier ones.
    pub(super) tokens_grew: bool,
    /// Whether any grant went to a node that was known to be gone.
    pub(super) granted_to_the_dead: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Owner {
    pub(super) ticket: Ticket,
    pub(super) left: Ticks,
    /// How often it has to be released: once, unless a mutation counts.
    count: u8,
}

impl Server {
    pub(super) fn new(nodes: usize) -> Self {
        Self {
            owner: None,
            queue: Vec::new(),
            fence: None,
            subscribed: vec![true; nodes],
            last_token: None,
            tokens_grew: true,
            granted_to_the_dead: false,
        }
    }

    /// Loses all it knows.
    pub(super) fn forget(&mut self) {
        self.owner = None;
        self.queue.clear();
        self.fence = None;
    }

    /// Carries out one command; events are handed to `publish`.
    pub(super) fn execute(
        &mut self,
        settings: &Settings,
        command: Command,
        publish: &mut impl FnMut(u8, Event),
    ) -> Reply {
        match command {
            Command::Acquire { ticket } => self.acquire(settings, ticket, publish),
            Command::Release { ticket, requeue } => self.release(settings, ticket, requeue, publish),
            Command::Renew { ticket, lease } => self.renew(settings, ticket, lease),
            Command::Cancel { ticket } => {
                self.queue.retain(|queued| *queued != ticket);
                if self.is_owner(ticket) {
                    self.owner = None;
                }
                self.help_along(settings, publish);
                Reply::Cancelled { ticket }
            }
        }
    }

    fn acquire(&mut self, settings: &Settings, ticket: Ticket, publish: &mut impl FnMut(u8, Event)) -> Reply {
        let repeated = self.is_owner(ticket);
        if self.owner.is_none() && !self.pass_on(settings, Some(ticket), publish) {
            self.own(ticket, LEASE, 1);
        }
        if self.is_owner(ticket) {
            let (mut lease, mut count) = (LEASE, 1);
            if repeated && let Some(owner) = &self.owner {
                if !settings.is(Mutation::AcquireShortens) {
                    lease = lease.max(owner.left);
                }
                count = owner.count + u8::from(settings.is(Mutation::AcquireCounts));
            }
            return self.granted(settings, ticket, lease, count, None);
        }
        if !self.queue.contains(&ticket) {
            self.queue.push(ticket);
        }
        if let Some(owner) = &self.owner {
            publish(owner.ticket.node, Event::Wanted(owner.ticket));
        }
        self.busy(ticket, None)
    }

    fn release(
        &mut self,
        settings: &Settings,
        ticket: Ticket,
        requeue: Option<Ticket>,
        publish: &mut impl FnMut(u8, Event),
    ) -> Reply {
        match &mut self.owner {
            Some(owner) if owner.ticket == ticket || settings.is(Mutation::ReleaseUnchecked) => {
                if owner.count > 1 {
                    owner.count -= 1;
                    return Reply::Released { ticket };
                }
            }
            _ => {
                if !settings.is(Mutation::LateReleaseHelpsNobody) {
                    self.help_along(settings, publish);
                }
                return Reply::Lost { ticket, requeue };
            }
        }
        self.owner = None;
        let Some(next) = requeue else {
            self.help_along(settings, publish);
            return Reply::Released { ticket };
        };
        self.queue.push(next);
        if self.pass_on(settings, Some(next), publish) && !self.is_owner(next) {
            self.busy(next, Some(ticket))
        } else {
            self.granted(settings, next, LEASE, 1, Some(ticket))
        }
    }

    fn renew(&mut self, settings: &Settings, ticket: Ticket, lease: Ticks) -> Reply {
        let held = self.is_owner(ticket);
        if held && let Some(owner) = &mut self.owner {
            owner.left = if settings.is(Mutation::RenewShortens) { lease } else { lease.max(owner.left) };
        }
        Reply::Renewed { ticket, lease, held }
    }

    /// Gives a key without an owner to the head of the queue.
    fn help_along(&mut self, settings: &Settings, publish: &mut impl FnMut(u8, Event)) {
        if self.owner.is_none() {
            self.pass_on(settings, None, publish);
        }
    }

    /// Makes the longest-queued ticket the owner and tells its node; a node without a subscription is skipped. When
    /// `asking` comes first it is the owner without being told. False when nobody is left.
    fn pass_on(
        &mut self,
        settings: &Settings,
        asking: Option<Ticket>,
        publish: &mut impl FnMut(u8, Event),
    ) -> bool {
        while !self.queue.is_empty() {
            let ticket = self.queue.remove(0);
            if asking == Some(ticket) {
                self.own(ticket, LEASE, 1);
                return true;
            }
            if !self.subscribed[usize::from(ticket.node)] {
                if !settings.is(Mutation::GrantToTheDead) {
                    continue;
                }
                self.granted_to_the_dead = true;
            }
            self.own(ticket, DIRECT_LEASE, 1);
            let token = self.next_tokens(settings);
            publish(ticket.node, Event::Granted(self.grant(settings, ticket, token, DIRECT_LEASE)));
            return true;
        }
        false
    }

    fn own(&mut self, ticket: Ticket, lease: Ticks, count: u8) {
        self.owner = Some(Owner { ticket, left: lease, count });
    }

    fn is_owner(&self, ticket: Ticket) -> bool {
        self.owner.as_ref().is_some_and(|owner| owner.ticket == ticket)
    }

    fn granted(
        &mut self,
        settings: &Settings,
        ticket: Ticket,
        lease: Ticks,
        count: u8,
        released: Option<Ticket>,
    ) -> Reply {
        self.own(ticket, lease, count);
        let token = self.next_tokens(settings);
        Reply::Granted { grant: self.grant(settings, ticket, token, LEASE), released }
    }

    fn grant(&self, settings: &Settings, ticket: Ticket, token: i16, lease: Ticks) -> Grant {
        let others_queue = !self.queue.is_empty();
        let wanted = others_queue && !settings.is(Mutation::GrantSaysNothing);
        Grant { ticket, token, lease, wanted, others_queue }
    }

    fn busy(&self, ticket: Ticket, released: Option<Ticket>) -> Reply {
        let remaining = self.owner.as_ref().map_or(0, |owner| owner.left);
        Reply::Busy { ticket, remaining, released }
    }

    /// The first of a fresh block of tokens.
    fn next_tokens(&mut self, settings: &Settings) -> i16 {
        let counted = self.fence.map_or(0, |last| last + 1);
        let token = if settings.is(Mutation::TokensFromCounter) { counted } else { counted.max(0) };
        self.tokens_grew &= self.last_token.is_none_or(|last| token > last);
        let last = token + settings.block - 1;
        self.fence = Some(last);
        self.last_token = self.last_token.max(Some(last));
        token
    }

    pub(super) fn tick(&mut self, tokens: i16) {
        if let Some(owner) = &mut self.owner {
            count_down(&mut owner.left);
            if owner.left == 0 {
                self.owner = None;
            }
        }
        // Tokens that the clock has passed count no more: the next are above them anyway.
        let age = |token: i16| Some(token - tokens).filter(|token| tokens == 0 || *token >= 0);
        self.fence = self.fence.and_then(age);
        self.last_token = self.last_token.and_then(age);
    }
}
