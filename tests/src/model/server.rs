use crate::model::message::{Command, Event, Grant, Reply};
use crate::model::mutation::Mutation;
use crate::model::settings::Settings;
use crate::model::ticket::Ticket;
use crate::model::ticks::{DIRECT_LEASE, LEASE, Ticks, count_down};
use crate::model::tokens::Tokens;

/// What the server knows: the owner key, the queue, the last token. Its scripts, one command each.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Server {
    pub(super) owner: Option<Owner>,
    pub(super) queue: Vec<Ticket>,
    /// The last token handed out, counted from the clock as it stands now; none when the clock has passed it and nobody
    /// may ask whether it stands there.
    fence: Option<i16>,
    /// Which nodes have a subscription, as far as the server knows.
    pub(super) subscribed: Vec<bool>,
    /// The last token that was ever handed out, whatever the server remembers, for as long as `fence` would be kept; it is
    /// only looked at.
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
            Command::Release { ticket, requeue, .. } => self.release(settings, ticket, requeue, publish),
            Command::TakeAgain { old, new, rest } => self.take_again(settings, old, new, rest, publish),
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

    /// Both in one step. When nobody queues and nobody was given tokens since those that are left, they go on.
    fn take_again(
        &mut self,
        settings: &Settings,
        old: Ticket,
        new: Ticket,
        rest: Option<Tokens>,
        publish: &mut impl FnMut(u8, Event),
    ) -> Reply {
        if !self.is_owner(old) {
            // Which helps along those who queue, as far as that is done.
            self.release(settings, old, None, publish);
            return match self.acquire(settings, new, publish) {
                Reply::Granted { grant, .. } => Reply::Granted { grant, released: Some(old) },
                Reply::Busy { ticket, remaining, .. } => {
                    Reply::Busy { ticket, remaining, released: Some(old) }
                }
                other => other,
            };
        }
        match rest {
            Some(tokens)
                if self.queue.is_empty()
                    && (self.fence == Some(tokens.last) || settings.is(Mutation::GoOnUnchecked)) =>
            {
                self.tokens_grew &= self.last_token == Some(tokens.last);
                self.own(new, LEASE, 1);
                Reply::Granted { grant: self.grant(settings, new, tokens, LEASE), released: Some(old) }
            }
            _ => self.release(settings, old, Some(new), publish),
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
            let tokens = self.next_tokens(settings);
            publish(ticket.node, Event::Granted(self.grant(settings, ticket, tokens, DIRECT_LEASE)));
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
        let tokens = self.next_tokens(settings);
        Reply::Granted { grant: self.grant(settings, ticket, tokens, LEASE), released }
    }

    fn grant(&self, settings: &Settings, ticket: Ticket, tokens: Tokens, lease: Ticks) -> Grant {
        let others_queue = !self.queue.is_empty();
        let wanted = others_queue && !settings.is(Mutation::GrantSaysNothing);
        Grant { ticket, tokens, lease, wanted, others_queue }
    }

    fn busy(&self, ticket: Ticket, released: Option<Ticket>) -> Reply {
        let remaining = self.owner.as_ref().map_or(0, |owner| owner.left);
        Reply::Busy { ticket, remaining, released }
    }

    /// A fresh block of tokens.
    fn next_tokens(&mut self, settings: &Settings) -> Tokens {
        let counted = self.fence.map_or(0, |last| last + 1);
        let first = if settings.is(Mutation::TokensFromCounter) { counted } else { counted.max(0) };
        self.tokens_grew &= self.last_token.is_none_or(|last| first > last);
        let last = first + settings.block - 1;
        self.fence = Some(last);
        self.last_token = self.last_token.max(Some(last));
        Tokens { first, last }
    }

    pub(super) fn tick(&mut self, tokens: i16) {
        if let Some(owner) = &mut self.owner {
            count_down(&mut owner.left);
            if owner.left == 0 {
                self.owner = None;
            }
        }
        for token in [&mut self.fence, &mut self.last_token].into_iter().flatten() {
            *token -= tokens;
        }
    }

    /// Drops the tokens that the clock has passed, for the next are above them anyway; but for those that a ticket may
    /// still go on with.
    pub(super) fn tidy(&mut self, may_go_on: impl Fn(i16) -> bool) {
        for token in [&mut self.fence, &mut self.last_token] {
            *token = token.filter(|token| *token >= 0 || may_go_on(*token));
        }
    }

    /// Whether no token is left that the clock has yet to pass.
    pub(super) fn clock_has_passed(&self) -> bool {
        self.last_token.is_none_or(|last| last < 0)
    }

    /// Whether all tokens to come are above this one.
    pub(super) fn is_past(&self, token: i16) -> bool {
        token < 0 || self.fence.is_some_and(|last| last >= token)
    }
}
