use std::mem;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::backend::{Grant, ReleaseRequest, RenewRequest};
use crate::front::{Front, Handover, Hold, Term, Turn};
use crate::key::LockKey;
use crate::options::Resolved;
use crate::ticket::Ticket;
use crate::token::FencingToken;

/// With other nodes queueing, a node hands a key over in memory at most this often …
const OVERTAKE_TURNS: u32 = 16;
/// … and at most for this long, before it gives the key back.
const OVERTAKE_TIME: Duration = Duration::from_millis(5);

/// This node owns a key.
pub(crate) struct Ownership {
    pub(crate) term: Arc<Term>,
    /// What the next renewal asks for.
    pub(crate) lease: Duration,
    pub(crate) renew_at: Instant,
    /// Until when an idle key is kept.
    pub(crate) idle_until: Option<Instant>,
    retain: Duration,
    next_token: u64,
    end_token: u64,
    wanted: Option<Wanted>,
    /// How the next turn comes about.
    handover: Handover,
}

/// Other nodes queue for the key since then; so many local turns began since then.
#[derive(Clone, Copy)]
pub(crate) struct Wanted {
    since: Instant,
    turns: u32,
}

impl Wanted {
    pub(crate) fn since(now: Instant) -> Self {
        Self { since: now, turns: 0 }
    }
}

impl Ownership {
    pub(crate) fn new(
        key: &LockKey,
        ticket: Ticket,
        grant: &Grant,
        lease: Duration,
        handover: Handover,
        now: Instant,
    ) -> Self {
        let term = Arc::new(Term::new(key.clone(), ticket, grant.since, grant.lease));
        Self::of(term, grant, lease, handover, now)
    }

    pub(crate) fn of(
        term: Arc<Term>,
        grant: &Grant,
        lease: Duration,
        handover: Handover,
        now: Instant,
    ) -> Self {
        Self {
            term,
            lease,
            renew_at: grant.since + grant.lease / 3,
            idle_until: None,
            retain: Duration::ZERO,
            next_token: grant.token.get(),
            end_token: grant.token.get() + u64::from(grant.block.max(1)),
            handover,
            wanted: grant.wanted.then(|| Wanted::since(now)),
        }
    }

    /// The first token that was not handed out to this ownership.
    pub(crate) fn end_token(&self) -> FencingToken {
        FencingToken::new(self.end_token)
    }

    pub(crate) fn wanted(&self) -> Option<Wanted> {
        self.wanted
    }

    /// Goes on counting the turns since other nodes queue, as far as that was known before the grant.
    pub(crate) fn carry_on(&mut self, wanted: Option<Wanted>) {
        self.wanted = wanted.or(self.wanted);
    }

    pub(crate) fn has_tokens(&self) -> bool {
        self.next_token < self.end_token
    }

    pub(crate) fn note_wanted(&mut self, now: Instant) {
        self.wanted.get_or_insert(Wanted::since(now));
    }

    /// Whether the next turn may go to a task of this node although other nodes queue.
    pub(crate) fn may_hand_over(&self, now: Instant) -> bool {
        self.wanted
            .as_ref()
            .is_none_or(|wanted| wanted.turns < OVERTAKE_TURNS && now - wanted.since < OVERTAKE_TIME)
    }

    /// Begins the next turn. The caller has checked [`Self::has_tokens`].
    pub(crate) fn begin_turn(&mut self, front: &Arc<Front>, options: &Resolved, now: Instant) -> Turn {
        let token = FencingToken::new(self.next_token);
        self.next_token += 1;
        if let Some(wanted) = &mut self.wanted {
            wanted.turns += 1;
        }
        if options.lease > self.lease {
            self.lease = options.lease;
            self.renew_at = self.renew_at.min(now + self.term.deadline().saturating_duration_since(now) / 3);
        }
        self.term.begin_turn(token, (!options.renew).then(|| super::term::deadline(now, options.lease)));
        self.idle_until = None;
        self.retain = options.retain;
        Turn::new(Hold {
            front: Arc::clone(front),
            term: Arc::clone(&self.term),
            token,
            handover: mem::replace(&mut self.handover, Handover::Local),
        })
    }

    /// Whether no guard has its turn now: the key is kept idle.
    pub(crate) fn is_idle(&self) -> bool {
        self.term.turn().is_none()
    }

    /// Whether the key is kept idle for a while after the turn.
    pub(crate) fn is_retained(&self) -> bool {
        !self.retain.is_zero() && self.wanted.is_none()
    }

    /// Keeps the key idle.
    pub(crate) fn rest(&mut self, now: Instant) {
        self.idle_until = Some(now + self.retain);
        self.handover = Handover::Retained;
    }

    /// Whether it is time to renew; if so, the next attempt is set to come well before the deadline.
    ///
    /// Keys that are due soon join those that are due now, so that many keys cost few commands.
    pub(crate) fn renewal_is_due(&mut self, now: Instant) -> bool {
        let enough = self.term.turn_end().is_some_and(|end| self.term.deadline() >= end);
        let remaining = self.term.deadline().saturating_duration_since(now);
        if enough || self.renew_at > now + remaining / 16 {
            return false;
        }
        self.renew_at = now + remaining / 4;
        true
    }

    pub(crate) fn forget_retention(&mut self) {
        self.retain = Duration::ZERO;
    }

    pub(crate) fn ticket(&self) -> Ticket {
        self.term.ticket
    }

    /// The last token of the latest turn.
    pub(crate) fn used(&self) -> FencingToken {
        FencingToken::new(self.next_token - 1)
    }

    pub(crate) fn release_request(&self) -> ReleaseRequest {
        let spare = u32::try_from(self.end_token - self.next_token).unwrap_or(u32::MAX);
        let request = ReleaseRequest::new(self.term.key.clone(), self.ticket(), self.used());
        request.spare(spare).wanted(self.wanted.is_some())
    }

    pub(crate) fn renew_request(&self) -> RenewRequest {
        RenewRequest::new(self.term.key.clone(), self.ticket(), self.lease)
    }

    /// When somebody has to look at this key again.
    pub(crate) fn due(&self) -> Instant {
        let enough = self.term.turn_end().is_some_and(|end| self.term.deadline() >= end);
        let mut due = if enough { self.term.deadline() } else { self.renew_at.min(self.term.deadline()) };
        for end in [self.term.turn_end(), self.idle_until].into_iter().flatten() {
            due = due.min(end);
        }
        due
    }
}
