use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::backend::Grant;
use crate::key::LockKey;
use crate::ticket::Ticket;
use crate::token::FencingToken;

/// How many nanoseconds of a lease are relied on: clocks may differ in rate by 1 %, and a timer may be 2 ms late.
fn relied_on(lease: Duration) -> u64 {
    let lease = nanos(lease);
    lease.saturating_sub(lease / 100 + 2_000_000)
}

/// The moment from which a lease that began at `since` or later is not relied on any more.
pub(crate) fn deadline(since: Instant, lease: Duration) -> Instant {
    since + Duration::from_nanos(relied_on(lease))
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(NEVER - 1)
}

/// One unbroken time of ownership of one key by this node, shared by the guards that have a turn in it.
#[derive(Debug)]
pub(crate) struct Term {
    pub(crate) key: LockKey,
    pub(crate) ticket: Ticket,
    began: Instant,
    /// Nanoseconds after `began`.
    deadline: AtomicU64,
    /// The same for the turn that goes on now, where it ends although the term goes on; else [`NEVER`].
    turn_end: AtomicU64,
    /// The token of the turn that goes on now; zero between turns.
    turn: AtomicU64,
    lost: AtomicBool,
    /// Whether anybody ever waited for a change.
    watched: AtomicBool,
    changed: Notify,
}

const NEVER: u64 = u64::MAX;

impl Term {
    pub(crate) fn new(key: LockKey, ticket: Ticket, since: Instant, lease: Duration) -> Self {
        Self {
            key,
            ticket,
            began: since,
            deadline: AtomicU64::new(relied_on(lease)),
            turn_end: AtomicU64::new(NEVER),
            turn: AtomicU64::new(0),
            lost: AtomicBool::new(false),
            watched: AtomicBool::new(false),
            changed: Notify::new(),
        }
    }

    /// A term of the same key in the place of one that nobody looks at any more, else in a place of its own.
    pub(crate) fn in_place_of(
        earlier: Option<Arc<Self>>,
        key: &LockKey,
        ticket: Ticket,
        grant: &Grant,
    ) -> Arc<Self> {
        if let Some(mut place) = earlier
            && let Some(term) = Arc::get_mut(&mut place)
        {
            term.ticket = ticket;
            term.began = grant.since;
            *term.deadline.get_mut() = relied_on(grant.lease);
            *term.turn_end.get_mut() = NEVER;
            *term.turn.get_mut() = 0;
            *term.lost.get_mut() = false;
            *term.watched.get_mut() = false;
            return place;
        }
        Arc::new(Self::new(key.clone(), ticket, grant.since, grant.lease))
    }

    fn nanos(&self, at: Instant) -> u64 {
        nanos(at.saturating_duration_since(self.began))
    }

    /// Moves the deadline, never backwards: a renewal that was overtaken by a longer one changes nothing.
    pub(crate) fn prolong(&self, deadline: Instant) {
        self.deadline.fetch_max(self.nanos(deadline), Ordering::AcqRel);
    }

    pub(crate) fn deadline(&self) -> Instant {
        self.began + Duration::from_nanos(self.deadline.load(Ordering::Acquire))
    }

    /// Where the turn that goes on now ends although the term goes on.
    pub(crate) fn turn_end(&self) -> Option<Instant> {
        match self.turn_end.load(Ordering::Acquire) {
            NEVER => None,
            nanos => Some(self.began + Duration::from_nanos(nanos)),
        }
    }

    /// Moves the end of a turn that has one, never backwards.
    pub(crate) fn prolong_turn(&self, end: Instant) {
        if self.turn_end.load(Ordering::Acquire) != NEVER {
            self.turn_end.fetch_max(self.nanos(end), Ordering::AcqRel);
        }
    }

    pub(crate) fn begin_turn(&self, token: FencingToken, end: Option<Instant>) {
        self.turn_end.store(end.map_or(NEVER, |end| self.nanos(end)), Ordering::Release);
        self.turn.store(token.get(), Ordering::Release);
    }

    /// Ends the turn: whoever still looks at it sees that it is over.
    pub(crate) fn end_turn(&self) {
        // Before the look at `watched`; whoever watches says so before its look at the turn. One of the two sees the other.
        self.turn.swap(0, Ordering::SeqCst);
        self.turn_end.store(NEVER, Ordering::Release);
        self.tell();
    }

