use std::fmt::Write;
use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use redis::{Cmd, Value};
use tokio::time::Instant;

use crate::backend::{
    AcquireReply, AcquireRequest, BackendError, Grant, Promise, ReleaseReply, ReleaseRequest,
};
use crate::key::LockKey;
use crate::redis::names::{KeyNames, Names};
use crate::redis::script::{self, Call};
use crate::redis::servers::Route;
use crate::redis::{error, reply};
use crate::ticket::Ticket;
use crate::token::FencingToken;

/// The most keys of a batch: long scripts hold up everybody else at the server.
const MOST: usize = 64;

/// What several callers ask of the same server, for one call of a script.
pub(super) struct Batch {
    route: Route,
    terms: Option<Terms>,
    entries: Vec<Entry>,
}

/// What all who ask for a key in the same batch have in common.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Terms {
    lease: Duration,
    wait: bool,
    block: u32,
}

/// One key: `old` gives it back, and after that `new` asks for it.
struct Entry {
    key: LockKey,
    old: Option<Asked<ReleaseRequest, ReleaseReply>>,
    new: Option<Asked<AcquireRequest, AcquireReply>>,
}

/// A block of fencing tokens.
#[derive(Clone, Copy)]
struct Tokens {
    first: u64,
    count: u32,
}

struct Asked<Request, Reply> {
    request: Request,
    promise: Promise<Reply>,
}

impl Batch {
    pub(super) fn new(route: Route) -> Self {
        Self { route, terms: None, entries: Vec::new() }
    }

    pub(super) fn goes(&self, route: &Route) -> bool {
        self.route.is_same(route)
    }

    /// Adds a release, unless the batch is full or has the key already.
    pub(super) fn release(
        &mut self,
        request: ReleaseRequest,
        promise: Promise<ReleaseReply>,
    ) -> Result<(), (ReleaseRequest, Promise<ReleaseReply>)> {
        if self.entries.len() == MOST || self.entry(&request.key).is_some() {
            return Err((request, promise));
        }
        let key = request.key.clone();
        self.entries.push(Entry { key, old: Some(Asked { request, promise }), new: None });
        Ok(())
    }

    /// Adds an acquire, unless the batch is full, has other terms, or has the key with more than a release.
    pub(super) fn acquire(
        &mut self,
        request: AcquireRequest,
        promise: Promise<AcquireReply>,
    ) -> Result<(), (AcquireRequest, Promise<AcquireReply>)> {
        let terms = Terms { lease: request.lease, wait: request.wait, block: request.block };
        if self.terms.is_some_and(|others| others != terms) {
            return Err((request, promise));
        }
        let is_full = self.entries.len() == MOST;
        match self.entry(&request.key) {
            Some(entry) if entry.new.is_none() => entry.new = Some(Asked { request, promise }),
            None if !is_full => {
                let key = request.key.clone();
                self.entries.push(Entry { key, old: None, new: Some(Asked { request, promise }) });
            }
            _ => return Err((request, promise)),
        }
        self.terms = Some(terms);
        Ok(())
    }

    fn entry(&mut self, key: &LockKey) -> Option<&mut Entry> {
        self.entries.iter_mut().rev().find(|entry| entry.key == *key)
    }

    /// The task that waits for this batch, if there is just one and nobody else depends on the reply.
    pub(super) fn only_waiter(&self) -> Option<Waker> {
        let [Entry { old, new: Some(new), .. }] = self.entries.as_slice() else {
            return None;
        };
        if old.as_ref().is_some_and(|old| !old.promise.is_followed()) {
            return None;
        }
        new.promise.awaited()
    }

    /// Sends the batch, and leaves it to its [`only_waiter`](Self::only_waiter) to take the reply. What is dropped then
    /// is `flight`.
    pub(super) fn carry(mut self, waker: &Waker, names: Arc<Names>, flight: impl Send + 'static) {
        let Some(Entry { key, old, new: Some(Asked { request, promise }) }) = self.entries.pop() else {
            return;
        };
        let (inner, reply) = crate::backend::promise();
        self.entries.push(Entry { key, old, new: Some(Asked { request, promise: inner }) });
        let mut work = Box::pin(async move {
            self.fly(&names).await;
            drop(flight);
            reply.await
        });
        match work.as_mut().poll(&mut Context::from_waker(waker)) {
            Poll::Ready(reply) => promise.keep(reply),
            Poll::Pending => promise.hand_over(work, waker),
        }
    }

    /// Calls the script, and tells everybody what came of it.
    pub(super) async fn fly(self, names: &Names) {
        let since = Instant::now();
        let call = Arguments { batch: &self, names };
        match self.route.call(&call).await {
            Ok((value, connection)) => {
                if let Some(server_micros) = self.tell(&value, since) {
                    connection.clock().observe(server_micros, since);
                }
            }
            Err(error) => {
                let error = error::command(error);
                if !error.is_transient() {
                    // One key may be at fault, and the others must not suffer from it. Each command may be sent twice.
                    return self.fly_alone(names).await;
                }
                for entry in self.entries {
                    entry.fail(&error);
                }
            }
        }
    }

