use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::backend::{AcquireAllReply, AcquireReply, AcquireRequest, BackendError, BackendFuture};
use crate::error::LockError;
use crate::front::arrival::Arrival;
use crate::front::queue::Verdict;
use crate::front::unanswered::Unanswered;
use crate::front::{Front, Turn};
use crate::key::LockKey;
use crate::options::Resolved;
use crate::ticket::Ticket;

impl Front {
    /// Tries to take several keys in one round trip. `None` when one of them is busy, or the backend cannot; none is
    /// taken then.
    pub(crate) async fn try_acquire_all(
        self: &Arc<Self>,
        keys: &[LockKey],
        options: &Resolved,
    ) -> Result<Option<Vec<Turn>>, LockError> {
        self.ensure_upkeep();
        let once = Resolved { wait: Duration::ZERO, ..*options };
        let mut turns = Vec::with_capacity(keys.len());
        let mut step = Step { front: self, seats: Vec::with_capacity(keys.len()), reply: None };
        let mut requests = Vec::with_capacity(keys.len());
        for key in keys {
            match self.with_key(key, |state, cx| state.arrive(cx, &once)) {
                Arrival::Turn(turn) => turns.push(turn),
                Arrival::Queued { id, verdict, ask } => {
                    let ticket = ask.as_ref().map(|request| request.ticket);
                    step.seats.push(Seat { key: key.clone(), id, ticket, verdict });
                    match ask {
                        Some(request) => requests.push(request),
                        // The key is on its way to us, but not at once.
                        None => return Ok(None),
                    }
                }
                Arrival::Busy => return Ok(None),
                Arrival::Overloaded => {
                    return Err(LockError::Overloaded { key: key.clone(), limit: self.config.max_waiters });
                }
                Arrival::ShutDown => return Err(LockError::ShutDown),
            }
        }
        if !requests.is_empty() {
            let reply = step.send(requests).await;
            step.tell(&reply);
        }
        let mut refused = None;
        for seat in std::mem::take(&mut step.seats) {
            match seat.verdict.await {
                Ok(Ok(turn)) => turns.push(turn),
                Ok(Err(error)) => refused = Some(error),
                Err(_) => refused = Some(LockError::ShutDown),
            }
        }
        match refused {
            None => {
                turns.sort_unstable_by(|a, b| a.hold().key().cmp(b.hold().key()));
                Ok(Some(turns))
            }
            Some(LockError::Timeout { .. }) => Ok(None),
            Some(error) => Err(error),
        }
    }
}

/// A place at each of the keys that are asked for in one step; dropping it gives them all up.
struct Step<'a> {
    front: &'a Arc<Front>,
    seats: Vec<Seat>,
    reply: Option<BackendFuture<AcquireAllReply>>,
}

struct Seat {
    key: LockKey,
    id: u64,
    /// The ticket asked for on behalf of this seat.
    ticket: Option<Ticket>,
    verdict: oneshot::Receiver<Verdict>,
}

type Reply = Result<AcquireAllReply, BackendError>;

impl Step<'_> {
    async fn send(&mut self, requests: Vec<AcquireRequest>) -> Reply {
        let reply = self.reply.insert(self.front.backend.acquire_all(requests));
        let reply = reply.await;
        self.reply = None;
        reply
    }

    /// Takes the one reply to every key's state.
    fn tell(&self, reply: &Reply) {
        let tickets = self.seats.iter().filter_map(|seat| seat.ticket.map(|ticket| (&seat.key, ticket)));
        tell(self.front, tickets, reply);
    }
}

fn tell<'a>(front: &Arc<Front>, tickets: impl Iterator<Item = (&'a LockKey, Ticket)>, reply: &Reply) {
    for (index, (key, ticket)) in tickets.enumerate() {
        front.asked(key, ticket, one_of(reply, index));
    }
}

/// What the one reply says of the ticket at `index`.
fn one_of(reply: &Reply, index: usize) -> Result<AcquireReply, BackendError> {
    match reply {
        Ok(AcquireAllReply::Granted(grants)) => match grants.get(index) {
            Some(grant) => Ok(AcquireReply::Granted(*grant)),
            None => Ok(AcquireReply::Busy { remaining: Duration::ZERO }),
        },
        Ok(AcquireAllReply::Busy | AcquireAllReply::Unsupported) => {
            Ok(AcquireReply::Busy { remaining: Duration::ZERO })
        }
        Err(error) => Err(error.clone()),
    }
}

impl Drop for Step<'_> {
    fn drop(&mut self) {
        let seats = std::mem::take(&mut self.seats);
        for seat in &seats {
            self.front.with_key(&seat.key, |state, cx| state.leave(cx, seat.id));
        }
        let tickets: Vec<_> =
            seats.into_iter().filter_map(|seat| seat.ticket.map(|ticket| (seat.key, ticket))).collect();
        match self.reply.take() {
            Some(reply) => {
                let unanswered =
                    tickets.into_iter().map(|(key, ticket)| Unanswered::new(self.front, key, ticket));
                let unanswered: Vec<_> = unanswered.collect();
                let under_way = self.front.tasks.token();
                reply.follow(
                    |task| self.front.spawn(task),
                    move |reply| {
                        for (index, unanswered) in unanswered.into_iter().enumerate() {
                            unanswered.answer(one_of(&reply, index));
                        }
                        drop(under_way);
                    },
                );
            }
            // Nothing was sent: whoever joined behind asks for itself.
            None => tell(
                self.front,
                tickets.iter().map(|(key, ticket)| (key, *ticket)),
                &Ok(AcquireAllReply::Busy),
            ),
        }
    }
}
