use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::token::FencingToken;

/// How much of a lease is not relied on: clocks may differ in rate by 1 %, and a timer may be 2 ms late.
fn drift(lease: Duration) -> Duration {
    lease / 100 + Duration::from_millis(2)
}

/// The moment from which a lease that began at `since` or later is not relied on any more.
pub(crate) fn deadline(since: Instant, lease: Duration) -> Instant {
    since + lease.saturating_sub(drift(lease))
}

/// One unbroken time of ownership of one key by this node, shared by the guards that have a turn in it.
#[derive(Debug)]
pub(crate) struct Term {
    began: Instant,
    /// Nanoseconds after `began`.
    deadline: AtomicU64,
    /// The same for the turn that goes on now, where it ends although the term goes on; else [`NEVER`].
    turn_end: AtomicU64,
    /// The token of the turn that goes on now; zero between turns.
    turn: AtomicU64,
    lost: AtomicBool,
    changed: Notify,
}

const NEVER: u64 = u64::MAX;

impl Term {
    pub(crate) fn new(since: Instant, lease: Duration) -> Self {
        let term = Self {
            began: since,
            deadline: AtomicU64::new(0),
            turn_end: AtomicU64::new(NEVER),
            turn: AtomicU64::new(0),
            lost: AtomicBool::new(false),
            changed: Notify::new(),
        };
        term.prolong(deadline(since, lease));
        term
    }

    fn nanos(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.began).as_nanos()).unwrap_or(NEVER - 1)
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
        self.turn.store(0, Ordering::Release);
        self.turn_end.store(NEVER, Ordering::Release);
        self.changed.notify_waiters();
    }

    pub(crate) fn is_live(&self, now: Instant) -> bool {
        !self.lost.load(Ordering::Acquire) && now < self.deadline()
    }

    /// Whether the turn with this token goes on.
    pub(crate) fn has_turn(&self, token: FencingToken, now: Instant) -> bool {
        self.is_live(now)
            && self.turn.load(Ordering::Acquire) == token.get()
            && self.turn_end().is_none_or(|end| now < end)
    }

    /// Ends the term before its deadline.
    pub(crate) fn lose(&self) {
        self.lost.store(true, Ordering::Release);
        self.changed.notify_waiters();
    }

    /// Completes when the turn with this token is over, for whatever reason.
    pub(crate) async fn ended(&self, token: FencingToken) {
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
    use std::sync::Arc;

    use super::*;

    const TOKEN: FencingToken = FencingToken::new(7);

    #[tokio::test(start_paused = true)]
    async fn ends_at_the_deadline_that_holds_when_it_is_reached() {
        let start = Instant::now();
        let term = Arc::new(Term::new(start, Duration::from_secs(10)));
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
        let term = Arc::new(Term::new(Instant::now(), Duration::from_secs(10)));
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
        let term = Arc::new(Term::new(Instant::now(), Duration::from_secs(10)));
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