    /// Reads the reply of `batch.lua`, and answers the server's time in it.
    fn tell(self, value: &Value, since: Instant) -> Option<u64> {
        let answers = reply::batch(value);
        let mut answers = answers.iter();
        let server_micros = answers.next().and_then(|now| reply::read(now).ok());
        let terms = self.terms;
        for entry in self.entries {
            let rest = entry.rest();
            if let Some(old) = entry.old {
                old.promise.keep(released(answers.next()));
            }
            if let Some(new) = entry.new {
                new.promise.keep(acquired(answers.next(), terms, rest, since));
            }
        }
        server_micros.filter(|micros| *micros > 0)
    }

    /// Sends each command by itself.
    async fn fly_alone(self, names: &Names) {
        for entry in self.entries {
            if let Some(Asked { request, promise }) = entry.old {
                promise
                    .keep(alone(&self.route, &script::release(names, &request), super::read_release).await);
            }
            if let Some(Asked { request, promise }) = entry.new {
                promise
                    .keep(alone(&self.route, &script::acquire(names, &request), super::read_acquire).await);
            }
        }
    }
}

async fn alone<T>(
    route: &Route,
    invocation: &script::Invocation,
    read: impl FnOnce(&Value, Instant, &super::ServerClock) -> Result<T, BackendError>,
) -> Result<T, BackendError> {
    let since = Instant::now();
    let (value, connection) = route.call(invocation).await.map_err(error::command)?;
    read(&value, since, connection.clock())
}

fn released(answer: Option<&Value>) -> Result<ReleaseReply, BackendError> {
    match answer {
        Some(Value::Int(1)) => Ok(ReleaseReply::Released),
        Some(Value::Int(0)) => Ok(ReleaseReply::Lost),
        _ => Err(error::unexpected_reply()),
    }
}

fn acquired(
    answer: Option<&Value>,
    terms: Option<Terms>,
    rest: Option<Tokens>,
    since: Instant,
) -> Result<AcquireReply, BackendError> {
    match (answer, terms) {
        (Some(Value::Int(first)), Some(terms)) => {
            let Tokens { first, count } = match (*first, rest) {
                (..0, _) => {
                    return Ok(AcquireReply::Busy { remaining: Duration::from_millis(first.unsigned_abs()) });
                }
                (0, Some(rest)) => rest,
                (0, None) => return Err(error::unexpected_reply()),
                (1.., _) => Tokens { first: first.unsigned_abs(), count: terms.block.max(1) },
            };
            let lease = Duration::from_millis(script::whole_millis(terms.lease));
            Ok(AcquireReply::Granted(Grant::new(FencingToken::new(first), count, lease, since)))
        }
        (Some(fields @ Value::Array(_)), _) => {
            reply::acquire(reply::fields(fields)?, since).map(|(reply, _)| reply)
        }
        _ => Err(error::unexpected_reply()),
    }
}

impl Entry {
    fn fail(self, error: &BackendError) {
        if let Some(old) = self.old {
            old.promise.keep(Err(error.clone()));
        }
        if let Some(new) = self.new {
            new.promise.keep(Err(error.clone()));
        }
    }

    /// What the ticket that asks may go on with, if the one that gives back is of the same node and has tokens left. The
    /// server looks whether they are still the last ones of the key: a ticket that was granted twice may have lost it in
    /// between.
    fn rest(&self) -> Option<Tokens> {
        let (old, new) = (&self.old.as_ref()?.request, &self.new.as_ref()?.request);
        let goes_on = old.spare > 0 && old.ticket.node == new.ticket.node;
        goes_on.then(|| Tokens { first: old.used.get() + 1, count: old.spare })
    }

    fn tickets(&self) -> [Option<Ticket>; 2] {
        [self.old.as_ref().map(|old| old.request.ticket), self.new.as_ref().map(|new| new.request.ticket)]
    }
}

/// The arguments of `batch.lua`.
struct Arguments<'a> {
    batch: &'a Batch,
    names: &'a Names,
}

/// About as much as one key takes in a command.
const ENTRY_BYTES: usize = 192;

impl Call for Arguments<'_> {
    fn script(&self) -> &'static script::Text {
        script::batch(self.names)
    }

    fn hands_over(&self) -> bool {
        self.batch.entries.iter().any(|entry| entry.old.as_ref().is_some_and(|old| old.request.wanted))
    }

    fn command(&self, verb: &str, script: &str) -> Cmd {
        let Batch { terms, entries, .. } = self.batch;
        let mut command =
            Cmd::with_capacity(8 + 6 * entries.len(), script.len() + 128 + ENTRY_BYTES * entries.len());
        command.arg(verb).arg(script).arg(3 * entries.len());
        let mut keys = KeyNames::default();
        for entry in entries {
            self.names.write(entry.key.as_str(), &mut keys);
            command.arg(&keys.owner).arg(&keys.waiters).arg(&keys.fence);
        }
        // All keys of a batch share the slot, where there are slots.
        command.arg(&*self.names.channels(&keys.owner)).arg(self.names.prefix_len());
        match terms {
            Some(terms) => command
                .arg(script::whole_millis(terms.lease))
                .arg(u8::from(terms.wait))
                .arg(terms.block.max(1)),
            None => command.arg("").arg("").arg("1"),
        };
        let mut text = String::with_capacity(64);
        for entry in entries {
            for ticket in entry.tickets() {
                text.clear();
                if let Some(ticket) = ticket {
                    // Writing to a text does not fail.
                    let _ = write!(text, "{ticket}");
                }
                command.arg(&text);
            }
            match entry.rest() {
                Some(rest) => command.arg(rest.first + u64::from(rest.count) - 1),
                None => command.arg(""),
            };
        }
        command
    }
}
