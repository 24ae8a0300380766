use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until};

use crate::backend::{AcquireReply, BackendFuture};
use crate::error::LockError;
use crate::front::arrival::Arrival;
use crate::front::key_state::Context;
use crate::front::queue::Verdict;
use crate::front::unanswered::Unanswered;
use crate::front::{Front, Turn};
use crate::key::LockKey;
use crate::options::Resolved;
use crate::ticket::Ticket;

impl Front {
    /// Takes a turn on `key` if that needs no waiting; none otherwise, with nothing changed. The time is `now`.
    pub(crate) fn acquire_at_once(
        self: &Arc<Self>,
        key: &LockKey,
        options: &Resolved,
        now: Instant,
    ) -> Option<Turn> {
        self.ensure_upkeep();
        let (turn, due) = self.states.with(key, |key, state| {
            // Under the same mutex as the shutdown of this key, so that nobody slips in after it.
            if self.is_closed() {
                return None;
            }
            state.take_at_once(&Context { front: self, key, now }, options)
        });
        if let Some(due) = due {
            self.alarm.ring_by(due);
        }
        turn
    }

    /// Waits for a turn on `key`. Dropping the future leaves the queue.
    pub(crate) async fn acquire(
        self: &Arc<Self>,
        key: LockKey,
        options: &Resolved,
    ) -> Result<Turn, LockError> {
        self.ensure_upkeep();
        let began = Instant::now();
        let (id, verdict, ask) = match self.with_key(&key, |state, cx| state.arrive(cx, options)) {
            Arrival::Turn(turn) => return Ok(turn),
            Arrival::Busy => {
                return Err(LockError::Timeout { key, waited: Duration::ZERO });
            }
            Arrival::Overloaded => {
                return Err(LockError::Overloaded { key, limit: self.config.max_waiters });
            }
            Arrival::ShutDown => return Err(LockError::ShutDown),
            Arrival::Queued { id, verdict, ask } => (id, verdict, ask),
        };
        let mut place = Place { front: self, key: &key, id, verdict, asking: None, left: false };
        if let Some(request) = ask {
            let ticket = request.ticket;
            match self.backend.acquire(request).now() {
                Ok(reply) => self.asked(&key, ticket, reply),
                Err(reply) => place.asking = Some((ticket, reply)),
            }
        }
        if let Ok(verdict) = place.verdict.try_recv() {
            place.left = true;
            return verdict;
        }
        place.wait(began, options.wait).await
    }
}

/// A place in the queue of a key; dropping it leaves the queue.
struct Place<'a> {
    front: &'a Arc<Front>,
    key: &'a LockKey,
    id: u64,
    verdict: oneshot::Receiver<Verdict>,
    /// The reply that this caller has to take to the key's state, because it sent the command.
    asking: Option<(Ticket, BackendFuture<AcquireReply>)>,
    left: bool,
}

impl Place<'_> {
    async fn wait(&mut self, began: Instant, wait: Duration) -> Verdict {
        // A caller that does not wish to queue still waits for the reply to its one question.
        let deadline = (!wait.is_zero()).then(|| began + wait);
        let mut timer = pin!(deadline.map(sleep_until));
        loop {
            let event = std::future::poll_fn(|cx| {
                if let Poll::Ready(verdict) = std::pin::Pin::new(&mut self.verdict).poll(cx) {
                    return Poll::Ready(Event::Verdict(verdict.unwrap_or(Err(LockError::ShutDown))));
                }
                if let Some((ticket, reply)) = &mut self.asking
                    && let Poll::Ready(reply) = std::pin::Pin::new(reply).poll(cx)
                {
                    return Poll::Ready(Event::Reply(*ticket, reply));
                }
                match timer.as_mut().as_pin_mut().map(|timer| timer.poll(cx)) {
                    Some(Poll::Ready(())) => Poll::Ready(Event::TimedOut),
                    Some(Poll::Pending) | None => Poll::Pending,
                }
            })
            .await;
            match event {
                Event::Verdict(verdict) => {
                    self.left = true;
                    return verdict;
                }
                Event::Reply(ticket, reply) => {
                    self.asking = None;
                    let called = self.front.asked_by(Some(self.id), self.key, ticket, reply);
                    if let Some((_waiter, turn)) = called {
                        // The verdict would wake this very task once more.
                        self.verdict.close();
                        self.left = true;
                        return Ok(turn);
                    }
                }
                Event::TimedOut => {
                    // Whoever is called up in this very moment takes the turn rather than the timeout.
                    if !self.leave()
                        && let Ok(verdict) = self.verdict.try_recv()
                    {
                        return verdict;
                    }
                    return Err(LockError::Timeout { key: self.key.clone(), waited: began.elapsed() });
                }
            }
        }
    }

    /// False when this place was called up already.
    fn leave(&mut self) -> bool {
        self.left = true;
        self.front.with_key(self.key, |state, cx| state.leave(cx, self.id))
    }
}

enum Event {
    Verdict(Verdict),
    Reply(Ticket, Result<AcquireReply, crate::backend::BackendError>),
    TimedOut,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if !self.left {
            self.leave();
        }
        if let Some((ticket, reply)) = self.asking.take() {
            Unanswered::new(self.front, self.key.clone(), ticket).follow(reply);
        }
    }
}
