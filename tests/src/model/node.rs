use crate::model::context::Context;
use crate::model::message::{Command, Event, Grant, Reply};
use crate::model::mutation::Mutation;
use crate::model::ownership::Ownership;
use crate::model::phase::{Ask, Phase};
use crate::model::ticket::Ticket;
use crate::model::ticks::{LEASE, LONG_LEASE, PAUSE, SUBSCRIPTION, TURN, Ticks, count_down, renew_after};
use crate::model::tokens::Tokens;
use crate::model::unconfirmed::Unconfirmed;

/// One node: what the front knows of the key, and who waits for it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Node {
    pub(super) phase: Phase,
    /// How long each caller in the queue has waited.
    pub(super) queue: Vec<Ticks>,
    /// Callers that have not arrived yet.
    pub(super) expected: u8,
    pub(super) crashed: bool,
    /// How much longer the node may stand still; zero when it does not.
    pub(super) frozen: Ticks,
    /// How far a broken subscription is from standing again.
    pub(super) subscription: Subscription,
    pub(super) unconfirmed: Vec<Unconfirmed>,
    /// The last token that a guard of this node had.
    pub(super) shown: Option<i16>,
    /// Whether every guard had a token above those before it.
    pub(super) tokens_grew: bool,
}

/// Whether events reach the node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum Subscription {
    #[default]
    Stands,
    /// The node does not know yet.
    Broken(Ticks),
    /// The node knows, asks often, and subscribes again.
    Renewing(Ticks),
}

/// More failures in a row than this are told to the callers.
const FAILURES: u8 = 1;

impl Node {
    pub(super) fn new(expected: u8) -> Self {
        Self { expected, tokens_grew: true, ..Self::default() }
    }

    pub(super) fn acts(&self) -> bool {
        !self.crashed && self.frozen == 0
    }

    /// Whether a guard of this node is live by its own clock.
    pub(super) fn has_live_guard(&self, no_deadline: bool) -> bool {
        match &self.phase {
            Phase::Owned(ownership) if !self.crashed => {
                ownership.turn.is_some() && (ownership.is_live() || no_deadline)
            }
            _ => false,
        }
    }

    /// Whether the node has to do something before time goes on.
    pub(super) fn is_due(&self) -> bool {
        self.acts()
            && (self.timers_are_due()
                || matches!(self.subscription, Subscription::Broken(0) | Subscription::Renewing(0))
                || matches!(&self.phase, Phase::Owned(ownership) if ownership.turn == Some(TURN)))
    }

    pub(super) fn timers_are_due(&self) -> bool {
        self.phase.is_due() || self.unconfirmed.iter().any(Unconfirmed::is_due)
    }

    /// Whether the node would still do something if it were left alone.
    pub(super) fn is_busy(&self) -> bool {
        !self.crashed
            && (self.phase != Phase::Vacant
                || self.frozen > 0
                || !self.unconfirmed.is_empty()
                || self.subscription != Subscription::Stands)
    }

    /// A caller asks for the key.
    pub(super) fn arrive(&mut self, cx: &mut Context<'_>) {
        self.expected -= 1;
        self.queue.push(0);
        match &self.phase {
            Phase::Vacant => self.ask(cx),
            Phase::Owned(ownership) if ownership.turn.is_none() || !ownership.is_live() => self.pass_on(cx),
            _ => {}
        }
    }

    /// Whether a caller may still ask for the key.
    pub(super) fn may_ask(&self) -> bool {
        !self.crashed && (self.expected > 0 || !self.queue.is_empty())
    }

    /// The caller in the given place gives up waiting.
    pub(super) fn leave(&mut self, cx: &mut Context<'_>, place: usize) {
        self.queue.remove(place);
        if self.queue.is_empty()
            && let Phase::Waiting { ask, .. } = &self.phase
        {
            let ticket = ask.ticket;
            if !cx.settings.is(Mutation::NoCancel) {
                self.cancel(cx, ticket);
            }
            self.phase = Phase::Vacant;
        }
    }

    /// The guard ends its turn.
    pub(super) fn end_turn(&mut self, cx: &mut Context<'_>) {
        self.pass_on(cx);
    }

    /// The guard asks for a longer lease.
    pub(super) fn extend(&self, cx: &mut Context<'_>) {
        if let Phase::Owned(ownership) = &self.phase {
            cx.send(Command::Renew { ticket: ownership.ticket, lease: LONG_LEASE });
        }
    }

