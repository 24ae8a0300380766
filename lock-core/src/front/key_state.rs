use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::backend::{BackendError, Grant, ReleaseRequest, RenewRequest, Requeue};
use crate::error::LockError;
use crate::front::arrival::Arrival;
use crate::front::ask::{Ask, GRANT_BLOCK, REFILL_BLOCK, Refill};
use crate::front::effects::{Command, Effects};
use crate::front::ownership::{Ownership, Wanted};
use crate::front::queue::WaitQueue;
use crate::front::{Front, Handover, Term, Turn, jitter};
use crate::key::LockKey;
use crate::options::{LockOptions, Resolved};
use crate::ticket::Ticket;
use crate::token::FencingToken;

/// The first pause after a command that failed; doubled up to [`RETRY_MAX`].
const RETRY_FIRST: Duration = Duration::from_millis(20);
const RETRY_MAX: Duration = Duration::from_millis(500);
/// The longest pause after a grant whose lease was over when it came.
const LATE_PAUSE: Duration = Duration::from_millis(50);

/// What a transition needs to know of its surroundings.
pub(crate) struct Context<'a> {
    pub(crate) front: &'a Arc<Front>,
    pub(crate) key: &'a LockKey,
    pub(crate) now: Instant,
}

/// Everything this node knows of one key. A plain state machine: transitions never wait, and answer what to do next.
#[derive(Default)]
pub(crate) struct KeyState {
    phase: Phase,
    queue: WaitQueue,
    /// The place of the latest term, for the next one.
    place: Option<Arc<Term>>,
}

#[derive(Default)]
enum Phase {
    /// Nothing is owned or asked for, and nobody waits.
    #[default]
    Vacant,
    /// A command that may make this ticket the owner is on its way.
    Asking(Ask),
    /// The backend was busy or away; it is asked again at the time given, unless it grants before.
    Waiting { ask: Ask, retry_at: Instant },
    /// The ticket owns the key.
    Owned(Ownership),
}

impl KeyState {
    pub(crate) fn is_vacant(&self) -> bool {
        matches!(self.phase, Phase::Vacant) && self.queue.is_empty()
    }

    /// When somebody has to look at this key again.
    pub(crate) fn due(&self) -> Option<Instant> {
        match &self.phase {
            Phase::Vacant | Phase::Asking(_) => None,
            Phase::Waiting { retry_at, .. } => Some(*retry_at),
            Phase::Owned(ownership) => Some(ownership.due()),
        }
    }

    /// A caller asks for the key.
    pub(crate) fn arrive(&mut self, cx: &Context<'_>, options: &Resolved) -> (Arrival, Effects) {
        let mut effects = Effects::default();
        // Under the same mutex as the shutdown of this key, so that nobody slips in after it.
        if cx.front.is_closed() {
            return (Arrival::ShutDown, effects);
        }
        if let Some(turn) = self.take_at_once(cx, options) {
            return (Arrival::Turn(turn), effects);
        }
        let must_wait = match &self.phase {
            Phase::Vacant => false,
            Phase::Owned(ownership) => !ownership.is_idle() && ownership.term.is_live(cx.now),
            Phase::Asking(_) | Phase::Waiting { .. } => true,
        };
        if must_wait && options.wait.is_zero() {
            return (Arrival::Busy, effects);
        }
        if must_wait && self.queue.len() >= cx.front.config.max_waiters {
            return (Arrival::Overloaded, effects);
        }
        let id = cx.front.next_place();
        let verdict = self.queue.push(id, *options);
        let mut ask = None;
        match &self.phase {
            Phase::Vacant => {
                let attempt = Ask::new(cx.front.next_ticket(), options.lease, !options.wait.is_zero());
                ask = Some(attempt.request(cx.key, GRANT_BLOCK));
                self.phase = Phase::Asking(attempt);
            }
            // An idle key whose tokens are used up, or a term that ended unnoticed.
            Phase::Owned(_) if !must_wait => self.pass_on(cx, &mut effects),
            _ => {}
        }
        (Arrival::Queued { id, verdict, ask }, effects)
    }