    pub(crate) fn is_live(&self, now: Instant) -> bool {
        !self.is_lost() && now < self.deadline()
    }

    /// The token of the turn that goes on now.
    pub(crate) fn turn(&self) -> Option<FencingToken> {
        let token = self.turn.load(Ordering::SeqCst);
        (token != 0).then(|| FencingToken::new(token))
    }

    pub(crate) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::SeqCst)
    }

    /// Whether the turn with this token goes on.
    pub(crate) fn has_turn(&self, token: FencingToken, now: Instant) -> bool {
        self.is_live(now) && self.turn() == Some(token) && self.turn_end().is_none_or(|end| now < end)
    }

    /// Ends the term before its deadline.
    pub(crate) fn lose(&self) {
        self.lost.swap(true, Ordering::SeqCst);
        self.tell();
    }

    fn tell(&self) {
        if self.watched.load(Ordering::SeqCst) {
            self.changed.notify_waiters();
        }
    }

    /// Completes when the turn with this token is over, for whatever reason.
    pub(crate) async fn ended(&self, token: FencingToken) {
        self.watched.swap(true, Ordering::SeqCst);
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            // From here on no change is missed.
            changed.as_mut().enable();
            let deadline = self.turn_end().map_or_else(|| self.deadline(), |end| end.min(self.deadline()));
            if !self.has_turn(token, Instant::now()) {
                return;
            }
            // A renewal moves the deadline without waking anybody: look again when the old one is reached.
            let mut timer = std::pin::pin!(sleep_until(deadline));
            std::future::poll_fn(|cx| {
                if changed.as_mut().poll(cx).is_ready() || timer.as_mut().poll(cx).is_ready() {
                    std::task::Poll::Ready(())
                } else {
                    std::task::Poll::Pending
                }
            })
            .await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::ticket::NodeId;

    const TOKEN: FencingToken = FencingToken::new(7);

    fn term(since: Instant, lease: Duration) -> Term {
        Term::new(LockKey::new("k").unwrap(), Ticket { node: NodeId::random(), attempt: 0 }, since, lease)
    }

    #[tokio::test(start_paused = true)]
    async fn ends_at_the_deadline_that_holds_when_it_is_reached() {
        let start = Instant::now();
        let term = Arc::new(term(start, Duration::from_secs(10)));
        term.begin_turn(TOKEN, None);
        let ended = tokio::spawn({
            let term = Arc::clone(&term);
            async move {
                term.ended(TOKEN).await;
                Instant::now()
            }
        });
        tokio::time::sleep(Duration::from_secs(5)).await;
        term.prolong(deadline(Instant::now(), Duration::from_secs(10)));
        let at = ended.await.unwrap();
        assert!(
            at >= start + Duration::from_millis(14_898) && at < start + Duration::from_secs(15),
            "{:?}",
            at - start
        );
    }

    #[tokio::test(start_paused = true)]
    async fn ends_at_once_when_lost() {
        let term = Arc::new(term(Instant::now(), Duration::from_secs(10)));
        term.begin_turn(TOKEN, None);
        let start = Instant::now();
        let ended = tokio::spawn({
            let term = Arc::clone(&term);
            async move { term.ended(TOKEN).await }
        });
        tokio::task::yield_now().await;
        term.lose();
        ended.await.unwrap();
        assert_eq!(Instant::now(), start);
        assert!(!term.is_live(start));
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_ends_for_those_who_look_at_it_when_it_is_given_on() {
        let term = Arc::new(term(Instant::now(), Duration::from_secs(10)));
        term.begin_turn(TOKEN, None);
        let start = Instant::now();
        let ended = tokio::spawn({
            let term = Arc::clone(&term);
            async move { term.ended(TOKEN).await }
        });
        tokio::task::yield_now().await;
        term.end_turn();
        term.begin_turn(FencingToken::new(8), None);
        ended.await.unwrap();
        assert_eq!(Instant::now(), start);
        assert!(term.is_live(start) && !term.has_turn(TOKEN, start));
    }
}