    /// Takes the reply to a command that was sent `age` ago.
    pub(super) fn replied(&mut self, cx: &mut Context<'_>, reply: Reply, age: Ticks) {
        match reply {
            Reply::Granted { grant, released } => {
                self.confirm_release(released);
                let age = if cx.settings.is(Mutation::DeadlineFromReply) { 0 } else { age };
                self.granted(cx, &grant, age);
            }
            Reply::Busy { ticket, remaining, released } => {
                self.confirm_release(released);
                self.busy(cx, ticket, remaining);
            }
            Reply::Released { ticket } => self.confirm_release(Some(ticket)),
            Reply::Lost { ticket, requeue } => {
                self.confirm_release(Some(ticket));
                // Not requeued: the new ticket asks for itself.
                if let Some(next) = requeue {
                    cx.send(Command::Acquire { ticket: next });
                    if let Phase::Asking { ask, .. } = self.phase
                        && ask.ticket == next
                    {
                        self.phase = Phase::asking(ask);
                    }
                }
            }
            Reply::Renewed { ticket, lease, held } => self.renewed(cx, ticket, lease, age, held),
            Reply::Cancelled { ticket } => self.unconfirmed.retain(|sent| !sent.is_cancel_of(ticket)),
        }
    }

    /// Takes an event that the server sent `age` ago.
    pub(super) fn told(&mut self, cx: &mut Context<'_>, event: Event, age: Ticks) {
        match event {
            Event::Granted(grant) => {
                let age = if cx.settings.is(Mutation::DeadlineFromEvent) { 0 } else { age };
                self.granted(cx, &grant, age);
            }
            Event::Wanted(ticket) => self.wanted(cx, ticket),
        }
    }

    fn granted(&mut self, cx: &mut Context<'_>, grant: &Grant, age: Ticks) {
        let stale = self.shown.is_some_and(|shown| grant.tokens.first <= shown);
        if self.phase.asks_for(grant.ticket) {
            // A late word of an earlier grant of this ticket, whose tokens were shown: the answer is still to come.
            if stale && !cx.settings.is(Mutation::StaleGrantTaken) {
                return;
            }
            self.phase = Phase::Owned(Ownership::new(grant, age, self.phase.known()));
            self.pass_on(cx);
        } else if self.phase.ticket() != Some(grant.ticket) && !cx.settings.is(Mutation::OrphanKept) {
            self.release(cx, grant.ticket, None, Some(grant.tokens));
        }
    }

    fn wanted(&mut self, cx: &mut Context<'_>, ticket: Ticket) {
        match &mut self.phase {
            Phase::Owned(ownership) if ownership.ticket == ticket => {
                ownership.note_wanted();
                if ownership.turn.is_none() {
                    self.pass_on(cx);
                }
            }
            // The event may overtake the reply, which is from before.
            Phase::Asking { ask, .. } | Phase::Waiting { ask, .. } if ask.ticket == ticket => {
                ask.known.note(!cx.settings.is(Mutation::WantedTooEarly), true);
            }
            // A late copy of a command of ours owns the key for nobody.
            _ if cx.settings.is(Mutation::NoReclaim) => {}
            _ => cx.send(Command::Release { ticket, requeue: None, rest: None }),
        }
    }

    fn busy(&mut self, cx: &mut Context<'_>, ticket: Ticket, remaining: Ticks) {
        let Phase::Asking { ask, .. } = self.phase else {
            return;
        };
        if ask.ticket != ticket {
            return;
        }
        if self.queue.is_empty() {
            if !cx.settings.is(Mutation::NoCancel) {
                self.cancel(cx, ticket);
            }
            self.phase = Phase::Vacant;
            return;
        }
        let retry_in = match self.subscription {
            _ if ask.again => 0,
            Subscription::Renewing(_) => PAUSE,
            _ => remaining,
        };
        self.wait(cx, Ask::new(ticket), retry_in);
    }

    fn failed(&mut self, cx: &mut Context<'_>, ask: Ask) {
        if ask.failures < FAILURES && !self.queue.is_empty() {
            self.phase =
                Phase::Waiting { ask: Ask { failures: ask.failures + 1, ..ask }, retry_in: Some(PAUSE) };
            return;
        }
        // The callers are told that the backend is away.
        self.cancel(cx, ask.ticket);
        self.phase = Phase::Vacant;
        self.queue.clear();
    }

    fn renewed(&mut self, cx: &mut Context<'_>, ticket: Ticket, lease: Ticks, age: Ticks, held: bool) {
        let Phase::Owned(ownership) = &mut self.phase else {
            return;
        };
        if ownership.ticket != ticket {
            return;
        }
        if held {
            ownership.left = ownership.left.max(lease - age);
            ownership.renew_in = (renew_after(lease) - age).max(0);
        } else if self.queue.is_empty() {
            let rest = ownership.tokens.rest();
            self.phase = Phase::Vacant;
            self.release(cx, ticket, None, rest);
        } else {
            self.ask(cx);
        }
    }