    /// A caller asks for the key and gets it without any waiting: it is kept idle, or the backend has it at hand.
    pub(crate) fn take_at_once(&mut self, cx: &Context<'_>, options: &Resolved) -> Option<Turn> {
        if !self.queue.is_empty() {
            return None;
        }
        match &mut self.phase {
            Phase::Owned(ownership)
                if ownership.is_idle() && ownership.term.is_live(cx.now) && ownership.has_tokens() =>
            {
                Some(ownership.begin_turn(cx.front, options, cx.now))
            }
            Phase::Vacant => {
                let ticket = cx.front.next_ticket();
                let backend = &cx.front.backend;
                let grant = backend.acquire_at_once(cx.key, ticket, options.lease, GRANT_BLOCK, cx.now)?;
                let grant = Grant { lease: grant.lease.min(LockOptions::MAX_LEASE), ..grant };
                let how = Handover::Request;
                let term = Term::in_place_of(self.place.take(), cx.key, ticket, &grant);
                self.phase = Phase::Owned(Ownership::of(term, &grant, options.lease, how, cx.now));
                match &mut self.phase {
                    Phase::Owned(ownership) => Some(ownership.begin_turn(cx.front, options, cx.now)),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// A caller gives up waiting; false when it was called up already.
    pub(crate) fn leave(&mut self, cx: &Context<'_>, id: u64) -> (bool, Effects) {
        let mut effects = Effects::default();
        let removed = self.queue.remove(id);
        if removed
            && self.queue.is_empty()
            && let Phase::Waiting { ask, .. } = &self.phase
        {
            effects.command = Some(ask.cancel(cx));
            self.phase = Phase::Vacant;
        }
        (removed, effects)
    }

    /// The backend made a ticket the owner.
    pub(crate) fn granted(
        &mut self,
        cx: &Context<'_>,
        ticket: Ticket,
        grant: &Grant,
        how: Handover,
    ) -> Effects {
        let mut effects = Effects::default();
        // What a backend says of a lease is not relied on for longer than anybody asks for.
        let grant = &Grant { lease: grant.lease.min(LockOptions::MAX_LEASE), ..*grant };
        match &self.phase {
            Phase::Asking(Ask { ticket: asked, refill: Some(refill), .. })
            | Phase::Waiting { ask: Ask { ticket: asked, refill: Some(refill), .. }, .. }
                if *asked == ticket && grant.token < refill.above => {}
            Phase::Asking(ask) | Phase::Waiting { ask, .. } if ask.ticket == ticket => {
                let mut ownership = Ownership::new(cx.key, ticket, grant, ask.lease, how, cx.now);
                ownership.carry_on(ask.wanted);
                if ownership.term.is_live(cx.now) {
                    self.phase = Phase::Owned(ownership);
                    self.pass_on(cx, &mut effects);
                } else {
                    self.came_too_late(cx, &ownership, &mut effects);
                }
            }
            // Said twice, by the reply and by an event.
            Phase::Owned(ownership) if ownership.ticket() == ticket => {}
            _ => {
                let orphan = Ownership::new(cx.key, ticket, grant, grant.lease, how, cx.now);
                effects.command = Some(release(&orphan, cx));
            }
        }
        effects
    }

    /// The backend says that another ticket owns the key.
    pub(crate) fn busy(&mut self, cx: &Context<'_>, ticket: Ticket, remaining: Duration) -> Effects {
        let mut effects = Effects::default();
        let Phase::Asking(ask) = &mut self.phase else {
            return effects;
        };
        if ask.ticket != ticket {
            return effects;
        }
        ask.failing_since = None;
        ask.failures = 0;
        let queued = std::mem::replace(&mut ask.wait, true);
        self.refuse_impatient(cx, &mut effects);
        let Phase::Asking(ask) = &mut self.phase else {
            return effects;
        };
        ask.wanted = None;
        match (self.queue.is_empty(), queued) {
            (true, true) => {
                effects.command = Some(ask.cancel(cx));
                self.phase = Phase::Vacant;
            }
            (true, false) => self.phase = Phase::Vacant,
            (false, true) => {
                let again = std::mem::take(&mut ask.again);
                let pause = if again { Duration::ZERO } else { cx.front.retry_after(remaining) };
                self.wait_until(cx.now + pause);
            }
            // Somebody who is ready to wait joined behind a caller who was not.
            (false, false) => effects.command = Some(Command::Acquire(ask.request(cx.key, GRANT_BLOCK))),
        }
        effects
    }

    /// The backend could not carry out the command that was to make `ticket` the owner.
    pub(crate) fn failed(&mut self, cx: &Context<'_>, ticket: Ticket, error: &BackendError) -> Effects {
        let mut effects = Effects::default();
        let Phase::Asking(ask) = &mut self.phase else {
            return effects;
        };
        if ask.ticket != ticket {
            return effects;
        }
        let since = *ask.failing_since.get_or_insert(cx.now);
        if error.is_transient() && cx.now - since < cx.front.config.patience && !self.queue.is_empty() {
            let pause = RETRY_MAX.min(RETRY_FIRST * 2u32.saturating_pow(ask.failures));
            ask.failures += 1;
            self.wait_until(cx.now + jitter(pause));
            return effects;
        }
        // Also after a refusal: a script may fail when half of it is done.
        effects.command = Some(ask.cancel(cx));
        self.phase = Phase::Vacant;
        self.refuse_all(&mut effects, || LockError::Unavailable {
            key: cx.key.clone(),
            source: error.clone(),
        });
        effects
    }

    /// A guard ends its turn; the flag says whether the key was held until now.
    pub(crate) fn end_turn(
        &mut self,
        cx: &Context<'_>,
        ticket: Ticket,
        token: FencingToken,
    ) -> (bool, Effects) {
        let mut effects = Effects::default();
        match &mut self.phase {
            Phase::Owned(ownership)
                if ownership.ticket() == ticket && ownership.term.turn() == Some(token) =>
            {
                let held = ownership.term.has_turn(token, cx.now);
                self.pass_on(cx, &mut effects);
                (held, effects)
            }
            _ => (false, effects),
        }
    }

    /// The same, if it is all that is to be done: nobody waits, and the key is kept idle or the backend takes it back at
    /// once. Else false, and the turn is yet to be ended.
    pub(crate) fn end_turn_at_once(&mut self, front: &Front, ticket: Ticket, token: FencingToken) -> bool {
        match &mut self.phase {
            Phase::Owned(ownership)
                if ownership.ticket() == ticket
                    && ownership.term.turn() == Some(token)
                    && self.queue.is_empty()
                    && !ownership.term.is_lost() =>
            {
                if ownership.is_retained() {
                    let now = Instant::now();
                    ownership.term.is_live(now) && {
                        ownership.term.end_turn();
                        ownership.rest(now);
                        true
                    }
                } else {
                    // For an instant others may own the key while a view of this turn says that it is held. Whoever ends
                    // a turn has stopped using it.
                    let is_free = front.release_at_once(ownership);
                    if is_free {
                        ownership.term.end_turn();
                        if let Phase::Owned(ownership) = std::mem::take(&mut self.phase) {
                            self.place = Some(ownership.term);
                        }
                    }
                    is_free
                }
            }
            _ => false,
        }
    }

    /// The backend answered a renewal.
    pub(crate) fn renewed(
        &mut self,
        cx: &Context<'_>,
        request: &RenewRequest,
        since: Instant,
        held: bool,
    ) -> Effects {
        let mut effects = Effects::default();
        let Phase::Owned(ownership) = &mut self.phase else {
            return effects;
        };
        if ownership.ticket() != request.ticket {
            return effects;
        }
        if held {
            ownership.term.prolong(super::term::deadline(since, request.lease));
            ownership.renew_at = since + request.lease / 3;
            return effects;
        }
        tracing::warn!(key = %cx.key, "lock lost: the backend has another owner, or none");
        ownership.term.lose();
        match self.queue.head() {
            Some(head) => {
                let ask = Ask::new(cx.front.next_ticket(), head.lease, true);
                effects.command = Some(Command::Acquire(ask.request(cx.key, GRANT_BLOCK)));
                self.phase = Phase::Asking(ask);
            }
            None => {
                // Those who queue elsewhere need not wait until one of them asks.
                effects.command = Some(release(ownership, cx));
                self.phase = Phase::Vacant;
            }
        }
        effects
    }

    /// Another node queues for the key.
    pub(crate) fn wanted(&mut self, cx: &Context<'_>, ticket: Ticket) -> Effects {
        let mut effects = Effects::default();
        match &mut self.phase {
            Phase::Owned(ownership) if ownership.ticket() == ticket => {
                ownership.note_wanted(cx.now);
                if ownership.is_idle() {
                    self.pass_on(cx, &mut effects);
                }
            }
            // The event may overtake the grant, which may be from before others queued.
            Phase::Asking(ask) | Phase::Waiting { ask, .. } if ask.ticket == ticket => {
                ask.wanted.get_or_insert(Wanted::since(cx.now));
            }
            // A late copy of a command of ours, carried out after we had given up, owns the key for nobody.
            _ => {
                let request = ReleaseRequest::new(cx.key.clone(), ticket, FencingToken::new(u64::MAX));
                effects.command = Some(Command::Reclaim(request));
            }
        }
        effects
    }

    /// Does what time demands.
    pub(crate) fn tick(&mut self, cx: &Context<'_>, renewals: &mut Vec<RenewRequest>) -> Effects {
        let mut effects = Effects::default();
        match &mut self.phase {
            Phase::Waiting { ask, retry_at } if *retry_at <= cx.now => {
                effects.command = Some(Command::Acquire(ask.request(cx.key, GRANT_BLOCK)));
                let Phase::Waiting { ask, .. } = std::mem::take(&mut self.phase) else {
                    return effects;
                };
                self.phase = Phase::Asking(ask);
            }
            Phase::Owned(ownership) => {
                let ended = [ownership.term.turn_end(), ownership.idle_until]
                    .into_iter()
                    .flatten()
                    .any(|end| end <= cx.now);
                if ended || !ownership.term.is_live(cx.now) {
                    ownership.forget_retention();
                    self.pass_on(cx, &mut effects);
                } else if ownership.renewal_is_due(cx.now) {
                    renewals.push(ownership.renew_request());
                }
            }
            _ => {}
        }
        effects
    }

    /// Events may have been missed: asks again for a key that is waited for, and takes for granted that a key that is
    /// owned is wanted elsewhere.
    pub(crate) fn catch_up(&mut self, cx: &Context<'_>) -> Effects {
        match &self.phase {
            Phase::Owned(ownership) => self.wanted(cx, ownership.ticket()),
            _ => {
                self.ask_again_at(cx.now);
                Effects::default()
            }
        }
    }

    /// Events may be missed from now on: ask again at `at`.
    pub(crate) fn ask_again_at(&mut self, at: Instant) {
        match &mut self.phase {
            Phase::Waiting { retry_at, .. } => *retry_at = (*retry_at).min(at),
            // The reply that is under way may be from before.
            Phase::Asking(ask) => ask.again = true,
            Phase::Vacant | Phase::Owned(_) => {}
        }
    }

    /// What gives an idle key back when nobody is left to do it later.
    pub(crate) fn idle_release(&self) -> Option<ReleaseRequest> {
        match &self.phase {
            Phase::Owned(ownership) => Some(ownership.release_request()),
            _ => None,
        }
    }

    /// Gives everything back; guards that are still out are lost.
    pub(crate) fn shut_down(&mut self, cx: &Context<'_>) -> Effects {
        let mut effects = Effects::default();
        match std::mem::take(&mut self.phase) {
            Phase::Owned(ownership) => {
                ownership.term.lose();
                effects.command = Some(release(&ownership, cx));
            }
            Phase::Asking(ask) | Phase::Waiting { ask, .. } => effects.command = Some(ask.cancel(cx)),
            Phase::Vacant => {}
        }
        self.refuse_all(&mut effects, || LockError::ShutDown);
        effects
    }

    /// The turn is over: the next local waiter, another node, or nobody comes next.
    fn pass_on(&mut self, cx: &Context<'_>, effects: &mut Effects) {
        let Phase::Owned(ownership) = &mut self.phase else {
            return;
        };
        ownership.term.end_turn();
        let live = ownership.term.is_live(cx.now);
        if !live {
            tracing::warn!(key = %cx.key, "lock lost: its lease ran out before it was renewed");
            ownership.term.lose();
            self.refuse_impatient(cx, effects);
        }
        let Phase::Owned(ownership) = &mut self.phase else {
            return;
        };
        let Some(head) = self.queue.head() else {
            let command = release(ownership, cx);
            if !live || !self.rest(cx) {
                effects.command = Some(command);
                self.phase = Phase::Vacant;
            }
            return;
        };
        if live && ownership.may_hand_over(cx.now) {
            if !ownership.has_tokens() {
                let mut ask = Ask::new(ownership.ticket(), head.lease, true);
                ask.refill = Some(Refill { above: ownership.end_token() });
                ask.wanted = ownership.wanted();
                effects.command = Some(Command::Acquire(ask.request(cx.key, REFILL_BLOCK)));
                self.phase = Phase::Asking(ask);
            } else if let Some(waiter) = self.queue.pop() {
                let turn = ownership.begin_turn(cx.front, &waiter.options, cx.now);
                effects.grant = Some((waiter, turn));
            }
            return;
        }
        let ask = Ask::new(cx.front.next_ticket(), head.lease, true);
        let requeue = Requeue { ticket: ask.ticket, lease: ask.lease, block: GRANT_BLOCK };
        effects.command = Some(match release(ownership, cx) {
            Command::Release { request, until } => {
                Command::Release { request: request.requeue(requeue), until }
            }
            other => other,
        });
        self.phase = Phase::Asking(ask);
    }

    /// Nobody waits: keeps the key idle or gives it back, if that needs no command.
    fn rest(&mut self, cx: &Context<'_>) -> bool {
        let Phase::Owned(ownership) = &mut self.phase else {
            return false;
        };
        if ownership.is_retained() {
            ownership.rest(cx.now);
            return true;
        }
        let is_free = cx.front.release_at_once(ownership);
        if is_free {
            self.phase = Phase::Vacant;
        }
        is_free
    }

    /// The lease of a grant was over when the grant came: it is shorter than a round trip takes now, or this process
    /// was frozen. Callers who wait ask again, but not at once.
    fn came_too_late(&mut self, cx: &Context<'_>, late: &Ownership, effects: &mut Effects) {
        tracing::warn!(key = %cx.key, "a lock's lease was over before its grant arrived");
        effects.command = Some(release(late, cx));
        self.phase = Phase::Vacant;
        self.refuse_impatient(cx, effects);
        if let Some(head) = self.queue.head() {
            let ask = Ask::new(cx.front.next_ticket(), head.lease, true);
            let retry_at = cx.now + jitter(LATE_PAUSE);
            self.phase = Phase::Waiting { ask, retry_at };
        }
    }

    /// Callers that do not wait may stand anywhere: they joined a key that seemed to be ours already.
    fn refuse_impatient(&mut self, cx: &Context<'_>, effects: &mut Effects) {
        for waiter in self.queue.take_impatient() {
            let timeout = LockError::Timeout { key: cx.key.clone(), waited: Duration::ZERO };
            effects.refused.push((waiter.verdict, timeout));
        }
    }

    fn wait_until(&mut self, retry_at: Instant) {
        if let Phase::Asking(ask) = std::mem::take(&mut self.phase) {
            self.phase = Phase::Waiting { ask, retry_at };
        }
    }

    fn refuse_all(&mut self, effects: &mut Effects, error: impl Fn() -> LockError) {
        effects.refused.extend(self.queue.drain().map(|waiter| (waiter.verdict, error())));
    }
}

fn release(ownership: &Ownership, cx: &Context<'_>) -> Command {
    Command::Release { request: ownership.release_request(), until: cx.now + ownership.lease }
}