    /// Does what time demands.
    pub(super) fn round(&mut self, cx: &mut Context<'_>) {
        for sent in &mut self.unconfirmed {
            if sent.is_due() {
                cx.sent.extend(sent.again());
            }
        }
        self.unconfirmed.retain(|sent| !sent.is_over());
        if !self.phase.is_due() {
            return;
        }
        match &mut self.phase {
            Phase::Vacant => {}
            Phase::Asking { ask, .. } => {
                let ask = *ask;
                self.failed(cx, ask);
            }
            Phase::Waiting { ask, .. } => {
                let ask = *ask;
                cx.send(Command::Acquire { ticket: ask.ticket });
                self.phase = Phase::asking(ask);
            }
            Phase::Owned(ownership) => {
                let unaware = cx.settings.is(Mutation::NoDeadline) && ownership.turn.is_some();
                if (ownership.is_live() || unaware) && ownership.idle != Some(0) {
                    ownership.renew_in = (ownership.left / 4).max(1);
                    cx.send(Command::Renew { ticket: ownership.ticket, lease: LEASE });
                } else {
                    self.pass_on(cx);
                }
            }
        }
    }

    /// The subscription is known to be broken, or stands again: ask again for what is waited for.
    pub(super) fn subscription_moves(&mut self, cx: &mut Context<'_>) {
        self.subscription = match self.subscription {
            Subscription::Broken(_) => Subscription::Renewing(SUBSCRIPTION),
            Subscription::Renewing(_) | Subscription::Stands => Subscription::Stands,
        };
        if cx.settings.is(Mutation::NoAskAfterCut) {
            return;
        }
        match &mut self.phase {
            Phase::Waiting { retry_in, .. } => *retry_in = Some(0),
            // The reply may be older than what was missed.
            Phase::Asking { ask, .. } => ask.again = true,
            Phase::Vacant | Phase::Owned(_) => {}
        }
    }

    /// The turn is over: the next local caller, another node, or nobody comes next.
    fn pass_on(&mut self, cx: &mut Context<'_>) {
        let Phase::Owned(ownership) = &mut self.phase else {
            return;
        };
        let (ticket, live) = (ownership.ticket, ownership.is_live());
        if self.queue.is_empty() {
            if !(live && ownership.end_turn(cx.settings)) {
                let rest = ownership.tokens.rest();
                self.phase = Phase::Vacant;
                self.release(cx, ticket, None, rest);
            }
        } else if live && ownership.may_hand_over(cx.settings) {
            if let Some(token) = ownership.begin_turn(cx.settings) {
                self.queue.remove(0);
                self.tokens_grew &= self.shown.is_none_or(|shown| token > shown);
                self.shown = self.shown.max(Some(token));
                cx.begun = Some(token);
            } else {
                let mut known = ownership.known;
                if cx.settings.is(Mutation::OvertakeRestarts) {
                    known.wanted = None;
                }
                cx.send(Command::Acquire { ticket });
                self.phase = Phase::asking(Ask { known, ..Ask::new(ticket) });
            }
        } else {
            let next = cx.fresh;
            self.phase = Phase::asking(Ask::new(next));
            self.release(cx, ticket, Some(next), None);
        }
    }

    fn ask(&mut self, cx: &mut Context<'_>) {
        cx.send(Command::Acquire { ticket: cx.fresh });
        self.phase = Phase::asking(Ask::new(cx.fresh));
    }

    fn wait(&mut self, cx: &Context<'_>, ask: Ask, retry_in: Ticks) {
        let retry_in = (!cx.settings.is(Mutation::NoRetryTimer)).then_some(retry_in);
        self.phase = Phase::Waiting { ask, retry_in };
    }

    fn release(
        &mut self,
        cx: &mut Context<'_>,
        ticket: Ticket,
        requeue: Option<Ticket>,
        rest: Option<Tokens>,
    ) {
        cx.send(Command::Release { ticket, requeue, rest });
        self.insist(Unconfirmed::release(
            ticket,
            rest.filter(|_| cx.settings.is(Mutation::RetryKeepsTokens)),
        ));
    }

    fn cancel(&mut self, cx: &mut Context<'_>, ticket: Ticket) {
        cx.send(Command::Cancel { ticket });
        self.insist(Unconfirmed::cancel(ticket));
    }

    fn insist(&mut self, sent: Unconfirmed) {
        self.unconfirmed.push(sent);
        self.unconfirmed.sort_unstable();
    }

    fn confirm_release(&mut self, ticket: Option<Ticket>) {
        self.unconfirmed.retain(|sent| !ticket.is_some_and(|ticket| sent.is_release_of(ticket)));
    }

    pub(super) fn tick(&mut self, tokens: i16) {
        if self.acts() {
            for waited in &mut self.queue {
                *waited = waited.saturating_add(1);
            }
        }
        count_down(&mut self.frozen);
        if let Subscription::Broken(left) | Subscription::Renewing(left) = &mut self.subscription {
            count_down(left);
        }
        self.phase.tick(tokens);
        for sent in &mut self.unconfirmed {
            sent.tick(tokens);
        }
        self.unconfirmed.sort_unstable();
        self.shown = self.shown.map(|shown| shown - tokens);
    }
}
